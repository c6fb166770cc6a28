"""Make before break: a second connection is greeted before the first is left.

What both tell meanwhile is told once. The first is read a little longer than it leads: what it had
under way when the second was confirmed may be nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from dragoman.errors import DragomanError
from dragoman.times import SECOND_NS

from .link_overlap import Overlap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.tasks import TaskScope
    from dragoman.times import Clock

    from .link_connection import LinkConnection
    from .link_dialer import Dialer
    from .link_flow import LinkFlow
    from .link_pace import Pace
    from .link_terms import LinkTerms

__all__ = ["Succession"]

Frame = TypeVar("Frame")

_logger: Final = logging.getLogger(__name__)


class Succession(Generic[Frame]):
    """Replaces the leading connection of a link, one at a time.

    Args:
        flow: Knows the leader, and counts what both tell.
        dialer: Makes the successor.
        clock: Times retries and the overlap.
        terms: How long the overlap is.
        turn: Waits until an attempt fits the budget.
        on_change: Called with the new leader and the cause, before it delivers.
    """

    def __init__(
        self,
        flow: LinkFlow[Frame, Any],
        dialer: Dialer[Frame],
        clock: Clock,
        *,
        terms: LinkTerms,
        make_pace: Callable[[], Pace],
        turn: Callable[[], Awaitable[None]],
        on_change: Callable[[LinkConnection[Frame], str], None],
    ) -> None:
        self.changing: asyncio.Lock = asyncio.Lock()
        self._flow = flow
        self._dialer = dialer
        self._clock = clock
        self._terms = terms
        self._make_pace = make_pace
        self._turn = turn
        self._on_change = on_change
        self._task: asyncio.Task[None] | None = None
        self._old: LinkConnection[Frame] | None = None
        self._next: str | None = None

    def start(self, cause: str, scope: TaskScope) -> None:
        """Replace the leader; nothing happens where there is none, or where that is under way."""
        leader = self._flow.leader
        if leader is None or leader.loss is not None:
            return
        if self._is_running:
            self._next = self._next if leader is self._old else cause
            return
        self._old = leader
        self._task = scope.spawn(self._succeed(leader, cause), "rollover of a stream")

    async def stop(self) -> None:
        """Give up whatever is under way, and leave no connection behind that does not lead."""
        self._flow.overlap = self._next = None
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])

    @property
    def _is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _succeed(self, leader: LinkConnection[Frame] | None, cause: str | None) -> None:
        while leader is not None and cause is not None:
            self._old = leader
            await self._follow(leader, cause)
            leader, cause, self._next = self._flow.leader, self._next, None

    async def _follow(self, old: LinkConnection[Frame], cause: str) -> None:
        pace = self._make_pace()
        while old.loss is None:
            try:
                await self._turn()
                await self._replace(old, cause)
            except DragomanError as error:
                facts = {"cause": cause, "error": error.message}
                _logger.warning("A rollover did not come about", extra=facts)
                self._flow.overlap = None
                await self._clock.sleep_ns(round(pace.delay_s(error) * SECOND_NS))
            else:
                break
        await self._leave(old)

    async def _replace(self, old: LinkConnection[Frame], cause: str) -> None:
        async with self.changing:
            self._flow.overlap = Overlap(old.generation, self._dialer.generation + 1)
            new = await self._dialer.dial(self._flow, lambda: None)
            self._on_change(new, cause)

    async def _leave(self, old: LinkConnection[Frame]) -> None:
        if self._flow.leader is not old:
            overlap_ns = round(self._terms.overlap_s * SECOND_NS)
            await self._clock.sleep_ns(overlap_ns)
            await self._dialer.drop(old)
            await self._clock.sleep_ns(overlap_ns)  # the successor may be the slower of the two
            self._flow.overlap = None
