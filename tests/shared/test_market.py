"""Market data, read and streamed: the same prices whichever way they come."""

from decimal import Decimal

import attrs
import pytest
from tests.shared.rig import eventually

from dragoman import (
    AssetClass,
    Bar,
    Depth,
    InstrumentKind,
    OrderStatus,
    Quote,
    Trade,
    TradingState,
    Window,
)
from dragoman.errors import UnknownInstrumentError
from dragoman.paper.settings import Hours
from dragoman.times import DAY_NS, MINUTE_NS

QUOTE = ("symbol", "bid_price", "bid_size", "ask_price", "ask_size", "venue_time_ns")
TRADE = ("symbol", "price", "size", "venue_time_ns")
BAR = ("symbol", "open_time_ns", "open", "high", "low", "close", "volume")


def facts(models, names):
    return [tuple(getattr(one, name) for name in names) for one in models]


@pytest.mark.parametrize("symbol", ["AAPL", "BTC/USD"])
async def test_a_quote_is_the_top_of_the_book(rig, symbol):
    quote = await rig.broker.fetch_quote(symbol)

    told = await rig.observer.fetch_quote(symbol)
    assert facts([told], QUOTE) == facts([quote], QUOTE)


async def test_quotes_of_several_symbols_are_read_at_once(rig):
    quotes = await rig.broker.fetch_quotes(["AAPL", "BTC/USD", "MSFT"])

    asked = {symbol: quote.ask_price for symbol, quote in quotes.items()}
    assert {"AAPL": Decimal(101), "BTC/USD": Decimal(50010), "MSFT": Decimal(301)} == asked


@pytest.mark.parametrize("symbol", ["AAPL", "BTC/USD"])
async def test_a_ticker_has_the_last_price(rig, symbol):
    ticker = await rig.broker.fetch_ticker(symbol)

    told = await rig.observer.fetch_ticker(symbol)
    names = ("symbol", "last_price")
    assert facts([told], names) == facts([ticker], names)


async def test_a_book_is_read(rig):
    depth = await rig.broker.fetch_depth("BTC/USD", 3)

    told = await rig.observer.fetch_depth("BTC/USD", 3)
    levels = [[(one.price, one.size) for one in side] for side in (told.bids, told.asks)]
    assert levels == [[(one.price, one.size) for one in side] for side in (depth.bids, depth.asks)]
    assert (3, 3) == (len(depth.bids), len(depth.asks))


@pytest.mark.parametrize("symbol", ["AAPL", "BTC/USD"])
async def test_history_of_the_market_is_what_it_was(rig, symbol):
    for price in ("100", "102", "98", "101"):
        bid, ask = str(int(price) - 1), str(int(price) + 1)
        await rig.venue.quote(bid, ask, symbol, last=price, last_size="7")
        await rig.venue.pause(31)
    now_ns = rig.clock.now_ns()
    window = Window(start_ns=now_ns - 10 * MINUTE_NS, end_ns=now_ns)

    async def read(broker):
        return (
            facts([one async for one in broker.fetch_bars(symbol, "1m", window)], BAR),
            facts([one async for one in broker.fetch_trades(symbol, window)], TRADE),
            facts([one async for one in broker.fetch_quote_history(symbol, window)], QUOTE),
        )

    told, found = await read(rig.observer), await read(rig.broker)

    assert told == found
    assert all(found)


@pytest.mark.parametrize("symbol", ["AAPL", "BTC/USD"])
async def test_quotes_trades_and_bars_are_streamed(rig, symbol):
    heard = []
    wanted = {"quotes": [symbol], "trades": [symbol], "bars": [(symbol, "1m")]}
    async with rig.broker.listen(heard.append, **wanted):
        await eventually(lambda: any(isinstance(one, (Quote, Trade)) for one in heard))
        before = len(heard)
        await rig.venue.quote("70", "72", symbol, last="71", last_size="3")

        def of(kind, price, name):
            found = [one for one in heard[before:] if isinstance(one, kind)]
            return [one for one in found if getattr(one, name) == Decimal(price)]

        await eventually(lambda: of(Quote, "70", "bid_price"))
        await eventually(lambda: of(Trade, "71", "price"))
        await rig.venue.pause(61)
        await rig.venue.quote("80", "82", symbol, last="81", last_size="3")
        await eventually(lambda: of(Bar, "71", "close"))

    (quote,) = of(Quote, "70", "bid_price")
    (trade,) = of(Trade, "71", "price")
    assert (symbol, Decimal(72)) == (quote.symbol, quote.ask_price)
    assert (symbol, Decimal(3)) == (trade.symbol, trade.size)


