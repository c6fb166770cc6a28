"""A wire over an endless HTTP response: the pieces of its body, on a connection of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp.client_exceptions import ClientError
from aiohttp.http_exceptions import HttpProcessingError

from dragoman.errors import (
    ConnectFailedError,
    DecodeError,
    StreamLostError,
    UnsupportedError,
)

from .base import Lane, Wire
from .exchange import read_headers, read_response_head
from .inflate import Inflater
from .refusal import refused_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp.streams import StreamReader

    from dragoman.times import Clock

    from .base import StreamRequest
    from .connections import Connection, ConnectionPool
    from .outgoing import Outgoing

__all__ = ["HttpWire", "open_http_wire"]

_SUCCESS = range(200, 300)


async def open_http_wire(
    pool: ConnectionPool, request: StreamRequest, sealed: Outgoing, clock: Clock
) -> HttpWire:
    """Ask for an endless response and return it once its head has come.

    Raises what `Transport.open` raises.
    """
    connection: Connection | None = None
    wire: HttpWire | None = None
    cause = ""
    status, headers = 0, dict[str, str]()
    try:
        async with asyncio.timeout(request.timeout_s):
            connection = await pool.open_apart()
            connection.reader.expect(has_body=True).write(sealed.data)
            message, payload = await read_response_head(connection)
            status, headers = message.code, read_headers(message)
            if status in _SUCCESS:
                encoding = headers.get("content-encoding", "identity").strip().lower()
                inflater = None if encoding == "identity" else Inflater(encoding, None)
                wire = HttpWire(request.name, connection, payload, inflater, clock)
                return wire
    except TimeoutError:
        cause = "no answer in time"
    except (OSError, ClientError, HttpProcessingError) as error:
        cause = f"the connection was lost ({type(error).__name__})"
    except (DecodeError, ConnectFailedError) as error:
        cause = error.message
    finally:
        if wire is None and connection is not None:
            connection.abort()
    if cause:
        raise ConnectFailedError(f"{request.name}: {cause}; the stream is not open")
    raise refused_stream(request.name, status, headers, clock.now_ns())


class HttpWire(Wire):
    """Reads an endless response; nothing can be sent on it."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        payload: StreamReader,
        inflater: Inflater | None,
        clock: Clock,
    ) -> None:
        self._name = name
        self._connection = connection
        self._payload = payload
        self._inflater = inflater
        self._clock = clock
        self._inflating: Iterator[bytes] | None = None

    async def receive(self) -> bytes:
        """Return the next piece of the body.

        Raises:
            StreamLostError: The body ended, was cut, or is corrupt.
        """
        if self._inflater is None:
            return await self._next()
        while True:
            if self._inflating is None:
                self._inflating = self._inflater.feed(await self._next())
            else:  # a small piece may become a large one, which must not hold up everything else
                await self._clock.sleep_ns(0)
            piece = self._inflate(self._inflating)
            if piece is not None:
                return piece
            self._inflating = None

    async def send(self, message: str | bytes, lane: Lane = Lane.READ) -> None:  # noqa: ARG002 - nothing is sent
        """Refuse: nothing can be sent on an HTTP response (NOT_SENT)."""
        raise UnsupportedError(f"{self._name}: nothing can be sent on a stream over HTTP")

    async def aclose(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    async def _next(self) -> bytes:
        try:
            piece = await self._payload.readany()
            cause = "the peer ended it"
        except (OSError, ClientError, HttpProcessingError) as error:
            piece, cause = b"", f"the connection was lost ({type(error).__name__})"
        if not piece:
            self._connection.abort()
            raise StreamLostError(f"{self._name}: {cause}")
        return piece

    def _inflate(self, inflating: Iterator[bytes]) -> bytes | None:
        """Return what is next of what was compressed, None at the end; never all of it at once."""
        try:
            return next(inflating, None)
        except DecodeError as error:
            cause = error.message
        self._connection.abort()
        raise StreamLostError(f"{self._name}: {cause}")
