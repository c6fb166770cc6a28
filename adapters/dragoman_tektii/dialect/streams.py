"""The stream's address: clients come, are told what happens, and acknowledge it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import DragomanError
from dragoman.times import SECOND_NS

from .audience import Client
from .entry import access_of
from .feed import Feed
from .messages import message, read_acknowledgment
from .problems import RefusedError
from .wishes import SubscribeFrame, read_subscribe, wish_of

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.dialects import DialectHost

    from .desks import Desk, Desks

__all__ = ["Streams"]

_PING_EVERY_NS: Final = 25 * SECOND_NS
_LEAVING_NS: Final = SECOND_NS // 2


class Streams:
    """Serves `/v1/ws`.

    Args:
        host: Who keeps the sockets.
        desks: Whose events are told.
    """

    def __init__(self, host: DialectHost, desks: Desks) -> None:
        self._host = host
        self._desks = desks
        self._feeds: dict[int, Feed] = {}

    async def start(self) -> None:
        """Begin to read what every broker tells, and to show clients that the server lives."""
        for desk in self._desks.all:
            self.feed_of(desk)
        self._host.scope.spawn(self._ping(), "pings of the stream")

    def feed_of(self, desk: Desk) -> Feed:
        """Return the feed of an account."""
        feed = self._feeds.get(id(desk))
        if feed is None:
            feed = self._feeds[id(desk)] = Feed(desk)
            self._host.scope.spawn(feed.run(), f"feed of {desk.platform}")
        return feed

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it goes."""
        access = await access_of(request, self._host)
        desk = self._desks.of(access.broker)
        feed = self.feed_of(desk)
        async with self._host.open_socket(request) as socket:
            client = Client(socket)
            desk.metrics.connected(1)
            try:
                await self._serve(client, desk, feed)
            finally:
                desk.metrics.connected(-1)
                if socket.was_too_slow:
                    desk.metrics.count("gateway_ws_slow_consumer_disconnects")
                await feed.leave(client)
            return socket.response

    async def _serve(self, client: Client, desk: Desk, feed: Feed) -> None:
        feed.audience.join(client, feed.greeting())
        if feed.is_over:
            feed.turn_away(client)
        async for frame in client.socket:
            acknowledged = read_acknowledgment(frame)
            if acknowledged is not None:
                feed.audience.release(acknowledged.events_processed)
                continue
            asked = read_subscribe(frame)
            if asked is not None:
                await self._subscribe(client, desk, feed, asked)

    async def _subscribe(
        self, client: Client, desk: Desk, feed: Feed, asked: SubscribeFrame | RefusedError
    ) -> None:
        try:
            if isinstance(asked, RefusedError):
                raise asked
            await feed.wish(client, await wish_of(asked, desk), asked.id)
        except DragomanError as error:
            number = asked.id if isinstance(asked, SubscribeFrame) else None
            told = message(
                "error", desk.now_ns(), code="INVALID_MESSAGE", message=error.message, id=number
            )
            client.say(told)

    async def _ping(self) -> None:
        clock = self._host.clock
        while True:
            await clock.sleep_ns(_PING_EVERY_NS)
            for feed in self._feeds.values():
                feed.ping()
                await feed.check_silence()

    async def leave(self) -> None:
        """Tell every client that the server goes away, and let them go a moment later.

        In between probes still say that it is on its way, and orders are refused for it.
        """
        feeds = tuple(self._feeds.values())
        for feed in feeds:
            feed.announce_end()
        try:
            if any(feed.audience for feed in feeds):
                await self._host.clock.sleep_ns(_LEAVING_NS)
        finally:
            for feed in feeds:
                feed.close()
