"""What a request for market data asks for, read from its query and checked before anything is read.

A parameter that chooses among things there is only one of here is accepted where it changes
nothing, and refused where it would.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import InvalidValueError
from dragoman.models import Adjustment, Timeframe, TimeUnit
from dragoman.times import from_datetime, parse_time, to_datetime

from .market_refusals import NotServedError
from .market_rows import CRYPTO, OPTION
from .texts import NEW_YORK, within_reach

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

__all__ = [
    "CRYPTO_PLACES",
    "Span",
    "adjustment_in",
    "check_choices",
    "check_place",
    "is_descending",
    "limit_in",
    "since_in",
    "span_in",
    "symbols_in",
    "timeframe_in",
]

_TIMEFRAME: Final = re.compile(r"([1-9][0-9]?)(Min|T|Hour|H|Day|D|Week|W|Month|M)\Z", re.ASCII)
_UNITS: Final = {
    "Min": TimeUnit.MINUTE,
    "T": TimeUnit.MINUTE,
    "Hour": TimeUnit.HOUR,
    "H": TimeUnit.HOUR,
    "Day": TimeUnit.DAY,
    "D": TimeUnit.DAY,
    "Week": TimeUnit.WEEK,
    "W": TimeUnit.WEEK,
    "Month": TimeUnit.MONTH,
    "M": TimeUnit.MONTH,
}
_COUNTS: Final = {
    TimeUnit.MINUTE: range(1, 60),
    TimeUnit.HOUR: range(1, 24),
    TimeUnit.DAY: range(1, 2),
    TimeUnit.WEEK: range(1, 2),
    TimeUnit.MONTH: (1, 2, 3, 4, 6, 12),
}
_LONG: Final = frozenset({TimeUnit.DAY, TimeUnit.WEEK, TimeUnit.MONTH})
_ADJUSTMENTS: Final = {
    frozenset({"raw"}): Adjustment.RAW,
    frozenset({"split"}): Adjustment.SPLIT,
    frozenset({"dividend"}): Adjustment.DIVIDEND,
    frozenset({"all"}): Adjustment.ALL,
    frozenset({"split", "dividend", "spin-off"}): Adjustment.ALL,
}
_ADJUSTMENT_WORDS: Final = frozenset({"raw", "split", "dividend", "spin-off", "all"})
_STOCK_FEEDS: Final = frozenset({"sip", "iex"})
_OTHER_STOCK_FEEDS: Final = frozenset({"delayed_sip", "boats", "overnight", "otc"})
_OPTION_FEEDS: Final = frozenset({"opra", "indicative"})
_SYMBOL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}\Z", re.ASCII)
_MOST_SYMBOLS: Final = 10_000
CRYPTO_PLACES: Final = frozenset({"us", "us-1", "us-2", "eu-1", "bs-1"})
"""The venue's names for where crypto trades; each shows the one market there is here."""


@attrs.frozen
class Span:
    """A span of time, start included, end excluded; no end means up to now, whenever that is."""

    start_ns: int
    end_ns: int | None = None


def symbols_in(query: Mapping[str, str]) -> list[str]:
    """Return the symbols, each once, sorted.

    Raises:
        NotServedError: There are none, or one can't be a symbol.
    """
    found = sorted({text.strip() for text in query.get("symbols", "").split(",")} - {""})
    if not found:
        raise NotServedError("symbols is required")
    if len(found) > _MOST_SYMBOLS:
        raise NotServedError(f"too many symbols: at most {_MOST_SYMBOLS}")
    for symbol in found:
        if not _SYMBOL.match(symbol):
            raise NotServedError(f"invalid symbol: {symbol[:80]}")
    return found


def timeframe_in(query: Mapping[str, str]) -> Timeframe:
    """Return the length of the bars asked for.

    Raises:
        NotServedError: None, or one the venue does not have.
    """
    text = query.get("timeframe", "")
    match = _TIMEFRAME.match(text)
    if match is None or int(match[1]) not in _COUNTS[_UNITS[match[2]]]:
        raise NotServedError(f"invalid timeframe: {text[:80]}")
    return Timeframe(int(match[1]), _UNITS[match[2]])


