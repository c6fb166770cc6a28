"""A hub over an upstream and a log that tests hold in their hands."""

import asyncio
import contextlib
from decimal import Decimal

import pytest

from dragoman.errors import SequenceGapError, UnknownInstrumentError
from dragoman.models import (
    Account,
    AccountEvent,
    AccountEventKind,
    Bar,
    Channel,
    ConnectionEvent,
    ConnectionState,
    Depth,
    Gap,
    LedgerEntry,
    LedgerEvent,
    LedgerKind,
    MarketStatus,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    OrderType,
    Position,
    PositionEvent,
    ProtectionEvent,
    ProtectionKind,
    Quote,
    RateLimit,
    Side,
    Subscription,
    Ticker,
    Timeframe,
    Trade,
    TradeCorrection,
    TradingState,
)
from dragoman.ports import EventPort
from dragoman.streaming import Hub
from dragoman.streaming.topics import topic_of, topics_of
from dragoman.tasks import TaskScope
from dragoman.times import ManualClock

PROVIDER = "fake"


class Make:
    """Events, numbered by `received_at_ns` so that each can be told from the next."""

    def __init__(self):
        self.count = 0

    def quote(self, symbol="AAPL"):
        return Quote(symbol=symbol, bid_price=Decimal(1), **self._header())

    def ticker(self, symbol="AAPL"):
        return Ticker(symbol=symbol, last_price=Decimal(1), **self._header())

    def trade(self, symbol="AAPL"):
        return Trade(symbol=symbol, price=Decimal(1), size=Decimal(1), **self._header())

    def correction(self, symbol="AAPL"):
        return TradeCorrection(symbol=symbol, trade_id="t-1", **self._header())

    def status(self, symbol="AAPL"):
        return MarketStatus(symbol=symbol, state=TradingState.OPEN, **self._header())

    def depth(self, symbol="AAPL", *, is_snapshot=False):
        return Depth(symbol=symbol, bids=(), asks=(), is_snapshot=is_snapshot, **self._header())

    def bar(self, symbol="AAPL", open_time_ns=0, timeframe="1m"):
        prices = dict.fromkeys(("open", "high", "low", "close"), Decimal(1))
        return Bar(
            symbol=symbol,
            timeframe=Timeframe.parse(timeframe),
            open_time_ns=open_time_ns,
            is_complete=True,
            **prices,
            **self._header(),
        )

    def gap(self, lost, symbol="AAPL"):
        return Gap(channel=Channel.TRADES, symbol=symbol, lost=lost, received_at_ns=1)

    def rate_limit(self, pool="orders"):
        self.count += 1
        return RateLimit(pool=pool, remaining=self.count, received_at_ns=self.count)

    def connection(self, state=ConnectionState.RECONNECTED, channel="market"):
        self.count += 1
        return ConnectionEvent(state=state, channel=channel, received_at_ns=self.count)

    def private(self, sequence, kind="position"):
        return getattr(self, f"_{kind}")({"account_id": "A", "sequence": sequence})

    def _order(self, header):
        order = Order(
            client_order_id="o-1",
            account_id="A",
            symbol="AAPL",
            side=Side.BUY,
            order_type=OrderType.MARKET,
            quantity=Decimal(1),
            status=OrderStatus.OPEN,
            provider=PROVIDER,
            received_at_ns=1,
        )
        kind = OrderEventKind.ACCEPTED
        return OrderEvent(order=order, kind=kind, received_at_ns=1, **header)

    def _position(self, header):
        position = Position(
            position_id="AAPL",
            account_id="A",
            symbol="AAPL",
            quantity=Decimal(1),
            provider=PROVIDER,
            received_at_ns=1,
        )
        return PositionEvent(position=position, received_at_ns=1, **header)

    def _account(self, header):
        account = Account(account_id="A", provider=PROVIDER, received_at_ns=1)
        kind = AccountEventKind.UPDATED
        return AccountEvent(account=account, kind=kind, received_at_ns=1, **header)

    def _ledger(self, header):
        entry = LedgerEntry(
            entry_id="e",
            account_id="A",
            kind=LedgerKind.FEE,
            venue_time_ns=1,
            provider=PROVIDER,
            received_at_ns=1,
        )
        return LedgerEvent(entry=entry, received_at_ns=1, **header)

    def _protection(self, header):
        return ProtectionEvent(
            kind=ProtectionKind.PROTECTED,
            position_id="AAPL",
            client_order_ids=(),
            cause="test",
            received_at_ns=1,
            **header,
        )

    def _header(self):
        self.count += 1
        return {"provider": PROVIDER, "received_at_ns": self.count}


