"""Waiting until an order has become what one waits for, without polling."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dragoman.models.enums import OrderStatus

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
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether no more news will come."""
        return self._is_closed

    def wake(self, client_order_id: str) -> None:
        """Let everybody who waits for this order look again."""
        for waiting in self._waiting.pop(client_order_id, ()):
            if not waiting.done():
                waiting.set_result(None)

    def close(self) -> None:
        """Let nobody wait any more."""
        self._is_closed = True
        for client_order_id in tuple(self._waiting):
            self.wake(client_order_id)

    async def until(
        self, client_order_id: str, is_reached: Callable[[], bool], timeout_s: float | None
    ) -> bool:
        """Wait until `is_reached()`, `timeout_s` (None: for ever) or the watch's end.

        Returns whether it is reached.
        """
        if is_reached():
            return True
        try:
            async with asyncio.timeout(timeout_s):
                while not self._is_closed:
                    await self._next(client_order_id)
                    if is_reached():
                        return True
        except TimeoutError:
            pass
        return is_reached()

    async def _next(self, client_order_id: str) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client_order_id, []).append(waiting)
        try:
            await waiting
        finally:
            if waiting.cancelled():
                self._leave(client_order_id, waiting)

    def _leave(self, client_order_id: str, waiting: asyncio.Future[None]) -> None:
        others = self._waiting.get(client_order_id, [])
        if waiting in others:
            others.remove(waiting)
        if not others:
            self._waiting.pop(client_order_id, None)