async def test_a_book_is_streamed(rig):
    heard = []
    async with rig.broker.listen(heard.append, depth=["BTC/USD"]):
        await eventually(lambda: any(isinstance(one, Depth) for one in heard))
        await rig.venue.quote("70000", "70010", "BTC/USD")
        await eventually(
            lambda: any(
                isinstance(one, Depth) and one.bids and one.bids[0].price == Decimal(70000)
                for one in heard
            )
        )


@pytest.mark.parametrize("symbol", ["AAPL", "BTC/USD"])
async def test_an_instrument_has_the_rules_of_the_venue(rig, symbol):
    found = await rig.broker.instrument(symbol)

    told = await rig.observer.instrument(symbol)
    names = ("symbol", "asset_class", "kind", "quote", "multiplier", "is_tradable")
    assert facts([told], names) == facts([found], names)
    for price in ("0.5", "1", "50", "60000"):
        assert told.tick_at(Decimal(price)) == found.tick_at(Decimal(price))
    assert told.lot_size == found.lot_size


async def test_a_coin_is_found_by_its_other_spelling(rig):
    assert "BTC/USD" == (await rig.broker.instrument("BTCUSD")).symbol


async def test_the_catalogue_holds_shares_and_pairs(rig):
    found = {one.symbol: one for one in await rig.broker.load_instruments([InstrumentKind.SPOT])}

    assert {"AAPL", "MSFT", "BTC/USD"} <= set(found)
    assert AssetClass.CRYPTO is found["BTC/USD"].asset_class
    assert AssetClass.EQUITY is found["AAPL"].asset_class


async def test_an_instrument_is_found_by_its_name(rig):
    found = await rig.broker.search_instruments("apple")

    assert "AAPL" in [one.symbol for one in found]


async def test_a_symbol_that_nobody_knows_is_unknown(rig):
    with pytest.raises(UnknownInstrumentError):
        await rig.broker.instrument("NOPE")


@pytest.mark.parametrize("hours", Hours, ids=str)
async def test_the_hours_of_shares_are_those_of_the_venue(open_rig, hours):
    rig = await open_rig(hours=hours)
    await rig.connect()
    now_ns = rig.clock.now_ns()
    week = Window(start_ns=now_ns, end_ns=now_ns + 7 * DAY_NS)

    async def sessions(broker):
        found = await broker.fetch_hours("AAPL", week)
        names = ("opens_at_ns", "closes_at_ns", "state")
        return facts([one for one in found if one.state is TradingState.OPEN], names)

    told = await sessions(rig.observer)
    assert told == await sessions(rig.broker)
    assert 5 <= len(told)


@pytest.mark.parametrize("symbol", ["AAPL", "BTC/USD"])
async def test_the_market_is_open(rig, symbol):
    assert TradingState.OPEN is (await rig.broker.fetch_market_status(symbol)).state


async def test_a_market_that_is_read_does_not_change_by_being_read(rig):
    first = await rig.broker.fetch_quote("AAPL")
    await rig.venue.pause(1)

    again = await rig.broker.fetch_quote("AAPL")

    assert attrs.evolve(first, received_at_ns=0) == attrs.evolve(again, received_at_ns=0)


class TestPacked:
    """What the streams say may be written in msgpack."""

    @pytest.fixture
    def way(self):
        return "alpaca"

    async def test_market_data_and_orders_are_the_same(self, open_rig):
        rig = await open_rig()
        await rig.connect(encoding="msgpack")
        heard = []
        async with rig.broker.listen(heard.append, quotes=["AAPL", "BTC/USD"]):
            await eventually(lambda: 2 == len({one.symbol for one in quotes_in(heard)}))
            await rig.venue.quote("100.25", "100.50")
            await eventually(lambda: quotes_in(heard)[-1].bid_price == Decimal("100.25"))
            await rig.submit()
            await rig.becomes(OrderStatus.FILLED)
            await rig.tells("SUBMITTED", "ACCEPTED", "FILL")

        assert [(Decimal(10), Decimal("100.5"))] == rig.fills()
        assert {"AAPL", "BTC/USD"} == {one.symbol for one in quotes_in(heard)}


def quotes_in(heard):
    return [one for one in heard if isinstance(one, Quote)]
