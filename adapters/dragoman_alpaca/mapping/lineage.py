"""Orders that came out of each other by replaces, as far as they were seen.

A row names the order before it, and nothing else of its past. Who replaced it, how often it was
replaced before, and what those earlier orders had filled is known only to who remembers them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs

from dragoman.money import ZERO, add

__all__ = ["Lineage", "Place"]

_MOST_ORDERS: Final = 20_000


@attrs.define
class Place:
    """Where an order stands among those of its intent.

    `before` is what the earlier ones have filled, `filled` what this one has; `later` is the one
    that replaced it.
    """

    name: str
    revision: int
    before: Decimal
    filled: Decimal
    later: str | None = None


class Lineage:
    """Where orders stand that replaced others, or were replaced; the oldest are forgotten first."""

    def __init__(self, most: int = _MOST_ORDERS) -> None:
        self._most = most
        self._places: dict[str, Place] = {}
        self._refused_by: dict[str, str] = {}

    def place_of(self, venue_order_id: str | None) -> Place | None:
        """Return where an order stands; None if its past was never seen."""
        return self._places.get(venue_order_id or "")

    def put(
        self,
        venue_order_id: str,
        replaces: str | None,
        *,
        name: str,
        revision: int,
        filled: Decimal,
    ) -> None:
        """Know an order, and what it has filled by now.

        Args:
            venue_order_id: The order.
            replaces: The one that it is to replace; None: it is where the past begins.
            name: The client order id of its intent, if the one before is not known.
            revision: Which revision it is at the least.
            filled: What it has filled.
        """
        known = self._places.get(venue_order_id)
        if known is not None:
            self._fill(known, filled)
            return
        before = ZERO
        earlier = self._places.get(replaces or "")
        if earlier is not None:
            earlier.later = venue_order_id
            name, revision = earlier.name, max(revision, earlier.revision + 1)
            before = add(earlier.before, earlier.filled)
        elif replaces:
            return
        self._places[venue_order_id] = Place(name, revision, before, filled)
        while len(self._places) > self._most:
            del self._places[next(iter(self._places))]

    def asked(self, venue_order_id: str) -> None:
        """Know that a replace of an order is about to be asked for: its refusal will be news."""
        self._refused_by.pop(venue_order_id, None)

    def is_news(self, venue_order_id: str, word: str) -> bool:
        """Tell whether the refusal of an order's replace was not told by another word before.

        It comes twice: as what became of the order that stands, and of the one that never worked.
        """
        told = self._refused_by.pop(venue_order_id, word)
        if told == word:
            self._refused_by[venue_order_id] = word
        while len(self._refused_by) > self._most:
            del self._refused_by[next(iter(self._refused_by))]
        return told == word

    def _fill(self, place: Place, filled: Decimal) -> None:
        """Let what an order has filled count for those after it."""
        if filled <= place.filled:
            return
        place.filled = filled
        later = self._places.get(place.later or "")
        while later is not None:
            later.before = add(place.before, place.filled)
            place, later = later, self._places.get(later.later or "")
