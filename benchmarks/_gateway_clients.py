"""Clients that read as cheaply as possible, so that what is measured is the server."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

_KEY = b'"bid_size":"'
_MASK = b"\0\0\0\0"
SUBSCRIBE = {"type": "subscribe", "id": 1, "channels": {"quotes": ["AAPL"]}}
_STREAMS = {"bare": "/v1/stream", "native": "/v1/stream", "tektii": "/v1/ws"}
_ACCOUNTS = {
    "bare": "/v1/account",
    "native": "/v1/mock/paper-1/account",
    "tektii": "/v1/account",
}
_ORDERS = {"bare": "/v1/orders", "native": "/v1/mock/paper-1/orders", "tektii": "/v1/orders"}


class Follower(asyncio.Protocol):
    """One WebSocket: takes frames apart; if it is one of those asked, notes how late each was."""

    def __init__(self, port: int, kind: str, *, is_sampled: bool) -> None:
        self.delays: list[int] = []
        self.has_all = asyncio.Event()
        self.ready = asyncio.get_running_loop().create_future()
        self._port = port
        self._kind = kind
        self._expected = 0
        self.is_sampled = is_sampled
        self._buffer = b""

    def expect(self, count: int) -> None:
        """Measure anew; `has_all` is set once so many messages came."""
        self.delays.clear()
        self.has_all.clear()
        self._expected = count

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(  # type: ignore[attr-defined]
            f"GET {_STREAMS[self._kind]} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def subscribe(self) -> None:
        """Ask for the quotes, where they do not come unasked."""
        if self._kind != "native":
            return
        text = json.dumps(SUBSCRIBE).encode()
        self.transport.write(bytes([0x81, 0x80 | len(text)]) + _MASK + text)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Take what came apart."""
        now = time.perf_counter_ns()
        if self._buffer:
            data = self._buffer + data
        if not self.ready.done():
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            self.ready.set_result(None)
        place, size = 0, len(data)
        while place + 4 <= size:
            length = data[place + 1]
            begin = place + 2
            if length == 126:
                length = int.from_bytes(data[place + 2 : place + 4], "big")
                begin = place + 4
            if begin + length > size:
                break
            self._take(data, begin, begin + length, now)
            place = begin + length
        self._buffer = data[place:]

    def _take(self, data: bytes, begin: int, end: int, now: int) -> None:
        if not self.is_sampled:
            return
        start = data.find(_KEY, begin, end)
        if start < 0:
            return
        start += len(_KEY)
        self.delays.append(now - int(data[start : data.index(b'"', start)]))
        if len(self.delays) == self._expected:
            self.has_all.set()


@contextlib.asynccontextmanager
async def followers(port: int, kind: str, count: int) -> AsyncGenerator[Sequence[Follower]]:
    """Connect so many clients; every tenth measures."""
    loop = asyncio.get_running_loop()
    made: list[Follower] = []
    for number in range(count):
        one = Follower(port, kind, is_sampled=number % 10 == 0)
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)
        await one.ready
        one.subscribe()
        made.append(one)
    try:
        yield made
    finally:
        for one in made:
            one.transport.abort()  # type: ignore[attr-defined]


class Caller(asyncio.Protocol):
    """One kept-alive connection that asks again as soon as it is told to."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way."""
        self.transport = transport

    async def call(self, request: bytes) -> int:
        """Send a request; return the status of its answer once it is whole."""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)  # type: ignore[attr-defined]
        return await self._answer

    def data_received(self, data: bytes) -> None:
        """See whether the answer is whole."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._answer is None:
            return
        head = self._buffer[:end].lower()
        start = head.index(b"content-length:") + 15
        length = int(head[start:].split(b"\r\n", 1)[0])
        if len(self._buffer) >= end + 4 + length:
            status = int(self._buffer[9:12])
            self._buffer = b""
            self._answer.set_result(status)


async def call_at(
    port: int, rate: float, seconds: float, make: Callable[[int], bytes]
) -> list[float]:
    """Ask at a rate, whatever the answers do; return how long each took from when it was due.

    One that was refused, as an overloaded gateway refuses orders, took for ever.
    """
    loop = asyncio.get_running_loop()
    idle: list[Caller] = []
    delays: list[float] = []

    async def ask(due: float, number: int) -> None:
        caller = idle.pop() if idle else None
        if caller is None:
            _, caller = await loop.create_connection(Caller, "127.0.0.1", port)
        status = await caller.call(make(number))
        delays.append(time.perf_counter() - due if status in {200, 201} else float("inf"))
        idle.append(caller)

    begun = time.perf_counter() + 0.05
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due = begun + number / rate
            wait = due - time.perf_counter()
            if wait > 0 or number % 16 == 0:
                await asyncio.sleep(max(wait, 0))
            group.create_task(ask(due, number))
    for caller in idle:
        caller.transport.abort()  # type: ignore[attr-defined]
    return delays


def reading(port: int, kind: str) -> Callable[[int], bytes]:
    """Return what makes a request for the account."""
    request = f"GET {_ACCOUNTS[kind]} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    return lambda _: request


def ordering(port: int, kind: str) -> Callable[[int], bytes]:
    """Return what makes a request for an order that will rest, each with a name of its own."""
    head = (
        f"POST {_ORDERS[kind]} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    )

    def make(number: int) -> bytes:
        order = {
            "symbol": "AAPL",
            "side": "BUY",
            "order_type": "LIMIT",
            "quantity": "1",
            "limit_price": "1",
            "client_order_id": f"{time.time_ns()}-{number}",
        }
        body = json.dumps(order)
        return f"{head}{len(body)}\r\n\r\n{body}".encode()

    return make
