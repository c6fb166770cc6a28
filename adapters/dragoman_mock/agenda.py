"""What is to happen at the venue later: timers of its clients and of scripted faults, in order."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Agenda", "Entry"]


class Entry(NamedTuple):
    """One thing to do: at an instant, in order of entry among those of the same instant."""

    at_ns: int
    number: int
    act: Callable[[], None]


class Agenda:
    """Entries by instant."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._count = 0
        self._canceled: set[int] = set()

    def add(self, at_ns: int, act: Callable[[], None]) -> Entry:
        """Note something to do; returns the entry by which it may be canceled."""
        self._count += 1
        entry = Entry(at_ns, self._count, act)
        heapq.heappush(self._entries, entry)
        return entry

    def cancel(self, entry: Entry) -> None:
        """Take an entry off that has not been done."""
        self._canceled.add(entry.number)

    def next_ns(self) -> int | None:
        """Return the instant of the next entry; None if there is none."""
        while self._entries and self._entries[0].number in self._canceled:
            self._canceled.discard(heapq.heappop(self._entries).number)
        return self._entries[0].at_ns if self._entries else None

    def take(self, now_ns: int) -> Entry | None:
        """Return, once, the first entry that is due; None if none is."""
        due_ns = self.next_ns()
        if due_ns is None or due_ns > now_ns:
            return None
        return heapq.heappop(self._entries)
