"""Alpaca's words for what orders are made of, and its times, in the library's.

Source: Alpaca Trading API, OpenAPI document, checked 2026-06-15, unless a table says otherwise.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from dragoman.errors import InvalidValueError
from dragoman.models.enums import (
    OrderEventKind,
    OrderStatus,
    OrderType,
    PendingAction,
    PositionEffect,
    Side,
    TimeInForce,
)
from dragoman.times import EARLIEST_NS, from_datetime, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "EFFECTS",
    "EVENTS",
    "NEW_YORK",
    "ORDER_TYPES",
    "PENDING",
    "SIDES",
    "STATUSES",
    "TIMES_IN_FORCE",
    "new_york_time",
    "order_type_word",
    "time_of",
]

NEW_YORK: Final = ZoneInfo("America/New_York")
_CLOCK: Final = re.compile(r"(\d\d)(?::?(\d\d)(?::?\d\d)?)?\Z", re.ASCII)

STATUSES: Final[Mapping[str, OrderStatus]] = {
    "accepted": OrderStatus.PENDING,
    "pending_new": OrderStatus.PENDING,
    "accepted_for_bidding": OrderStatus.PENDING,
    "held": OrderStatus.HELD,
    "done_for_day": OrderStatus.HELD,
    "suspended": OrderStatus.HELD,
    "new": OrderStatus.OPEN,
    "stopped": OrderStatus.OPEN,
    "calculated": OrderStatus.OPEN,
    "pending_cancel": OrderStatus.OPEN,
    "pending_replace": OrderStatus.OPEN,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
    "replaced": OrderStatus.OPEN,
}
"""What is `replaced` lives on as another order; that one says how the intent stands."""

PENDING: Final[Mapping[str, PendingAction]] = {
    "pending_cancel": PendingAction.CANCEL,
    "pending_replace": PendingAction.REPLACE,
    "replaced": PendingAction.REPLACE,
}
"""To whom sees only the order that is `replaced`, the replace is still on its way."""

ORDER_TYPES: Final[Mapping[str, OrderType]] = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
    "trailing_stop": OrderType.TRAILING_STOP,
}

TIMES_IN_FORCE: Final[Mapping[str, TimeInForce]] = {
    "day": TimeInForce.DAY,
    "gtc": TimeInForce.GTC,
    "opg": TimeInForce.OPG,
    "cls": TimeInForce.CLS,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
}

SIDES: Final[Mapping[str, Side]] = {
    "buy": Side.BUY,
    "sell": Side.SELL,
    "sell_short": Side.SELL,
}
"""Executions of short sales say `sell_short`; orders never do."""

EFFECTS: Final[Mapping[str, tuple[Side, PositionEffect]]] = {
    "buy_to_open": (Side.BUY, PositionEffect.OPEN),
    "buy_to_close": (Side.BUY, PositionEffect.CLOSE),
    "sell_to_open": (Side.SELL, PositionEffect.OPEN),
    "sell_to_close": (Side.SELL, PositionEffect.CLOSE),
}

EVENTS: Final[Mapping[str, OrderEventKind | None]] = {
    "accepted": OrderEventKind.SUBMITTED,
    "pending_new": OrderEventKind.SUBMITTED,
    "held": OrderEventKind.ACCEPTED,
    "new": OrderEventKind.ACCEPTED,
    "partial_fill": OrderEventKind.FILL,
    "fill": OrderEventKind.FILL,
    "canceled": OrderEventKind.CANCELED,
    "expired": OrderEventKind.EXPIRED,
    "rejected": OrderEventKind.REJECTED,
    "done_for_day": OrderEventKind.RESTATED,
    "stopped": OrderEventKind.RESTATED,
    "suspended": OrderEventKind.RESTATED,
    "calculated": OrderEventKind.RESTATED,
    "restated": OrderEventKind.RESTATED,
    "pending_cancel": OrderEventKind.PENDING_CANCEL,
    "pending_replace": OrderEventKind.PENDING_REPLACE,
    "order_cancel_rejected": OrderEventKind.CANCEL_REJECTED,
    "order_replace_rejected": OrderEventKind.REPLACE_REJECTED,
    "replaced": None,
}
"""What each event of `trade_updates` tells.

`replaced` carries the order that is over; the `new` of the order after it tells the replace.
"""


def order_type_word(kind: str | None, deprecated: str | None) -> str:
    """Return the word of an order's type, which two fields may carry."""
    return kind or deprecated or ""


def time_of(text: str | None) -> int | None:
    """Return the UTC nanoseconds of a time; None where there is none.

    The year 1 is how the venue writes that nothing has happened yet. What is no time is as good as
    none: nothing that a row says besides should be lost for it.
    """
    if not text:
        return None
    try:
        instant_ns = parse_time(text)
    except InvalidValueError:
        return None
    return None if instant_ns == EARLIEST_NS else instant_ns


def new_york_time(day: str | None, clock: str = "00:00", *, days: int = 0) -> int | None:
    """Return the UTC nanoseconds of a time of day in New York; None for what is none.

    Args:
        day: An ISO date, such as "2026-01-31".
        clock: "09:30", "0930" or "09"; seconds are passed over.
        days: How many days after that date.
    """
    match = _CLOCK.match(clock)
    if not day or match is None:
        return None
    try:
        at = time(int(match[1]), int(match[2] or 0))
        on = date.fromisoformat(day[:10]) + timedelta(days=days)
        return from_datetime(datetime.combine(on, at, NEW_YORK))
    except (ValueError, OverflowError):
        return None
