"""A mock venue whose prices a test sets, on a clock that a test moves."""

from contextlib import AsyncExitStack
from decimal import Decimal

import pytest

from dragoman.adapter import AdapterContext, Environment
from dragoman.ids import SeededIds
from dragoman.models import OrderRequest, OrderType, Side, Subscription
from dragoman.paper.market.catalogue import default_instruments
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.market.scripted import ScriptedFeed
from dragoman.paper.settings import FeeSchedule, VenueSettings
from dragoman.times import ManualClock
from dragoman_mock import MockAdapter, MockVenue


def amount(value):
    return None if value is None else Decimal(value)


def context(clock, account_id=None, **options):
    return AdapterContext(
        provider="mock",
        environment=Environment.SIMULATED,
        account_id=account_id,
        clock=clock,
        ids=SeededIds("made"),
        options=options,
    )


class Desk:
    """A venue with scripted prices and everybody who is connected to it."""

    def __init__(self, clock, feed, venue):
        self.clock = clock
        self.feed = feed
        self.venue = venue
        self.stack = AsyncExitStack()

    async def connect(self, account_id="paper-1", **options):
        """Open an adapter on the venue; it is closed with the test."""
        adapter = MockAdapter(context(self.clock, account_id, venue=self.venue, **options))
        self.stack.push_async_callback(adapter.aclose)
        await adapter.open()
        return adapter

    async def listen(self, adapter, **wanted):
        """Open a stream; it is closed with the test."""
        stream = await self.stack.enter_async_context(adapter.stream(Subscription(**wanted)))
        return Reader(stream, self.clock)

    async def quote(self, bid, ask, symbol="AAPL", *, size=1000, last=None, last_size="10", **more):
        """Show a market one millisecond from now, and let it become so."""
        when_ns = self.clock.now_ns() + 1_000_000
        self.feed.push(
            MarketTick(
                when_ns,
                symbol,
                amount(bid),
                amount(size) if bid is not None else None,
                amount(ask),
                amount(size) if ask is not None else None,
                amount(last),
                amount(last_size) if last is not None else None,
                **{name: amount(price) for name, price in more.items()},
            )
        )
        if self.venue.is_open:
            self.venue.refresh()
        await self.clock.advance_to_ns(when_ns)


class Reader:
    """What a stream has said so far, without waiting for more."""

    def __init__(self, stream, clock):
        self.stream = stream
        self.clock = clock

    async def batch(self):
        """Return what is queued now; the stream must have something."""
        return await anext(self.stream)

    async def of(self, kind):
        """Return the queued events of one class."""
        return [event for event in await self.batch() if isinstance(event, kind)]


def make_desk(*, instruments=None, **settings):
    clock = ManualClock()
    feed = ScriptedFeed(symbols=["AAPL"])
    settings = VenueSettings(**{"fees": FeeSchedule.free(), **settings})
    venue = MockVenue(
        settings,
        instruments=instruments or default_instruments(clock.now_ns()),
        feed=feed,
    )
    return Desk(clock, feed, venue)


@pytest.fixture
async def desks():
    """A factory of venues; everybody leaves them with the test."""
    made = []

    def make(**settings):
        made.append(make_desk(**settings))
        return made[-1]

    yield make

    for desk in made:
        await desk.stack.aclose()


@pytest.fixture
async def desk(desks):
    return desks()


@pytest.fixture
async def adapter(desk):
    """An adapter of the account paper-1, with AAPL at 99 to 101."""
    adapter = await desk.connect()
    await desk.quote("99", "101")
    return adapter


@pytest.fixture
def make_context():
    return context


@pytest.fixture
def order():
    """A maker of requests for paper-1: BUY 10 AAPL at the market unless told otherwise."""
    count = 0

    def make(order_type=OrderType.MARKET, **fields):
        nonlocal count
        count += 1
        default = {
            "symbol": "AAPL",
            "side": Side.BUY,
            "quantity": 10,
            "client_order_id": f"order-{count}",
            "account_id": "paper-1",
        }
        return OrderRequest(order_type=order_type, **{**default, **fields})

    return make
