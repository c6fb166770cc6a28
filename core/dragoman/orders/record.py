"""All evidence about one intent, and the one order that follows from it.

The evidence is kept as a set: sightings of the order, its fills, its busts. The order is a pure
function of that set, so it can't depend on the order in which responses, events and fills arrive,
nor on how often each does.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.models.enums import OrderOrigin, OrderStatus
from dragoman.models.order import Order
from dragoman.money import ZERO, add, subtract

from .executions import Executions
from .sightings import DERIVED, TERMS, Sightings, stamp_of
from .status import rank, stronger_end

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from decimal import Decimal

    from dragoman.models import Fill

    from .status import Stamp

__all__ = ["OrderRecord"]

_derived: Final = attrgetter(*DERIVED)
_put_terms: Final = tuple(Order.__dict__[name].__set__ for name in TERMS)
_put_derived: Final = tuple(Order.__dict__[name].__set__ for name in DERIVED)
_put_raw: Final = Order.__dict__["raw"].__set__
_QUANTITY: Final = TERMS.index("quantity")
_COMMISSION: Final = TERMS.index("commission")


class OrderRecord:
    """What is known of one intent.

    Args:
        first: The order as the request words it, or as it was first seen.
        is_own: Whether the intent is in this journal; if not, the order is EXTERNAL.
    """

    __slots__ = (
        "_carried",
        "_created_ns",
        "_end",
        "_executions",
        "_is_own",
        "_is_triggered",
        "_is_unproved",
        "_leg_end",
        "_leg_from",
        "_order",
        "_origin",
        "_received_ns",
        "_revision",
        "_sightings",
        "_updated_ns",
        "_working",
        "has_evidence",
    )

    def __init__(self, first: Order, *, is_own: bool) -> None:
        self.has_evidence: bool = False
        self._is_own = is_own
        self._is_unproved = False
        self._is_triggered = first.is_triggered
        self._sightings = Sightings(first)
        self._working: Order | None = None
        self._end: OrderStatus | None = None
        self._leg_from = 0
        self._carried: Decimal | None = None
        self._leg_end: OrderStatus | None = None
        self._origin: OrderOrigin | None = None
        self._revision = first.revision
        self._created_ns = first.created_at_ns
        self._updated_ns = first.updated_at_ns
        self._received_ns = first.received_at_ns
        self._executions = Executions()
        self._order: Order | None = None

    @property
    def is_own(self) -> bool:
        """Whether the intent is in this journal."""
        return self._is_own

    @property
    def order(self) -> Order:
        """The order that follows from all evidence so far."""
        if self._order is None:
            self._order = self._project()
        return self._order

    def as_of(self, said: Order) -> Order:
        """Return the order as it stood at a fill of which the venue said `said`.

        A response may run ahead of the fills on the stream; a history told by this adds up.
        """
        order, counted = self.order, self._executions.counted()
        filled = max(counted.filled, said.filled_quantity)
        if filled >= order.filled_quantity:
            return order
        is_counted = filled == counted.filled
        is_filled = order.status is OrderStatus.FILLED
        return attrs.evolve(
            order,
            status=OrderStatus.PARTIALLY_FILLED if is_filled else order.status,
            filled_quantity=filled,
            average_fill_price=counted.average_price if is_counted else said.average_fill_price,
            commission=counted.commission if is_counted else said.commission,
        )

    def doubt(self) -> bool:
        """Note that the fate of the intent, or of its next leg, is unproved; returns if it is news.

        Any evidence of it, earlier or later, outweighs this.
        """
        is_news = not self._is_unproved and (not self.has_evidence or self._is_between_legs)
        self._is_unproved = True
        self._order = None
        return is_news

    def end(self, status: OrderStatus, revision: int) -> None:
        """Note that the venue said the intent, in that revision, has ended so."""
        self.has_evidence = True
        self._order = None
        if status is OrderStatus.CANCELED and revision < self._leg_from:
            self._leg_end = status
        elif self._is_refused_leg(status, revision):
            self.give_up()
        else:
            self._end = stronger_end(self._end, status)

    def _is_refused_leg(self, status: OrderStatus, revision: int) -> bool:
        is_leg = revision >= self._leg_from > 0
        return is_leg and status is OrderStatus.REJECTED and self._is_between_legs

    @property
    def _is_between_legs(self) -> bool:
        return self._leg_end is not None and self._revision < self._leg_from

    @property
    def is_leg_dead(self) -> bool:
        """Whether what another leg is to carry on was canceled, and that leg is not seen yet."""
        return self._is_between_legs

    def supersede(self, revision: int) -> None:
        """Note that another leg is to carry the intent on as `revision`.

        A cancel of what came before is then no end of the intent; every other end is.
        """
        self._leg_from, self._leg_end, self._carried = revision, None, None
        self._is_unproved = False

    def carry_on(self, filled: Decimal) -> None:
        """Note that the other leg is sent for what the intent had not filled by then."""
        self._carried, self._order = filled, None

    def give_up(self) -> None:
        """Note that no other leg carries the intent on."""
        self._leg_from, self._order = 0, None
        if self._leg_end is not None:
            self._end = stronger_end(self._end, self._leg_end)

    def see(self, order: Order) -> None:
        """Add one sighting by the venue."""
        if self._is_refused_leg(order.status, order.revision):
            self.end(order.status, order.revision)
            return
        self.has_evidence = True
        self._order = None
        self._executions.see(order)
        self._sightings.add(order)
        self._take_status(order)
        self._take_registers(order)

    def fill(self, fill: Fill, busted_at_ns: int | None = None) -> bool:
        """Add one fill, or its bust; returns whether it was news."""
        self.has_evidence = True
        self._order = None
        return self._executions.add(fill, busted_at_ns)

    def take_off(self, names: Collection[str], revision: int) -> None:
        """Note that a change of one's own, if it comes to be `revision`, takes these terms off."""
        self._sightings.take_off(names, revision)

    def keep_on(self, names: Collection[str]) -> None:
        """Note that the change which was to take these terms off was refused."""
        self._sightings.keep_on(names)

    def _take_status(self, order: Order) -> None:
        status = order.status
        if status.is_terminal:
            self.end(status, order.revision)
            return
        if self._working is None or _place_of(order) > _place_of(self._working):
            self._working = order

    def _take_registers(self, order: Order) -> None:
        self._revision = max(self._revision, order.revision)
        self._received_ns = max(self._received_ns, order.received_at_ns)
        self._created_ns = _least(self._created_ns, order.created_at_ns)
        self._updated_ns = _greatest(self._updated_ns, order.updated_at_ns)
        if order.is_triggered is not None:
            self._is_triggered = bool(self._is_triggered) or order.is_triggered
        if order.origin not in (OrderOrigin.CLIENT, OrderOrigin.EXTERNAL):
            self._origin = min(self._origin or order.origin, order.origin)

    def _project(self) -> Order:
        latest = self._sightings.latest
        terms = self._sightings.terms(self._revision)
        quantity = terms[_QUANTITY]
        if quantity is not None and self._carried is not None:
            quantity = add(quantity, self._late(self._carried))
        done = self._executions.result(quantity)
        status = self._status(is_full=done.is_full, filled=done.filled)
        derived = (
            status,
            None if status.is_terminal else latest.pending,
            self._executions.venue_order_ids,
            self._revision,
            done.filled,
            done.average_price,
            done.commission or terms[_COMMISSION],
            self._is_triggered,
            self._origin or (OrderOrigin.CLIENT if self._is_own else OrderOrigin.EXTERNAL),
            self._created_ns,
            _greatest(self._updated_ns, done.last_ns),
            self._received_ns,
        )
        if self._sightings.is_one and derived == _derived(latest):
            return latest  # the latest word is the whole truth: most orders, most of the time
        return _joined(terms, derived, latest.raw)

    def _late(self, carried: Decimal) -> Decimal:
        """Return what has filled of earlier legs since the present one was sent for the rest.

        It comes on top of what the present leg may fill: that one is not full before both are.
        """
        before = self._executions.filled_before(self._leg_from)
        return max(ZERO, subtract(before, carried))

    def _status(self, *, is_full: bool, filled: Decimal) -> OrderStatus:
        if is_full:
            return OrderStatus.FILLED
        if self._end is not None:
            return self._end
        if self._is_between_legs:
            return OrderStatus.UNKNOWN if self._is_unproved else OrderStatus.PENDING
        if self._working is not None:
            status = self._working.status
        elif filled:
            status = OrderStatus.OPEN
        else:
            return OrderStatus.UNKNOWN if self._is_unproved else self._sightings.earliest.status
        if status in (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED):
            return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN
        return status


def _joined(terms: Sequence[Any], derived: Sequence[Any], raw: bytes | None) -> Order:
    """Return the order of these fields; each is of an order, or a sum of what is in orders."""
    order = Order.__new__(Order)
    for put, value in zip(_put_terms, terms, strict=True):
        put(order, value)
    for put, value in zip(_put_derived, derived, strict=True):
        put(order, value)
    _put_raw(order, raw)
    return order


def _place_of(order: Order) -> tuple[Stamp, int]:
    """Return how late, and then how far in an order's life, a sighting of a living order is."""
    return stamp_of(order), rank(order.status)


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _greatest(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
