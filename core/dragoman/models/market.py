"""Market data: what a venue tells everybody. Each class is an event by itself.

Sizes are in units of the instrument, prices in its quote currency. `venue_time_ns` is never
invented. These are the hot classes: they check types only where that costs nothing per event.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from .checks import check_text
from .enums import PriceSource, Side, TradingState
from .instants import InstantView, OptionalInstantView
from .values import Level, Timeframe

__all__ = [
    "Bar",
    "Depth",
    "MarketEvent",
    "MarketStatus",
    "Quote",
    "Ticker",
    "Trade",
    "TradeCorrection",
]


@attrs.frozen(kw_only=True)
class Quote:
    """The complete top of the book; a missing side is None."""

    symbol: str
    provider: str
    received_at_ns: int
    bid_price: Decimal | None = None
    bid_size: Decimal | None = None
    ask_price: Decimal | None = None
    ask_size: Decimal | None = None
    is_tradable: bool | None = None
    venue_time_ns: int | None = None
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    received_at: ClassVar[InstantView] = InstantView()
    venue_time: ClassVar[OptionalInstantView] = OptionalInstantView()


@attrs.frozen(kw_only=True)
class Trade:
    """A public print."""

    symbol: str
    price: Decimal
    size: Decimal
    provider: str
    received_at_ns: int
    trade_id: str | None = None
    aggressor: Side | None = None
    conditions: tuple[str, ...] = ()
    venue_time_ns: int | None = None
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    received_at: ClassVar[InstantView] = InstantView()
    venue_time: ClassVar[OptionalInstantView] = OptionalInstantView()


@attrs.frozen(kw_only=True)
class TradeCorrection:
    """A print taken back; `replacement` is what holds instead, None when it is canceled."""

    symbol: str
    trade_id: str
    provider: str
    received_at_ns: int
    replacement: Trade | None = None
    venue_time_ns: int | None = None
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    received_at: ClassVar[InstantView] = InstantView()
    venue_time: ClassVar[OptionalInstantView] = OptionalInstantView()


@attrs.frozen(kw_only=True)
class Bar:
    """Prices over a timeframe from `open_time_ns`.

    The same open time again is a correction that replaces.
    """

    symbol: str
    timeframe: Timeframe
    open_time_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    is_complete: bool
    provider: str
    received_at_ns: int
    volume: Decimal | None = None
    turnover: Decimal | None = None
    vwap: Decimal | None = None
    trade_count: int | None = None
    price_source: PriceSource = PriceSource.LAST
    venue_time_ns: int | None = None
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    open_time: ClassVar[InstantView] = InstantView()
    received_at: ClassVar[InstantView] = InstantView()
    venue_time: ClassVar[OptionalInstantView] = OptionalInstantView()


@attrs.frozen(kw_only=True)
class Depth:
    """Levels of the book, best first: whole (`is_snapshot`) or changed ones.

    A delta applies if and only if its `previous_sequence` is the last `sequence` applied.
    """

    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    is_snapshot: bool
    provider: str
    received_at_ns: int
    sequence: int | None = None
    previous_sequence: int | None = None
    venue_time_ns: int | None = None
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    received_at: ClassVar[InstantView] = InstantView()
    venue_time: ClassVar[OptionalInstantView] = OptionalInstantView()


@attrs.frozen(kw_only=True)
class Ticker:
    """All else about an instrument's state: the day, open interest, mark, funding, price limits."""

    symbol: str
    provider: str
    received_at_ns: int
    last_price: Decimal | None = None
    last_size: Decimal | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    previous_close: Decimal | None = None
    volume: Decimal | None = None
    turnover: Decimal | None = None
    open_interest: Decimal | None = None
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    funding_rate: Decimal | None = None
    next_funding_at_ns: int | None = None
    price_floor: Decimal | None = None
    price_ceiling: Decimal | None = None
    venue_time_ns: int | None = None
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    received_at: ClassVar[InstantView] = InstantView()
    next_funding_at: ClassVar[OptionalInstantView] = OptionalInstantView()
    venue_time: ClassVar[OptionalInstantView] = OptionalInstantView()


@attrs.frozen(kw_only=True)
class MarketStatus:
    """What a market lets one do now; `symbol` None is the whole market."""

    state: TradingState
    provider: str
    received_at_ns: int
    symbol: str | None = attrs.field(default=None, validator=attrs.validators.optional(check_text))
    reason: str | None = None
    resumes_at_ns: int | None = None
    venue_time_ns: int | None = None
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    received_at: ClassVar[InstantView] = InstantView()
    resumes_at: ClassVar[OptionalInstantView] = OptionalInstantView()
    venue_time: ClassVar[OptionalInstantView] = OptionalInstantView()


MarketEvent = Quote | Trade | TradeCorrection | Bar | Depth | Ticker | MarketStatus
