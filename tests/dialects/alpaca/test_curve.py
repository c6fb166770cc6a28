"""What an account was worth: the last word by each time, and a bound on how much is kept."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman_alpaca.dialect.curve import EquityCurve


@pytest.fixture
def curve():
    curve = EquityCurve()
    for at_ns, equity in ((10, 100), (20, 110), (35, 90)):
        curve.add(at_ns, Decimal(equity))
    return curve


@pytest.mark.parametrize(
    ("at_ns", "equity"), [(10, None), (11, 100), (20, 100), (21, 110), (35, 110), (36, 90)]
)
def test_the_worth_before_a_time_is_what_was_told_last(curve, at_ns, equity):
    assert equity == curve.before(at_ns)


def test_each_step_has_what_was_told_by_its_end(curve):
    assert [(10, 100), (20, 110), (30, 110)] == [*curve.steps(0, 30, 10)]
    assert [(10, 100), (20, 110), (30, 90)] == [*curve.steps(0, 35, 10)]


def test_steps_before_the_first_word_are_left_out(curve):
    assert [] == [*curve.steps(0, 9, 10)]


def test_what_is_told_late_is_the_newest_word(curve):
    curve.add(5, Decimal(50))

    assert (None, 110, 50) == tuple(curve.before(at_ns) for at_ns in (6, 30, 36))


def test_the_newest_word_has_its_time(curve):
    assert (35, 0) == (curve.newest_ns, EquityCurve().newest_ns)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=300))
def test_the_newest_word_stays_however_much_is_told(values):
    curve = EquityCurve(most=16)
    for number, value in enumerate(values):
        curve.add(number, Decimal(value))

    assert values[-1] == curve.before(len(values))
    assert values[0] == curve.before(1)
    assert len(curve._times) <= 17
