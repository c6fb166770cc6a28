"""The stream's clients, the fans that feed them, and the heartbeat they all get."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ..entry import access_of, has_credentials
from .fan import Fan
from .messages import Goodbye, Heartbeat, packed, text_of
from .session import HEARTBEAT_S, StreamSession

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.broker import Broker
    from dragoman.dialects import ClientSocket, DialectHost

__all__ = ["StreamDesk"]

_STALL_CHECKS: Final = 3
_CHECK_EVERY_S: Final = 5.0
_TOO_SLOW: Final = Goodbye(
    reason="too slow",
    message="nothing was read for too long; come back, and name the last sequence you have",
)
_GOING_AWAY: Final = Goodbye(
    reason="going away",
    message="the server closes; come back, and name the last sequence you have",
)


class StreamDesk:
    """Every client of the stream of one host."""

    def __init__(self, host: DialectHost) -> None:
        self._host = host
        self._fans: dict[Broker, Fan] = {}
        self._opening: dict[Broker, asyncio.Lock] = {}
        self._sockets: dict[ClientSocket, _Progress] = {}
        self._pulse: asyncio.Task[None] | None = None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until its socket closes."""
        host = self._host
        is_known = has_credentials(request) or not host.needs_key
        access = await access_of(request, host) if is_known else None
        async with host.open_socket(request, last_words=text_of(_TOO_SLOW)) as socket:
            self._sockets[socket] = _Progress()
            if self._pulse is None:
                self._pulse = host.scope.spawn(self._beat(), "heartbeat of the native stream")
            try:
                await StreamSession(self, host, socket, access).run()
            finally:
                del self._sockets[socket]
        return socket.response

    async def fan_of(self, broker: Broker) -> Fan:
        """Return the one fan of an account, opened.

        Raises:
            DragomanError: The connection is closed.
        """
        async with self._opening.setdefault(broker, asyncio.Lock()):
            fan = self._fans.get(broker)
            if fan is None:
                fan = Fan(broker, self._host.scope, self._ended)
                await fan.start()
                self._fans[broker] = fan
            return fan

    def farewell(self) -> None:
        """Tell every client that the server goes away."""
        frame = packed(_GOING_AWAY)
        for socket in self._sockets:
            socket.send(frame)

    def _ended(self, fan: Fan) -> None:
        if self._fans.get(fan.broker) is fan:
            del self._fans[fan.broker]

    async def _beat(self) -> None:
        """Send heartbeats, and cut who has taken nothing for long, by this machine's own time."""
        never = asyncio.Event()
        count = 0
        while True:
            try:
                async with asyncio.timeout(_CHECK_EVERY_S):
                    await never.wait()
            except TimeoutError:
                count += 1
            for socket, progress in tuple(self._sockets.items()):
                if progress.is_stalled(socket):
                    socket.cut()
            if count * _CHECK_EVERY_S >= HEARTBEAT_S:
                count = 0
                self._tell_all()

    def _tell_all(self) -> None:
        frame = packed(Heartbeat(time_ns=self._host.clock.now_ns()))
        for socket in tuple(self._sockets):
            socket.offer(frame)  # who has frames waiting hears from the server anyway


class _Progress:
    """Whether a client takes what waits for it."""

    def __init__(self) -> None:
        self._written = 0
        self._idle_checks = 0

    def is_stalled(self, socket: ClientSocket) -> bool:
        """Note how far a client has come; tell whether it stood still too often."""
        is_moving = not socket.waiting_bytes or socket.written_bytes > self._written
        self._written = socket.written_bytes
        self._idle_checks = 0 if is_moving else self._idle_checks + 1
        return self._idle_checks >= _STALL_CHECKS
