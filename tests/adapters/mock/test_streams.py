"""Streams: what a subscription brings, from when, how much of it waits, and how it ends."""

from decimal import Decimal

import pytest

from dragoman.errors import NotConnectedError, StreamLostError, UnknownInstrumentError
from dragoman.models import (
    AccountEvent,
    Bar,
    Channel,
    ConnectionEvent,
    ConnectionState,
    Depth,
    Gap,
    LedgerEvent,
    MarketStatus,
    OrderEvent,
    OrderType,
    PositionEvent,
    Quote,
    Subscription,
    Ticker,
    Timeframe,
    Trade,
    Window,
)
from dragoman.times import MINUTE_NS, ManualClock
from dragoman_mock import MockAdapter
from dragoman_mock.stream import MockStream

MINUTE = Timeframe.parse("1m")


async def rows(iterator):
    return [row async for row in iterator]


async def test_a_stream_begins_with_its_connection_and_the_market_as_it_stands(desk, adapter):
    reader = await desk.listen(
        adapter, quotes="AAPL", tickers="AAPL", depth="AAPL", market_status="AAPL"
    )

    batch = await reader.batch()

    assert [ConnectionEvent, MarketStatus, Quote, Ticker, Depth] == [type(each) for each in batch]
    assert ConnectionState.CONNECTED is batch[0].state


async def test_a_stream_brings_its_symbols_alone(desk, adapter):
    reader = await desk.listen(adapter, trades="AAPL")
    await desk.quote("99", "101", last="100")
    await desk.quote("399", "401", "MSFT", last="400")

    assert ["AAPL"] == [event.symbol for event in await reader.of(Trade)]


async def test_each_private_channel_brings_its_own_events(desk, adapter, order):
    readers = {
        OrderEvent: await desk.listen(adapter, orders=True),
        PositionEvent: await desk.listen(adapter, positions=True),
        AccountEvent: await desk.listen(adapter, account=True),
        LedgerEvent: await desk.listen(adapter, ledger=True),
    }

    await adapter.submit(order())
    await desk.venue.act(lambda engine: engine.deposit("paper-1", Decimal(5)))

    for kind, reader in readers.items():
        heard = {type(event) for event in await reader.batch()}
        assert {ConnectionEvent, kind} == heard


async def test_a_book_follows_every_quote(desk, adapter):
    reader = await desk.listen(adapter, depth="AAPL")
    await desk.quote("98", "100")

    last = (await reader.of(Depth))[-1]

    assert (Decimal(98), Decimal(100)) == (last.bids[0].price, last.asks[0].price)
    assert last.is_snapshot


async def test_a_bar_grows_with_prints_and_ends_with_its_time(desk, adapter):
    reader = await desk.listen(adapter, bars=[("AAPL", "1m")])
    for price in ("100", "103", "98", "101"):
        await desk.quote("97", "104", last=price)

    growing = await reader.of(Bar)
    await desk.clock.advance(seconds=60)
    ended = await reader.of(Bar)

    assert [False] * 4 == [bar.is_complete for bar in growing]
    (bar,) = ended
    assert [Decimal(price) for price in (100, 103, 98, 101)] == [
        bar.open,
        bar.high,
        bar.low,
        bar.close,
    ]
    assert (Decimal(40), 4, True) == (bar.volume, bar.trade_count, bar.is_complete)
    assert bar.open_time_ns + MINUTE_NS == bar.venue_time_ns


async def test_a_bar_asked_for_late_knows_its_beginning(desk, adapter):
    await desk.quote("97", "104", last="103")
    reader = await desk.listen(adapter, bars=[("AAPL", MINUTE)])
    await desk.quote("97", "104", last="101")

    begun, grown = await reader.of(Bar)

    assert (Decimal(103), Decimal(10)) == (begun.open, begun.volume)
    assert (Decimal(103), Decimal(103), Decimal(101)) == (grown.open, grown.high, grown.close)
    assert (Decimal(20), 2) == (grown.volume, grown.trade_count)


