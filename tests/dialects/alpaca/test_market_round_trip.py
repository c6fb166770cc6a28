"""What the dialect writes, the adapter reads as what it was."""

import json
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models import (
    Bar,
    Depth,
    Level,
    MarketStatus,
    Quote,
    Side,
    Ticker,
    Timeframe,
    Trade,
    TradeCorrection,
    TradingState,
)
from dragoman.transport.codec import decode
from dragoman_alpaca.dialect.market_frames import Items, SharedItems
from dragoman_alpaca.dialect.market_messages import Wanted
from dragoman_alpaca.dialect.market_rows import CRYPTO, STOCK, RowWriter
from dragoman_alpaca.dialect.market_text import JsonText, PackedText
from dragoman_alpaca.mapping.frames import DataFrames
from dragoman_alpaca.mapping.market import bar_of, depth_of, quote_of, trade_of
from dragoman_alpaca.mapping.reading import Reading
from dragoman_alpaca.wire.market import BarRow, BookRow, QuoteRow, TradeRow

HEARD_NS = 4_000_000_000_000_000_000
CHANNELS = "trades quotes bars updatedBars dailyBars statuses lulds orderbooks"
EVERYTHING = Wanted(dict.fromkeys(CHANNELS.split(), ("*",)))
COMMON = {"symbol": st.just("AAPL"), "provider": st.just("p"), "received_at_ns": st.just(HEARD_NS)}
TEXTS = pytest.mark.parametrize("text", [JsonText(), PackedText()], ids=["json", "msgpack"])

times = st.integers(min_value=0, max_value=HEARD_NS)
amounts = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places),
    st.integers(1, 10**15 - 1),
    st.integers(0, 9),
)
levels = st.lists(amounts, max_size=5, unique=True).map(sorted)
common = {**COMMON, "venue_time_ns": times}

quotes = st.builds(
    Quote,
    bid_price=amounts,
    bid_size=amounts,
    ask_price=amounts,
    ask_size=amounts,
    **common,
)
trades = st.builds(
    Trade,
    price=amounts,
    size=amounts,
    trade_id=st.integers(0, 2**63 - 1).map(str),
    aggressor=st.sampled_from(Side),
    **common,
)
stock_trades = trades.flatmap(
    lambda trade: st.lists(st.sampled_from("@ITX"), max_size=3).map(
        lambda codes: attrs.evolve(trade, aggressor=None, conditions=tuple(codes))
    )
)
bars = st.builds(
    Bar,
    timeframe=st.just(Timeframe.parse("1m")),
    open_time_ns=times,
    open=amounts,
    high=amounts,
    low=amounts,
    close=amounts,
    is_complete=st.just(True),
    volume=amounts,
    vwap=st.none() | amounts,
    trade_count=st.none() | st.integers(0, 10**9),
    **COMMON,
)
books = st.builds(
    lambda bids, asks, **rest: Depth(
        bids=tuple(Level(price, 1) for price in reversed(bids)),
        asks=tuple(Level(price, 2) for price in asks),
        **rest,
    ),
    bids=levels,
    asks=levels,
    is_snapshot=st.just(True),
    **common,
)
halts = st.builds(
    MarketStatus,
    state=st.just(TradingState.HALTED),
    reason=st.just("a word"),
    **common,
)
limits = st.builds(Ticker, price_floor=amounts, price_ceiling=amounts, **common)


def read_again(events, asset_class, text, tape="C"):
    """Write events as a frame of the dialect; return what the adapter reads in it."""
    writer = RowWriter(asset_class, "Q", tape)
    items = Items(SharedItems(text.item), lambda _: writer).of(events, EVERYTHING)
    return DataFrames(provider="p").decode(text.frame(items), HEARD_NS)


@TEXTS
@given(events=st.lists(st.one_of(quotes, trades, books), min_size=1, max_size=4))
def test_a_frame_of_crypto_is_read_as_what_it_was(text, events):
    assert tuple(events) == read_again(events, CRYPTO, text)


@TEXTS
@given(
    tape=st.sampled_from(["A", "B", "C", ""]),
    events=st.lists(st.one_of(quotes, stock_trades, halts, limits), min_size=1, max_size=4),
)
def test_a_frame_of_stocks_is_read_as_what_it_was(text, tape, events):
    assert tuple(events) == read_again(events, STOCK, text, tape)


@TEXTS
@given(tape=st.sampled_from(["A", "B", "C", ""]), halt=halts)
def test_a_halt_and_its_end_are_read_as_what_they_were(text, tape, halt):
    events = (halt, attrs.evolve(halt, state=TradingState.OPEN))

    assert events == read_again(events, STOCK, text, tape)


@TEXTS
@given(bar=bars)
def test_a_minute_and_its_correction_are_read_as_what_they_were(text, bar):
    assert (bar, bar) == read_again([bar, bar], STOCK, text)


@TEXTS
@given(bar=bars)
def test_a_day_under_way_is_read_as_what_it_was(text, bar):
    day = attrs.evolve(bar, timeframe=Timeframe.parse("1d"), is_complete=False)

    assert (day,) == read_again([day], STOCK, text)


@TEXTS
@given(trade=stock_trades, better=stock_trades)
def test_a_print_that_is_taken_back_is_read_as_what_it_was(text, trade, better):
    better = attrs.evolve(better, venue_time_ns=trade.venue_time_ns)
    taken = TradeCorrection(
        symbol="AAPL",
        trade_id=trade.trade_id,
        provider="p",
        received_at_ns=HEARD_NS,
        venue_time_ns=trade.venue_time_ns,
    )
    events = (trade, taken, attrs.evolve(taken, replacement=better))

    assert events == read_again(events, STOCK, text)


@given(quote=quotes, trade=trades, bar=bars, book=books)
def test_rows_of_answers_are_read_as_what_they_were(quote, trade, bar, book):
    writer, text = RowWriter(CRYPTO), JsonText()
    reading = Reading(provider="p", account_id="", received_at_ns=HEARD_NS)

    def row(written, kind):
        return decode(text.item(written), kind)

    assert quote == quote_of(row(writer.quote(quote), QuoteRow), "AAPL", reading)
    assert trade == trade_of(row(writer.trade(trade), TradeRow), "AAPL", reading)
    minute = bar_of(row(writer.bar(bar), BarRow), "AAPL", bar.timeframe, reading, is_complete=True)
    assert bar == minute
    assert book == depth_of(row(writer.depth(book), BookRow), "AAPL", reading)


@given(quote=quotes)
def test_amounts_in_json_keep_their_very_text(quote):
    found = json.loads(JsonText().item(RowWriter(CRYPTO).quote(quote)), parse_float=str)

    prices = (Decimal(found["bp"]).as_tuple(), Decimal(found["as"]).as_tuple())
    assert (quote.bid_price.as_tuple(), quote.ask_size.as_tuple()) == prices
