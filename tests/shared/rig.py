"""One venue whose prices a test sets, reached in either of two ways that must not differ.

`mock`: the library's own adapter of the mock venue. `alpaca`: the Alpaca adapter, which speaks
through a proxy to the Alpaca dialect, which is served over a broker of the very same venue.

Everybody shares one clock. It runs by itself, some twenty times as fast as the event loop's own
time, so that what backs off or paces itself goes on; a test may let it jump besides.
"""

import asyncio
import contextlib
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

import dragoman
from dragoman import HealthState, OrderEvent, OrderEventKind, OrderRequest, OrderType, Side
from dragoman.dialects import SimpleHost
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.market.scripted import ScriptedFeed
from dragoman.paper.settings import FeeSchedule, VenueSettings
from dragoman.times import ManualClock
from dragoman_alpaca.dialect import AlpacaDialect
from dragoman_conformance.chaos import ChaosProxy, FrameFault, FrameToxic, HttpToxic
from dragoman_mock import MockVenue

LONGEST_S = 30.0
STEP_S = 0.02
SPEED = 20.0
TICK_NS = 1_000_000
WAYS = ("mock", "alpaca")
BUY = {"symbol": "AAPL", "side": Side.BUY, "order_type": OrderType.MARKET, "quantity": "10"}
REST = {**BUY, "order_type": OrderType.LIMIT, "limit_price": "90"}
UNDER_WAY = frozenset({OrderEventKind.PENDING_CANCEL, OrderEventKind.PENDING_REPLACE})
NOON_NS = 1_767_787_200_000_000_000
SYMBOLS = ("AAPL", "MSFT", "BTC/USD")


def amount(value):
    return None if value is None else Decimal(value)


async def eventually(condition):
    """Wait for what comes about in its own time; returns what the condition does."""
    async with asyncio.timeout(LONGEST_S):
        while not (found := condition()):  # noqa: ASYNC110 - what goes on in sockets sets no event
            await asyncio.sleep(0.002)
    return found


class Venue:
    """The venue, its prices and its clock."""

    def __init__(self, start_ns=NOON_NS, **settings):
        self.clock = ManualClock(start_ns)
        self.feed = ScriptedFeed(symbols=SYMBOLS)
        made = VenueSettings(**{"fees": FeeSchedule.free(), **settings})
        self.mock = MockVenue(made, feed=self.feed, clock=self.clock)
        self._moving = asyncio.Lock()

    def connect(self, **options):
        """Connect to the venue straight, by the library's own adapter of it."""
        return dragoman.connect("mock", venue=self.mock, **{"clock": self.clock, **options})

    async def run(self):
        """Let the time pass, for ever."""
        while True:
            await asyncio.sleep(STEP_S)
            await self.pause(STEP_S * SPEED)

    async def pause(self, seconds):
        """Let so much time pass at once."""
        async with self._moving:
            await self.clock.advance(seconds=seconds)

    async def quote(self, bid, ask, symbol="AAPL", *, size="1000", last=None, last_size="10"):
        """Show a market, and let it become so."""
        async with self._moving:
            when_ns = self.clock.now_ns() + TICK_NS
            tick = MarketTick(
                when_ns,
                symbol,
                amount(bid),
                amount(size) if bid is not None else None,
                amount(ask),
                amount(size) if ask is not None else None,
                amount(last),
                amount(last_size) if last is not None else None,
            )
            self.feed.push(tick)
            if self.mock.is_open:
                self.mock.refresh()
            await self.clock.advance_to_ns(when_ns)


