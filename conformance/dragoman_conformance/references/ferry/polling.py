"""Ferry has no stream: what happens is found out by asking, and told as a stream would tell it.

A round asks for the open orders, for those that are gone from there, and then for fills: so the
fills that an order shows are always among those read. One is due every second, and at once after a
command. Only rounds that succeed are told from; one
that fails is told as a loss, and the first that succeeds after it as a return.
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
    NotFoundError,
    PermissionDeniedError,
    RequestError,
)
from dragoman.models import (
    ConnectionEvent,
    ConnectionState,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    PositionEvent,
    Window,
)
from dragoman.money import ZERO, add, negate, subtract, total
from dragoman.resilience.backoff import Backoff
from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS

from . import mapping

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence
    from decimal import Decimal

    from dragoman.adapter import AdapterContext
    from dragoman.models import Event, Fill, Order, Position

    from . import wire
    from .rest import FerryRest

__all__ = ["AccountWatch", "OpenOrders"]

_ROUND_NS: Final = SECOND_NS
_OVERLAP_MS: Final = 10_000
_BACKOFF: Final = Backoff(first_s=1.0, cap_s=10.0)
_TERMINAL: Final = (AuthenticationError, PermissionDeniedError, LifecycleError, RequestError)
_CHANNEL: Final = "private"
_ENDS: Final = {
    OrderStatus.CANCELED: OrderEventKind.CANCELED,
    OrderStatus.EXPIRED: OrderEventKind.EXPIRED,
    OrderStatus.REJECTED: OrderEventKind.REJECTED,
}


class OpenOrders:
    """The orders of one account that were open when they were last seen, in whichever answer."""

    def __init__(self) -> None:
        self.stirred: asyncio.Event = asyncio.Event()
        """Set once a command of one's own was answered: there is news to be asked for."""
        self._rows: dict[str, wire.OrderRow] = {}

    def note(self, row: wire.OrderRow) -> wire.OrderRow | None:
        """Take note of an order as it stands; returns it as it stood before."""
        before = self._rows.pop(row.id, None)
        status = mapping.STATES.get(row.state, OrderStatus.UNKNOWN)
        if not status.is_terminal:
            self._rows[row.id] = row
        return before

    def stir(self, row: wire.OrderRow) -> None:
        """Watch an order that a command was answered with, even if only to tell how it ended."""
        self._rows.setdefault(row.id, row)
        self.stirred.set()

    def missing(self, shown: Sequence[wire.OrderRow]) -> list[str]:
        """Return the ids of those that a list of all open orders does not show."""
        ids = {row.id for row in shown}
        return [one for one in self._rows if one not in ids]

    def drop(self, order_id: str) -> None:
        """Forget an order that the venue does not know."""
        self._rows.pop(order_id, None)


