"""Alpaca's trading API served over a broker in the test's hands, on a real port of this machine."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp

from dragoman.dialects import SimpleHost
from dragoman_alpaca.dialect import AlpacaDialect

LONGEST_S = 30.0
KEY = "captain"
SECRET = "key-of-tests"
HEADERS = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
AUTH = {"action": "auth", "key": KEY, "secret": SECRET}
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}
BUY = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}
REST = {**BUY, "type": "limit", "limit_price": "90", "time_in_force": "gtc"}


class Client:
    """Asks the API with plain HTTP; numbers that are no text stay text."""

    def __init__(self, broker, host, session):
        self.broker = broker
        self.host = host
        self.url = host.url
        self.session = session

    async def ask(self, method, path, *, headers=None, **more):
        """Return the status and the body; None for an empty one."""
        async with self.session.request(method, self.url + path, headers=headers, **more) as got:
            text = await got.text()
            return got.status, json.loads(text, parse_float=str) if text else None

    async def get(self, path, **query):
        """Return the body of what must be there."""
        status, body = await self.ask("GET", path, params=query)
        assert 200 == status, body
        return body

    async def refused(self, method, path, **more):
        """Return the status, the code and the message of what must be refused."""
        status, body = await self.ask(method, path, **more)
        assert {"code", "message"} <= body.keys()
        return status, body["code"], body["message"]

    async def submit(self, **fields):
        """Send an order: BUY 10 AAPL at the market unless told otherwise."""
        status, body = await self.ask("POST", "/v2/orders", json={**BUY, **fields})
        assert 200 == status, body
        return body

    async def rest(self, **fields):
        """Send an order that rests below the market."""
        return await self.submit(**{**REST, **fields})

    async def replace(self, order, **fields):
        """Change an order; returns the new one."""
        status, body = await self.ask("PATCH", f"/v2/orders/{order['id']}", json=fields)
        assert 200 == status, body
        return body

    async def order(self, order):
        """Return an order as it stands now."""
        return await self.get(f"/v2/orders/{order['id']}")

    @asynccontextmanager
    async def updates(self, *messages, **settings):
        """Connect to the stream, send what is given, and read what answers it."""
        async with self.session.ws_connect(f"{self.url}/stream", **settings) as socket:
            stream = Updates(socket)
            for message in messages or (AUTH, LISTEN):
                await stream.say(message)
            yield stream


class Updates:
    """One connection to the stream."""

    def __init__(self, socket):
        self.socket = socket
        self.answers = []

    async def say(self, message):
        """Send a message, and keep what answers it."""
        await self.socket.send_json(message)
        self.answers.append(await self.frame())

    async def frame(self):
        """Return the next frame."""
        frame = await self.socket.receive(LONGEST_S)
        assert aiohttp.WSMsgType.BINARY is frame.type, frame
        return json.loads(frame.data)

    async def next(self):
        """Return the next update."""
        frame = await self.frame()
        assert "trade_updates" == frame["stream"]
        return frame["data"]

    async def until(self, word):
        """Return the updates up to the one with that word."""
        found = [await self.next()]
        while word != found[-1]["event"]:
            found.append(await self.next())
        return found


@asynccontextmanager
async def served(brokers, *, headers=None, **settings):
    """Serve one broker or several; the client shows a key."""
    shown = HEADERS if headers is None else headers
    first = brokers[0] if isinstance(brokers, (list, tuple)) else brokers
    async with (
        SimpleHost(brokers, AlpacaDialect(), **settings) as host,
        aiohttp.ClientSession(headers=shown) as session,
    ):
        yield Client(first, host, session)


async def eventually(condition):
    """Wait for what comes about in its own time."""
    async with asyncio.timeout(LONGEST_S):
        while not condition():  # noqa: ASYNC110 - what it asks about sets no event
            await asyncio.sleep(0.001)
