import asyncio

import pytest

from dragoman.errors import (
    ClosedError,
    ConnectFailedError,
    InvalidValueError,
    NotConnectedError,
    SequenceGapError,
    StreamLostError,
    UnknownInstrumentError,
)
from dragoman.models import (
    Channel,
    ConnectionEvent,
    ConnectionState,
    Gap,
    ReaderLagged,
    Subscription,
)
from dragoman.streaming import Topic

QUOTES = Subscription(quotes="AAPL")
TRADES = Subscription(trades="AAPL")
POSITIONS = Subscription(positions=True)
AAPL_QUOTES = Topic(Channel.QUOTES, "AAPL")
AAPL_TRADES = Topic(Channel.TRADES, "AAPL")


def sequences(events):
    return [event.sequence for event in events if hasattr(event, "sequence")]


async def test_events_come_in_the_order_of_their_arrival(world, make, everything):
    events = [
        make.quote(),
        make.trade(),
        make.bar(),
        make.depth(),
        make.ticker(),
        make.status(),
        make.correction(),
        make.quote(),
    ]

    async with world.hub.stream(everything("AAPL", "MSFT")) as stream:
        world.upstream.emit(*events)

        assert events == await world.drain(stream)


async def test_a_reader_gets_only_the_market_events_of_its_topics(world, make, everything):
    async with world.hub.stream(everything("AAPL")), world.hub.stream(TRADES) as stream:
        world.upstream.emit(
            make.quote(), trade := make.trade(), make.trade("MSFT"), fix := make.correction()
        )

        assert [trade, fix] == await world.drain(stream)


async def test_bars_of_another_timeframe_are_another_topic(world, make):
    one, five = (Subscription(bars=[("AAPL", frame)]) for frame in ("1m", "5m"))
    async with world.hub.stream(one) as minutes, world.hub.stream(five):
        world.upstream.emit(bar := make.bar(timeframe="1m"), make.bar(timeframe="5m"))

        assert [bar] == await world.drain(minutes)


@pytest.mark.parametrize(
    ("subscription", "kinds"),
    [
        (Subscription(orders=True), ["order", "protection"]),
        (Subscription(positions=True), ["position"]),
        (Subscription(account=True), ["account"]),
        (Subscription(ledger=True), ["ledger"]),
        (Subscription(positions=True, ledger=True), ["position", "ledger"]),
        (QUOTES, []),
    ],
)
async def test_a_reader_gets_only_the_private_events_of_its_channels(world, subscription, kinds):
    async with world.hub.stream(subscription) as stream:
        published = {
            kind: world.publish(kind=kind)[0]
            for kind in ("order", "protection", "position", "account", "ledger")
        }

        assert [published[kind] for kind in kinds] == await world.drain(stream)


async def test_session_events_come_to_every_reader(world, make):
    async with world.hub.stream(QUOTES) as first, world.hub.stream(POSITIONS) as second:
        world.hub.publish([of_the_broker := make.rate_limit()])
        world.upstream.emit(of_the_market := make.connection())

        expected = [of_the_broker, of_the_market]
        assert expected == await world.drain(first)
        assert expected == await world.drain(second)


async def test_a_batch_is_all_that_waits(world, make):
    events = [make.quote() for _ in range(5)]
    async with world.hub.stream(QUOTES) as stream:
        world.upstream.emit(*events)
        batch = await anext(stream.batches())

        assert tuple(events) == batch


async def test_a_batch_is_no_larger_than_its_limit(world, make):
    events = [make.quote() for _ in range(5)]
    async with world.hub.stream(QUOTES) as stream:
        world.upstream.emit(*events)
        batches = stream.batches(limit=2)
        sizes = [len(await anext(batches)) for _ in range(3)]

        assert [2, 2, 1] == sizes


@pytest.mark.parametrize("ending", ["stream", "hub"])
async def test_batches_end_with_their_stream(world, ending):
    stream = world.hub.stream(QUOTES)
    await stream.__aenter__()
    reading = world.start(_collect(stream.batches()))
    await world.settle()

    await (stream if ending == "stream" else world.hub).aclose()

    assert [] == await reading


@pytest.mark.parametrize("limit", [0, -1])
async def test_a_batch_limit_below_one_is_refused(world, limit):
    with pytest.raises(InvalidValueError, match="limit"):
        world.hub.stream(QUOTES).batches(limit)


