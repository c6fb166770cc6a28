"""One request written once and one response read whole, with exact knowledge of what was written.

aiohttp's own session repeats requests by itself, follows redirects, inflates without bound and
can't say whether a byte left. So its parser is used here, and its session is not.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import attrs
from aiohttp.client_exceptions import ClientError, ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError

from dragoman.errors import (
    ConnectFailedError,
    DecodeError,
    Outcome,
    OutcomeUnknownError,
    RateLimitedError,
    UnknownReason,
)
from dragoman.permits import current_permit

from .base import HttpResponse, Lane
from .inflate import Inflater

if TYPE_CHECKING:
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

    from .base import HttpRequest
    from .connections import Connection, ConnectionPool
    from .outgoing import Outgoing

__all__ = ["exchange", "read_headers", "read_response_head"]

_INFORMATIVE: Final = range(100, 200)
_SWITCHED: Final = 101
_MOST_HEADERS: Final = 256


@attrs.define
class _Progress:
    """How far an exchange has come; a byte may have left once `is_written`."""

    has_turn: bool = False
    is_written: bool = False
    is_whole: bool = False

    def take_turn(self) -> None:
        self.has_turn = True


async def exchange(pool: ConnectionPool, outgoing: Outgoing) -> HttpResponse:
    """Write a request once and return the whole response.

    Raises:
        ConnectFailedError: No byte was written (NOT_SENT).
        RateLimitedError: No connection was free in time (NOT_SENT).
        OutcomeUnknownError: A byte was written and no whole response came (UNKNOWN).
        LifecycleError: The permit refused, or the pool is closed (NOT_SENT).
    """
    progress = _Progress()
    try:
        return await _on_a_connection(pool, outgoing, progress)
    except (OSError, ClientError, HttpProcessingError, DecodeError, ConnectFailedError) as error:
        reason, cause = _explain(error)
    # Outside of the handler, so that the foreign exception is not even the context of ours.
    message = f"{outgoing.request.name}: {cause}"
    if progress.is_written:
        reason = UnknownReason.CLOSED if pool.is_closed else reason
        raise OutcomeUnknownError(f"{message}; it was sent and may be in effect", reason=reason)
    if not progress.has_turn:
        raise RateLimitedError(
            f"{outgoing.request.name}: all connections were in use for as long as this request "
            "may take; nothing was sent: ask less often or allow more time",
            outcome=Outcome.NOT_SENT,
        )
    if reason is UnknownReason.TIMEOUT:
        message = f"{outgoing.request.name}: no connection in time"
    raise ConnectFailedError(f"{message}; nothing was sent")


def _explain(error: Exception) -> tuple[UnknownReason, str]:
    name = type(error).__name__
    match error:
        case TimeoutError():
            return UnknownReason.TIMEOUT, "no whole response in time"
        case ConnectFailedError():
            return UnknownReason.OTHER, error.message
        case DecodeError():
            return UnknownReason.BAD_RESPONSE, error.message
        case HttpProcessingError():
            return UnknownReason.BAD_RESPONSE, f"the response is not HTTP ({name})"
        case ClientPayloadError():
            return UnknownReason.BAD_RESPONSE, f"the response is cut ({name})"
        case _:
            return UnknownReason.CONNECTION_LOST, f"the connection was lost ({name})"


async def _on_a_connection(
    pool: ConnectionPool, outgoing: Outgoing, progress: _Progress
) -> HttpResponse:
    request = outgoing.request
    due_s = asyncio.get_running_loop().time() + request.timeout_s
    connection = pool.borrow_idle(request.lane, due_s)
    if connection is None:
        async with asyncio.timeout_at(due_s):
            connection = await pool.borrow(request.lane, due_s, progress.take_turn)
    progress.has_turn = True
    try:
        _write(connection, outgoing, progress)
        response = await _read(connection, request)
        progress.is_whole = True
        return response
    finally:
        pool.give_back(connection, is_reusable=progress.is_whole)


def _write(connection: Connection, outgoing: Outgoing, progress: _Progress) -> None:
    """Write the request in one piece, with leave."""
    request = outgoing.request
    transport = connection.reader.expect(has_body=request.method != "HEAD")
    if request.gate is not None:
        request.gate()
    permit = current_permit() if request.lane is Lane.ORDER else None
    if permit is None:
        progress.is_written = True
        transport.write(outgoing.data)
        return
    permit.begin()
    try:
        progress.is_written = True
        transport.write(outgoing.data)
    finally:
        permit.end()


async def _read(connection: Connection, request: HttpRequest) -> HttpResponse:
    message, payload = await read_response_head(connection)
    headers = read_headers(message)
    encoding = headers.get("content-encoding")
    if encoding is None or encoding == "identity":
        body = await _body(payload, request.max_bytes)
    else:
        body = await _inflated(payload, encoding.strip().lower(), request.max_bytes)
    return HttpResponse(status=message.code, headers=headers, body=body)


async def read_response_head(
    connection: Connection,
) -> tuple[RawResponseMessage, StreamReader]:
    """Return the head of the response and its body, past those that only inform.

    Raises:
        DecodeError: The response switches to another protocol.
        HttpProcessingError: What came is not HTTP.
        OSError: The connection was lost.
        ServerDisconnectedError: The peer closed without a response.
    """
    message, payload = await connection.reader.read()
    while message.code in _INFORMATIVE:
        if message.code == _SWITCHED:
            raise DecodeError("the response switches protocols")
        message, payload = await connection.reader.read()
    return message, payload


def read_headers(message: RawResponseMessage) -> dict[str, str]:
    """Return the headers of a response as `HttpResponse` has them.

    Raises:
        DecodeError: There are more than 256.
    """
    if len(message.raw_headers) > _MOST_HEADERS:
        raise DecodeError("the response has too many headers")
    found: dict[str, str] = {}
    for raw_name, raw_value in message.raw_headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


async def _body(payload: StreamReader, max_bytes: int) -> bytes:
    if payload.is_eof():
        body = payload.read_nowait(-1)
        _check_size(len(body), max_bytes)
        return body
    pieces: list[bytes] = []
    size = 0
    while piece := await payload.readany():
        size += len(piece)
        _check_size(size, max_bytes)
        pieces.append(piece)
    return b"".join(pieces)


async def _inflated(payload: StreamReader, encoding: str, max_bytes: int) -> bytes:
    inflater = Inflater(encoding, max_bytes)
    pieces: list[bytes] = []
    while piece := await payload.readany():
        pieces += inflater.feed(piece)
    inflater.finish()
    return b"".join(pieces)


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise DecodeError(f"the response is larger than {max_bytes} bytes")