class AccountWatch:
    """Tells what becomes of one account's orders and positions. One reader, who sets the pace.

    It may be canceled while it waits, and read on; what was found is told only once.

    Args:
        context: Gives account, clock and random.
        rest: Asks the venue.
        known: The orders that were sent or seen elsewhere too.
    """

    def __init__(self, context: AdapterContext, rest: FerryRest, known: OpenOrders) -> None:
        self._context = context
        self._clock = context.clock
        self._account_id = context.account_id or ""
        self._rest = rest
        self._known = known
        self._fills: dict[str, wire.FillRow] = {}
        self._positions: dict[str, Position] = {}
        self._since_ms = 0
        self._due_ns = 0
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

    def __aiter__(self) -> AccountWatch:
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return what a round found out, going on until one has found something.

        Raises:
            AuthenticationError: The venue refuses the credentials; so does PermissionDeniedError.
        """
        events, self._first = self._first, []
        while not events:
            await self._until_due()
            self._due_ns = self._clock.monotonic_ns() + _ROUND_NS
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
        """Wait for the next round, which is due at once after a command, unless the last failed."""
        sleep = self._clock.sleep_ns(max(0, self._due_ns - self._clock.monotonic_ns()))
        if self._failures:
            await sleep
            return
        waits = (sleep, self._known.stirred.wait())
        tasks = [self._scope.spawn(wait, "pause between rounds") for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        self._known.stirred.clear()

    async def _begin(self) -> None:
        """Take all that is there for known; only what comes after it is news."""
        shown = await self._rest.open_orders(self._account_id)
        self._since_ms = self._rest.now_ms
        fills, positions = await self._recent_fills(), await self._held()
        for row in shown:
            self._known.note(row)
        self._take_fills(fills)
        self._positions = positions
        self._seen_ns = self._clock.monotonic_ns()
        self._due_ns = self._seen_ns + _ROUND_NS

    async def _round(self) -> list[Event]:
        """Ask for all that may have changed; nothing is noted before all of it was answered."""
        shown = await self._rest.open_orders(self._account_id)
        rows = {row.id: row for row in (*shown, *await self._gone(shown))}
        fills = await self._recent_fills()
        for order_id in {row.order for row in fills if self._is_news(row)} - rows.keys():
            rows[order_id] = await self._rest.order(self._account_id, order_id=order_id)
        positions = await self._held()
        news = self._take_fills(fills)
        return [*self._told_orders(rows, news), *self._told_positions(positions)]

    async def _gone(self, shown: Sequence[wire.OrderRow]) -> list[wire.OrderRow]:
        found: list[wire.OrderRow] = []
        for order_id in self._known.missing(shown):
            try:
                found.append(await self._rest.order(self._account_id, order_id=order_id))
            except NotFoundError:
                self._known.drop(order_id)
        return found

    async def _recent_fills(self) -> list[wire.FillRow]:
        start_ns = mapping.instant_of(max(0, self._since_ms - _OVERLAP_MS))
        rows = self._rest.fills(self._account_id, Window(start_ns=start_ns))
        return [row async for row in rows]

    async def _held(self) -> dict[str, Position]:
        rows = await self._rest.positions(self._account_id)
        return {row.sym: mapping.position_of(row, self._reading) for row in rows}

    def _is_news(self, row: wire.FillRow) -> bool:
        known = self._fills.get(row.id)
        return known is None or known.busted is not row.busted

    def _take_fills(self, rows: Sequence[wire.FillRow]) -> list[wire.FillRow]:
        """Note fills, and return those that are news; forget what no later round can show."""
        news = [row for row in rows if self._is_news(row)]
        self._fills |= {row.id: row for row in rows}
        self._since_ms = max([self._since_ms, *[row.time for row in rows]])
        oldest = self._since_ms - 2 * _OVERLAP_MS
        self._fills = {one: row for one, row in self._fills.items() if row.time >= oldest}
        return news

    def _told_positions(self, held: dict[str, Position]) -> list[PositionEvent]:
        before, self._positions = self._positions, held
        gone = [
            attrs.evolve(one, quantity=ZERO, average_entry_price=None, unrealized_pnl=None)
            for symbol, one in before.items()
            if symbol not in held
        ]
        return [
            PositionEvent(
                position=one,
                previous_quantity=before[one.symbol].quantity if one.symbol in before else ZERO,
                account_id=self._account_id,
                received_at_ns=self._clock.now_ns(),
            )
            for one in (*held.values(), *gone)
            if one.symbol not in before or before[one.symbol].quantity != one.quantity
        ]

    def _told_orders(
        self, rows: dict[str, wire.OrderRow], fills: Sequence[wire.FillRow]
    ) -> list[OrderEvent]:
        """Tell each order's news: that it is there, what filled, how it changed or ended."""
        told: list[OrderEvent] = []
        for row in rows.values():
            order, before = mapping.order_of(row, self._reading), self._known.note(row)
            own = [fill for fill in fills if fill.order == row.id]
            filled = subtract(order.filled_quantity, total(map(_change, own)))
            if before is None:
                told.append(self._event(OrderEventKind.ACCEPTED, _at_work(order, filled)))
            for fill in own:
                filled = add(filled, _change(fill))
                kind = OrderEventKind.FILL_BUSTED if fill.busted else OrderEventKind.FILL
                read = mapping.fill_of(fill, self._reading)
                told.append(self._event(kind, _at_work(order, filled), read))
            if order.status in _ENDS:
                told.append(self._event(_ENDS[order.status], order))
            elif before is not None and _terms(before) != _terms(row):
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
        delay_ns = _BACKOFF.delay_ns(self._failures, self._context.random)
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

    @property
    def _reading(self) -> mapping.Reading:
        return mapping.Reading(
            provider=self._context.provider,
            account_id=self._account_id,
            received_at_ns=self._clock.now_ns(),
        )


def _change(fill: wire.FillRow) -> Decimal:
    """Return by how much a piece of news about a fill changes what has filled."""
    return negate(fill.qty) if fill.busted else fill.qty


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


def _terms(row: wire.OrderRow) -> tuple[object, ...]:
    """Return what a reader would call a change, but for what fills tell."""
    is_working = row.state in {"working", "partial"}
    return ("working" if is_working else row.state, row.qty, row.price, row.stop)
