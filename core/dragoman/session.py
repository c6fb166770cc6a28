"""One account's live session: the private stream read, merged, numbered and handed on.

Events are taken in by one reader, in this order: subscribe, snapshot, then what was streamed
meanwhile. So no change is lost between the picture and the film.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

from .errors import DragomanError, ReconcilingError
from .models.enums import Channel, ConnectionState, EventSource
from .models.events import (
    AccountEvent,
    ConnectionEvent,
    LedgerEvent,
    OrderEvent,
    PositionEvent,
    ProtectionEvent,
)
from .models.subscription import Subscription
from .orders.blotter import Blotter
from .orders.commands import OrderCommands
from .orders.desk import OrderDesk
from .orders.halt import HaltReport
from .orders.reconcile import Reconciler
from .orders.state import BrokerState
from .orders.tracker import OrderTracker
from .streaming.hub import Hub
from .times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from .adapter import Adapter
    from .models import Event, PrivateEvent
    from .orders.halt import HaltSwitch
    from .orders.journal import Journal
    from .orders.reconcile import Comparison
    from .orders.watch import Watch
    from .times import Clock

__all__ = ["AccountSession"]

_PRIVATE = (OrderEvent, PositionEvent, AccountEvent, LedgerEvent, ProtectionEvent)
_SHOWN = (PositionEvent, AccountEvent)
_DOWN = frozenset(
    {ConnectionState.DISCONNECTED, ConnectionState.RECONNECTING, ConnectionState.FAILED}
)
_FIRST_RETRY_NS = SECOND_NS
_LONGEST_RETRY_NS = 30 * SECOND_NS


class AccountSession:
    """Everything that lives as long as one account is connected.

    Args:
        adapter: An open adapter, bound to the account.
        journal: The account's journal; closed with the session.
        halt: The switch that orders are checked against.
    """

    def __init__(
        self, adapter: Adapter, account_id: str, journal: Journal, halt: HaltSwitch
    ) -> None:
        self.adapter = adapter
        self.account_id = account_id
        self.journal = journal
        self.clock: Clock = adapter.context.clock
        self.tracker: OrderTracker = OrderTracker(account_id, adapter.context.provider)
        self.state: BrokerState = BrokerState(self.tracker, journal)
        self.blotter: Blotter = Blotter(
            adapter, account_id, journal=journal, tracker=self.tracker, halt=halt, tell=self.tell
        )
        self.watch: Watch = self.blotter.watch
        self.desk: OrderDesk = OrderDesk(self.blotter)
        self.commands: OrderCommands = OrderCommands(self.blotter)
        self.hub: Hub = Hub(adapter, journal, self.blotter.scope, self.clock)
        self._streams = AsyncExitStack()
        self._stream_cause: str | None = "not connected yet"
        self._state_cause: str | None = None
        self._is_retrying = False
        self._has_snapshot = False
        self._reconciling = asyncio.Lock()
        self._meanwhile: list[PrivateEvent] = []
        self._reconciler = Reconciler(adapter, account_id, self.tracker)

    async def open(self) -> None:
        """Subscribe to the private stream, take the first snapshot, start to read."""
        batches = await self._streams.enter_async_context(
            self.adapter.stream(self._private_subscription())
        )
        self._stream_cause = None
        await self._reconcile()
        self.blotter.scope.spawn(self._read(batches), f"private stream of {self.account_id}")

    async def aclose(self) -> None:
        """End the reader, the hub and every command under way. Idempotent."""
        async with AsyncExitStack() as stack:
            stack.callback(self.journal.close)
            stack.push_async_callback(self._streams.aclose)
            stack.push_async_callback(self.blotter.scope.close)
            stack.callback(self.watch.close)
            await self.hub.aclose()

    def halt(self, cause: str) -> HaltReport:
        """Stop trading and say what is known at that moment. Callable from any thread.

        Raises:
            JournalUnavailableError: Halted here, but other processes can't be told.
        """
        now_ns = self.clock.now_ns()
        self.blotter.halt.set(cause, now_ns)
        return HaltReport(
            halted_at_ns=now_ns,
            cause=cause,
            open_orders=tuple(order.client_order_id for order in self.state.open_orders),
            unknown=self.blotter.unproved(),
            open_positions=tuple(position.position_id for position in self.state.positions),
        )

    def check_live(self) -> None:
        """Refuse new exposure while local state is not proved against the venue.

        Raises:
            ReconcilingError: The private stream is down or being reconciled (NOT_SENT).
        """
        cause = self._stream_cause or self._state_cause
        if cause is not None:
            message = f"account {self.account_id} is not in step with the venue: {cause}"
            raise ReconcilingError(message, provider=self.adapter.context.provider)

    def tell(self, events: Sequence[PrivateEvent]) -> None:
        """Number private events, bring the state up to them, hand them to every reader."""
        numbered = [self.journal.append(event) for event in events]
        for event in numbered:
            self.state.take(event)
        if self._reconciling.locked():
            self._meanwhile += [one for one in numbered if isinstance(one, _SHOWN)]
        self.hub.publish(numbered)
        for event in numbered:
            if isinstance(event, OrderEvent):
                self.watch.wake(event.order.client_order_id)

    def _private_subscription(self) -> Subscription:
        streams = self.adapter.capabilities.streams
        return Subscription(
            orders=Channel.ORDERS in streams,
            positions=Channel.POSITIONS in streams,
            account=Channel.ACCOUNT in streams,
            ledger=Channel.LEDGER in streams,
        )

    async def _read(self, batches: AsyncIterator[Sequence[Event]]) -> None:
        cause = "the private stream ended"
        try:
            async for batch in batches:
                for event in batch:
                    await self._take(event)
        except DragomanError as error:
            cause = f"the private stream failed: {error.message}"
        except Exception as error:
            cause = f"the private stream failed: {type(error).__name__}"
            raise
        finally:
            self._stream_cause = cause
            self.hub.publish([self._connection(ConnectionState.FAILED, cause)])

    async def _take(self, event: Event) -> None:
        if isinstance(event, OrderEvent):
            self._reconciler.seen(event)
            self.tell(self.tracker.observe(event))
            self.watch.wake(self.tracker.name_of(event.order))
        elif isinstance(event, _PRIVATE):
            if self._reconciler.is_news(event):
                self.tell([event])
        elif isinstance(event, ConnectionEvent):
            await self._connection_changed(event)
        else:
            self.hub.publish([event])

    async def _connection_changed(self, event: ConnectionEvent) -> None:
        self.hub.publish([event])
        if event.state in _DOWN:
            self._stream_cause = event.cause or str(event.state)
        elif event.state is ConnectionState.RECONNECTED:
            self._stream_cause = None
            try:
                await self._reconcile()
            except DragomanError:  # said by `_state_cause`; the stream itself is well
                self._retry()

    def _retry(self) -> None:
        if not self._is_retrying:
            self._is_retrying = True
            self.blotter.scope.spawn(self._retry_until_done(), f"reconciling {self.account_id}")

    async def _retry_until_done(self) -> None:
        delay_ns = _FIRST_RETRY_NS
        while self._state_cause is not None:
            await self.clock.sleep_until_ns(self.clock.now_ns() + delay_ns)
            delay_ns = min(2 * delay_ns, _LONGEST_RETRY_NS)
            with suppress(DragomanError):
                await self._reconcile()
        self._is_retrying = False

    async def _reconcile(self) -> None:
        """Compare with the venue and take in what was missed: fills first, as they happened.

        Submits are refused until it is done. What is streamed meanwhile outweighs the snapshot.
        """
        async with self._reconciling:
            self._state_cause = "reconciling"
            self._meanwhile.clear()
            try:
                found = await self._reconciler.compare()
            except DragomanError as error:
                self._state_cause = f"reconciling failed: {error.message}"
                raise
            self._take_orders(found)
            streamed = tuple(self._meanwhile)
            if self._has_snapshot:
                self.tell(self._position_events(found))
            self.state.reset(found.account, found.positions)
            for event in streamed:
                self.state.take(event)
            self._has_snapshot = True
            self._state_cause = None

    def _take_orders(self, found: Comparison) -> None:
        now_ns = self.clock.now_ns()
        for order in found.strangers:
            self.blotter.answer(order, EventSource.RECONCILED)
        for fill in found.fills:
            self.tell(self.tracker.execute(fill, EventSource.RECONCILED, now_ns))
        for order in found.orders:
            self.blotter.answer(order, EventSource.RECONCILED)

    def _position_events(self, found: Comparison) -> list[PositionEvent]:
        return [
            PositionEvent(
                position=position,
                previous_quantity=previous,
                account_id=self.account_id,
                received_at_ns=self.clock.now_ns(),
                source=EventSource.RECONCILED,
                venue_time_ns=position.updated_at_ns,
            )
            for position, previous in self.state.moved(found.positions)
        ]

    def _connection(self, state: ConnectionState, cause: str) -> ConnectionEvent:
        return ConnectionEvent(
            state=state, channel="private", received_at_ns=self.clock.now_ns(), cause=cause
        )
