"""What makes an account's health change: the stream's life, lost time, orders left unanswered."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models.enums import (
    AlarmKind,
    ConnectionState,
    HealthState,
    OrderStatus,
    StalenessState,
)
from dragoman.times import MINUTE_NS, SECOND_NS

from .health import Trouble
from .stream import WHOLE_STREAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.models.events import ConnectionEvent, Staleness
    from dragoman.orders.blotter import Blotter

    from .health import Health, HealthMonitor
    from .reconciling import Reconciling

__all__ = ["Sentinel"]

_DOWN: Final = frozenset(
    {
        ConnectionState.DISCONNECTED,
        ConnectionState.RECONNECTING,
        ConnectionState.FAILED,
        ConnectionState.ENDED,
    }
)
_BACK: Final = frozenset({ConnectionState.CONNECTED, ConnectionState.RECONNECTED})
_OVERDUE_NS: Final = 10 * SECOND_NS
_FLAPS: Final = 3
_NAMED: Final = 3
_WAITING: Final = (OrderStatus.PENDING, OrderStatus.UNKNOWN)


class Sentinel:
    """Turns what happens to one account into troubles and comparisons.

    Args:
        blotter: The account's orders, halt and journal.
        monitor: Where troubles are put.
        reconciling: What proves state anew.
        unresolved: Returns the orders whose fate is unknown.
    """

    def __init__(
        self,
        blotter: Blotter,
        monitor: HealthMonitor,
        reconciling: Reconciling,
        unresolved: Callable[[], tuple[str, ...]],
    ) -> None:
        self._blotter = blotter
        self._monitor = monitor
        self._reconciling = reconciling
        self._unresolved = unresolved
        self._clock = blotter.adapter.context.clock
        self._cuts: deque[int] = deque()
        self._down: set[str] = set()
        self._mute: set[str] = set()
        self._sent: deque[tuple[int, str]] = deque()

    @property
    def health(self) -> Health:
        """The health now; a halt shows at once, whichever thread or process asked for it."""
        now = self._monitor.now
        if now.state in (HealthState.HALTED, HealthState.CLOSED):
            return now
        cause = self._blotter.halt.cause
        if cause is None:
            return now
        return attrs.evolve(
            now,
            state=HealthState.HALTED,
            causes=(_halted(cause), *now.causes),
            since_ns=self._clock.now_ns(),
        )

    def opened(self) -> None:
        """Note that the stream is open for the first time; state is still to be proved."""
        self._reconciling.demand("connected just now", Trouble.STREAM)

    def refused(self, cause: str) -> None:
        """Note that the venue wants other credentials."""
        self._monitor.put(Trouble.CREDENTIALS, f"{cause}; connect again with valid credentials")

    def connection_changed(self, event: ConnectionEvent) -> None:
        """Follow the stream's life.

        A stream may be made of several connections: one that is back does not stand for the others.
        """
        if event.state in _DOWN:
            self._down.add(event.channel)
            if not self._monitor.has(Trouble.STREAM):
                self._cuts.append(self._clock.monotonic_ns())
            self._monitor.put(Trouble.STREAM, event.cause or str(event.state))
        is_back = event.state in _BACK and self._monitor.has(Trouble.STREAM)
        if is_back or event.state is ConnectionState.RECONNECTED:
            self._came_back(event.channel)
        self._look_for_flapping()

    def _came_back(self, channel: str) -> None:
        """Have state proved anew once everything that was down is back."""
        is_whole = channel == WHOLE_STREAM
        self._down = set() if is_whole else self._down - {channel}
        self._mute = set() if is_whole else self._mute - {channel}
        if not self._down:
            ended = [Trouble.STREAM, Trouble.CREDENTIALS]
            ended += [] if self._mute else [Trouble.SILENCE]
            self._reconciling.demand("reconnected", *ended)

    def staleness_changed(self, event: Staleness) -> None:
        """Follow whether the stream speaks."""
        if event.state is StalenessState.STALE:
            self._mute.add(event.channel)
            self._monitor.put(Trouble.SILENCE, f"{event.channel} is open and mute")
            return
        self._mute.discard(event.channel)
        if not self._mute and self._monitor.has(Trouble.SILENCE):
            self._reconciling.demand(f"{event.channel} was mute", Trouble.SILENCE)

    def lost_time(self, cause: str, lost_ns: int) -> str:
        """Note that time was lost: whatever was known may be old. Returns what to tell."""
        said = f"{cause} for {lost_ns / SECOND_NS:.1f} s"
        self._monitor.change({Trouble.LAG: said, Trouble.UNPROVED: said})
        self._reconciling.demand(said)
        return said

    def submitted(self, client_order_id: str) -> None:
        """Expect an order to be answered before long; those that were are not kept in mind."""
        while self._sent and not self._is_waiting(self._sent[0][1]):
            self._sent.popleft()
        self._sent.append((self._clock.monotonic_ns() + _OVERDUE_NS, client_order_id))

    def beat(self) -> None:
        """Look at everything that nobody tells of; called about once a second."""
        self.look()
        self._look_for_flapping()
        self._look_for_overdue()
        self._reconciling.tick()

    def look(self) -> None:
        """Look at the halt, the journal and the orders of unknown fate."""
        if self._blotter.watch.is_closed:
            return
        cause = self._blotter.halt.cause
        trouble = self._journal_trouble()
        unknown = self._unresolved()
        names = ", ".join(unknown[:_NAMED]) + (", ..." if len(unknown) > _NAMED else "")
        self._monitor.change(
            {
                Trouble.HALT: None if cause is None else _halted(cause),
                Trouble.JOURNAL: trouble and f"the journal can't be written: {trouble}",
                Trouble.UNKNOWN_ORDERS: f"orders of unknown fate: {names}" if unknown else None,
            }
        )

    def _journal_trouble(self) -> str | None:
        """Let the journal try again, if it could not write; tell of its first failure."""
        journal = self._blotter.journal
        if journal.trouble is not None:
            journal.append(())
        trouble = journal.trouble
        if trouble is not None and not self._monitor.has(Trouble.JOURNAL):
            self._blotter.alarm(AlarmKind.JOURNAL_FAILED, trouble, None)
        return trouble

    def _look_for_flapping(self) -> None:
        now_ns = self._clock.monotonic_ns()
        while self._cuts and self._cuts[0] <= now_ns - MINUTE_NS:
            self._cuts.popleft()
        is_flapping = len(self._cuts) >= _FLAPS
        cause = f"the stream was cut {_FLAPS} times or more within a minute"
        self._monitor.change({Trouble.FLAPPING: cause if is_flapping else None})

    def _look_for_overdue(self) -> None:
        """Have the account compared when an order has gone without an answer for too long.

        One whose fate is unknown is looked for already.
        """
        now_ns = self._clock.monotonic_ns()
        while self._sent and self._sent[0][0] <= now_ns:
            name = self._sent.popleft()[1]
            if self._is_waiting(name) and name not in self._unresolved():
                self._reconciling.suggest(f"order {name} has had no answer for 10 s")

    def _is_waiting(self, client_order_id: str) -> bool:
        order = self._blotter.tracker.order(client_order_id)
        return order is not None and order.status in _WAITING


def _halted(cause: str) -> str:
    return f"halted: {cause}"
