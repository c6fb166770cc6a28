import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import DecodeError
from dragoman.models import Bar, Depth, Level, OptionQuote, Quote, Side, Ticker, Timeframe, Trade
from dragoman.times import parse_time
from dragoman.transport.codec import decode
from dragoman.transport.packed import Stamp, decode_packed, encode_packed
from dragoman_alpaca.mapping.market import (
    ONE_DAY,
    ONE_MINUTE,
    bar_of,
    bars_in,
    books_in,
    depth_of,
    option_quote_of,
    pricing_of,
    quote_of,
    quotes_in,
    snapshot_of,
    ticker_of,
    trade_of,
    trades_in,
)
from dragoman_alpaca.mapping.reading import Reading, SymbolBook
from dragoman_alpaca.wire.market import (
    BarPage,
    BarRow,
    BookRow,
    LatestBars,
    LatestBooks,
    LatestQuotes,
    LatestTrades,
    OptionSnapshotPage,
    OptionSnapshotRow,
    PricingPage,
    PricingRow,
    QuotePage,
    QuoteRow,
    SnapshotPage,
    SnapshotRow,
    SymbolSnapshotRow,
    TradePage,
    TradeRow,
)

NOW_NS = parse_time("2024-03-15T15:00:30Z")
HEAD = {"provider": "alpaca-paper", "received_at_ns": NOW_NS}
READING = Reading(provider="alpaca-paper", account_id="", received_at_ns=NOW_NS)

AT = "2022-08-17T10:09:34.055031265Z"
AT_NS = parse_time(AT)
QUOTE = {"t": AT, "ax": "Q", "ap": 172.7, "as": 1, "bx": "Q", "bp": 172.6, "bs": 2, "c": ["R"]}
TRADE = {"t": AT, "x": "P", "p": 172.6, "s": 100, "c": ["@", "T"], "i": 689, "z": "C"}
BAR = {"t": "2022-08-17T09:07:00Z", "o": 1, "h": 4, "l": 0.5, "c": 2, "v": 7, "n": 3, "vw": 1.25}
SNAPSHOT = {
    "latestTrade": TRADE,
    "latestQuote": QUOTE,
    "minuteBar": BAR,
    "dailyBar": {"t": "2022-08-17T04:00:00Z", "o": 10, "h": 13, "l": 9, "c": 12, "v": 5000},
    "prevDailyBar": {"t": "2022-08-16T04:00:00Z", "o": 8, "h": 9, "l": 7, "c": 8.5, "v": 4000},
}


def bar_in_minutes(row, symbol, reading):
    return bar_of(row, symbol, ONE_MINUTE, reading)


def page_of(document, shape):
    return decode(json.dumps(document), shape)


def row_of(fields, shape):
    return page_of(fields, shape)


def test_a_quote_is_read():
    expected = Quote(
        symbol="AAPL",
        bid_price=Decimal("172.6"),
        bid_size=Decimal(2),
        ask_price=Decimal("172.7"),
        ask_size=Decimal(1),
        venue_time_ns=AT_NS,
        **HEAD,
    )

    assert expected == quote_of(row_of(QUOTE, QuoteRow), "AAPL", READING)


def test_a_print_is_read():
    expected = Trade(
        symbol="AAPL",
        price=Decimal("172.6"),
        size=Decimal(100),
        trade_id="689",
        conditions=("@", "T"),
        venue_time_ns=AT_NS,
        **HEAD,
    )

    assert expected == trade_of(row_of(TRADE, TradeRow), "AAPL", READING)


def test_a_print_of_crypto_names_the_taker():
    row = row_of({"t": AT, "p": 29791, "s": 0.0016, "tks": "S", "i": 31455289}, TradeRow)

    assert Side.SELL is trade_of(row, "BTC/USD", READING).aggressor


@pytest.mark.parametrize(
    ("codes", "conditions"),
    [("I", ("I",)), (None, ()), ([], ()), ("", ()), (["@", None, "I"], ("@", "I")), ([None], ())],
    ids=["option", "null", "none", "empty", "null among them", "only null"],
)
def test_condition_codes_come_in_any_shape(codes, conditions):
    row = row_of({"p": 1, "s": 1, "c": codes}, TradeRow)

    assert conditions == trade_of(row, "A", READING).conditions


