"""One message, one event: what runs for each quote, print, bar and book of a stream.

These functions look up, build, and do nothing else; the ones that `market` offers for the rows of a
response stand on them. Each raises `ValueError` for a row that lacks what its event needs: what a
bad message becomes is for the caller to say. Quotes, prints and bars take their arguments by
position, since binding keywords would cost as much as the building.
"""

from __future__ import annotations

import re
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Final, cast

from dragoman.errors import InvalidValueError
from dragoman.models import Bar, Depth, Level, Quote, Side, Trade
from dragoman.models.trusted import builder
from dragoman.times import MILLISECOND_NS, SECOND_NS, parse_time
from dragoman.transport.codec import amount_of, known_amounts
from dragoman.transport.packed import read_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dragoman.models import Timeframe
    from dragoman.transport.codec import Numeral
    from dragoman_alpaca.wire.market import (
        BarRow,
        BookRow,
        ConditionCodes,
        LevelRow,
        QuoteRow,
        TradeRow,
        WrittenTime,
    )

__all__ = [
    "conditions_of",
    "instant_of",
    "make_bar",
    "make_depth",
    "make_quote",
    "make_trade",
    "optional_amount",
    "text_of",
]

_quote: Final = builder(Quote)
_trade: Final = builder(Trade)
_bar: Final = builder(Bar)
_depth: Final = builder(Depth)
_level: Final[Callable[[Decimal, Decimal], Level]] = builder(Level)
"""Their fields are numbers, times and words that were read here and have nothing left to check."""

