"""Time limits of one length for many at once, at the price of one timer for all of them.

What begins first is due first, so a queue in the order of beginning is all the book that is kept. A
timer of its own for each request would cost more than most requests do.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["Deadlines"]

Item = TypeVar("Item", bound="Hashable")


class Deadlines(Generic[Item]):
    """Gives each item so many seconds from when it was started.

    Belongs to the event loop it is first used in.

    Args:
        limit_s: How long each has.
        expire: Is given each item that was not ended in time, once.
    """

    def __init__(self, limit_s: float, expire: Callable[[Item], None]) -> None:
        self._limit_s = limit_s
        self._expire = expire
        self._due: dict[Item, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._due)

    def start(self, item: Item) -> None:
        """Let the time of an item run; one that is started already goes on as it was."""
        if item in self._due:
            return
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        due = self._due[item] = loop.time() + self._limit_s
        if self._timer is None:
            self._timer = loop.call_at(due, self._look)

    def end(self, item: Item) -> None:
        """Take an item out of it; idempotent."""
        self._due.pop(item, None)

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._due:
            item, due = next(iter(self._due.items()))
            if due > loop.time():
                self._timer = loop.call_at(due, self._look)
                return
            del self._due[item]
            self._expire(item)
