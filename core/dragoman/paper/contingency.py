"""What one order's step means for others: its legs, its entry, its group."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Position

    from .desk import Desk
    from .lifecycle import Lifecycle
    from .order import WorkingOrder

__all__ = ["after_end", "after_fill", "after_position", "before_status"]


def before_status(order: WorkingOrder) -> None:
    """Let an order that has just filled what it had learn that there may be more to come."""
    exits, quantity = order.leg_of, order.quantity
    if exits is not None and quantity is not None and order.filled_quantity >= quantity:
        exits.extend(order)


def after_fill(life: Lifecycle, order: WorkingOrder, quantity: Decimal) -> None:
    """Pass a fill on to all that depends on it."""
    if order.group is not None:
        order.group.after_fill(life, order, quantity)
    if order.exits is not None:
        order.exits.after_entry(life)
    if order.leg_of is not None:
        order.leg_of.after_leg(life, order, quantity)


def after_end(life: Lifecycle, order: WorkingOrder) -> None:
    """Pass the end of an order on to all that depends on it."""
    if order.group is not None:
        order.group.after_end(life, order)
    if order.exits is not None:
        order.exits.after_entry(life)


def after_position(life: Lifecycle, desk: Desk, position: Position, previous: Decimal) -> None:
    """Cancel the exits of a position that is gone or has turned."""
    registered = desk.exits.get(position.position_id)
    if (
        not registered
        or not previous
        or (position.quantity and (position.quantity > 0) == (previous > 0))
    ):
        return
    for exits in registered:
        if exits.entry is None or not exits.entry.is_live:
            exits.cancel(life, "the position it protects is closed")
    living = [exits for exits in registered if exits.may_act]
    if living:
        desk.exits[position.position_id] = living
    else:
        desk.exits.pop(position.position_id, None)