_NUMBERS: Final = frozenset({int, float, str})
_TAKERS: Final = {"B": Side.BUY, "S": Side.SELL}
_HAS_OFFSET: Final = re.compile(r"(?:[Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
_EPOCH_SCALES: Final = (SECOND_NS, MILLISECOND_NS, 1_000, 1)
_EPOCH_FROM: Final = 100_000_000 * SECOND_NS
_EPOCH_UNTIL: Final = 100_000_000_000 * SECOND_NS
"""From 1973 to 5138: whichever of the scales leads there is the one that was meant."""
_price_of: Final[Callable[[Level], Decimal]] = attrgetter("price")


def make_quote(row: QuoteRow, symbol: str, provider: str, received_at_ns: int) -> Quote:
    """Build a quote; a side whose price is 0 is missing, a size of 0 is not known."""
    bid, bids, ask, asks, at = row.bp, row.bs, row.ap, row.as_, row.t
    if type(bid) is not Decimal:
        bid = known_amounts[bid] if type(bid) in _NUMBERS else optional_amount(bid)
    if type(bids) is not Decimal:
        bids = known_amounts[bids] if type(bids) in _NUMBERS else optional_amount(bids)
    if type(ask) is not Decimal:
        ask = known_amounts[ask] if type(ask) in _NUMBERS else optional_amount(ask)
    if type(asks) is not Decimal:
        asks = known_amounts[asks] if type(asks) in _NUMBERS else optional_amount(asks)
    if not bid:
        bid = bids = None
    if not ask:
        ask = asks = None
    try:
        at_ns = parse_time(at) if type(at) is str else instant_of(at)
    except InvalidValueError:
        at_ns = instant_of(at)
    return _quote(
        symbol, provider, received_at_ns, bid, bids or None, ask, asks or None, None, at_ns
    )


def make_trade(row: TradeRow, symbol: str, provider: str, received_at_ns: int) -> Trade:
    """Build a print."""
    price, size, trade_id, codes, at = row.p, row.s, row.i, row.c, row.t
    try:
        at_ns = parse_time(at) if type(at) is str else instant_of(at)
    except InvalidValueError:
        at_ns = instant_of(at)
    return _trade(
        symbol,
        price if type(price) is Decimal else amount_of(price),
        # Sizes are few; unlike volumes, they are found more often than not.
        known_amounts[size] if type(size) is int else amount_of(size),
        provider,
        received_at_ns,
        str(trade_id) if type(trade_id) is int else text_of(trade_id),
        None if row.tks is None else _TAKERS.get(row.tks),
        codes if type(codes) is tuple and None not in codes else conditions_of(codes),
        at_ns,
    )


def make_bar(  # noqa: PLR0917 - by position, as the module says
    row: BarRow,
    symbol: str,
    timeframe: Timeframe,
    is_complete: bool,  # noqa: FBT001 - likewise
    provider: str,
    received_at_ns: int,
) -> Bar:
    """Build a bar."""
    opened, high, low, close, at = row.o, row.h, row.l, row.c, row.t
    volume, average, count = row.v, row.vw or None, row.n  # an average of nothing is none
    try:
        at_ns = parse_time(at) if type(at) is str else instant_of(at)
    except InvalidValueError:
        at_ns = instant_of(at)
    if at_ns is None:
        raise ValueError("a bar without time")
    return _bar(
        symbol,
        timeframe,
        at_ns,
        opened if type(opened) is Decimal else amount_of(opened),
        high if type(high) is Decimal else amount_of(high),
        low if type(low) is Decimal else amount_of(low),
        close if type(close) is Decimal else amount_of(close),
        is_complete,
        provider,
        received_at_ns,
        volume if type(volume) is Decimal else optional_amount(volume),
        None,
        average if type(average) is Decimal else optional_amount(average),
        count if type(count) is int else _count(count),
    )


def make_depth(
    row: BookRow,
    symbol: str,
    is_snapshot: bool,  # noqa: FBT001 - by position, as the module says
    provider: str,
    received_at_ns: int,
) -> Depth:
    """Build a book, or what changed in it; in a book, a level of size 0 is none."""
    bids, asks = _levels(row.b or ()), _levels(row.a or ())
    if is_snapshot:
        bids = [level for level in bids if level.size]
        asks = [level for level in asks if level.size]
    bids.sort(key=_price_of, reverse=True)
    asks.sort(key=_price_of)
    return _depth(
        symbol,
        tuple(bids),
        tuple(asks),
        is_snapshot,
        provider,
        received_at_ns,
        venue_time_ns=instant_of(row.t),
    )


def optional_amount(number: Numeral) -> Decimal | None:
    """Read a number that may be missing, or be an empty text for that."""
    return None if number is None or number == "" else amount_of(number)


def instant_of(at: WrittenTime) -> int | None:
    """Read a time that may be missing: text, a number of the epoch, or as MessagePack has it.

    Text without an offset is UTC, as all that the venue writes of markets.
    """
    if at is None or at == "":
        return None
    if isinstance(at, str):
        return parse_time(at if _HAS_OFFSET.search(at) else f"{at}Z")
    if isinstance(at, int):
        return _since_epoch(at)
    return read_stamp(at)


def conditions_of(codes: ConditionCodes) -> tuple[str, ...]:
    """Read condition codes: several, one alone (of an option), or none."""
    if isinstance(codes, tuple):
        is_whole = None not in codes
        return cast("tuple[str, ...]", codes) if is_whole else tuple(filter(None, codes))
    return (codes,) if codes else ()


def text_of(number: Numeral) -> str | None:
    """Read an id that is written as a number, or as text."""
    if number is None or type(number) is str:
        return number
    if type(number) is int:
        return str(number)
    raise ValueError("no id")


def _since_epoch(count: int) -> int:
    """Read a time of today's magnitude: seconds, or thousandths, millionths, billionths of them."""
    for scale_ns in _EPOCH_SCALES:
        instant_ns = count * scale_ns
        if _EPOCH_FROM <= instant_ns < _EPOCH_UNTIL:
            return instant_ns
    raise ValueError("no time")


def _levels(rows: Iterable[LevelRow | None]) -> list[Level]:
    return [
        _level(
            row.p if type(row.p) is Decimal else amount_of(row.p),
            row.s if type(row.s) is Decimal else amount_of(row.s),
        )
        for row in rows
        if row is not None
    ]


def _count(number: Numeral) -> int | None:
    count = optional_amount(number)
    if count is None:
        return None
    if count != int(count):
        raise ValueError("no count")
    return int(count)
