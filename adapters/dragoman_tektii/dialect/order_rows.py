"""Orders as the protocol shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import OffsetUnit, OrderStatus, PendingAction
from dragoman.money import ZERO, add, subtract
from dragoman_tektii.mapping.words import (
    ORDER_TYPE_WORDS,
    REJECT_REASON_WORDS,
    SIDE_WORDS,
    STATUS_WORDS,
    TIME_IN_FORCE_WORDS,
)

from .texts import amount, instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from dragoman.models import Exit, Offset, Order

    from .desks import Desk

__all__ = ["handle_row", "order_row", "present", "status_word", "total_quantity"]

_UNITS = {OffsetUnit.PRICE: "ABSOLUTE", OffsetUnit.PERCENT: "PERCENT"}


def present(row: Mapping[str, object]) -> dict[str, object]:
    """Return a row without what is not known."""
    return {name: value for name, value in row.items() if value is not None}


def status_word(order: Order) -> str:
    """Return how an order stands.

    One of unknown fate may be at work: it is on its way here, and never called rejected.
    """
    if order.is_open and order.pending is PendingAction.CANCEL:
        return "PENDING_CANCEL"
    return STATUS_WORDS[order.status]


def handle_row(desk: Desk, order: Order) -> dict[str, object]:
    """Return the handle of an order that was just sent."""
    named = desk.naming.find(order.client_order_id)
    return present(
        {
            "id": order.client_order_id,
            "client_order_id": order.client_order_id if named.is_named else None,
            "correlation_id": named.correlation_id,
            "status": status_word(order),
        }
    )


def order_row(desk: Desk, order: Order, *, is_news: bool = False) -> dict[str, object]:
    """Return an order.

    Args:
        desk: The account it belongs to.
        order: The order as it stands.
        is_news: Show its correlation id even if it has ended: this is how that is told.
    """
    named = desk.naming.find(order.client_order_id)
    is_traced = is_news or order.is_open
    whole = total_quantity(desk, order)
    created_ns = order.received_at_ns if order.created_at_ns is None else order.created_at_ns
    updated_ns = created_ns if order.updated_at_ns is None else order.updated_at_ns
    distance, unit = _trail(order.trailing)
    shown = order.display_quantity
    is_rejected = order.status is OrderStatus.REJECTED
    return present(
        {
            "id": order.client_order_id,
            "client_order_id": order.client_order_id if named.is_named else None,
            "symbol": desk.naming.spelled(
                order.symbol, order.client_order_id, order.parent_client_order_id
            ),
            "side": SIDE_WORDS[order.side],
            "order_type": ORDER_TYPE_WORDS[order.order_type],
            "quantity": amount(whole),
            "filled_quantity": amount(order.filled_quantity),
            "remaining_quantity": amount(_rest(whole, order.filled_quantity)),
            "limit_price": amount(order.limit_price),
            "stop_price": amount(order.stop_price),
            "stop_loss": _level(order.stop_loss),
            "take_profit": _level(order.take_profit),
            "trailing_distance": distance,
            "trailing_type": unit,
            "average_fill_price": amount(order.average_fill_price),
            "status": status_word(order),
            "reject_reason": _why(order) if is_rejected else None,
            "position_id": order.position_id,
            "parent_order_id": order.parent_client_order_id,
            "reduce_only": order.reduce_only,
            "post_only": order.post_only,
            "hidden": None if shown is None else not shown,
            "display_quantity": amount(shown) if shown else None,
            "oco_group_id": order.group_id or named.group,
            "correlation_id": named.correlation_id if is_traced else None,
            "time_in_force": _time(order),
            "created_at": instant(created_ns),
            "updated_at": instant(updated_ns),
        }
    )


def total_quantity(desk: Desk, order: Order) -> Decimal:
    """Return what an order is for.

    One that closes whatever is held is for what is held now; one by value for what it has filled.
    """
    if order.quantity is not None:
        return order.quantity
    if order.is_open and order.reduce_only:
        held = desk.broker.state.position(order.position_id or order.symbol)
        if held is not None:
            return add(order.filled_quantity, held.quantity.copy_abs())
    return order.filled_quantity


def _rest(whole: Decimal, filled: Decimal) -> Decimal:
    return subtract(whole, filled) if whole > filled else ZERO


def _level(leg: Exit | None) -> str | None:
    return None if leg is None else amount(leg.price)


def _trail(trailing: Offset | None) -> tuple[str | None, str | None]:
    unit = None if trailing is None else _UNITS.get(trailing.unit)
    if trailing is None or unit is None:
        return None, None
    return amount(trailing.value), unit


def _why(order: Order) -> str:
    reason = order.reject_reason
    return "UNKNOWN" if reason is None else REJECT_REASON_WORDS.get(reason, "UNKNOWN")


def _time(order: Order) -> str:
    return "GTC" if order.time_in_force is None else TIME_IN_FORCE_WORDS[order.time_in_force]
