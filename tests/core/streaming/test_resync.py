"""A venue's stream says everything that a session needs to know, in an order that it can trust."""

import asyncio
import contextlib
import random

import pytest

from dragoman.adapter import AdapterContext, Environment
from dragoman.errors import AuthenticationError, ConnectFailedError, StreamLostError
from dragoman.models import (
    Channel,
    ConnectionEvent,
    ConnectionState,
    Gap,
    Quarantined,
    RateLimit,
    Staleness,
    StalenessState,
    Subscription,
)
from dragoman.streaming.resync import venue_stream
from dragoman.times import SECOND_NS
from dragoman.transport.link_report import LinkState
from dragoman.transport.link_terms import LinkTerms

from ..transport.stream_doubles import JumpyClock, ScriptedProtocol, ScriptedVenue

C = ConnectionState
PRIVATE = Subscription(orders=True, positions=True)
MARKET = Subscription(quotes=("B", "A"), trades="A")


class EventProtocol(ScriptedProtocol):
    """Payloads are events of this library."""

    clock = None

    def decode(self, frame):
        found = super().decode(frame)
        if not isinstance(found, tuple):
            return found
        return [RateLimit(pool=str(found[0]), received_at_ns=self.clock.now_ns())]


class Rig:
    def __init__(self, subscription=PRIVATE, *, keep_raw=False, **terms):
        self.clock = JumpyClock()
        self.venue = ScriptedVenue()
        self.protocol = EventProtocol()
        self.protocol.clock = self.clock
        self.subscription = subscription
        self.terms = LinkTerms(**terms)
        self.told = []
        self.ending = None
        self.stream = None
        self.context = AdapterContext(
            provider="test",
            environment=Environment.SIMULATED,
            clock=self.clock,
            random=random.Random(3),
            keep_raw=keep_raw,
        )

    def make(self):
        return venue_stream(
            self.protocol,
            context=self.context,
            transport=self.venue,
            subscription=self.subscription,
            terms=self.terms,
        )

    async def read(self):
        try:
            async for batch in self.stream:
                self.told += batch
        except StreamLostError as error:
            self.ending = error
        except AuthenticationError as error:
            self.ending = error

    @contextlib.asynccontextmanager
    async def live(self):
        async with self.make() as self.stream:
            reader = asyncio.create_task(self.read())
            try:
                await self.clock.settle()
                yield self
            finally:
                reader.cancel()
                await asyncio.wait([reader])

    def of(self, kind):
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def states(self):
        return [event.state for event in self.of(ConnectionEvent)]

    @property
    def pools(self):
        return [event.pool for event in self.of(RateLimit)]


@pytest.fixture
def rig():
    return Rig()


async def test_entered_means_subscribed_and_the_first_word_is_connected(rig):
    async with rig.make() as stream:
        assert ["subscribe orders"] == rig.venue.wire.sent
        rig.venue.wire.say({"event": 1})
        await rig.clock.settle()
        connected, first = await anext(stream)

    assert (C.CONNECTED, "private") == (connected.state, connected.channel)
    assert "1" == first.pool
    assert [] == rig.venue.open_wires


async def test_f20_a_loss_is_told_with_its_cause_and_the_length_of_the_gap(rig):
    async with rig.live():
        rig.venue.wire.say({"event": 1})
        await rig.clock.advance(seconds=2)
        rig.venue.refusals = [ConnectFailedError("nobody listens")]
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=3)
        rig.venue.wire.say({"event": 2})
        await rig.clock.settle()

        told = rig.told[2:]

    assert [
        C.CONNECTED,
        C.DISCONNECTED,
        C.RECONNECTING,
        C.RECONNECTING,
        C.RECONNECTED,
    ] == rig.states
    lost, first, second, back, event = told
    assert "the peer reset the connection" in lost.cause
    assert lost.cause == first.cause
    assert "nobody listens" == second.cause
    assert 2 * SECOND_NS <= back.gap_ns <= 4 * SECOND_NS
    assert "2" == event.pool
    assert all(event.cause for event in rig.of(ConnectionEvent))


async def test_f21_staleness_is_told_before_the_loss_and_freshness_before_the_return(rig):
    async with rig.live():
        await rig.clock.advance(seconds=12)
        told = [event for event in rig.told if isinstance(event, (ConnectionEvent, Staleness))]

    assert [
        C.CONNECTED,
        StalenessState.STALE,
        C.DISCONNECTED,
        C.RECONNECTING,
        StalenessState.FRESH,
        C.RECONNECTED,
    ] == [event.state for event in told]
    stale, fresh = rig.of(Staleness)
    assert 10 * SECOND_NS == stale.received_at_ns - stale.since_ns
    assert stale.since_ns == fresh.since_ns
    assert ("private", ()) == (stale.channel, stale.symbols)


async def test_f25_what_comes_while_it_resubscribes_follows_reconnected_and_none_is_lost(rig):
    async with rig.live():
        rig.venue.acks = False
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=1)
        rig.venue.wire.say({"event": 1}, {"ack": "orders"}, {"event": 2})
        await rig.clock.settle()

        back, first, second = rig.told[-3:]
        assert C.RECONNECTED is back.state
        assert ("1", "2") == (first.pool, second.pool)