def test_a_bar_is_read():
    expected = Bar(
        symbol="AAPL",
        timeframe=ONE_MINUTE,
        open_time_ns=parse_time("2022-08-17T09:07:00Z"),
        open=Decimal(1),
        high=Decimal(4),
        low=Decimal("0.5"),
        close=Decimal(2),
        is_complete=True,
        volume=Decimal(7),
        vwap=Decimal("1.25"),
        trade_count=3,
        **HEAD,
    )

    assert expected == bar_of(row_of(BAR, BarRow), "AAPL", ONE_MINUTE, READING)


@pytest.mark.parametrize(
    ("timeframe", "opened", "is_complete"),
    [
        ("1m", "2024-03-15T14:59:00Z", True),
        ("1m", "2024-03-15T15:00:00Z", False),
        ("1h", "2024-03-15T14:00:00Z", True),
        ("1h", "2024-03-15T14:01:00Z", False),
        ("1d", "2024-03-14T04:00:00Z", True),
        ("1d", "2024-03-15T04:00:00Z", False),
        ("1M", "2024-02-01T05:00:00Z", True),
        ("1M", "2024-03-01T05:00:00Z", False),
        ("3M", "2023-12-01T05:00:00Z", True),
        ("12M", "2023-04-01T04:00:00Z", False),
    ],
)
def test_a_bar_is_complete_once_its_time_is_over(timeframe, opened, is_complete):
    row = row_of({**BAR, "t": opened}, BarRow)

    assert is_complete == bar_of(row, "A", Timeframe.parse(timeframe), READING).is_complete


@pytest.mark.parametrize("is_complete", [True, False])
def test_whether_a_bar_is_complete_may_be_known(is_complete):
    for opened in ("2022-08-17T09:07:00Z", "2024-03-15T15:00:00Z"):
        row = row_of({**BAR, "t": opened}, BarRow)
        bar = bar_of(row, "A", ONE_MINUTE, READING, is_complete=is_complete)
        assert is_complete == bar.is_complete


def test_a_book_is_read_without_its_empty_levels():
    row = row_of(
        {"t": AT, "b": [{"p": 1, "s": 2}, {"p": 3, "s": 1}], "a": [{"p": 4, "s": 0}, None]}, BookRow
    )

    assert depth_of(row, "BTC/USD", READING) == Depth(
        symbol="BTC/USD",
        bids=(Level(Decimal(3), Decimal(1)), Level(Decimal(1), Decimal(2))),
        asks=(),
        is_snapshot=True,
        venue_time_ns=AT_NS,
        **HEAD,
    )
    assert (Level(Decimal(4), Decimal(0)),) == depth_of(row, "B", READING, is_snapshot=False).asks


def test_a_snapshot_says_all_it_has():
    found = snapshot_of(row_of(SNAPSHOT, SnapshotRow), "AAPL", READING)

    assert found.ticker == Ticker(
        symbol="AAPL",
        last_price=Decimal("172.6"),
        last_size=Decimal(100),
        open=Decimal(10),
        high=Decimal(13),
        low=Decimal(9),
        previous_close=Decimal("8.5"),
        volume=Decimal(5000),
        venue_time_ns=AT_NS,
        **HEAD,
    )
    assert Decimal("172.6") == found.quote.bid_price == found.trade.price
    assert [ONE_MINUTE, ONE_DAY, ONE_DAY] == [
        bar.timeframe for bar in (found.minute_bar, found.daily_bar, found.previous_daily_bar)
    ]


@pytest.mark.parametrize(
    "fields", [{}, dict.fromkeys(SNAPSHOT), {"new": 1}], ids=["empty", "nulls", "unknown"]
)
def test_a_snapshot_of_nothing_says_nothing(fields):
    found = snapshot_of(row_of(fields, SnapshotRow), "AAPL", READING)

    assert Ticker(symbol="AAPL", **HEAD) == found.ticker
    assert (None,) * 5 == (
        *(found.quote, found.trade, found.minute_bar),
        *(found.daily_bar, found.previous_daily_bar),
    )