def limit_in(query: Mapping[str, str], *, default: int, most: int) -> int:
    """Return how many rows a page may have.

    Raises:
        NotServedError: It is no number from 1 to `most`.
    """
    text = query.get("limit", "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
        raise NotServedError(f"invalid limit: {text[:80]}, must be between 1 and {most}")
    return int(text)


def is_descending(query: Mapping[str, str]) -> bool:
    """Tell whether the newest rows come first.

    Raises:
        NotServedError: `sort` is neither asc nor desc.
    """
    text = query.get("sort") or "asc"
    if text not in {"asc", "desc"}:
        raise NotServedError(f"invalid sort: {text[:80]}")
    return text == "desc"


def span_in(
    query: Mapping[str, str], *, now_ns: int, asset_class: str, timeframe: Timeframe | None = None
) -> Span:
    """Return the span asked for; the end is included in what clients write, not in the span.

    Without a start it begins with the current day, or with the day of its end if that is before. A
    date alone means its whole day: in New York; in UTC for crypto, which knows no closing, and for
    bars of a day and more, so that it finds the bar of its day wherever within it that is stamped.

    Raises:
        NotServedError: A time can't be read, or the end lies before the start.
    """
    is_long = timeframe is not None and timeframe.unit in _LONG
    zone = UTC if is_long or asset_class == CRYPTO else NEW_YORK
    today = to_datetime(now_ns).astimezone(zone).date()
    start_ns = _instant(query, "start", zone)
    end_ns = _instant(query, "end", zone, ends_day=True)
    if start_ns is None:
        start_ns = _midnight(today, zone)
        if end_ns is not None and end_ns < start_ns:
            start_ns = _midnight(to_datetime(end_ns).astimezone(zone).date(), zone)
    if end_ns is not None and end_ns < start_ns:
        raise NotServedError("end should not be before start")
    return Span(start_ns, None if end_ns is None else end_ns + 1)


def since_in(query: Mapping[str, str], name: str) -> int | None:
    """Return the instant a parameter names, a date being its midnight in New York; None for none.

    Raises:
        NotServedError: It is no instant.
    """
    return _instant(query, name, NEW_YORK)


def adjustment_in(query: Mapping[str, str]) -> Adjustment:
    """Return how bars are to be adjusted.

    Raises:
        NotServedError: No such adjustment, or a combination that no broker has a word for.
    """
    text = query.get("adjustment") or "raw"
    words = frozenset(word.strip() for word in text.split(","))
    if not words <= _ADJUSTMENT_WORDS:
        raise NotServedError(f"invalid adjustment: {text[:80]}")
    found = Adjustment.ALL if "all" in words else _ADJUSTMENTS.get(words - {"raw"} or words)
    if found is None:
        raise NotServedError(f"adjustment {text[:80]} is not available here")
    return found


def check_choices(query: Mapping[str, str], asset_class: str) -> None:
    """Refuse a feed or an as-of date that would have to change the answer.

    Raises:
        NotServedError: It would, or it is none.
    """
    feed = query.get("feed", "")
    served = _OPTION_FEEDS if asset_class == OPTION else _STOCK_FEEDS
    if feed in _OTHER_STOCK_FEEDS and asset_class != OPTION:
        raise NotServedError(f"subscription does not permit querying {feed} data", 403)
    if feed and feed not in served and asset_class != CRYPTO:
        raise NotServedError(f"invalid feed: {feed[:80]}")
    as_of = query.get("asof", "")
    if as_of not in {"", "-"} and _date(as_of) is None:
        raise NotServedError(f"invalid asof: {as_of[:80]}, expected YYYY-MM-DD")


def check_place(place: str) -> None:
    """Refuse a crypto location that the venue does not have.

    Raises:
        NotServedError: It has not.
    """
    if place not in CRYPTO_PLACES:
        raise NotServedError(f"Invalid location: {place[:80]}")


def _instant(
    query: Mapping[str, str], name: str, zone: tzinfo, *, ends_day: bool = False
) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    day = _date(text)
    if day is not None:
        return _midnight(day, zone, after=1) - 1 if ends_day else _midnight(day, zone)
    try:
        # The "+" of an offset that nobody escaped arrives as a space.
        return within_reach(parse_time(text.replace(" ", "+"), name))
    except InvalidValueError:
        wanted = "RFC3339 or 2006-01-02"
        message = f"Invalid format for parameter {name}: error parsing '{text[:80]}' as {wanted}"
        raise NotServedError(message) from None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2006-01-02") else None
    except ValueError:
        return None


def _midnight(day: date, zone: tzinfo, *, after: int = 0) -> int:
    """Return the instant at which a day begins, or one so many days after it."""
    try:
        later = day + timedelta(days=after)
        return from_datetime(datetime(later.year, later.month, later.day, tzinfo=zone))
    except (InvalidValueError, OverflowError):
        raise NotServedError(f"no such day: {day}") from None
