"""Every order of one account as evidence makes it, and the events that are news.

The tracker turns what comes in, in any order and any number of times, into a history that reads
well: an order is accepted once, before its first fill; a fill is told once, and before its bust;
after the end come fills and busts only; nothing is told twice because a response and the stream
both said it. What may be told is in `news`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models.enums import AlarmKind, EventSource, OrderEventKind, OrderStatus, RejectReason
from dragoman.money import ZERO, add, signed, subtract

from .names import Names
from .news import (
    ARRIVALS,
    REFUSALS,
    TELLS_TERMS,
    as_told,
    before_fills,
    busted_at,
    event_about,
    fill_alarms,
    kinds_between,
    worth_telling,
)
from .record import OrderRecord
from .reliving import relive
from .seen import SeenIds
from .status import ENDED_BITS, bit, ended_by
from .tracked import Tracked, begun, pending_order, unheard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal

    from dragoman.models import Fill, OrderEvent
    from dragoman.models.order import Order
    from dragoman.models.request import OrderRequest

    from .journal import OrderHistory
    from .legs import Legs

__all__ = ["OrderTracker", "pending_order"]

_BUST: Final = OrderEventKind.FILL_BUSTED
_SUBMITTED: Final = bit(OrderEventKind.SUBMITTED)
_ACCEPTED: Final = bit(OrderEventKind.ACCEPTED)


class OrderTracker:
    """The orders of one account by client order id.

    It keeps every order for its life. All that changes it belongs to one event loop; orders may be
    read from any thread.
    """

    def __init__(self, account_id: str, provider: str) -> None:
        self._account_id = account_id
        self._provider = provider
        self._tracked: dict[str, Tracked] = {}
        self._names = Names(self._tracked)
        self._open: dict[str, Tracked] = {}
        self._seen = SeenIds()
        self._filled: dict[str, Decimal] = {}
        self.legs: Legs = self._names.legs
        self._alarm: Callable[[AlarmKind, str, str | None], None] = unheard
        self._weigh: Callable[[Order | None, Order | None], None] = unheard

    def report_to(self, alarm: Callable[[AlarmKind, str, str | None], None]) -> None:
        """Let `alarm` be called with what a human should look at: kind, cause and order."""
        self._alarm = alarm

    def weigh_with(self, weigh: Callable[[Order | None, Order | None], None]) -> None:
        """Let `weigh` be called with each order before and after it changes; None: not tracked."""
        self._weigh = weigh

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
        return self._names.of(order)

    def name_of_fill(self, fill: Fill) -> str | None:
        """Return the client order id of the tracked order that a fill belongs to; None: of none."""
        return self._names.of_fill(fill)

    def learn(self, order: Order) -> None:
        """Know the venue's ids of an order that is tracked: a fill may name it by those only."""
        named = self._named(order)
        if named.client_order_id in self._tracked:
            self._names.learn(named)

    def record(self, client_order_id: str) -> OrderRecord:
        """Return the evidence about an order that is tracked."""
        return self._tracked[client_order_id].record

    def has_evidence(self, client_order_id: str) -> bool:
        """Tell whether the venue has said anything about an order."""
        tracked = self._tracked.get(client_order_id)
        return tracked is not None and tracked.record.has_evidence

    def is_taken(self, client_order_id: str) -> bool:
        """Tell whether an id names an order; one that was proved never sent does not count."""
        tracked = self._tracked.get(client_order_id)
        return tracked is not None and not tracked.is_unsent

    def give_back(self, client_order_id: str) -> bool:
        """Let an id be used again whose order was proved never to have arrived.

        Returns whether it was: then it counts as one that was never sent.
        """
        tracked = self._tracked.get(client_order_id)
        if tracked is None or tracked.absent is None:
            return False
        tracked.is_unsent = True
        return True

    def orders(self) -> tuple[Order, ...]:
        """Return every order, oldest first."""
        return tuple([tracked.order for tracked in tuple(self._tracked.values())])

    def open_orders(self) -> tuple[Order, ...]:
        """Return every order that is not known to have ended, oldest first."""
        return tuple([tracked.order for tracked in tuple(self._open.values())])

    def register(self, request: OrderRequest, at_ns: int) -> OrderEvent:
        """Start to track an intent, before its first byte is written."""
        tracked = begun(request, self._account_id, self._provider, at_ns)
        order = tracked.order
        self._names.expect(order)
        self._weigh(self.order(order.client_order_id), order)
        self._tracked[order.client_order_id] = tracked
        self._open[order.client_order_id] = tracked
        return event_about(OrderEventKind.SUBMITTED, order, EventSource.LOCAL, at_ns)

    def restore(self, history: OrderHistory) -> None:
        """Track an order as the events that an earlier process told left it; nothing is told anew.

        What was never told, being no news, is not known until the venue says it again. An intent
        without events may have been sent. What is tracked already stays as it is.
        """
        tracked = relive(history.events)
        if tracked is None and history.request is not None:
            tracked = begun(history.request, self._account_id, self._provider, 0)
        is_known = self.legs.intent_of(history.client_order_id) is not None
        if tracked is None or is_known or history.client_order_id in self._tracked:
            return
        for token in self.legs.restore(history.events):
            self.forget(token)
        for event in history.events:
            self._seen.add(event.event_id)
            tracked.told_filled = event.order.filled_quantity
        self._tracked[history.client_order_id] = tracked
        self._names.expect(tracked.order)
        self._names.learn(tracked.order)
        self._weigh(None, tracked.order)
        if tracked.order.is_open:
            self._open[history.client_order_id] = tracked

    def give_up(self, client_order_id: str, source: EventSource, at_ns: int) -> list[OrderEvent]:
        """Note that no leg carries the order on: a cancel is its end again, if there was one."""
        tracked = self._tracked[client_order_id]
        tracked.record.give_up()
        return list(self._news(tracked, source, at_ns))

    def forget(self, client_order_id: str) -> None:
        """Drop an intent that could not be written down, so that nothing was done about it."""
        tracked = self._tracked.pop(client_order_id, None)
        self._open.pop(client_order_id, None)
        if tracked is not None:
            self._weigh(tracked.order, None)

    def doubt(self, client_order_id: str, at_ns: int) -> list[OrderEvent]:
        """Note that a submit's fate is unproved; told once, and only while there is no evidence."""
        tracked = self._tracked[client_order_id]
        is_news = tracked.record.doubt()
        self._settle(tracked)
        if not is_news:
            return []
        return [
            event_about(OrderEventKind.OUTCOME_UNKNOWN, tracked.order, EventSource.LOCAL, at_ns)
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

        What never left may be sent again under its id. It comes back to life should the venue show
        it after all, and so does what was proved NEVER_ARRIVED.
        """
        tracked = self._tracked[client_order_id]
        is_absent = not is_sent or reason is RejectReason.NEVER_ARRIVED
        tracked.absent = tracked.order if is_absent else None
        tracked.is_unsent = not is_sent
        refused = attrs.evolve(
            tracked.order,
            status=OrderStatus.REJECTED,
            reject_reason=reason,
            reason=text,
            venue_code=code,
            received_at_ns=at_ns,
        )
        source = EventSource.RESPONSE if is_sent else EventSource.LOCAL
        if is_sent and is_absent:
            source = EventSource.RECONCILED
        return list(self._see(tracked, refused, source, at_ns))

    def observe(self, event: OrderEvent) -> list[OrderEvent]:
        """Take in an event of the stream; returns the events that are news, in order."""
        if not self._seen.add(event.event_id):
            return []
        order, source, at_ns = self._named(event.order), event.source, event.received_at_ns
        tracked, events = self._meet(order, source, at_ns)
        if event.kind not in ARRIVALS:
            events += self._accept_first(tracked, order, source, at_ns)
        before = tracked.order
        if event.kind in REFUSALS:
            order = attrs.evolve(order, reject_reason=None, reason=None, venue_code=None)
        tracked.record.see(order)
        if event.fill is not None:
            return [*events, *self._execute(tracked, event, event.fill)]
        end = ended_by(event.kind)
        if end is not None:
            tracked.record.end(end, order.revision)
        self._settle(tracked)
        kind = worth_telling(event.kind, before, tracked.order, tracked.told, tracked.told_revision)
        if kind is not None:
            self._mark(tracked, kind)
            tracked.told_filled = tracked.order.filled_quantity
            events.append(attrs.evolve(event, kind=kind, order=as_told(event, tracked.order)))
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
        events: list[OrderEvent] = []
        if tracked.absent is not None:
            lives = attrs.evolve(tracked.absent, status=OrderStatus.OPEN)
            events += self._revive(tracked, lives, source, at_ns)
        events += self._accept_first(tracked, tracked.order, source, at_ns)
        kind = _BUST if fill.is_busted else OrderEventKind.FILL
        told = event_about(kind, tracked.order, source, at_ns, fill)
        return [*events, *self._execute(tracked, told, fill)]

    def _named(self, order: Order) -> Order:
        """Give an order the client order id under which it is tracked; a leg is its intent."""
        return self.named(self.legs.as_intent(order))

    def named(self, order: Order) -> Order:
        """Return an order as it is, by the ids that it and its entry are known by here."""
        name = self.name_of(order)
        parent = order.parent_client_order_id
        entry = (parent and self._names.intent_of(parent)) or parent
        if (order.client_order_id, parent) == (name, entry):
            return order
        return attrs.evolve(order, client_order_id=name, parent_client_order_id=entry)

    def _meet(
        self, order: Order, source: EventSource, at_ns: int
    ) -> tuple[Tracked, list[OrderEvent]]:
        """Find what is tracked of an order, or adopt it."""
        tracked = self._tracked.get(order.client_order_id)
        if tracked is None:
            return self._adopt(order, source, at_ns)
        if tracked.absent is None or order.status is OrderStatus.REJECTED:
            return tracked, []
        return tracked, self._revive(tracked, order, source, at_ns)

    def _revive(
        self, tracked: Tracked, order: Order, source: EventSource, at_ns: int
    ) -> list[OrderEvent]:
        """Take back that an order never arrived: the only way out of an end."""
        was_unsent = tracked.is_unsent
        first = tracked.absent or order
        tracked.record = OrderRecord(first, is_own=True)
        tracked.absent, tracked.is_unsent, tracked.told = None, False, _SUBMITTED
        events = self._show(tracked, order, source, at_ns)
        proof = "an adapter said that it was not sent" if was_unsent else "it was proved absent"
        cause = f"{proof}, and the venue shows it after all"
        self._alarm(AlarmKind.RESURRECTED, cause, first.client_order_id)
        return events

    def _adopt(
        self, order: Order, source: EventSource, at_ns: int
    ) -> tuple[Tracked, list[OrderEvent]]:
        """Track an order made elsewhere; a leg of one's own order is one's own."""
        parent = self._tracked.get(order.parent_client_order_id or "")
        is_own = parent is not None and parent.record.is_own
        tracked = Tracked(OrderRecord(order, is_own=is_own), order, 0)
        self._tracked[order.client_order_id] = tracked
        self._names.learn(order)
        self._weigh(None, order)
        return tracked, [] if is_own else self._show(tracked, order, source, at_ns)

    def _show(
        self, tracked: Tracked, order: Order, source: EventSource, at_ns: int
    ) -> list[OrderEvent]:
        """Tell of an order that turned up at the venue."""
        tracked.record.see(order)
        self._settle(tracked)
        tracked.told |= _SUBMITTED | _ACCEPTED
        self._mark(tracked, OrderEventKind.ADOPTED)
        return [event_about(OrderEventKind.ADOPTED, tracked.order, source, at_ns)]

    def _accept_first(
        self, tracked: Tracked, order: Order, source: EventSource, at_ns: int
    ) -> list[OrderEvent]:
        """Let an acceptance precede whatever else is the first word of a living order."""
        if tracked.told & (_ACCEPTED | ENDED_BITS):
            return []
        tracked.told |= _ACCEPTED
        accepted = attrs.evolve(
            tracked.order, status=OrderStatus.OPEN, venue_order_ids=order.venue_order_ids
        )
        return [event_about(OrderEventKind.ACCEPTED, accepted, source, at_ns)]

    def _see(
        self, tracked: Tracked, order: Order, source: EventSource, at_ns: int
    ) -> Iterator[OrderEvent]:
        tracked.record.see(order)
        return self._news(tracked, source, at_ns)

    def _news(self, tracked: Tracked, source: EventSource, at_ns: int) -> Iterator[OrderEvent]:
        """Let the order stand as its evidence makes it, and tell what has changed by that."""
        before = tracked.order
        self._settle(tracked)
        after = tracked.order
        for kind in tuple(kinds_between(before, after, tracked.told, tracked.told_revision)):
            self._mark(tracked, kind)
            told = before_fills(after) if kind is OrderEventKind.ACCEPTED else after
            tracked.told_filled = told.filled_quantity
            yield event_about(kind, told, source, at_ns)

    def _execute(self, tracked: Tracked, event: OrderEvent, fill: Fill) -> Iterator[OrderEvent]:
        """Add a fill, and its bust if it is one; a bust that comes first brings its fill along."""
        name = tracked.order.client_order_id
        made = attrs.evolve(fill, client_order_id=name, is_busted=False)
        if tracked.record.fill(made):
            yield self._told_fill(tracked, event, OrderEventKind.FILL, made)
        if event.kind is _BUST or fill.is_busted:
            busted = attrs.evolve(made, is_busted=True)
            if tracked.record.fill(busted, busted_at(event)):
                yield self._told_fill(tracked, event, _BUST, busted)
        self._settle(tracked)

    def _told_fill(
        self, tracked: Tracked, event: OrderEvent, kind: OrderEventKind, fill: Fill
    ) -> OrderEvent:
        self._settle(tracked)
        order = tracked.record.as_of(event.order)
        if kind is not _BUST and order.filled_quantity < tracked.told_filled:
            order = tracked.order
        tracked.told_filled = order.filled_quantity
        return attrs.evolve(event, kind=kind, order=order, fill=fill)

    def _mark(self, tracked: Tracked, kind: OrderEventKind) -> None:
        tracked.told |= bit(kind)
        if kind in TELLS_TERMS:
            tracked.told_revision = tracked.order.revision

    def _settle(self, tracked: Tracked) -> None:
        """Let everybody see the order as its evidence now makes it."""
        before, order = tracked.order, tracked.record.order
        tracked.order = order
        if order is not before:
            self._weigh(before, order)
        if order.filled_quantity != before.filled_quantity:
            change = subtract(order.filled_quantity, before.filled_quantity)
            moved = add(self.filled(order.symbol), signed(change, order.side.sign))
            self._filled[order.symbol] = moved
            for kind, cause in fill_alarms(before, order, tracked.told):
                self._alarm(kind, cause, order.client_order_id)
        if order.venue_order_ids is not before.venue_order_ids:
            self._names.learn(order)
        if order.is_terminal:
            self._open.pop(order.client_order_id, None)
        else:
            self._open[order.client_order_id] = tracked
