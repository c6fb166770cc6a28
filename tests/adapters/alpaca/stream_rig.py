"""Alpaca's streams over a script of them, and readers that tests let in and out."""

import asyncio
import contextlib
import random

from dragoman.adapter import AdapterContext, Environment
from dragoman.credentials import Credentials
from dragoman.errors import (
    DragomanError,
)
from dragoman.models import (
    ConnectionEvent,
    ConnectionState,
    Subscription,
)
from dragoman_alpaca.mapping.reading import Reading
from dragoman_alpaca.stream import AlpacaStreams

from ...core.transport.stream_doubles import JumpyClock
from .stream_venue import KEY, SECRET, AlpacaVenue

C = ConnectionState
TRADING, STOCKS, CRYPTO = "/stream", "/v2/iex", "/v1beta3/crypto/us"
KINDS = {"AAPL": "us_equity", "MSFT": "us_equity", "BTC/USD": "crypto"}
PRIVATE = Subscription(orders=True, positions=True)
QUOTES = Subscription(quotes="AAPL")
QUOTE = {"T": "q", "S": "AAPL", "bp": 87.66, "bs": 1, "ap": 87.68, "as": 4}
TRADE = {"T": "t", "S": "AAPL", "i": 96921, "p": 126.55, "s": 1}
ORDER = {
    "id": "a5be8f5e-fdfa-41f5-a644-7a74fe947a8f",
    "client_order_id": "intent-1",
    "symbol": "AAPL",
    "asset_class": "us_equity",
    "side": "buy",
    "type": "limit",
    "limit_price": "10",
    "time_in_force": "day",
    "qty": "2",
    "filled_qty": "0",
    "status": "new",
}


def update(event, **fields):
    return {"stream": "trade_updates", "data": {"event": event, "order": ORDER, **fields}}


class Reader:
    """A task that enters, reads and leaves when it is told to."""

    def __init__(self, streams, subscription):
        self.told = []
        self.failure = None
        self.is_in = False
        self.task = asyncio.create_task(self._run(streams, subscription))

    async def _run(self, streams, subscription):
        try:
            async with streams.open(subscription) as batches:
                self.is_in = True
                async for batch in batches:
                    self.told += batch
        except DragomanError as error:
            self.failure = error

    async def left(self):
        self.task.cancel()
        await asyncio.wait([self.task])

    def of(self, kind):
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def states(self):
        return [event.state for event in self.of(ConnectionEvent)]


class Rig:
    def __init__(self, *, credentials=None, options=None):
        self.clock = JumpyClock()
        self.venue = AlpacaVenue()
        self.readers = []
        self.context = AdapterContext(
            provider="alpaca-paper",
            environment=Environment.PAPER,
            endpoints={"stream": "wss://alpaca.test", "data_stream": "wss://alpaca.test"},
            credentials=Credentials(credentials or {"api_key": KEY, "secret_key": SECRET}),
            options=options or {},
            clock=self.clock,
            random=random.Random(3),
        )
        reading = Reading(provider="alpaca-paper", account_id="account-1", received_at_ns=0)
        self.streams = AlpacaStreams(
            self.context, self.venue, reading=lambda: reading, kind_of=KINDS.get
        )

    def reader(self, subscription):
        self.readers.append(Reader(self.streams, subscription))
        return self.readers[-1]

    async def entered(self, subscription):
        reader = self.reader(subscription)
        await self.clock.settle()
        assert reader.is_in, reader.failure
        return reader

    async def say(self, path, *frames):
        for frame in frames:
            self.venue.say(self.venue.wire_of(path), frame)
        await self.clock.settle()

    async def pass_quietly(self, seconds):
        """Let time pass while nothing happens."""
        for _ in range(seconds):
            await self.clock.advance(seconds=1)


@contextlib.asynccontextmanager
async def rigged(**how):
    rig = Rig(**how)
    try:
        yield rig
    finally:
        for reader in rig.readers:
            await reader.left()
        await rig.streams.aclose()
    assert [] == rig.venue.open_wires
