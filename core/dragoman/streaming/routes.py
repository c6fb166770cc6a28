"""The routing table of one upstream stream: by class of event, then by symbol."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from dragoman.models.enums import Channel, ConnectionState
from dragoman.models.events import ConnectionEvent
from dragoman.models.market import Bar

from .topics import MARKET_CHANNELS, SESSION_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dragoman.models.events import Event

    from .reader import Reader
    from .topics import Topic

__all__ = ["Audience", "Routes"]

Audience = tuple["Reader", ...]

_logger: Final = logging.getLogger(__name__)


class Routes:
    """Which readers want which topic of one upstream stream.

    Topics with the same readers share one tuple of them where they were asked for together, so
    that a run of events for the same readers is handed to each of them at once. Session events go
    to everyone. Events of topics that nobody wants here go nowhere.
    """

    def __init__(self, everyone: Callable[[], Audience]) -> None:
        self.has_said_ended: bool = False
        self._everyone = everyone
        self._whole_market: Audience = ()
        self._tables: dict[Channel, dict[Any, Audience]] = {
            channel: {} for channel in MARKET_CHANNELS.values()
        }
        self._by_class = {kind: self._tables[channel] for kind, channel in MARKET_CHANNELS.items()}
        self._is_stray_reported = False

    @property
    def is_wanted(self) -> bool:
        """Whether anybody wants any of it."""
        return any(self._tables.values())

    @property
    def readers(self) -> frozenset[Reader]:
        """Everybody who wants something of it."""
        return frozenset(
            reader
            for table in self._tables.values()
            for audience in table.values()
            for reader in audience
        )

    @property
    def status_readers(self) -> Audience:
        """Everybody who wants the status of an instrument."""
        table = self._tables[Channel.MARKET_STATUS]
        return tuple({reader: None for audience in table.values() for reader in audience})

    def add(self, topics: Iterable[Topic], reader: Reader) -> None:
        """Send `topics` to `reader` too."""
        successors = _Successors()
        for topic in topics:
            table, key = self._tables[topic.channel], _key(topic)
            audience = table.get(key, ())
            if reader not in audience:
                table[key] = successors.of(audience, lambda old: (*old, reader))

    def remove(self, topics: Iterable[Topic], reader: Reader) -> None:
        """Send `topics` to `reader` no more."""
        successors = _Successors()
        for topic in topics:
            table, key = self._tables[topic.channel], _key(topic)
            left = successors.of(table.pop(key, ()), lambda old: _without(old, reader))
            if left:
                table[key] = left

    def send_whole_market_to(self, audience: Audience) -> None:
        """Send statuses of the whole market, which name no symbol, to `audience`."""
        self._whole_market = audience

    def deliver(self, batch: Sequence[Event]) -> None:
        """Hand a batch to the readers of its topics, in order."""
        audience: Audience = ()
        run: list[Event] = []
        for event in batch:
            found = self._audience_of(event)
            if found is not audience:
                if run:
                    _send(run, audience)
                audience, run = found, []
            if found:
                run.append(event)
        if run:
            _send(run, audience)

    def _audience_of(self, event: Event) -> Audience:
        table = self._by_class.get(type(event))
        if table is None:
            return self._audience_of_session(event)
        if isinstance(event, Bar):
            return table.get((event.symbol, event.timeframe), ())
        symbol: str | None = event.symbol  # type: ignore[union-attr] # only market events are in the tables
        found = table.get(symbol)
        if found is not None:
            return found
        return self._whole_market if symbol is None else ()

    def _audience_of_session(self, event: Event) -> Audience:
        if isinstance(event, SESSION_EVENTS):
            if isinstance(event, ConnectionEvent) and event.state is ConnectionState.ENDED:
                self.has_said_ended = True
            return self._everyone()
        if not self._is_stray_reported:
            self._is_stray_reported = True
            facts = {"event_type": type(event).__name__}
            _logger.error("A market stream carried an event that is no market data", extra=facts)
        return ()


class _Successors:
    """What becomes of each audience in one change, so that topics go on sharing it."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Audience, Audience]] = {}

    def of(self, audience: Audience, make: Callable[[Audience], Audience]) -> Audience:
        """Return the successor, made once for each audience."""
        known = self._known.get(id(audience))
        if known is None:
            known = self._known[id(audience)] = (audience, make(audience))
        return known[1]


def _without(audience: Audience, reader: Reader) -> Audience:
    return tuple(other for other in audience if other is not reader)


def _key(topic: Topic) -> Any:  # noqa: ANN401 - a symbol, or a symbol and a timeframe
    return topic.symbol if topic.timeframe is None else (topic.symbol, topic.timeframe)


def _send(run: list[Event], audience: Audience) -> None:
    for reader in audience:
        reader.lanes.extend(run)
