"""Market data: what the rows of Alpaca's responses say of quotes, prints, bars, books and the day.

A row that lacks what its model needs, such as a print without a price, is a `DecodeError`; what a
venue may leave out is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from dragoman.errors import DecodeError, InvalidValueError
from dragoman.models import (
    Bar,
    OptionQuote,
    Quote,
    Ticker,
    Timeframe,
    TimeUnit,
    Trade,
)
from dragoman.times import from_datetime, to_datetime
from dragoman_alpaca.wire.market import (
    BarPage,
    BarRow,
    GreeksRow,
    QuotePage,
    TradePage,
    TradeRow,
)

from .ticks import instant_of, make_bar, make_depth, make_quote, make_trade, optional_amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dragoman.models import Depth
    from dragoman_alpaca.wire.market import (
        BookRow,
        LatestBars,
        LatestBooks,
        LatestQuotes,
        LatestTrades,
        OptionSnapshotRow,
        PricingRow,
        QuoteRow,
        SnapshotRow,
    )

    from .reading import Reading

__all__ = [
    "ONE_DAY",
    "ONE_MINUTE",
    "Snapshot",
    "bar_of",
    "bars_in",
    "books_in",
    "depth_of",
    "option_quote_of",
    "pricing_of",
    "quote_of",
    "quotes_in",
    "snapshot_of",
    "ticker_of",
    "trade_of",
    "trades_in",
]

ONE_MINUTE: Final = Timeframe(1, TimeUnit.MINUTE)
ONE_DAY: Final = Timeframe(1, TimeUnit.DAY)

Row = TypeVar("Row")
Part = TypeVar("Part", "QuoteRow", TradeRow, BarRow)

_NEVER: Final = "0001-01-01"


@attrs.frozen(kw_only=True)
class Snapshot:
    """The newest of each kind about one symbol; None where there was nothing."""

    quote: Quote | None
    trade: Trade | None
    minute_bar: Bar | None
    daily_bar: Bar | None
    previous_daily_bar: Bar | None
    ticker: Ticker


def quote_of(row: QuoteRow, symbol: str, reading: Reading) -> Quote:
    """Return a quote; a side whose price is 0 is missing, a size of 0 is not known.

    Raises:
        DecodeError: A number or the time is none.
    """
    name = reading.symbols.symbol_of(symbol)
    try:
        return make_quote(row, name, reading.provider, reading.received_at_ns)
    except ValueError as error:
        raise _unreadable("quote", name, error) from error


def trade_of(row: TradeRow, symbol: str, reading: Reading) -> Trade:
    """Return a print.

    Raises:
        DecodeError: It lacks price or size, or a number or the time is none.
    """
    name = reading.symbols.symbol_of(symbol)
    try:
        return make_trade(row, name, reading.provider, reading.received_at_ns)
    except ValueError as error:
        raise _unreadable("print", name, error) from error


def bar_of(
    row: BarRow,
    symbol: str,
    timeframe: Timeframe,
    reading: Reading,
    *,
    is_complete: bool | None = None,
) -> Bar:
    """Return a bar.

    `is_complete` says that nothing can change it any more but a correction; None: what its time
    says, which was over or not when it was received.

    Raises:
        DecodeError: It lacks a price or the time, or a number is none.
    """
    name = reading.symbols.symbol_of(symbol)
    now_ns = reading.received_at_ns
    try:
        bar = make_bar(row, name, timeframe, is_complete is not False, reading.provider, now_ns)
    except ValueError as error:
        raise _unreadable("bar", name, error) from error
    is_running = is_complete is None and _end_ns(bar) > now_ns
    return attrs.evolve(bar, is_complete=False) if is_running else bar


def depth_of(row: BookRow, symbol: str, reading: Reading, *, is_snapshot: bool = True) -> Depth:
    """Return a book, or what changed in it; the venue numbers neither.

    Raises:
        DecodeError: A level lacks price or size, or a number or the time is none.
    """
    name = reading.symbols.symbol_of(symbol)
    try:
        return make_depth(row, name, is_snapshot, reading.provider, reading.received_at_ns)
    except ValueError as error:
        raise _unreadable("book", name, error) from error


def ticker_of(row: SnapshotRow, symbol: str, reading: Reading) -> Ticker:
    """Return what a snapshot says of the day; its time is that of the newest print.

    Raises:
        DecodeError: A number or the time is none.
    """
    name = reading.symbols.symbol_of(symbol)
    trade = _there(row.latest_trade) or TradeRow()
    day, before = _there(row.daily_bar) or BarRow(), _there(row.prev_daily_bar) or BarRow()
    try:
        return Ticker(
            symbol=name,
            provider=reading.provider,
            received_at_ns=reading.received_at_ns,
            last_price=optional_amount(trade.p),
            last_size=optional_amount(trade.s),
            open=optional_amount(day.o),
            high=optional_amount(day.h),
            low=optional_amount(day.l),
            previous_close=optional_amount(before.c),
            volume=optional_amount(day.v),
            venue_time_ns=instant_of(trade.t),
        )
    except ValueError as error:
        raise _unreadable("snapshot", name, error) from error


def snapshot_of(row: SnapshotRow, symbol: str, reading: Reading) -> Snapshot:
    """Return all that a snapshot says; whether its bars are complete, their time tells.

    Raises:
        DecodeError: A part of it can't be read.
    """
    quote, trade = _there(row.latest_quote), _there(row.latest_trade)
    minute, day = _there(row.minute_bar), _there(row.daily_bar)
    before = _there(row.prev_daily_bar)
    return Snapshot(
        quote=None if quote is None else quote_of(quote, symbol, reading),
        trade=None if trade is None else trade_of(trade, symbol, reading),
        minute_bar=None if minute is None else bar_of(minute, symbol, ONE_MINUTE, reading),
        daily_bar=None if day is None else bar_of(day, symbol, ONE_DAY, reading),
        previous_daily_bar=None
        if before is None
        else bar_of(before, symbol, ONE_DAY, reading, is_complete=True),
        ticker=ticker_of(row, symbol, reading),
    )


def option_quote_of(row: OptionSnapshotRow, symbol: str, reading: Reading) -> OptionQuote:
    """Return one row of an option chain; the ticker is there if there was a print or a bar.

    Raises:
        DecodeError: A part of it can't be read.
    """
    name = reading.symbols.symbol_of(symbol)
    quote, greeks = _there(row.latest_quote), row.greeks or GreeksRow()
    has_day = _there(row.latest_trade) or _there(row.daily_bar) or _there(row.prev_daily_bar)
    try:
        return OptionQuote(
            symbol=name,
            quote=None if quote is None else quote_of(quote, name, reading),
            ticker=ticker_of(row, name, reading) if has_day else None,
            iv=optional_amount(row.implied_volatility),
            delta=optional_amount(greeks.delta),
            gamma=optional_amount(greeks.gamma),
            theta=optional_amount(greeks.theta),
            vega=optional_amount(greeks.vega),
            rho=optional_amount(greeks.rho),
        )
    except ValueError as error:
        raise _unreadable("option snapshot", name, error) from error


def pricing_of(row: PricingRow, symbol: str, reading: Reading) -> Ticker:
    """Return a perpetual's prices and funding.

    Raises:
        DecodeError: A number or a time is none.
    """
    name = reading.symbols.symbol_of(symbol)
    try:
        return Ticker(
            symbol=name,
            provider=reading.provider,
            received_at_ns=reading.received_at_ns,
            mark_price=optional_amount(row.mp),
            index_price=optional_amount(row.ip),
            open_interest=optional_amount(row.oi),
            funding_rate=optional_amount(row.fr),
            next_funding_at_ns=instant_of(row.ft),
            venue_time_ns=instant_of(row.t),
        )
    except ValueError as error:
        raise _unreadable("pricing", name, error) from error


def quotes_in(page: QuotePage | LatestQuotes, symbol: str = "") -> Iterator[tuple[str, QuoteRow]]:
    """Yield the quotes of a response in its order with their symbols; `symbol` if none is named."""
    name = page.symbol or symbol
    if isinstance(page, QuotePage):
        yield from _each(page.quotes, name)
        return
    yield from _each_newest(page.quotes, page.quote, name)
    yield from _each_newest(page.xbbos, page.xbbo, name)


def trades_in(page: TradePage | LatestTrades, symbol: str = "") -> Iterator[tuple[str, TradeRow]]:
    """Yield the prints of a response with their symbols, as `quotes_in` does."""
    name = page.symbol or symbol
    if isinstance(page, TradePage):
        yield from _each(page.trades, name)
    else:
        yield from _each_newest(page.trades, page.trade, name)


def bars_in(page: BarPage | LatestBars, symbol: str = "") -> Iterator[tuple[str, BarRow]]:
    """Yield the bars of a response with their symbols, as `quotes_in` does."""
    name = page.symbol or symbol
    if isinstance(page, BarPage):
        yield from _each(page.bars, name)
    else:
        yield from _each_newest(page.bars, page.bar, name)


def books_in(page: LatestBooks) -> Iterator[tuple[str, BookRow]]:
    """Yield the books of a response with their symbols, in its order."""
    yield from _each_newest(page.orderbooks, None, "")


def _each(
    rows: Mapping[str, Sequence[Row | None] | None] | Sequence[Row | None] | None, symbol: str
) -> Iterator[tuple[str, Row]]:
    by_symbol = rows if isinstance(rows, Mapping) else {symbol: rows}
    for name, some in by_symbol.items():
        for row in some or ():
            if row is not None:
                yield name, row


def _there(row: Part | None) -> Part | None:
    """Return a part of a snapshot; None for what stands where there was nothing.

    That is an object without fields, or one whose time is the first of the year 1.
    """
    if row is None or row == type(row)():
        return None
    return None if isinstance(row.t, str) and row.t.startswith(_NEVER) else row


def _each_newest(
    rows: Mapping[str, Row | None] | None, only: Row | None, symbol: str
) -> Iterator[tuple[str, Row]]:
    for name, row in (*(rows or {}).items(), (symbol, only)):
        if row is not None:
            yield name, row


def _end_ns(bar: Bar) -> int:
    """Return when a bar's time is over; a month lasts until the same day of a later one."""
    length_ns = bar.timeframe.length_ns
    if length_ns is not None:
        return bar.open_time_ns + length_ns
    opened = to_datetime(bar.open_time_ns)
    years, month = divmod(opened.month - 1 + bar.timeframe.count, 12)
    return from_datetime(opened.replace(year=opened.year + years, month=month + 1, day=1))


def _unreadable(what: str, symbol: str, error: ValueError) -> DecodeError:
    violations = error.violations if isinstance(error, InvalidValueError) else ()
    return DecodeError(f"a {what} of {symbol} can't be read: {error}", violations=violations)
