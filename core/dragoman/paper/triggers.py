"""What waits for a price: stops, if-touched orders and trailing stops."""

from __future__ import annotations

import heapq
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Final, assert_never

from dragoman.models import OffsetUnit, PriceSource, Side
from dragoman.money import Rounding, add, multiply, negate, subtract

from .order import TOUCHED, TRAILING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.models import Offset

    from .listed import Listing
    from .order import WorkingOrder

__all__ = [
    "TriggerBook",
    "follow",
    "is_reached",
    "offset_distance",
    "retrail",
    "set_limit",
    "start_trailing",
]

_PERCENT: Final = Decimal("0.01")
_FEW: Final = 64


def is_reached(order: WorkingOrder, price: Decimal) -> bool:
    """Tell whether `price` triggers the order: a stop from behind, a touch the other way."""
    level = order.stop_price
    if level is None:
        return False
    return price >= level if _rises(order) else price <= level


def offset_distance(offset: Offset, price: Decimal, listing: Listing) -> Decimal:
    """Return an offset from `price` as a distance in the quote currency."""
    match offset.unit:
        case OffsetUnit.PRICE:
            return offset.value
        case OffsetUnit.PERCENT:
            return multiply(multiply(price.copy_abs(), offset.value), _PERCENT)
        case OffsetUnit.TICKS:
            return multiply(offset.value, listing.instrument.tick_at(price) or Decimal("0.01"))
        case _:
            assert_never(offset.unit)


def follow(order: WorkingOrder, price: Decimal) -> bool:
    """Let a trailing stop see a price; tell whether its level moved.

    Before its activation price is reached nothing happens. The level keeps the offset's distance
    from the best price seen since, rounded to the tick away from the market, and only ever moves in
    the order's favour.
    """
    if order.trailing is None or not _activated(order, price):
        return False
    sign = order.side.sign
    best = order.best_price
    if best is not None and (price - best) * sign >= 0:
        return False
    order.best_price = price
    level = _level(order, order.trailing, price)
    held = order.stop_price
    if held is not None and (level - held) * sign >= 0:
        return False
    order.stop_price = level
    return True


def retrail(order: WorkingOrder) -> None:
    """Set a trailing stop's level anew by its present offset, from the best price it has seen."""
    if order.trailing is not None and order.best_price is not None:
        order.stop_price = _level(order, order.trailing, order.best_price)


def start_trailing(order: WorkingOrder) -> None:
    """Let a trailing stop see the present price before it is told as working."""
    if order.trailing is None or order.trigger is None or not order.listing.admits(order):
        return
    price = order.listing.price_of(order.trigger)
    if price is not None:
        follow(order, price)


def set_limit(order: WorkingOrder) -> None:
    """Give a trailing stop-limit its limit: the offset beyond the level that triggered it."""
    offset, level = order.limit_offset, order.stop_price
    if offset is None or level is None:
        return
    distance = offset_distance(offset, level, order.listing)
    if order.side is Side.BUY:
        order.limit_price = order.listing.on_tick_size(add(level, distance), Rounding.CEILING)
    else:
        order.limit_price = order.listing.on_tick_size(subtract(level, distance), Rounding.FLOOR)


def _activated(order: WorkingOrder, price: Decimal) -> bool:
    start = order.activation_price
    if order.best_price is not None or start is None:
        return True
    return price <= start if order.side is Side.BUY else price >= start


def _level(order: WorkingOrder, offset: Offset, price: Decimal) -> Decimal:
    distance = offset_distance(offset, price, order.listing)
    if order.side is Side.BUY:
        level = order.listing.on_tick_size(add(price, distance), Rounding.CEILING)
        return level if order.fixed_stop is None else min(level, order.fixed_stop)
    level = order.listing.on_tick_size(subtract(price, distance), Rounding.FLOOR)
    return level if order.fixed_stop is None else max(level, order.fixed_stop)


def _rises(order: WorkingOrder) -> bool:
    return (order.side is Side.BUY) != (order.order_type in TOUCHED)


class TriggerBook:
    """The orders of one instrument that wait for their trigger.

    Fixed levels lie in heaps by source and direction, nearest first; an entry whose order has left
    or moved is dropped when it comes up, or when such entries outnumber the others. Trailing orders
    are kept by rank.
    """

    __slots__ = ("_armed", "_entries", "_heaps", "_stale", "trailing")

    def __init__(self) -> None:
        self._heaps: dict[
            tuple[PriceSource, bool], list[tuple[Decimal, int, int, WorkingOrder]]
        ] = {}
        self._armed: dict[int, Decimal] = {}
        self._entries = 0
        self._stale = 0
        self.trailing: dict[int, WorkingOrder] = {}

    def add(self, order: WorkingOrder) -> None:
        """Let an order wait for its trigger."""
        order.is_armed = True
        if order.order_type in TRAILING:
            self.trailing[order.rank] = order
            return
        rises = _rises(order)
        level = order.stop_price
        if level is None:
            message = f"order {order.client_order_id} waits for no level"
            raise AssertionError(message)
        key = level if rises else negate(level)
        heap = self._heaps.setdefault((order.trigger or PriceSource.LAST, rises), [])
        self._armed[order.rank] = key
        self._entries += 1
        heapq.heappush(heap, (key, order.rank, self._entries, order))

    def remove(self, order: WorkingOrder) -> None:
        """Let an order wait no longer, before its level or rank changes."""
        order.is_armed = False
        if self.trailing.pop(order.rank, None) is None:
            del self._armed[order.rank]
            self._stale += 1
            if self._stale > _FEW and self._stale > len(self._armed):
                self._sweep()

    def due(self, listing: Listing) -> Iterator[WorkingOrder]:
        """Take out and yield the orders that the present prices trigger, nearest level first."""
        for (source, rises), heap in sorted(self._heaps.items(), key=itemgetter(0)):
            price = listing.price_of(source)
            if price is None:
                continue
            reached = price if rises else negate(price)
            while heap and heap[0][0] <= reached:
                key, rank, _, order = heapq.heappop(heap)
                if self._armed.get(rank) != key:
                    self._stale -= 1
                    continue
                del self._armed[rank]
                order.is_armed = False
                yield order

    def _sweep(self) -> None:
        for heap in self._heaps.values():
            heap[:] = [entry for entry in heap if self._armed.get(entry[1]) == entry[0]]
            heapq.heapify(heap)
        self._stale = 0
