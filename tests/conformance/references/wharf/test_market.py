"""Market data through wharf: what is read and streamed is what the venue shows."""

from decimal import Decimal

import pytest
from tests.conformance.references.wharf.rig import eventually

from dragoman import PriceSource, Quote, Trade, Window
from dragoman.errors import UnknownInstrumentError, UnsupportedError
from dragoman.models import Bar
from dragoman.times import MINUTE_NS

D = Decimal
BAR = ("open_time_ns", "open", "high", "low", "close", "volume", "trade_count", "is_complete")
TRADE = ("price", "size", "trade_id", "aggressor", "venue_time_ns")


def facts(models, names):
    return [tuple(getattr(one, name) for name in names) for one in models]


async def test_quotes_are_those_of_the_venue(rig, broker):
    quotes = await broker.fetch_quotes(["AAPL", "BTC/USD"])

    assert (D(99), D(101), D(1000)) == (
        quotes["AAPL"].bid_price,
        quotes["AAPL"].ask_price,
        quotes["AAPL"].ask_size,
    )
    assert D(50010) == quotes["BTC/USD"].ask_price


async def test_bars_and_prints_are_read_over_many_pages(rig, broker):
    start_ns = rig.clock.now_ns()
    for number in range(13):
        await rig.quote("99", "101", last=str(100 + number % 3))
        await rig.pause(60)
    window = Window(start_ns=start_ns, end_ns=start_ns + 13 * MINUTE_NS)

    async def read(source):
        return (
            facts([one async for one in source.fetch_bars("AAPL", "1m", window)], BAR),
            facts([one async for one in source.fetch_trades("AAPL", window)], TRADE),
        )

    shown, found = await read(rig.served), await read(broker)

    assert shown == found
    assert all(len(one) > 10 for one in found)


async def test_quotes_prints_and_bars_are_streamed(rig, broker):
    heard = []
    wanted = {"quotes": ["AAPL"], "trades": ["AAPL"], "bars": [("AAPL", "1m")]}
    async with broker.listen(heard.append, **wanted):
        await rig.quote("70", "72", last="71", last_size="3")

        def of(kind):
            return [one for one in heard if isinstance(one, kind)]

        await eventually(lambda: any(one.bid_price == D(70) for one in of(Quote)))
        await eventually(lambda: any((one.price, one.size) == (71, 3) for one in of(Trade)))
        await eventually(lambda: any(one.low == D(71) for one in of(Bar)))


@pytest.mark.parametrize(
    "ask",
    [
        lambda broker: broker.fetch_depth("AAPL"),
        lambda broker: broker.fetch_ticker("AAPL"),
        lambda broker: broker.fetch_market_status("AAPL"),
        lambda broker: broker.fetch_hours("AAPL", Window()),
    ],
    ids=["depth", "ticker", "status", "hours"],
)
async def test_what_wharf_does_not_show_is_refused_unasked(rig, broker, ask):
    before = len(rig.proxy.exchanges)

    with pytest.raises(UnsupportedError):
        await ask(broker)

    assert before == len(rig.proxy.exchanges)


@pytest.mark.parametrize(
    "ask",
    [
        lambda broker: broker.fetch_ledger(),
        lambda broker: broker.fetch_quote_history("AAPL"),
        lambda broker: broker.fetch_bars("AAPL", "7m"),
        lambda broker: broker.fetch_bars("AAPL", "1m", price_source=PriceSource.BID),
    ],
    ids=["ledger", "quotes", "timeframe", "source"],
)
async def test_a_history_that_wharf_lacks_is_refused_unasked(rig, broker, ask):
    before = len(rig.proxy.exchanges)

    with pytest.raises(UnsupportedError):
        ask(broker)

    assert before == len(rig.proxy.exchanges)


async def test_a_stream_that_wharf_lacks_is_refused(broker):
    with pytest.raises(UnsupportedError):
        async with broker.stream(depth=["AAPL"]):
            pass


async def test_a_symbol_that_is_not_listed_is_refused_and_the_stream_goes_on(rig, broker):
    async with broker.stream(quotes=["AAPL"]) as events:
        with pytest.raises(UnsupportedError):
            async with broker.stream(quotes=["NOPE"]):
                pass
        with pytest.raises(UnknownInstrumentError):
            await broker.fetch_quote("NOPE")

        await rig.quote("70", "72")

        async for event in events:
            if isinstance(event, Quote) and event.bid_price == D(70):
                break
