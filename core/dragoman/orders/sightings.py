"""What the venue has said of one order's terms, look by look, and the terms that follow.

A field that a look says nothing about is None and takes nothing back: known beats unknown, later
beats earlier. Two things do take a term back: an order type that has no such term, and a change of
one's own that took an exit leg off.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.models.enums import Contingency, OrderType
from dragoman.models.order import Order
from dragoman.models.request_rules import price_fields

if TYPE_CHECKING:
    from collections.abc import Collection

    from .status import Stamp

__all__ = ["DERIVED", "TERMS", "Sightings", "stamp_of"]

DERIVED: Final = (
    "status",
    "pending",
    "venue_order_ids",
    "revision",
    "filled_quantity",
    "average_fill_price",
    "commission",
    "is_triggered",
    "origin",
    "created_at_ns",
    "updated_at_ns",
    "received_at_ns",
)
"""The fields of an order that do not follow from its latest sighting alone."""

TERMS: Final = tuple(
    name for name in attrs.fields_dict(Order) if name not in {*DERIVED, "raw"} - {"commission"}
)
"""The fields of an order that each sighting may say anew."""

_terms_of: Final = attrgetter(*TERMS)
_CONTINGENCY: Final = TERMS.index("contingency")
_ORDER_TYPE: Final = TERMS.index("order_type")
_MAY_BE_EMPTY: Final = tuple(TERMS.index(name) for name in ("venue_options", "handling"))
_OF_A_TYPE: Final = ("limit_price", "peg", "stop_price", "trailing", "limit_offset", "trigger")
_LEVEL_OF_A_TRAIL: Final = frozenset({"stop_price", "limit_price"})


def stamp_of(order: Order) -> Stamp:
    """Return how late a sighting is: by revision, then by venue time; never by arrival."""
    return order.revision, -1 if order.updated_at_ns is None else order.updated_at_ns


def _foreign_terms(order_type: OrderType) -> tuple[int, ...]:
    """Return which terms an order of that type can't have."""
    allowed = price_fields(order_type).needs | price_fields(order_type).may_have
    if "trailing" in allowed:
        allowed |= _LEVEL_OF_A_TRAIL
    return tuple(TERMS.index(name) for name in _OF_A_TYPE if name not in allowed)


_FOREIGN: Final = {
    order_type: _foreign_terms(order_type)
    for order_type in OrderType
    if order_type is not OrderType.UNKNOWN
}


class _Sighting:
    """One look at the order, and what it says: a term it says nothing about is None."""

    __slots__ = ("order", "said", "stamp")

    def __init__(self, order: Order) -> None:
        self.order = order
        self.stamp: Stamp = stamp_of(order)
        said = list(_terms_of(order))
        for index in _MAY_BE_EMPTY:
            said[index] = said[index] or None
        if said[_CONTINGENCY] is Contingency.NONE:
            said[_CONTINGENCY] = None
        self.said: list[Any] = said

    def is_same(self, other: _Sighting) -> bool:
        """Tell whether two sightings say the same of the same time."""
        return (
            self.stamp == other.stamp
            and self.order.pending is other.order.pending
            and self.said == other.said
        )

    def is_later(self, other: _Sighting) -> bool:
        """Order sightings totally; those of one time by their words, so arrival never decides."""
        if self.stamp != other.stamp:
            return self.stamp > other.stamp
        return repr((self.said, self.order.pending)) > repr((other.said, other.order.pending))

    def adds_to(self, said: list[Any]) -> bool:
        """Tell whether this says anything that `said` does not."""
        if self.said == said:
            return False
        fields = zip(self.said, said, strict=True)
        return any(new is not None and old is None for new, old in fields)


def _joined(said: list[Any], more: list[Any]) -> list[Any]:
    """Fill what `said` says nothing about."""
    return [new if old is None else old for old, new in zip(said, more, strict=True)]


class Sightings:
    """The sightings that still say something no later one says, latest first."""

    __slots__ = ("_kept", "_taken_off")

    def __init__(self, first: Order) -> None:
        self._kept = [_Sighting(first)]
        self._taken_off: dict[int, int] = {}

    @property
    def latest(self) -> Order:
        """The latest sighting."""
        return self._kept[0].order

    @property
    def earliest(self) -> Order:
        """The earliest sighting that still says something."""
        return self._kept[-1].order

    @property
    def is_one(self) -> bool:
        """Whether the latest sighting says all there is."""
        return len(self._kept) == 1

    def add(self, order: Order) -> None:
        """Take in one sighting."""
        sighting, place = _Sighting(order), 0
        for known in self._kept:
            if known.is_same(sighting):
                return
            if sighting.is_later(known):
                break
            place += 1
        self._kept.insert(place, sighting)
        kept = self._kept[:1]
        said = kept[0].said
        for one in self._kept[1:]:
            if one.adds_to(said):
                kept.append(one)
                said = _joined(said, one.said)
        self._kept = kept

    def take_off(self, names: Collection[str], revision: int) -> None:
        """Let what sightings before `revision` say of these terms end with that revision."""
        self._taken_off |= dict.fromkeys(map(TERMS.index, names), revision)

    def keep_on(self, names: Collection[str]) -> None:
        """Take `take_off` back: the change was refused."""
        for name in names:
            self._taken_off.pop(TERMS.index(name), None)

    def terms(self, revision: int) -> tuple[Any, ...]:
        """Return each term as the latest sighting that says anything about it has it.

        Args:
            revision: The highest revision that was seen.
        """
        latest = self._kept[0]
        own: tuple[Any, ...] = _terms_of(latest.order)
        if self.is_one:
            return own
        said = latest.said
        for one in self._kept[1:]:
            said = _joined(said, one.said)
        for index in _FOREIGN.get(said[_ORDER_TYPE], ()):
            said[index] = latest.said[index]
        for index, since in self._taken_off.items():
            if since <= revision:
                said[index] = self._since(index, since)
        return tuple(_joined(said, list(own)))

    def _since(self, index: int, revision: int) -> object:
        rows = (one.said[index] for one in self._kept if one.stamp[0] >= revision)
        return next((value for value in rows if value is not None), None)
