"""The parts that need no server: breakers, names, clients and their frames, silence, counters."""

import asyncio
import json
import uuid

import attrs
import pytest

from dragoman.dialects import MemoryIdentities
from dragoman.models import MarketStatus, TradingState
from dragoman.times import MINUTE_NS, ManualClock
from dragoman_tektii.dialect.asking import word_of
from dragoman_tektii.dialect.audience import Audience, Client, News
from dragoman_tektii.dialect.breakers import Breaker, Breakers
from dragoman_tektii.dialect.messages import read_acknowledgment
from dragoman_tektii.dialect.metrics import Metrics
from dragoman_tektii.dialect.naming import Named, Naming
from dragoman_tektii.dialect.problems import RefusedError
from dragoman_tektii.dialect.silence import LONGEST_SILENCE_NS, Silence
from dragoman_tektii.dialect.subscriptions import Topic
from dragoman_tektii.dialect.texts import instant
from dragoman_tektii.dialect.wishes import Wish, read_subscribe
from dragoman_tektii.mapping.words import SIDES

QUOTE = Topic("quote")


class Socket:
    """Keeps what it is sent."""

    def __init__(self):
        self.texts = []
        self.ending = None

    def send(self, frame):
        """Keep a frame."""
        self.texts.append(frame if isinstance(frame, str) else frame.data.decode(errors="ignore"))
        return True

    def end(self, code, reason):
        """Note why it ends."""
        self.ending = (code, reason)


async def test_third_failure_within_five_minutes_opens_a_breaker_for_good():
    clock = ManualClock()
    breaker = Breaker(clock)

    breaker.failed()
    breaker.failed()
    await clock.advance(seconds=301)
    breaker.failed()
    assert {"state": "closed", "failure_count": 1} == breaker.row()
    breaker.failed()
    breaker.failed()
    await clock.advance(seconds=1000)

    assert {"state": "open", "failure_count": 0} == breaker.row()


async def test_second_reset_within_a_minute_changes_neither_breaker():
    clock = ManualClock()
    breakers = Breakers(clock)
    breakers.reset()
    for _ in range(3):
        breakers.exits.failed()

    with pytest.raises(RefusedError, match="wait 60 s"):
        breakers.reset()
    breakers.check(has_exits=False)
    with pytest.raises(RefusedError, match="exits"):
        breakers.check(has_exits=True)
    await clock.advance(seconds=60)
    breakers.reset()

    breakers.check(has_exits=True)


def test_orders_are_remembered_across_processes():
    kept = MemoryIdentities()
    first = Naming("mock\x1fpaper-1", kept).note("c1", is_named=False, is_traced=True)

    again = Naming("mock\x1fpaper-1", kept)

    assert first == again.find("c1") == again.note("c1", is_named=True, is_traced=False)
    assert not first.is_named
    assert 4 == uuid.UUID(first.correlation_id).version
    assert Named() == again.find("elsewhere")
    close = again.note("c2", is_named=False, is_traced=False)
    assert (False, None) == (close.is_named, close.correlation_id)


def test_spelling_of_a_client_is_remembered_and_never_another_symbols():
    kept = MemoryIdentities()
    naming = Naming("a", kept)

    naming.spell("BTCUSD", "BTC/USD")
    naming.spell("BTCUSD", "BTC/USDT")
    naming.spell("AAPL", "AAPL")

    later = Naming("a", kept)
    assert ("BTCUSD", "BTC/USDT", "AAPL") == tuple(
        later.spelled(symbol) for symbol in ("BTC/USD", "BTC/USDT", "AAPL")
    )


def test_order_is_told_as_its_own_client_spelled_it_and_market_data_as_it_was_asked_for():
    kept = MemoryIdentities()
    naming = Naming("a", kept)

    naming.stream("BTC_USD", "BTC/USD")
    for name, spelling in (("one", "BTCUSD"), ("two", "BTC/USD")):
        naming.note(name, is_named=True, is_traced=True, spelling=spelling)
        naming.spell(spelling, "BTC/USD")

    told = [naming.spelled("BTC/USD", *names) for names in (["one"], ["leg", "one"], ["two"], [])]
    assert ["BTCUSD", "BTCUSD", "BTC/USD", "BTC/USD"] == told
    assert "BTCUSD" == Naming("a", kept).spelled("BTC/USD", "one")
    assert ("BTC_USD", "ETH/USD") == (naming.streamed("BTC/USD"), naming.streamed("ETH/USD"))


def test_paced_event_waits_for_its_id_and_for_somebody_to_hear_it():
    audience, socket = Audience(), Socket()
    audience.say(News({"type": "order"}), "e1")
    audience.say(News({"type": "ping"}))

    audience.join(Client(socket), [{"type": "connection"}])

    kinds = [json.loads(text[text.index("{") :]) for text in socket.texts]
    assert [{"type": "connection"}, {"type": "order", "event_id": "e1"}] == kinds
    assert ["e1"] == audience.release(["e2", "e1", "e1"])
    assert [] == audience.release(["e1"])


