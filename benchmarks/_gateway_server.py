"""The servers that `benchmarks/gateway.py` measures, each in a process of its own.

Started by `python -c`, so that this module is loaded once, under its own name. It prints its port;
then takes one line of JSON at a time: how many messages a second, for how long. Each message
carries the moment it was due, so that a late one counts as late. `bare` is what anyone
would write first with aiohttp alone; `native` and `tektii` are whole gateways over a broker of the
mock venue, as `make_app` makes them, with their protocol at the root.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import sys
import time
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
from aiohttp import web

import dragoman
from dragoman import Registry
from dragoman.models import Quote
from dragoman_gateway import make_app
from dragoman_gateway.native import NativeDialect
from dragoman_gateway.serve_memory import out_of_collection
from dragoman_mock.adapter import MockAdapter
from dragoman_mock.spec import PROTOCOL
from dragoman_tektii.dialect import Entry, TektiiDialect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

    from dragoman.dialects import Dialect
    from dragoman.models import Event, Subscription

SYMBOL = "AAPL"
QUOTE = {
    "type": "Quote",
    "symbol": SYMBOL,
    "provider": "mock",
    "received_at": "2026-01-07T14:30:00.000000000Z",
    "bid_price": "189.98",
    "bid_size": "",
    "ask_price": "190.00",
    "ask_size": "176",
    "is_tradable": True,
    "venue_time": "2026-01-07T14:30:00.000000000Z",
}
ACCOUNT = {"account_id": "paper-1", "provider": "mock", "equity": "100000", "cash": "100000"}
_QUOTES = ("quote",)
_orders = asyncio.Queue[tuple[float, float]]()


async def pace(tell: Callable[[int], Awaitable[None]]) -> None:
    """Tell the moment each message is due, as often as the last line asked for."""
    while True:
        rate, seconds = await _orders.get()
        begun = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = begun + number / rate
            wait = due - time.perf_counter()
            if wait > 0 or number % 16 == 0:
                await asyncio.sleep(max(wait, 0))
            await tell(int(due * 1e9))
        print("done", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)


class Paced(MockAdapter):
    """The mock venue, but its quotes come as fast as they are asked for."""

    def for_account(self, account_id: str) -> Paced:
        """Return an adapter that is paced too."""
        bound = super().for_account(account_id)
        bound.__class__ = Paced
        assert isinstance(bound, Paced)
        return bound

    @asynccontextmanager
    async def stream(
        self, subscription: Subscription
    ) -> AsyncGenerator[AsyncIterator[Sequence[Event]]]:
        """Say quotes at a rate; all else as the mock does."""
        if not subscription.quotes:
            async with super().stream(subscription) as batches:
                yield batches
            return
        queue = asyncio.Queue[int]()

        async def tell(due_ns: int) -> None:
            queue.put_nowait(due_ns)

        pacing = asyncio.create_task(pace(tell))
        try:
            yield _quotes(queue)
        finally:
            pacing.cancel()


async def _quotes(queue: asyncio.Queue[int]) -> AsyncIterator[Sequence[Event]]:
    while True:
        due = [await queue.get()]
        while not queue.empty():
            due.append(queue.get_nowait())
        yield [
            Quote(
                symbol=SYMBOL,
                provider="mock",
                received_at_ns=1_767_796_200_000_000_000,
                venue_time_ns=1_767_796_200_000_000_000,
                bid_price=Decimal("189.98"),
                bid_size=Decimal(one),
                ask_price=Decimal("190.00"),
                ask_size=Decimal(176),
                is_tradable=True,
            )
            for one in due
        ]


class Bare:
    """The least of such a server: handlers that answer JSON, and a loop over all sockets."""

    def __init__(self) -> None:
        self._sockets: set[web.WebSocketResponse] = set()
        self._orders: dict[str, object] = {}

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        """Keep a client until it goes."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            async for _ in socket:
                pass
        finally:
            self._sockets.discard(socket)
        return socket

    async def tell(self, due_ns: int) -> None:
        """Send one message to everybody."""
        event = {**QUOTE, "bid_size": str(due_ns)}
        message = {"type": "event", "provider": "mock", "account_id": "paper-1", "event": event}
        text = json.dumps(message, separators=(",", ":"))
        for socket in tuple(self._sockets):
            with contextlib.suppress(ConnectionError):
                await socket.send_str(text)

    async def account(self, _: web.Request) -> web.Response:
        """Answer with something small."""
        return web.json_response(ACCOUNT)

    async def submit(self, request: web.Request) -> web.Response:
        """Take an order."""
        order = await request.json()
        self._orders[order["client_order_id"]] = order
        return web.json_response({**order, "status": "OPEN"}, status=201)

    def app(self) -> web.Application:
        """Return its routes."""
        app = web.Application()
        app.router.add_get("/v1/stream", self.stream)
        app.router.add_get("/v1/account", self.account)
        app.router.add_post("/v1/orders", self.submit)
        return app


async def _serve_bare() -> None:
    bare = Bare()
    async with _served(bare.app()):
        await asyncio.gather(pace(bare.tell), _listen())


async def _serve_native() -> None:
    await _serve_gateway(NativeDialect())


async def _serve_tektii() -> None:
    await _serve_gateway(TektiiDialect([Entry(platform="mock", instrument=SYMBOL, events=_QUOTES)]))


async def _serve_gateway(dialect: Dialect) -> None:
    protocol = attrs.evolve(PROTOCOL, adapter="benchmarks._gateway_server:Paced")
    broker = await dragoman.connect("mock", registry=Registry([protocol]))
    async with broker, _served(make_app(broker, [dialect], native=False, page=False)):
        await _listen()


@asynccontextmanager
async def _served(app: web.Application) -> AsyncGenerator[None]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        with out_of_collection():  # as `dragoman serve` does; the bare one gains by it too
            print(runner.addresses[0][1], flush=True)
            yield
    finally:
        await runner.cleanup()


async def _listen() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        _orders.put_nowait(tuple(json.loads(line)))
    raise SystemExit


_SERVERS = {"bare": _serve_bare, "native": _serve_native, "tektii": _serve_tektii}


def main(kind: str) -> None:
    """Serve until the standard input ends."""
    with contextlib.suppress(SystemExit):
        asyncio.run(_SERVERS[kind]())
