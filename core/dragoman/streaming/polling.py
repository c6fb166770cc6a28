"""What venues without a private stream are asked for, told as a stream would tell it.

A round asks for the open orders, for those that are gone from there, and then for fills: so the
fills that an order shows are always among those read. One is due every period, and soon after a
command. Only rounds that succeed are told from; one that fails is told as a loss, and the first
that succeeds after it as a return.

Everything is asked for by the adapter's own methods. Times are compared with the venue's alone: how
far the clock here goes before it or behind it does not matter.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import (
    AuthenticationError,
    DragomanError,
    LifecycleError,
    PermissionDeniedError,
    RequestError,
)
from dragoman.models import (
    ConnectionEvent,
    ConnectionState,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    PendingAction,
    PositionEvent,
    Window,
)
from dragoman.money import ZERO, add, negate, subtract, total
from dragoman.resilience.backoff import Backoff
from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence
    from decimal import Decimal

    from dragoman.adapter import Adapter
    from dragoman.models import Event, Fill, Order, Position

__all__ = ["PolledAccount", "SentOrders"]

_OVERLAP_NS: Final = 10 * SECOND_NS
_FIRST_LOOK_BACK_NS: Final = 3600 * SECOND_NS
_BACKOFF: Final = Backoff(first_s=1.0, cap_s=10.0)
_TERMINAL: Final = (AuthenticationError, PermissionDeniedError, LifecycleError, RequestError)
_CHANNEL: Final = "private"
_ENDS: Final = {
    OrderStatus.CANCELED: OrderEventKind.CANCELED,
    OrderStatus.EXPIRED: OrderEventKind.EXPIRED,
    OrderStatus.REJECTED: OrderEventKind.REJECTED,
}


class SentOrders:
    """The orders of one account that polling has to follow to their end.

    An adapter has one for itself, and gives it each order that answers a command of its own.
    """

    def __init__(self) -> None:
        self.stirred: asyncio.Event = asyncio.Event()
        """Set once a command was answered: there is news to be asked for."""
        self._orders: dict[str, Order] = {}

    def submitted(self, answer: Order) -> Order:
        """Follow an order that a submit was answered with; returns it."""
        if answer.venue_order_id is not None:
            self._orders.setdefault(answer.venue_order_id, answer)
        self.stirred.set()
        return answer

    def canceled(self, order: Order, answer: Order) -> Order:
        """Return what a cancel of `order` is to tell of its answer, and follow that order.

        Where the answer shows more filled than was known, the next round tells those fills first,
        and the end after them: until then the order is on its way to it.
        """
        self.submitted(answer)
        if answer.filled_quantity == order.filled_quantity:
            return answer
        received_at_ns = answer.received_at_ns
        return attrs.evolve(order, pending=PendingAction.CANCEL, received_at_ns=received_at_ns)

    def note(self, order: Order) -> Order | None:
        """Take note of an order as it stands; returns it as it stood before."""
        order_id = order.venue_order_id or ""
        before = self._orders.pop(order_id, None)
        if not order.status.is_terminal:
            self._orders[order_id] = order
        return before

    def missing(self, shown: Sequence[Order]) -> tuple[str, ...]:
        """Return the venue's ids of those that a list of all open orders does not show."""
        ids = {order.venue_order_id for order in shown}
        return tuple([one for one in self._orders if one not in ids])

    def drop(self, venue_order_id: str) -> None:
        """Follow an order no more: the venue does not know it."""
        self._orders.pop(venue_order_id, None)


