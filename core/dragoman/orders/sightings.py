"""What the venue has said of one order's terms, look by look, and the terms that follow.

A field that a look says nothing about is None and takes nothing back: known beats unknown, later
beats earlier. Two things do take a term back: an order type that has no such term, and a change of
one's own that took an exit leg off.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.models.enums import Contingency, OrderStatus, OrderType
from dragoman.models.options import NO_OPTIONS
from dragoman.models.order import Order
from dragoman.models.request_rules import price_fields

from .status import end_rank, rank

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

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
_OPTIONS: Final = TERMS.index("venue_options")
_HANDLING: Final = TERMS.index("handling")
_NO_HANDLING: Final = attrs.fields(Order).handling.default
_FIRST_END: Final = 1 + max(rank(status) for status in OrderStatus if not status.is_terminal)
_MAY_SAY_NOTHING: Final = (_OPTIONS, _HANDLING, _CONTINGENCY)
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


def _said(order: Order) -> list[Any]:
    """Return what a look says of each term; None where it says nothing."""
    said = list(_terms_of(order))
    options, handling = said[_OPTIONS], said[_HANDLING]
    if options is NO_OPTIONS or not options:
        said[_OPTIONS] = None
    if handling is _NO_HANDLING or not handling:
        said[_HANDLING] = None
    if said[_CONTINGENCY] is Contingency.NONE:
        said[_CONTINGENCY] = None
    return said


def _order_of(one: Order, other: Order, said: list[Any], other_said: list[Any]) -> int:
    """Return above 0 if `one` is the later sighting, 0 if both say the same of the same time.

    The order is total: of one time, the one further in an order's life is the later, so that a
    venue's word outweighs what was asked; then the one that says a command is pending, since a
    venue may take that without touching the order; the rest are told apart by their words, never by
    arrival.
    """
    stamp, other_stamp = stamp_of(one), stamp_of(other)
    if stamp != other_stamp:
        return 1 if stamp > other_stamp else -1
    if one.status is not other.status:
        return _stage_of(one) - _stage_of(other)
    if one.pending is other.pending and said == other_said:
        return 0
    if (one.pending is None) is not (other.pending is None):
        return -1 if one.pending is None else 1
    for word, other_word in zip((one.pending, *said), (other.pending, *other_said), strict=True):
        if word is not other_word and (text := repr(word)) != (other_text := repr(other_word)):
            return 1 if text > other_text else -1
    return -1


def _stage_of(order: Order) -> int:
    status = order.status
    return _FIRST_END + end_rank(status) if status.is_terminal else rank(status)


def _joined(said: list[Any], more: list[Any]) -> list[Any]:
    """Fill what `said` says nothing about."""
    return [new if old is None else old for old, new in zip(said, more, strict=True)]


class Sightings:
    """The sightings that still say something no later one says.

    Only the orders themselves are kept: what they say is read out of them when it is needed.
    """

    __slots__ = ("_fresh", "_older", "_taken_off", "latest")

    def __init__(self, first: Order) -> None:
        self.latest: Order = first
        """The latest sighting."""
        self._older: tuple[Order, ...] = ()
        self._fresh: list[Any] | None = None
        """All that the sightings say, between a new one and the first question for it."""
        self._taken_off: dict[int, int] | None = None

    @property
    def earliest(self) -> Order:
        """The earliest sighting that still says something."""
        return self._older[-1] if self._older else self.latest

    @property
    def is_one(self) -> bool:
        """Whether the latest sighting says all there is."""
        return not self._older

    def add(self, order: Order) -> None:
        """Take in one sighting."""
        words = _said(order)
        rows = [(known, _said(known)) for known in self._kept()]
        place = 0
        for known, known_words in rows:
            which = _order_of(order, known, words, known_words)
            if which == 0:
                return
            if which > 0:
                break
            place += 1
        rows.insert(place, (order, words))
        self.latest, said = rows[0]
        older: list[Order] = []
        for one, more in rows[1:]:
            both = _joined(said, more)
            if both != said:
                older.append(one)
                said = both
        self._older, self._fresh = tuple(older), said

    def take_off(self, names: Collection[str], revision: int) -> None:
        """Let what sightings before `revision` say of these terms end with that revision."""
        if names:
            taken_off = dict.fromkeys(map(TERMS.index, names), revision)
            self._taken_off = (self._taken_off or {}) | taken_off

    def keep_on(self, names: Collection[str]) -> None:
        """Take `take_off` back: the change was refused."""
        gone = set(map(TERMS.index, names))
        left = {one: since for one, since in (self._taken_off or {}).items() if one not in gone}
        self._taken_off = left or None

    def terms(self, revision: int) -> Sequence[Any]:
        """Return each term as the latest sighting that says anything about it has it.

        Args:
            revision: The highest revision that was seen.
        """
        own: tuple[Any, ...] = _terms_of(self.latest)
        if self.is_one:
            self._fresh = None
            return own
        said, self._fresh = self._fresh or self._all_said(), None
        for index in _FOREIGN.get(own[_ORDER_TYPE], ()):
            said[index] = own[index]
        for index, since in (self._taken_off or {}).items():
            if since <= revision:
                said[index] = self._since(index, since)
        for index in _MAY_SAY_NOTHING:
            if said[index] is None:
                said[index] = own[index]
        return said

    def _all_said(self) -> list[Any]:
        said = _said(self.latest)
        for one in self._older:
            said = _joined(said, _said(one))
        return said

    def _since(self, index: int, revision: int) -> object:
        rows = (_said(one)[index] for one in self._kept() if one.revision >= revision)
        return next((value for value in rows if value is not None), None)

    def _kept(self) -> tuple[Order, ...]:
        return (self.latest, *self._older)
