"""Trade updates: greeted, listened to, never taken for live before Alpaca says so."""

import json
from decimal import Decimal

import pytest

from dragoman.adapter import AdapterContext, Environment
from dragoman.errors import (
    AuthenticationError,
    RateLimitedError,
    StreamLostError,
)
from dragoman.models import (
    OrderEvent,
    OrderEventKind,
    PositionEvent,
    Quarantined,
    Staleness,
    StalenessState,
    Subscription,
)
from dragoman.times import SECOND_NS
from dragoman_alpaca.mapping.reading import Reading
from dragoman_alpaca.stream.trading import TradeUpdatesProtocol

from ...core.transport.stream_doubles import JumpyClock
from .stream_rig import ORDER, PRIVATE, TRADING, C, rigged, update
from .stream_venue import KEY, SECRET


@pytest.fixture
async def rig():
    async with rigged() as rig:
        yield rig


async def test_trade_updates_are_greeted_by_the_key_and_then_listened_to(rig):
    await rig.entered(PRIVATE)

    assert [
        (TRADING, {"action": "auth", "key": KEY, "secret": SECRET}),
        (TRADING, {"action": "listen", "data": {"streams": ["trade_updates"]}}),
    ] == rig.venue.heard
    assert [10.0] == [request.heartbeat_s for request in rig.venue.requests]


@pytest.mark.parametrize("is_binary", [True, False], ids=["binary", "text"])
async def test_an_order_s_life_is_told_in_order(rig, is_binary):
    rig.venue.is_binary = is_binary
    reader = await rig.entered(PRIVATE)

    await rig.say(TRADING, update("pending_new"), update("new", execution_id="e-1"))
    order = ORDER | {"filled_qty": "2", "status": "filled"}
    fill = {"price": "10", "qty": "2", "position_qty": "2", "execution_id": "e-2", "order": order}
    await rig.say(TRADING, update("fill", **fill, timestamp="2024-01-02T15:00:00Z"))

    kinds = [event.kind for event in reader.of(OrderEvent)]
    assert OrderEventKind.FILL is kinds[-1]
    assert [Decimal(2)] == [event.position.quantity for event in reader.of(PositionEvent)]


async def test_orders_alone_bring_no_positions(rig):
    orders = await rig.entered(Subscription(orders=True))
    positions = await rig.entered(Subscription(positions=True))

    order = ORDER | {"filled_qty": "2", "status": "filled"}
    fill = {"price": "10", "qty": "2", "position_qty": "2", "execution_id": "e-2", "order": order}
    await rig.say(TRADING, update("fill", **fill))

    assert [] == orders.of(PositionEvent)
    assert [] == positions.of(OrderEvent)
    assert 1 == len(positions.of(PositionEvent))
    assert 1 == len(rig.venue.wires)


async def test_a_key_that_trade_updates_refuse_is_an_authentication_error():
    async with rigged(credentials={"api_key": KEY, "secret_key": "wrong"}) as rig:
        reader = rig.reader(PRIVATE)
        await rig.clock.advance(seconds=1)

        assert isinstance(reader.failure, AuthenticationError)
        assert "wrong" not in str(reader.failure)
        assert 1 == len(rig.venue.wires)


async def test_an_unknown_update_is_quarantined_and_the_stream_lives(rig):
    reader = await rig.entered(PRIVATE)

    await rig.say(TRADING, {"stream": "trade_updates", "data": {"event": "fill"}})
    rig.venue.wire.say("no json", b"\xff\xfe")
    await rig.say(TRADING, {"stream": "of the future", "data": {}}, update("new"))

    assert 3 <= len(reader.of(Quarantined))
    assert 1 == len(reader.of(OrderEvent))
    assert [C.CONNECTED] == reader.states


async def test_after_a_loss_trade_updates_are_listened_to_again(rig):
    reader = await rig.entered(PRIVATE)
    rig.venue.wire.cut()
    await rig.pass_quietly(3)
    await rig.say(TRADING, update("new"))

    assert [C.CONNECTED, C.DISCONNECTED, C.RECONNECTING, C.RECONNECTED] == reader.states
    listen = {"action": "listen", "data": {"streams": ["trade_updates"]}}
    assert [listen, listen] == rig.venue.asked(TRADING)
    assert 1 == len(reader.of(OrderEvent))