async def test_a_buffer_below_one_is_refused(world):
    with pytest.raises(InvalidValueError, match="buffer"):
        world.hub.stream(QUOTES, buffer=0)


async def test_a_stream_is_read_only_after_it_was_opened(world):
    with pytest.raises(NotConnectedError):
        await anext(world.hub.stream(QUOTES))


async def test_a_stream_is_opened_once(world):
    async with world.hub.stream(QUOTES) as stream:
        with pytest.raises(ClosedError):
            await stream.__aenter__()


async def test_two_tasks_cannot_wait_on_one_stream(world):
    async with world.hub.stream(QUOTES) as stream:
        reading = world.start(anext(stream))
        await world.settle()
        with pytest.raises(RuntimeError, match="one reader"):
            await anext(stream)
        reading.cancel()


async def test_a_canceled_reader_loses_nothing(world, make):
    async with world.hub.stream(QUOTES) as stream:
        reading = world.start(anext(stream))
        await world.settle()
        reading.cancel()
        world.upstream.emit(quote := make.quote())

        assert [quote] == await world.drain(stream)


async def test_cancellation_on_the_very_turn_of_an_event_loses_nothing(world, make):
    async with world.hub.stream(POSITIONS) as stream:
        reading = world.start(anext(stream))
        await world.settle()
        published = world.publish()
        reading.cancel()
        await asyncio.wait([reading])

        assert published == await world.drain(stream)


async def test_leaving_the_block_closes_the_upstream_generator(world):
    async with world.hub.stream(QUOTES):
        (line,) = world.upstream.live

    assert line.is_closed
    assert () == world.scope.names


async def test_a_waiting_reader_ends_when_its_stream_is_closed(world):
    async with world.hub.stream(QUOTES) as stream:
        reading = world.start(_collect(stream))
        await world.settle()

    assert [] == await reading


async def test_subscribing_adds_and_unsubscribing_takes_away(world, make):
    async with world.hub.stream(QUOTES) as stream:
        await stream.subscribe(TRADES | POSITIONS)
        world.upstream.emit(make.quote(), make.trade())
        world.publish()
        both = await world.drain(stream)
        await stream.unsubscribe(QUOTES | POSITIONS)
        world.upstream.emit(make.quote(), trade := make.trade())
        world.publish()

        assert 3 == len(both)
        assert [trade] == await world.drain(stream)
        assert TRADES == stream.subscription


async def test_nothing_of_what_was_unsubscribed_comes_after_the_call(world, make):
    async with world.hub.stream(QUOTES | TRADES | POSITIONS) as stream:
        world.upstream.emit(make.quote(), trade := make.trade())
        world.publish()
        await world.settle()
        await stream.unsubscribe(QUOTES | POSITIONS)

        assert [trade] == await world.drain(stream)


async def test_losses_of_what_was_unsubscribed_are_not_told_after_the_call(world, make):
    async with world.hub.stream(QUOTES | TRADES, buffer=2) as stream:
        for _ in range(9):
            world.upstream.emit(make.trade())
        world.upstream.emit(quote := make.quote())
        await world.settle()
        await stream.unsubscribe(TRADES)

        assert [quote] == await world.drain(stream)


async def test_a_channel_added_while_behind_begins_with_what_comes_after_the_call(world):
    world.publish(2, kind="position")
    world.publish(2, kind="ledger")
    async with world.hub.stream(POSITIONS, since=0) as stream:
        world.publish(600, kind="position")
        world.publish(2, kind="ledger")
        lagging = world.hub.stream(POSITIONS, since=0)
        async with lagging:
            await lagging.subscribe(Subscription(ledger=True))
            later = world.publish(2, kind="ledger")
            received = await world.drain(lagging)

        assert later == received[-2:]
        assert 604 == len(received)
        assert 602 == len(await world.drain(stream))


async def test_reading_the_log_leaves_others_their_turn(world):
    world.publish(2_000)
    turns = []
    async with world.hub.stream(POSITIONS, since=0) as stream:
        asyncio.get_running_loop().call_soon(turns.append, "others")
        for _ in range(600):
            await anext(stream)

    assert ["others"] == turns


async def test_a_new_channel_begins_with_what_is_published_from_then_on(world):
    world.publish(3)
    async with world.hub.stream(Subscription()) as stream:
        world.publish(2)
        await stream.subscribe(POSITIONS)
        published = world.publish(2)

        assert published == await world.drain(stream)


