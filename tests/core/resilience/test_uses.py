import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.resilience.uses import WindowUses, earliest_fit

spans = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 30), st.integers(0, 5)).map(
        lambda span: (span[0], span[0] + span[1], span[2])
    ),
    max_size=8,
)


def fits(taken, room, instant, length):
    return all(
        sum(weight for start, end, weight in taken if start <= moment < end) <= room
        for moment in range(instant, instant + length)
    )


@given(spans, st.integers(0, 10), st.integers(0, 40), st.integers(1, 20))
def test_the_first_instant_that_fits_is_found(taken, room, start, length):
    by_trial = next(t for t in range(start, 100) if fits(taken, room, t, length))

    assert by_trial == earliest_fit(taken, room, start, length)


def test_uses_count_until_they_end():
    uses = WindowUses(10, 9, 100)

    uses.add(3, 0)
    uses.add(4, 50)

    assert [7, 7, 4, 4, 0] == [uses.used(now) for now in (50, 99, 100, 149, 150)]


def test_a_use_may_end_earlier_than_the_window():
    uses = WindowUses(10, 9, 100)

    uses.add(3, 0)
    uses.add(4, 10, end_ns=20)

    assert [7, 3, 0] == [uses.used(now) for now in (19, 20, 100)]


def test_what_is_given_back_does_not_count():
    uses = WindowUses(10, 9, 100)
    use = uses.add(3, 0)

    uses.give_back(use, 2, 1)

    assert 1 == uses.used(1)


def test_what_has_ended_can_not_be_given_back():
    uses = WindowUses(10, 9, 100)
    use = uses.add(3, 0)
    uses.add(5, 90)

    uses.give_back(use, 3, 100)

    assert 5 == uses.used(100)


def test_a_million_uses_are_kept_in_bounded_memory_and_never_forgotten_early():
    uses = WindowUses(10**9, 10**9, 1_000_000)
    exact = []

    for now in range(0, 3_000_000, 30):
        uses.add(1, now)
        exact.append(now)

        assert len(uses._uses) <= 520
    alive = sum(now > exact[-1] - 1_000_000 for now in exact)
    assert alive <= uses.used(exact[-1]) <= alive * 1.01


@pytest.mark.parametrize(("weight", "instant"), [(1, 0), (2, 100), (6, 110)])
def test_room_comes_back_as_uses_end(weight, instant):
    uses = WindowUses(10, 9, 100)
    uses.add(4, 0)
    uses.add(4, 10)

    assert max(instant, 10) == uses.earliest(weight, 9, 10, 10)


def test_a_use_that_counts_for_longer_is_not_cut_short_by_those_after_it():
    uses = WindowUses(10**9, 10**9, 1_000_000)
    for _ in range(300):
        uses.add(1, 0)

    uses.add(7, 0, end_ns=5_000_000)
    uses.add(1, 0)

    assert uses.used(4_999_999) >= 7
    assert 0 == uses.used(5_000_000)
