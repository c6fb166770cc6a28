"""Instruments, hours and market data over a scripted Alpaca."""

from decimal import Decimal

import pytest

from dragoman.errors import (
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.models import (
    Adjustment,
    InstrumentKind,
    PriceSource,
    Timeframe,
    TradingState,
    Window,
)
from dragoman.times import EARLIEST_NS, LATEST_NS, parse_time

from .rest_venue import AAPL, CALL

D = Decimal
QUOTE = {"t": "2022-03-18T14:02:43.6Z", "ap": 161.11, "as": 13, "bp": 161.1, "bs": 2}
BAR = {"t": "2022-02-01T05:00:00Z", "o": 174, "h": 174.84, "l": 172.31, "c": 174.61, "v": 859}
DAY = {
    "date": "2026-01-07",
    "open": "09:30",
    "close": "16:00",
    "session_open": "0400",
    "session_close": "2000",
}
PAIR_QUOTE = "/v1beta3/crypto/us/latest/quotes"


async def every(rows):
    return [row async for row in rows]


async def test_the_catalogue_is_shares_and_pairs(alpaca):
    assert ["AAPL", "BTC/USD"] == [one.symbol for one in await alpaca.load_instruments()]
    assert () == await alpaca.load_instruments([InstrumentKind.FUTURE])
    with pytest.raises(UnsupportedError, match="fetch_chain"):
        await alpaca.load_instruments([InstrumentKind.OPTION])


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("aapl", ["AAPL", "AAPL250620C00100000"]),
        ("bitcoin", ["BTC/USD"]),
        ("BTCUSD", ["BTC/USD"]),
        ("AAPL250620C00100000", ["AAPL250620C00100000"]),
        ("nothing", []),
    ],
)
async def test_a_search_finds_symbols_aliases_names_and_options(venue, alpaca, text, symbols):
    venue.on("GET", "/v2/options/contracts", {"option_contracts": [CALL]})
    venue.on("GET", f"/v2/options/contracts/{CALL['symbol']}", CALL)

    assert symbols == [one.symbol for one in await alpaca.search_instruments(text)]


async def test_a_search_finds_no_more_than_is_wanted(alpaca):
    assert ["AAPL"] == [one.symbol for one in await alpaca.search_instruments("A", limit=1)]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("AAPL", "AAPL"),
        ("BTCUSD", "BTC/USD"),
        ("276e2673-764b-4ab6-a611-caf665ca6340", "BTC/USD"),
        ("AAPL250620C00100000", "AAPL250620C00100000"),
    ],
)
async def test_an_instrument_is_found_by_symbol_alias_and_id(venue, alpaca, name, symbol):
    venue.on("GET", f"/v2/options/contracts/{CALL['symbol']}", CALL)

    assert symbol == (await alpaca.fetch_instrument(name)).symbol


async def test_an_instrument_that_is_not_listed_is_unknown(alpaca):
    with pytest.raises(UnknownInstrumentError, match="NOPE"):
        await alpaca.fetch_instrument("NOPE")


async def test_hours_are_the_sessions_that_touch_a_window(venue, alpaca):
    venue.on("GET", "/v2/calendar", [DAY])
    window = Window(
        start_ns=parse_time("2026-01-07T14:30:00Z"), end_ns=parse_time("2026-01-07T21:00:01Z")
    )

    rows = await alpaca.fetch_hours("AAPL", window)

    assert [TradingState.OPEN, TradingState.AFTER_HOURS] == [row.state for row in rows]
    assert {"start": "2026-01-06", "end": "2026-01-08"} == venue.requests("/v2/calendar")[0].asked


async def test_crypto_is_open_for_ever(venue, alpaca):
    (row,) = await alpaca.fetch_hours("BTC/USD", Window())

    assert (EARLIEST_NS, LATEST_NS, TradingState.OPEN) == (
        row.opens_at_ns,
        row.closes_at_ns,
        row.state,
    )
    assert [] == venue.requests("/v2/calendar")


