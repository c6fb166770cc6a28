"""Orders that carry an intent on: what is sent anew where a venue can't change what it has.

Each leg is an order of its own to the venue, under a client order id of its own; here it is one
more revision of the intent that it carries on.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from dragoman.models.enums import EventSource, OrderEventKind
from dragoman.money import add

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.models import Fill
    from dragoman.models.events import OrderEvent
    from dragoman.models.order import Order

__all__ = ["Leg", "Legs", "is_begun"]


def is_begun(event: OrderEvent) -> bool:
    """Tell whether an event says that another leg is about to be sent."""
    return event.kind is OrderEventKind.PENDING_REPLACE and event.source is EventSource.LOCAL


@attrs.frozen(kw_only=True)
class Leg:
    """One order that carries an intent on.

    `filled` is what the intent had filled before the leg was sent, so the leg's quantity is what
    was left of the intent then.
    """

    client_order_id: str
    intent: str
    revision: int
    filled: Decimal

    def as_intent(self, order: Order) -> Order:
        """Return a sighting of the leg as one of the intent."""
        quantity = None if order.quantity is None else add(self.filled, order.quantity)
        is_named = order.client_order_id == self.intent
        return attrs.evolve(
            order,
            client_order_id=self.intent,
            revision=order.revision if is_named else self.revision + order.revision,
            quantity=quantity,
        )

    def is_seen_in(self, order: Order) -> bool:
        """Tell whether a sighting under the intent's own id is one of this leg alone.

        An adapter may read the intent and its revision out of the leg's id. What it was given as
        the whole intent, and gives back, has every venue id.
        """
        return order.revision == self.revision and len(order.venue_order_ids) == 1


class Legs:
    """The legs of one account's orders, by the ids that the venue shows them under."""

    def __init__(self) -> None:
        self._by_id: dict[str, Leg] = {}
        self._by_venue_id: dict[tuple[str, str], Leg] = {}
        self._newest: dict[str, Leg] = {}
        self._token_of: Callable[[str, int], str] = _plain_token

    def name_with(self, token_of: Callable[[str, int], str]) -> None:
        """Let `token_of` be asked for the client order id of a revision of an intent."""
        self._token_of = token_of

    def token_of(self, intent: str, revision: int) -> str:
        """Return the client order id by which the venue knows a revision of an intent."""
        return self._token_of(intent, revision)

    def add(self, leg: Leg) -> None:
        """Know a leg, before it is sent."""
        self._by_id[leg.client_order_id] = leg
        self._newest[leg.intent] = leg

    def restore(self, events: Sequence[OrderEvent]) -> list[str]:
        """Know again the legs that the events of an intent tell of; returns their ids."""
        before: Order | None = None
        tokens: list[str] = []
        for event in events:
            now = event.order
            if is_begun(event):
                before = now
            elif before is not None and now.revision > before.revision:
                tokens.append(self._known_again(before, now))
                before = None
        return tokens

    def _known_again(self, before: Order, now: Order) -> str:
        intent, revision = before.client_order_id, now.revision
        token = self._token_of(intent, revision)
        leg = Leg(
            client_order_id=token,
            intent=intent,
            revision=revision,
            filled=before.filled_quantity,
        )
        self.add(leg)
        new = set(now.venue_order_ids).difference(before.venue_order_ids)
        self._by_venue_id.update({(now.symbol, one): leg for one in new})
        return token

    def newest_id(self, intent: str) -> str:
        """Return the client order id under which the venue knows an intent now."""
        leg = self._newest.get(intent)
        return intent if leg is None else leg.client_order_id

    def intent_of(self, client_order_id: str | None) -> str | None:
        """Return the intent that a leg of that id carries on; None if no leg has it."""
        leg = self._by_id.get(client_order_id or "")
        return None if leg is None else leg.intent

    def intent_of_fill(self, fill: Fill) -> str | None:
        """Return the intent whose leg a fill belongs to; None if it belongs to none."""
        leg = self._by_venue_id.get((fill.symbol, fill.venue_order_id or ""))
        return self.intent_of(fill.client_order_id) if leg is None else leg.intent

    def as_intent(self, order: Order) -> Order:
        """Return an order as a sighting of its intent, if it is a leg; else as it is."""
        if not self._by_id:
            return order
        newest = self._newest.get(order.client_order_id)
        if newest is not None and not newest.is_seen_in(order):
            return order
        leg = newest or self._by_id.get(order.client_order_id) or self._seen_before(order)
        if leg is None:
            return order
        for venue_id in order.venue_order_ids:
            self._by_venue_id[order.symbol, venue_id] = leg
        return leg.as_intent(order)

    def _seen_before(self, order: Order) -> Leg | None:
        found = (self._by_venue_id.get((order.symbol, one)) for one in order.venue_order_ids)
        return next((leg for leg in found if leg is not None), None)


def _plain_token(intent: str, revision: int) -> str:
    return f"{intent}.{revision}" if revision else intent
