"""A Tektii gateway over the mock venue, whose prices a test sets, and a plain client of it."""

import asyncio
import json

import aiohttp
from tests.shared.rig import Venue, eventually

from dragoman.dialects import SimpleHost
from dragoman_tektii.dialect import TektiiDialect

LIMIT = {"symbol": "AAPL", "side": "buy", "order_type": "limit", "quantity": "5"}
REST = {**LIMIT, "limit_price": "90"}
MARKET = {"symbol": "AAPL", "side": "BUY", "order_type": "MARKET", "quantity": "10"}


class Stream:
    """One client of the stream: everything that it was told, in order."""

    def __init__(self, socket):
        self.socket = socket
        self.frames = []
        self.close_code = None

    async def read(self):
        """Read until the server closes."""
        async for found in self.socket:
            self.frames.append(json.loads(found.data))
        self.close_code = self.socket.close_code

    def of(self, kind, **facts):
        """Return the frames of a type that hold these facts."""
        return [
            one
            for one in self.frames
            if one["type"] == kind and all(one.get(name) == fact for name, fact in facts.items())
        ]

    async def hear(self, kind, **facts):
        """Wait for a frame; returns the first such."""
        return (await eventually(lambda: self.of(kind, **facts)))[0]

    async def say(self, frame):
        """Send a frame: what JSON can say, or a text as it is."""
        await self.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    def told(self, order_id):
        """Return the words of the order events of an order."""
        return [one["event"] for one in self.of("order") if one["order"]["id"] == order_id]


class Gateway:
    """The gateway and its client."""

    def __init__(self, stack, folder, **settings):
        self.venue = Venue(**settings)
        self.broker = None
        self.host = None
        self.client = None
        self._stack = stack
        self._folder = folder
        self._serving = None

    async def open(self, entries=(), *, keys=None, limits=None, **options):
        """Open the venue, connect, and serve."""
        runner = asyncio.get_running_loop().create_task(self.venue.run())
        self._stack.push_async_callback(_end, runner)
        await self.venue.quote("99", "101", last="100")
        await self.venue.quote("299", "301", "MSFT", last="300")
        await self.venue.quote("49990", "50010", "BTC/USD", last="50000")
        connection = self.venue.connect(state_dir=self._folder, **options)
        self.broker = await self._stack.enter_async_context(connection)
        self.host = SimpleHost(self.broker, TektiiDialect(entries), keys=keys, limits=limits)
        await self._stack.enter_async_context(self.host)
        self.client = await self._stack.enter_async_context(aiohttp.ClientSession(self.host.url))
        return self

    async def ask(self, method, path, body=None, *, data=None, headers=None):
        """Send a request; returns status and what the answer holds."""
        async with self.client.request(
            method, path, json=body, data=data, headers=headers
        ) as answer:
            assert answer.content_type == "application/json"
            return answer.status, await answer.json()

    async def get(self, path, expected=200):
        """Read something."""
        status, found = await self.ask("GET", path)
        assert expected == status, found
        return found

    async def submit(self, expected=201, **fields):
        """Send an order."""
        status, found = await self.ask("POST", "/v1/orders", fields)
        assert expected == status, found
        return found

    async def buy(self, **fields):
        """Send an order at the market and wait until it has filled; returns its handle."""
        handle = await self.submit(**{**MARKET, **fields})
        await self.ended(handle["id"])
        return handle

    async def ended(self, order_id):
        """Wait until the broker knows that an order has ended; returns it as it is shown."""
        await self.broker.wait(order_id, timeout_s=1000)
        return await self.get(f"/v1/orders/{order_id}")

    async def stream(self, **headers):
        """Connect a client to the stream."""
        socket = await self.client.ws_connect("/v1/ws", headers=headers)
        found = Stream(socket)
        reading = asyncio.get_running_loop().create_task(found.read())
        self._stack.push_async_callback(_end, reading)
        self._stack.push_async_callback(socket.close)
        await found.hear("connection", event="CONNECTED")
        return found

    async def flow(self, stream):
        """Let the market move until a client is told of it: then its data is live."""
        for size in range(1, 1000):
            await self.venue.quote("99", "101", size=str(size), last="100")
            if stream.of("quote"):
                return
        raise AssertionError("no quote came")


async def _end(task):
    task.cancel()
    await asyncio.wait([task])
