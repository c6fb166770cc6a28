from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import InvalidValueError
from dragoman.models import PriceSource, Timeframe, Window
from dragoman.money import total
from dragoman.paper.market import history
from dragoman.paper.market.bars import BarBuilder, bar_close_ns, bar_open_ns
from dragoman.paper.market.calendar import Calendar
from dragoman.paper.market.catalogue import default_instruments
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.market.scripted import ScriptedFeed
from dragoman.paper.market.walk import WalkFeed
from dragoman.paper.settings import Hours
from dragoman.times import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, format_time, parse_time

START_NS = parse_time("2026-02-02T15:10:17Z")
NOW_NS = START_NS + 2 * HOUR_NS + 123_456_789
LISTED = default_instruments(START_NS)
BY_NAME = {name: item for item in LISTED for name in (item.symbol, *item.aliases)}
FEED = WalkFeed(LISTED, seed=7, start_ns=START_NS)
REAL_FEED = WalkFeed(LISTED, seed=7, start_ns=START_NS, calendar=Calendar(Hours.REAL))
MARKETS = ["AAPL", "AAPL-CALL", "AAPL-PUT", "EURUSD", "BTC-PERP", "BTCUSD_PERP", "MES"]


def bars(timeframe, window, *, name="AAPL", feed=FEED, now_ns=NOW_NS, **options):
    length = Timeframe.parse(timeframe)
    return list(history.bars(feed, BY_NAME[name], length, window, now_ns=now_ns, **options))


def from_prints(timeframe, window, *, name, feed):
    """Build the bars of whole timeframes in the window from every print in it."""
    builder = BarBuilder(BY_NAME[name].symbol, Timeframe.parse(timeframe))
    made = [
        builder.add(trade.venue_time_ns, trade.price, trade.size)
        for trade in history.trades(feed, BY_NAME[name], window, now_ns=NOW_NS)
    ]
    rows = [*made, builder.close(NOW_NS) or builder.current]
    return [attrs.evolve(bar, turnover=None, vwap=None) for bar in rows if bar is not None]


def shape(bar):
    return (bar.open_time_ns, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.trade_count)


@pytest.mark.parametrize(
    ("timeframe", "instant", "opening", "closing"),
    [
        ("5m", "2026-02-02T14:34:59.999Z", "2026-02-02T14:30:00", "2026-02-02T14:35:00"),
        ("4h", "2026-02-02T15:00:00Z", "2026-02-02T12:00:00", "2026-02-02T16:00:00"),
        ("1d", "2026-02-02T14:30:00Z", "2026-02-02T00:00:00", "2026-02-03T00:00:00"),
        ("1w", "2026-02-08T23:59:59Z", "2026-02-02T00:00:00", "2026-02-09T00:00:00"),
        ("1M", "2026-02-28T12:00:00Z", "2026-02-01T00:00:00", "2026-03-01T00:00:00"),
        ("3M", "2026-12-31T12:00:00Z", "2026-10-01T00:00:00", "2027-01-01T00:00:00"),
    ],
)
def test_bars_begin_and_end_on_the_grid_of_utc(timeframe, instant, opening, closing):
    length = Timeframe.parse(timeframe)

    open_ns = bar_open_ns(length, parse_time(instant))

    assert f"{opening}.000000000Z" == format_time(open_ns)
    assert f"{closing}.000000000Z" == format_time(bar_close_ns(length, open_ns))


def test_a_builder_hands_out_each_bar_once_it_is_over():
    builder = BarBuilder("A", Timeframe.parse("1m"))
    prints = [(1, "10", "2"), (2, "12", "1"), (3, "9", "1"), (59, "11", "4")]

    made = [builder.add(s * SECOND_NS, Decimal(price), Decimal(size)) for s, price, size in prints]
    partial = builder.current
    done = builder.add(61 * SECOND_NS, Decimal(20), Decimal(1))

    assert [None] * 4 == made
    assert partial is not None
    assert not partial.is_complete
    assert (0, Decimal(10), Decimal(12), Decimal(9), Decimal(11), Decimal(8), 4) == shape(done)
    assert done.is_complete
    assert (Decimal(85), Decimal("10.625")) == (done.turnover, done.vwap)
    assert Decimal(20) == builder.current.open


