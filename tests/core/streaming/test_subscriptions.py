import asyncio

import pytest

from dragoman.errors import ClosedError, UnknownInstrumentError
from dragoman.models import Channel, Quote, Subscription
from dragoman.streaming import Topic

AAPL = Subscription(quotes="AAPL")
MSFT = Subscription(quotes="MSFT")
AAPL_QUOTES = Topic(Channel.QUOTES, "AAPL")
MSFT_QUOTES = Topic(Channel.QUOTES, "MSFT")


async def test_entered_means_live_upstream(world):
    world.upstream.gates[AAPL_QUOTES] = asyncio.Event()
    stream = world.hub.stream(AAPL)
    entering = world.start(stream.__aenter__())

    await world.settle()
    was_waiting = not entering.done()
    world.upstream.gates[AAPL_QUOTES].set()
    await entering

    assert was_waiting
    assert {AAPL_QUOTES} == world.upstream.topics
    await stream.aclose()


async def test_a_topic_is_opened_once_for_many_readers(world, make):
    async with world.hub.stream(AAPL) as first, world.hub.stream(AAPL) as second:
        world.upstream.emit(quote := make.quote())

        assert quote == await anext(first)
        assert quote == await anext(second)
        assert [AAPL] == world.upstream.opened


async def test_readers_that_enter_together_share_the_opening(world):
    world.upstream.gates[AAPL_QUOTES] = asyncio.Event()
    streams = [world.hub.stream(AAPL) for _ in range(3)]
    entering = [world.start(stream.__aenter__()) for stream in streams]

    await world.settle()
    world.upstream.gates[AAPL_QUOTES].set()
    await asyncio.gather(*entering)

    assert [AAPL] == world.upstream.opened
    for stream in streams:
        await stream.aclose()


async def test_only_the_new_topics_are_opened(world):
    async with world.hub.stream(AAPL), world.hub.stream(AAPL | MSFT):
        assert [AAPL, MSFT] == world.upstream.opened


async def test_what_the_upstream_says_first_is_not_missed(world, make):
    world.upstream.greeting[AAPL_QUOTES] = make.quote()

    async with world.hub.stream(AAPL) as stream:
        assert world.upstream.greeting[AAPL_QUOTES] == await anext(stream)


async def test_an_upstream_nobody_wants_is_closed(world):
    async with world.hub.stream(AAPL) as first:
        async with world.hub.stream(MSFT):
            assert {AAPL_QUOTES, MSFT_QUOTES} == world.upstream.topics
        assert {AAPL_QUOTES} == world.upstream.topics
        await first.unsubscribe(AAPL)

        assert set() == world.upstream.topics


async def test_an_unwanted_topic_of_a_needed_upstream_is_dropped(world, make):
    async with world.hub.stream(AAPL | MSFT) as stream:
        await stream.unsubscribe(MSFT)
        world.upstream.emit(make.quote("MSFT"), wanted := make.quote("AAPL"))

        assert [wanted] == await world.drain(stream)
        assert {AAPL_QUOTES, MSFT_QUOTES} == world.upstream.topics


async def test_an_unwanted_topic_that_is_wanted_again_is_not_opened_twice(world, make):
    async with world.hub.stream(AAPL | MSFT) as stream:
        await stream.unsubscribe(MSFT)
        async with world.hub.stream(MSFT) as other:
            world.upstream.emit(quote := make.quote("MSFT"))

            assert quote == await anext(other)
            assert 1 == len(world.upstream.opened)


async def test_a_reader_waits_until_the_old_upstream_of_a_topic_is_closed(world):
    world.upstream.closing_gate = asyncio.Event()
    stream = world.hub.stream(AAPL)
    await stream.__aenter__()
    leaving = world.start(stream.aclose())
    await world.settle()
    other = world.hub.stream(AAPL)
    entering = world.start(other.__aenter__())

    await world.settle()
    opened_while_closing = len(world.upstream.opened)
    world.upstream.closing_gate.set()
    await asyncio.gather(leaving, entering)

    assert 1 == opened_while_closing
    assert 1 == world.upstream.most_per_topic
    await other.aclose()


async def test_a_refused_topic_fails_its_reader_and_no_other(world, make):
    world.upstream.refused.add("NOPE")
    async with world.hub.stream(AAPL) as other:
        with pytest.raises(UnknownInstrumentError):
            await world.hub.stream(AAPL | Subscription(trades="NOPE")).__aenter__()
        world.upstream.emit(quote := make.quote())

        assert quote == await anext(other)
        assert {AAPL_QUOTES} == world.upstream.topics


async def test_who_waits_for_anothers_failed_opening_is_served_alone(world, make):
    world.upstream.refused.add("NOPE")
    gate = world.upstream.gates[AAPL_QUOTES] = asyncio.Event()
    asking = world.start(world.hub.stream(AAPL | Subscription(quotes="NOPE")).__aenter__())
    await world.settle()
    innocent = world.hub.stream(AAPL)
    entering = world.start(innocent.__aenter__())
    await world.settle()

    gate.set()
    with pytest.raises(UnknownInstrumentError):
        await asking
    await entering
    world.upstream.emit(quote := make.quote())

    assert quote == await anext(innocent)
    await innocent.aclose()


async def test_each_who_asks_for_a_refused_topic_is_told(world):
    world.upstream.refused.add("NOPE")
    asking = [world.hub.stream(Subscription(quotes="NOPE")).__aenter__() for _ in range(3)]

    found = await asyncio.gather(*asking, return_exceptions=True)

    assert [UnknownInstrumentError] * 3 == [type(error) for error in found]


