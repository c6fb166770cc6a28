"""Many deadlines behind one timer of the event loop.

A timer for each wait costs more than most waits do: nearly all end long before their time. Here a
single timer stands at the earliest deadline; when it fires, it moves to the earliest of those left.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["Deadlines"]

Wait = TypeVar("Wait", bound="Hashable")


class Deadlines(Generic[Wait]):
    """The deadlines of waits in one event loop, in the loop's own time.

    Args:
        expire: Called from the loop with each wait whose deadline has come; it is forgotten by
            then.
    """

    __slots__ = ("_due_s", "_expire", "_timer", "_waits")

    def __init__(self, expire: Callable[[Wait], None]) -> None:
        self._expire = expire
        self._waits: dict[Wait, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0

    def add(self, wait: Wait, due_s: float) -> None:
        """Let a wait expire at `due_s`, unless it is dropped before."""
        self._waits[wait] = due_s
        if self._timer is None or due_s < self._due_s:
            self._arm(asyncio.get_running_loop(), due_s)

    def drop(self, wait: Wait) -> None:
        """Forget a wait. The timer stays where it is, for the next one."""
        self._waits.pop(wait, None)

    def close(self) -> None:
        """Forget every wait and stop the timer. Idempotent."""
        self._waits.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, loop: asyncio.AbstractEventLoop, due_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due_s = due_s
        self._timer = loop.call_at(due_s, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Expire what is due; the loop may call a little early, by the resolution of its clock."""
        self._timer = None
        now_s = max(loop.time(), self._due_s)
        for wait in [wait for wait, due_s in self._waits.items() if due_s <= now_s]:
            if wait in self._waits:
                del self._waits[wait]
                self._expire(wait)
        if self._waits:
            self._arm(loop, min(self._waits.values()))
