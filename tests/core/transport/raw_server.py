"""A server that speaks bytes, so that a test can answer in ways no HTTP library would."""

import asyncio
import contextlib
import socket
import struct

from dragoman.errors import HaltedError
from dragoman.permits import SendPermit
from dragoman.transport.base import HttpRequest, Lane

RESET = object()
"""Ends a connection with a reset instead of an end."""


async def until(condition):
    """Wait for what other ends of sockets do in their own time."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - sockets set no events
            await asyncio.sleep(0.001)


def response(body=b"{}", status=200, headers=(), *, length=None):
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers)]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def post(server, **changes):
    given = {
        "name": "place order",
        "method": "POST",
        "url": f"{server.url}/orders",
        "body": b'{"symbol":"AAPL"}',
        "lane": Lane.ORDER,
        "timeout_s": 5.0,
    }
    return HttpRequest(**given | changes)


def get(server, **changes):
    return post(
        server, **{"name": "read", "method": "GET", "body": b"", "lane": Lane.READ} | changes
    )


def refuse():
    raise HaltedError("trading is halted")


def refusing():
    return SendPermit(refuse)


def reset(writer):
    """Close so that the kernel sends a reset instead of an end."""
    socket_of_it = writer.get_extra_info("socket")
    socket_of_it.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def read_request(reader):
    """Return the whole next request; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return head + await reader.readexactly(length)


class RawServer:
    """Listens on loopback and plays `script(request, writer)` for each request.

    The script returns whether the connection stays open; RESET resets it.
    """

    def __init__(self, script=None, *, tls=None):
        self.requests = []
        self.connections = 0
        self.open = 0
        self.received = bytearray()
        self._script = script or self._answer
        self._tls = tls
        self._tasks = set()
        self._server = None
        self._is_closing = False

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_):
        self._is_closing = True
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self):
        return self._server.sockets[0].getsockname()[1]

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    async def _answer(self, request, writer):
        writer.write(response())
        return True

    async def _serve(self, reader, writer):
        if self._is_closing:  # accepted before, and served only now
            writer.transport.abort()
            return
        self.connections += 1
        self.open += 1
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._play(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # streams of Python 3.11 complain where a task of theirs is canceled
        finally:
            self.open -= 1
            writer.close()
            with contextlib.suppress(ConnectionError, OSError):
                await writer.wait_closed()

    async def _play(self, reader, writer):
        while (request := await read_request(reader)) is not None:
            self.requests.append(request)
            going_on = await self._script(request, writer)
            if going_on is RESET:
                reset(writer)
            if going_on is not True:
                return


def scripted(*pieces, going_on=True):
    """Return a script that writes pieces, each on its own turn of the loop."""

    async def script(request, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        return going_on

    return script