async def test_a_canceled_opening_goes_on_for_those_who_wait_for_it(world, make):
    gate = world.upstream.gates[AAPL_QUOTES] = asyncio.Event()
    first = world.start(world.hub.stream(AAPL).__aenter__())
    await world.settle()
    second = world.hub.stream(AAPL)
    entering = world.start(second.__aenter__())
    await world.settle()

    first.cancel()
    await asyncio.wait([first])
    gate.set()
    await entering
    world.upstream.emit(quote := make.quote())

    assert quote == await anext(second)
    assert 1 == len(world.upstream.opened)
    await second.aclose()


async def test_an_opening_nobody_waits_for_any_more_is_canceled(world):
    world.upstream.gates[AAPL_QUOTES] = asyncio.Event()
    entering = world.start(world.hub.stream(AAPL).__aenter__())
    await world.settle()

    entering.cancel()
    await asyncio.wait([entering])

    assert () == world.scope.names


async def test_a_failed_subscribe_leaves_a_stream_as_it_was(world, make):
    world.upstream.refused.add("NOPE")
    async with world.hub.stream(AAPL) as stream:
        with pytest.raises(UnknownInstrumentError):
            await stream.subscribe(Subscription(quotes=["MSFT", "NOPE"], orders=True))
        world.upstream.emit(quote := make.quote())

        assert AAPL == stream.subscription
        assert [quote] == await world.drain(stream)


async def test_a_subscribe_in_progress_ends_with_its_stream(world):
    world.upstream.gates[MSFT_QUOTES] = asyncio.Event()
    async with world.hub.stream(AAPL) as stream:
        asking = world.start(stream.subscribe(MSFT))
        await world.settle()

    with pytest.raises(ClosedError):
        await asking
    assert set() == world.upstream.topics


async def test_a_subscribe_in_progress_ends_with_its_stream_though_others_wait_on(world):
    gate = world.upstream.gates[MSFT_QUOTES] = asyncio.Event()
    other = world.hub.stream(MSFT)
    entering = world.start(other.__aenter__())
    async with world.hub.stream(AAPL) as stream:
        asking = world.start(stream.subscribe(MSFT))
        await world.settle()
    await world.settle()
    has_ended = asking.done()
    gate.set()

    await entering
    assert has_ended
    assert isinstance(asking.exception(), ClosedError)
    await other.aclose()


async def test_a_reader_in_two_openings_gets_each_event_once(world, make):
    for topic in (AAPL_QUOTES, MSFT_QUOTES):
        world.upstream.gates[topic] = asyncio.Event()
    openers = [world.hub.stream(one) for one in (AAPL, MSFT)]
    entering = [world.start(stream.__aenter__()) for stream in openers]
    await world.settle()
    both = world.hub.stream(AAPL | MSFT)
    entering.append(world.start(both.__aenter__()))
    for topic in (MSFT_QUOTES, AAPL_QUOTES):
        await world.settle()
        world.upstream.gates[topic].set()
    await asyncio.gather(*entering)
    world.upstream.emit(quote := make.quote())

    assert [quote] == await world.drain(both)
    for stream in (*openers, both):
        await stream.aclose()


async def test_closing_the_hub_ends_an_opening(world):
    world.upstream.gates[AAPL_QUOTES] = asyncio.Event()
    entering = world.start(world.hub.stream(AAPL).__aenter__())
    await world.settle()

    await world.hub.aclose()

    with pytest.raises(ClosedError):
        await entering
    assert () == world.scope.names


async def test_changes_of_one_stream_are_made_in_order(world):
    gate = world.upstream.gates[MSFT_QUOTES] = asyncio.Event()
    async with world.hub.stream(AAPL) as stream:
        asking = world.start(stream.subscribe(MSFT))
        taking_back = world.start(stream.unsubscribe(MSFT))
        await world.settle()
        gate.set()
        await asyncio.gather(asking, taking_back)

        assert AAPL == stream.subscription
        assert {AAPL_QUOTES} == world.upstream.topics


async def test_an_event_of_a_topic_another_upstream_owns_is_not_given_twice(world, make):
    async with world.hub.stream(AAPL), world.hub.stream(AAPL | MSFT) as both:
        for line in world.upstream.live:
            line.queue.put_nowait([make.quote("AAPL")])

        assert 1 == len(await world.drain(both))


async def test_a_status_of_the_whole_market_comes_once_to_each_reader_of_statuses(world, make):
    status = Subscription(market_status="AAPL")
    async with world.hub.stream(status) as first, world.hub.stream(AAPL) as quotes:
        await first.subscribe(Subscription(market_status="MSFT"))
        async with world.hub.stream(Subscription(market_status="SPY")) as third:
            world.upstream.emit(make.status(None))

            assert 1 == len(await world.drain(first))
            assert 1 == len(await world.drain(third))
            assert [] == await world.drain(quotes)


async def test_another_upstream_speaks_for_the_whole_market_when_the_first_is_gone(world, make):
    async with world.hub.stream(Subscription(market_status="SPY")) as second:
        async with world.hub.stream(Subscription(market_status="AAPL")) as first:
            await second.unsubscribe(Subscription(market_status="SPY"))
            world.upstream.emit(before := make.status(None))
            assert [before] == await world.drain(first)
            await second.subscribe(Subscription(market_status="MSFT"))
        world.upstream.emit(after := make.status(None))

        assert [after] == await world.drain(second)


async def test_a_source_that_never_waits_leaves_the_readers_their_turn(world, make):
    quotes = [make.quote() for _ in range(5_000)]

    async with world.hub.stream(AAPL, buffer=1_000) as stream:
        for quote in quotes:
            world.upstream.emit(quote)
        received = [event async for event in _first(stream, len(quotes))]

        assert quotes == received
        assert {} == stream.lost


async def _first(stream, count):
    for _ in range(count):
        event = await anext(stream)
        assert isinstance(event, Quote)
        yield event
