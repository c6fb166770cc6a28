"""How events reach a connection's streams: as they happen, or as a plan of faults will have it.

Each event that some stream wants is counted once, then dropped, doubled, delayed or put out of
order as the plan says. While the connection is cut or mute, nothing gets through, and what would
have is never told: a client that wants it has to ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dragoman.models import (
    AccountEvent,
    Bar,
    ConnectionState,
    Depth,
    LedgerEvent,
    MarketStatus,
    OrderEvent,
    PositionEvent,
    Quote,
    Ticker,
    Trade,
)
from dragoman.money import multiply
from dragoman.paper.faults.plan import FaultKind
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from decimal import Decimal

    from dragoman.models import Event
    from dragoman.paper.faults.plan import Fault
    from dragoman.paper.faults.script import FaultScript

    from .stream import MockStream
    from .venue import MockVenue

__all__ = ["Delivery", "event_subject", "to_ns"]

_NAMES: Final[Mapping[type[Any], str]] = {
    Quote: "quote",
    Trade: "trade",
    Bar: "bar",
    Depth: "depth",
    Ticker: "ticker",
    MarketStatus: "market_status",
    PositionEvent: "position",
    AccountEvent: "account",
    LedgerEvent: "ledger",
}


def to_ns(seconds: Decimal | None) -> int:
    """Return a duration in nanoseconds; 0 for None."""
    return 0 if seconds is None else int(multiply(seconds, SECOND_NS))


def event_subject(event: Event) -> tuple[str | None, str | None, str | None]:
    """Return an event's name in a plan, and the order and symbol it is about, if any."""
    if isinstance(event, OrderEvent):
        return event.kind.lower(), event.order.client_order_id, event.order.symbol
    name = _NAMES.get(type(event))
    if isinstance(event, PositionEvent):
        return name, None, event.position.symbol
    if isinstance(event, LedgerEvent):
        return name, event.entry.client_order_id, event.entry.symbol
    return name, None, getattr(event, "symbol", None)


class Delivery:
    """The way to the streams of one connection.

    Args:
        venue: Its time is used for delays.
        script: The faults of the connection.
        latency_ns: How long every event is under way.
        strike: Carries out a fault that strikes the venue.
    """

    def __init__(
        self,
        venue: MockVenue,
        script: FaultScript,
        *,
        latency_ns: int,
        strike: Callable[[Fault, Event], None],
    ) -> None:
        self.streams: list[MockStream] = []
        self._venue = venue
        self._script = script
        self._latency_ns = latency_ns
        self._strike = strike
        self._cut_at_ns: int | None = None
        self._cuts = 0
        self._held: list[Event] = []
        self._window = 0
        self._windows = 0

    def tell(self, events: Iterable[Event]) -> None:
        """Take events on their way."""
        if not self.streams:
            return
        if not self._script.watches_events:
            self._send([*events])
            return
        for event in events:
            if any(stream.wants(event) for stream in self.streams):
                self._meet(event)

    def cut(self, seconds: Decimal | None, cause: str, *, is_silent: bool) -> None:
        """Let nothing through for a while; a second cut during a first one begins anew."""
        now_ns = self._venue.engine.now_ns
        if not is_silent:
            self._announce(ConnectionState.DISCONNECTED, cause, None)
        self._cut_at_ns = now_ns if self._cut_at_ns is None else self._cut_at_ns
        self._cuts += 1
        number = self._cuts
        self._venue.schedule(
            now_ns + to_ns(seconds), lambda: self._mend(number, cause, is_silent=is_silent)
        )

    def _mend(self, number: int, cause: str, *, is_silent: bool) -> None:
        if number != self._cuts or self._cut_at_ns is None:
            return
        gap_ns = self._venue.engine.now_ns - self._cut_at_ns
        self._cut_at_ns = None
        if not is_silent:
            self._announce(ConnectionState.RECONNECTED, cause, gap_ns)

    def _announce(self, state: ConnectionState, cause: str, gap_ns: int | None) -> None:
        for stream in self.streams:
            stream.offer([stream.connection_event(state, cause, gap_ns)])

    def _send(self, events: Sequence[Event]) -> None:
        if self._latency_ns:
            due_ns = self._venue.engine.now_ns + self._latency_ns
            self._venue.schedule(due_ns, lambda: self._arrive(events))
        else:
            self._arrive(events)

    def _arrive(self, events: Sequence[Event]) -> None:
        if self._cut_at_ns is None:
            for stream in self.streams:
                stream.offer(event for event in events if stream.wants(event))

    def _meet(self, event: Event) -> None:
        """Let the plan's faults act on one event."""
        name, client_order_id, symbol = event_subject(event)
        faults = self._script.on_event(name, client_order_id, symbol) if name else ()
        copies: list[Event] = [event]
        for fault in faults:
            copies = self._suffer(fault, event, copies)
        for copy in copies:
            self._line_up(copy)

    def _suffer(self, fault: Fault, event: Event, copies: list[Event]) -> list[Event]:
        match fault.kind:
            case FaultKind.DROP_EVENT:
                return []
            case FaultKind.DUPLICATE_EVENT:
                return copies + [event] * int(fault.text("copies") or 1)
            case FaultKind.DELAY_EVENT:
                due_ns = self._venue.engine.now_ns + to_ns(fault.amount("seconds"))
                self._venue.schedule(due_ns, lambda: self._send(copies))
                return []
            case FaultKind.REORDER_EVENTS:
                self._hold_back(fault)
            case _:
                self._strike(fault, event)
        return copies

    def _hold_back(self, fault: Fault) -> None:
        """Begin to collect events, to be told the last one first."""
        self._window = int(fault.text("window") or 2)
        self._windows += 1
        number = self._windows
        due_ns = self._venue.engine.now_ns + to_ns(fault.amount("seconds"))
        self._venue.schedule(due_ns, lambda: self._release(number))

    def _line_up(self, event: Event) -> None:
        if not self._window:
            self._send([event])
            return
        self._held.append(event)
        if len(self._held) >= self._window:
            self._release(self._windows)

    def _release(self, number: int) -> None:
        if number != self._windows:
            return
        held, self._held, self._window = self._held, [], 0
        self._send(held[::-1])
