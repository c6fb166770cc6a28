import asyncio
import logging

import pytest

from dragoman.errors import ClosedError, StreamLostError, UnknownInstrumentError
from dragoman.models import Channel, Subscription
from dragoman.streaming import Topic

POSITIONS = Subscription(positions=True)
QUOTES = Subscription(quotes="AAPL")
AAPL_QUOTES = Topic(Channel.QUOTES, "AAPL")


async def test_a_plain_callback_is_called_with_each_event(world):
    received = []
    async with world.hub.listen(received.append, POSITIONS) as listener:
        published = world.publish(3)
        await world.settle()

        assert published == received
        assert 3 == listener.calls


async def test_an_async_callback_is_awaited_one_event_at_a_time(world):
    gate, received = asyncio.Event(), []

    async def callback(event):
        received.append(event)
        await gate.wait()

    async with world.hub.listen(callback, POSITIONS):
        published = world.publish(2)
        await world.settle()
        first = list(received)
        gate.set()
        await world.settle()

        assert published[:1] == first
        assert published == received


async def test_ready_means_live_upstream(world):
    async with world.hub.listen(print, QUOTES):
        assert {AAPL_QUOTES} == world.upstream.topics


async def test_a_callback_that_raises_gets_the_next_event_all_the_same(world):
    received, told = [], []

    def callback(event):
        received.append(event)
        raise ValueError(event.sequence)

    def on_error(event, error):
        told.append((event, str(error)))

    async with world.hub.listen(callback, POSITIONS, on_error=on_error) as listener:
        published = world.publish(3)
        await world.settle()

        assert published == received
        assert [(event, str(event.sequence)) for event in published] == told
        assert 3 == listener.errors


async def test_a_callback_that_raises_leaves_others_alone(world):
    received = []

    async def callback(event):
        raise ValueError(event)

    async with (
        world.hub.listen(callback, POSITIONS, on_error=print),
        world.hub.listen(received.append, POSITIONS),
        world.hub.stream(POSITIONS) as stream,
    ):
        published = world.publish(3)

        assert published == await world.drain(stream)
        assert published == received


async def test_a_callback_that_never_returns_leaves_others_alone(world):
    received = []

    async def callback(event):
        await asyncio.Event().wait()

    async with (
        world.hub.listen(callback, POSITIONS, buffer=4),
        world.hub.listen(received.append, POSITIONS),
    ):
        published = world.publish(100)
        await world.settle()

        assert published == received


async def test_failures_are_logged_ever_more_rarely_with_the_type_of_the_event(world, caplog):
    def callback(event):
        raise ValueError(event)

    with caplog.at_level(logging.ERROR):
        async with world.hub.listen(callback, POSITIONS):
            world.publish(10)
            await world.settle()

    assert [1, 2, 4, 8] == [record.errors for record in caplog.records]
    assert {"PositionEvent"} == {record.event_type for record in caplog.records}


async def test_an_error_report_that_raises_is_logged_and_no_more(world, caplog):
    received = []

    def callback(event):
        received.append(event)
        raise ValueError(event)

    def on_error(event, error):
        raise RuntimeError("report")

    async with world.hub.listen(callback, POSITIONS, on_error=on_error):
        published = world.publish(2)
        await world.settle()

    assert published == received
    assert ["The error report of a listener failed"] * 2 == caplog.messages


async def test_a_callback_canceled_from_within_is_a_failure_like_any_other(world):
    told = []

    async def callback(event):
        raise asyncio.CancelledError

    async with world.hub.listen(callback, POSITIONS, on_error=lambda *facts: told.append(facts)):
        published = world.publish(2)
        await world.settle()

        assert published == [event for event, _ in told]


async def test_a_listener_that_cannot_be_opened_says_why(world):
    world.upstream.refused.add("AAPL")
    told = []

    listener = world.hub.listen(print, QUOTES, on_error=lambda *facts: told.append(facts))
    with pytest.raises(UnknownInstrumentError):
        await listener.ready()
    await world.settle()

    assert [UnknownInstrumentError] == [type(error) for _, error in told]
    assert not listener.is_active


async def test_a_listener_whose_stream_is_lost_says_so_and_ends(world):
    told = []
    async with world.hub.listen(
        print, QUOTES, on_error=lambda *facts: told.append(facts)
    ) as listener:
        world.upstream.fail(AAPL_QUOTES, StreamLostError("gone"))
        await world.settle()

        assert [(None, StreamLostError)] == [(event, type(error)) for event, error in told]
        assert not listener.is_active


async def test_closing_a_listener_cancels_the_callback_and_closes_the_upstream(world):
    cancelled = []

    async def callback(event):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(event)
            raise

    listener = world.hub.listen(callback, POSITIONS | QUOTES)
    await listener.ready()
    published = world.publish()
    await world.settle()

    await listener.aclose()

    assert published == cancelled
    assert set() == world.upstream.topics
    assert () == world.scope.names


async def test_a_callback_may_close_its_own_listener(world):
    received = []

    async def callback(event):
        await listener.aclose()
        received.append(event)

    listener = world.hub.listen(callback, POSITIONS)
    await listener.ready()
    published = world.publish(3)
    await world.settle()

    assert published[:1] == received
    assert not listener.is_active


async def test_a_callback_may_close_the_hub(world):
    async def callback(event):
        await world.hub.aclose()

    listener = world.hub.listen(callback, POSITIONS)
    await listener.ready()
    world.publish()
    await world.settle()

    assert not listener.is_active
    assert () == world.scope.names


async def test_closing_the_hub_ends_its_listeners(world):
    listener = world.hub.listen(print, QUOTES)

    await world.hub.aclose()

    assert not listener.is_active
    with pytest.raises(ClosedError):
        await listener.ready()
    with pytest.raises(ClosedError):
        world.hub.listen(print, QUOTES)


async def test_a_slow_callback_gets_fresh_quotes(world, make):
    gate, received = asyncio.Event(), []

    async def callback(event):
        received.append(event)
        await gate.wait()

    async with world.hub.listen(callback, QUOTES, buffer=4):
        quotes = [make.quote() for _ in range(50)]
        for quote in quotes:
            world.upstream.emit(quote)
            await world.settle()
        gate.set()
        await world.settle()

        assert quotes[0] == received[0]
        assert quotes[-1] == received[-1]
        assert len(received) < 10
