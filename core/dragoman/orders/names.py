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
        self._by_token: dict[str, str] = {}
        self.legs: Legs = Legs()

    def expect(self, order: Order) -> None:
        """Know by which tokens the venue shows an order and its exits, where those are no ids.

        A venue whose grammar does not hold an id shows a hash of it, which nobody can read back.
        """
        name = order.client_order_id
        exits = ((order.stop_loss, "sl"), (order.take_profit, "tp"))
        legs = [leg.client_order_id or f"{name}-{role}" for leg, role in exits if leg is not None]
        for one in (name, *legs):
            token = self.legs.token_of(one, 0)
            if token != one:
                self._by_token[token] = one

    def intent_of(self, client_order_id: str | None) -> str | None:
        """Return the intent that the venue shows under another id; None if there is none."""
        intent = self.legs.intent_of(client_order_id)
        return self._by_token.get(client_order_id or "") if intent is None else intent

    def of(self, order: Order) -> str:
        """Return the client order id under which an order is, or would be, tracked.

        A venue may show an order by its venue id alone; those are unique per symbol.
        """
        if order.client_order_id in self._known:
            return order.client_order_id
        intent = self.intent_of(order.client_order_id)
        if intent is not None:
            return intent
        names = self._by_venue_id.get(order.symbol, {})
        known = (names.get(one) for one in order.venue_order_ids)
        return next((name for name in known if name is not None), order.client_order_id)

    def of_fill(self, fill: Fill) -> str | None:
        """Return the client order id of the tracked order that a fill belongs to; None: of none."""
        if fill.client_order_id in self._known:
            return fill.client_order_id
        intent = self.legs.intent_of_fill(fill) or self._by_token.get(fill.client_order_id)
        if intent is not None and intent in self._known:
            return intent
        return self._by_venue_id.get(fill.symbol, {}).get(fill.venue_order_id or "")

    def learn(self, order: Order) -> None:
        """Remember the venue ids of an order that is tracked."""
        if order.venue_order_ids:
            names = self._by_venue_id.setdefault(order.symbol, {})
            for venue_id in order.venue_order_ids:
                names[venue_id] = order.client_order_id
