"""What was read on the loop and waits for threads to take it: a bounded line that ends once."""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from .gate import SLICE_S, Bell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from .service import LoopService

__all__ = ["Line"]

Item = TypeVar("Item")


class Line(Generic[Item]):
    """A line between one producer on the loop and any number of threads.

    Args:
        service: Whose loop produces.
        capacity: How many items may wait before the producer has to; it may add what it had in
            hand.
    """

    def __init__(self, service: LoopService, capacity: int) -> None:
        self._service = service
        self._capacity = capacity
        self._items: deque[Item] = deque()
        self._lock = threading.Lock()
        self._bell = Bell()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._is_lifted = False
        self._has_begun = False
        self._takers = 0
        self._is_watched = False
        self._rest = asyncio.Event()
        self._is_ended = False
        self._error: BaseException | None = None
        self._trace: TracebackType | None = None

    async def put(self, items: Sequence[Item]) -> None:
        """Add items; returns when there is room for more: never after the end."""
        with self._lock:
            if not self._is_ended:
                self._items.extend(items)
            if self._is_ended or (len(self._items) >= self._capacity and not self._is_lifted):
                self._has_room.clear()
        self._bell.ring()
        await self._has_room.wait()

    @property
    def is_worked_on(self) -> bool:
        """Whether threads have worked on everything: nothing waits, and one asked for more.

        Those that have not begun work on nothing while nothing waits for them.
        """
        with self._lock:
            is_idle = not self._items and (self._takers > 0 or not self._has_begun)
            return self._is_ended or is_idle

    async def worked_on(self) -> None:
        """Return once `is_worked_on`; to be called on the loop."""
        self._is_watched = True
        while True:
            self._rest.clear()
            if self.is_worked_on:
                return
            await self._rest.wait()

    def lift(self) -> None:
        """Let the producer finish without waiting for room; to be called on the loop."""
        self._is_lifted = True
        self._has_room.set()

    def end(self, error: BaseException | None = None) -> None:
        """Take nothing more; threads get what waits and then, each time, `error` or the end."""
        with self._lock:
            if self._is_ended:
                return
            self._is_ended = True
            self._error = error
            self._trace = error.__traceback__ if error else None
        self._bell.ring()
        self._tell_watcher()

    def close(self) -> None:
        """Forget what waits, and end without an error whatever comes."""
        with self._lock:
            self._items.clear()
            self._is_ended = True
            self._error = None
        self._bell.ring()
        self._tell_watcher()

    def purge(self, is_unwanted: Callable[[Item], bool]) -> None:
        """Forget those items that wait."""
        with self._lock:
            kept = [item for item in self._items if not is_unwanted(item)]
            self._items.clear()
            self._items.extend(kept)
        self._service.soon(self._has_room.set)

    def take(self, limit: int | None, timeout_s: float | None = None) -> tuple[Item, ...]:
        """Return what waits, at most `limit` items, waiting for the first; nothing after the end.

        Raises:
            LifecycleError: This thread can't wait for the loop (NOT_SENT).
            TimeoutError: Nothing came within `timeout_s`; None waits for ever.
            BaseException: What the line was ended with.
        """
        self._service.check_caller()
        self._ask()
        try:
            while True:
                self._await_news(timeout_s)
                items, is_over = self._pop(limit)
                if items or is_over:
                    break
        finally:
            with self._lock:
                self._takers -= 1
        self._service.hold_at_exit()
        if not items and self._error is not None:
            raise self._error.with_traceback(self._trace)
        return items

    def _ask(self) -> None:
        """Note that a thread wants more, so that it has worked on what it had."""
        with self._lock:
            self._has_begun = True
            self._takers += 1
        self._tell_watcher()

    def _tell_watcher(self) -> None:
        if self._is_watched:
            self._service.soon(self._rest.set)

    def _await_news(self, timeout_s: float | None) -> None:
        left_s = math.inf if timeout_s is None else timeout_s
        while not (self._items or self._is_ended):
            if left_s <= 0:
                message = f"nothing came within {timeout_s} s"
                raise TimeoutError(message)
            if not self._bell.wait(left_s):
                left_s -= SLICE_S

    def _pop(self, limit: int | None) -> tuple[tuple[Item, ...], bool]:
        """Take what waits, and tell whether nothing more will."""
        with self._lock:
            waiting = len(self._items)
            count = waiting if limit is None else min(limit, waiting)
            items = tuple([self._items.popleft() for _ in range(count)])
            is_over = self._is_ended
        if waiting > count or is_over:
            self._bell.ring()
        if waiting - count <= self._capacity // 2 and not self._has_room.is_set():
            self._service.soon(self._has_room.set)
        return items, is_over