def test_a_row_of_an_option_chain_has_its_greeks():
    row = row_of(
        {
            "greeks": {"delta": 0.75, "gamma": 0.06, "rho": 0.01, "theta": -0.28, "vega": 0.05},
            "impliedVolatility": 0.3372405712050441,
            "latestQuote": {"ap": 4.3, "as": 91, "bp": 4.15, "bs": 16, "c": "A", "t": AT},
            "latestTrade": {"c": "I", "p": 4.1, "s": 1, "t": AT, "x": "A"},
        },
        OptionSnapshotRow,
    )

    found = option_quote_of(row, "AAPL240426C00162500", READING)

    assert ("0.75", "0.06", "-0.28", "0.05", "0.01", "0.3372405712050441") == tuple(
        str(number)
        for number in (found.delta, found.gamma, found.theta, found.vega, found.rho, found.iv)
    )
    assert (Decimal("4.15"), Decimal("4.1")) == (found.quote.bid_price, found.ticker.last_price)
    bare = option_quote_of(row_of({}, OptionSnapshotRow), "X", READING)
    assert OptionQuote(symbol="X") == bare


def test_a_perpetual_has_its_funding():
    document = {
        "pricing": {
            "BTCUSDT.P": {
                "fr": 0.000565699,
                "ft": "2022-05-27T16:00:00Z",
                "ip": 50702.8,
                "mp": 50652.3553,
                "oi": 90.7367,
                "t": "2022-05-27T10:18:00Z",
            }
        }
    }
    ((symbol, row),) = page_of(document, PricingPage).pricing.items()

    assert pricing_of(row, symbol, READING) == Ticker(
        symbol="BTCUSDT.P",
        mark_price=Decimal("50652.3553"),
        index_price=Decimal("50702.8"),
        open_interest=Decimal("90.7367"),
        funding_rate=Decimal("0.000565699"),
        next_funding_at_ns=parse_time("2022-05-27T16:00:00Z"),
        venue_time_ns=parse_time("2022-05-27T10:18:00Z"),
        **HEAD,
    )


PAGES = [
    pytest.param(quotes_in, QuotePage, "quotes", QUOTE, id="quotes"),
    pytest.param(trades_in, TradePage, "trades", TRADE, id="trades"),
    pytest.param(bars_in, BarPage, "bars", BAR, id="bars"),
]


@pytest.mark.parametrize(("rows_in", "shape", "word", "row"), PAGES)
def test_a_page_has_its_rows_by_symbol_in_either_shape(rows_in, shape, word, row):
    several = page_of({word: {"B": [row, None, row], "A": None, "C": [row]}}, shape)
    one = page_of({word: [row, row], "symbol": "A", "next_page_token": "x"}, shape)
    fragment = page_of({word: [row]}, shape)
    empty = [page_of(document, shape) for document in ({word: None, "symbol": "A"}, {word: {}}, {})]

    assert ["B", "B", "C"] == [symbol for symbol, _ in rows_in(several)]
    assert ["A", "A"] == [symbol for symbol, _ in rows_in(one)]
    assert ["?"] == [symbol for symbol, _ in rows_in(fragment, "?")]
    assert [[], [], []] == [[*rows_in(page)] for page in empty]
    assert ("x", None) == (one.next_page_token, several.next_page_token)


LATEST = [
    pytest.param(quotes_in, LatestQuotes, "quotes", "quote", QUOTE, id="quotes"),
    pytest.param(quotes_in, LatestQuotes, "xbbos", "xbbo", QUOTE, id="xbbos"),
    pytest.param(trades_in, LatestTrades, "trades", "trade", TRADE, id="trades"),
    pytest.param(bars_in, LatestBars, "bars", "bar", BAR, id="bars"),
]


@pytest.mark.parametrize(("rows_in", "shape", "several", "one", "row"), LATEST)
def test_the_newest_rows_come_in_either_shape(rows_in, shape, several, one, row):
    many = page_of({several: {"B": row, "A": None, "C": row}}, shape)
    single = page_of({one: row, "symbol": "A"}, shape)

    assert ["B", "C"] == [symbol for symbol, _ in rows_in(many)]
    assert ["A"] == [symbol for symbol, _ in rows_in(single)]
    assert [] == [*rows_in(page_of({several: None, one: None}, shape))]


