"""All clients of one account fed by one upstream: each event is encoded once and packed once.

Two streams of the broker lie behind it: one of private and session events, which ends with the
connection only, and one of market data, which ends when its last topic is lost. Events that follow
each other for the same clients are written together.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from dragoman.dialects.sockets import PackedFrame
from dragoman.errors import ClosedError, DragomanError, LifecycleError, StreamLostError
from dragoman.models.enums import Channel, ConnectionState
from dragoman.models.events import ConnectionEvent, Event, Gap, ReaderLagged
from dragoman.models.serde import to_plain
from dragoman.streaming.topics import (
    PRIVATE_CHANNELS,
    SESSION_EVENTS,
    Topic,
    subscription_of,
    topic_of,
    topics_of,
)

from ..answers import encoded
from .books import LatestEvents
from .messages import PRIVATE_EVENTS, Unsubscribed, error_frame, packed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from dragoman.broker import Broker
    from dragoman.streaming import EventStream
    from dragoman.tasks import TaskScope
    from dragoman.times import Clock

    from .follower import Follower

__all__ = ["Fan", "Run"]

Key = TypeVar("Key", Channel, Topic)

_BATCH: Final = 256
_REMEMBERED: Final = 64
_ACCOUNT_CHANNELS: Final = frozenset(PRIVATE_CHANNELS.values())
_NOBODY: Final[tuple[Follower, ...]] = ()
_GONE: Final = frozenset({ConnectionState.FAILED, ConnectionState.ENDED})


@attrs.frozen
class Run:
    """Events that follow each other for the same clients, and the frames that tell them.

    `first` and `last` are the sequences of the private events among them.
    """

    events: Sequence[Event]
    frames: Sequence[PackedFrame]
    frame: PackedFrame
    first: int | None
    last: int | None


class Fan:
    """The events of one broker, given to each client that follows the account."""

    def __init__(self, broker: Broker, scope: TaskScope, on_end: Callable[[Fan], None]) -> None:
        self.broker = broker
        self.scope = scope
        self.sequence: int = broker.state.sequence
        """That of the last private event given out."""
        self._on_end = on_end
        self._followers: tuple[Follower, ...] = ()
        self._by_channel: dict[Channel, tuple[Follower, ...]] = {}
        self._by_topic: dict[Topic, tuple[Follower, ...]] = {}
        self._wanted: Counter[Topic] = Counter()
        self._latest = LatestEvents()
        self._changing = asyncio.Lock()
        self._market: EventStream | None = None
        self._refusal: DragomanError | None = None
        self._told: deque[Event] = deque(maxlen=_REMEMBERED)
        self._head = _head_of(broker)

    @property
    def name(self) -> str:
        """What its tasks are called by."""
        return f"{self.broker.provider}/{self.broker.account_id}"

    @property
    def clock(self) -> Clock:
        """The time of the account."""
        return self.broker.clock

    async def start(self) -> None:
        """Open the private stream.

        Raises:
            DragomanError: The connection is closed.
        """
        self.sequence = self.broker.state.sequence
        stream = self._open_private()
        await stream.__aenter__()
        self.scope.spawn(self._feed_private(stream), f"private events of {self.name}")

    def check_private(self) -> None:
        """Refuse channels of the account where none of their events will ever come.

        Raises:
            LifecycleError: The connection is read-only (NOT_SENT).
        """
        if self._refusal is not None:
            raise self._refusal

    def journal_after(self, since: int) -> EventStream:
        """Return a stream of every private event after a sequence, not opened yet."""
        return self.broker.stream(
            since=since, orders=True, positions=True, account=True, ledger=True
        )

    async def acquire(self, topics: Collection[Topic]) -> tuple[Event, ...]:
        """Have topics live; return what is known of those that were live before.

        Raises:
            DragomanError: The upstream refuses one; then none was added.
        """
        async with self._changing:
            known = [self._latest.of(topic) for topic in topics if self._wanted[topic]]
            fresh = [topic for topic in topics if not self._wanted[topic]]
            if fresh:
                await self._open_market(fresh)
                self._check_live(fresh)
            self._wanted.update(topics)
        return tuple(event for event in known if event is not None)

    async def release(self, topics: Collection[Topic]) -> None:
        """Have topics live for one client less."""
        async with self._changing:
            self._wanted.subtract(topics)
            self._wanted = +self._wanted
            unwanted = [topic for topic in topics if not self._wanted[topic]]
            self._latest.forget(unwanted)
            if self._market is None or not unwanted:
                return
            try:
                await self._market.unsubscribe(subscription_of(unwanted))
            except ClosedError:
                return

    def join(self, follower: Follower) -> None:
        """Tell a client what concerns the connection; the rest by `include`."""
        if follower not in self._followers:
            self._followers = (*self._followers, follower)

    def include(self, follower: Follower) -> None:
        """Tell a client what it follows, from the next event on."""
        for topic in follower.topics:
            self._by_topic[topic] = _with(self._by_topic.get(topic, _NOBODY), follower)
        if not follower.is_replaying:
            for channel in follower.channels:
                self._by_channel[channel] = _with(self._by_channel.get(channel, _NOBODY), follower)

    def drop(
        self, follower: Follower, topics: Collection[Topic], channels: Collection[Channel]
    ) -> None:
        """Tell a client no more of these."""
        for topic in topics:
            _take_out(self._by_topic, topic, follower)
        for channel in channels:
            _take_out(self._by_channel, channel, follower)

    def exclude(self, follower: Follower) -> None:
        """Tell a client no private events: the journal does."""
        self.drop(follower, (), _ACCOUNT_CHANNELS)

    def leave(self, follower: Follower) -> None:
        """Tell a client nothing more."""
        self._followers = tuple(one for one in self._followers if one is not follower)
        self.drop(follower, follower.topics, _ACCOUNT_CHANNELS)

    def pack(self, event: Event) -> PackedFrame:
        """Return the frame that tells an event."""
        return PackedFrame(f"{self._head}{encoded(to_plain(event)).decode()}}}")

    def topic_of(self, event: Event) -> Topic | None:
        """Return what an event belongs to; None for what concerns account or connection."""
        return topic_of(event)

    def tell_left(self, follower: Follower) -> None:
        """Tell a client what it still follows, without having been asked."""
        told = Unsubscribed(
            provider=self.broker.provider,
            account_id=self.broker.account_id,
            channels=follower.subscription,
            sequence=self.sequence,
        )
        follower.socket.send(packed(told))

    def _open_private(self) -> EventStream:
        try:
            return self.journal_after(self.sequence)
        except ClosedError:
            raise
        except LifecycleError as error:
            self._refusal = error
            return self.broker.stream()

    async def _open_market(self, topics: Collection[Topic]) -> None:
        asked = subscription_of(topics)
        if self._market is not None:
            try:
                await self._market.subscribe(asked)
            except ClosedError:
                self._market = None
            else:
                return
        stream = self.broker.stream(
            quotes=asked.quotes,
            trades=asked.trades,
            bars=asked.bars,
            depth=asked.depth,
            tickers=asked.tickers,
            market_status=asked.market_status,
        )
        await stream.__aenter__()
        self._market = stream
        self.scope.spawn(self._feed_market(stream), f"market data of {self.name}")

    def _check_live(self, topics: Collection[Topic]) -> None:
        """Refuse topics that were lost in the very moment they were had."""
        market = self._market
        if market is None or not topics_of(market.subscription).issuperset(topics):
            raise StreamLostError("the market data was lost at once", provider=self.broker.provider)

    async def _feed_private(self, stream: EventStream) -> None:
        cause: DragomanError = ClosedError("the account's events have ended: its connection closed")
        try:
            async with aclosing(stream):
                async for batch in stream.batches(_BATCH):
                    self._deliver(batch)
        except DragomanError as error:
            cause = error
        self._on_end(self)
        for follower in self._followers:
            follower.socket.send(error_frame(cause))

    async def _feed_market(self, stream: EventStream) -> None:
        with suppress(DragomanError):  # each channel that was lost has been told by its event
            async with aclosing(stream):
                async for batch in stream.batches(_BATCH):
                    self._deliver(batch)
                    if any(map(_is_end, batch)):
                        self._drop_all_but(topics_of(stream.subscription))
        if self._market is stream:
            self._market = None
            self._drop_all_but(frozenset())

    def _drop_all_but(self, left: frozenset[Topic]) -> None:
        """Let nobody follow what will not come any more, and tell who did."""
        gone = [topic for topic in self._wanted if topic not in left]
        concerned = {one for topic in gone for one in self._by_topic.get(topic, _NOBODY)}
        for topic in gone:
            del self._wanted[topic]
            self._by_topic.pop(topic, None)
        self._latest.forget(gone)
        for follower in concerned:
            follower.topics = follower.topics.difference(gone)
            self.tell_left(follower)

    def _deliver(self, batch: Sequence[Event]) -> None:
        audience: tuple[Follower, ...] = _NOBODY
        events: list[Event] = []
        for event in batch:
            found = self._audience_of(event)
            if found != audience:
                self._send(events, audience)
                audience, events = found, []
            if found:
                events.append(event)
        self._send(events, audience)

    def _audience_of(self, event: Event) -> tuple[Follower, ...]:
        if isinstance(event, PRIVATE_EVENTS):
            channel = PRIVATE_CHANNELS[type(event)]
            self.sequence = event.sequence
            return self._by_channel.get(channel, _NOBODY)
        if isinstance(event, SESSION_EVENTS):
            return self._audience_of_session(event)
        self._latest.note(event)
        topic = topic_of(event)
        if topic is None or topic.symbol is None:
            return self._following(Channel.MARKET_STATUS, None)
        return self._by_topic.get(topic, _NOBODY)

    def _audience_of_session(self, event: Event) -> tuple[Follower, ...]:
        """Find whom an event of the connection concerns; it comes by both streams."""
        is_told = any(event is one for one in self._told)
        self._told.append(event)
        if is_told or isinstance(event, ReaderLagged):
            return _NOBODY  # it was this fan that lagged: its clients miss nothing
        if isinstance(event, Gap):
            self._latest.note(event)
            return self._following(event.channel, event.symbol)
        return self._followers

    def _following(self, channel: Channel, symbol: str | None) -> tuple[Follower, ...]:
        found = [
            follower
            for topic, followers in self._by_topic.items()
            if topic.channel is channel and symbol in {None, topic.symbol}
            for follower in followers
        ]
        return tuple(dict.fromkeys(found))

    def _send(self, events: Sequence[Event], audience: tuple[Follower, ...]) -> None:
        if not events:
            return
        frames = [self.pack(event) for event in events]
        numbers = [event.sequence for event in events if isinstance(event, PRIVATE_EVENTS)]
        frame = frames[0] if len(frames) == 1 else PackedFrame.joined(frames)
        first, last = (min(numbers), max(numbers)) if numbers else (None, None)
        run = Run(events, frames, frame, first, last)
        for follower in audience:
            follower.take(run)


def _with(audience: tuple[Follower, ...], follower: Follower) -> tuple[Follower, ...]:
    return audience if follower in audience else (*audience, follower)


def _take_out(table: dict[Key, tuple[Follower, ...]], key: Key, follower: Follower) -> None:
    left = tuple(one for one in table.get(key, _NOBODY) if one is not follower)
    if left:
        table[key] = left
    else:
        table.pop(key, None)


def _is_end(event: Event) -> bool:
    return isinstance(event, ConnectionEvent) and event.state in _GONE


def _head_of(broker: Broker) -> str:
    """Return all of an event's message that comes before the event."""
    names = {"provider": broker.provider, "account_id": broker.account_id}
    plain = encoded({"type": "event", **names, "event": None}).decode()
    return plain.removesuffix("null}")
