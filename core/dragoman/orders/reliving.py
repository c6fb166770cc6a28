"""An order's life lived again from the events that told it, up to where it stood.

The order in an event is what all evidence had made of it by then, fills included; lived again, each
part is taken for what it was: fills for fills, the venue's words for words. So what comes later
meets the same record that it would have met without a restart.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, cast

import attrs

from dragoman.models.enums import EventSource, OrderEventKind, OrderStatus, RejectReason
from dragoman.money import ZERO, total

from .legs import is_begun
from .news import REFUSALS, TELLS_TERMS, busted_at
from .record import OrderRecord
from .sightings import TERMS
from .status import bit
from .tracked import Tracked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from dragoman.models import Fill
    from dragoman.models.events import OrderEvent
    from dragoman.models.order import Order

__all__ = ["relive"]

_Kind = OrderEventKind
_FILLED: Final = frozenset({OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED})
_UNMARKED: Final = frozenset({_Kind.FILL, _Kind.FILL_BUSTED, _Kind.OUTCOME_UNKNOWN})
_SHOWN: Final = bit(_Kind.SUBMITTED) | bit(_Kind.ACCEPTED)
_words_of: Final = attrgetter(
    *(name for name in TERMS if name != "commission"),
    "pending",
    "revision",
    "venue_order_ids",
    "is_triggered",
)


def relive(events: Sequence[OrderEvent]) -> Tracked | None:
    """Return an order as its events left it; None if there are none.

    An id that was given back and used again names its latest order.
    """
    begun = [place for place, event in enumerate(events) if event.kind is _Kind.SUBMITTED]
    lived = events[begun[-1] :] if begun else events
    if not lived:
        return None
    life = _Life(lived[0])
    for event in lived:
        life.take(event)
    return life.tracked()


class _Life:
    """One order on its way through the events that told it."""

    def __init__(self, first: OrderEvent) -> None:
        self._first = first.order
        self._record = OrderRecord(first.order, is_own=first.kind is not _Kind.ADOPTED)
        self._told = 0
        self._told_revision = 0
        self._absent: Order | None = None
        self._is_unsent = False
        self._fills: dict[str, tuple[Decimal, int]] = {}
        self._busted: dict[str, int] = {}
        self._sighted_ns: int | None = first.order.updated_at_ns
        self._said: object = None
        self._next_leg: int | None = None
        self._carried: Decimal = ZERO

    def tracked(self) -> Tracked:
        """Return what is to be tracked from now on."""
        return Tracked(
            self._record,
            self._record.order,
            self._told,
            self._told_revision,
            self._absent,
            self._is_unsent,
        )

    def take(self, event: OrderEvent) -> None:
        """Live through one event."""
        self._carry_on(event)
        match event.kind:
            case _Kind.SUBMITTED:
                pass
            case _Kind.OUTCOME_UNKNOWN:
                self._record.doubt()
            case _Kind.FILL | _Kind.FILL_BUSTED:
                self._execute(event)
            case _:
                self._change(event)
        if event.kind not in _UNMARKED:
            self._told |= bit(event.kind)
        if event.kind in TELLS_TERMS:
            self._told_revision = event.order.revision

    def _carry_on(self, event: OrderEvent) -> None:
        """Let a new leg that the venue took carry the order on: the end of the old one is none."""
        if is_begun(event):
            self._next_leg = event.order.revision + 1
            self._carried = event.order.filled_quantity
        elif self._next_leg is not None and event.order.revision >= self._next_leg:
            self._record.supersede(self._next_leg)
            self._record.carry_on(self._carried)
            self._next_leg = None

    def _execute(self, event: OrderEvent) -> None:
        fill = cast("Fill", event.fill)
        self._fills[fill.fill_id] = (fill.quantity, fill.venue_time_ns)
        if event.kind is _Kind.FILL_BUSTED:
            at_ns = busted_at(event)
            self._busted[fill.fill_id] = fill.received_at_ns if at_ns is None else at_ns
            self._record.fill(fill, at_ns)
        else:
            self._record.fill(fill)
        self._see(event)

    def _change(self, event: OrderEvent) -> None:
        if event.kind is _Kind.ADOPTED:
            self._show()
        if event.order.reject_reason is RejectReason.NEVER_ARRIVED:
            self._absent = self._record.order
            self._is_unsent = event.source is EventSource.LOCAL
        self._see(event)

    def _show(self) -> None:
        """Turn up at the venue: as a stranger, or after it was thought never to have arrived."""
        if self._told:
            self._record = OrderRecord(self._absent or self._first, is_own=True)
            self._fills.clear()
            self._busted.clear()
        self._absent, self._is_unsent, self._told = None, False, _SHOWN

    def _see(self, event: OrderEvent) -> None:
        order = event.order
        if event.kind in REFUSALS:
            order = attrs.evolve(order, reject_reason=None, reason=None, venue_code=None)
        if order.filled_quantity > self._filled_by_fills():
            # Said beyond the fills, nobody knows any more when, but not before the busts that it
            # outlived: a later bust takes it back, and what the venue says next counts.
            said_ns = max(self._busted.values(), default=None)
            self._record.see(attrs.evolve(order, updated_at_ns=said_ns))
        self._record.see(self._dated(_without_fills(order)))

    def _dated(self, words: Order) -> Order:
        """Give words that bear the time of a fill the earliest time that they may have had.

        Then no later word of the venue is taken for an older one.
        """
        said, at_ns = _words_of(words), words.updated_at_ns
        last_ns = max((each_ns for _, each_ns in self._fills.values()), default=None)
        if at_ns is not None and at_ns == last_ns:
            known_ns = self._sighted_ns
            at_ns = known_ns if said == self._said else 0 if known_ns is None else known_ns + 1
        self._said, self._sighted_ns = said, at_ns
        return attrs.evolve(words, updated_at_ns=at_ns)

    def _filled_by_fills(self) -> Decimal:
        live = [amount for name, (amount, _) in self._fills.items() if name not in self._busted]
        return total(live)


def _without_fills(order: Order) -> Order:
    """Leave to the fills what follows from them."""
    if not order.filled_quantity:
        return order
    is_told_by_fills = order.status in _FILLED and order.quantity is not None
    return attrs.evolve(
        order,
        status=OrderStatus.OPEN if is_told_by_fills else order.status,
        filled_quantity=ZERO,
        average_fill_price=None,
        commission=None,
    )