def test_a_builder_makes_up_no_bars_for_quiet_spans():
    builder = BarBuilder("A", Timeframe.parse("1m"))
    builder.add(0, Decimal(1), Decimal(1))

    done = builder.add(10 * MINUTE_NS, Decimal(2), Decimal(1))

    assert 0 == done.open_time_ns
    assert 10 * MINUTE_NS == builder.current.open_time_ns


def test_a_builder_closes_a_bar_when_its_time_is_over():
    builder = BarBuilder("A", Timeframe.parse("1m"))
    builder.add(0, Decimal(1), Decimal(1))

    assert builder.close(MINUTE_NS - 1) is None
    assert builder.close(MINUTE_NS).is_complete
    assert builder.current is None
    assert builder.close(2 * MINUTE_NS) is None


@pytest.mark.parametrize("name", MARKETS)
@pytest.mark.parametrize("feed", [FEED, REAL_FEED], ids=["always", "real"])
@pytest.mark.parametrize("timeframe", ["1m", "15m", "1h"])
def test_bars_are_what_the_prints_inside_them_make(name, feed, timeframe):
    start_ns = START_NS // HOUR_NS * HOUR_NS - 3 * HOUR_NS
    window = Window(start_ns=start_ns, end_ns=NOW_NS + DAY_NS)

    found = bars(timeframe, window, name=name, feed=feed)

    expected = from_prints(timeframe, window, name=name, feed=feed)
    assert len(expected) > 2
    assert expected == [
        attrs.evolve(
            bar, provider="mock", received_at_ns=one.received_at_ns, venue_time_ns=one.venue_time_ns
        )
        for bar, one in zip(found, expected, strict=True)
    ]


@pytest.mark.parametrize("feed", [FEED, REAL_FEED], ids=["always", "real"])
@pytest.mark.parametrize(
    ("small", "large"), [("5m", "1h"), ("1h", "1d"), ("1d", "1w"), ("1d", "1M")]
)
def test_larger_bars_are_made_of_smaller_ones(small, large, feed):
    length = Timeframe.parse(large)
    open_ns = bar_open_ns(length, START_NS - 40 * DAY_NS)
    window = Window(start_ns=open_ns, end_ns=bar_close_ns(length, open_ns))

    parts = bars(small, window, feed=feed, name="EURUSD")
    (whole,) = bars(large, window, feed=feed, name="EURUSD")

    assert len(parts) > 3
    assert shape(whole) == (
        open_ns,
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        total(part.volume for part in parts),
        sum(part.trade_count for part in parts),
    )


@given(
    st.integers(-400 * MINUTE_NS, 200 * MINUTE_NS),
    st.integers(0, 300 * MINUTE_NS),
    st.integers(0, 300 * MINUTE_NS),
)
def test_a_window_cut_in_two_gives_the_same_rows(offset, first, second):
    start, middle = START_NS + offset, START_NS + offset + first
    end = middle + second

    whole = bars("5m", Window(start_ns=start, end_ns=end))
    halves = bars("5m", Window(start_ns=start, end_ns=middle)) + bars(
        "5m", Window(start_ns=middle, end_ns=end)
    )

    assert whole == halves


def test_nothing_later_than_now_is_told():
    window = Window(start_ns=START_NS, end_ns=NOW_NS + DAY_NS)
    apple = BY_NAME["AAPL"]

    found = bars("1h", window)

    assert [True, False] == [bar.is_complete for bar in found]
    assert (
        max(trade.venue_time_ns for trade in history.trades(FEED, apple, window, now_ns=NOW_NS))
        <= NOW_NS
    )
    assert (
        max(quote.venue_time_ns for quote in history.quotes(FEED, apple, window, now_ns=NOW_NS))
        <= NOW_NS
    )
    assert found[1].close == list(history.trades(FEED, apple, window, now_ns=NOW_NS))[-1].price


def test_history_joins_the_start_price():
    anchor_ns = START_NS // MINUTE_NS * MINUTE_NS
    window = Window(start_ns=anchor_ns - MINUTE_NS, end_ns=anchor_ns + MINUTE_NS)

    before, after = bars("1m", window)

    assert Decimal("190.00") == before.close == after.open


