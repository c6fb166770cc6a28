"""Who watches for callbacks that never return: one task, asleep unless one is awaited."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from dragoman.tasks import TaskScope
    from dragoman.times import Clock

    from .listener import Listener

__all__ = ["Watchdog"]


class Watchdog:
    """Reports each call that outlasts the limit, once, as a `TimeoutError` that names the callback.

    It looks at the listeners once per limit, so a report comes between one and two limits after
    the call began. The callback is left alone: only its owner knows whether it may be cut off.
    """

    def __init__(self, scope: TaskScope, clock: Clock, limit_s: float | None) -> None:
        self._scope = scope
        self._clock = clock
        self._limit_s = limit_s
        self._listeners: set[Listener] = set()
        self._somebody_is_busy = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def watch(self, listener: Listener) -> None:
        """Watch a listener from now on."""
        if self._limit_s is None:
            return
        if self._task is None:
            self._task = self._scope.spawn(self._run(self._limit_s), "watchdog of listeners")
        self._listeners.add(listener)
        listener.on_busy = self._somebody_is_busy.set

    def close(self) -> None:
        """Watch no more."""
        self._listeners.clear()
        if self._task is not None:
            self._task.cancel()

    async def _run(self, limit_s: float) -> None:
        reported: dict[Listener, int] = {}
        while True:
            await self._somebody_is_busy.wait()
            self._somebody_is_busy.clear()
            before = self._underway()
            await self._clock.sleep_until_ns(self._clock.now_ns() + round(limit_s * SECOND_NS))
            now = self._underway()
            stuck = {one: calls for one, calls in now.items() if before.get(one) == calls}
            for listener, calls in stuck.items():
                if reported.get(listener) != calls:
                    self._report(listener, limit_s)
            reported = stuck

    def _underway(self) -> dict[Listener, int]:
        """Return the number of the call that each busy listener is in; forget those that ended."""
        self._listeners = {listener for listener in self._listeners if listener.is_active}
        return {one: one.calls for one in self._listeners if one.busy_with is not None}

    def _report(self, listener: Listener, limit_s: float) -> None:
        event = listener.busy_with
        kind = type(event).__name__
        message = f"the callback {listener.name} is still busy with one {kind} after {limit_s:g} s"
        listener.report(event, TimeoutError(message))
