"""A port of this machine with an application behind it: opened, limited, and closed in time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from aiohttp import web

from dragoman.errors import ConfigurationError

from .discretion import DiscreetLogger

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from .limits import HostLimits

__all__ = ["Listener"]

_LINGERING_S: Final = 1.0
_LAST_MOMENT_S: Final = 0.5


class Listener:
    """Serves an application at an address until it is closed.

    Connections beyond the limit are dropped as they come; those that never send a whole request
    head are dropped after a while.
    """

    def __init__(self, app: web.Application, address: tuple[str, int], limits: HostLimits) -> None:
        self._host, self._port = address
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
        self._unheard: set[web.RequestHandler] = set()
        self._tasks: WeakSet[asyncio.Task[None]] = WeakSet()
        app.middlewares.insert(0, self._make_ear())

    @property
    def url(self) -> str:
        """The base URL."""
        name = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{name}:{self._port}"

    async def open(self) -> None:
        """Start the application, then listen.

        Raises:
            ConfigurationError: The address can't be used (NOT_SENT).
        """
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._make_protocol, self._host, self._port)
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

    async def _end_requests(self) -> None:
        """Cancel what goes on for clients that are gone: the server library forgets about those."""
        left = [task for task in self._tasks if not task.done()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_LAST_MOMENT_S)

    def _make_protocol(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None or len(server.connections) >= self._limits.connections:
            return _Unwanted()
        connection = server()
        self._unheard.add(connection)
        loop = asyncio.get_running_loop()
        loop.call_later(self._limits.header_s, self._drop_unheard, connection)
        return connection

    def _make_ear(self) -> Middleware:
        @web.middleware
        async def hear(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._unheard.discard(request.protocol)
            self._tasks.add(request.task)
            return await handler(request)

        return hear

    def _drop_unheard(self, connection: web.RequestHandler) -> None:
        if connection in self._unheard:
            self._unheard.discard(connection)
            connection.force_close()


class _Unwanted(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Drop it."""
        if isinstance(transport, asyncio.Transport):
            transport.abort()
