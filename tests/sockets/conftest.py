"""A broker, a venue, and between them a proxy for requests and one for streams, which break things.

All on real sockets of loopback. Client, proxies and venue share a clock that runs twenty times as
fast as their event loop, so that heartbeats and back-offs of many seconds pass in a test; what is
timed by the loop itself (a connect, a read) and what a caller waits for do not. The loop's own time
stands still while the machine does, and so nothing here depends on how fast or busy that is.

What a listener hears, it hears a little after it is so: a test waits for all that it claims.
"""

import asyncio
import contextlib
import itertools
import json
import time
from contextlib import AsyncExitStack

import pytest
from tests.patience import PatientClock

import dragoman
from dragoman import Alarm, HealthEvent, OrderEvent, OrderType, Side
from dragoman_conformance.chaos import ChaosProxy, FrameToxic, HttpFault, HttpToxic
from dragoman_conformance.harbor.server import HarborServer
from dragoman_conformance.harbor.settings import FillStyle, HarborSettings
from dragoman_conformance.harbor.spec import REGISTRY
from dragoman_conformance.simulation.checker import check
from dragoman_conformance.simulation.rows import row_of, row_of_order

ORDER = {
    "symbol": "AAPL",
    "side": Side.BUY,
    "order_type": OrderType.LIMIT,
    "quantity": "2",
    "limit_price": "100",
}
SPEED = 20.0
LONGEST_S = 30.0


