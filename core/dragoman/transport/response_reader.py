"""The receiving half of one connection: bytes in, whole response heads and flowing bodies out.

aiohttp's parser does the work. What comes unasked for, between two exchanges or after a response,
spoils the connection: it can't be told what it would have answered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, cast

from aiohttp.client_exceptions import ClientPayloadError, ServerDisconnectedError
from aiohttp.http import HttpResponseParser
from aiohttp.http_exceptions import HttpProcessingError

if TYPE_CHECKING:
    from aiohttp.base_protocol import BaseProtocol
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

__all__ = ["ResponseReader"]

_BUFFER: Final = 64 * 1024
_LONGEST_LINE: Final = 16 * 1024
_MOST_HEADERS: Final = 256
_LONGEST_HEAD: Final = 256 * 1024
"""aiohttp counts the headers only in its newer versions."""
_INFORMATIVE: Final = range(100, 200)
_SWITCHED: Final = 101


class ResponseReader(asyncio.Protocol):
    """Reads the responses of one connection, one exchange at a time."""

    __slots__ = (
        "_failure",
        "_found",
        "_loop",
        "_parser",
        "_payload",
        "_reading_paused",
        "_unparsed",
        "_waiter",
        "should_close",
        "transport",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.should_close: bool = False
        self.transport: asyncio.Transport | None = None
        self._loop = loop
        self._found: deque[tuple[RawResponseMessage, StreamReader]] = deque()
        self._parser: HttpResponseParser | None = None
        self._payload: StreamReader | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._failure: BaseException | None = None
        self._reading_paused = False
        self._unparsed = 0

    @property
    def connected(self) -> bool:
        """Whether more may come; aiohttp's body reader asks."""
        return self.transport is not None

    @property
    def is_open(self) -> bool:
        """Whether a request may be written: connected, and nothing came unasked for."""
        transport = self.transport
        return transport is not None and not transport.is_closing() and not self.should_close

    @property
    def is_at_rest(self) -> bool:
        """Whether it is open and the last request has left whole.

        A peer may answer what it never reads; the next request would leave behind it, too late.
        """
        transport = self.transport
        return self.is_open and transport is not None and not transport.get_write_buffer_size()

    def expect(self, *, has_body: bool) -> asyncio.Transport:
        """Get ready for one response and return the transport to write the request to.

        Raises:
            ConnectionResetError: The connection has closed; nothing was written.
        """
        transport = self.transport
        if transport is None or not self.is_open:
            raise ConnectionResetError
        self._payload = None
        self._unparsed = 0
        self._parser = HttpResponseParser(
            cast("BaseProtocol", self),
            self._loop,
            _BUFFER,
            payload_exception=ClientPayloadError,
            response_with_body=has_body,
            read_until_eof=True,
            auto_decompress=False,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
            max_headers=_MOST_HEADERS,
        )
        return transport

    async def read(self) -> tuple[RawResponseMessage, StreamReader]:
        """Return the next response head and its body, which may still be on its way.

        Raises:
            HttpProcessingError: What came is not HTTP.
            OSError: The connection was lost.
            ServerDisconnectedError: The peer closed without a response.
        """
        if not self._found:
            if self._failure is not None:
                raise self._failure
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._found.popleft()

    def abort(self) -> None:
        """Cut the connection."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio has switched Nagle's algorithm off already."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self._parser is None or self._is_over():
            self.should_close = True
            self.abort()
            return
        try:
            messages, is_upgraded, _ = self._parser.feed_data(data)
        except HttpProcessingError as error:
            self.fail(error)
            return
        if not messages and self._payload is None:
            self._unparsed += len(data)
            if self._unparsed > _LONGEST_HEAD:
                self.fail(HttpProcessingError(message="the head of a response is too long"))
                return
        for message, payload in messages:
            if self._payload is not None or is_upgraded or message.should_close:
                self.should_close = True
            if message.code not in _INFORMATIVE or message.code == _SWITCHED:
                self._payload = payload
            self._found.append((message, payload))
        if messages and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def pause_reading(self) -> None:
        """Let the peer wait until what has come is read."""
        if not self._reading_paused and self.transport is not None:
            self._reading_paused = True
            self.transport.pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 - of aiohttp
        """Read on, if reading was paused at all."""
        if self._reading_paused and self.transport is not None:
            self._reading_paused = False
            self.transport.resume_reading()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Tell whoever reads how it ended.

        A body without a length ends with the connection, but not with a broken one.
        """
        payload, self._payload = self._payload, None
        parser, self._parser = self._parser, None
        failure = self._failure or exc or ServerDisconnectedError()
        if parser is not None and failure is not exc and self._failure is None:
            try:
                parser.feed_eof()
            except (HttpProcessingError, ClientPayloadError):
                failure = ClientPayloadError()
        self.transport = None
        if payload is not None and not payload.is_eof() and payload.exception() is None:
            payload.set_exception(failure)
        self.fail(failure)

    def _is_over(self) -> bool:
        """Tell whether the response that was expected has come whole."""
        return self._payload is not None and self._payload.is_eof() and not self._found

    def fail(self, error: BaseException) -> None:
        """Cut the connection; whoever reads gets `error`, unless what is read has come whole."""
        self.should_close = True
        self._failure = self._failure or error
        payload = self._payload
        if payload is not None and not payload.is_eof() and payload.exception() is None:
            payload.set_exception(error)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
        self.abort()
