"""A deadline ends what it bounds, and is never mistaken for a cancellation from elsewhere."""

import asyncio

import pytest

from dragoman.errors import StreamLostError, WaitTimeoutError
from dragoman.times import ManualClock
from dragoman.transport.link_deadline import deadline


async def wait_within(clock, seconds, work):
    async with deadline(clock, seconds, "the test"):
        return await work


async def test_what_takes_too_long_is_cancelled_and_named():
    clock = ManualClock()
    task = asyncio.create_task(wait_within(clock, 5, asyncio.Event().wait()))

    await clock.advance(seconds=5)

    with pytest.raises(WaitTimeoutError, match="the test: nothing came within 5 s"):
        await task
    assert 0 == task.cancelling()


async def test_what_ends_in_time_returns():
    clock = ManualClock()
    task = asyncio.create_task(wait_within(clock, 5, clock.sleep_ns(1)))

    await clock.advance(seconds=1)

    assert await task is None


async def test_a_cancellation_from_elsewhere_passes_through():
    clock = ManualClock()
    task = asyncio.create_task(wait_within(clock, 5, asyncio.Event().wait()))
    await clock.advance(seconds=1)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


class OneMoment(ManualClock):
    """A clock on which everything is due at the same moment."""

    def __init__(self):
        super().__init__()
        self.moment = asyncio.Event()

    async def sleep_ns(self, duration_ns):
        await self.moment.wait()


async def test_a_cancellation_at_the_same_moment_wins():
    clock = OneMoment()
    task = asyncio.create_task(wait_within(clock, 5, asyncio.Event().wait()))

    async def cancel():
        await clock.moment.wait()
        task.cancel()

    cancelling = asyncio.create_task(cancel())
    await clock.advance()
    clock.moment.set()
    await asyncio.wait([task, cancelling])

    assert task.cancelled()


async def test_an_error_at_the_deadline_is_the_error_and_leaves_no_cancellation():
    clock = ManualClock()

    async def translate():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise StreamLostError("lost") from None

    task = asyncio.create_task(wait_within(clock, 5, translate()))
    await clock.advance(seconds=6)

    with pytest.raises(StreamLostError):
        await task
    assert 0 == task.cancelling()


async def test_deadlines_nest_and_the_shorter_one_speaks():
    clock = ManualClock()

    async def nested():
        async with deadline(clock, 10, "the outer"), deadline(clock, 3, "the inner"):
            await asyncio.Event().wait()

    task = asyncio.create_task(nested())
    await clock.advance(seconds=20)

    with pytest.raises(WaitTimeoutError, match="the inner"):
        await task
