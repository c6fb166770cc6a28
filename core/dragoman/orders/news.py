"""What of an order's life is worth telling, given what has been told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models.enums import OrderEventKind, OrderStatus

from .status import ENDS, ONCE, ended_by

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from dragoman.models.order import Order

__all__ = ["kinds_between", "worth_telling"]

_NOT_ACCEPTED: Final = frozenset({OrderStatus.PENDING, OrderStatus.UNKNOWN, OrderStatus.REJECTED})


def worth_telling(
    kind: OrderEventKind,
    before: Order,
    after: Order,
    told: AbstractSet[OrderEventKind],
    told_revision: int,
) -> OrderEventKind | None:
    """Return as what an event of the stream is to be told; None if it is no news.

    An end is told as the end that stands, should the venue have contradicted itself.
    """
    if before.status is OrderStatus.FILLED or not told.isdisjoint(ENDS.values()):
        return None
    if ended_by(kind) is not None:
        return ENDS.get(after.status)
    match kind:
        case OrderEventKind.REPLACED:
            is_news = after.revision > told_revision
        case OrderEventKind.PENDING_CANCEL | OrderEventKind.PENDING_REPLACE:
            is_news = after.pending is not before.pending
        case OrderEventKind.RESTATED:
            is_news = _is_restated(before, after)
        case _:
            is_news = kind not in ONCE or kind not in told
    return kind if is_news else None


def kinds_between(
    before: Order, after: Order, told: AbstractSet[OrderEventKind], told_revision: int
) -> Iterator[OrderEventKind]:
    """Name what a response or a snapshot has changed, as the events that tell it."""
    end = ENDS.get(after.status)
    if not told.isdisjoint(ENDS.values()):
        return
    is_new = OrderEventKind.ACCEPTED not in told
    if is_new and after.status not in _NOT_ACCEPTED:
        yield OrderEventKind.ACCEPTED
    if after.is_triggered and not before.is_triggered and OrderEventKind.TRIGGERED not in told:
        yield OrderEventKind.TRIGGERED
    if end is not None:
        yield end
    elif not is_new:
        yield from _changes(before, after, told_revision)


def _changes(before: Order, after: Order, told_revision: int) -> Iterator[OrderEventKind]:
    if after.revision > told_revision:
        yield OrderEventKind.REPLACED
    elif after.pending is not before.pending and after.pending is not None:
        yield OrderEventKind[f"PENDING_{after.pending}"]
    elif _terms(before) != _terms(after):
        yield OrderEventKind.RESTATED


def _terms(order: Order) -> tuple[object, ...]:
    """Return what a reader would call a change: not the times of arrival, not the venue's ids."""
    return (
        order.status,
        order.quantity,
        order.filled_quantity,
        order.limit_price,
        order.stop_price,
        order.pending,
    )


def _is_restated(before: Order, after: Order) -> bool:
    """Tell whether anything but the times differs."""
    return after != attrs.evolve(
        before, updated_at_ns=after.updated_at_ns, received_at_ns=after.received_at_ns
    )
