"""Who reads one shared connection, what each of them wants, and what waits for each.

A reader that falls behind stalls nobody with market data: what finds no place is dropped for that
reader alone, and counted. What happened to the account is never dropped; who runs the connection
waits for its readers.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from dragoman.errors import StreamLostError
from dragoman.models.events import Gap
from dragoman.models.market import Bar
from dragoman.transport.link_report import LinkChange, LinkState

from .link_events import LinkTeller
from .topics import (
    MARKET_CHANNELS,
    PRIVATE_CHANNELS,
    private_channels_of,
    subscription_of,
    topic_of,
    topics_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dragoman.errors import DragomanError
    from dragoman.models.enums import Channel
    from dragoman.models.events import Event
    from dragoman.models.subscription import Subscription
    from dragoman.times import Clock
    from dragoman.transport.link_report import LinkReport

    from .topics import Topic

__all__ = ["Audiences", "SharedReader", "Wishes"]

_FAR_BEHIND: Final = 2


class SharedReader:
    """One reader of a shared connection: iterating gives batches of its events, in order.

    It may be canceled while it waits, and read on. What it is told of the connection begins with
    CONNECTED, however long the connection has been live.

    Args:
        subscription: What it wants; only events of these topics come, and reports.
        clock: The time of what is made here.
        keep_raw: Whether frames that could not be understood are kept.
        most_waiting: How many events may wait; beyond it market data is counted instead of kept,
            and a reader for whom twice as many wait is given up.
    """

    def __init__(
        self, subscription: Subscription, *, clock: Clock, keep_raw: bool, most_waiting: int
    ) -> None:
        self.subscription = subscription
        self.topics: frozenset[Topic] = topics_of(subscription)
        self.channels: frozenset[Channel] = private_channels_of(subscription)
        self.admission: asyncio.Future[DragomanError | None] = (
            asyncio.get_running_loop().create_future()
        )
        self._clock = clock
        self._teller = LinkTeller(subscription, keep_raw=keep_raw)
        self._most = most_waiting
        self._since_life: int | None = None
        self._items: list[Event] = []
        self._lost: Counter[tuple[Channel, str | None]] = Counter()
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()
        self._ending: BaseException | None = None

    def __aiter__(self) -> SharedReader:
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return all events that have come since the last batch, waiting for one.

        Raises:
            DragomanError: What ended the stream.
        """
        await self._news.wait()
        items, self._items = self._items, []
        if self._lost:
            items += self._gaps()
        if not items and self._ending is not None:
            raise self._ending
        self._space.set()
        if self._ending is None:
            self._news.clear()
        return items

    @property
    def is_admitted(self) -> bool:
        """Whether the venue confirmed what it wants."""
        return self._since_life is not None

    @property
    def is_full(self) -> bool:
        """Whether it is behind."""
        return not self._space.is_set()

    async def room(self) -> None:
        """Return when it is behind no more, or has ended."""
        await self._space.wait()

    def admit(self, life: int) -> None:
        """Begin: the venue confirmed its topics in the connection's life of that number."""
        self._since_life = life
        change = LinkChange(
            state=LinkState.LIVE,
            previous=LinkState.GREETING,
            at_ns=self._clock.now_ns(),
            cause="every subscription is confirmed",
        )
        self._items[:0] = self._teller.tell(change)
        self._news.set()
        self._answer(None)

    def refuse(self, error: DragomanError) -> None:
        """Have whoever waits for the admission learn that it will not come."""
        self._answer(error)

    def put(self, events: Sequence[Event]) -> None:
        """Add events that it wants; never waits."""
        if self._ending is not None:
            return
        if self.is_full:
            self._put_what_must_come(events)
        else:
            self._add(events)

    def report(self, report: LinkReport, life: int) -> None:
        """Tell what became of the connection, unless that was before the reader came.

        Args:
            report: What the link told.
            life: How many times the connection had come to life by then.
        """
        if self._ending is not None or self._since_life is None or life < self._since_life:
            return
        state = report.state if isinstance(report, LinkChange) else None
        if life == self._since_life and state is LinkState.LIVE:
            return  # it is in this life that the reader was admitted
        self._add(self._teller.tell(report))
        if state is LinkState.CLOSED:
            self.end(StopAsyncIteration())

    def end(self, ending: BaseException) -> None:
        """Raise `ending` to the reader after all that waits."""
        self._ending = self._ending or ending
        self._news.set()
        self._space.set()

    def finish(self) -> None:
        """End because the connection is not wanted any more."""
        change = LinkChange(
            state=LinkState.CLOSED,
            previous=LinkState.LIVE,
            at_ns=self._clock.now_ns(),
            cause="closed here",
        )
        self.report(change, self._since_life or 0)
        self.end(StopAsyncIteration())

    def _answer(self, failure: DragomanError | None) -> None:
        if not self.admission.done():
            self.admission.set_result(failure)

    def _add(self, events: Sequence[Event]) -> None:
        if not events:
            return
        self._items += events
        self._news.set()
        waiting = len(self._items)
        if waiting < self._most:
            return
        self._space.clear()
        if waiting >= _FAR_BEHIND * self._most:
            message = f"the reader of a shared stream is behind by {waiting} events"
            self.end(StreamLostError(message))

    def _put_what_must_come(self, events: Sequence[Event]) -> None:
        kept: list[Event] = []
        for event in events:
            topic = topic_of(event)
            if topic is None:
                kept.append(event)
            else:
                self._lost[topic.channel, topic.symbol] += 1
        self._add(kept)

    def _gaps(self) -> Iterable[Gap]:
        lost, self._lost = self._lost, Counter()
        now_ns = self._clock.now_ns()
        return [
            Gap(channel=channel, symbol=symbol, lost=count, received_at_ns=now_ns)
            for (channel, symbol), count in lost.items()
        ]