async def test_a_quiet_bar_that_was_begun_before_ends_too(desk, adapter):
    await desk.quote("97", "104", last="103")
    reader = await desk.listen(adapter, bars=[("AAPL", MINUTE)])
    await reader.batch()

    await desk.clock.advance(seconds=60)

    (bar,) = await reader.of(Bar)
    await desk.quote("97", "104", last="99")
    (fresh,) = await reader.of(Bar)
    assert (True, Decimal(103)) == (bar.is_complete, bar.close)
    assert (False, Decimal(99)) == (fresh.is_complete, fresh.open)


async def test_streamed_bars_are_those_of_history(make_context):
    clock = ManualClock()
    adapter = MockAdapter(make_context(clock))
    await adapter.open()
    async with adapter.stream(Subscription(bars=[("AAPL", "1m")])) as batches:
        await clock.advance(seconds=125)
        streamed = [bar for bar in await anext(batches) if isinstance(bar, Bar) and bar.is_complete]
    past = await rows(
        adapter.fetch_bars("AAPL", MINUTE, Window(start_ns=streamed[0].open_time_ns, limit=2))
    )
    await adapter.aclose()

    assert 2 == len(streamed)
    for ours, theirs in zip(streamed, past, strict=True):
        assert (ours.open, ours.high, ours.low, ours.close, ours.volume) == (
            theirs.open,
            theirs.high,
            theirs.low,
            theirs.close,
            theirs.volume,
        )


async def test_an_unknown_symbol_opens_no_stream(desk, adapter):
    with pytest.raises(UnknownInstrumentError):
        await desk.listen(adapter, quotes="NOPE")
    reader = await desk.listen(adapter, quotes="AAPL")

    assert Quote in [type(event) for event in await reader.batch()]


async def test_a_stream_needs_an_open_connection(desk, make_context):
    adapter = MockAdapter(make_context(desk.clock, venue=desk.venue))

    with pytest.raises(NotConnectedError):
        async with adapter.stream(Subscription(quotes="AAPL")):
            pass


async def test_a_closed_adapter_ends_its_streams_saying_so(desk, adapter):
    reader = await desk.listen(adapter, quotes="AAPL")
    await adapter.aclose()

    batch = await reader.batch()

    assert ConnectionState.ENDED is batch[-1].state
    with pytest.raises(StopAsyncIteration):
        await reader.batch()


def quote_at(number):
    return Quote(symbol="AAPL", provider="mock", received_at_ns=number)


async def test_market_data_beyond_the_bound_is_lost_with_an_exact_count():
    stream = MockStream(Subscription(quotes="AAPL"), None, ManualClock())

    stream.offer(quote_at(number) for number in range(10_500))

    batch = await anext(stream)
    (gap,) = [event for event in batch if isinstance(event, Gap)]
    told = sum(isinstance(event, Quote) for event in batch)
    assert (Channel.QUOTES, "AAPL", 10_500 - told) == (gap.channel, gap.symbol, gap.lost)
    assert gap is batch[-1]


async def test_private_events_are_never_lost_in_silence(desk, adapter, order):
    stream = MockStream(Subscription(orders=True, quotes="AAPL"), None, ManualClock())
    reader = await desk.listen(adapter, orders=True)
    await adapter.submit(order(OrderType.LIMIT, limit_price="90"))
    (event,) = await reader.of(OrderEvent)
    stream.offer(quote_at(number) for number in range(20_000))

    stream.offer([event] * 50_000)
    kept = sum(isinstance(each, OrderEvent) for each in await anext(stream))
    stream.offer([event] * 200_000)
    last = (await anext(stream))[-1]

    assert 50_000 == kept
    assert ConnectionState.FAILED is last.state
    with pytest.raises(StreamLostError):
        await anext(stream)
