"""Resting orders of one instrument: better price first, then displayed before hidden, then by time.

A side keeps its prices sorted and the orders of each price in a queue, so that adding and removing
cost the same however many orders rest elsewhere.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING

from dragoman.models import Side
from dragoman.money import total

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from .order import WorkingOrder

__all__ = ["BookSide", "is_better", "is_within"]


def is_within(side: Side, price: Decimal, limit: Decimal | None) -> bool:
    """Tell whether an order of `side` with that limit may trade at `price`."""
    if limit is None:
        return True
    return price <= limit if side is Side.BUY else price >= limit


def is_better(side: Side, price: Decimal, other: Decimal) -> bool:
    """Tell whether a resting order of `side` at `price` stands before one at `other`."""
    return price > other if side is Side.BUY else price < other


class _Level:
    """The orders at one price, by rank."""

    __slots__ = ("displayed", "hidden")

    def __init__(self) -> None:
        self.displayed: dict[int, WorkingOrder] = {}
        self.hidden: dict[int, WorkingOrder] | None = None

    def queue_for(self, order: WorkingOrder) -> dict[int, WorkingOrder]:
        """Return the queue that an order belongs in."""
        if not order.is_hidden:
            return self.displayed
        if self.hidden is None:
            self.hidden = {}
        return self.hidden

    def orders(self) -> Iterator[WorkingOrder]:
        """Yield the orders, first in line first."""
        yield from self.displayed.values()
        if self.hidden:
            yield from self.hidden.values()


class BookSide:
    """All resting orders of one side of one instrument. Every order in it has a limit price."""

    __slots__ = ("_levels", "_prices", "side")

    def __init__(self, side: Side) -> None:
        self.side: Side = side
        self._levels: dict[Decimal, _Level] = {}
        self._prices: list[Decimal] = []

    def __bool__(self) -> bool:
        return bool(self._prices)

    def __iter__(self) -> Iterator[WorkingOrder]:
        for price in self._by_priority():
            yield from self._levels[price].orders()

    def add(self, order: WorkingOrder) -> None:
        """Put an order in its price's queue, at the place that its rank gives it."""
        price = _price_of(order)
        level = self._levels.get(price)
        if level is None:
            level = self._levels[price] = _Level()
            insort(self._prices, price)
        queue = level.queue_for(order)
        is_last = not queue or next(reversed(queue)) < order.rank
        queue[order.rank] = order
        if not is_last:
            ranked = sorted(queue.items())
            queue.clear()
            queue.update(ranked)
        order.is_resting = True

    def remove(self, order: WorkingOrder) -> None:
        """Take an order out, before its price, rank or display changes."""
        price = _price_of(order)
        level = self._levels[price]
        del level.queue_for(order)[order.rank]
        order.is_resting = False
        if not level.displayed and not level.hidden:
            del self._levels[price]
            del self._prices[bisect_left(self._prices, price)]

    @property
    def best_price(self) -> Decimal | None:
        """The best price at which an order rests."""
        if not self._prices:
            return None
        return self._prices[-1 if self.side is Side.BUY else 0]

    @property
    def best(self) -> WorkingOrder | None:
        """The order that is first in line."""
        price = self.best_price
        return None if price is None else next(self._levels[price].orders())

    def prices_from(self, reference: Decimal) -> list[Decimal]:
        """Return the prices that meet or beat `reference`, the best first."""
        if self.side is Side.BUY:
            return self._prices[bisect_left(self._prices, reference) :][::-1]
        return self._prices[: bisect_right(self._prices, reference)]

    def orders_at(self, price: Decimal) -> tuple[WorkingOrder, ...]:
        """Return the orders at a price as they stand now, first in line first."""
        level = self._levels.get(price)
        return () if level is None else tuple(level.orders())

    def best_displayed(
        self, against: Decimal | None, rival: Decimal | None = None
    ) -> tuple[Decimal, Decimal] | None:
        """Return the best price that displays anything, and how much.

        Prices that the other side has reached, `against` being its best, do not count, nor those
        that stand behind `rival`: there may be very many orders, and nobody would see them.
        """
        for price in reversed(self._prices) if self.side is Side.BUY else self._prices:
            if rival is not None and is_better(self.side, rival, price):
                return None
            if against is not None and is_within(self.side, against, price):
                continue
            size = total(order.visible for order in self._levels[price].displayed.values())
            if size:
                return price, size
        return None

    def displayed(
        self, levels: int, against: Decimal | None
    ) -> Iterator[tuple[Decimal, Decimal, int]]:
        """Yield price, displayed size and order count of the best prices that display anything.

        Prices that the other side has reached, `against` being its best, do not count.
        """
        found = 0
        for price in self._by_priority():
            if against is not None and is_within(self.side, against, price):
                continue
            sizes = [order.visible for order in self._levels[price].displayed.values()]
            size = total(sizes)
            if not size:
                continue
            if found == levels:
                return
            found += 1
            yield price, size, sum(1 for each in sizes if each)

    def _by_priority(self) -> list[Decimal]:
        return self._prices[::-1] if self.side is Side.BUY else list(self._prices)


def _price_of(order: WorkingOrder) -> Decimal:
    if order.limit_price is None:
        message = f"order {order.client_order_id} rests without a limit price"
        raise AssertionError(message)
    return order.limit_price
