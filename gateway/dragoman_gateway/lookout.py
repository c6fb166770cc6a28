"""What the gateway knows of the brokers behind it, from their own events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import DragomanError
from dragoman.models.enums import ConnectionState, HealthState, StalenessState
from dragoman.models.events import ConnectionEvent, Staleness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.broker import Broker
    from dragoman.models import Event
    from dragoman.tasks import TaskScope

__all__ = ["BrokerSight", "Lookout"]

_LOST: Final = frozenset(
    {
        ConnectionState.DISCONNECTED,
        ConnectionState.RECONNECTING,
        ConnectionState.FAILED,
        ConnectionState.ENDED,
    }
)
_UNCONNECTED: Final = frozenset({HealthState.DOWN, HealthState.AUTH_REQUIRED, HealthState.CLOSED})
_READY: Final = frozenset({HealthState.LIVE, HealthState.DEGRADED, HealthState.HALTED})
_PRIVATE: Final = "private"
_READ_ONLY: Final = "read-only"


class BrokerSight:
    """One broker, as seen from here."""

    def __init__(self, broker: Broker) -> None:
        self.broker: Broker = broker
        self._down: set[str] = set()
        self._stale: set[str] = set()

    @property
    def state(self) -> HealthState:
        """Its health."""
        return self.broker.health.state

    @property
    def causes(self) -> tuple[str, ...]:
        """Everything that says no."""
        return self.broker.health.causes

    @property
    def is_connected(self) -> bool:
        """Whether the venue can be heard; one that is read only is never listened to."""
        return self._is_read_only or (self.state not in _UNCONNECTED and _PRIVATE not in self._down)

    @property
    def is_ready(self) -> bool:
        """Whether what is known here is in step with the venue; a halted account may be."""
        return self._is_read_only or (self.state in _READY and _PRIVATE not in self._down)

    @property
    def stale_symbols(self) -> tuple[str, ...]:
        """The symbols whose market data has fallen silent, sorted."""
        return tuple(sorted(self._stale))

    @property
    def _is_read_only(self) -> bool:
        """Whether it was connected to look only: that is down on purpose."""
        causes = self.causes
        return self.state is HealthState.DOWN and all(one.startswith(_READ_ONLY) for one in causes)

    def take(self, event: Event) -> None:
        """Learn from an event."""
        if isinstance(event, ConnectionEvent):
            self._take_connection(event)
        elif isinstance(event, Staleness):
            if event.state is StalenessState.STALE:
                self._stale.update(event.symbols)
            else:
                self._stale.difference_update(event.symbols)

    def _take_connection(self, event: ConnectionEvent) -> None:
        if event.state in _LOST:
            self._down.add(event.channel)
        elif event.state is not ConnectionState.CONNECTING:
            self._down.discard(event.channel)


class Lookout:
    """Listens to every broker.

    Args:
        brokers: The brokers of the gateway.
    """

    def __init__(self, brokers: Sequence[Broker]) -> None:
        self.sights: tuple[BrokerSight, ...] = tuple(BrokerSight(broker) for broker in brokers)

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers behind the gateway, each once, in the order given."""
        return tuple(dict.fromkeys(sight.broker.provider for sight in self.sights))

    def start(self, scope: TaskScope, note: Callable[[str, Event], None]) -> None:
        """Listen until the scope closes; `note` is given each event and its provider."""
        for sight in self.sights:
            broker = sight.broker
            scope.spawn(_listen(sight, note), f"lookout {broker.provider} {broker.account_id}")


async def _listen(sight: BrokerSight, note: Callable[[str, Event], None]) -> None:
    broker = sight.broker
    try:
        stream = broker.stream(orders=True)
    except DragomanError:  # it is read only
        stream = broker.stream()
    async with stream:
        async for events in stream.batches():
            for event in events:
                sight.take(event)
                note(broker.provider, event)