async def test_f27_trade_updates_that_are_not_confirmed_are_not_live(rig):
    reader = await rig.entered(PRIVATE)
    rig.venue.ignores_streams = True
    rig.venue.wire.cut()
    await rig.pass_quietly(5)
    assert C.RECONNECTED not in reader.states

    rig.venue.ignores_streams = False
    await rig.pass_quietly(60)
    assert C.RECONNECTED is reader.states[-1]


async def test_f28_a_handshake_that_is_refused_for_haste_is_paced(rig):
    reader = await rig.entered(PRIVATE)
    rig.venue.refuses_always = RateLimitedError("the stream was not opened", code="429")
    rig.venue.wire.cut()
    await rig.pass_quietly(60)
    assert len(rig.venue.requests) <= 1 + 60 / 5

    rig.venue.refuses_always = None
    await rig.pass_quietly(60)
    assert C.RECONNECTED is reader.states[-1]


async def test_f21_an_idle_account_is_asked_and_stays_live(rig):
    reader = await rig.entered(PRIVATE)

    await rig.pass_quietly(600)

    assert [C.CONNECTED] == reader.states
    assert 30 <= len(rig.venue.asked(TRADING)) <= 45


async def test_f21_a_mute_stream_is_stale_and_connected_anew(rig):
    reader = await rig.entered(PRIVATE)
    rig.venue.is_mute = True
    await rig.pass_quietly(31)
    rig.venue.is_mute = False
    await rig.pass_quietly(10)

    stale = reader.of(Staleness)[0]
    assert StalenessState.STALE is stale.state
    assert stale.received_at_ns - stale.since_ns <= 31 * SECOND_NS
    assert C.RECONNECTED is reader.states[-1]


@pytest.mark.parametrize("ending", ["error", "unauthorized"])
async def test_a_listen_that_is_refused_for_now_is_tried_again(rig, ending):
    answers = {
        "error": {"stream": "listening", "data": {"error": "internal error"}},
        "unauthorized": {
            "stream": "authorization",
            "data": {"status": "unauthorized", "action": "listen"},
        },
    }
    rig.venue.listening = answers[ending]
    reader = rig.reader(PRIVATE)
    await rig.clock.settle()
    assert not reader.is_in

    rig.venue.listening = None
    await rig.pass_quietly(5)
    assert reader.is_in


async def test_overlapping_connections_tell_an_update_once():
    clock = JumpyClock()
    context = AdapterContext(provider="p", environment=Environment.PAPER, clock=clock)
    reading = Reading(provider="p", account_id="account-1", received_at_ns=0)
    protocol = TradeUpdatesProtocol(context, url="wss://alpaca.test", reading=lambda: reading)
    frames = [
        json.dumps(update("new", event_id=event_id, at=at))
        for event_id, at in (("01J-1", "2024-01-02T15:00:00Z"), ("01J-1", None), (None, None))
    ]

    first, again, unnamed = (protocol.dedupe_key(one, protocol.decode(one)) for one in frames)

    assert first is not None
    assert first == again
    assert unnamed is None


async def test_a_stream_that_lost_its_key_is_connected_anew(rig):
    reader = await rig.entered(PRIVATE)
    gone = {"stream": "authorization", "data": {"status": "unauthorized", "action": "listen"}}
    await rig.say(TRADING, gone)
    await rig.pass_quietly(3)

    assert C.RECONNECTED is reader.states[-1]


async def test_streams_end_by_what_the_venue_says_last(rig):
    reader = await rig.entered(PRIVATE)
    rig.venue.authorization = "unauthorized"
    rig.venue.wire.cut(StreamLostError("the peer closed it (1008)"))
    await rig.pass_quietly(3)

    assert isinstance(reader.failure, AuthenticationError)
    assert [C.CONNECTED, C.DISCONNECTED, C.RECONNECTING, C.FAILED] == reader.states
