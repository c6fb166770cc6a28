"""The clients of one account's stream: each frame is packed once for all of them.

Events of a paced source, which carry an id, wait until a client acknowledges that id; while nobody
is there they are kept for the first that comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.dialects import ClientSocket
from dragoman.dialects.sockets import PackedFrame
from dragoman.transport.codec import encode

from .subscriptions import Topic
from .wishes import Wish

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


__all__ = ["Audience", "Client", "News"]

_MOST_PACED: Final = 10_000
_TOO_LONG: Final = 256 * 1024
"""Clients take no longer frame."""

_log: Final = logging.getLogger(__name__)


@attrs.frozen
class News:
    """One message and what it is about; without a topic it is for everybody.

    `is_usual` is whether it is for those that say no wish of their own; `is_final` is False for
    what will be told again.
    """

    message: Mapping[str, object]
    topic: Topic | None = None
    symbol: str | None = None
    is_usual: bool = True
    is_final: bool = True


@attrs.define(eq=False)
class Client:
    """One client, and its wish where it said one."""

    socket: ClientSocket
    wish: Wish | None = None

    def wants(self, news: News) -> bool:
        """Tell whether it is to be told."""
        if news.topic is None:
            return True
        if self.wish is None:
            return news.is_usual
        return self.wish.admits(news.topic, news.symbol, is_final=news.is_final)

    def say(self, message: Mapping[str, object]) -> None:
        """Send a message to this one alone."""
        self.socket.send(encode(message).decode())


class Audience:
    """Who listens."""

    def __init__(self) -> None:
        self._clients: dict[Client, None] = {}
        self._paced: dict[str, None] = {}
        self._kept: deque[News] = deque(maxlen=_MOST_PACED)
        self._released = asyncio.Event()

    def __iter__(self) -> Iterator[Client]:
        return iter(tuple(self._clients))

    def __bool__(self) -> bool:
        return bool(self._clients)

    def join(self, client: Client, first: Iterable[Mapping[str, object]]) -> None:
        """Let a client hear all from now on, after what it is told first."""
        for one in first:
            client.say(one)
        self._clients[client] = None
        while self._kept:
            self._send(self._kept.popleft())

    def leave(self, client: Client) -> None:
        """Let a client hear no more."""
        self._clients.pop(client, None)

    def say(self, news: News, event_id: str | None = None) -> None:
        """Send a message to all that want it, in one piece of work.

        Args:
            news: What is told.
            event_id: What the source paces it by; it is sent along.
        """
        if event_id is None:
            self._send(news)
            return
        self._paced[event_id] = None
        if len(self._paced) > _MOST_PACED:
            self._paced.pop(next(iter(self._paced)))
        news = attrs.evolve(news, message={**news.message, "event_id": event_id})
        if self._clients:
            self._send(news)
        else:
            self._kept.append(news)

    def tell(self, message: Mapping[str, object]) -> None:
        """Send a message to everybody."""
        self._send(News(message))

    def release(self, event_ids: Iterable[str]) -> list[str]:
        """Return those ids that wait to be acknowledged, and wait for them no more."""
        found = list(dict.fromkeys(one for one in event_ids if one in self._paced))
        for one in found:
            del self._paced[one]
        if not self._paced:
            self._released.set()
        return found

    async def released(self) -> None:
        """Return once no event of a paced source waits to be acknowledged."""
        while self._paced:
            self._released.clear()
            await self._released.wait()

    def end(self, code: int, reason: str) -> None:
        """Close every client's stream, once what waits for it is written."""
        for client in self:
            client.socket.end(code, reason)

    def _send(self, news: News) -> None:
        packed: PackedFrame | None = None
        for client in tuple(self._clients):
            if not client.wants(news):
                continue
            if packed is None:
                text = encode(news.message)
                if len(text) >= _TOO_LONG:
                    _log.error("a frame is too long to be sent", extra={"bytes": len(text)})
                    return
                packed = PackedFrame(text.decode())
            client.socket.send(packed)
