"""Wharf's adapter over wharf's dialect over a venue whose prices a test sets, and one clock."""

import asyncio
import contextlib
from decimal import Decimal

import dragoman
from dragoman.dialects import SimpleHost
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.market.scripted import ScriptedFeed
from dragoman.paper.settings import FeeSchedule, VenueSettings
from dragoman.registry import Registry
from dragoman.times import ManualClock
from dragoman_conformance.chaos import ChaosProxy
from dragoman_conformance.references.wharf.dialect import WharfDialect
from dragoman_conformance.references.wharf.spec import PROTOCOL
from dragoman_mock import MockVenue

REGISTRY = Registry([PROTOCOL])
LONGEST_S = 30.0
SYMBOLS = ("AAPL", "MSFT", "BTC/USD")
CREDENTIALS = {"key": "captain", "secret": "sealing wax of tests"}


async def eventually(condition):
    """Wait for what comes about in its own time; returns what the condition does."""
    async with asyncio.timeout(LONGEST_S):
        while not (found := condition()):  # noqa: ASYNC110 - what goes on in sockets sets no event
            await asyncio.sleep(0.002)
    return found


class Rig:
    """A venue, the dialect over it, a proxy before that, and whoever connects through it."""

    def __init__(self, stack, **settings):
        self.clock = ManualClock()
        self.feed = ScriptedFeed(symbols=SYMBOLS)
        made = VenueSettings(**{"fees": FeeSchedule.free(), **settings})
        self.venue = MockVenue(made, feed=self.feed, clock=self.clock)
        self.dialect = WharfDialect()
        self.proxy = None
        self.served = None
        self._stack = stack
        self._moving = asyncio.Lock()

    async def open(self):
        """Serve the venue as wharf."""
        runner = asyncio.get_running_loop().create_task(self._run())
        self._stack.push_async_callback(_end, runner)
        await self.quote("99", "101", last="100")
        await self.quote("49990", "50010", "BTC/USD", last="50000")
        self.served = await self._stack.enter_async_context(
            dragoman.connect("mock", venue=self.venue, clock=self.clock)
        )
        self.dialect.enrol(CREDENTIALS)
        host = await self._stack.enter_async_context(SimpleHost(self.served, self.dialect))
        port = int(host.url.rpartition(":")[2])
        self.proxy = await self._stack.enter_async_context(ChaosProxy(port))

    async def connect(self, **options):
        """Connect a broker as a user would."""
        port = self.proxy.port
        connection = dragoman.connect(
            "wharf",
            registry=REGISTRY,
            endpoints={"rest": f"http://127.0.0.1:{port}", "stream": f"ws://127.0.0.1:{port}"},
            **{**CREDENTIALS, "clock": self.clock, "timeout_s": 10.0, **options},
        )
        return await self._stack.enter_async_context(connection)

    async def pause(self, seconds):
        """Let so much time pass at once."""
        async with self._moving:
            await self.clock.advance(seconds=seconds)

    async def quote(self, bid, ask, symbol="AAPL", *, size="1000", last=None, last_size="10"):
        """Show a market, and let it become so."""
        async with self._moving:
            when_ns = self.clock.now_ns() + 1_000_000
            sizes = Decimal(size)
            print_ = (None, None) if last is None else (Decimal(last), Decimal(last_size))
            tick = MarketTick(when_ns, symbol, Decimal(bid), sizes, Decimal(ask), sizes, *print_)
            self.feed.push(tick)
            if self.venue.is_open:
                self.venue.refresh()
            await self.clock.advance_to_ns(when_ns)

    async def _run(self):
        while True:
            await asyncio.sleep(0.02)
            await self.pause(0.4)


async def _end(task):
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
