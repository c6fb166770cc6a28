"""A port of this machine with an application behind it: opened, limited, and closed in time."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from aiohttp import web

from dragoman.errors import ConfigurationError
from dragoman.transport.urls import is_loopback

from .deadlines import Deadlines
from .discretion import DiscreetLogger
from .door import address_of

if TYPE_CHECKING:
    from ssl import SSLContext

    from aiohttp.typedefs import Handler

    from .limits import HostLimits

__all__ = ["KEYED", "Listener"]

KEYED: Final = web.AppKey("dragoman.keyed", bool)
"""Where an application says that it lets nobody in without a key."""

_LINGERING_S: Final = 1.0
_LAST_MOMENT_S: Final = 0.5
_BACKLOG: Final = 1024


class Listener:
    """Serves an application at an address until it is closed.

    Connections beyond the limits are dropped as they come; those that take too long over the head
    of a request, the first or a later one, are dropped then.

    Args:
        app: What is served; it is served by one listener.
        address: Host and port; 0 takes a free one. Off loopback, the application must be one that
            lets nobody in without a key.
        limits: Limits on what clients may ask.
        ssl: With it, TLS is spoken.

    Raises:
        ConfigurationError: Anybody who reaches the address could enter (NOT_SENT).
    """

    def __init__(
        self,
        app: web.Application,
        address: tuple[str, int],
        limits: HostLimits,
        *,
        ssl: SSLContext | None = None,
    ) -> None:
        host, self._port = address
        self._host = "127.0.0.1" if host == "localhost" else host
        if not is_loopback(self._host) and not app.get(KEYED, False):
            raise ConfigurationError(
                f"{host} can be reached from other machines, and there is no key that clients must "
                "show: configure keys, or listen on 127.0.0.1"
            )
        self._ssl = ssl
        self._limits = limits
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=DiscreetLogger(),
            keepalive_timeout=limits.idle_s,
            lingering_time=_LINGERING_S,
            max_field_size=limits.header_bytes,
            shutdown_timeout=_LAST_MOMENT_S,
        )
        self._server: asyncio.Server | None = None
        self._ears: dict[web.RequestHandler, _Ear] = {}
        self._peers: Counter[str] = Counter()
        self._unheard = Deadlines[_Ear](limits.header_s, _Ear.drop)
        self._tasks: WeakSet[asyncio.Task[None]] = WeakSet()
        app.middlewares.insert(0, self._hear)

    @property
    def url(self) -> str:
        """The base URL."""
        name = f"[{self._host}]" if ":" in self._host else self._host
        scheme = "http" if self._ssl is None else "https"
        return f"{scheme}://{name}:{self._port}"

    async def open(self) -> None:
        """Start the application, then listen.

        Raises:
            ConfigurationError: The address can't be used (NOT_SENT).
        """
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        patience_s = None if self._ssl is None else self._limits.header_s
        try:
            self._server = await loop.create_server(
                lambda: _Ear(self),
                self._host,
                self._port,
                ssl=self._ssl,
                ssl_handshake_timeout=patience_s,
                backlog=_BACKLOG,
            )
        except OSError as error:
            message = f"{self.url} can't be listened on ({error.strerror}); choose another port"
            raise ConfigurationError(message) from None
        self._port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Accept no more connections; those that are open go on. Idempotent."""
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """Stop, drop what is still connected, and clean the application up. Idempotent."""
        self.stop()
        await self._runner.cleanup()
        await self._end_requests()
        if self._server is not None:
            with suppress(TimeoutError):  # for a client that reads nothing, not even the end
                async with asyncio.timeout(_LAST_MOMENT_S):
                    await self._server.wait_closed()

    def admit(self, ear: _Ear, peer: str) -> web.RequestHandler | None:
        """Return what answers a new connection; None if it is one too many."""
        server, limits = self._runner.server, self._limits
        if server is None or len(self._ears) >= limits.connections:
            return None
        if self._peers[peer] >= limits.connections_per_peer:
            return None
        connection = server()
        self._peers[peer] += 1
        self._ears[connection] = ear
        self._unheard.start(ear)
        return connection

    def forget(self, ear: _Ear, connection: web.RequestHandler, peer: str) -> None:
        """Take note that a connection has ended."""
        self._unheard.end(ear)
        del self._ears[connection]
        self._peers[peer] -= 1
        if not self._peers[peer]:
            del self._peers[peer]

    def begin_head(self, ear: _Ear) -> None:
        """Take note that a connection sends what is no whole head yet."""
        self._unheard.start(ear)

    async def _end_requests(self) -> None:
        """Cancel what goes on for clients that are gone: the server library forgets about those."""
        left = [task for task in self._tasks if not task.done()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_LAST_MOMENT_S)

    @web.middleware
    async def _hear(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        ear = self._ears.get(request.protocol)
        if ear is None:  # it was lost in the meantime; what it asked for counts all the same
            self._tasks.add(request.task)
            return await handler(request)
        self._unheard.end(ear)
        if not ear.was_heard:
            ear.was_heard = True
            self._tasks.add(request.task)
        ear.is_answered = True
        try:
            return await handler(request)
        finally:
            ear.is_answered = False


class _Ear(asyncio.Protocol):
    """One connection: hands on what it hears, and has its listener told of unfinished heads."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._connection: web.RequestHandler | None = None
        self._peer = ""
        self.was_heard = False
        """Whether a whole head has come."""
        self.is_answered = False
        """Whether a request is being answered; what comes meanwhile is its body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or drop it if it is one too many."""
        self._peer = address_of(transport.get_extra_info("peername"))
        self._connection = self._listener.admit(self, self._peer)
        if self._connection is not None:
            self._connection.connection_made(transport)
        elif isinstance(transport, asyncio.Transport):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self._connection is not None:
            self._connection.connection_lost(exc)
            self._listener.forget(self, self._connection, self._peer)

    def data_received(self, data: bytes) -> None:
        """Hand it on; what belongs to no request is part of a head, and that has its time."""
        if self._connection is not None:
            self._connection.data_received(data)
            if not self.is_answered:
                self._listener.begin_head(self)

    def eof_received(self) -> None:
        """Hand it on."""
        if self._connection is not None:
            self._connection.eof_received()

    def pause_writing(self) -> None:
        """Hand it on."""
        if self._connection is not None:
            self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Hand it on."""
        if self._connection is not None:
            self._connection.resume_writing()

    def drop(self) -> None:
        """End a connection whose head does not come."""
        if self._connection is not None:
            self._connection.force_close()
