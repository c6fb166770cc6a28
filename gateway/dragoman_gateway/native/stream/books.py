"""What a market topic is now, kept for clients that begin to follow it while it is live already.

Such a client would else know nothing before the next change and, of a book told by its changes,
nothing at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models.events import Gap
from dragoman.models.market import Bar, Depth, MarketStatus, Quote, Ticker
from dragoman.streaming.topics import topic_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from decimal import Decimal

    from dragoman.models.events import Event
    from dragoman.models.values import Level
    from dragoman.streaming.topics import Topic

__all__ = ["LatestEvents"]

_STATES: Final = (Quote, Ticker, MarketStatus, Bar)


class LatestEvents:
    """The newest event of each topic that is a state, and the book of each that changes."""

    def __init__(self) -> None:
        self._states: dict[Topic, Event] = {}
        self._books: dict[str, _Book] = {}

    def note(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, _STATES):
            topic = topic_of(event)
            if topic is not None:
                self._states[topic] = event
        elif isinstance(event, Depth):
            self._books.setdefault(event.symbol, _Book()).apply(event)
        elif isinstance(event, Gap) and event.symbol is not None:
            self._books.pop(event.symbol, None)

    def of(self, topic: Topic) -> Event | None:
        """Return what a topic is now; None where that is not known, or it has no state."""
        if topic in self._states:
            return self._states[topic]
        book = self._books.get(topic.symbol or "") if topic.channel == "DEPTH" else None
        return None if book is None else book.snapshot()

    def forget(self, topics: Collection[Topic]) -> None:
        """Know no more of topics that are not followed any longer."""
        for topic in topics:
            self._states.pop(topic, None)
            if topic.channel == "DEPTH":
                self._books.pop(topic.symbol or "", None)


class _Book:
    """One book, put together from its changes; nothing before its first snapshot."""

    def __init__(self) -> None:
        self._last: Depth | None = None
        self._bids: dict[Decimal, Level] = {}
        self._asks: dict[Decimal, Level] = {}

    def apply(self, depth: Depth) -> None:
        if depth.is_snapshot:
            self._bids, self._asks = {}, {}
        elif self._last is None:
            return
        self._last = depth
        for side, levels in ((self._bids, depth.bids), (self._asks, depth.asks)):
            for level in levels:
                side.pop(level.price, None)
                if level.size:
                    side[level.price] = level

    def snapshot(self) -> Depth | None:
        if self._last is None or self._last.is_snapshot:
            return self._last
        return attrs.evolve(
            self._last,
            bids=tuple(self._bids[price] for price in sorted(self._bids, reverse=True)),
            asks=tuple(self._asks[price] for price in sorted(self._asks)),
            is_snapshot=True,
            previous_sequence=None,
        )
