"""One account's live session: the private stream read, merged, numbered and handed on.

Events are taken in by one reader, in this order: subscribe, snapshot, then what was streamed
meanwhile. So no change is lost between the picture and the film.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final

from dragoman.errors import JournalUnavailableError, RejectReason, VenueUnavailableError
from dragoman.models.enums import AlarmKind, Channel, OrderEventKind
from dragoman.models.events import (
    AccountEvent,
    Alarm,
    ConnectionEvent,
    LedgerEvent,
    OrderEvent,
    PositionEvent,
    ProtectionEvent,
    Quarantined,
    Staleness,
)
from dragoman.models.subscription import Subscription
from dragoman.orders.blotter import Blotter
from dragoman.orders.commands import OrderCommands
from dragoman.orders.desk import OrderDesk
from dragoman.orders.halt import HaltReport
from dragoman.orders.reconcile import Reconciler
from dragoman.orders.restore import recall_order, restore_orders
from dragoman.orders.seen import SeenIds
from dragoman.orders.sendings import Flight
from dragoman.orders.state import BrokerState
from dragoman.orders.tracker import OrderTracker
from dragoman.orders.working import WorkingQuantities
from dragoman.streaming.hub import Hub

from .health import HealthMonitor, Trouble
from .heartbeat import Heartbeat
from .merging import Merging
from .reconciling import Reconciling
from .sentinel import Sentinel
from .stream import PrivateStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dragoman.adapter import Adapter
    from dragoman.models import Event, HealthEvent, Order, PrivateEvent
    from dragoman.orders.halt import HaltSwitch
    from dragoman.orders.journal import Journal
    from dragoman.orders.watch import Watch
    from dragoman.times import Clock

    from .health import Health

__all__ = ["AccountSession"]

_PRIVATE: Final = (OrderEvent, PositionEvent, AccountEvent, LedgerEvent, ProtectionEvent)
_LONGEST_OPENING_S: Final = 60.0
_LONGEST_END_S: Final = 2.0

_log: Final = logging.getLogger(__name__)


class AccountSession:
    """Everything that lives as long as one account is connected.

    Args:
        adapter: An open adapter, bound to the account.
        account_id: The account.
        journal: The account's journal; closed with the session.
        halt: The switch that orders are checked against.
        reconcile_every_s: How long state may go uncompared while all looks well.
    """

    def __init__(
        self,
        adapter: Adapter,
        account_id: str,
        journal: Journal,
        halt: HaltSwitch,
        *,
        reconcile_every_s: float = 30.0,
    ) -> None:
        self.adapter = adapter
        self.account_id = account_id
        self.journal = journal
        self.clock: Clock = adapter.context.clock
        self._process_id = os.getpid()
        self.tracker: OrderTracker = OrderTracker(account_id, adapter.context.provider)
        self.working: WorkingQuantities = WorkingQuantities()
        self.tracker.weigh_with(self.working.weigh)
        self.state: BrokerState = BrokerState(self.tracker, journal)
        self.monitor: HealthMonitor = HealthMonitor(
            self.clock, self._tell_health, self._sighted, "not connected yet"
        )
        self.blotter: Blotter = Blotter(
            adapter,
            account_id,
            journal=journal,
            tracker=self.tracker,
            halt=halt,
            tell=self.tell,
            spread=self.spread,
            alarm=self.alarm,
            is_live=lambda: self.monitor.blindness is None,
        )
        self.watch: Watch = self.blotter.watch
        self.desk: OrderDesk = OrderDesk(self.blotter)
        self.commands: OrderCommands = OrderCommands(self.blotter)
        self.hub: Hub = Hub(adapter, journal, self.blotter.scope, self.clock)
        adapter.pace_by(self.hub.worked_on)
        self.is_flat: bool = False
        self._seen = SeenIds()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stream = PrivateStream(
            adapter,
            self._private_subscription(),
            take=self._take,
            on_refused=self._refused,
            on_end=self.hub.end,
        )
        self._reconciler = Reconciler(adapter, account_id, self.tracker, self._unresolved)
        self._merging = Merging(
            self.blotter,
            self.state,
            self._reconciler,
            take=self._take_private,
            alarm=lambda kind, cause, symbol: self.alarm(kind, cause, symbol=symbol),
            doubt=self._doubt,
        )
        self._reconciling = Reconciling(
            self._merging.compare,
            self.monitor,
            self.clock,
            adapter.context.random,
            reconcile_every_s,
        )
        self._sentinel = Sentinel(self.blotter, self.monitor, self._reconciling, self._unresolved)

    @property
    def health(self) -> Health:
        """The account's health now; may be read from any thread."""
        return self._sentinel.health

    @property
    def is_own_process(self) -> bool:
        """Whether this is the process that connected: a forked one must not touch the session."""
        return os.getpid() == self._process_id

    async def open(self) -> None:
        """Take up what an earlier process left, subscribe, take the first snapshot, keep watch.

        Raises:
            DragomanError: The stream can't be opened, or the venue's side can't be read.
        """
        loop = self._loop = asyncio.get_running_loop()
        self._restore()
        opened: asyncio.Future[None] = loop.create_future()
        name = self.account_id
        self.blotter.scope.spawn(self._stream.run(opened), f"private stream of {name}")
        try:
            async with asyncio.timeout(_LONGEST_OPENING_S):
                await opened
        except TimeoutError:
            message = f"the private stream did not open within {_LONGEST_OPENING_S:.0f} s"
            raise VenueUnavailableError(message, provider=self.blotter.provider) from None
        self._sentinel.opened()
        await self._reconciling.now()
        self.blotter.scope.spawn(self._reconciling.run(), f"reconciling {name}")
        heartbeat = Heartbeat(
            self.clock, loop.time, on_beat=self._sentinel.beat, on_gap=self._lost_time
        )
        self.blotter.scope.spawn(heartbeat.run(), f"heartbeat of {name}")
        self.desk.resolve_unproved()

    async def reconcile(self) -> None:
        """Compare with the venue now, and take in what is found.

        Raises:
            DragomanError: Something could not be read.
        """
        await self._reconciling.now()

    def stay_blind(self, cause: str) -> None:
        """Say why the private stream is not opened at all."""
        self.monitor.put(Trouble.STREAM, cause)

    async def aclose(self) -> None:
        """End the readers, the hub and every command under way. Idempotent.

        What does not end within seconds is left behind, and said so in the log.
        """
        async with AsyncExitStack() as stack:
            stack.callback(self.journal.close)
            stack.push_async_callback(self._end_tasks)
            stack.callback(self.watch.close)
            self.monitor.close()
            await self.hub.aclose()

    def halt(self, cause: str) -> HaltReport:
        """Stop trading and say what is known at that moment. Callable from any thread.

        Raises:
            JournalUnavailableError: Halted here, but other processes can't be told.
        """
        on_their_way = self.desk.on_their_way()
        now_ns = self.clock.now_ns()
        try:
            self.blotter.halt.set(cause, now_ns)
        finally:
            self.call_soon(self._sentinel.look)
        return self.report(cause, now_ns, on_their_way)

    def resume(self) -> None:
        """End a halt of this account. Callable from any thread.

        Raises:
            JournalUnavailableError: The halt holds.
        """
        self.blotter.halt.clear()
        self.is_flat = False
        self.call_soon(self._sentinel.look)

    def report(self, cause: str, now_ns: int, on_their_way: Iterable[str] = ()) -> HaltReport:
        """Return what is known now of orders and positions. Callable from any thread.

        Args:
            cause: Why trading is halted.
            now_ns: Since when.
            on_their_way: The orders that were under way then; some may have been refused by now.
        """
        flights = self.desk.in_flight()
        orders = [self.state.order(name) for name in on_their_way if name not in flights]
        refused = {one.client_order_id for one in orders if one is not None and _is_unsent(one)}
        arrived = {one.client_order_id for one in orders if one is not None} - refused
        unsent = refused | {name for name, one in flights.items() if one is Flight.UNSENT}
        sent = arrived | {name for name, one in flights.items() if one is Flight.SENT}
        open_ids = [order.client_order_id for order in self.state.open_orders]
        return HaltReport(
            halted_at_ns=now_ns,
            cause=cause,
            open_orders=tuple(name for name in open_ids if name not in unsent),
            unknown=tuple(name for name in self.blotter.unproved() if name not in unsent),
            sent=tuple(sorted(sent)),
            unsent=tuple(sorted(unsent)),
            open_positions=tuple(position.position_id for position in self.state.positions),
            is_flat=self.is_flat,
        )

    def call_soon(self, work: Callable[[], object]) -> None:
        """Have something done in the session's loop, from any thread of this process."""
        if self._loop is not None and self.is_own_process:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                self._loop.call_soon_threadsafe(work)

    def check_live(self) -> None:
        """Refuse new exposure while local state is not proved against the venue.

        Raises:
            ReconcilingError: The private stream is down or being reconciled (NOT_SENT).
        """
        self.monitor.check(self.account_id, self.blotter.provider)

    def tell(self, events: Sequence[PrivateEvent]) -> None:
        """Number private events, bring the state up to them, hand them to every reader."""
        if events:
            self.spread(self.journal.append(events))

    def spread(self, numbered: Sequence[PrivateEvent]) -> None:
        """Bring the state up to private events that are journalled, and hand them to readers."""
        for event in numbered:
            self.state.take(event)
            if self.is_flat:
                self._check_flat(event)
        self._merging.note(numbered)
        self.hub.publish(numbered)
        for event in numbered:
            if isinstance(event, OrderEvent):
                self.watch.wake(event.order.client_order_id)
                if event.kind is OrderEventKind.SUBMITTED:
                    self._sentinel.submitted(event.order.client_order_id)

    def alarm(
        self,
        kind: AlarmKind,
        cause: str,
        client_order_id: str | None = None,
        *,
        symbol: str | None = None,
    ) -> None:
        """Tell every reader, and the log, of what a human should look at."""
        named = client_order_id or symbol or self.account_id
        _log.error("%s: %s (%s)", kind, cause, named)
        now_ns = self.clock.now_ns()
        self.hub.publish(
            [
                Alarm(
                    kind=kind,
                    cause=cause,
                    received_at_ns=now_ns,
                    client_order_id=client_order_id,
                    symbol=symbol,
                )
            ]
        )

    def _unresolved(self) -> tuple[str, ...]:
        return self.desk.resolver.unresolved

    def _sighted(self) -> None:
        self.desk.resolver.hurry()

    def _tell_health(self, event: HealthEvent) -> None:
        _log.info("account %s is %s", self.account_id, event.state)
        self.hub.publish([event])

    def _private_subscription(self) -> Subscription:
        streams = self.adapter.capabilities.streams
        return Subscription(
            orders=Channel.ORDERS in streams,
            positions=Channel.POSITIONS in streams,
            account=Channel.ACCOUNT in streams,
            ledger=Channel.LEDGER in streams,
        )

    def _restore(self) -> None:
        """Take up the orders of an earlier process, and how far it had come."""
        news = restore_orders(self.journal, self.tracker, self.clock.now_ns())
        self.tell(news)
        self.state.restored()
        self._reconciler.proved(self.journal.proved_ns)

    async def _end_tasks(self) -> None:
        try:
            async with asyncio.timeout(_LONGEST_END_S):
                await self.blotter.scope.close()
        except TimeoutError:
            _log.error("still running at the end: %s", ", ".join(self.blotter.scope.names))

    def _take(self, event: Event) -> None:
        if isinstance(event, _PRIVATE):
            if not self._merging.hold(event):
                self._take_private(event)
            return
        self.hub.publish([event])
        if isinstance(event, ConnectionEvent):
            self._sentinel.connection_changed(event)
        elif isinstance(event, Staleness):
            self._sentinel.staleness_changed(event)
        elif isinstance(event, Quarantined):
            self._reconciling.suggest(f"a frame could not be understood: {event.error}")

    def _take_private(self, event: PrivateEvent) -> None:
        if isinstance(event, OrderEvent):
            self._reconciler.seen(event.venue_time_ns)
            with suppress(JournalUnavailableError):  # then it is taken for one placed elsewhere
                recall_order(self.journal, self.tracker, event.order)
            self.tell(self.tracker.observe(event))
            self.watch.wake(self.tracker.name_of(event.order))
        elif self._seen.add(event.event_id):
            self.tell([event])

    def _doubt(self, cause: str) -> None:
        self._reconciling.suggest(cause)

    def _refused(self, cause: str) -> None:
        self._sentinel.refused(cause)

    def _lost_time(self, cause: str, lost_ns: int) -> None:
        said = self._sentinel.lost_time(cause, lost_ns)
        self.alarm(AlarmKind.LOOP_LAG, said)

    def _check_flat(self, event: PrivateEvent) -> None:
        """Say so when an account that was proved flat is not flat any more."""
        if isinstance(event, OrderEvent) and event.fill is not None:
            cause = f"order {event.order.client_order_id} filled after the account was proved flat"
            named = event.order.client_order_id
        elif isinstance(event, PositionEvent) and event.position.quantity:
            cause, named = "a position opened after the account was proved flat", None
        else:
            return
        self.is_flat = False
        symbol = event.order.symbol if isinstance(event, OrderEvent) else event.position.symbol
        self.alarm(AlarmKind.NOT_FLAT, cause, named, symbol=symbol)


def _is_unsent(order: Order) -> bool:
    return order.reject_reason is RejectReason.NEVER_ARRIVED