def test_history_reaches_back_ten_years_and_no_further():
    window = Window(start_ns=START_NS - 5_000 * DAY_NS)

    found = bars("1d", window, now_ns=START_NS)

    assert 3_660 == len(found)
    assert all(0 < bar.low <= bar.open <= bar.high for bar in found)


def test_the_limit_keeps_the_oldest_rows():
    window = Window(start_ns=START_NS, limit=3)

    for rows in (
        bars("1m", window),
        bars("1s", window),
        list(history.trades(FEED, BY_NAME["AAPL"], window, now_ns=NOW_NS)),
        list(history.quotes(FEED, BY_NAME["AAPL"], window, now_ns=NOW_NS)),
    ):
        assert 3 == len(rows)
    assert bars("1m", Window(start_ns=START_NS))[:3] == bars("1m", window)


def test_bars_of_a_quote_side_have_no_volume():
    window = Window(start_ns=START_NS // MINUTE_NS * MINUTE_NS, end_ns=START_NS + MINUTE_NS)

    (bid, _), (ask, _) = (
        bars("1m", window, price_source=source) for source in (PriceSource.BID, PriceSource.ASK)
    )

    assert bid.high < ask.high
    assert bid.low < ask.low
    assert (None, None, None) == (bid.volume, bid.vwap, bid.trade_count)
    assert PriceSource.BID is bid.price_source


def test_middle_prices_are_exact():
    prices = [Decimal("1.10"), Decimal("1.13")]
    tick = MarketTick(0, "AAPL", prices[0], Decimal(1), prices[1], Decimal(1))
    feed = ScriptedFeed([tick])

    (bar,) = bars("1m", Window(), feed=feed, price_source=PriceSource.MID)

    assert Decimal("1.115") == bar.close


def test_an_unknown_price_source_is_refused():
    with pytest.raises(InvalidValueError, match="price_source"):
        bars("1m", Window(), price_source=PriceSource.UNKNOWN)


def test_any_feed_with_a_past_has_bars():
    one = Decimal(1)
    ticks = [
        MarketTick(s * SECOND_NS, "AAPL", one, one, one, one, Decimal(s), one)
        for s in range(0, 150, 10)
    ]

    feed, now_ns = ScriptedFeed(ticks), 145 * SECOND_NS

    found = bars("1m", Window(start_ns=1), feed=feed, now_ns=now_ns)

    assert [(MINUTE_NS, 60, 110, True), (2 * MINUTE_NS, 120, 140, False)] == [
        (bar.open_time_ns, bar.open, bar.close, bar.is_complete) for bar in found
    ]


def test_a_contracts_last_bar_ends_with_it():
    ends_ns = START_NS // MINUTE_NS * MINUTE_NS + 90 * MINUTE_NS
    instrument = attrs.evolve(BY_NAME["MES"], expires_at_ns=ends_ns)
    feed = WalkFeed([instrument], seed=7, start_ns=START_NS)
    window = Window(start_ns=START_NS, end_ns=START_NS + DAY_NS)

    found = list(
        history.bars(feed, instrument, Timeframe.parse("1h"), window, now_ns=START_NS + DAY_NS)
    )

    assert ["2026-02-02T16:00:00"] == [format_time(bar.open_time_ns)[:19] for bar in found]
    assert 40 * feed.market(instrument.symbol).path.prints_of_minute == found[0].trade_count


def test_a_puts_high_comes_from_its_underlyings_low():
    market = FEED.market(BY_NAME["AAPL-PUT"].symbol)
    (day, *_) = market.path.nodes(START_NS + DAY_NS, START_NS + 2 * DAY_NS)

    opening, high, low, closing = market.node_prices(day)

    assert low < min(opening, closing) <= max(opening, closing) < high


def test_nodes_divide_down_to_the_minute():
    path = FEED.market("AAPL").path
    (day, *_) = path.nodes(START_NS + DAY_NS, START_NS + 2 * DAY_NS)

    hours = path.children(day)
    minutes = path.children(hours[3])

    assert (24, 60) == (len(hours), len(minutes))
    assert () == path.children(minutes[7])


def test_trade_ids_are_unique_per_symbol():
    window = Window(start_ns=START_NS, end_ns=START_NS + HOUR_NS)

    ids = [trade.trade_id for trade in history.trades(FEED, BY_NAME["MES"], window, now_ns=NOW_NS)]

    assert len(set(ids)) == len(ids) > 1_000
