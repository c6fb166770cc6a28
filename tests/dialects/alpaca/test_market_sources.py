import asyncio
import json
from decimal import Decimal

import pytest
from tests.dialects.alpaca.market_rig import MarketDialect

import dragoman
from dragoman.errors import StreamLostError
from dragoman.models import Bar, Channel, Quote, Subscription, Trade
from dragoman.times import SECOND_NS, ManualClock
from dragoman_alpaca.dialect.market_messages import Feed, SubscriptionError, Wanted
from dragoman_alpaca.dialect.market_rows import CRYPTO, RowWriter
from dragoman_alpaca.dialect.market_sources import BrokerSource, SampleSource, sample_events
from dragoman_alpaca.dialect.market_streams import MarketSettings, MarketStreams, _Session
from dragoman_alpaca.dialect.market_text import JsonText

FEED = Feed.crypto("us")
TRADE = Trade(
    symbol="BTC/USD", price=Decimal(1), size=Decimal(1), provider="mock", received_at_ns=0
)


class ScriptedSource:
    """Tells one batch, then ends or fails."""

    offered = frozenset(Channel)

    def __init__(self, *, has_lost=False, failure=None):
        self.has_lost = has_lost
        self._failure = failure

    async def want(self, wanted):
        return None

    async def batches(self):
        yield [TRADE]
        if self._failure is not None:
            raise self._failure

    def writer_of(self, symbol):
        return RowWriter(CRYPTO)


class RecordedSocket:
    """A client that says nothing, and keeps what it is told."""

    request = None

    def __init__(self):
        self.frames = []
        self.code = None
        self._ended = asyncio.Event()

    def send(self, frame):
        self.frames += json.loads(frame)
        return True

    def end(self, code, reason=""):
        self.code = code
        self._ended.set()

    async def __aiter__(self):
        await self._ended.wait()
        return
        yield


async def attended(source):
    socket = RecordedSocket()
    streams = MarketStreams(None, None, MarketSettings())
    session = _Session(streams, FEED, socket, JsonText())
    session._wanted = Wanted({"trades": ("*",)})

    await session._attend(source, "mock")
    return [frame.get("code", frame["T"]) for frame in socket.frames], socket.code


async def test_a_client_that_missed_events_is_a_slow_client():
    assert ([407], 1008) == await attended(ScriptedSource(has_lost=True))


async def test_a_stream_that_ends_goes_away_after_its_last_event():
    assert (["t"], 1001) == await attended(ScriptedSource())


async def test_a_stream_that_is_lost_is_an_internal_error():
    assert (["t", 500], 1011) == await attended(ScriptedSource(failure=StreamLostError("gone")))


async def test_a_defect_ends_the_stream_because_silence_would_look_like_a_quiet_market(caplog):
    assert (["t", 500], 1011) == await attended(ScriptedSource(failure=KeyError("a defect")))
    assert "a data stream broke" in caplog.text


@pytest.fixture
async def clock():
    return ManualClock()


@pytest.fixture
async def broker(clock):
    async with dragoman.connect("mock", clock=clock) as broker:
        yield broker


def wanted(**lists):
    return Wanted().with_added(lists, 1000)


async def test_a_broker_is_asked_for_the_difference_only(broker):
    async with broker.stream() as stream:
        source = BrokerSource(broker, MarketDialect().book_of(broker), FEED, stream, limit=100)
        await source.want(wanted(trades=["BTC/USD"], quotes=["BTC/USD", "AAPL", "NO/SUCH"]))
        first = stream.subscription
        await source.want(wanted(trades=["ETH/USD"], quotes=["BTC/USD"]))

        assert Subscription(trades=["BTC/USD"], quotes=["BTC/USD"]) == first
        assert Subscription(trades=["ETH/USD"], quotes=["BTC/USD"]) == stream.subscription


async def test_a_star_may_stand_for_so_many_symbols(broker):
    async with broker.stream() as stream:
        source = BrokerSource(broker, MarketDialect().book_of(broker), FEED, stream, limit=1)

        with pytest.raises(SubscriptionError) as caught:
            await source.want(wanted(bars=["*"]))

    assert 405 == caught.value.code


async def test_events_that_nobody_read_in_time_are_known_to_be_lost(broker, clock):
    async with broker.stream(buffer=2) as stream:
        source = BrokerSource(broker, MarketDialect().book_of(broker), FEED, stream, limit=1)
        await source.want(wanted(trades=["BTC/USD"]))
        assert not source.has_lost

        await clock.advance(seconds=60)

        assert source.has_lost


async def test_only_symbols_of_the_feed_have_rows(broker):
    book = MarketDialect().book_of(broker)
    await book.listed()
    async with broker.stream() as stream:
        source = BrokerSource(broker, book, FEED, stream, limit=1)

        assert RowWriter(CRYPTO) == source.writer_of("BTC/USD")
        assert source.writer_of("AAPL") is None
        assert source.writer_of("NO/SUCH") is None


async def test_the_test_feed_goes_by_the_clock(clock):
    batches = SampleSource(clock).batches()
    first = asyncio.ensure_future(anext(batches))
    await clock.advance(seconds=1)

    second = clock.now_ns() // SECOND_NS

    assert sample_events(second) == await first
    await batches.aclose()


def test_the_test_feed_shows_everybody_the_same():
    assert sample_events(7_000) == sample_events(7_000)
    assert [Quote, Trade] == [type(event) for event in sample_events(7_001)]


def test_a_bar_of_the_test_feed_is_made_of_its_prints():
    end = 7_020
    trades = [
        event
        for second in range(end - 60, end)
        for event in sample_events(second)
        if isinstance(event, Trade)
    ]
    [bar] = [event for event in sample_events(end) if isinstance(event, Bar)]
    prices = [trade.price for trade in trades]

    assert (prices[0], max(prices), min(prices), prices[-1]) == (
        bar.open,
        bar.high,
        bar.low,
        bar.close,
    )
    assert (sum(trade.size for trade in trades), 60) == (bar.volume, bar.trade_count)
    assert trades[0].venue_time_ns == bar.open_time_ns
