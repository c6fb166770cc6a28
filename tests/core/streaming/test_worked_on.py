"""When readers have worked on what was given out: what a paced venue waits for."""

import asyncio

import pytest

from dragoman.models import Subscription

QUOTES = Subscription(quotes="AAPL")
POSITIONS = Subscription(positions=True)


async def is_worked_on(world):
    """Tell whether the hub has nobody to wait for, after everybody had a turn."""
    waiting = asyncio.ensure_future(world.hub.worked_on())
    await world.settle()
    is_done = waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    return is_done


async def test_without_readers_nobody_is_waited_for(world):
    world.publish()

    assert await is_worked_on(world)


async def test_a_reader_that_was_given_nothing_holds_nothing_back(world):
    async with world.hub.stream(POSITIONS):
        assert await is_worked_on(world)


async def test_what_waits_for_a_reader_is_waited_for(world):
    async with world.hub.stream(POSITIONS):
        world.publish()

        assert not await is_worked_on(world)


async def test_an_event_is_worked_on_once_its_reader_asks_for_the_next(world):
    async with world.hub.stream(POSITIONS) as stream:
        reader = aiter(stream)
        world.publish()
        await anext(reader)
        assert not await is_worked_on(world)

        more = asyncio.ensure_future(anext(reader))
        await world.settle()

        assert await is_worked_on(world)
        more.cancel()
        await asyncio.gather(more, return_exceptions=True)


async def test_a_batch_is_worked_on_once_its_reader_asks_for_the_next(world, make):
    async with world.hub.stream(QUOTES) as stream:
        batches = stream.batches()
        world.upstream.emit(make.quote(), make.quote())
        await anext(batches)
        assert not await is_worked_on(world)

        more = asyncio.ensure_future(anext(batches))
        await world.settle()

        assert await is_worked_on(world)
        more.cancel()
        await asyncio.gather(more, return_exceptions=True)


async def test_the_slowest_reader_is_waited_for(world):
    async with world.hub.stream(POSITIONS) as quick, world.hub.stream(POSITIONS) as slow:
        world.publish()
        waiting = asyncio.ensure_future(world.hub.worked_on())
        for stream in (quick, slow):
            assert not waiting.done()
            await world.drain(stream)
        more = [asyncio.ensure_future(anext(aiter(one))) for one in (quick, slow)]

        await asyncio.wait_for(waiting, 20)

        for one in more:
            one.cancel()
        await asyncio.gather(*more, return_exceptions=True)


async def test_a_reader_that_leaves_is_not_waited_for(world):
    async with world.hub.stream(POSITIONS):
        world.publish()
        waiting = asyncio.ensure_future(world.hub.worked_on())
        await world.settle()

    await asyncio.wait_for(waiting, 20)


async def test_ending_the_hub_s_readers_hands_out_what_waits_first(world):
    async with world.hub.stream(POSITIONS) as stream:
        published = world.publish(2)
        world.hub.end()

        assert published == [event async for event in stream]
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
