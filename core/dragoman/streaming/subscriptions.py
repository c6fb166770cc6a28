"""Who wants what upstream: each topic has one subscription there, however many readers it has here.

New topics are opened as one more upstream stream, so that nothing that is live is disturbed. The
price is that a stream goes on carrying topics nobody wants until all of its topics are unwanted;
they are dropped on arrival.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dragoman.errors import ClosedError
from dragoman.models.enums import Channel

from .feed import Feed, FeedHooks, FeedState
from .routes import Routes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from dragoman.ports import EventPort
    from dragoman.tasks import TaskScope
    from dragoman.times import Clock

    from .reader import Reader
    from .routes import Audience
    from .topics import Topic

__all__ = ["Subscriptions"]


class Subscriptions:
    """The upstream streams, each topic owned by exactly one of them."""

    def __init__(
        self,
        upstream: EventPort,
        scope: TaskScope,
        clock: Clock,
        everyone: Callable[[], Audience],
    ) -> None:
        self._upstream = upstream
        self._scope = scope
        self._clock = clock
        self._everyone = everyone
        self._feeds: list[Feed] = []
        self._owners: dict[Topic, Feed] = {}
        self._market_voice: Feed | None = None

    async def acquire(self, reader: Reader, topics: Collection[Topic]) -> None:
        """Route `topics` to `reader`; returns when each of them is live upstream.

        What another reader is opening is waited for, not opened twice; should that fail, it is
        tried again for this reader alone, so that an error reaches only who asked for its cause.

        Raises:
            ClosedError: The reader was closed meanwhile, by its owner or with the hub.
            DragomanError: Whatever the upstream raised when asked; what was routed stays so until
                `release`.
        """
        pending = set(topics)
        mine: set[Feed] = set()
        while pending:
            if reader.is_closed:
                raise ClosedError("this stream was closed while it was subscribing")
            joined, closing = self._join(reader, pending)
            fresh = pending.difference(self._owners)
            if fresh:
                feed = self._open(reader, frozenset(fresh))
                mine.add(feed)
                joined.add(feed)
            await _first_of(reader.closed, joined, closing)
            for feed in joined:
                if feed.opened.done():
                    _settle(feed, pending, is_mine=feed in mine)

    def release(self, reader: Reader, topics: Collection[Topic]) -> tuple[asyncio.Task[None], ...]:
        """Route `topics` to `reader` no more; return the tasks that close what nobody wants."""
        feeds = {self._owners[topic] for topic in topics if topic in self._owners}
        for feed in feeds:
            feed.routes.remove(feed.topics.intersection(topics), reader)
        unwanted = tuple(feed for feed in feeds if not feed.routes.is_wanted)
        for feed in unwanted:
            feed.close()
        self._point_whole_market(topics)
        return tuple(feed.task for feed in unwanted)

    async def aclose(self) -> None:
        """Close every upstream stream and wait until each has ended; readers are closed before."""
        tasks = [feed.task for feed in self._feeds]
        for feed in tuple(self._feeds):
            feed.close()
        if tasks:
            await asyncio.wait(tasks)

    def _join(
        self, reader: Reader, pending: set[Topic]
    ) -> tuple[set[Feed], set[asyncio.Task[None]]]:
        """Take part in what is open or opening; `pending` loses what is live."""
        joined: set[Feed] = set()
        closing: set[asyncio.Task[None]] = set()
        for feed in {self._owners[topic] for topic in pending if topic in self._owners}:
            if feed.state is FeedState.CLOSING:
                closing.add(feed.task)
                continue
            self._route(feed, feed.topics & pending, reader)
            if feed.state is FeedState.LIVE:
                pending.difference_update(feed.topics)
            else:
                joined.add(feed)
        return joined, closing

    def _open(self, reader: Reader, topics: frozenset[Topic]) -> Feed:
        feed = Feed(topics, Routes(self._everyone), self._clock)
        feed.start(self._upstream, self._scope, FeedHooks(self._feed_is_live, self._feed_ended))
        self._feeds.append(feed)
        self._owners.update(dict.fromkeys(topics, feed))
        self._route(feed, topics, reader)
        return feed

    def _route(self, feed: Feed, topics: Collection[Topic], reader: Reader) -> None:
        feed.routes.add(topics, reader)
        self._point_whole_market(topics)

    def _feed_is_live(self, feed: Feed) -> None:
        self._point_whole_market(feed.topics)

    def _feed_ended(self, feed: Feed) -> None:
        self._feeds.remove(feed)
        for topic in feed.topics:
            del self._owners[topic]
        self._point_whole_market(feed.topics)
        if not feed.opened.done():
            return
        for reader in feed.routes.readers:
            if feed.failure is None:
                reader.finish(feed.topics)
            else:
                reader.lose(feed.topics, feed.failure)

    def _point_whole_market(self, topics: Iterable[Topic]) -> None:
        """Let only one stream of statuses speak for the whole market: each of them would."""
        if all(topic.channel is not Channel.MARKET_STATUS for topic in topics):
            return
        able = [feed for feed in self._feeds if feed.state is FeedState.LIVE]
        able = [feed for feed in able if feed.routes.status_readers]
        if self._market_voice not in able:
            self._market_voice = able[0] if able else None
        audience = tuple({reader: None for feed in able for reader in feed.routes.status_readers})
        for feed in self._feeds:
            feed.routes.send_whole_market_to(audience if feed is self._market_voice else ())


async def _first_of(
    closed: asyncio.Future[None], joined: Iterable[Feed], closing: Iterable[asyncio.Task[None]]
) -> None:
    """Wait for a stream to be open or gone or the reader closed; cancelling cancels none."""
    waited: set[asyncio.Future[object]] = {feed.opened for feed in joined} | set(closing)  # type: ignore[assignment, arg-type] # futures are invariant, and only waited for
    if waited:
        await asyncio.wait({*waited, closed}, return_when=asyncio.FIRST_COMPLETED)  # type: ignore[type-var] # as above


def _settle(feed: Feed, pending: set[Topic], *, is_mine: bool) -> None:
    failure = feed.opened.result()
    if failure is None:
        pending.difference_update(feed.topics)
    elif is_mine:
        raise failure
