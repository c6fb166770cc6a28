from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import InvalidValueError
from dragoman.resilience.backoff import Backoff
from dragoman.times import SECOND_NS


def test_the_ceiling_doubles_up_to_the_cap():
    backoff = Backoff(first_s=1, cap_s=10)

    assert [1, 2, 4, 8, 10, 10] == [backoff.ceiling_s(failures) for failures in range(1, 7)]


@given(
    st.floats(0.001, 1e4),
    st.floats(1, 1e6),
    st.floats(1, 10),
    st.floats(0, 1),
    st.integers(1, 10**9),
    st.randoms(use_true_random=False),
)
def test_no_wait_is_outside_floor_and_cap(first_s, stretch, factor, floor, failures, random):
    backoff = Backoff(
        first_s=first_s, cap_s=first_s * stretch, factor=factor, floor_s=first_s * floor
    )

    wait_s = backoff.delay_ns(failures, random) / SECOND_NS

    assert backoff.floor_s - 1e-8 <= wait_s <= backoff.ceiling_s(failures) + 1e-8
    assert backoff.ceiling_s(failures) <= backoff.ceiling_s(failures + 1) <= backoff.cap_s


def test_waits_fill_the_whole_span_under_the_ceiling():
    backoff = Backoff(first_s=10, cap_s=10)
    random = Random(1)

    waits = [backoff.delay_ns(1, random) / SECOND_NS for _ in range(1000)]

    assert [100] * 10 == pytest.approx(
        [sum(low <= w < low + 1 for w in waits) for low in range(10)], abs=40
    )


def test_the_same_seed_draws_the_same_waits():
    waits = [
        [Backoff().delay_ns(n, random) for n in range(1, 9)] for random in (Random(7), Random(7))
    ]

    assert waits[0] == waits[1]


@pytest.mark.parametrize(
    "terms",
    [
        {"first_s": 0, "cap_s": 0},
        {"first_s": -1},
        {"first_s": 2, "cap_s": 1},
        {"factor": 0.5},
        {"floor_s": 1, "first_s": 0.5},
        {"first_s": float("nan")},
    ],
)
def test_senseless_terms_are_refused(terms):
    with pytest.raises(InvalidValueError, match="backoff"):
        Backoff(**terms)
