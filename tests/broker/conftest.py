"""A market whose every price a test decides, with a broker connected to it.

Time limits of callers are the loop's own: a busy machine does not use them up.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from decimal import Decimal

import pytest

import dragoman
from dragoman import Broker, Event, ManualClock, OrderEvent, SeededIds
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.market.scripted import ScriptedFeed
from dragoman.paper.settings import FeeSchedule, VenueSettings
from dragoman.times import SECOND_NS
from dragoman_mock import MockVenue

D = Decimal


class Market:
    """One symbol's market in the hands of a test: at first 100.00 bid, 100.02 asked, 500 each.

    It begins on a Wednesday at 14:30 UTC, or so many seconds later.
    """

    def __init__(self, symbol: str = "AAPL", later_s: int = 0, **settings: object) -> None:
        self.symbol = symbol
        self.clock = ManualClock(ManualClock().now_ns() + later_s * SECOND_NS)
        self.feed = ScriptedFeed(symbols=[symbol])
        self._push("100.00", "100.02", "100.01", "500")
        fees = {"fees": FeeSchedule.free(), **settings}
        self.venue = MockVenue(VenueSettings(**fees), feed=self.feed, clock=self.clock)  # type: ignore[arg-type]
        self._stack = AsyncExitStack()

    async def connect(self, **options: object) -> Broker:
        """Connect one more broker to this market; the first tick is behind it."""
        options = {"ids": SeededIds(), "timeout_s": 5.0, **options}
        connection = dragoman.connect("mock", venue=self.venue, clock=self.clock, **options)  # type: ignore[arg-type]
        broker = await self._stack.enter_async_context(connection)
        await self.clock.advance(seconds=2)
        return broker

    async def tick(self, bid: str, ask: str, last: str | None = None, size: str = "500") -> None:
        """Let the market move a second later."""
        self._push(bid, ask, last, size)
        await self.clock.advance(seconds=1)
        await self.venue.act(lambda _: ())
        await self.clock.advance()

    async def aclose(self) -> None:
        """Disconnect everybody."""
        await self._stack.aclose()

    def _push(self, bid: str, ask: str, last: str | None, size: str) -> None:
        price = D(last) if last else None
        tick = MarketTick(
            self.clock.now_ns() + SECOND_NS // 2,
            self.symbol,
            D(bid),
            D(size),
            D(ask),
            D(size),
            price,
            D(1) if price else None,
        )
        self.feed.push(tick)


@pytest.fixture
async def market() -> AsyncIterator[Market]:
    one = Market()
    yield one
    await one.aclose()


@pytest.fixture
async def broker(market: Market) -> Broker:
    return await market.connect()


@pytest.fixture
async def open_market() -> AsyncIterator[Callable[..., Market]]:
    """Make markets with settings of their own."""
    made: list[Market] = []

    def make(**settings: object) -> Market:
        made.append(Market(**settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


async def drained(events: AbstractAsyncContextManager[object], count: int) -> list[Event]:
    """Read `count` events of a stream that is open."""
    found: list[Event] = []
    async for event in events:  # type: ignore[attr-defined]
        found.append(event)
        if len(found) == count:
            return found
    return found


def journalled(broker: Broker) -> list[OrderEvent]:
    """Return every event of an order that has been told so far."""
    events = broker._session.journal.since(0, 10_000)
    return [event for event in events if isinstance(event, OrderEvent)]


def told(broker: Broker) -> list[str]:
    """Return what has been told of orders so far, as 'id KIND' lines."""
    return [f"{event.order.client_order_id} {event.kind}" for event in journalled(broker)]
