"""All evidence about one intent, and the one order that follows from it.

The evidence is kept as a set: sightings of the order, its fills, its busts. The order is a pure
function of that set, so it can't depend on the order in which responses, events and fills arrive,
nor on how often each does.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models.enums import OrderOrigin, OrderStatus
from dragoman.models.order import Order

from .executions import Executions
from .sightings import DERIVED, TERMS, Sightings, stamp_of
from .status import rank, stronger_end

if TYPE_CHECKING:
    from collections.abc import Collection
    from decimal import Decimal

    from dragoman.models import Fill

    from .status import Stamp

__all__ = ["OrderRecord"]

_derived: Final = attrgetter(*DERIVED)
_QUANTITY: Final = TERMS.index("quantity")
_COMMISSION: Final = TERMS.index("commission")


class OrderRecord:
    """What is known of one intent.

    Args:
        first: The order as the request words it, or as it was first seen.
        is_own: Whether the intent is in this journal; if not, the order is EXTERNAL.
    """

    __slots__ = (
        "_created_ns",
        "_end",
        "_executions",
        "_is_own",
        "_is_triggered",
        "_is_unproved",
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
        self._working: tuple[Stamp, int, OrderStatus] | None = None
        self._end: OrderStatus | None = None
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
        """Note that the fate of the intent is unproved; returns whether that is news.

        Any evidence, earlier or later, outweighs this.
        """
        is_news = not self._is_unproved and not self.has_evidence
        self._is_unproved = True
        self._order = None
        return is_news

    def end(self, status: OrderStatus) -> None:
        """Note that the venue said the intent has ended so."""
        self.has_evidence = True
        self._end = stronger_end(self._end, status)
        self._order = None

    def see(self, order: Order) -> None:
        """Add one sighting by the venue."""
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
            self._end = stronger_end(self._end, status)
            return
        saying = (stamp_of(order), rank(status), status)
        self._working = saying if self._working is None else max(self._working, saying)

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
        done = self._executions.result(terms[_QUANTITY])
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
        fields = dict(zip(TERMS, terms, strict=True))
        fields.update(zip(DERIVED, derived, strict=True))
        return Order(**fields, raw=latest.raw)

    def _status(self, *, is_full: bool, filled: Decimal) -> OrderStatus:
        if is_full:
            return OrderStatus.FILLED
        if self._end is not None:
            return self._end
        if self._working is not None:
            status = self._working[2]
        elif filled:
            status = OrderStatus.OPEN
        else:
            return OrderStatus.UNKNOWN if self._is_unproved else self._sightings.earliest.status
        if status in (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED):
            return OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN
        return status


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _greatest(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
