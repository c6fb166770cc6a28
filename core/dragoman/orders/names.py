"""Under which client order id an order is known here, whatever the venue shows it by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .legs import Legs

if TYPE_CHECKING:
    from collections.abc import Container

    from dragoman.models import Fill
    from dragoman.models.order import Order

__all__ = ["Names"]


class Names:
    """The names of one account's orders.

    Args:
        known: The client order ids that orders are tracked under.
    """

    def __init__(self, known: Container[str]) -> None:
        self._known = known
        self._by_venue_id: dict[str, dict[str, str]] = {}
        self.legs: Legs = Legs()

    def of(self, order: Order) -> str:
        """Return the client order id under which an order is, or would be, tracked.

        A venue may show an order by its venue id alone; those are unique per symbol.
        """
        if order.client_order_id in self._known:
            return order.client_order_id
        intent = self.legs.intent_of(order.client_order_id)
        if intent is not None:
            return intent
        names = self._by_venue_id.get(order.symbol, {})
        known = (names.get(one) for one in order.venue_order_ids)
        return next((name for name in known if name is not None), order.client_order_id)

    def of_fill(self, fill: Fill) -> str | None:
        """Return the client order id of the tracked order that a fill belongs to; None: of none."""
        if fill.client_order_id in self._known:
            return fill.client_order_id
        intent = self.legs.intent_of_fill(fill)
        if intent is not None:
            return intent
        return self._by_venue_id.get(fill.symbol, {}).get(fill.venue_order_id or "")

    def learn(self, order: Order) -> None:
        """Remember the venue ids of an order that is tracked."""
        if order.venue_order_ids:
            names = self._by_venue_id.setdefault(order.symbol, {})
            for venue_id in order.venue_order_ids:
                names[venue_id] = order.client_order_id
