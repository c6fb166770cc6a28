"""Alpaca's market data, and nothing else of it, served over the mock on a real port.

Unless a test says otherwise the venue's time stands still, so what it shows is always the same.
"""

import asyncio
import json
from collections import deque
from contextlib import asynccontextmanager, closing

import aiohttp
import msgpack

import dragoman
from dragoman.dialects import Dialect, SimpleHost
from dragoman.times import ManualClock
from dragoman_alpaca.dialect.assets import AssetBook
from dragoman_alpaca.dialect.market import mount_market
from dragoman_alpaca.dialect.market_refusals import refusal

LONGEST_S = 30.0
KEY = "captain"
SECRET = "key-of-tests"
HEADERS = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
AUTH = {"action": "auth", "key": KEY, "secret": SECRET}
CONNECTED = {"T": "success", "msg": "connected"}
AUTHENTICATED = {"T": "success", "msg": "authenticated"}
CONTROLS = frozenset({"success", "error", "subscription"})


class MarketDialect(Dialect):
    """The data plane alone."""

    name = "market"

    def __init__(self, settings=None):
        self._settings = settings
        self._books = {}

    def book_of(self, broker):
        return self._books.setdefault(broker.account_id, AssetBook(broker))

    def mount(self, app, host):
        mount_market(app, host, self, settings=self._settings)

    def refuse(self, status, message):
        return refusal(message, status)


class Market:
    """A served market, and ways to ask it."""

    def __init__(self, broker, host, clock, session):
        self.broker = broker
        self.clock = clock
        self.url = host.url
        self._session = session

    async def get(self, path, **query):
        """Return the status and the body, numbers as their text."""
        async with self._session.get(self.url + path, params=query) as response:
            return response.status, json.loads(await response.text(), parse_float=str)

    async def body(self, path, **query):
        status, body = await self.get(path, **query)
        assert (200, None) == (status, body.get("message"))
        return body

    async def ask(self, make_client, question):
        """Ask an official client, which blocks, in a thread of its own; return its answer."""

        def asking():
            client = make_client()
            with closing(client._session):
                return question(client)

        async with asyncio.timeout(LONGEST_S):
            return await asyncio.to_thread(asking)

    @asynccontextmanager
    async def socket(self, path, *, is_packed=False, headers=None):
        """Open a stream's socket; a client of it that speaks JSON or msgpack."""
        shown = dict(headers or {})
        if is_packed:
            shown["Content-Type"] = "application/msgpack"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(self.url + path, headers=shown) as socket,
        ):
            yield Client(socket, is_packed=is_packed)

    @asynccontextmanager
    async def stream(self, path, *, is_packed=False):
        """Open a stream and authenticate."""
        async with self.socket(path, is_packed=is_packed) as client:
            assert [CONNECTED] == await client.frame()
            assert [AUTHENTICATED] == await client.say(AUTH)
            yield client


class Client:
    """A client of a data stream."""

    def __init__(self, socket, *, is_packed):
        self.socket = socket
        self._is_packed = is_packed
        self._items = deque()

    async def frame(self):
        """Return the next frame's items; the close code once it has closed."""
        message = await self.socket.receive(timeout=LONGEST_S)
        if message.type is aiohttp.WSMsgType.BINARY:
            assert self._is_packed
            return msgpack.unpackb(message.data)
        if message.type is aiohttp.WSMsgType.TEXT:
            assert not self._is_packed
            return json.loads(message.data, parse_float=str)
        return message.data if message.type is aiohttp.WSMsgType.CLOSE else self.socket.close_code

    async def control(self):
        """Return the next frame that is no market data."""
        while True:
            frame = await self.frame()
            if isinstance(frame, int) or frame[0]["T"] in CONTROLS:
                return frame

    def forget(self):
        """Leave out the items that have come and were not asked for."""
        self._items.clear()

    async def item(self, **fields):
        """Return the next item that has these fields."""
        while True:
            while not self._items:
                self._items.extend(await self.frame())
            item = self._items.popleft()
            if fields.items() <= item.items():
                return item

    async def send(self, message):
        if self._is_packed:
            await self.socket.send_bytes(msgpack.packb(message))
        else:
            await self.socket.send_json(message)

    async def say(self, message):
        """Send a message and return the answer."""
        await self.send(message)
        return await self.control()


@asynccontextmanager
async def market(*, clock=None, settings=None, keys=None, limits=None, **options):
    """Serve the market data of a mock with these options."""
    clock = clock or ManualClock()
    async with (
        dragoman.connect("mock", clock=clock, **options) as broker,
        SimpleHost(broker, MarketDialect(settings), keys=keys, limits=limits) as host,
        aiohttp.ClientSession(headers=HEADERS) as session,
    ):
        yield Market(broker, host, clock, session)