async def test_reader_of_a_paced_source_goes_on_once_all_is_acknowledged():
    audience = Audience()
    audience.join(Client(Socket()), [])
    audience.say(News({}), "e1")
    audience.say(News({}), "e2")
    waiting = asyncio.get_running_loop().create_task(audience.released())

    audience.release(["e1"])
    await asyncio.sleep(0)
    assert not waiting.done()
    audience.release(["e2"])

    async with asyncio.timeout(10):
        await waiting


def test_each_client_hears_what_is_for_it():
    usual, wishing = Client(Socket()), Client(Socket(), Wish(quotes=frozenset({"AAPL"})))
    audience = Audience()
    audience.join(usual, [])
    audience.join(wishing, [])

    audience.say(News({"n": 1}, QUOTE, "AAPL", is_usual=False))
    audience.say(News({"n": 2}, QUOTE, "MSFT"))
    audience.say(News({"n": 3}, Topic("candle", "1m"), "AAPL", is_final=False))
    audience.tell({"n": 4})
    audience.tell({"n": 5, "long": "x" * 300_000})
    audience.leave(usual)
    audience.end(1000, "done")

    def heard(client):
        return [json.loads(text[text.index("{") :])["n"] for text in client.socket.texts]

    assert [2, 3, 4] == heard(usual)
    assert [1, 4] == heard(wishing)
    assert ((1000, "done"), None) == (wishing.socket.ending, usual.socket.ending)


def test_wish_names_orders_and_complete_bars():
    wish = Wish(events=frozenset({"order"}), candles=frozenset({("AAPL", "1m")}))

    assert wish.admits(Topic("order"), "X", is_final=True)
    assert wish.admits(Topic("candle", "1m"), "AAPL", is_final=True)
    assert not wish.admits(Topic("candle", "1m"), "AAPL", is_final=False)
    assert not wish.admits(Topic("trade"), "X", is_final=True)


def test_acknowledgment_has_all_its_fields():
    whole = {"type": "event_ack", "correlation_id": "x", "events_processed": [], "timestamp": 1}

    assert read_acknowledgment(json.dumps(whole)) is not None
    for name in whole:
        part = {key: value for key, value in whole.items() if key != name}
        assert read_acknowledgment(json.dumps(part)) is None
    assert read_acknowledgment(b"{}") is None
    assert read_subscribe(b"{}") is None
    assert read_subscribe("{") is None
    assert read_subscribe('{"type": "pong"}') is None


@pytest.mark.parametrize(
    ("instant_ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_500_000_000, "1970-01-01T00:00:01.5Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (None, None),
    ],
    ids=["whole", "half", "nanosecond", "unknown"],
)
def test_time_has_as_many_digits_as_it_needs(instant_ns, text):
    assert text == instant(instant_ns)


def test_word_is_all_capitals_or_all_small():
    assert word_of(SIDES, "buy", "side") is word_of(SIDES, "BUY", "side")
    with pytest.raises(RefusedError, match="bUY"):
        word_of(SIDES, "bUY", "side")


@attrs.define
class Market:
    """Stands in for a broker that knows whether a market is open."""

    state: TradingState
    reads: frozenset = frozenset({"MARKET_STATUS"})

    @property
    def capabilities(self):
        """Itself: it has the one attribute that is looked at."""
        return self

    async def fetch_market_status(self, symbol):
        """Return the state."""
        return MarketStatus(state=self.state, provider="x", received_at_ns=0, symbol=symbol)


@pytest.mark.parametrize(
    ("market", "is_stale"),
    [
        (Market(TradingState.OPEN), True),
        (Market(TradingState.CLOSED), False),
        (Market(TradingState.OPEN, frozenset()), False),
    ],
    ids=["open", "closed", "not_told"],
)
async def test_silence_counts_while_the_market_is_open(market, is_stale):
    silence = Silence(market)
    silence.heard("A", MINUTE_NS)
    silence.heard("B", LONGEST_SILENCE_NS)

    broken = await silence.broken({"A", "B", "NEVER"}, LONGEST_SILENCE_NS + MINUTE_NS)

    assert ({"A": MINUTE_NS} if is_stale else {}) == broken


def test_counters_are_written_as_prometheus_reads_them():
    class Host:
        clock = ManualClock()

        def __init__(self):
            self.counted = []

        def count(self, event, **labels):
            self.counted.append((event, labels))

    host = Host()
    metrics = Metrics(host)
    metrics.count("gateway_circuit_breaker_resets_total")
    metrics.count("gateway_order_events_total", platform='a"b', event_type="created")
    metrics.connected(1)
    with metrics.timed_submit("mock"):
        pass

    lines = metrics.text().splitlines()

    assert [("circuit_breaker_resets", {})] == host.counted
    assert "gateway_circuit_breaker_resets_total 1" in lines
    assert 'gateway_order_events_total{platform="a\\"b",event_type="created"} 1' in lines
    assert "gateway_ws_connections_active 1" in lines
    assert 'gateway_order_submit_duration_seconds_count{platform="mock"} 1' in lines
