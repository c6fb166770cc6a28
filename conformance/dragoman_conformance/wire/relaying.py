"""Streams on their way through a recording proxy: passed on as they come, and noted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp import web

from dragoman.tasks import TaskScope

from .channels import abort
from .transcript import Operation, Sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from .stream_tape import Track
    from .upstream import Upstream

__all__ = ["relay_lines", "relay_socket"]

_LARGEST: Final = 256 * 1024 * 1024
_OWN: Final = frozenset(
    {
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
    }
)
_SAID: Final = {
    aiohttp.WSMsgType.TEXT: Operation.TEXT,
    aiohttp.WSMsgType.BINARY: Operation.BIN,
}
_ENDS: Final = frozenset(
    {
        aiohttp.WSMsgType.CLOSE,
        aiohttp.WSMsgType.CLOSING,
        aiohttp.WSMsgType.CLOSED,
        aiohttp.WSMsgType.ERROR,
    }
)


async def relay_socket(
    request: web.Request, upstream: Upstream, open_track: Callable[[], Track]
) -> web.StreamResponse:
    """Open a WebSocket at the venue, and pass on what either side says until one of them ends.

    Pings are passed on and not noted: a replay answers them itself.

    Raises:
        aiohttp.ClientError: The venue did not open it.
    """
    given = request.headers.get("Sec-WebSocket-Protocol", "")
    protocols = [one.strip() for one in given.split(",") if one.strip()]
    headers = [one for one in upstream.headers(request.headers) if one[0].lower() not in _OWN]
    venue = await upstream.session.ws_connect(
        upstream.url(request.raw_path),
        headers=headers,
        protocols=protocols,
        autoping=False,
        autoclose=False,
        max_msg_size=_LARGEST,
    )
    try:
        client = web.WebSocketResponse(
            protocols=protocols,
            autoping=False,
            autoclose=False,
            compress=False,
            max_msg_size=_LARGEST,
            timeout=1.0,
        )
        await client.prepare(request)
        await _SocketRelay(request, client, venue, open_track()).run()
        return client
    finally:
        await venue.close()


async def relay_lines(
    request: web.Request, told: aiohttp.ClientResponse, track: Track
) -> web.StreamResponse:
    """Pass on an endless answer chunk by chunk until either side ends it."""
    response = web.StreamResponse(status=told.status, reason=told.reason)
    response.content_type = told.content_type
    response.headers["Content-Type"] = told.headers.get("Content-Type", "")
    response.enable_chunked_encoding()
    await response.prepare(request)
    chunk = bytearray()
    try:
        async for piece, is_end in told.content.iter_chunks():
            chunk += piece
            if is_end and chunk:
                track.note(Sender.SERVER, Operation.CHUNK, bytes(chunk))
                await response.write(bytes(chunk))
                chunk.clear()
        track.note(Sender.CONNECTION, Operation.EOF)
        await response.write_eof()
    except aiohttp.ClientError:
        track.note(Sender.CONNECTION, Operation.RESET)
        abort(request)
    finally:
        told.close()
    return response


class _SocketRelay:
    """Two ends of one WebSocket, and where to note what they say."""

    def __init__(
        self,
        request: web.Request,
        client: web.WebSocketResponse,
        venue: aiohttp.ClientWebSocketResponse,
        track: Track,
    ) -> None:
        self._request = request
        self._client = client
        self._venue = venue
        self._track = track
        self._is_left = False

    async def run(self) -> None:
        """Pass on what either says until one of them ends."""
        scope = TaskScope()
        down = scope.spawn(self._pump_down(), "recorded stream, downwards")
        up = scope.spawn(self._pump_up(), "recorded stream, upwards")
        try:
            await asyncio.wait([down, up], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await scope.close()

    async def _pump_down(self) -> None:
        while (message := await self._venue.receive()).type not in _ENDS:
            data = self._noted(Sender.SERVER, message)
            await self._client.send_frame(data, message.type)
        if self._is_left:
            return
        if message.type is aiohttp.WSMsgType.CLOSE:
            code = message.data if isinstance(message.data, int) else None
            reason = message.extra or ""
            self._track.note_close(code, reason)
            await self._client.close(code=code or aiohttp.WSCloseCode.OK, message=reason.encode())
        else:
            self._track.note(Sender.CONNECTION, Operation.RESET)
            abort(self._request)

    async def _pump_up(self) -> None:
        while (message := await self._client.receive()).type not in _ENDS:
            data = self._noted(Sender.CLIENT, message)
            await self._venue.send_frame(data, message.type)
        self._is_left = True
        code = message.data if isinstance(message.data, int) else None
        await self._venue.close(code=code or aiohttp.WSCloseCode.OK)

    def _noted(self, sender: Sender, message: aiohttp.WSMessage) -> bytes:
        operation = _SAID.get(message.type)
        data = message.data.encode() if isinstance(message.data, str) else bytes(message.data)
        if operation is not None:
            self._track.note(sender, operation, data)
        return data
