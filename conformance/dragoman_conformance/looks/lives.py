"""Whether the events of one order make a life: forward only, every part of it told, none twice."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from dragoman.models import OrderEventKind, OrderStatus
from dragoman.money import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dragoman.models import Order, OrderEvent

__all__ = [
    "faults_of_order",
    "kinds",
    "told_backwards",
    "told_wrongly",
    "wrong_sums",
    "wrong_total",
]

_RANK: Final = {
    OrderStatus.UNKNOWN: 0,
    OrderStatus.PENDING: 1,
    OrderStatus.HELD: 2,
    OrderStatus.OPEN: 3,
    OrderStatus.PARTIALLY_FILLED: 4,
}
_ONCE: Final = frozenset(
    {
        OrderEventKind.ACCEPTED,
        OrderEventKind.CANCELED,
        OrderEventKind.EXPIRED,
        OrderEventKind.REJECTED,
        OrderEventKind.ADOPTED,
    }
)
_WITH_FILL: Final = frozenset({OrderEventKind.FILL, OrderEventKind.FILL_BUSTED})


def kinds(events: Iterable[OrderEvent]) -> tuple[OrderEventKind, ...]:
    """Return what happened, in order."""
    return tuple([event.kind for event in events])


def told_backwards(events: Sequence[OrderEvent]) -> Iterator[str]:
    """Yield each step of a life that goes back, and each thing that happened twice."""
    for kind in _ONCE:
        count = sum(event.kind is kind for event in events)
        if count > 1:
            yield f"{kind} told {count} times"
    for before, after in pairwise(events):
        old, new = before.order, after.order
        if old.status.is_terminal and not new.status.is_terminal:
            yield f"{after.kind}: {new.status} after {old.status}"
        elif not new.status.is_terminal and _RANK[new.status] < _RANK[old.status]:
            if not _is_new_day(after):
                yield f"{after.kind}: {new.status} after {old.status}"
        elif after.kind is not OrderEventKind.FILL_BUSTED and (
            new.filled_quantity < old.filled_quantity
        ):
            yield f"{after.kind}: {new.filled_quantity} filled after {old.filled_quantity}"
        if new.revision < old.revision:
            yield f"{after.kind}: revision {new.revision} after {old.revision}"


def _is_new_day(event: OrderEvent) -> bool:
    return event.kind in (OrderEventKind.RESTATED, OrderEventKind.FILL_BUSTED)


def told_wrongly(events: Iterable[OrderEvent]) -> Iterator[str]:
    """Yield each event whose parts contradict each other."""
    for event in events:
        fill, order = event.fill, event.order
        if (fill is not None) is not (event.kind in _WITH_FILL):
            yield f"{event.kind} with fill {fill}"
        if fill is not None and (fill.client_order_id, fill.symbol, fill.side) != (
            order.client_order_id,
            order.symbol,
            order.side,
        ):
            yield f"a {fill.side} fill of {fill.symbol} under order {order.client_order_id}"
        yield from faults_of_order(order)


def faults_of_order(order: Order) -> Iterator[str]:
    """Yield what contradicts itself in an order as it is told."""
    filled, quantity, status = order.filled_quantity, order.quantity, order.status
    if status is OrderStatus.PARTIALLY_FILLED and not filled:
        yield f"{status} of nothing"
    if status in (OrderStatus.OPEN, OrderStatus.PENDING, OrderStatus.REJECTED) and filled:
        yield f"{status} though {filled} has filled"
    if quantity is None:
        return
    if status is OrderStatus.FILLED and filled != quantity:
        yield f"{status} though {filled} of {quantity} has filled"
    if not status.is_terminal and filled >= quantity:
        yield f"{status} though {filled} of {quantity} has filled"


def wrong_sums(events: Iterable[OrderEvent]) -> Iterator[str]:
    """Yield each event by which an order has filled otherwise than by the fills told before it."""
    filled, seen = ZERO, set[str]()
    for event in events:
        fill, order = event.fill, event.order
        if fill is not None and event.kind is OrderEventKind.FILL_BUSTED:
            filled -= fill.quantity
        elif fill is not None:
            filled += fill.quantity
            if fill.fill_id in seen:
                yield f"fill {fill.fill_id} told twice"
            seen.add(fill.fill_id)
        if order.filled_quantity != filled:
            yield f"{event.kind}: {order.filled_quantity} filled, by fills {filled}"
        left = order.remaining_quantity
        if left is None or order.is_terminal:
            continue
        if left + order.filled_quantity != order.quantity:
            yield f"{event.kind}: {left} left and {order.filled_quantity} filled"


def wrong_total(events: Sequence[OrderEvent]) -> Iterator[str]:
    """Yield what is wrong with the fills of an order once all of it was told.

    While a fate is found out, an order may be seen to have filled before its fills are.
    """
    fills = [event.fill for event in events if event.kind is OrderEventKind.FILL and event.fill]
    if len({fill.fill_id for fill in fills}) != len(fills):
        yield "a fill told twice"
    filled = sum((fill.quantity for fill in fills), ZERO)
    if events and events[-1].order.filled_quantity != filled:
        yield f"{events[-1].order.filled_quantity} filled, by fills {filled}"