class Rig:
    """Everything between a strategy and the venue, one way; `broker` is the strategy's."""

    def __init__(self, way, stack, folder, **settings):
        self.way = way
        self.venue = Venue(**settings)
        self.clock = self.venue.clock
        self.broker = None
        self.served = None
        self.observer = None
        self.proxy = None
        self.heard = []
        self._stack = stack
        self._folder = Path(folder)
        self._client = None
        self._served = None
        self._host = None

    async def open(self, **served):
        """Open the venue, and the dialect over it where that is the way."""
        runner = asyncio.get_running_loop().create_task(self.venue.run())
        self._stack.push_async_callback(_end, runner)
        await self.venue.quote("99", "101", last="100")
        await self.venue.quote("299", "301", "MSFT", last="300")
        await self.venue.quote("49990", "50010", "BTC/USD", last="50000")
        self.observer = await self._stack.enter_async_context(self.venue.connect())
        if self.way == "alpaca":
            await self.open_served(**served)
            await self.serve()
            self._stack.push_async_callback(self.close_served)
        self._stack.push_async_callback(self.close_client)

    async def open_served(self, **options):
        """Connect the broker that the dialect is served over; its journal outlives it."""
        self._served = AsyncExitStack()
        connection = self.venue.connect(state_dir=self._folder / "served", **options)
        self.served = await self._served.enter_async_context(connection)

    async def close_served(self):
        """End what is served, and the broker it is served over."""
        await self.stop_serving()
        await self._served.aclose()

    async def serve(self):
        """Serve the broker as Alpaca; the proxy in front stays where it is."""
        self._host = AsyncExitStack()
        host = await self._host.enter_async_context(SimpleHost(self.served, AlpacaDialect()))
        port = int(host.url.rpartition(":")[2])
        if self.proxy is None:
            self.proxy = await self._stack.enter_async_context(ChaosProxy(port))
        self.proxy._venue_port = port

    async def stop_serving(self):
        """End the dialect and its host; whoever is connected loses the connection."""
        await self._host.aclose()

    async def connect(self, **options):
        """Connect the broker under test, and note what it tells."""
        self._client = AsyncExitStack()
        options = {
            "clock": self.clock,
            "state_dir": self._folder / "own",
            "timeout_s": 10.0,
            **options,
        }
        if self.way == "mock":
            connection = self.venue.connect(**options)
        else:
            connection = dragoman.connect(
                "alpaca-paper",
                endpoints={
                    "rest": f"http://127.0.0.1:{self.proxy.port}",
                    "stream": f"ws://127.0.0.1:{self.proxy.port}",
                },
                api_key="captain",
                secret_key="key-of-tests",
                **options,
            )
        self.broker = await self._client.enter_async_context(connection)
        hears = self.broker.listen(
            self.heard.append, orders=True, positions=True, account=True, ledger=True
        )
        await self._client.enter_async_context(hears)
        return self.broker

    @property
    def is_connected(self):
        """Whether there is a broker under test now."""
        return self._client is not None

    async def close_client(self):
        """End the broker under test."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def spoil(self, fault, **facts):
        """Break a request that passes the proxy: the sending of an order unless told otherwise."""
        return self.proxy.add(HttpToxic(fault=fault, **{"path": "/v2/orders", **facts}))

    def deafen(self):
        """Let no update of an order come by the stream."""
        self.proxy.add(FrameToxic(fault=FrameFault.DROP, text=b'"trade_updates"', times=None))

    async def submit(self, client_order_id="c1", **fields):
        """Send an order: BUY 10 AAPL at the market unless told otherwise."""
        return await self.broker.submit(client_order_id=client_order_id, **{**BUY, **fields})

    async def rest(self, client_order_id="c1", **fields):
        """Send an order that rests below the market."""
        return await self.submit(client_order_id, **{**REST, **fields})

    def order(self, client_order_id="c1"):
        """Return what is known of an order; None if nothing is."""
        return self.broker.state.order(client_order_id)

    async def becomes(self, *statuses, name="c1"):
        """Wait until an order has one of these statuses; returns it then."""
        with contextlib.suppress(TimeoutError):
            await eventually(lambda: self.order(name) and self.order(name).status in statuses)
        assert self.order(name).status in statuses
        return self.order(name)

    def events(self, client_order_id="c1"):
        """Return what was heard of one order, in order."""
        orders = [one for one in self.heard if isinstance(one, OrderEvent)]
        return [one for one in orders if one.order.client_order_id == client_order_id]

    def kinds(self, client_order_id="c1"):
        """Return what was heard to happen to an order; commands under way may be told or not."""
        return [str(one.kind) for one in self.events(client_order_id) if one.kind not in UNDER_WAY]

    def fills(self, client_order_id="c1"):
        """Return what was heard to execute of an order."""
        events = self.events(client_order_id)
        return [(one.fill.quantity, one.fill.price) for one in events if one.fill is not None]

    async def tells(self, *kinds, name="c1"):
        """Wait until all of this was heard of an order, and claim that nothing else was."""
        with contextlib.suppress(TimeoutError):
            await eventually(lambda: len(self.kinds(name)) >= len(kinds))
        await self.has_heard()
        assert [str(kind) for kind in kinds] == self.kinds(name)

    async def has_heard(self):
        """Wait until the listener has heard the last of what is stored."""

        def is_level():
            numbers = [getattr(one, "sequence", 0) for one in self.heard]
            return max(numbers, default=0) >= self.broker.state.sequence

        await eventually(is_level)

    def held(self, symbol="AAPL"):
        """Return the quantity that is held, as far as is known here."""
        return sum(one.quantity for one in self.broker.state.positions if one.symbol == symbol)

    async def holds(self, quantity, symbol="AAPL"):
        """Wait until so much is held."""
        with contextlib.suppress(TimeoutError):
            await eventually(lambda: Decimal(quantity) == self.held(symbol))
        assert Decimal(quantity) == self.held(symbol)

    async def is_live(self):
        """Wait until the account may be traded with."""
        await eventually(lambda: HealthState.LIVE is self.broker.health.state)

    async def place_elsewhere(self, client_order_id="other", **fields):
        """Have somebody else place an order in the same account, straight at the venue."""
        request = OrderRequest(
            client_order_id=client_order_id, account_id="paper-1", **{**REST, **fields}
        )
        await self.venue.mock.act(lambda engine: engine.submit(request))

    @property
    def posts(self):
        """How many orders were sent, as far as the proxy."""
        return self.proxy.count("POST", "/v2/orders")


async def _end(task):
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
