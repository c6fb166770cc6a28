"""One client's view: what a client that does not keep up is told, and that nothing is lost."""

import asyncio
import json
from decimal import Decimal

import pytest
from tests.core.dialects.toy import HeldVenue
from tests.core.transport.raw_server import until

import dragoman
from dragoman.dialects.sockets import PackedFrame
from dragoman.models import Channel, Quote
from dragoman.streaming import Topic
from dragoman.tasks import TaskScope
from dragoman_gateway.native.stream.fan import Fan
from dragoman_gateway.native.stream.follower import Follower

ORDER = {"symbol": "AAPL", "side": dragoman.Side.BUY, "order_type": dragoman.OrderType.MARKET}
QUOTES = Topic(Channel.QUOTES, "AAPL")


class Pipe:
    """A client's socket whose client stops reading, and reads again, when the test says so."""

    def __init__(self):
        self.is_open = True
        self.messages = []
        self._waiting = []
        self._is_level = asyncio.Event()
        self._is_level.set()
        self.is_stuck = False

    @property
    def waiting_bytes(self):
        return sum(len(frame.data) for frame in self._waiting)

    def offer(self, frame):
        if self.is_stuck or self._waiting:
            return False
        self._read(frame)
        return True

    def send(self, frame):
        if not self.offer(frame):
            self._waiting.append(frame)
            self._is_level.clear()
        return True

    async def drained(self):
        await self._is_level.wait()

    def read_on(self):
        self.is_stuck = False
        for frame in self._waiting:
            self._read(frame)
        self._waiting.clear()
        self._is_level.set()

    def _read(self, frame):
        data, place = frame.data, 0
        while place < len(data):
            length, place = data[place + 1], place + 2
            if length >= 126:
                size = 2 if length == 126 else 8
                length, place = int.from_bytes(data[place : place + size], "big"), place + size
            self.messages.append(json.loads(data[place : place + length]))
            place += length

    @property
    def events(self):
        return [one["event"] for one in self.messages if "event" == one["type"]]


@pytest.fixture
async def venue():
    return HeldVenue()


@pytest.fixture
async def broker(venue):
    async with venue.connect() as broker:
        yield broker


@pytest.fixture
async def fan(broker):
    scope = TaskScope()
    fan = Fan(broker, scope, lambda _: None)
    await fan.start()
    yield fan
    await scope.close()


@pytest.fixture
async def pipe():
    return Pipe()


@pytest.fixture
async def follower(fan, pipe):
    await fan.acquire([QUOTES])
    follower = Follower(fan, pipe)
    follower.topics = frozenset({QUOTES})
    follower.channels = frozenset({Channel.ORDERS})
    fan.join(follower)
    fan.include(follower)
    return follower


def quote(bid):
    return Quote(symbol="AAPL", bid_price=Decimal(bid), provider="fake", received_at_ns=bid)


async def place(broker, count):
    for _ in range(count):
        await broker.submit(**ORDER, quantity=1)


def sequences(pipe):
    return [event["sequence"] for event in pipe.events if "sequence" in event]


async def test_who_lags_is_told_so_and_fed_by_the_journal_until_level(broker, fan, pipe, follower):
    await place(broker, 2)
    await until(lambda: broker.state.sequence == fan.sequence)
    pipe.is_stuck = True
    pipe.send(PackedFrame(json.dumps({"type": "x", "pad": "x" * 1024 * 1024 * 2})))
    await place(broker, 20)
    await until(lambda: broker.state.sequence == fan.sequence)

    assert follower.is_replaying
    pipe.read_on()
    await until(lambda: not follower.is_replaying)
    await place(broker, 1)
    await until(lambda: broker.state.sequence in sequences(pipe))

    kinds = [one["type"] for one in pipe.events if "sequence" not in one]
    told = [event["from_sequence"] for event in pipe.events if "ReaderLagged" == event["type"]]
    assert [*range(1, broker.state.sequence + 1)] == sequences(pipe)
    assert (["ReaderLagged"], [5]) == (kinds, told)
    assert 1 == sum("level" == one["type"] for one in pipe.messages)


async def test_market_data_is_conflated_for_who_lags_with_exact_counts(venue, fan, pipe, follower):
    pipe.is_stuck = True
    pipe.send(PackedFrame(json.dumps({"type": "x", "pad": "x" * 1024 * 512})))
    for number in range(1, 5001):
        venue.push("AAPL", quote(number))
    await until(lambda: follower_has_seen(fan, 5000))
    pipe.read_on()
    await until(lambda: pipe.events and "5000" == pipe.events[-1].get("bid_price"))

    bids = [event for event in pipe.events if "Quote" == event["type"]]
    lost = sum(event["lost"] for event in pipe.events if "Gap" == event["type"])
    assert 5000 == len(bids) + lost
    assert len(bids) < 2000

    venue.push("AAPL", quote(5001))
    await until(lambda: "5001" == pipe.events[-1].get("bid_price"))
    assert 5000 == sum(event["lost"] for event in pipe.events if "Gap" == event["type"]) + len(bids)


def follower_has_seen(fan, bid):
    latest = fan._latest.of(QUOTES)
    return latest is not None and bid == latest.bid_price


async def test_what_is_unsubscribed_while_it_is_held_back_is_never_sent(venue, fan, pipe, follower):
    pipe.is_stuck = True
    pipe.send(PackedFrame(json.dumps({"type": "x", "pad": "x" * 1024 * 512})))
    venue.push("AAPL", quote(1), quote(2))
    await until(lambda: follower_has_seen(fan, 2))

    fan.drop(follower, [QUOTES], [])
    follower.topics = frozenset()
    follower.forget(frozenset({QUOTES}))
    pipe.read_on()
    await until(lambda: not pipe.waiting_bytes)

    assert [] == pipe.events
    follower.close()
