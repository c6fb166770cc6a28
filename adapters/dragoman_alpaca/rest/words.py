"""What market data requests are worded with: timeframes, adjustments and feeds.

Source: Alpaca Market Data API, OpenAPI document, checked 2026-06-15.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import UnsupportedError
from dragoman.models.enums import Adjustment, TimeUnit

if TYPE_CHECKING:
    from dragoman.models import Timeframe

__all__ = [
    "CRYPTO_LOCATIONS",
    "FEEDS",
    "adjustment_word",
    "history_feed",
    "latest_feed",
    "timeframe_word",
]

FEEDS: Final = frozenset({"iex", "sip", "delayed_sip", "boats", "overnight", "otc", "test"})
"""The stock feeds; `test` is there for streams only."""
CRYPTO_LOCATIONS: Final = frozenset({"us", "us-1", "us-2", "eu-1", "bs-1"})

_HISTORY_FEEDS: Final = {
    "iex": "iex",
    "sip": "sip",
    "delayed_sip": "sip",
    "boats": "boats",
    "otc": "otc",
}
"""Which feed has the history of a feed: what was delayed is no secret any more."""
_ADJUSTMENTS: Final = {
    Adjustment.RAW: "raw",
    Adjustment.SPLIT: "split",
    Adjustment.DIVIDEND: "dividend",
    Adjustment.ALL: "all",
}
_UNITS: Final = {
    TimeUnit.MINUTE: "Min",
    TimeUnit.HOUR: "Hour",
    TimeUnit.DAY: "Day",
    TimeUnit.WEEK: "Week",
    TimeUnit.MONTH: "Month",
}
_COUNTS: Final = {
    TimeUnit.MINUTE: frozenset(range(1, 60)),
    TimeUnit.HOUR: frozenset(range(1, 24)),
    TimeUnit.DAY: frozenset({1}),
    TimeUnit.WEEK: frozenset({1}),
    TimeUnit.MONTH: frozenset({1, 2, 3, 4, 6, 12}),
}
_SIXTY: Final = 60
_COARSER: Final = {TimeUnit.SECOND: TimeUnit.MINUTE, TimeUnit.MINUTE: TimeUnit.HOUR}
"""What sixty of a unit are. A day is no 24 hours here: it begins at midnight in New York."""


def timeframe_word(timeframe: Timeframe) -> str:
    """Write a timeframe, such as "5Min".

    Raises:
        UnsupportedError: Alpaca has no bars of it (NOT_SENT).
    """
    count, unit = timeframe.count, timeframe.unit
    while count not in _COUNTS.get(unit, ()) and unit in _COARSER and count % _SIXTY == 0:
        count, unit = count // _SIXTY, _COARSER[unit]
    if count in _COUNTS.get(unit, ()):
        return f"{count}{_UNITS[unit]}"
    message = (
        f"no bars of {timeframe}: Alpaca has 1m to 59m, 1h to 23h, 1d, 1w, and 1, 2, 3, 4, 6 and "
        "12 months"
    )
    raise UnsupportedError(message)


def adjustment_word(adjustment: Adjustment) -> str:
    """Write an adjustment of historical bars."""
    return _ADJUSTMENTS[adjustment]


def history_feed(feed: str) -> str:
    """Return the feed to ask for the history of a feed.

    Raises:
        UnsupportedError: It has none (NOT_SENT).
    """
    found = _HISTORY_FEEDS.get(feed)
    if found is None:
        raise UnsupportedError(f"the feed {feed!r} keeps no history; choose iex, sip or boats")
    return found


def latest_feed(feed: str) -> str:
    """Return the feed to ask for what is latest.

    Raises:
        UnsupportedError: It is a feed for streams only (NOT_SENT).
    """
    if feed == "test":
        raise UnsupportedError("the feed 'test' is for streams only; choose iex or sip")
    return feed
