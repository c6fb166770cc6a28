"""A clock that is wrong by so much."""

from dragoman.times import SECOND_NS, ManualClock
from dragoman_conformance.looks.skew import SkewedClock


def test_the_wall_is_wrong_and_durations_are_right():
    true = ManualClock()
    wrong = SkewedClock(true, 45 * SECOND_NS)

    assert true.now_ns() + 45 * SECOND_NS == wrong.now_ns()
    assert true.monotonic_ns() == wrong.monotonic_ns()


async def test_an_instant_that_is_past_by_the_wrong_clock_is_not_waited_for():
    true = ManualClock()
    wrong = SkewedClock(true, 45 * SECOND_NS)

    before_ns = true.now_ns()

    await wrong.sleep_until_ns(before_ns + 44 * SECOND_NS)

    assert before_ns == true.now_ns()