@pytest.mark.parametrize(
    ("now", "is_open", "state"),
    [
        ("2026-01-07T08:00:00-05:00", False, TradingState.PRE_MARKET),
        ("2026-01-07T10:00:00-05:00", True, TradingState.OPEN),
        ("2026-01-07T17:00:00-05:00", False, TradingState.AFTER_HOURS),
        ("2026-01-07T22:00:00-05:00", False, TradingState.CLOSED),
    ],
)
async def test_the_market_is_in_the_session_that_clock_and_calendar_tell(
    venue, alpaca, now, is_open, state
):
    venue.on("GET", "/v2/calendar", [DAY])
    venue.on("GET", "/v2/clock", {"timestamp": now, "is_open": is_open})

    whole, one = await alpaca.fetch_market_status(), await alpaca.fetch_market_status("AAPL")

    assert [(state, None), (state, "AAPL")] == [
        (whole.state, whole.symbol),
        (one.state, one.symbol),
    ]


async def test_a_pair_is_open_while_it_is_traded(venue, alpaca):
    assert TradingState.OPEN is (await alpaca.fetch_market_status("BTC/USD")).state
    assert [] == venue.requests("/v2/clock")


async def test_quotes_come_from_the_interface_of_each_symbol(venue, alpaca):
    venue.on("GET", "/v2/stocks/quotes/latest", {"quotes": {"AAPL": QUOTE}})
    venue.on("GET", PAIR_QUOTE, {"quotes": {"BTC/USD": QUOTE | {"bp": 40517.08}}})
    venue.on("GET", f"/v2/options/contracts/{CALL['symbol']}", CALL)
    venue.on("GET", "/v1beta1/options/quotes/latest", {"quotes": {}})

    found = await alpaca.fetch_quotes(["AAPL", "BTCUSD", CALL["symbol"]])

    assert {"AAPL": D("161.1"), "BTCUSD": D("40517.08"), CALL["symbol"]: None} == {
        name: quote.bid_price for name, quote in found.items()
    }
    assert ["AAPL", "BTC/USD", CALL["symbol"]] == [quote.symbol for quote in found.values()]
    assert "iex" == venue.requests("/v2/stocks/quotes/latest")[0].asked["feed"]


async def test_a_quote_of_what_is_not_listed_is_an_error(alpaca):
    with pytest.raises(UnknownInstrumentError):
        await alpaca.fetch_quotes(["NOPE"])


async def test_what_a_symbol_is_is_asked_once(venue, alpaca):
    venue.on("GET", "/v2/stocks/quotes/latest", {"quotes": {"AAPL": QUOTE}})

    for _ in range(3):
        await alpaca.fetch_quotes(["AAPL"])

    assert 1 == len(venue.requests("/v2/assets/AAPL"))


async def test_of_many_unknown_symbols_the_whole_list_is_read(venue, alpaca):
    names = [f"S{number}" for number in range(30)]
    rows = [AAPL | {"symbol": name, "id": name} for name in names]
    venue.on("GET", "/v2/assets", lambda heard: rows if "equity" in heard.query[0][1] else [])
    venue.on("GET", "/v2/stocks/snapshots", {})

    found = await alpaca.fetch_tickers(names)

    assert names == list(found)
    assert 2 == len(venue.requests("/v2/assets"))


async def test_no_symbols_ask_nothing(venue, alpaca):
    heard = len(venue.heard)

    assert {} == await alpaca.fetch_quotes([])
    assert heard == len(venue.heard)


async def test_a_book_is_there_for_pairs_only(venue, alpaca):
    levels = [{"p": 2 - number, "s": 1} for number in range(2)]
    book = {"t": "2026-01-02T00:00:00Z", "b": levels, "a": [{"p": 3, "s": 1}]}
    venue.on("GET", "/v1beta3/crypto/us/latest/orderbooks", {"orderbooks": {"BTC/USD": book}})

    depth = await alpaca.fetch_depth("BTC/USD", 1)

    assert ([D(2)], [D(3)], True) == (
        [level.price for level in depth.bids],
        [level.price for level in depth.asks],
        depth.is_snapshot,
    )
    with pytest.raises(UnsupportedError, match="crypto only"):
        await alpaca.fetch_depth("AAPL", 1)


