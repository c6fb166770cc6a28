"""When listed contracts end, and how exchanges spell that: pure rules of the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from dragoman.money import multiply
from dragoman.times import DAY_NS, from_datetime, to_datetime

from .holidays import is_business_day

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import time

    from dragoman.models import OptionRight

__all__ = [
    "at_new_york",
    "crude_expiry",
    "month_code",
    "next_crude_month",
    "next_third_friday",
    "occ_symbol",
    "third_friday",
]

_MONTH_CODES: Final = "FGHJKMNQUVXZ"
_FRIDAY: Final = 4
_DAY: Final = timedelta(days=1)
_SHORTEST_LIFE_NS: Final = 7 * DAY_NS


def at_new_york(day: date, clock: time) -> int:
    """Return the instant of a local time in New York, daylight saving time observed."""
    return from_datetime(datetime.combine(day, clock, ZoneInfo("America/New_York")))


def third_friday(year: int, month: int) -> date:
    """Return a month's third Friday, or the session before it.

    It is the last day of most index futures and equity options.
    """
    first = date(year, month, 1)
    return _session_by(first + timedelta(days=(_FRIDAY - first.weekday()) % 7 + 14))


def next_third_friday(at_ns: int, *, quarterly: bool) -> date:
    """Return the next `third_friday` at least a week after `at_ns`, `quarterly` or of any month."""
    start = _start(at_ns)
    found = (
        third_friday(first.year, first.month) for first in _months(start, 3 if quarterly else 1)
    )
    return next(day for day in found if day >= start)


def crude_expiry(month: date) -> date:
    """Return the last day of the crude oil future of a delivery month.

    It is three sessions before the 25th of the month before; where the 25th is no session, they are
    counted from the session before it.
    """
    day = _session_by((month.replace(day=1) - _DAY).replace(day=25))
    for _ in range(3):
        day = _session_by(day - _DAY)
    return day


def next_crude_month(at_ns: int) -> date:
    """Return the nearest delivery month whose crude future lives at least a week more."""
    start = _start(at_ns)
    return next(month for month in _months(start, 1) if crude_expiry(month) >= start)


def month_code(month: date) -> str:
    """Return a futures month and year as exchanges write it: `U6` for September 2026."""
    return f"{_MONTH_CODES[month.month - 1]}{month.year % 10}"


def occ_symbol(root: str, expiry: date, right: OptionRight, strike: Decimal) -> str:
    """Return an option's symbol by the OCC's rule, unpadded: `AAPL260918C00190000`."""
    thousandths = int(multiply(strike, Decimal(1000)))
    return f"{root}{expiry:%y%m%d}{right[0]}{thousandths:08d}"


def _start(at_ns: int) -> date:
    return to_datetime(at_ns + _SHORTEST_LIFE_NS).astimezone(UTC).date()


def _months(start: date, every: int) -> Iterator[date]:
    """Yield months from the start's own on, of those whose number is a multiple of `every`."""
    for count in range(start.month - 1, start.month + 23):
        if (count + 1) % every == 0:
            yield date(start.year + count // 12, count % 12 + 1, 1)


def _session_by(day: date) -> date:
    while not is_business_day(day):
        day -= _DAY
    return day
