"""What the client says, as plain rows for the history and the checker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import ConnectionEvent, HealthEvent, OrderEvent
from dragoman.models.events import Alarm

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Event, Fill, Order

    from .history import Row

__all__ = ["row_of", "row_of_order"]

READER = "reader"


def row_of(event: Event) -> Row | None:
    """Return the row that tells of an event; None for events that no invariant is about."""
    if isinstance(event, OrderEvent):
        return {
            "row": "event",
            "reader": READER,
            "sequence": event.sequence,
            "kind": event.kind,
            "source": event.source,
            "at_ns": event.received_at_ns,
            **_order_facts(event.order),
            "fill": None if event.fill is None else _fill_facts(event.fill),
        }
    if isinstance(event, HealthEvent):
        facts: Row = {"state": event.state, "previous": event.previous}
        return {"row": "health", **facts, "causes": list(event.causes)}
    if isinstance(event, ConnectionEvent):
        where: Row = {"state": event.state, "channel": event.channel}
        return {"row": "connection", **where, "cause": event.cause}
    if isinstance(event, Alarm):
        alarm: Row = {"kind": event.kind, "client_id": event.client_order_id}
        return {"row": "alarm", **alarm, "cause": event.cause}
    sequence: int | None = getattr(event, "sequence", None)
    if sequence is None:
        return {"row": "session", "kind": type(event).__name__}
    return {"row": "sequence", "reader": READER, "sequence": sequence}


def row_of_order(order: Order) -> Row:
    """Return the row of an order as it stands at the end."""
    return {"row": "order", **_order_facts(order)}


def _order_facts(order: Order) -> Row:
    return {
        "client_id": order.client_order_id,
        "venue_id": order.venue_order_id,
        "status": order.status,
        "pending": order.pending,
        "filled": str(order.filled_quantity),
        "quantity": _text(order.quantity),
        "price": _text(order.limit_price),
        "revision": order.revision,
        "reason": order.reject_reason,
    }


def _fill_facts(fill: Fill) -> Row:
    return {
        "fill_id": fill.fill_id,
        "quantity": str(fill.quantity),
        "price": str(fill.price),
        "time_ns": str(fill.venue_time_ns),
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
