"""What the data plane answers: quotes, prints, bars, books and snapshots.

Bodies by symbol, of one symbol, and rows cut out of either are read alike; a row that names no
symbol is about the one that the context says. Bars do not say how long they are: one minute, as the
latest and the streamed ones, unless the context says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import msgspec

from dragoman.decoding import PayloadKind, Shape, each_of
from dragoman_alpaca.mapping.market import (
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
    trade_of,
    trades_in,
)
from dragoman_alpaca.wire.market import (
    BarPage,
    BarRow,
    BookRow,
    LatestBars,
    LatestBooks,
    LatestQuotes,
    LatestTrades,
    LevelRow,
    OptionSnapshotPage,
    OptionSnapshotRow,
    PricingPage,
    PricingRow,
    QuotePage,
    QuoteRow,
    SnapshotRow,
    SymbolSnapshotRow,
    TradePage,
    TradeRow,
)

from .documents import fields_of, read_as, read_document, reading_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dragoman.decoding import Decode, Likeness, PayloadContext
    from dragoman_alpaca.mapping.reading import Reading

__all__ = ["MARKET"]

_Rows: TypeAlias = "Callable[[Any, str], Iterable[tuple[str, Any]]]"
_Meaning: TypeAlias = "Callable[[Any, str, PayloadContext], object]"

_OF_OTHERS: Final = "T stream action order_class message"


def _quote(row: QuoteRow, symbol: str, context: PayloadContext) -> object:
    return quote_of(row, symbol, reading_of(context))


def _trade(row: TradeRow, symbol: str, context: PayloadContext) -> object:
    return trade_of(row, symbol, reading_of(context))


def _bar(row: BarRow, symbol: str, context: PayloadContext) -> object:
    return bar_of(row, symbol, context.timeframe or ONE_MINUTE, reading_of(context))


def _book(row: BookRow, symbol: str, context: PayloadContext) -> object:
    return depth_of(row, symbol, reading_of(context))


def _pricing(row: PricingRow, symbol: str, context: PayloadContext) -> object:
    return pricing_of(row, symbol, reading_of(context))


def _one(row: type[Any], meaning: _Meaning) -> Decode:
    """Return what reads a row that stands alone."""

    def decode(data: bytes, context: PayloadContext) -> Sequence[object]:
        return (meaning(read_as(data, row), context.symbol, context),)

    return decode


def _many(list_of: type[list[Any]], meaning: _Meaning) -> Decode:
    """Return what reads rows in a list without their symbol."""

    def decode(data: bytes, context: PayloadContext) -> Sequence[object]:
        rows = read_as(data, list_of)
        return [meaning(one, context.symbol, context) for one in rows if one is not None]

    return decode


def _body(  # noqa: PLR0917 - one row of the table below for each kind of row
    name: str, row: type[Any], page: type[Any], latest: type[Any], rows: _Rows, meaning: _Meaning
) -> Decode:
    """Return what reads the bodies around rows: pages of history, and the latest.

    Args:
        name: What one is called; several are called the same with an "s".
        row: One.
        page: A page of history.
        latest: The latest of each symbol, or of one.
        rows: Takes a body apart into rows with their symbols.
        meaning: What a row means.
    """

    def decode(data: bytes, context: PayloadContext) -> Sequence[object]:
        document = read_document(data)
        is_object = isinstance(document, Mapping)
        fields = cast("Mapping[str, object]", document if is_object else {})
        pairs: Iterable[tuple[str, Any]]
        if _is_by_symbol(fields.get(name)):
            # Seen in a client's tests of the latest of several symbols: the name of one.
            inner = read_as(data, dict[str, msgspec.Raw])[name]
            each = read_as(bytes(inner), dict[str, msgspec.Raw])
            pairs = ((symbol, read_as(bytes(one), row)) for symbol, one in each.items())
        else:
            shape = latest if _is_latest(fields, name) else page
            pairs = rows(read_as(data, shape), context.symbol)
        return [meaning(one, symbol or context.symbol, context) for symbol, one in pairs]

    return decode


def _is_by_symbol(rows: object) -> bool:
    if not isinstance(rows, Mapping) or not rows:
        return False
    return all(isinstance(row, Mapping) for row in cast("Mapping[str, object]", rows).values())


def _is_latest(fields: Mapping[str, object], name: str) -> bool:
    """Tell whether a body has one row for each symbol, not a list."""
    if f"{name}s" not in fields:
        return True
    rows = fields[f"{name}s"]
    return _is_by_symbol(rows)


def _books(data: bytes, context: PayloadContext) -> Sequence[object]:
    return [_book(row, symbol, context) for symbol, row in books_in(read_as(data, LatestBooks))]


def _levels(data: bytes, context: PayloadContext) -> Sequence[object]:
    row = BookRow(b=[read_as(data, LevelRow)])
    return depth_of(row, context.symbol, reading_of(context), is_snapshot=False).bids


def _prices(data: bytes, context: PayloadContext) -> Sequence[object]:
    rows = read_as(data, PricingPage).pricing or {}
    return [_pricing(row, symbol, context) for symbol, row in rows.items() if row is not None]


def _parts(row: SnapshotRow, symbol: str, reading: Reading) -> Iterator[object]:
    """Yield what a snapshot holds: the day first, then the newest of each kind."""
    found = snapshot_of(row, symbol, reading)
    yield found.ticker
    parts = (found.quote, found.trade, found.minute_bar, found.daily_bar, found.previous_daily_bar)
    yield from [part for part in parts if part is not None]


def _snapshot(data: bytes, context: PayloadContext) -> Sequence[object]:
    row = read_as(data, SymbolSnapshotRow)
    return [*_parts(row, row.symbol or context.symbol, reading_of(context))]


def _option_snapshot(data: bytes, context: PayloadContext) -> Sequence[object]:
    row = read_as(data, OptionSnapshotRow)
    return (option_quote_of(row, context.symbol, reading_of(context)),)


def _stock_snapshots(data: bytes, context: PayloadContext) -> Sequence[object]:
    rows, reading = read_as(data, dict[str, SnapshotRow | None]), reading_of(context)
    found: list[object] = []
    for symbol, row in rows.items():
        if row is not None:
            found += _parts(row, symbol, reading)
    return found


def _snapshots(data: bytes, context: PayloadContext) -> Sequence[object]:
    """Read snapshots of crypto, or of options: those have greeks, no bars, or exchanges."""
    looked_at = _rows_of(_rows_of(read_document(data)).get("snapshots"))
    rows, reading = read_as(data, OptionSnapshotPage).snapshots or {}, reading_of(context)
    found: list[object] = []
    for symbol, row in rows.items():
        if row is None:
            continue
        if _is_option(row, _rows_of(looked_at.get(symbol))):
            found.append(option_quote_of(row, symbol, reading))
        else:
            found += _parts(row, symbol, reading)
    return found


def _is_option(row: OptionSnapshotRow, looked_at: Mapping[str, object]) -> bool:
    if row.greeks is not None or row.implied_volatility is not None:
        return True
    if not (row.minute_bar or row.daily_bar or row.prev_daily_bar):
        return True
    return not {"ax", "bx"}.isdisjoint(_rows_of(looked_at.get("latestQuote")))


def _rows_of(document: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", document) if isinstance(document, Mapping) else {}


def _each_value(likeness: Likeness) -> Likeness:
    """Return how much an object looks like such documents under names that may be anything."""

    def of_values(document: object) -> float:
        if not isinstance(document, Mapping) or not document:
            return 0.0
        rows = [*cast("Mapping[str, object]", document).values()]
        return each_of(likeness)(rows) if any(row is not None for row in rows) else 0.0

    return of_values


def _bars_alone(document: object) -> float:
    """Return how much a document looks like lists of bars under symbols, and nothing else."""
    if not isinstance(document, Mapping) or {"bar", "bars"} & document.keys():
        return 0.0
    lists = [*cast("Mapping[str, object]", document).values()]
    if not any(lists):
        return 0.0
    return min(each_of(_BAR)(one) for one in lists)


def _bars_by_symbol(data: bytes, context: PayloadContext) -> Sequence[object]:
    rows = read_as(data, dict[str, list[BarRow | None]])
    return [
        _bar(one, symbol, context)
        for symbol, some in rows.items()
        for one in some
        if one is not None
    ]


def _around(name: str) -> Likeness:
    """Return the looks of the bodies around one kind of row: by symbol, of one, or the latest."""
    return Shape.of(
        *(f"{name}s", name),
        names=("symbol", "next_page_token", "currency"),
        lacks=f"{_OF_OTHERS} id",
    )


_QUOTE: Final = Shape.of(
    *("bp ap", "bp bs", "ap as", "bp t", "ap t"),
    names=("ax", "bx", "c", "z", "x", *fields_of(QuoteRow)),
    lacks=f"{_OF_OTHERS} mp p",
)
_TRADE: Final = Shape.of(
    *("p s t", "p s i", "p s x", "p t i"),
    names=("x", "z", *fields_of(TradeRow)),
    lacks=f"{_OF_OTHERS} bp ap o h",
)
_BAR: Final = Shape.of(
    *("o c", "h l", "o h", "l c", "c v t"),
    names=("x", *fields_of(BarRow)),
    lacks=f"{_OF_OTHERS} p bp ap d",
    where=lambda fields: not isinstance(fields.get("o"), (str, list)),
)
_BOOK: Final = Shape.of(
    *("a b", "a t", "b t"),
    names=fields_of(BookRow),
    lacks=f"{_OF_OTHERS} p bp",
    where=lambda fields: all(isinstance(fields.get(side) or [], list) for side in "ab"),
)
_SNAPSHOT: Final = Shape.of(
    *("latestTrade", "latestQuote", "minuteBar", "dailyBar", "prevDailyBar"),
    names=fields_of(SymbolSnapshotRow),
    lacks=f"{_OF_OTHERS} greeks impliedVolatility",
)
_OPTION_SNAPSHOT: Final = Shape.of(
    *("greeks", "impliedVolatility"), names=fields_of(OptionSnapshotRow), lacks=_OF_OTHERS
)
_PRICING: Final = Shape.of(
    *("fr", "mp ip", "oi ip", "ft"), names=fields_of(PricingRow), lacks=f"{_OF_OTHERS} bp"
)

MARKET: Final = (
    PayloadKind(
        name="quotes",
        title="Quotes by symbol or of one: a page of history, or the latest",
        likeness=_around("quote"),
        decode=_body("quote", QuoteRow, QuotePage, LatestQuotes, quotes_in, _quote),
    ),
    PayloadKind(
        name="best_quotes",
        title="The latest quotes that are the best of several markets: xbbo",
        likeness=_around("xbbo"),
        decode=_body("xbbo", QuoteRow, LatestQuotes, LatestQuotes, quotes_in, _quote),
    ),
    PayloadKind(
        name="quote",
        title="A quote without its symbol",
        likeness=_QUOTE,
        decode=_one(QuoteRow, _quote),
    ),
    PayloadKind(
        name="trades",
        title="Prints by symbol or of one: a page of history, or the latest",
        likeness=_around("trade"),
        decode=_body("trade", TradeRow, TradePage, LatestTrades, trades_in, _trade),
    ),
    PayloadKind(
        name="trade",
        title="A print without its symbol",
        likeness=_TRADE,
        decode=_one(TradeRow, _trade),
    ),
    PayloadKind(
        name="bars",
        title="Bars by symbol or of one: a page of history, or the latest",
        likeness=_around("bar"),
        decode=_body("bar", BarRow, BarPage, LatestBars, bars_in, _bar),
        note="bars do not say how long they are: 1m unless told",
    ),
    PayloadKind(
        name="bars_by_symbol",
        title="Bars by symbol with nothing around them, as the first API for market data had it",
        likeness=_bars_alone,
        decode=_bars_by_symbol,
        note="bars do not say how long they are: 1m unless told",
    ),
    PayloadKind(
        name="bar",
        title="A bar without its symbol",
        likeness=_BAR,
        decode=_one(BarRow, _bar),
        note="bars do not say how long they are: 1m unless told",
    ),
    PayloadKind(
        name="bar_rows",
        title="Bars without their symbol, in a list",
        likeness=each_of(_BAR),
        decode=_many(list[BarRow | None], _bar),
        note="bars do not say how long they are: 1m unless told",
    ),
    PayloadKind(
        name="quote_rows",
        title="Quotes without their symbol, in a list",
        likeness=each_of(_QUOTE),
        decode=_many(list[QuoteRow | None], _quote),
    ),
    PayloadKind(
        name="trade_rows",
        title="Prints without their symbol, in a list",
        likeness=each_of(_TRADE),
        decode=_many(list[TradeRow | None], _trade),
    ),
    PayloadKind(
        name="orderbooks",
        title="Whole order books by symbol: crypto",
        likeness=_around("orderbook"),
        decode=_books,
    ),
    PayloadKind(
        name="orderbook",
        title="An order book without its symbol",
        likeness=_BOOK,
        decode=_one(BookRow, _book),
    ),
    PayloadKind(
        name="level",
        title="One level of an order book",
        likeness=Shape.of("p s", lacks="t i x T"),
        decode=_levels,
    ),
    PayloadKind(
        name="snapshot",
        title="The newest of each kind: GET /v2/stocks/{symbol}/snapshot",
        likeness=_SNAPSHOT,
        decode=_snapshot,
    ),
    PayloadKind(
        name="stock_snapshots",
        title="The newest of each kind by symbol: GET /v2/stocks/snapshots",
        likeness=_each_value(_SNAPSHOT),
        decode=_stock_snapshots,
    ),
    PayloadKind(
        name="snapshots",
        title="The newest of each kind by symbol: crypto, and options with their greeks",
        likeness=_around("snapshot"),
        decode=_snapshots,
    ),
    PayloadKind(
        name="option_snapshot",
        title="The newest about one option, without its symbol",
        likeness=_OPTION_SNAPSHOT,
        decode=_option_snapshot,
    ),
    PayloadKind(
        name="pricing",
        title="Marks, indices and funding of perpetuals by symbol",
        likeness=_around("pricing"),
        decode=_prices,
    ),
    PayloadKind(
        name="price",
        title="Mark, index and funding of a perpetual without its symbol",
        likeness=_PRICING,
        decode=_one(PricingRow, _pricing),
    ),
)
"""Bodies of the data plane's responses, and the rows in them."""