def test_books_and_snapshots_come_by_symbol():
    books = page_of({"orderbooks": {"BTC/USD": {"b": None}, "X": None}}, LatestBooks)
    crypto = page_of({"snapshots": {"ETH/USD": SNAPSHOT}}, SnapshotPage)
    options = page_of(
        {"snapshots": {"O": {"greeks": None}}, "next_page_token": "n"}, OptionSnapshotPage
    )
    stocks = page_of({"AAPL": SNAPSHOT, "X": None}, dict[str, SnapshotRow | None])
    single = page_of({"symbol": "AAPL", **SNAPSHOT}, SymbolSnapshotRow)

    assert ["BTC/USD"] == [symbol for symbol, _ in books_in(books)]
    assert Decimal(12) == ticker_of(crypto.snapshots["ETH/USD"], "E", READING).open + 2
    assert ("n", ["O"]) == (options.next_page_token, [*options.snapshots])
    assert stocks["X"] is None
    assert "AAPL" == single.symbol
    assert stocks["AAPL"].latest_trade == single.latest_trade


def test_other_spellings_are_resolved_where_they_were_learned():
    symbols = SymbolBook()
    symbols.learn("BTC/USD", ["BTCUSD"])
    reading = Reading(
        provider="alpaca-paper", account_id="", received_at_ns=NOW_NS, symbols=symbols
    )

    assert "BTC/USD" == quote_of(row_of(QUOTE, QuoteRow), "BTCUSD", reading).symbol
    assert "ETHUSD" == quote_of(row_of(QUOTE, QuoteRow), "ETHUSD", reading).symbol


def test_rows_in_msgpack_are_the_same():
    packed = decode_packed(encode_packed({**QUOTE, "t": Stamp(AT_NS)}), QuoteRow)

    assert quote_of(row_of(QUOTE, QuoteRow), "A", READING) == quote_of(packed, "A", READING)


@pytest.mark.parametrize(
    ("read", "shape", "fields"),
    [
        pytest.param(quote_of, QuoteRow, {"bp": "x"}, id="quote with a word"),
        pytest.param(quote_of, QuoteRow, {"t": "now"}, id="quote of no time"),
        pytest.param(trade_of, TradeRow, {"s": 1}, id="print without price"),
        pytest.param(trade_of, TradeRow, {"p": 1}, id="print without size"),
        pytest.param(trade_of, TradeRow, {"p": 1, "s": 1, "i": [2]}, id="print whose id is a list"),
        pytest.param(depth_of, BookRow, {"b": [{}]}, id="book of an empty level"),
        pytest.param(pricing_of, PricingRow, {"fr": "high"}, id="pricing"),
        pytest.param(bar_in_minutes, BarRow, {**BAR, "n": 1.5}, id="bar of half a trade"),
        pytest.param(ticker_of, SnapshotRow, {"dailyBar": {"o": True}}, id="snapshot"),
        pytest.param(option_quote_of, OptionSnapshotRow, {"impliedVolatility": "x"}, id="option"),
        pytest.param(
            bar_in_minutes, BarRow, {"o": 1, "h": 1, "l": 1, "c": 1}, id="bar without time"
        ),
    ],
)
def test_a_row_that_lacks_what_it_is_about_is_undecodable(read, shape, fields):
    with pytest.raises(DecodeError, match="of A can't be read"):
        read(row_of(fields, shape), "A", READING)


@given(
    st.dictionaries(
        st.sampled_from(
            ["t", "p", "s", "i", "c", "tks", "o", "h", "l", "v", "n", "vw", "bp", "ap"]
        ),
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.integers()),
    )
)
def test_whatever_a_row_holds_it_is_read_or_undecodable(fields):
    reads = [
        (QuoteRow, quote_of),
        (TradeRow, trade_of),
        (BarRow, bar_in_minutes),
        (BookRow, depth_of),
    ]
    for shape, read in reads:
        try:
            found = read(row_of(fields, shape), "A", READING)
        except DecodeError:
            continue
        assert "A" == found.symbol
