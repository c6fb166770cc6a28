"""The two ways in which a replay speaks to a client: a WebSocket, and an endless HTTP answer."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Final

import aiohttp

from .playing import Channel, Heard
from .transcript import Operation, TranscriptKind

if TYPE_CHECKING:
    from aiohttp import web

    from .transcript import TranscriptEvent

__all__ = ["LineChannel", "SocketChannel", "abort"]

_NO_LINGER: Final = struct.pack("ii", 1, 0)
_RECORD_END: Final = b"\x1e"
_MOST_UNHEARD: Final = 1_000

_OPCODES: Final = {
    Operation.TEXT: aiohttp.WSMsgType.TEXT,
    Operation.BIN: aiohttp.WSMsgType.BINARY,
    Operation.PING: aiohttp.WSMsgType.PING,
    Operation.PONG: aiohttp.WSMsgType.PONG,
}
_HEARD: Final = {
    aiohttp.WSMsgType.TEXT: Operation.TEXT,
    aiohttp.WSMsgType.BINARY: Operation.BIN,
    aiohttp.WSMsgType.PING: Operation.PING,
    aiohttp.WSMsgType.PONG: Operation.PONG,
}


def abort(request: web.Request) -> None:
    """Reset a connection, so that the client loses what it has not read yet."""
    transport = request.transport
    if transport is None:
        return
    found = transport.get_extra_info("socket")
    if found is not None and found.fileno() >= 0:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


class SocketChannel(Channel):
    """A WebSocket that the client opened.

    Args:
        request: The request that opened it.
        response: The socket, already prepared.
        kind: WS, or SIGNALR, where one frame may hold several records.
        hears_pings: Whether pings and pongs of the client are awaited, besides being answered.
    """

    def __init__(
        self,
        request: web.Request,
        response: web.WebSocketResponse,
        kind: TranscriptKind,
        *,
        hears_pings: bool,
    ) -> None:
        self._request = request
        self._response = response
        self._is_hub = kind is TranscriptKind.SIGNALR
        self._hears_pings = hears_pings
        self._is_stalled = False
        self._heard: asyncio.Queue[Heard | None] = asyncio.Queue(_MOST_UNHEARD)

    async def listen(self) -> None:
        """Take in what the client says, until it is gone."""
        while True:
            message = await self._response.receive()
            if message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}:
                break
            if message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING}:
                code = message.data if isinstance(message.data, int) else None
                await self._heard.put(Heard(operation=Operation.CLOSE, code=code))
                break
            await self._take(message)
        await self._heard.put(None)

    async def say(self, operation: Operation, payload: bytes) -> None:
        """Say something in one frame; a record gets its end."""
        data = payload + _RECORD_END if self._is_hub and operation is Operation.TEXT else payload
        await self._response.send_frame(data, _OPCODES[operation])

    async def end(self, event: TranscriptEvent) -> None:
        """End the connection as an event says."""
        if event.operation is Operation.CLOSE:
            code = event.code or aiohttp.WSCloseCode.OK
            await self._response.close(code=code, message=event.reason.encode())
        elif event.operation is Operation.STALL:
            self._is_stalled = True
            while await self._heard.get() is not None:
                pass
        elif event.operation is Operation.RESET:
            abort(self._request)
        elif self._request.transport is not None:
            self._request.transport.close()

    async def hear(self) -> Heard | None:
        """Wait for what the client says next; None where it is gone."""
        return await self._heard.get()

    async def _take(self, message: aiohttp.WSMessage) -> None:
        operation = _HEARD[message.type]
        payload = message.data.encode() if isinstance(message.data, str) else bytes(message.data)
        if operation is Operation.PING and not self._is_stalled:
            await self._response.pong(payload)
        if operation in {Operation.PING, Operation.PONG} and not self._hears_pings:
            return
        records = [payload]
        if self._is_hub and operation is Operation.TEXT:
            records = [one for one in payload.split(_RECORD_END) if one]
        for record in records:
            await self._heard.put(Heard(operation=operation, payload=record))


class LineChannel(Channel):
    """An endless answer; the client says nothing on it.

    Args:
        request: What it answers.
        response: The answer, already prepared.
        kind: LINES or SSE.
    """

    def __init__(
        self, request: web.Request, response: web.StreamResponse, kind: TranscriptKind
    ) -> None:
        self._request = request
        self._response = response
        self._end = b"\n\n" if kind is TranscriptKind.SSE else b"\n"
        self._gone = asyncio.Event()  # nobody sets it: a client that leaves cancels who waits

    async def say(self, operation: Operation, payload: bytes) -> None:
        """Say a line, which gets its end, or a piece as it is, in one chunk."""
        is_line = operation is Operation.TEXT and not payload.endswith(self._end)
        await self._response.write(payload + self._end if is_line else payload)

    async def end(self, event: TranscriptEvent) -> None:
        """End the answer as an event says."""
        if event.operation is Operation.STALL:
            await self._gone.wait()
        elif event.operation is Operation.RESET:
            abort(self._request)
        else:
            await self._response.write_eof()

    async def hear(self) -> Heard | None:
        """Wait for the client to leave."""
        await self._gone.wait()
        return None
