"""For how long a venue asks to be left alone, read from its headers.

Whatever stands there, the wait is between nothing and `LONGEST_WAIT_S`: a misprint must not stop a
strategy for ever, and the longest ban that venues publish is three days.
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from dragoman.errors import InvalidValueError
from dragoman.times import SECOND_NS, from_datetime

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LONGEST_WAIT_S", "clamped_wait_s", "retry_after_s", "until_epoch_s"]

LONGEST_WAIT_S: Final = 3 * 86_400.0
_LONGEST_TEXT: Final = 64
_MOST_DIGITS: Final = 20


def retry_after_s(headers: Mapping[str, str], now_ns: int) -> float | None:
    """Return the seconds that `Retry-After` asks to wait; None where it is missing or says nothing.

    A date is compared with the response's own `Date` where that can be read, so that a wrong clock
    on this side does not matter. Names of `headers` are lower case.
    """
    text = headers.get("retry-after", "").strip()
    if not text or len(text) > _LONGEST_TEXT:
        return None
    seconds = _seconds(text)
    if seconds is not None:
        return clamped_wait_s(seconds)
    until_ns = _date_ns(text)
    if until_ns is None:
        return None
    said_at_ns = _date_ns(headers.get("date", ""))
    return clamped_wait_s((until_ns - (now_ns if said_at_ns is None else said_at_ns)) / SECOND_NS)


def until_epoch_s(text: str, now_ns: int, unit_ns: int = SECOND_NS) -> float | None:
    """Return the seconds until an instant written as a count of `unit_ns` since 1970 UTC.

    For headers of a venue's own, such as the time at which a limit starts anew; None where the
    text is no such count.
    """
    count = _seconds(text.strip()) if len(text) <= _LONGEST_TEXT else None
    return None if count is None else clamped_wait_s((count * unit_ns - now_ns) / SECOND_NS)


def _seconds(text: str) -> float | None:
    digits = text.removeprefix("-")
    whole, _, fraction = digits.partition(".")
    is_number = (whole + fraction).isascii() and whole.isdigit() and (fraction or "0").isdigit()
    if not is_number or len(whole) > _MOST_DIGITS:
        return None
    return float(text)


def _date_ns(text: str) -> int | None:
    if len(text) > _LONGEST_TEXT:
        return None
    try:
        moment = parsedate_to_datetime(text)
        # A date without a zone is in UTC by the standard of the header.
        return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, TypeError, IndexError, OverflowError, InvalidValueError):
        return None


def clamped_wait_s(seconds: float) -> float:
    """Return a wait that makes sense, whatever was read: what is no number is the longest."""
    return LONGEST_WAIT_S if seconds != seconds else min(max(seconds, 0.0), LONGEST_WAIT_S)  # noqa: PLR0124 - only NaN is not itself