async def test_bars_are_asked_for_in_the_venues_words_and_cut_to_the_window(venue, alpaca):
    at_ns = parse_time(BAR["t"])
    late = BAR | {"t": "2022-02-02T05:00:00Z"}
    venue.on("GET", "/v2/stocks/bars", {"bars": {"AAPL": [BAR, late]}, "next_page_token": None})
    window = Window(start_ns=at_ns, end_ns=at_ns + 1)

    bars = await every(
        alpaca.fetch_bars("AAPL", Timeframe.parse("1d"), window, adjustment=Adjustment.ALL)
    )

    asked = venue.requests("/v2/stocks/bars")[0].asked
    assert [at_ns] == [bar.open_time_ns for bar in bars]
    assert ("1Day", "all", "iex") == (asked["timeframe"], asked["adjustment"], asked["feed"])


async def test_bars_end_with_as_many_as_are_wanted(venue, alpaca):
    page = {"bars": {"BTC/USD": [BAR] * 3}, "next_page_token": "more"}
    venue.on("GET", "/v1beta3/crypto/us/bars", page)

    bars = await every(alpaca.fetch_bars("BTC/USD", Timeframe.parse("5m"), Window(limit=2)))

    assert 2 == len(bars)
    assert 1 == len(venue.requests("/v1beta3/crypto/us/bars"))


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(("AAPL", "1s", PriceSource.LAST, Adjustment.RAW), id="timeframe"),
        pytest.param(("AAPL", "1m", PriceSource.BID, Adjustment.RAW), id="price-source"),
        pytest.param((CALL["symbol"], "1m", PriceSource.LAST, Adjustment.ALL), id="options"),
    ],
)
async def test_bars_that_are_not_there_are_refused(venue, alpaca, asked):
    venue.on("GET", f"/v2/options/contracts/{CALL['symbol']}", CALL)
    symbol, timeframe, source, adjustment = asked

    with pytest.raises(UnsupportedError):
        await every(
            alpaca.fetch_bars(symbol, Timeframe.parse(timeframe), Window(), source, adjustment)
        )


async def test_prints_and_quotes_of_the_past_are_read(venue, alpaca):
    trade = {"t": "2022-03-18T14:02:43.6Z", "p": 161.1, "s": 200, "i": 39884}
    venue.on("GET", "/v2/stocks/trades", {"trades": {"AAPL": [trade]}, "next_page_token": None})
    venue.on("GET", "/v2/stocks/quotes", {"quotes": {"AAPL": [QUOTE]}, "next_page_token": None})
    venue.on("GET", f"/v2/options/contracts/{CALL['symbol']}", CALL)

    (found,) = await every(alpaca.fetch_trades("AAPL", Window()))
    (quote,) = await every(alpaca.fetch_quote_history("AAPL", Window()))

    assert (D("161.1"), D("161.1")) == (found.price, quote.bid_price)
    with pytest.raises(UnsupportedError):
        await every(alpaca.fetch_quote_history(CALL["symbol"], Window()))


async def test_a_chain_is_told_by_symbol(venue, alpaca):
    greeks = {"delta": -0.0696, "gamma": 0.0124}
    rows = {
        "AAPL250620P00100000": {"latestQuote": QUOTE, "greeks": greeks},
        "AAPL250620C00100000": {"latestQuote": QUOTE, "impliedVolatility": 0.45},
    }
    venue.on("GET", "/v1beta1/options/snapshots/AAPL", {"snapshots": rows})

    call, put = await alpaca.fetch_chain("AAPL")

    assert ("AAPL250620C00100000", D("0.45")) == (call.symbol, call.iv)
    assert ("AAPL250620P00100000", D("-0.0696")) == (put.symbol, put.delta)
