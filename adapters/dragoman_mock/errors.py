"""What the engine's answers mean to a caller: which of them are errors, and what each proves.

| the engine says | the adapter raises |
|---|---|
| REJECTED | `OrderRejectedError` with the engine's reason; `code` is its name |
| CANCEL_REJECTED | `ConflictError`: the order has ended |
| REPLACE_REJECTED | `ConflictError` if the order has ended, else `OrderRejectedError` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import ConflictError, OrderRejectedError, RejectReason
from dragoman.models import OrderEvent, OrderEventKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.errors import DragomanError
    from dragoman.models import Event, Order

__all__ = [
    "cancel_error",
    "exits_error",
    "is_for_everybody",
    "rejection",
    "replace_error",
    "submit_error",
]


def rejection(order: Order, verb: str = "refused") -> OrderRejectedError:
    """Return the error for an order that the venue refused."""
    reason = order.reject_reason or RejectReason.OTHER
    return OrderRejectedError(
        f"mock {verb} order {order.client_order_id}: {order.reason or reason}",
        reason=reason,
        client_order_id=order.client_order_id,
        provider=order.provider,
        code=reason.name,
    )


def submit_error(events: Iterable[Event], client_order_id: str) -> DragomanError | None:
    """Return why a submitted order was refused; None if it was taken."""
    refused = _told(events, client_order_id, OrderEventKind.REJECTED)
    return None if refused is None else rejection(refused)


def exits_error(events: Iterable[Event]) -> DragomanError | None:
    """Return why a position's new exits were refused; None if they were taken."""
    for event in events:
        if isinstance(event, OrderEvent) and event.kind is OrderEventKind.REJECTED:
            return rejection(event.order)
    return None


def cancel_error(events: Iterable[Event], client_order_id: str) -> DragomanError | None:
    """Return why an order was not canceled; None if it was."""
    refused = _told(events, client_order_id, OrderEventKind.CANCEL_REJECTED)
    return None if refused is None else _has_ended(refused)


def replace_error(events: Iterable[Event], client_order_id: str) -> DragomanError | None:
    """Return why an order was not changed; None if it was."""
    refused = _told(events, client_order_id, OrderEventKind.REPLACE_REJECTED)
    if refused is None:
        return None
    return _has_ended(refused) if refused.is_terminal else rejection(refused, "did not replace")


def is_for_everybody(event: Event) -> bool:
    """Tell whether an event may be streamed.

    The refusal of a taken client order id is the answer to its sender alone: told to all, it would
    read as the end of the order that has the id.
    """
    return not (
        isinstance(event, OrderEvent)
        and event.kind is OrderEventKind.REJECTED
        and event.order.reject_reason is RejectReason.DUPLICATE_CLIENT_ORDER_ID
    )


def _told(events: Iterable[Event], client_order_id: str, kind: OrderEventKind) -> Order | None:
    for event in events:
        if not isinstance(event, OrderEvent) or event.kind is not kind:
            continue
        if event.order.client_order_id == client_order_id:
            return event.order
    return None


def _has_ended(order: Order) -> ConflictError:
    return ConflictError(
        f"order {order.client_order_id} has ended: {order.status}",
        provider=order.provider,
        code=order.status.name,
    )