class Rig:
    """Everything between a strategy and a venue's ledger."""

    def __init__(self, server, proxy, streams, clock, stack):
        self.server = server
        self.proxy = proxy
        self.streams = streams
        self.clock = clock
        self.events = []
        self._intents = set()
        self._stack = stack
        self.key = server.venue.settings.key

    @property
    def venue(self):
        return self.server.venue

    def endpoints(self):
        return {
            "rest": self.server.endpoints(self.proxy.port)["rest"],
            "stream": self.server.endpoints(self.streams.port)["stream"],
        }

    async def connect(self, **options):
        """Connect a broker by way of the proxies, and note every event of its account."""
        settings = {
            "registry": REGISTRY,
            "endpoints": self.endpoints(),
            "account_id": "A1",
            "state_dir": ":memory:",
            "clock": self.clock,
            "timeout_s": 8.0,
        }
        if self.key is not None:
            settings["key"] = self.key
        connection = dragoman.connect("harbor", **{**settings, **options})
        self.broker = await self._stack.enter_async_context(connection)
        hears = self.broker.listen(
            self.events.append, orders=True, positions=True, account=True, ledger=True
        )
        await self._stack.enter_async_context(hears)
        if not options.get("read_only"):
            await self.broker.instrument("AAPL")  # or the first order would read it first
        return self.broker

    async def submit(self, client_order_id="c1", **fields):
        self._intents.add(client_order_id)
        return await self.broker.submit(client_order_id=client_order_id, **{**ORDER, **fields})

    def http(self, fault, **facts):
        return self.proxy.add(HttpToxic(fault=fault, **{"path": "/orders", **facts}))

    def frame(self, fault, **facts):
        return self.streams.add(FrameToxic(fault=fault, **facts))

    def stream_reply(self, reply, **facts):
        """Answer the requests for a stream instead of opening it."""
        toxic = HttpToxic(
            fault=HttpFault.REPLY, method="GET", reply=reply, is_delivered=False, **facts
        )
        return self.streams.add(toxic)

    @property
    def posts(self):
        """How many orders were sent, as far as the proxy."""
        return self.proxy.count("POST", "/orders")

    def taken(self, client_order_id="c1"):
        """How many orders the venue took of one intent."""
        rows = self.venue.ledger.of("accepted")
        return sum(row["order"]["client_id"] == client_order_id for row in rows)

    @property
    def alarms(self):
        return [one for one in self.events if isinstance(one, Alarm)]

    @property
    def has_heard_all(self):
        """Whether the listener heard the last of what is stored."""
        heard = [one.sequence for one in self.events if hasattr(one, "sequence")]
        return max(heard, default=0) >= self.broker.state.sequence

    def has_been(self, *states):
        """Tell whether the account was ever said to be in one of these states of health."""
        told = [str(one.state) for one in self.events if isinstance(one, HealthEvent)]
        return not set(states).isdisjoint(told)

    def status(self, client_order_id="c1"):
        order = self.broker.state.order(client_order_id)
        return None if order is None else str(order.status)

    def kinds(self, client_order_id="c1"):
        """What was told of one order, in order."""
        return [str(one.kind) for one in self._of_orders() if self._is_of(one, client_order_id)]

    async def eventually(self, condition):
        """Wait until a condition holds; that which does not last must be asked of what was told."""
        async with asyncio.timeout(LONGEST_S):
            while not condition():  # noqa: ASYNC110 - what goes on in sockets sets no event
                await asyncio.sleep(0.005)

    async def heard(self):
        """Wait until the listener heard all that is stored by now."""
        await self.eventually(lambda: self.has_heard_all)

    async def becomes(self, status, client_order_id="c1"):
        """Wait until an order has a status that lasts, and the listener heard of it."""
        with contextlib.suppress(TimeoutError):
            await self.eventually(lambda: status == self.status(client_order_id))
        assert status == self.status(client_order_id)
        await self.heard()

    async def pause(self, seconds):
        """Let so many seconds of the shared clock pass."""
        await self.clock.sleep_ns(round(seconds * 1e9))

    async def is_live(self):
        """Wait until the account may be traded with again."""
        await self.eventually(lambda: "LIVE" == str(self.broker.health.state))

    async def verdict(self, *, but=()):
        """Have the client judged against the ledger, once everything has come to rest.

        `but` are the beginnings of what may be found because the test is about it.
        """
        await self.is_live()
        with contextlib.suppress(TimeoutError):
            await self.eventually(lambda: self.has_heard_all and not self._breaches(but))
        await self.heard()
        assert [] == self._breaches(but)

    def _breaches(self, but):
        end = {"is_live": "LIVE" == self.broker.health.state, "is_halted": self.broker.is_halted}
        state = self.broker.state
        rows = [
            *({"row": "intent", "client_id": name} for name in self._intents),
            *filter(None, map(row_of, self.events)),
            *map(row_of_order, state.orders),
            *(
                {"row": "position", "symbol": one.symbol, "quantity": str(one.quantity)}
                for one in state.positions
            ),
            {"row": "end", **end},
        ]
        found = check(self.venue.ledger.rows, json.loads(json.dumps(rows)))
        return [str(one) for one in found if not str(one).startswith(tuple(but))]

    def _of_orders(self):
        return [one for one in self.events if isinstance(one, OrderEvent)]

    def _is_of(self, event, client_order_id):
        return event.order.client_order_id == client_order_id


@pytest.fixture
async def open_rig():
    """Make a rig; settings of the venue as keywords, those of the proxies in `proxy`."""
    numbers = itertools.count(time.monotonic_ns())
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:

        async def open_rig(*, proxy=None, speed=SPEED, **settings):
            clock = PatientClock(loop, speed)
            terms = {
                "fills": FillStyle.NONE,
                "reject_share": 0.0,
                "rate_limit": 100_000,
                "key": f"captain-{next(numbers)}",  # who shares a key shares limits and breakers
                "cancel_delay_ns": (0, 0),
                "fill_delay_ns": (0, 0),
            }
            server = HarborServer(HarborSettings(**{**terms, **settings}), clock=clock)
            await stack.enter_async_context(server)
            proxies = [ChaosProxy(server.port, clock=clock, **(proxy or {})) for _ in range(2)]
            for one in proxies:
                await stack.enter_async_context(one)
            return Rig(server, *proxies, clock, stack)

        yield open_rig


@pytest.fixture
async def rig(open_rig):
    rig = await open_rig()
    await rig.connect()
    return rig
