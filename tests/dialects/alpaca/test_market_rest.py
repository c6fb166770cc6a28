"""The official client, and plain requests, read market data of a mock whose time stands still."""

from datetime import UTC, datetime

import aiohttp
import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import (
    CryptoHistoricalDataClient,
    OptionHistoricalDataClient,
    StockHistoricalDataClient,
)
from alpaca.data.requests import (
    CryptoBarsRequest,
    CryptoLatestBarRequest,
    CryptoLatestOrderbookRequest,
    CryptoLatestQuoteRequest,
    CryptoLatestTradeRequest,
    CryptoQuoteRequest,
    CryptoSnapshotRequest,
    CryptoTradesRequest,
    OptionBarsRequest,
    OptionChainRequest,
    OptionLatestQuoteRequest,
    OptionLatestTradeRequest,
    OptionSnapshotRequest,
    OptionTradesRequest,
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame
from tests.dialects.alpaca.market_rig import KEY, SECRET, market

from dragoman.dialects import AccessKey
from dragoman.models import Window
from dragoman.money import format_decimal
from dragoman.times import MINUTE_NS, SECOND_NS, ManualClock, format_time, to_datetime

NOON = datetime(2026, 1, 6, 17, tzinfo=UTC)
EVENING = datetime(2026, 1, 6, 18, tzinfo=UTC)
CALL = "AAPL260116C00190000"
PUT = "AAPL260116P00190000"


@pytest.fixture
async def served():
    async with market() as served:
        yield served


@pytest.fixture
def stocks(served):
    def ask(question):
        return served.ask(
            lambda: StockHistoricalDataClient(KEY, SECRET, url_override=served.url), question
        )

    return ask


@pytest.fixture
def crypto(served):
    def ask(question):
        return served.ask(
            lambda: CryptoHistoricalDataClient(KEY, SECRET, url_override=served.url), question
        )

    return ask


@pytest.fixture
def options(served):
    def ask(question):
        return served.ask(
            lambda: OptionHistoricalDataClient(KEY, SECRET, url_override=served.url), question
        )

    return ask


async def rows(iterator):
    return [row async for row in iterator]


async def test_stock_bars_of_the_official_client_are_the_brokers(served, stocks):
    window = Window(start_ns=NOON, end_ns=EVENING)
    request = StockBarsRequest(
        symbol_or_symbols=["MSFT", "AAPL"], timeframe=TimeFrame.Minute, start=NOON, end=EVENING
    )

    found = await stocks(lambda client: client.get_stock_bars(request))

    assert {"AAPL", "MSFT"} == set(found.data)
    for symbol in found.data:
        # The end that a client names is included.
        bars = await rows(served.broker.fetch_bars(symbol, "1m", window))
        told = [(bar.timestamp, bar.open, bar.close, bar.volume) for bar in found.data[symbol]]
        assert 61 == len(told)
        assert [
            (bar.open_time, float(bar.open), float(bar.close), float(bar.volume)) for bar in bars
        ] == told[:60]


async def test_pages_that_the_official_client_puts_together_are_complete(served, stocks):
    def question(limit):
        request = StockTradesRequest(
            symbol_or_symbols=["AAPL", "MSFT"], start=NOON, end=EVENING, limit=limit
        )
        return lambda client: client.get_stock_trades(request).data

    cut = await stocks(question(1_300))
    whole = await stocks(question(None))

    assert 1_300 == sum(len(trades) for trades in cut.values())
    assert whole["AAPL"] == cut["AAPL"]
    assert whole["MSFT"][: len(cut["MSFT"])] == cut["MSFT"]


async def test_stock_quotes_come_newest_first_if_asked(stocks):
    def question(sort):
        request = StockQuotesRequest(symbol_or_symbols="AAPL", start=NOON, end=EVENING, sort=sort)
        return lambda client: client.get_stock_quotes(request).data["AAPL"]

    ascending, descending = await stocks(question("asc")), await stocks(question("desc"))

    assert ascending == descending[::-1]
    assert NOON <= ascending[0].timestamp <= ascending[-1].timestamp <= EVENING


async def test_the_latest_of_a_stock_is_what_the_broker_shows(served, stocks):
    quote = await served.broker.fetch_quote("AAPL")
    symbols = {"symbol_or_symbols": ["AAPL", "NOTHING"]}

    quotes = await stocks(
        lambda client: client.get_stock_latest_quote(StockLatestQuoteRequest(**symbols))
    )
    trades = await stocks(
        lambda client: client.get_stock_latest_trade(StockLatestTradeRequest(**symbols))
    )
    bars = await stocks(
        lambda client: client.get_stock_latest_bar(StockLatestBarRequest(**symbols))
    )

    assert [{"AAPL"}] * 3 == [set(quotes), set(trades), set(bars)]
    assert (float(quote.bid_price), float(quote.ask_size)) == (
        quotes["AAPL"].bid_price,
        quotes["AAPL"].ask_size,
    )
    now_ns = served.clock.now_ns()
    last = [
        trade
        async for trade in served.broker.fetch_trades(
            "AAPL", Window(start_ns=now_ns - MINUTE_NS, end_ns=now_ns + 1)
        )
    ][-1]
    assert (last.venue_time, float(last.price)) == (
        trades["AAPL"].timestamp,
        trades["AAPL"].price,
    )
    # 14:30 is over, so the minute before it is the last that is complete.
    assert datetime(2026, 1, 7, 14, 29, tzinfo=UTC) == bars["AAPL"].timestamp


async def test_a_stocks_snapshot_has_all_its_parts(stocks):
    request = StockSnapshotRequest(symbol_or_symbols=["AAPL", "NOTHING"])

    found = await stocks(lambda client: client.get_stock_snapshot(request))

    assert {"AAPL"} == set(found)
    snapshot = found["AAPL"]
    assert snapshot.latest_trade.price
    assert snapshot.latest_quote.bid_price
    assert datetime(2026, 1, 7, 14, 29, tzinfo=UTC) == snapshot.minute_bar.timestamp
    assert datetime(2026, 1, 7, tzinfo=UTC) == snapshot.daily_bar.timestamp
    assert datetime(2026, 1, 6, tzinfo=UTC) == snapshot.previous_daily_bar.timestamp


async def test_crypto_history_of_the_official_client(crypto):
    span = {"symbol_or_symbols": "BTC/USD", "start": NOON, "end": EVENING}

    bars = await crypto(
        lambda client: client.get_crypto_bars(CryptoBarsRequest(timeframe=TimeFrame.Hour, **span))
    )
    trades = await crypto(lambda client: client.get_crypto_trades(CryptoTradesRequest(**span)))
    quotes = await crypto(lambda client: client.get_crypto_quotes(CryptoQuoteRequest(**span)))

    assert [NOON, EVENING] == [bar.timestamp for bar in bars.data["BTC/USD"]]
    assert 1_000 < len(trades.data["BTC/USD"]) == len({one.id for one in trades.data["BTC/USD"]})
    assert all(quote.bid_price < quote.ask_price for quote in quotes.data["BTC/USD"])


async def test_the_latest_of_a_pair_needs_no_key(served):
    symbols = {"symbol_or_symbols": "BTC/USD"}

    def question(client):
        return (
            client.get_crypto_latest_quote(CryptoLatestQuoteRequest(**symbols)),
            client.get_crypto_latest_trade(CryptoLatestTradeRequest(**symbols)),
            client.get_crypto_latest_bar(CryptoLatestBarRequest(**symbols)),
            client.get_crypto_latest_orderbook(CryptoLatestOrderbookRequest(**symbols)),
            client.get_crypto_snapshot(CryptoSnapshotRequest(**symbols)),
        )

    found = await served.ask(lambda: CryptoHistoricalDataClient(url_override=served.url), question)

    assert [{"BTC/USD"}] * 5 == [set(part) for part in found]
    book, snapshot = found[3]["BTC/USD"], found[4]["BTC/USD"]
    assert book.bids[0].price < book.asks[0].price
    assert snapshot.latest_quote == found[0]["BTC/USD"]


async def test_options_of_the_official_client(served, options):
    now = to_datetime(served.clock.now_ns())
    both = {"symbol_or_symbols": [CALL, PUT]}

    quotes = await options(
        lambda client: client.get_option_latest_quote(OptionLatestQuoteRequest(**both))
    )
    trades = await options(
        lambda client: client.get_option_latest_trade(OptionLatestTradeRequest(**both))
    )
    snapshots = await options(
        lambda client: client.get_option_snapshot(OptionSnapshotRequest(**both))
    )
    past = await options(
        lambda client: client.get_option_trades(OptionTradesRequest(start=NOON, **both))
    )
    bars = await options(
        lambda client: client.get_option_bars(
            OptionBarsRequest(start=NOON, end=now, timeframe=TimeFrame.Day, **both)
        )
    )

    parts = [quotes, trades, snapshots, past.data, bars.data]
    assert [{CALL, PUT}] * 5 == [set(part) for part in parts]
    assert quotes[CALL] == snapshots[CALL].latest_quote
    assert trades[PUT] == snapshots[PUT].latest_trade


@pytest.mark.parametrize(
    ("terms", "symbols"),
    [
        ({}, {CALL, PUT}),
        ({"type": "call"}, {CALL}),
        ({"strike_price_gte": 191}, set()),
        ({"strike_price_lte": 190}, {CALL, PUT}),
        ({"expiration_date": "2026-01-16"}, {CALL, PUT}),
        ({"expiration_date_gte": "2026-01-17"}, set()),
        ({"root_symbol": "AAPL"}, {CALL, PUT}),
        ({"root_symbol": "AAP"}, set()),
        ({"updated_since": "2026-01-08T00:00:00Z"}, set()),
    ],
    ids=lambda value: "" if isinstance(value, set) else " ".join(value) or "all",
)
async def test_a_chain_is_what_its_terms_leave(options, terms, symbols):
    request = OptionChainRequest(underlying_symbol="AAPL", **terms)

    found = await options(lambda client: client.get_option_chain(request))

    assert symbols == set(found)


async def test_a_chain_comes_in_pages(served):
    path = "/v1beta1/options/snapshots/AAPL"

    first = await served.body(path, limit="1")
    second = await served.body(path, limit="1", page_token=first["next_page_token"])

    assert [[CALL], [PUT]] == [list(first["snapshots"]), list(second["snapshots"])]
    assert second["next_page_token"] is None


async def test_the_official_client_gets_an_error_it_understands(stocks):
    request = StockBarsRequest(
        symbol_or_symbols="AAPL", timeframe=TimeFrame.Minute, start=EVENING, end=NOON
    )

    with pytest.raises(APIError, match="end should not be before start") as caught:
        await stocks(lambda client: client.get_stock_bars(request))

    assert 400 == caught.value.status_code


async def test_numbers_are_the_brokers_text_and_times_have_nanoseconds(served):
    trades = served.broker.fetch_trades("AAPL", Window(start_ns=NOON, limit=2))

    found = await served.body("/v2/stocks/AAPL/trades", start=NOON.isoformat(), limit="2")

    assert [
        {
            "t": format_time(trade.venue_time_ns).rstrip("Z").rstrip("0").rstrip(".") + "Z",
            "p": format_decimal(trade.price),
            "s": int(trade.size),
            "i": int(trade.trade_id),
            "x": "Q",
            "c": [],
            "z": "C",
        }
        async for trade in trades
    ] == found["trades"]
    assert "AAPL" == found["symbol"]


async def test_nothing_has_the_venues_shapes_for_nothing(served):
    assert {"bars": {}, "next_page_token": None} == await served.body(
        "/v2/stocks/bars", symbols="NOTHING", timeframe="1Min"
    )
    assert {"bars": None, "symbol": "NOTHING", "next_page_token": None} == await served.body(
        "/v2/stocks/NOTHING/bars", timeframe="1Min"
    )
    assert {"trades": {}} == await served.body("/v2/stocks/trades/latest", symbols="NOTHING")
    assert {} == await served.body("/v2/stocks/snapshots", symbols="NOTHING")
    assert {"snapshots": {}} == await served.body("/v1beta3/crypto/us/snapshots", symbols="A/B")
    assert {"snapshots": {}, "next_page_token": None} == await served.body(
        "/v1beta1/options/snapshots", symbols="NOTHING"
    )


@pytest.mark.parametrize(
    ("path", "query", "status", "message"),
    [
        ("/v2/stocks/bars", {"timeframe": "1Min"}, 400, "symbols is required"),
        ("/v2/stocks/bars", {"symbols": "AAPL"}, 400, "invalid timeframe: "),
        ("/v2/stocks/trades", {"symbols": "aapl"}, 400, "invalid symbol: aapl"),
        ("/v2/stocks/trades", {"symbols": "BTC/USD"}, 400, "invalid symbol: BTC/USD"),
        (
            "/v1beta3/crypto/us/trades",
            {"symbols": "BTCUSD"},
            400,
            "Invalid symbol(s): BTCUSD does not match ^[A-Z]+/[A-Z]+$",
        ),
        ("/v1beta3/crypto/moon/trades", {"symbols": "BTC/USD"}, 400, "Invalid location: moon"),
        ("/v2/stocks/trades", {"symbols": "AAPL", "page_token": "?"}, 400, "invalid page_token"),
        (
            "/v2/stocks/trades",
            {"symbols": "AAPL", "currency": "EUR"},
            400,
            "invalid currency: EUR, AAPL is in USD",
        ),
        (
            "/v2/stocks/quotes/latest",
            {"symbols": "AAPL", "feed": "boats"},
            403,
            "subscription does not permit querying boats data",
        ),
        ("/v2/stocks/NOTHING/trades/latest", {}, 404, "no trade found for NOTHING"),
        ("/v2/stocks/NOTHING/quotes/latest", {}, 404, "no quote found for NOTHING"),
        ("/v2/stocks/NOTHING/snapshot", {}, 404, "no snapshot found for NOTHING"),
        ("/v2/stocks/auctions", {"symbols": "AAPL"}, 403, "mock offers no auctions"),
        ("/v2/stocks/meta/conditions/bar", {}, 400, "invalid tick type: bar"),
        ("/v1beta1/options/snapshots/AAPL", {"type": "both"}, 400, "invalid type: both"),
        (
            "/v1beta1/options/snapshots/AAPL",
            {"strike_price_gte": "NaN"},
            400,
            "invalid strike_price_gte: NaN",
        ),
        (
            "/v1beta1/options/snapshots/AAPL",
            {"expiration_date_lte": "soon"},
            400,
            "invalid expiration_date_lte: soon",
        ),
    ],
)
async def test_what_can_not_be_answered_is_refused_in_the_venues_form(
    served, path, query, status, message
):
    assert (status, {"message": message}) == await served.get(path, **query)


async def test_an_adjustment_that_the_broker_does_not_make_is_refused(served):
    status, body = await served.get(
        "/v2/stocks/bars", symbols="AAPL", timeframe="1Day", adjustment="split"
    )

    assert 403 == status
    assert "raw bars only" in body["message"]


async def test_a_currency_that_prices_are_in_is_told_back(served):
    found = await served.body("/v2/stocks/AAPL/quotes/latest", currency="USD")

    assert "USD" == found["currency"]


async def test_a_minute_under_way_has_no_bar_but_the_day_has(served):
    await served.clock.advance(seconds=30)

    minutes = await served.body("/v2/stocks/AAPL/bars", timeframe="1Min", sort="desc", limit="1")
    days = await served.body("/v2/stocks/AAPL/bars", timeframe="1Day")

    assert ["2026-01-07T14:29:00Z"] == [bar["t"] for bar in minutes["bars"]]
    assert ["2026-01-07T00:00:00Z"] == [bar["t"] for bar in days["bars"]]


async def test_codes_of_exchanges_that_rows_carry_are_explained(served):
    found = await served.body("/v2/stocks/meta/exchanges")

    assert "NASDAQ OMX" == found["Q"]
    assert {} == await served.body("/v2/stocks/meta/conditions/trade", tape="A")
    assert {} == await served.body("/v1beta1/options/meta/exchanges")
    assert {} == await served.body("/v1beta1/options/meta/conditions/quote")


async def test_other_markets_of_a_broker_are_shown_where_they_are_listed(served):
    """A currency pair is listed beside crypto, a future beside stocks."""
    symbols = [one.symbol for one in await served.broker.load_instruments()]
    future = next(symbol for symbol in symbols if symbol.startswith("MES"))

    pairs = await served.body("/v1beta3/crypto/us/latest/quotes", symbols="EUR/USD,BTC/USD")
    futures = await served.body("/v2/stocks/quotes/latest", symbols=future)

    assert ["BTC/USD", "EUR/USD"] == sorted(pairs["quotes"])
    assert [future] == list(futures["quotes"])


async def test_a_broker_that_is_asked_too_often_says_so():
    async with market(faults="fetch_quotes#1 rate_limited(retry_after=1)") as served:
        path = "/v2/stocks/quotes/latest"
        status, body = await served.get(path, symbols="AAPL")
        again, _ = await served.get(path, symbols="AAPL")

    assert (429, ["message"]) == (status, list(body))
    assert 200 == again


async def test_a_failure_behind_the_dialect_is_never_one_to_repeat_at_once():
    """The official client asks again at once after a 504."""
    async with market(faults="fetch_trades#1 server_error") as served:
        status, body = await served.get("/v2/stocks/AAPL/trades")

    assert (503, ["message"]) == (status, list(body))


async def test_requests_without_a_key_are_refused():
    async with market() as served, aiohttp.ClientSession() as nobody:
        path = "/v2/stocks/quotes/latest?symbols=AAPL"
        async with nobody.get(served.url + path) as response:
            assert 401 == response.status


async def test_a_host_with_keys_lets_nobody_else_read_even_crypto():
    keys = [AccessKey(key_id="mate", secret="another-key-of-tests")]
    async with market(keys=keys) as served, aiohttp.ClientSession() as nobody:
        path = "/v1beta3/crypto/us/latest/quotes"
        status, _ = await served.get(path, symbols="BTC/USD")
        async with nobody.get(served.url + path, params={"symbols": "BTC/USD"}) as response:
            assert (401, 401) == (status, response.status)


async def test_the_markets_own_time_counts_and_not_the_machines():
    clock = ManualClock()
    async with market(clock=clock, speed=3600) as served:
        await clock.advance(nanoseconds=SECOND_NS // 60 + 1)

        last = await served.body("/v2/stocks/AAPL/trades/latest")
        newest = await served.body("/v2/stocks/AAPL/trades", sort="desc", limit="1")
        snapshot = await served.body("/v2/stocks/AAPL/snapshot")

    # A sixtieth of a second is a minute there.
    assert "2026-01-07T14:31:00Z" == last["trade"]["t"] == snapshot["latestTrade"]["t"]
    assert [last["trade"]] == newest["trades"]
    assert "2026-01-07T14:30:00Z" == snapshot["minuteBar"]["t"]
