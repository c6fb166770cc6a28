"""Reading lists that come in pages: whole, or an error.

A page of orders is continued by time. Several orders may have been submitted at the same instant,
so each page begins a moment before the last one ended, and what was shown already is dropped. Only
where one instant has more orders than fit a page, the next page begins behind the last order's id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import InvalidValueError, ProtocolError
from dragoman.times import MILLISECOND_NS, SECOND_NS, parse_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from dragoman_alpaca.wire.trading import OrderRow

    from .rows import Seen

__all__ = ["PAGE_OF_ORDERS", "Turns", "order_pages"]

PAGE_OF_ORDERS: Final = 500
"""The most orders that Alpaca gives at once."""
_OVERLAP_NS: Final = MILLISECOND_NS
_SAME_NS: Final = 2 * SECOND_NS
"""For how long an order may be shown again, should the venue read times less exactly than we."""


async def order_pages(
    ask: Callable[[int | None, str | None], Awaitable[list[Seen[OrderRow]]]], after_ns: int | None
) -> AsyncIterator[list[Seen[OrderRow]]]:
    """Yield the orders submitted after an instant, oldest first, page by page, each once.

    Args:
        ask: Asks for one page of `PAGE_OF_ORDERS`, oldest first, submitted after an instant that is
            itself excluded, None being the beginning; or, instead, listed behind an order's id.
        after_ns: Where to begin.

    Raises:
        ProtocolError: Pages can't be told apart: an order that names no time, or a page that shows
            nothing new.
    """
    told: dict[str, int] = {}
    after_id: str | None = None
    while True:
        page = await ask(after_ns, after_id)
        fresh = [seen for seen in page if seen.row.id not in told]
        if sum(map(_count, page)) < PAGE_OF_ORDERS:
            yield fresh
            return
        newest_ns = max(_submitted_ns(seen.row) for seen in page)
        cut_ns = _cut_ns(newest_ns, after_ns)
        if cut_ns is None and not fresh:
            raise ProtocolError("a full page of orders shows none that is new")
        settled = [seen for seen in fresh if cut_ns is None or _submitted_ns(seen.row) <= cut_ns]
        yield settled
        told.update((seen.row.id, _submitted_ns(seen.row)) for seen in settled)
        if cut_ns is None:
            after_id = page[-1].row.id
        else:
            told = {name: at_ns for name, at_ns in told.items() if at_ns >= cut_ns - _SAME_NS}
            after_ns, after_id = cut_ns, None


def _cut_ns(newest_ns: int, after_ns: int | None) -> int | None:
    """Return up to when a full page is complete: orders of its last instants may be missing.

    None for a page of one instant.
    """
    cuts = (newest_ns - _OVERLAP_NS, newest_ns - 1)
    return next((cut_ns for cut_ns in cuts if after_ns is None or cut_ns > after_ns), None)


def _count(seen: Seen[OrderRow]) -> int:
    """Count an order with its legs: whether the venue counts them is not said."""
    return 1 + len(seen.row.legs or ())


def _submitted_ns(row: OrderRow) -> int:
    text = row.submitted_at or row.created_at or ""
    try:
        return parse_time(text, "submitted_at")
    except InvalidValueError:
        message = f"order {row.id} says no time, so the orders after it can't be asked for"
    raise ProtocolError(message)


class Turns:
    """Follows the tokens of pages, and sees that the venue does not lead in a circle."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._token: str | None = None

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """What asks for the page that comes next; nothing for the first."""
        return () if self._token is None else (("page_token", self._token),)

    def follow(self, token: str | None) -> bool:
        """Take the token of the next page; returns whether there is one.

        Raises:
            ProtocolError: It is the token of this page again.
        """
        if not token:
            return False
        if token == self._token:
            raise ProtocolError(f"{self._what}: the next page is the same page again")
        self._token = token
        return True
