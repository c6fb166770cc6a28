"""The seam between what is said and how it travels: one exchange, or one open wire.

Everything above it can be driven by a transport in memory. A transport follows no redirect, retries
nothing, and ends every foreign exception: what leaves it is an error of this library, without the
texts of the exception that caused it, because those print signed URLs and keys.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import attrs

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_MESSAGE_BYTES",
    "HttpRequest",
    "HttpResponse",
    "Lane",
    "StreamKind",
    "StreamRequest",
    "Transport",
    "Wire",
]

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""How large a response may be after decompression."""
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
"""How large one message or line of a stream may be."""
Headers = tuple[tuple[str, str], ...]


class Lane(StrEnum):
    """What a request is for: an ORDER may add exposure, a CANCEL takes it away."""

    READ = "READ"
    ORDER = "ORDER"
    CANCEL = "CANCEL"


class StreamKind(StrEnum):
    """How a stream travels: messages of a WebSocket, or the bytes of an endless HTTP response."""

    WEBSOCKET = "WEBSOCKET"
    HTTP = "HTTP"


@attrs.frozen(kw_only=True)
class HttpRequest:
    """One request as it will stand on the wire; `url` is percent-encoded already, and sent as is.

    `timeout_s` bounds the whole exchange, `max_bytes` the response after decompression. `name` is
    what errors and logs call the request: they never show url, headers or body. `gate` is asked
    right before the first byte, however long the request has waited for a connection by then; what
    it raises (NOT_SENT) is what `send` raises.
    """

    name: str
    method: str
    url: str = attrs.field(repr=False)
    headers: Headers = attrs.field(default=(), repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    lane: Lane = Lane.READ
    timeout_s: float = 10.0
    max_bytes: int = MAX_BODY_BYTES
    gate: Callable[[], None] | None = attrs.field(default=None, repr=False, eq=False)


@attrs.frozen(kw_only=True)
class HttpResponse:
    """One whole response. Names of `headers` are lower case; a repeated one is joined by ", "."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class StreamRequest:
    """One stream to open; `subprotocols` are offered to the peer of a WebSocket.

    `heartbeat_s` is the interval of WebSocket pings and half the time a peer has to answer; None
    sends none. `max_bytes` bounds one message after decompression.
    """

    name: str
    url: str = attrs.field(repr=False)
    kind: StreamKind = StreamKind.WEBSOCKET
    headers: Headers = attrs.field(default=(), repr=False)
    timeout_s: float = 10.0
    max_bytes: int = MAX_MESSAGE_BYTES
    heartbeat_s: float | None = None
    subprotocols: tuple[str, ...] = ()


class Wire(ABC):
    """One open stream. One task receives; any task may send."""

    @abstractmethod
    async def receive(self) -> str | bytes:
        """Return the next message or, of an HTTP stream, the next piece of the body.

        Raises:
            StreamLostError: The stream ended, was cut or broke a rule; the message says how.
        """

    @abstractmethod
    async def send(self, message: str | bytes, lane: Lane = Lane.READ) -> None:
        """Send one message; in the lane ORDER only with leave, see `permits`.

        Raises:
            StreamLostError: The stream is not open any more.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Close, with a close frame where there is one. Idempotent; raises nothing."""


class Transport(ABC):
    """How requests and streams travel."""

    @abstractmethod
    async def send(self, request: HttpRequest) -> HttpResponse:
        """Make one exchange and return whatever whole response there is, of any status.

        Raises:
            ConnectFailedError: No byte was written (NOT_SENT).
            RateLimitedError: No connection came free in time (NOT_SENT).
            OutcomeUnknownError: A byte was written, and no whole response came (UNKNOWN).
            LifecycleError: The permit refused, or the transport is closed (NOT_SENT).
            DragomanError: What the request's `gate` raises (NOT_SENT).
            RequestError: The URL or a header must not be sent (NOT_SENT).
        """

    @abstractmethod
    async def open(self, request: StreamRequest) -> Wire:
        """Open one stream.

        Raises:
            AuthenticationError: The peer answered 401.
            PermissionDeniedError: The peer answered 403.
            RateLimitedError: The peer answered 429 or 418, with its `retry_after`.
            VenueUnavailableError: The peer answered any other status; the code is the status.
            ConnectFailedError: No connection came about.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Close every connection. Idempotent; raises nothing."""
