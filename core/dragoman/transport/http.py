"""The transport over sockets: HTTP requests, WebSockets and endless HTTP responses.

No redirect is followed, nothing is repeated, no proxy, netrc or cookie is used, nothing is believed
without TLS but loopback. An endless response and a WebSocket have connections of their own.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final, assert_never
from urllib.parse import urlsplit

import attrs

from dragoman.errors import ClosedError, ConfigurationError, LifecycleError
from dragoman.times import SystemClock

from .base import StreamKind, Transport
from .connections import ConnectionPool, Origin
from .exchange import exchange
from .http_wire import open_http_wire
from .outgoing import as_request, origin_of, seal
from .tls import check_context, default_context, make_context
from .urls import check_base
from .websocket_wire import WebSocketDoor

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from dragoman.times import Clock

    from .base import HttpRequest, HttpResponse, StreamRequest, Wire

__all__ = ["AiohttpTransport"]

_MOST_ORIGINS: Final = 64
_TLS_PORT: Final = 443
_PLAIN_PORT: Final = 80


@attrs.frozen
class _Route:
    """What requests to one origin share."""

    origin: str
    pool: ConnectionPool
    headers: str


@lru_cache(maxsize=1)
def _user_agent() -> str:
    try:
        return f"dragoman/{version('dragoman')}"
    except PackageNotFoundError:  # run from a folder that was not installed
        return "dragoman"


class AiohttpTransport(Transport):
    """Requests and streams over TCP and TLS, in the event loop that uses it first.

    Args:
        ssl_context: How to speak TLS, with authorities of one's own; it must verify.
        ca_file: Or a PEM file with the only authorities to trust.
        connections: How many connections orders may have open to one origin at a time; a quarter of
            them is kept from reads, and there are 8 more for cancels.
        clock: Reads the dates of refusals.

    Raises:
        ConfigurationError: The context would not verify, or both ways are given.
    """

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext | None = None,
        ca_file: Path | None = None,
        connections: int = 64,
        clock: Clock | None = None,
    ) -> None:
        if ssl_context is not None and ca_file is not None:
            raise ConfigurationError("give either ssl_context or ca_file, not both")
        self._tls = check_context(ssl_context) if ssl_context is not None else None
        self._ca_file = ca_file
        self._connections = connections
        self._clock = clock or SystemClock()
        self._routes: dict[str, _Route] = {}
        self._doors: dict[bool, WebSocketDoor] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Make one exchange and return whatever whole response there is, of any status.

        Raises:
            ConfigurationError: The URL is without TLS off loopback, or no URL (NOT_SENT).
            InvalidValueError: A header or the path holds what must not stand there (NOT_SENT).
            ConnectFailedError: No byte was written (NOT_SENT).
            RateLimitedError: No connection was free in time (NOT_SENT).
            OutcomeUnknownError: A byte was written, and no whole response came (UNKNOWN).
            LifecycleError: The permit refused, or the transport is closed (NOT_SENT).
        """
        route = self._route(request.url)
        return await exchange(route.pool, seal(request, route.origin, route.headers))

    async def open(self, request: StreamRequest) -> Wire:
        """Open one stream.

        Raises:
            AuthenticationError: The peer answered 401.
            PermissionDeniedError: The peer answered 403.
            RateLimitedError: The peer answered 429 or 418.
            VenueUnavailableError: The peer answered any other status; the code is the status.
            ConnectFailedError: No connection came about.
            ConfigurationError: The URL is without TLS off loopback, or no URL (NOT_SENT).
            LifecycleError: The transport is closed (NOT_SENT).
        """
        route = self._route(request.url)
        match request.kind:
            case StreamKind.WEBSOCKET:
                seal(as_request(request), route.origin, "")
                return await self._door(is_tls=route.pool.is_tls).open(request)
            case StreamKind.HTTP:
                sealed = seal(as_request(request), route.origin, route.headers)
                return await open_http_wire(route.pool, request, sealed, self._clock)
            case _:
                assert_never(request.kind)

    async def aclose(self) -> None:
        """Close every connection. Idempotent; raises nothing."""
        self._is_closed = True
        for route in self._routes.values():
            route.pool.close()
        self._routes.clear()
        doors = tuple(self._doors.values())
        self._doors.clear()
        for door in doors:
            await door.aclose()

    def _route(self, url: str) -> _Route:
        origin = origin_of(url)
        route = self._routes.get(origin)
        if route is None or self._loop is not asyncio.get_running_loop():
            route = self._add(origin)
        return route

    def _add(self, origin: str) -> _Route:
        self._check_open()
        if len(self._routes) >= _MOST_ORIGINS:
            raise ConfigurationError(f"one transport serves at most {_MOST_ORIGINS} origins")
        parts = urlsplit(check_base(origin))
        is_tls = parts.scheme in ("https", "wss")
        port = parts.port or (_TLS_PORT if is_tls else _PLAIN_PORT)
        context = self._context() if is_tls else None
        place = Origin(parts.hostname or "", port, is_tls)
        headers = (
            f"Host: {parts.netloc}\r\nUser-Agent: {_user_agent()}\r\nAccept-Encoding: gzip\r\n"
        )
        pool = ConnectionPool(place, context, limit=self._connections)
        self._routes[origin] = route = _Route(origin, pool, headers)
        return route

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClosedError("the transport is closed; nothing was sent")
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise LifecycleError(
                "the transport belongs to another event loop; make one for each; nothing was sent"
            )

    def _door(self, *, is_tls: bool) -> WebSocketDoor:
        door = self._doors.get(is_tls)
        if door is None:
            context = self._context() if is_tls else None
            door = self._doors[is_tls] = WebSocketDoor(context, _user_agent(), self._clock)
        return door

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            own = self._ca_file is not None
            self._tls = make_context(self._ca_file) if own else default_context()
        return self._tls