async def test_an_event_journalled_but_not_yet_published_still_comes(world):
    event = world.journal()
    async with world.hub.stream(POSITIONS) as stream:
        world.hub.publish([event])

        assert [event] == await world.drain(stream)


@pytest.mark.parametrize("since", [0, 3, 10])
async def test_since_resumes_after_the_last_event_seen(world, since):
    world.publish(10)
    async with world.hub.stream(POSITIONS, since=since) as stream:
        world.publish(2)

        assert [*range(since + 1, 13)] == sequences(await world.drain(stream))


async def test_since_feeds_many_pages_of_the_log(world):
    world.publish(3_000)
    async with world.hub.stream(POSITIONS, since=0) as stream:
        received = [await anext(stream) for _ in range(1_000)]
        world.publish(100)
        received += [await anext(stream) for _ in range(2_100)]

        assert [*range(1, 3_101)] == sequences(received)
        assert 3_100 == len(received)


async def test_since_keeps_other_channels_out(world):
    for _ in range(3):
        world.publish(kind="ledger")
        world.publish(kind="position")
    async with world.hub.stream(POSITIONS, since=1) as stream:
        assert [2, 4, 6] == sequences(await world.drain(stream))


async def test_a_journalled_event_read_from_the_log_is_not_given_again_when_published(world):
    event = world.journal()
    async with world.hub.stream(POSITIONS, since=0) as stream:
        before = await world.drain(stream)
        world.hub.publish([event])

        assert [event] == before
        assert [] == await world.drain(stream)


@pytest.mark.parametrize("since", [-1, 4])
async def test_a_since_that_never_was_is_refused(world, since):
    world.publish(3)

    with pytest.raises(InvalidValueError, match="since"):
        await world.hub.stream(POSITIONS, since=since).__aenter__()


async def test_a_since_that_is_no_longer_kept_is_refused(world):
    world.publish(10)
    world.log.forget(5)

    with pytest.raises(SequenceGapError):
        await world.hub.stream(POSITIONS | QUOTES, since=4).__aenter__()
    assert set() == world.upstream.topics


async def test_a_reader_of_market_data_alone_reads_no_log(world):
    world.publish(3)

    async with world.hub.stream(QUOTES, since=0) as stream:
        assert [] == await world.drain(stream)
    assert 0 == world.log.reads


async def test_a_log_that_skips_ends_the_reader_instead_of_hiding_it(world):
    world.publish(10)
    del world.log.events[4]

    with pytest.raises(SequenceGapError):
        await world.hub.stream(POSITIONS, since=0).__aenter__()


async def test_a_lost_upstream_is_told_and_then_ends_its_readers(world, make):
    async with world.hub.stream(QUOTES | POSITIONS) as stream:
        world.upstream.emit(quote := make.quote())
        world.upstream.fail(AAPL_QUOTES, StreamLostError("peer is gone"))
        first, second = await anext(stream), await anext(stream)
        with pytest.raises(StreamLostError, match="peer is gone"):
            await anext(stream)

    assert quote == first
    expected = ConnectionEvent(
        state=ConnectionState.FAILED,
        channel="QUOTES",
        cause="StreamLostError: peer is gone",
        received_at_ns=world.clock.now_ns(),
    )
    assert expected == second


async def test_a_lost_upstream_leaves_readers_of_others_alone(world, make):
    async with world.hub.stream(QUOTES), world.hub.stream(TRADES) as other:
        world.upstream.fail(AAPL_QUOTES, ConnectFailedError("refused"))
        await world.settle()
        world.upstream.emit(trade := make.trade())

        assert [trade] == await world.drain(other)


async def test_a_reader_goes_on_while_a_market_topic_is_left(world, make):
    async with world.hub.stream(QUOTES) as stream:
        await stream.subscribe(TRADES)
        world.upstream.fail(AAPL_QUOTES, StreamLostError("gone"))
        await world.settle()
        world.upstream.emit(trade := make.trade())
        failed, received = await anext(stream), await anext(stream)

        assert ConnectionState.FAILED is failed.state
        assert trade == received
        assert TRADES == stream.subscription


async def test_a_lost_topic_can_be_subscribed_again(world, make):
    async with world.hub.stream(QUOTES) as stream:
        await stream.subscribe(TRADES)
        world.upstream.fail(AAPL_QUOTES, StreamLostError("gone"))
        await world.settle()
        await stream.subscribe(QUOTES)
        world.upstream.emit(quote := make.quote())

        assert quote == (await world.drain(stream))[-1]


