"""Orders of which one was to cancel the other, both filled: found as the second one fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models import OrderStatus

from .groups import group_of

if TYPE_CHECKING:
    from dragoman.models import Order

    from .desks import Desk

__all__ = ["Doubles"]

_MOST_TOLD: Final = 10_000


class Doubles:
    """Knows which pairs were told of, so that each is told once.

    Args:
        desk: The account.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told: dict[frozenset[str], None] = {}

    def before(self, order: Order) -> Order | None:
        """Return the order that filled before this one, and should have canceled it; once."""
        group = group_of(self._desk, order)
        if group is None and order.parent_client_order_id is None:
            return None
        for other in self._desk.broker.state.orders:
            pair = frozenset({other.client_order_id, order.client_order_id})
            is_group = group is not None and group_of(self._desk, other) == group
            is_fresh = len(pair) == 2 and pair not in self._told
            if is_fresh and _excludes(other, order, is_group=is_group):
                self._told[pair] = None
                if len(self._told) > _MOST_TOLD:
                    self._told.pop(next(iter(self._told)))
                return other
        return None


def _excludes(other: Order, order: Order, *, is_group: bool) -> bool:
    """Tell whether an order has filled that was at work together with another, instead of it."""
    if other.status is not OrderStatus.FILLED or other.symbol != order.symbol:
        return False
    parent = order.parent_client_order_id
    is_pair = (
        parent is not None
        and other.parent_client_order_id == parent
        and other.order_type is not order.order_type
    )
    if not is_group and not is_pair:
        return False
    # The name of a group may be used again, once the one before is over.
    ended_ns, created_ns = other.updated_at_ns, order.created_at_ns
    return ended_ns is None or created_ns is None or ended_ns >= created_ns
