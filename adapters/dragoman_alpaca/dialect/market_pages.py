"""Pages of history: rows of several symbols, symbol after symbol, and where the next page begins.

A page's token is where it ended: the symbol, the time of its last row, and how many rows of that
very time were given. Nothing is remembered between pages, so a token stays good whatever happens
meanwhile, and rows that appear later are not missed or told twice.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import attrs

from dragoman.models import Window
from dragoman.times import MINUTE_NS

from .market_refusals import NotServedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .market_asked import Span

__all__ = ["Mark", "Page", "Series", "newest", "oldest", "read_page"]

Item = TypeVar("Item")

_LEAST_PROBE: Final = 10_000
_WIDEN: Final = 4
_NARROW: Final = 16
_PARTS: Final = 4
_LONGEST_TOKEN: Final = 512
_LONGEST_NUMBER: Final = 20
_MOST_GIVEN: Final = 1_000_000


@attrs.frozen
class Mark:
    """Where reading goes on: after `given` rows of the time `time_ns`; no time is the start."""

    symbol: str
    time_ns: int | None = None
    given: int = 0

    def token(self, kind: str) -> str:
        """Write it as the opaque text that clients send back."""
        at = "" if self.time_ns is None else str(self.time_ns)
        return base64.urlsafe_b64encode(f"{self.symbol}|{kind}|{at}|{self.given}".encode()).decode()

    @classmethod
    def of(cls, token: str, kind: str) -> Mark:
        """Read a token.

        Raises:
            NotServedError: It is none, or one of another question.
        """
        try:
            text = base64.b64decode(token[:_LONGEST_TOKEN], altchars=b"-_", validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            text = ""
        parts = text.split("|")
        if len(parts) != _PARTS or parts[1] != kind or not _are_numbers(parts[2] or "0", parts[3]):
            raise NotServedError("invalid page_token")
        symbol, _, at, given = parts
        return cls(symbol, int(at) if at else None, min(abs(int(given)), _MOST_GIVEN))


@attrs.frozen(kw_only=True)
class Series(Generic[Item]):
    """The rows of one symbol: how to read a window of them, oldest first, and their times.

    `step_ns` is about how far apart a page's worth of rows may lie, to begin with.
    """

    read: Callable[[Window], AsyncIterator[Item]]
    time_of: Callable[[Item], int]
    step_ns: int = MINUTE_NS


@attrs.frozen
class Page(Generic[Item]):
    """The rows by symbol, in order; `next` is where the next page begins, None after the last."""

    rows: dict[str, list[Item]]
    next: Mark | None


async def read_page(
    series: Sequence[tuple[str, Series[Item]]],
    span: Span,
    *,
    limit: int,
    descending: bool = False,
    mark: Mark | None = None,
) -> Page[Item]:
    """Return at most `limit` rows: all of the first symbol, then of the next.

    Args:
        series: What to read by symbol, sorted by it.
        span: Which rows.
        limit: How many rows in all, at least 1.
        descending: Whether each symbol's newest rows come first.
        mark: Where the page before ended.
    """
    take = newest if descending else oldest
    rows: dict[str, list[Item]] = {}
    room = limit
    for symbol, one in series:
        if mark is not None and symbol < mark.symbol:
            continue
        at = mark if mark is not None and symbol == mark.symbol else Mark(symbol)
        found = await take(one, span, room + 1, at)
        if found[:room]:
            rows[symbol] = found[:room]
        if len(found) > room:
            return Page(rows, _after(rows.get(symbol), one, at))
        room -= len(found)
    return Page(rows, None)


async def oldest(series: Series[Item], span: Span, count: int, mark: Mark) -> list[Item]:
    """Return at most `count` rows of a span after a mark, oldest first."""
    start_ns = span.start_ns if mark.time_ns is None else max(span.start_ns, mark.time_ns)
    if span.end_ns is not None and start_ns >= span.end_ns:
        return []
    window = Window(start_ns=start_ns, end_ns=span.end_ns, limit=count + mark.given)
    found = [item async for item in series.read(window)]
    return _unseen(found, series, mark)[:count]


async def newest(series: Series[Item], span: Span, count: int, mark: Mark) -> list[Item]:
    """Return at most `count` rows of a span before a mark, newest first; one of them has an end.

    Brokers read forward only. So this reads ever longer stretches going back, and shorter ones
    where there turns out to be much.
    """
    ends = (span.end_ns, None if mark.time_ns is None else mark.time_ns + 1)
    end_ns = min(end for end in ends if end is not None)
    wanted = count + mark.given
    most = max(_WIDEN * wanted, _LEAST_PROBE)
    step_ns = series.step_ns
    found: list[Item] = []
    while end_ns > span.start_ns and len(found) < wanted:
        start_ns = max(span.start_ns, end_ns - step_ns)
        limit = None if end_ns - start_ns == 1 else most
        window = Window(start_ns=start_ns, end_ns=end_ns, limit=limit)
        stretch = [item async for item in series.read(window)]
        if limit is not None and len(stretch) >= limit:
            step_ns = max((end_ns - start_ns) // _NARROW, 1)
            continue
        found.extend(reversed(stretch))
        end_ns = start_ns
        step_ns *= _WIDEN
    return _unseen(found, series, mark)[:count]


def _unseen(found: list[Item], series: Series[Item], mark: Mark) -> list[Item]:
    """Leave out the rows that earlier pages gave of the mark's time."""
    seen = 0
    while seen < min(mark.given, len(found)) and series.time_of(found[seen]) == mark.time_ns:
        seen += 1
    return found[seen:]


def _after(given: Sequence[Item] | None, series: Series[Item], before: Mark) -> Mark:
    """Return the mark behind the rows a page gave of a symbol."""
    if not given:
        return before
    last_ns = series.time_of(given[-1])
    count = sum(series.time_of(item) == last_ns for item in given)
    is_same = count == len(given) and before.time_ns == last_ns
    return Mark(before.symbol, last_ns, count + (before.given if is_same else 0))


def _are_numbers(*texts: str) -> bool:
    return all(
        text.removeprefix("-").isdigit() and text.isascii() and len(text) <= _LONGEST_NUMBER
        for text in texts
    )
