"""The venue's clock: pace, start, and being held."""

from contextlib import suppress
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS, ManualClock
from dragoman_mock.clock import VenueClock


async def test_time_passes_at_the_speed_told():
    source = ManualClock(0)
    clock = VenueClock(source, Fraction(60))

    await source.advance(seconds=2)

    assert (120 * SECOND_NS, 120 * SECOND_NS) == (clock.now_ns(), clock.monotonic_ns())


async def test_a_sleeper_wakes_at_its_instant_of_venue_time():
    source = ManualClock(0)
    clock = VenueClock(source, Fraction(3), 10 * SECOND_NS)
    scope = TaskScope()
    task = scope.spawn(clock.sleep_until_ns(11 * SECOND_NS), "sleeper")

    await source.advance(nanoseconds=SECOND_NS // 3)
    is_early = task.done()
    await source.advance(nanoseconds=1)

    assert (False, True) == (is_early, task.done())
    assert 11 * SECOND_NS <= clock.now_ns()
    await scope.close()


@given(st.integers(0, 10**18), st.fractions(Fraction(1, 1000), 1_000_000))
def test_nobody_wakes_before_the_instant(instant_ns, speed):
    wakes = []

    class Source(ManualClock):
        async def sleep_until_ns(self, instant_ns):
            wakes.append(instant_ns)

    source = Source(0)
    clock = VenueClock(source, speed)

    coroutine = clock.sleep_until_ns(instant_ns)
    with suppress(StopIteration):
        coroutine.send(None)
    source._now_ns = wakes[0]

    assert instant_ns <= clock.now_ns()


async def test_a_clock_that_is_held_goes_on_from_there():
    source = ManualClock(0)
    clock = VenueClock(source)
    await source.advance(seconds=10)

    clock.hold(4 * SECOND_NS)
    held = clock.now_ns()
    await source.advance(seconds=1)

    assert (4 * SECOND_NS, 5 * SECOND_NS) == (held, clock.now_ns())