class FakeUpstream(EventPort):
    """Streams that say what the test says, to whoever subscribed to it."""

    def __init__(self):
        self.opened = []
        self.live = []
        self.refused = set()
        self.gates = {}
        self.closing_gate = None
        self.greeting = {}
        self.most_per_topic = 0

    @contextlib.asynccontextmanager
    async def stream(self, subscription):
        topics = topics_of(subscription)
        self.opened.append(subscription)
        await self._pass_gates(topics)
        line = _Line(topics)
        for topic in sorted(topics & self.greeting.keys()):
            line.queue.put_nowait([self.greeting[topic]])
        self.live.append(line)
        for topic in topics:
            held = sum(topic in one.topics for one in self.live)
            self.most_per_topic = max(self.most_per_topic, held)
        try:
            yield line.batches()
        finally:
            if self.closing_gate is not None:
                await self.closing_gate.wait()
            self.live.remove(line)

    def emit(self, *events):
        """Send one batch to each stream that asked for any of it; session events to all."""
        for line in self.live:
            batch = [event for event in events if self._concerns(event, line)]
            if batch:
                line.queue.put_nowait(batch)

    def fail(self, topic, error):
        self._line(topic).queue.put_nowait(error)

    def end(self, topic, *last):
        self._line(topic).queue.put_nowait([*last])
        self._line(topic).queue.put_nowait(None)

    @property
    def topics(self):
        return {topic for line in self.live for topic in line.topics}

    def _line(self, topic):
        return next(line for line in self.live if topic in line.topics)

    @staticmethod
    def _concerns(event, line):
        topic = topic_of(event)
        if topic is not None and topic.symbol is None:
            return any(one.channel is topic.channel for one in line.topics)
        return topic is None or topic in line.topics

    async def _pass_gates(self, topics):
        for topic in topics:
            if topic in self.gates:
                await self.gates[topic].wait()
        refused = sorted({topic.symbol for topic in topics} & self.refused)
        if refused:
            raise UnknownInstrumentError(f"no such instrument: {refused}")


class _Line:
    def __init__(self, topics):
        self.topics = topics
        self.queue = asyncio.Queue()
        self.is_closed = False

    async def batches(self):
        try:
            while (item := await self.queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.is_closed = True


class FakeLog:
    """Private events as a journal keeps them; `forget` prunes the old ones."""

    def __init__(self):
        self.events = []
        self.pruned = 0
        self.reads = 0

    @property
    def last_sequence(self):
        return self.events[-1].sequence if self.events else 0

    def since(self, sequence, limit):
        self.reads += 1
        if sequence < self.pruned:
            raise SequenceGapError(f"only events above {self.pruned} are kept")
        return self.events[sequence : sequence + limit]

    def forget(self, sequence):
        self.pruned = sequence


class World:
    """A hub and everything around it."""

    def __init__(self, *, stuck_after_s=None):
        self.make = Make()
        self.upstream = FakeUpstream()
        self.log = FakeLog()
        self.clock = ManualClock()
        self.failures = []
        self.scope = TaskScope(lambda name, error: self.failures.append((name, error)))
        self.hub = Hub(self.upstream, self.log, self.scope, self.clock, stuck_after_s=stuck_after_s)

    def journal(self, kind="position"):
        """Append a private event to the log, unpublished."""
        event = self.make.private(self.log.last_sequence + 1, kind)
        self.log.events.append(event)
        return event

    def publish(self, count=1, kind="position"):
        """Journal and publish private events; return them."""
        events = [self.journal(kind) for _ in range(count)]
        self.hub.publish(events)
        return events

    async def settle(self):
        await self.clock.advance()

    async def drain(self, stream):
        """Take all that can be had from a stream without waiting for anything new."""
        taken = []
        while (event := await self.next_or_none(stream)) is not None:
            taken.append(event)
        return taken

    async def next_or_none(self, stream):
        task = asyncio.get_running_loop().create_task(anext(stream))
        await self.settle()
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
        return None if task.cancelled() else task.result()

    def start(self, work):
        return asyncio.get_running_loop().create_task(work)

    async def aclose(self):
        await self.hub.aclose()
        await self.scope.close()


@pytest.fixture
async def world():
    world = World()
    yield world
    await world.aclose()
    assert [] == world.upstream.live
    assert [] == world.failures


@pytest.fixture
def make(world):
    return world.make


@pytest.fixture(scope="session")
def make_events():
    """Make a maker of events, for tests that draw many examples."""
    return Make


@pytest.fixture(scope="session")
def make_world():
    """Make a world inside the loop of a test that runs its own."""
    return World


@pytest.fixture(scope="session")
def everything():
    """Subscribe to every market channel of the symbols, and nothing of the account."""

    def subscribe(*symbols):
        return Subscription(
            quotes=symbols,
            trades=symbols,
            depth=symbols,
            tickers=symbols,
            market_status=symbols,
            bars=[(symbol, "1m") for symbol in symbols],
        )

    return subscribe
