"""When orders end by themselves: an order that ends early leaves nothing behind."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .order import WorkingOrder

__all__ = ["Deadlines", "earlier"]


def earlier(first_ns: int | None, second_ns: int | None) -> int | None:
    """Return the earlier of two instants, of which None never comes."""
    if first_ns is None or second_ns is None:
        return second_ns if first_ns is None else first_ns
    return min(first_ns, second_ns)


class Deadlines:
    """Orders by the instant in `ends_at_ns`.

    Those of one instant come in the order they were accepted.
    """

    def __init__(self) -> None:
        self._orders: dict[int, dict[str, WorkingOrder]] = {}
        self._instants: list[int] = []

    def add(self, order: WorkingOrder) -> None:
        """Keep an order's deadline; one without is not kept."""
        instant_ns = order.ends_at_ns
        if instant_ns is None:
            return
        found = self._orders.get(instant_ns)
        if found is None:
            found = self._orders[instant_ns] = {}
            heapq.heappush(self._instants, instant_ns)
        found[order.venue_order_ids[0]] = order

    def remove(self, order: WorkingOrder) -> None:
        """Forget an order's deadline, before it changes; nothing happens if it has none."""
        instant_ns = order.ends_at_ns
        found = None if instant_ns is None else self._orders.get(instant_ns)
        if found is not None and instant_ns is not None:
            found.pop(order.venue_order_ids[0], None)

    def next_ns(self) -> int | None:
        """Return the first instant at which an order ends; None if none does."""
        while self._instants:
            instant_ns = self._instants[0]
            if self._orders[instant_ns]:
                return instant_ns
            heapq.heappop(self._instants)
            del self._orders[instant_ns]
        return None

    def take(self, now_ns: int) -> list[WorkingOrder]:
        """Take out the orders whose instant has come, in order."""
        due: list[WorkingOrder] = []
        while (instant_ns := self.next_ns()) is not None and instant_ns <= now_ns:
            heapq.heappop(self._instants)
            orders = self._orders.pop(instant_ns)
            due += sorted(orders.values(), key=_accepted_at)
        return due


def _accepted_at(order: WorkingOrder) -> int:
    return order.created_at_ns or 0