class PolledAccount:
    """Tells what becomes of one account's orders and positions. One reader, who sets the pace.

    It may be canceled while it waits, and read on; what was found is told only once. It needs an
    adapter that is bound to an account, whose orders have the venue's ids, and which declares the
    open orders, single orders by the venue's id, fills and positions.

    Args:
        adapter: Asks the venue.
        sent: The orders that its commands were answered with.
        period_s: From one round to the next.
    """

    def __init__(self, adapter: Adapter, sent: SentOrders, *, period_s: float = 1.0) -> None:
        self._adapter = adapter
        self._clock = adapter.context.clock
        self._account_id = adapter.context.account_id or ""
        self._sent = sent
        self._period_ns = round(period_s * SECOND_NS)
        self._fills: dict[str, Fill] = {}
        self._positions: dict[str, Position] = {}
        self._since_ns = 0
        self._due_ns = 0
        self._begun_ns = 0
        self._before_ns = 0
        self._failures = 0
        self._seen_ns = 0
        self._first: list[Event] = []
        self._scope = TaskScope()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[AsyncIterator[Sequence[Event]]]:
        """Ask for the first time; entered means that no later change is missed.

        Raises:
            DragomanError: The venue did not answer, or refuses.
        """
        await self._begin()
        self._first = [self._connection(ConnectionState.CONNECTED, "the account was read")]
        self._scope = TaskScope()
        try:
            yield self
        finally:
            await self._scope.close()

    def __aiter__(self) -> PolledAccount:
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return what a round found out, going on until one has found something.

        Raises:
            AuthenticationError: The venue refuses the credentials; so does PermissionDeniedError.
        """
        events, self._first = self._first, []
        while not events:
            await self._until_due()
            now_ns = self._clock.monotonic_ns()
            self._before_ns, self._begun_ns = self._begun_ns, now_ns
            self._due_ns = now_ns + self._period_ns
            try:
                events = await self._round()
            except _TERMINAL:
                raise
            except DragomanError as error:
                events = self._lost(error)
            else:
                events = [*self._returned(), *events]
        return events

    async def _until_due(self) -> None:
        """Wait for the next round, which is due soon after a command, unless the last failed."""
        sleep = self._clock.sleep_ns(max(0, self._due_ns - self._clock.monotonic_ns()))
        if self._failures:
            await sleep
            return
        waits = (sleep, self._sent.stirred.wait())
        tasks = [self._scope.spawn(wait, "pause between rounds") for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        # Two rounds a period at most: what the venue allows is left to the commands that stir them.
        soonest_ns = self._before_ns + self._period_ns
        await self._clock.sleep_ns(max(0, soonest_ns - self._clock.monotonic_ns()))
        self._sent.stirred.clear()

    async def _begin(self) -> None:
        """Take all that is there for known; only what comes after it is news."""
        self._since_ns = max(0, self._clock.now_ns() - _FIRST_LOOK_BACK_NS)
        shown = await self._adapter.fetch_open_orders(self._account_id)
        fills, positions = await self._recent_fills(), await self._held()
        for order in shown:
            self._sent.note(order)
        self._take_fills(fills)
        self._positions = positions
        self._seen_ns = self._clock.monotonic_ns()
        self._due_ns = self._seen_ns + self._period_ns
        self._before_ns = self._begun_ns = self._seen_ns - self._period_ns

    async def _round(self) -> list[Event]:
        """Ask for all that may have changed; nothing is noted before all of it was answered."""
        shown = await self._adapter.fetch_open_orders(self._account_id)
        orders = {order.venue_order_id or "": order for order in shown}
        for order_id in self._sent.missing(shown):
            await self._look_up(order_id, orders)
        fills = await self._recent_fills()
        for order_id in {one.venue_order_id or "" for one in fills if self._is_news(one)}:
            if order_id not in orders:
                await self._look_up(order_id, orders)
        positions = await self._held()
        news = self._take_fills(fills)
        return [*self._told_orders(orders, news), *self._told_positions(positions)]

    async def _look_up(self, order_id: str, orders: dict[str, Order]) -> None:
        found = await self._adapter.fetch_order(self._account_id, venue_order_id=order_id)
        if found is None:
            self._sent.drop(order_id)
        else:
            orders[order_id] = found

    async def _recent_fills(self) -> list[Fill]:
        window = Window(start_ns=max(0, self._since_ns - _OVERLAP_NS))
        return [one async for one in self._adapter.fetch_fills(self._account_id, window)]

    async def _held(self) -> dict[str, Position]:
        held = await self._adapter.fetch_positions(self._account_id)
        return {one.position_id: one for one in held}

    def _is_news(self, fill: Fill) -> bool:
        known = self._fills.get(fill.fill_id)
        return known is None or known.is_busted is not fill.is_busted

    def _take_fills(self, fills: Sequence[Fill]) -> list[Fill]:
        """Note fills, and return those that are news; forget what no later round can show."""
        news = [fill for fill in fills if self._is_news(fill)]
        self._fills |= {fill.fill_id: fill for fill in fills}
        if fills:
            # The venue's time from here on, even where the clock here goes before it.
            self._since_ns = max(fill.venue_time_ns for fill in self._fills.values())
        oldest_ns = self._since_ns - 2 * _OVERLAP_NS
        self._fills = {
            fill_id: fill
            for fill_id, fill in self._fills.items()
            if fill.venue_time_ns >= oldest_ns
        }
        return news

    def _told_positions(self, held: dict[str, Position]) -> list[PositionEvent]:
        before, self._positions = self._positions, held
        gone = [
            attrs.evolve(one, quantity=ZERO, average_entry_price=None, unrealized_pnl=None)
            for position_id, one in before.items()
            if position_id not in held
        ]
        return [
            PositionEvent(
                position=one,
                previous_quantity=(
                    before[one.position_id].quantity if one.position_id in before else ZERO
                ),
                account_id=self._account_id,
                received_at_ns=self._clock.now_ns(),
            )
            for one in (*held.values(), *gone)
            if one.position_id not in before or before[one.position_id].quantity != one.quantity
        ]

    def _told_orders(self, orders: dict[str, Order], fills: Sequence[Fill]) -> list[OrderEvent]:
        """Tell each order's news: that it is there, what filled, how it changed or ended."""
        told: list[OrderEvent] = []
        for order_id, order in orders.items():
            before = self._sent.note(order)
            own = [fill for fill in fills if fill.venue_order_id == order_id]
            filled = subtract(order.filled_quantity, total(map(_change, own)))
            if before is None:
                told.append(self._event(OrderEventKind.ACCEPTED, _at_work(order, filled)))
            for fill in own:
                filled = add(filled, _change(fill))
                kind = OrderEventKind.FILL_BUSTED if fill.is_busted else OrderEventKind.FILL
                told.append(self._event(kind, _at_work(order, filled), fill))
            if order.status in _ENDS:
                told.append(self._event(_ENDS[order.status], order))
            elif before is not None and _terms(before) != _terms(order):
                told.append(self._event(OrderEventKind.RESTATED, order))
        return told

    def _event(self, kind: OrderEventKind, order: Order, fill: Fill | None = None) -> OrderEvent:
        return OrderEvent(
            kind=kind,
            order=order,
            account_id=self._account_id,
            received_at_ns=self._clock.now_ns(),
            fill=fill,
            venue_time_ns=order.updated_at_ns if fill is None else fill.venue_time_ns,
        )

    def _lost(self, error: DragomanError) -> list[Event]:
        self._failures += 1
        delay_ns = _BACKOFF.delay_ns(self._failures, self._adapter.context.random)
        asked_ns = round((error.retry_after or 0) * SECOND_NS)
        self._due_ns = self._clock.monotonic_ns() + max(delay_ns, asked_ns)
        is_first = self._failures == 1
        state = ConnectionState.DISCONNECTED if is_first else ConnectionState.RECONNECTING
        return [self._connection(state, error.message)]

    def _returned(self) -> list[Event]:
        now_ns, failures = self._clock.monotonic_ns(), self._failures
        gap_ns, self._seen_ns, self._failures = now_ns - self._seen_ns, now_ns, 0
        if not failures:
            return []
        state = ConnectionState.RECONNECTED
        return [self._connection(state, "the account was read again", gap_ns)]

    def _connection(
        self, state: ConnectionState, cause: str, gap_ns: int | None = None
    ) -> ConnectionEvent:
        return ConnectionEvent(
            state=state,
            channel=_CHANNEL,
            received_at_ns=self._clock.now_ns(),
            cause=cause,
            gap_ns=gap_ns,
        )


def _change(fill: Fill) -> Decimal:
    """Return by how much a piece of news about a fill changes what has filled."""
    return negate(fill.quantity) if fill.is_busted else fill.quantity


def _at_work(order: Order, filled: Decimal) -> Order:
    """Return an order as it stood when so much had filled; how it ended is told by itself."""
    if filled == order.filled_quantity and order.status not in _ENDS:
        return order
    status = OrderStatus.PARTIALLY_FILLED if filled > 0 else OrderStatus.OPEN
    return attrs.evolve(
        order,
        status=status,
        filled_quantity=max(filled, ZERO),
        average_fill_price=None,
        reject_reason=None,
        venue_code=None,
    )


def _terms(order: Order) -> tuple[object, ...]:
    """Return what a reader would call a change, but for what fills tell."""
    is_working = order.status in {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED}
    state = OrderStatus.OPEN if is_working else order.status
    return (state, order.quantity, order.limit_price, order.stop_price)