class Wishes:
    """What a set of readers wants together; each topic counts as often as it is wanted."""

    def __init__(self) -> None:
        self._topics: Counter[Topic] = Counter()
        self._channels: Counter[Channel] = Counter()

    def add(self, reader: SharedReader) -> None:
        """Count what a reader wants."""
        self._topics.update(reader.topics)
        self._channels.update(reader.channels)

    def remove(self, reader: SharedReader) -> None:
        """Count what a reader wants no more."""
        self._topics -= Counter(reader.topics)
        self._channels -= Counter(reader.channels)

    def union(self, others: Iterable[SharedReader] = ()) -> Subscription:
        """Return everything that is wanted, by `others` too."""
        topics, channels = set(self._topics), set(self._channels)
        for reader in others:
            topics |= reader.topics
            channels |= reader.channels
        return subscription_of(topics, channels)


Audience = tuple[SharedReader, ...]


class Audiences:
    """Which readers want which event: by its class, then by its symbol.

    Topics that came together share one tuple of their readers, so that a run of events for the same
    readers is handed over at once.
    """

    def __init__(self) -> None:
        self.readers: Audience = ()
        self._market: dict[Channel, dict[Any, Audience]] = {
            channel: {} for channel in MARKET_CHANNELS.values()
        }
        self._by_class = {kind: self._market[channel] for kind, channel in MARKET_CHANNELS.items()}
        self._private: dict[Channel, Audience] = {}

    def add(self, reader: SharedReader) -> None:
        """Hand events to a reader from now on."""
        self.readers = (*self.readers, reader)
        grown: dict[Audience, Audience] = {}
        for topic in reader.topics:
            table, key = self._market[topic.channel], _key(topic)
            old = table.get(key, ())
            table[key] = grown.setdefault(old, (*old, reader))
        for channel in reader.channels:
            self._private[channel] = (*self._private.get(channel, ()), reader)

    def remove(self, reader: SharedReader) -> None:
        """Hand nothing to a reader any more."""
        self.readers = _without(self.readers, reader)
        left: dict[Audience, Audience] = {}
        for topic in reader.topics:
            table, key = self._market[topic.channel], _key(topic)
            old = table.pop(key, ())
            if len(old) > 1:
                table[key] = left.setdefault(old, _without(old, reader))
        for channel in reader.channels:
            self._private[channel] = _without(self._private.get(channel, ()), reader)

    def deliver(self, batch: Sequence[Event]) -> None:
        """Hand a batch to who wants it, in order; nobody is waited for."""
        audience: Audience = ()
        run: list[Event] = []
        tables = self._by_class
        for event in batch:
            table = tables.get(type(event))
            found = None if table is None else table.get(event.symbol)  # type: ignore[union-attr] # only market events have tables
            if found is None:
                found = self._audience_of(event)
            if found is not audience:
                if audience:
                    _send(run, audience)
                audience, run = found, []
            if found:
                run.append(event)
        if audience:
            _send(run, audience)

    def _audience_of(self, event: Event) -> Audience:
        """Return who wants an event that is not told by its symbol alone."""
        kind = type(event)
        table = self._by_class.get(kind)
        if table is None:
            channel = PRIVATE_CHANNELS.get(kind)
            return self.readers if channel is None else self._private.get(channel, ())
        if isinstance(event, Bar):
            return table.get((event.symbol, event.timeframe), ())
        if getattr(event, "symbol", None) is None:
            return tuple({reader: None for each in table.values() for reader in each})
        return ()


def _send(run: list[Event], audience: Audience) -> None:
    for reader in audience:
        reader.put(run)


def _without(audience: Audience, reader: SharedReader) -> Audience:
    return tuple(other for other in audience if other is not reader)


def _key(topic: Topic) -> object:
    return topic.symbol if topic.timeframe is None else (topic.symbol, topic.timeframe)