async def test_an_upstream_that_breaks_by_a_bug_is_lost_and_reported(world):
    async with world.hub.stream(QUOTES) as stream:
        world.upstream.fail(AAPL_QUOTES, ZeroDivisionError("bug"))
        await anext(stream)
        with pytest.raises(StreamLostError, match="ZeroDivisionError"):
            await anext(stream)

    ((name, error),) = world.failures
    assert name.startswith("market stream")
    assert isinstance(error, ZeroDivisionError)
    world.failures.clear()


async def test_an_upstream_that_says_nonsense_is_lost_and_its_generator_closed(world):
    async with world.hub.stream(QUOTES) as stream:
        (line,) = world.upstream.live
        line.queue.put_nowait(5)
        with pytest.raises(StreamLostError, match="TypeError"):
            await _collect(stream)

    assert line.is_closed
    assert 1 == len(world.failures)
    world.failures.clear()


async def test_a_failed_subscribe_after_everything_else_was_lost_ends_the_reader(world):
    world.upstream.refused.add("NOPE")
    gate = world.upstream.gates[Topic(Channel.QUOTES, "NOPE")] = asyncio.Event()
    async with world.hub.stream(QUOTES) as stream:
        asking = world.start(stream.subscribe(Subscription(quotes="NOPE")))
        await world.settle()
        world.upstream.fail(AAPL_QUOTES, StreamLostError("gone"))
        await world.settle()
        gate.set()
        await asyncio.wait([asking])

        assert isinstance(asking.exception(), UnknownInstrumentError)
        with pytest.raises(StreamLostError, match="gone"):
            await _collect(stream)


async def test_a_private_event_in_a_market_stream_is_not_shown_but_logged(world, make, caplog):
    async with world.hub.stream(QUOTES | POSITIONS) as stream:
        world.upstream.emit(make.private(1), make.private(2), quote := make.quote())

        assert [quote] == await world.drain(stream)
    assert ["PositionEvent"] == [record.event_type for record in caplog.records]


async def test_an_upstream_that_stops_without_a_word_is_lost(world):
    async with world.hub.stream(QUOTES) as stream:
        world.upstream.end(AAPL_QUOTES)
        await anext(stream)
        with pytest.raises(StreamLostError, match="without saying"):
            await anext(stream)


async def test_a_regular_end_ends_the_readers_quietly(world, make):
    ended = make.connection(ConnectionState.ENDED)
    async with world.hub.stream(QUOTES) as stream:
        world.upstream.end(AAPL_QUOTES, quote := make.quote(), ended)

        assert [quote, ended] == await _collect(stream)


async def test_a_regular_end_leaves_private_channels_running(world, make):
    async with world.hub.stream(QUOTES | POSITIONS) as stream:
        world.upstream.end(AAPL_QUOTES, make.connection(ConnectionState.ENDED))
        await world.drain(stream)
        published = world.publish()

        assert published == await world.drain(stream)
        assert POSITIONS == stream.subscription


async def test_an_ended_stream_takes_no_more_subscriptions(world, make):
    async with world.hub.stream(QUOTES) as stream:
        world.upstream.end(AAPL_QUOTES, make.connection(ConnectionState.ENDED))
        await _collect(stream)

        with pytest.raises(ClosedError):
            await stream.subscribe(TRADES)


async def test_closing_the_hub_hands_out_what_waits_and_then_ends(world, make):
    async with world.hub.stream(QUOTES | POSITIONS) as stream:
        world.upstream.emit(quote := make.quote())
        await world.settle()
        published = world.publish()
        await world.hub.aclose()

        assert [quote, *published] == await _collect(stream)


async def test_closing_the_hub_tells_a_reader_that_has_not_had_everything(world):
    world.publish(1_000)
    async with world.hub.stream(POSITIONS, since=0) as stream:
        await anext(stream)
        await world.hub.aclose()
        rest = [await anext(stream) for _ in range(511)]

        assert [*range(2, 513)] == sequences(rest)
        with pytest.raises(ClosedError, match="after 512"):
            await anext(stream)


async def test_a_closed_hub_opens_no_stream(world):
    await world.hub.aclose()

    with pytest.raises(ClosedError):
        await world.hub.stream(QUOTES).__aenter__()


async def test_closing_the_scope_under_the_hub_ends_its_readers(world):
    async with world.hub.stream(QUOTES) as stream:
        await world.scope.close()

        with pytest.raises(StreamLostError):
            await _collect(stream)
        with pytest.raises(ClosedError):
            await world.hub.stream(TRADES).__aenter__()


