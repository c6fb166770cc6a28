"""How numbers, times and words are written: amounts as text, times in RFC 3339."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, overload
from zoneinfo import ZoneInfo

from dragoman.errors import InvalidValueError, Violation
from dragoman.money import format_decimal, trimmed
from dragoman.times import (
    MILLISECOND_NS,
    SECOND_NS,
    format_time,
    from_datetime,
    parse_time,
    to_datetime,
)

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = [
    "EARLIEST_DAY",
    "NEW_YORK",
    "amount",
    "instant",
    "instant_of",
    "local_day",
    "local_stamp",
    "local_time",
    "start_of_day",
    "within_reach",
]

NEW_YORK: Final = ZoneInfo("America/New_York")
"""The time zone of the market's days, and of the times of day that have none written on them."""

EARLIEST_DAY: Final = date(1900, 1, 1)
_LATEST_DAY: Final = date(2200, 1, 1)
_EARLIEST_NS: Final = from_datetime(datetime(1900, 1, 1, tzinfo=UTC))
_LATEST_NS: Final = from_datetime(datetime(2200, 1, 1, tzinfo=UTC))


@overload
def amount(value: Decimal) -> str: ...
@overload
def amount(value: Decimal | None) -> str | None: ...
def amount(value: Decimal | None) -> str | None:
    """Write an amount: plain digits, no zeros behind that say nothing; None for None."""
    return None if value is None else format_decimal(trimmed(value))


@overload
def instant(instant_ns: int) -> str: ...
@overload
def instant(instant_ns: int | None) -> str | None: ...
def instant(instant_ns: int | None) -> str | None:
    """Write an instant in UTC, to the nanosecond; None for None."""
    return None if instant_ns is None else format_time(instant_ns)


def local_day(instant_ns: int) -> date:
    """Return the day in New York."""
    return to_datetime(instant_ns).astimezone(NEW_YORK).date()


def local_stamp(instant_ns: int) -> str:
    """Write the time in New York as `YYYYMMDDHHMMSSmmm`, which ids of activities begin with."""
    local = to_datetime(instant_ns).astimezone(NEW_YORK)
    return f"{local:%Y%m%d%H%M%S}{instant_ns % SECOND_NS // MILLISECOND_NS:03d}"


def local_time(instant_ns: int) -> str:
    """Write an instant with New York's offset, to the second, as the market's clock does."""
    return to_datetime(instant_ns).astimezone(NEW_YORK).replace(microsecond=0).isoformat()


def start_of_day(day: date) -> int:
    """Return the instant at which a day begins in New York."""
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=NEW_YORK))


def within_reach(instant_ns: int) -> int:
    """Return an instant, or the nearest that days can be counted from in every time zone.

    Clients write the year 1 or 9999 for "always"; nothing happens before 1900 or after 2200.
    """
    return min(max(instant_ns, _EARLIEST_NS), _LATEST_NS)


def instant_of(text: str, field: str, *, ends_day: bool = False) -> int:
    """Read a time, or a day, which means its beginning in New York; never beyond `within_reach`.

    Args:
        text: As a client writes it.
        field: What it is called, for the error.
        ends_day: Let a day mean its end.

    Raises:
        InvalidValueError: It is neither.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        day = min(max(day, EARLIEST_DAY), _LATEST_DAY)
        return start_of_day(day + timedelta(days=1) if ends_day else day)
    try:
        # A "+" that nobody escaped arrives as a space.
        return within_reach(parse_time(text.replace(" ", "+") if "T" in text else text, field))
    except InvalidValueError:
        naive = f"{text}Z" if not text.endswith("Z") else text
        try:
            return within_reach(parse_time(naive, field))
        except InvalidValueError:
            allowed = "a time such as 2026-01-31T09:30:00Z, or a day"
            found = Violation.of(field, text, allowed)
            raise InvalidValueError.of("not a time", [found]) from None
