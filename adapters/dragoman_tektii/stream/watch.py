"""Orders of which the stream says too little, asked for until it is known what became of them.

Some gateways stream no orders unless they were told to before they started, some tell that an order
filled and never by which executions. So an order that a command was answered with, or that filled
by more than was told, is looked at before long, unless the stream tells the rest meanwhile.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from dragoman.errors import DragomanError
from dragoman.resilience.backoff import Backoff
from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS
from dragoman.transport.link_errors import report

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models import Event

__all__ = ["OrderWatch"]

_FIRST_NS: Final = SECOND_NS
_BACKOFF: Final = Backoff(first_s=2.0, cap_s=30.0)


class OrderWatch:
    """The orders that are to be looked at, and when. One reader at a time.

    Args:
        context: Gives clock and random.
        look: Asks what became of an order, by the gateway's id: returns what to tell, and whether
            that was its end.
    """

    def __init__(
        self,
        context: AdapterContext,
        look: Callable[[str], Awaitable[tuple[Sequence[Event], bool]]],
    ) -> None:
        self._clock = context.clock
        self._random = context.random
        self._look = look
        self._due: dict[str, tuple[int, int]] = {}
        self._news = asyncio.Event()
        self._scope = TaskScope(report)

    def suspect(self, order_id: str) -> None:
        """Look at an order before long."""
        if order_id not in self._due:
            self._due[order_id] = (self._clock.monotonic_ns() + _FIRST_NS, 0)
            self._news.set()

    def told(self, order_id: str) -> None:
        """Know that the stream told of an order: there is no need to look at it."""
        self._due.pop(order_id, None)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[AsyncIterator[Sequence[Event]]]:
        """Look at orders as they are due, for as long as this is entered."""
        self._scope = TaskScope(report)
        try:
            yield self
        finally:
            await self._scope.close()

    def __aiter__(self) -> OrderWatch:
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return what a look found out, waiting until one finds something."""
        while True:
            order_id = await self._next_due()
            _, tries = self._due[order_id]
            try:
                events, is_over = await self._look(order_id)
            except DragomanError:
                events, is_over = (), False
            if is_over:
                self._due.pop(order_id, None)
            elif order_id in self._due:
                delay_ns = _BACKOFF.delay_ns(tries + 1, self._random)
                self._due[order_id] = (self._clock.monotonic_ns() + delay_ns, tries + 1)
            if events:
                return events

    async def _next_due(self) -> str:
        """Return the id of an order that is due, waiting for one."""
        while True:
            self._news.clear()
            now_ns = self._clock.monotonic_ns()
            due = min(self._due.items(), key=lambda item: item[1], default=None)
            if due is not None and due[1][0] <= now_ns:
                return due[0]
            waits: list[asyncio.Task[bool]] = [
                self._scope.spawn(_news(self._news), "news of an order")
            ]
            if due is not None:
                sleep = self._clock.sleep_ns(due[1][0] - now_ns)
                waits.append(self._scope.spawn(_asleep(sleep), "pause before a look"))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waits:
                    task.cancel()


async def _asleep(sleep: Awaitable[None]) -> bool:
    await sleep
    return True


async def _news(event: asyncio.Event) -> bool:
    await event.wait()
    return True