async def test_losses_are_told_at_the_latest_when_nothing_else_waits(world, make):
    async with world.hub.stream(QUOTES | TRADES, buffer=4) as stream:
        world.upstream.emit(make.trade(), *(make.quote() for _ in range(1)))
        world.upstream.emit(*(make.trade("AAPL") for _ in range(10)))
        await world.settle()
        received = await world.drain(stream)

        gaps = [event for event in received if isinstance(event, Gap)]
        assert sum(gap.lost for gap in gaps) == sum(stream.lost.values())
        assert 12 == len(received) - len(gaps) + sum(gap.lost for gap in gaps)


async def test_an_overrun_market_reader_is_told_exactly_what_it_lost(world, make):
    trades = [make.trade() for _ in range(10)]
    async with world.hub.stream(TRADES, buffer=4) as stream:
        for trade in trades:
            world.upstream.emit(trade)
        await world.settle()
        gap, *rest = await world.drain(stream)

        assert (Channel.TRADES, "AAPL") == (gap.channel, gap.symbol)
        assert trades[gap.lost :] == rest
        assert {AAPL_TRADES: gap.lost} == stream.lost


async def test_an_overrun_private_reader_is_fed_from_the_log(world):
    async with world.hub.stream(POSITIONS, buffer=10) as stream:
        world.publish(100)
        received = await world.drain(stream)
        world.publish(5)
        received += await world.drain(stream)

    lagged, *events = received
    expected = ReaderLagged(from_sequence=1, received_at_ns=world.clock.now_ns())
    assert expected == lagged
    assert [*range(1, 106)] == sequences(events)


async def test_a_reader_that_lagged_says_so_in_its_place(world, make):
    async with world.hub.stream(QUOTES | POSITIONS, buffer=10) as stream:
        world.upstream.emit(before := make.quote())
        await world.settle()
        world.publish(11)
        await world.settle()
        world.upstream.emit(after := make.quote("AAPL"))
        first, second, *rest = await world.drain(stream)

    assert before == first
    assert isinstance(second, ReaderLagged)
    assert [*range(1, 12)] == sequences(rest[:-1])
    assert after == rest[-1]


async def test_a_flood_of_market_data_costs_no_private_event(world, make):
    async with world.hub.stream(TRADES | POSITIONS, buffer=10) as stream:
        world.publish(1)
        for _ in range(100):
            world.upstream.emit(make.trade())
        await world.settle()
        world.publish(1)
        received = await world.drain(stream)

    assert [1, 2] == sequences(received)
    assert [] == [event for event in received if isinstance(event, ReaderLagged)]


async def test_a_lagging_reader_whose_log_was_pruned_is_told(world):
    async with world.hub.stream(POSITIONS, buffer=10) as stream:
        world.publish(100)
        world.log.forget(50)
        await anext(stream)
        with pytest.raises(SequenceGapError):
            await anext(stream)
        world.log.forget(0)
        with pytest.raises(SequenceGapError):
            await anext(stream)


async def test_a_slow_reader_stalls_nobody(world, make):
    async with (
        world.hub.stream(QUOTES | POSITIONS, buffer=10) as slow,
        world.hub.stream(QUOTES | POSITIONS) as fast,
    ):
        received = []
        for _ in range(200):
            world.upstream.emit(make.quote())
            world.publish()
            received += await world.drain(fast)

        assert 400 == len(received)
        assert {} == fast.lost
        assert 0 < len(await world.drain(slow)) < 400


async def test_a_stalled_reader_holds_no_more_than_its_buffer(world, make):
    async with world.hub.stream(QUOTES | TRADES | POSITIONS, buffer=100) as stream:
        most = 0
        for number in range(3_000):
            world.upstream.emit(make.quote(), make.trade())
            if number % 10 == 0:
                world.publish()
                await world.settle()
                most = max(most, len(stream._lanes))

        assert most <= 100


async def test_losses_of_session_events_are_counted(world, make):
    async with world.hub.stream(Subscription(), buffer=4) as stream:
        limits = [make.rate_limit() for _ in range(20)]
        world.hub.publish(limits)
        received = await world.drain(stream)

        assert limits[-1] == received[-1]
        assert 20 == len(received) + stream.session_lost


async def _collect(iterator):
    return [event async for event in iterator]
