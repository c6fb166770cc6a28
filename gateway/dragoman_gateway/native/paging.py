"""Long histories a page at a time: where a page ends is told by a cursor that holds no state here.

A cursor is the time of the last row and how many rows of that very time were given: rows that
arrive later don't move those that were there.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from dragoman.models.values import Window
from dragoman.times import EARLIEST_NS, LATEST_NS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from .asking import Query

__all__ = ["LARGEST_PAGE", "USUAL_PAGE", "Cursor", "Page", "page_of", "page_of_all"]

USUAL_PAGE: Final = 100
LARGEST_PAGE: Final = 1000
_FURTHEST: Final = 1_000_000
_CURSOR: Final = re.compile(r"(-?[0-9]{1,20})?:([0-9]{1,7})\Z")

Row = TypeVar("Row")


@attrs.frozen
class Cursor:
    """Where a page begins: at a time (None: where the window does), after so many rows of it."""

    start_ns: int | None = None
    skip: int = 0

    @property
    def text(self) -> str:
        """The cursor as clients see it."""
        plain = f"{'' if self.start_ns is None else self.start_ns}:{self.skip}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Read a cursor back; None for what is none."""
        try:
            plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            match = _CURSOR.match(plain.decode("ascii"))
        except (binascii.Error, ValueError):
            return None
        if match is None or int(match[2]) > _FURTHEST:
            return None
        start_ns = None if match[1] is None else int(match[1])
        if start_ns is not None and not EARLIEST_NS <= start_ns <= LATEST_NS:
            return None
        return cls(start_ns, int(match[2]))


@attrs.frozen(kw_only=True)
class Page:
    """Which rows of a window are wanted."""

    window: Window
    cursor: Cursor
    limit: int

    @classmethod
    def of(cls, query: Query, *, is_timed: bool = True) -> Page:
        """Read `limit` and `cursor` of a query and, of what has times, `start` and `end`."""
        window = query.window() if is_timed else Window()
        limit = query.integer("limit", USUAL_PAGE, range(1, LARGEST_PAGE + 1))
        text = query.text("cursor")
        cursor = Cursor() if text is None else Cursor.parse(text)
        if cursor is None or _is_outside(window, cursor):
            query.refuse("cursor", text, "a cursor of an earlier page with the same parameters")
            cursor = Cursor()
        return cls(window=window, cursor=cursor, limit=limit)

    @property
    def reach(self) -> Window:
        """The window to read: from where the page begins, one row more than it shows."""
        start_ns = self.window.start_ns if self.cursor.start_ns is None else self.cursor.start_ns
        count = self.cursor.skip + self.limit + 1
        return Window(start_ns=start_ns, end_ns=self.window.end_ns, limit=count)


async def page_of(
    rows: AsyncIterator[Row], page: Page, time_of: Callable[[Row], int | None]
) -> tuple[tuple[Row, ...], str | None]:
    """Return the rows of a page, read from its `reach`, and the cursor of the next one."""
    wanted = page.cursor.skip + page.limit
    read: list[Row] = []
    async for row in rows:
        read.append(row)
        if len(read) > wanted:
            break
    shown = tuple(read[page.cursor.skip : wanted])
    if len(read) <= wanted:
        return shown, None
    last_ns = time_of(read[wanted - 1])
    if last_ns is None:
        return shown, Cursor(page.cursor.start_ns, wanted).text
    again = sum(1 for row in read[:wanted] if time_of(row) == last_ns)
    return shown, Cursor(last_ns, again).text


def page_of_all(rows: Sequence[Row], page: Page) -> tuple[tuple[Row, ...], str | None]:
    """Return the rows of a page of what is known as a whole, and the cursor of the next one."""
    end = page.cursor.skip + page.limit
    following = Cursor(None, end).text if end < len(rows) else None
    return tuple(rows[page.cursor.skip : end]), following


def _is_outside(window: Window, cursor: Cursor) -> bool:
    if cursor.start_ns is None:
        return False
    is_early = window.start_ns is not None and cursor.start_ns < window.start_ns
    return is_early or (window.end_ns is not None and cursor.start_ns >= window.end_ns)