async def test_missing_market_data_is_a_gap_for_each_channel_after_the_return():
    rig = Rig(MARKET)
    async with rig.live():
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=2)

        assert [Channel.QUOTES, Channel.TRADES] == [gap.channel for gap in rig.of(Gap)]
        assert rig.told.index(rig.of(Gap)[0]) > rig.told.index(rig.of(ConnectionEvent)[-1])
        assert {"market"} == {event.channel for event in rig.of(ConnectionEvent)}


async def test_a_private_stream_tells_no_gap_of_market_data(rig):
    async with rig.live():
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=2)

        assert C.RECONNECTED is rig.states[-1]
        assert [] == rig.of(Gap)


async def test_the_symbols_of_a_stale_market_channel_are_named():
    rig = Rig(MARKET)
    async with rig.live():
        await rig.clock.advance(seconds=11)

        assert ("A", "B") == rig.of(Staleness)[0].symbols


async def test_f66_a_bad_frame_is_quarantined_and_the_stream_lives(rig):
    async with rig.live():
        rig.venue.wire.say({"event": 1}, {"bad": "secret"}, {"bug": "secret"}, {"event": 2})
        await rig.clock.settle()

        assert ["1", "2"] == rig.pools
        first, second = rig.of(Quarantined)
        assert ("private", "DecodeError: not understood", None) == (
            first.channel,
            first.error,
            first.raw,
        )
        assert "KeyError" in second.error
        assert "secret" not in repr(rig.told)
        assert [C.CONNECTED] == rig.states
        assert 2 == rig.stream.link.undecoded


async def test_f66_the_raw_frame_is_kept_only_where_it_is_asked_for():
    rig = Rig(keep_raw=True)
    async with rig.live():
        rig.venue.wire.say('{"bad": "\u5e01"}', b'{"bad": 2}')
        await rig.clock.settle()

        assert ['{"bad": "\u5e01"}'.encode(), b'{"bad": 2}'] == [
            event.raw for event in rig.of(Quarantined)
        ]


async def test_f74_a_terminal_error_is_told_and_then_raised(rig):
    async with rig.live():
        rig.venue.wire.say({"event": 1}, {"refused": 1})
        await rig.clock.advance(seconds=1)

        assert [C.CONNECTED, C.DISCONNECTED, C.FAILED] == rig.states
        assert isinstance(rig.ending, AuthenticationError)
        assert "the token died" in rig.told[-1].cause


async def test_a_refusal_on_entry_is_raised_there(rig):
    rig.venue.refusals = [AuthenticationError("bad key")]

    with pytest.raises(AuthenticationError):
        async with rig.make():
            pass


async def test_f76_flapping_is_named_in_the_cause(rig):
    async with rig.live():
        for _ in range(4):
            rig.venue.wire.cut()
            await rig.clock.advance(seconds=8)
            rig.venue.wire.say({"beat": 1})

        causes = [event.cause for event in rig.of(ConnectionEvent) if event.state is C.DISCONNECTED]
        assert not causes[0].startswith("flapping: ")
        assert causes[-1].startswith("flapping: ")


async def test_f77_a_rollover_tells_no_gap_and_no_loss():
    rig = Rig(MARKET)
    async with rig.live():
        rig.venue.wire.say({"leaving": 1})
        await rig.clock.advance(seconds=3)

        assert [C.CONNECTED, C.CONNECTED] == rig.states
        assert rig.told[-1].cause.startswith("rolled over without a gap: ")
        assert [] == rig.of(Gap)


async def test_f80_a_suspended_machine_is_stale_at_once_and_the_gap_counts_the_sleep(rig):
    async with rig.live():
        rig.clock.wall_offset_ns = 1800 * SECOND_NS
        await rig.clock.advance(seconds=6)

        assert StalenessState.STALE is rig.of(Staleness)[0].state
        assert C.RECONNECTED is rig.states[-1]
        assert rig.of(ConnectionEvent)[-1].gap_ns >= 1800 * SECOND_NS


async def test_f81_a_blocked_loop_is_logged_and_no_loss(rig, caplog):
    async with rig.live():
        await rig.clock.advance(seconds=7)
        rig.venue.wire.say({"event": 1})
        await rig.clock.block(5)
        await rig.clock.advance(seconds=1)

        lags = [record.lag_s for record in caplog.records if "blocked" in record.message]
        assert [2.0] == lags
        assert ["1"] == rig.pools
        assert [C.CONNECTED] == rig.states


async def test_f24_events_come_in_the_order_in_which_they_were_said(rig):
    async with rig.live():
        rig.venue.wire.say(*({"event": n} for n in range(200)))
        await rig.clock.settle()

        assert [str(n) for n in range(200)] == rig.pools


async def test_a_reader_canceled_while_it_waits_loses_nothing(rig):
    async with rig.make() as stream:
        await anext(stream)
        for n in range(20):
            waiting = asyncio.create_task(anext(stream))
            for _ in range(n % 4):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            assert waiting.cancelled()
        rig.venue.wire.say({"event": 1})

        assert "1" == (await anext(stream))[0].pool


async def test_after_the_exit_the_stream_says_that_it_ended_and_ends(rig):
    async with rig.make() as stream:
        await anext(stream)

    assert [C.ENDED] == [event.state for event in await anext(stream)]
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert LinkState.CLOSED is stream.link.state
