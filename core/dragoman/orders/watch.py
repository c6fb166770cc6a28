"""Waiting until an order has become what one waits for, without polling."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dragoman.models.enums import OrderStatus
from dragoman.resilience.deadlines import Deadlines

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from dragoman.models.order import Order

__all__ = ["Watch", "condition_of"]


def condition_of(
    until: OrderStatus | Collection[OrderStatus] | Callable[[Order], bool] | None,
) -> Callable[[Order], bool]:
    """Turn what to wait for into a condition, which every order that has ended meets."""
    if until is None:
        return lambda order: order.is_terminal
    if callable(until):
        return lambda order: until(order) or order.is_terminal
    wanted = frozenset({until} if isinstance(until, OrderStatus) else until)
    return lambda order: order.status in wanted or order.is_terminal


class Watch:
    """Who waits for news of which order, until it is closed: then nobody waits any more."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._followers: dict[str, Callable[[str], None]] = {}
        self._deadlines: Deadlines[asyncio.Future[None]] = Deadlines(_wake)
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether no more news will come."""
        return self._is_closed

    def follow(self, client_order_id: str, look: Callable[[str], None]) -> None:
        """Call `look` with the id at all news of an order, until `leave`; one per order."""
        self._followers[client_order_id] = look

    def leave(self, client_order_id: str) -> None:
        """Stop to follow an order."""
        self._followers.pop(client_order_id, None)

    def wake(self, client_order_id: str) -> None:
        """Let everybody who waits for this order look again."""
        look = self._followers.get(client_order_id)
        if look is not None:
            look(client_order_id)
        for waiting in self._waiting.pop(client_order_id, ()):
            _wake(waiting)

    def close(self) -> None:
        """Let nobody wait any more."""
        self._is_closed = True
        for client_order_id in tuple(self._waiting):
            self.wake(client_order_id)
        self._deadlines.close()

    async def until(
        self, client_order_id: str, is_reached: Callable[[], bool], timeout_s: float | None
    ) -> bool:
        """Wait until `is_reached()`, `timeout_s` (None: for ever) or the watch's end.

        Returns whether it is reached.
        """
        if is_reached():
            return True
        loop = asyncio.get_running_loop()
        due_s = None if timeout_s is None else loop.time() + timeout_s
        while not self._is_closed:
            has_news = await self._next(client_order_id, loop.create_future(), due_s)
            if is_reached():
                return True
            if not has_news:
                break
        return is_reached()

    async def _next(
        self, client_order_id: str, waiting: asyncio.Future[None], due_s: float | None
    ) -> bool:
        """Return at the next news, or at `due_s`; tells whether there was news."""
        self._waiting.setdefault(client_order_id, []).append(waiting)
        if due_s is not None:
            self._deadlines.add(waiting, due_s)
        try:
            await waiting
        finally:
            self._deadlines.drop(waiting)
            is_left = waiting in self._waiting.get(client_order_id, ())
            if is_left:
                self._give_up(client_order_id, waiting)
        return not is_left

    def _give_up(self, client_order_id: str, waiting: asyncio.Future[None]) -> None:
        others = self._waiting[client_order_id]
        others.remove(waiting)
        if not others:
            del self._waiting[client_order_id]


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
