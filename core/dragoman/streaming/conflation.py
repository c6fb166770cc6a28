"""What survives when a reader's buffer overruns: a pure choice over the events that wait.

The newest quote, ticker, status and bar of each topic always survives, because it is the state of
the market. Prints and book changes are a sequence: the oldest go first. Every market event that
does not survive is counted by its topic, so that the reader can be told exactly.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import attrs

from dragoman.models.events import (
    ConnectionEvent,
    Gap,
    HealthEvent,
    Quarantined,
    RateLimit,
    Staleness,
)
from dragoman.models.market import (
    Bar,
    Depth,
    MarketStatus,
    Quote,
    Ticker,
    Trade,
    TradeCorrection,
)

from .topics import topic_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from dragoman.models.events import Event

    from .topics import Topic

__all__ = ["Survivors", "conflate"]

_STATES: Final = frozenset({Quote, Ticker, MarketStatus})
_PRINTS: Final = frozenset({Trade, TradeCorrection})


class Survivors(NamedTuple):
    """The events that stay, in their order, and the count of those that do not.

    `pinned` is how many of them no lack of room can remove. `session_lost` counts events of the
    connection that a newer one of the same kind and channel replaced.
    """

    events: list[Event]
    lost: Counter[Topic]
    pinned: int
    session_lost: int


def conflate(events: Sequence[Event], room: int) -> Survivors:
    """Choose which events stay in a buffer that should hold no more than `room`.

    Private events and `ReaderLagged` always stay: the caller takes them out first if they are too
    many. More than `room` events stay only where the pinned ones alone are more.
    """
    merged = _merge_gaps(events)
    choice = _Choice()
    verdicts = [choice.judge(event) for event in reversed(merged)]
    spare = max(room - choice.pinned, 0)
    kept: list[Event] = []
    for event, (stays, is_pinned) in zip(reversed(merged), verdicts, strict=True):
        if not stays or (spare == 0 and not is_pinned):
            choice.lose(event)
            continue
        kept.append(event)
        spare -= not is_pinned
    kept.reverse()
    return Survivors(
        events=kept, lost=choice.lost, pinned=choice.pinned, session_lost=choice.session_lost
    )


class _Choice:
    """One pass over the events, newest first: what was seen decides what is replaced."""

    def __init__(self) -> None:
        self.pinned = 0
        self.lost: Counter[Topic] = Counter()
        self.session_lost = 0
        self._seen: set[Hashable] = set()

    def judge(self, event: Event) -> tuple[bool, bool]:
        """Tell whether the event stays, and whether it stays even without room."""
        kind = type(event)
        if kind in _PRINTS:
            return True, False
        if isinstance(event, Depth):
            return self._judge_depth(event)
        if isinstance(event, Bar):
            is_kept, is_pinned = self._judge_bar(event)
        else:
            key = (kind, getattr(event, "symbol")) if kind in _STATES else _session_key(event)  # noqa: B009 - each state has a symbol, which the set can't say
            is_kept = is_pinned = key is None or self._is_first(key)
        self.pinned += is_pinned
        return is_kept, is_pinned

    def lose(self, event: Event) -> None:
        """Count an event that does not survive."""
        topic = topic_of(event)
        if topic is None:
            self.session_lost += 1
        else:
            self.lost[topic] += 1

    def _judge_depth(self, event: Depth) -> tuple[bool, bool]:
        key = (Depth, event.symbol)
        if key in self._seen:
            return False, False
        if event.is_snapshot:
            self._seen.add(key)
        return True, False

    def _judge_bar(self, event: Bar) -> tuple[bool, bool]:
        series = (Bar, event.symbol, event.timeframe, event.price_source)
        if not self._is_first((*series, event.open_time_ns)):
            return False, False
        return True, self._is_first(series)

    def _is_first(self, key: Hashable) -> bool:
        if key in self._seen:
            return False
        self._seen.add(key)
        return True


def _session_key(event: Event) -> Hashable | None:
    """Name what a session event is the state of; None for those that always stay."""
    match event:
        case ConnectionEvent() | Quarantined():
            return type(event), event.channel
        case Staleness():
            return Staleness, event.channel, event.symbols
        case RateLimit():
            return RateLimit, event.pool
        case HealthEvent():
            return (HealthEvent,)
        case _:
            return None


def _merge_gaps(events: Sequence[Event]) -> list[Event]:
    """Add later gaps of a key to its first one."""
    totals: dict[Hashable, Gap] = {}
    for event in events:
        if isinstance(event, Gap):
            key = (event.channel, event.symbol)
            earlier = totals.get(key)
            totals[key] = event if earlier is None else _added(earlier, event)
    if not totals:
        return list(events)
    merged: list[Event] = []
    for event in events:
        if not isinstance(event, Gap):
            merged.append(event)
        elif (total := totals.pop((event.channel, event.symbol), None)) is not None:
            merged.append(total)
    return merged


def _added(first: Gap, second: Gap) -> Gap:
    lost = None if first.lost is None or second.lost is None else first.lost + second.lost
    return attrs.evolve(first, lost=lost)
