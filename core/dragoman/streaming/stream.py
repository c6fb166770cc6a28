"""What a reader holds: an async iterator over events, one by one or in batches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from dragoman.errors import ClosedError, InvalidValueError, NotConnectedError, Violation

from .journal_cursor import JournalCursor
from .lanes import Lanes
from .reader import Reader
from .topics import private_channels_of, topics_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from types import TracebackType
    from typing import Self

    from dragoman.models.enums import Channel
    from dragoman.models.events import Event
    from dragoman.models.subscription import Subscription
    from dragoman.times import Clock

    from .journal_cursor import EventLog
    from .lanes import Beyond
    from .subscriptions import Subscriptions
    from .topics import Topic

__all__ = ["EventStream", "Exchange"]


class Exchange(Protocol):
    """What a stream needs of its hub."""

    @property
    def clock(self) -> Clock:
        """The time, for the events the hub makes itself."""
        ...

    @property
    def log(self) -> EventLog:
        """The log of private events."""
        ...

    @property
    def published(self) -> int:
        """The sequence of the last private event given out."""
        ...

    @property
    def subscriptions(self) -> Subscriptions:
        """Who wants what upstream."""
        ...

    def admit(self, reader: Reader) -> None:
        """Let a reader have events; raises `ClosedError` once the hub is closed."""
        ...

    def dismiss(self, reader: Reader) -> None:
        """Let a reader have no more events."""
        ...

    def index(self) -> None:
        """Learn that a reader wants other channels of the account than before."""
        ...


class EventStream:
    """One reader's events: `async with` opens and closes it, `async for` reads it.

    Entered means that every market topic it wants is live upstream. Every session event comes
    too, whoever it concerns. Order is the order of arrival.

    It ends with `StopAsyncIteration` when it or the hub was closed, or when every market topic
    came to its regular end and it wants no channel of the account; with `StreamLostError`, after
    a `ConnectionEvent` FAILED for each channel, when no market topic is left and one of them was
    lost; with `ClosedError` when the hub closed while private events were still to be read from
    the journal; with the journal's own error when that can't be read. What waits is handed out
    first, except after its own `aclose`.
    """

    def __init__(
        self, hub: Exchange, subscription: Subscription, *, since: int | None, buffer: int
    ) -> None:
        if buffer < 1:
            raise InvalidValueError.of(
                "stream", [Violation.of("buffer", buffer, "at least 1 event")]
            )
        self._hub = hub
        self._first = subscription
        self._since = since
        self._lanes = Lanes(JournalCursor(hub.log), hub.clock, buffer)
        self._changing = asyncio.Lock()
        self._opened: Reader | None = None

    @property
    def subscription(self) -> Subscription:
        """What it wants now: less what has ended."""
        return self._first if self._opened is None else self._opened.subscription

    @property
    def lost(self) -> Mapping[Topic, int]:
        """How many market events this reader did not get, by topic: the sum of its own gaps."""
        return dict(self._lanes.lost)

    @property
    def session_lost(self) -> int:
        """How many session events a newer one of their kind and channel replaced unread."""
        return self._lanes.session_lost

    async def __aenter__(self) -> Self:
        """Subscribe.

        Raises:
            ClosedError: The hub is closed, or the stream was opened before.
            InvalidValueError: `since` is no sequence of this account's events so far.
            SequenceGapError: The events after `since` are no longer kept.
            DragomanError: The upstream refuses a topic.
        """
        if self._opened is not None:
            raise ClosedError("a stream is opened once; ask the hub for another one")
        reader = Reader(self._lanes, self._hub.clock)
        self._hub.admit(reader)
        self._opened = reader
        try:
            await self._start(reader)
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream, and wait until what nobody wants upstream is closed. Idempotent."""
        reader = self._opened
        if reader is None:
            return
        reader.close()
        self._hub.dismiss(reader)
        closing = self._hub.subscriptions.release(reader, tuple(reader.topics))
        if closing:
            await asyncio.wait(closing)

    def __aiter__(self) -> Self:
        self._lanes.begin()
        return self

    async def __anext__(self) -> Event:
        event = self._lanes.take()
        while event is None:
            await self._refill()
            event = self._lanes.take()
        return event

    def batches(self, limit: int | None = None) -> AsyncIterator[tuple[Event, ...]]:
        """Iterate over all that waits, at most `limit` events each time; never an empty batch."""
        if limit is not None and limit < 1:
            raise InvalidValueError.of(
                "batches", [Violation.of("limit", limit, "at least 1 event, or None")]
            )
        self._lanes.begin()
        return _Batches(self._lanes, self._refill, limit)

    def hand_on(self, beyond: Beyond) -> None:
        """Say that its reader only hands events on: a paced venue then waits for that one too."""
        self._lanes.hand_on(beyond)

    async def subscribe(self, subscription: Subscription) -> None:
        """Want this too; returns when it is live. Changes of one stream wait for each other.

        Raises:
            ClosedError: The stream has ended.
            DragomanError: The upstream refuses a topic; then nothing of `subscription` was added.
        """
        reader = self._reader()
        async with self._changing:
            reader.require_open()
            await self._add(reader, subscription, after=self._hub.published)

    async def unsubscribe(self, subscription: Subscription) -> None:
        """Want this no more: no such event comes after the call, not even those that wait already.

        Returns when upstream streams that nobody wants any more are closed.

        Raises:
            ClosedError: The stream has ended.
        """
        reader = self._reader()
        async with self._changing:
            reader.require_open()
            topics = topics_of(subscription) & reader.topics
            closing = self._take_away(reader, topics, private_channels_of(subscription))
            if closing:
                await asyncio.wait(closing)

    def _reader(self) -> Reader:
        if self._opened is None:
            raise NotConnectedError("open the stream with `async with` before using it")
        return self._opened

    async def _refill(self) -> None:
        self._reader()
        if self._lanes.is_behind:
            self._lanes.load_page()
            await self._hub.clock.sleep_until_ns(0)
        else:
            await self._lanes.wait()

    async def _start(self, reader: Reader) -> None:
        since = self._since
        if since is not None:
            self._lanes.cursor.require_known(since)
        if since is not None and private_channels_of(self._first):
            self._lanes.start_behind(since)
        await self._add(reader, self._first, after=self._hub.published if since is None else since)
        if self._lanes.is_behind:
            self._lanes.load_page()

    async def _add(self, reader: Reader, subscription: Subscription, *, after: int) -> None:
        cursor = self._lanes.cursor
        topics = topics_of(subscription) - reader.topics
        channels = private_channels_of(subscription) - cursor.channels
        reader.topics |= topics
        cursor.want(channels, after)
        self._hub.index()
        try:
            await self._hub.subscriptions.acquire(reader, topics)
        except BaseException:
            self._take_away(reader, topics, channels)
            reader.end_if_all_is_lost()
            raise

    def _take_away(
        self, reader: Reader, topics: frozenset[Topic], channels: frozenset[Channel]
    ) -> tuple[asyncio.Task[None], ...]:
        reader.topics -= topics
        self._lanes.cursor.drop(channels)
        self._hub.index()
        self._lanes.purge(topics, channels)
        return self._hub.subscriptions.release(reader, topics)


class _Batches:
    """The batch view of a stream; it holds nothing, so it needs no closing."""

    def __init__(
        self, lanes: Lanes, refill: Callable[[], Awaitable[None]], limit: int | None
    ) -> None:
        self._lanes = lanes
        self._refill = refill
        self._limit = limit

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[Event, ...]:
        events = self._lanes.take_many(self._limit)
        while not events:
            await self._refill()
            events = self._lanes.take_many(self._limit)
        return events
