"""Every order of one account as evidence makes it, and the events that are news.

The tracker turns what comes in, in any order and any number of times, into a history that reads
well: an order is accepted once, before its first fill; a fill is told once, and before its bust;
after the end come fills and busts only; nothing is told twice because a response and the stream
both said it. What may be told is in `news`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models.enums import EventSource, OrderEventKind, OrderStatus
from dragoman.models.events import OrderEvent
from dragoman.models.order import Order
from dragoman.models.request import OrderRequest
from dragoman.money import ZERO, add, signed, subtract

from .news import kinds_between, worth_telling
from .record import OrderRecord
from .seen import SeenIds
from .status import ENDS, ended_by

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from decimal import Decimal

    from dragoman.models import Fill
    from dragoman.models.enums import RejectReason

__all__ = ["OrderTracker", "pending_order"]

_ARRIVALS: Final = frozenset(
    {OrderEventKind.ACCEPTED, OrderEventKind.REJECTED, OrderEventKind.SUBMITTED}
)
_TELLS_TERMS: Final = frozenset(
    {OrderEventKind.ACCEPTED, OrderEventKind.ADOPTED, OrderEventKind.REPLACED}
)
_REFUSALS: Final = frozenset({OrderEventKind.CANCEL_REJECTED, OrderEventKind.REPLACE_REJECTED})
_BUST: Final = OrderEventKind.FILL_BUSTED
_REQUEST_FIELDS: Final = tuple(
    name
    for name in attrs.fields_dict(OrderRequest)
    if name in attrs.fields_dict(Order) and name not in ("client_order_id", "account_id")
)


def pending_order(request: OrderRequest, *, account_id: str, provider: str, at_ns: int) -> Order:
    """Return the order that a request makes before anyone has answered."""
    return Order(
        client_order_id=request.client_order_id or "",
        account_id=account_id,
        status=OrderStatus.PENDING,
        provider=provider,
        received_at_ns=at_ns,
        **{name: getattr(request, name) for name in _REQUEST_FIELDS},
    )


@attrs.define
class _Tracked:
    """One intent: its evidence, the order as it stands, and what has been told of it.

    `unsent` is the order as it was before a failure proved that it never left.
    """

    record: OrderRecord
    order: Order
    told: set[OrderEventKind]
    told_revision: int = 0
    unsent: Order | None = None


class OrderTracker:
    """The orders of one account by client order id.

    It keeps every order for its life. All that changes it belongs to one event loop; orders may be
    read from any thread.
    """

    def __init__(self, account_id: str, provider: str) -> None:
        self._account_id = account_id
        self._provider = provider
        self._tracked: dict[str, _Tracked] = {}
        self._by_venue_id: dict[tuple[str, str], str] = {}
        self._open: dict[str, _Tracked] = {}
        self._seen = SeenIds()
        self._filled: dict[str, Decimal] = {}

    @property
    def open_count(self) -> int:
        """How many orders are not known to have ended."""
        return len(self._open)

    def order(self, client_order_id: str) -> Order | None:
        """Return an order as it stands; None if it was never seen."""
        tracked = self._tracked.get(client_order_id)
        return None if tracked is None else tracked.order

    def filled(self, symbol: str) -> Decimal:
        """Return what orders tracked here have filled of a symbol so far, bought less sold."""
        return self._filled.get(symbol, ZERO)

    def name_of(self, order: Order) -> str:
        """Return the client order id under which an order is, or would be, tracked.

        A venue may show an order by its venue id alone; those are unique per symbol.
        """
        if order.client_order_id in self._tracked:
            return order.client_order_id
        known = (self._by_venue_id.get((order.symbol, one)) for one in order.venue_order_ids)
        return next((name for name in known if name is not None), order.client_order_id)

    def name_of_fill(self, fill: Fill) -> str | None:
        """Return the client order id of the tracked order that a fill belongs to; None: of none."""
        if fill.client_order_id in self._tracked:
            return fill.client_order_id
        return self._by_venue_id.get((fill.symbol, fill.venue_order_id or ""))

    def has_evidence(self, client_order_id: str) -> bool:
        """Tell whether the venue has said anything about an order."""
        tracked = self._tracked.get(client_order_id)
        return tracked is not None and tracked.record.has_evidence

    def is_taken(self, client_order_id: str) -> bool:
        """Tell whether an id names an order; one that was proved never sent does not count."""
        tracked = self._tracked.get(client_order_id)
        return tracked is not None and tracked.unsent is None

    def orders(self) -> tuple[Order, ...]:
        """Return every order, oldest first."""
        return tuple([tracked.order for tracked in tuple(self._tracked.values())])

    def open_orders(self) -> tuple[Order, ...]:
        """Return every order that is not known to have ended, oldest first."""
        return tuple([tracked.order for tracked in tuple(self._open.values())])

    def register(self, request: OrderRequest, at_ns: int) -> OrderEvent:
        """Start to track an intent, before its first byte is written."""
        order = pending_order(
            request, account_id=self._account_id, provider=self._provider, at_ns=at_ns
        )
        tracked = _Tracked(OrderRecord(order, is_own=True), order, {OrderEventKind.SUBMITTED})
        self._tracked[order.client_order_id] = tracked
        self._open[order.client_order_id] = tracked
        return self._event(OrderEventKind.SUBMITTED, order, EventSource.LOCAL, at_ns)

    def take_off(self, client_order_id: str, names: Collection[str], revision: int) -> None:
        """Note that a change of one's own, if it comes to be `revision`, takes these terms off."""
        self._tracked[client_order_id].record.take_off(names, revision)

    def keep_on(self, client_order_id: str, names: Collection[str]) -> None:
        """Note that the change which was to take these terms off was refused."""
        self._tracked[client_order_id].record.keep_on(names)

    def forget(self, client_order_id: str) -> None:
        """Drop an intent that could not be written down, so that nothing was done about it."""
        self._tracked.pop(client_order_id, None)
        self._open.pop(client_order_id, None)

    def doubt(self, client_order_id: str, at_ns: int) -> list[OrderEvent]:
        """Note that a submit's fate is unproved; told once, and only while there is no evidence."""
        tracked = self._tracked[client_order_id]
        is_news = tracked.record.doubt()
        self._settle(tracked)
        if not is_news:
            return []
        return [
            self._event(OrderEventKind.OUTCOME_UNKNOWN, tracked.order, EventSource.LOCAL, at_ns)
        ]

    def refuse(
        self,
        client_order_id: str,
        reason: RejectReason,
        text: str,
        *,
        code: str | None = None,
        at_ns: int,
        is_sent: bool = True,
    ) -> list[OrderEvent]:
        """Note that an intent was refused: by the venue or, not `is_sent`, before it left.

        What never left may be sent again under its id, and comes back to life should the venue show
        it after all.
        """
        tracked = self._tracked[client_order_id]
        tracked.unsent = None if is_sent else tracked.order
        refused = attrs.evolve(
            tracked.order,
            status=OrderStatus.REJECTED,
            reject_reason=reason,
            reason=text,
            venue_code=code,
            received_at_ns=at_ns,
        )
        source = EventSource.RESPONSE if is_sent else EventSource.LOCAL
        return list(self._see(tracked, refused, source, at_ns))

    def observe(self, event: OrderEvent) -> list[OrderEvent]:
        """Take in an event of the stream; returns the events that are news, in order."""
        if not self._seen.add(event.event_id):
            return []
        order, source, at_ns = self._named(event.order), event.source, event.received_at_ns
        tracked, events = self._meet(order, source, at_ns)
        if event.kind not in _ARRIVALS:
            events += self._accept_first(tracked, order, source, at_ns)
        before = tracked.order
        if event.kind in _REFUSALS:
            order = attrs.evolve(order, reject_reason=None, reason=None, venue_code=None)
        tracked.record.see(order)
        if event.fill is not None:
            return [*events, *self._execute(tracked, event, event.fill)]
        end = ended_by(event.kind)
        if end is not None:
            tracked.record.end(end)
        self._settle(tracked)
        kind = worth_telling(event.kind, before, tracked.order, tracked.told, tracked.told_revision)
        if kind is not None:
            self._mark(tracked, kind)
            events.append(attrs.evolve(event, kind=kind, order=_as_told(event, tracked.order)))
        return events

    def answer(self, order: Order, source: EventSource, at_ns: int) -> list[OrderEvent]:
        """Take in an order from a response, a lookup or a snapshot.

        Returns the events that are news.
        """
        order = self._named(order)
        tracked, events = self._meet(order, source, at_ns)
        return [*events, *self._see(tracked, order, source, at_ns)]

    def execute(self, fill: Fill, source: EventSource, at_ns: int) -> list[OrderEvent]:
        """Take in a fill that came without its order; one of an order never seen is no news."""
        name = self.name_of_fill(fill)
        if name is None:
            return []
        tracked = self._tracked[name]
        events = self._accept_first(tracked, tracked.order, source, at_ns)
        kind = _BUST if fill.is_busted else OrderEventKind.FILL
        told = self._event(kind, tracked.order, source, at_ns, fill)
        return [*events, *self._execute(tracked, told, fill)]

    def _named(self, order: Order) -> Order:
        """Give an order the client order id under which it is tracked."""
        name = self.name_of(order)
        named = order.client_order_id == name
        return order if named else attrs.evolve(order, client_order_id=name)

    def _meet(
        self, order: Order, source: EventSource, at_ns: int
    ) -> tuple[_Tracked, list[OrderEvent]]:
        """Find what is tracked of an order, or adopt it."""
        tracked = self._tracked.get(order.client_order_id)
        if tracked is None:
            return self._adopt(order, source, at_ns)
        if tracked.unsent is None:
            return tracked, []
        tracked.record, tracked.unsent = OrderRecord(tracked.unsent, is_own=True), None
        tracked.told = {OrderEventKind.SUBMITTED}
        return tracked, self._show(tracked, order, source, at_ns)

    def _adopt(
        self, order: Order, source: EventSource, at_ns: int
    ) -> tuple[_Tracked, list[OrderEvent]]:
        """Track an order made elsewhere; a leg of one's own order is one's own."""
        parent = self._tracked.get(order.parent_client_order_id or "")
        is_own = parent is not None and parent.record.is_own
        tracked = _Tracked(OrderRecord(order, is_own=is_own), order, set())
        self._tracked[order.client_order_id] = tracked
        return tracked, [] if is_own else self._show(tracked, order, source, at_ns)

    def _show(
        self, tracked: _Tracked, order: Order, source: EventSource, at_ns: int
    ) -> list[OrderEvent]:
        """Tell of an order that turned up at the venue."""
        tracked.record.see(order)
        self._settle(tracked)
        tracked.told |= {OrderEventKind.SUBMITTED, OrderEventKind.ACCEPTED}
        self._mark(tracked, OrderEventKind.ADOPTED)
        return [self._event(OrderEventKind.ADOPTED, tracked.order, source, at_ns)]

    def _accept_first(
        self, tracked: _Tracked, order: Order, source: EventSource, at_ns: int
    ) -> list[OrderEvent]:
        """Let an acceptance precede whatever else is the first word of a living order."""
        if OrderEventKind.ACCEPTED in tracked.told or not tracked.told.isdisjoint(ENDS.values()):
            return []
        tracked.told.add(OrderEventKind.ACCEPTED)
        accepted = attrs.evolve(
            tracked.order, status=OrderStatus.OPEN, venue_order_ids=order.venue_order_ids
        )
        return [self._event(OrderEventKind.ACCEPTED, accepted, source, at_ns)]

    def _see(
        self, tracked: _Tracked, order: Order, source: EventSource, at_ns: int
    ) -> Iterator[OrderEvent]:
        before = tracked.order
        tracked.record.see(order)
        self._settle(tracked)
        after = tracked.order
        for kind in tuple(kinds_between(before, after, tracked.told, tracked.told_revision)):
            self._mark(tracked, kind)
            told = _before_fills(after) if kind is OrderEventKind.ACCEPTED else after
            yield self._event(kind, told, source, at_ns)

    def _execute(self, tracked: _Tracked, event: OrderEvent, fill: Fill) -> Iterator[OrderEvent]:
        """Add a fill, and its bust if it is one; a bust that comes first brings its fill along."""
        name = tracked.order.client_order_id
        made = attrs.evolve(fill, client_order_id=name, is_busted=False)
        if tracked.record.fill(made):
            yield self._told_fill(tracked, event, OrderEventKind.FILL, made)
        if event.kind is _BUST or fill.is_busted:
            busted = attrs.evolve(made, is_busted=True)
            if tracked.record.fill(busted, _busted_at(event)):
                yield self._told_fill(tracked, event, _BUST, busted)
        self._settle(tracked)

    def _told_fill(
        self, tracked: _Tracked, event: OrderEvent, kind: OrderEventKind, fill: Fill
    ) -> OrderEvent:
        self._settle(tracked)
        return attrs.evolve(event, kind=kind, order=tracked.record.as_of(event.order), fill=fill)

    def _mark(self, tracked: _Tracked, kind: OrderEventKind) -> None:
        tracked.told.add(kind)
        if kind in _TELLS_TERMS:
            tracked.told_revision = tracked.order.revision

    def _settle(self, tracked: _Tracked) -> None:
        """Let everybody see the order as its evidence now makes it."""
        before, order = tracked.order, tracked.record.order
        tracked.order = order
        if order.filled_quantity != before.filled_quantity:
            change = subtract(order.filled_quantity, before.filled_quantity)
            moved = add(self.filled(order.symbol), signed(change, order.side.sign))
            self._filled[order.symbol] = moved
        if order.venue_order_ids is not before.venue_order_ids:
            for venue_id in order.venue_order_ids:
                self._by_venue_id[order.symbol, venue_id] = order.client_order_id
        if order.is_terminal:
            self._open.pop(order.client_order_id, None)
        else:
            self._open[order.client_order_id] = tracked

    def _event(
        self,
        kind: OrderEventKind,
        order: Order,
        source: EventSource,
        at_ns: int,
        fill: Fill | None = None,
    ) -> OrderEvent:
        told_ns = None if source is EventSource.LOCAL else order.updated_at_ns
        return OrderEvent(
            kind=kind,
            order=order,
            account_id=self._account_id,
            received_at_ns=at_ns,
            source=source,
            fill=fill,
            venue_time_ns=told_ns if fill is None else fill.venue_time_ns,
        )


def _as_told(event: OrderEvent, order: Order) -> Order:
    """Give the order in a refusal's event the reasons that are the command's, not the order's."""
    if event.kind not in _REFUSALS:
        return order
    said = event.order
    return attrs.evolve(
        order,
        reject_reason=said.reject_reason,
        reason=said.reason,
        venue_code=said.venue_code,
    )


def _before_fills(order: Order) -> Order:
    """Return an order as it was accepted; each of its fills is told by an event of its own."""
    if not order.filled_quantity:
        return order
    return attrs.evolve(
        order,
        status=OrderStatus.OPEN,
        filled_quantity=ZERO,
        average_fill_price=None,
        commission=None,
    )


def _busted_at(event: OrderEvent) -> int | None:
    """Return when the venue says that it took a fill back; a flag on the fill does not tell."""
    is_said = event.kind is _BUST and event.source is EventSource.STREAM
    return event.venue_time_ns if is_said else None
