"""The stream: what a client is told first, of orders, positions, markets, and at the end."""

import json

import attrs
import pytest
from tests.dialects.tektii.gateway_rig import MARKET, REST
from tests.shared.rig import eventually

from dragoman.dialects import AccessKey
from dragoman.models import (
    Alarm,
    AlarmKind,
    ConnectionEvent,
    ConnectionState,
    RateLimit,
    Staleness,
    StalenessState,
)
from dragoman.times import SECOND_NS
from dragoman_tektii.dialect import parse_subscriptions
from dragoman_tektii.dialect.desks import Desk
from dragoman_tektii.dialect.feed import Feed
from dragoman_tektii.dialect.metrics import Metrics
from dragoman_tektii.dialect.service import health_row

QUOTED = ("AAPL", "BTCUSD", "EURUSD", "MSFT")


def entry(instrument, *events):
    row = {"platform": "mock", "instrument": instrument, "events": events}
    return parse_subscriptions(json.dumps([row]))


def publish(gateway, *events):
    """Let the session tell what a venue's connection would."""
    gateway.broker._session.hub.publish(events)


def connection(gateway, state, **facts):
    now_ns = gateway.venue.clock.now_ns()
    return ConnectionEvent(state=state, channel="market", received_at_ns=now_ns, **facts)


async def test_order_is_told_before_its_execution_then_position_and_exits(gateway):
    stream = await gateway.stream()

    handle = await gateway.submit(**MARKET, stop_loss="90", take_profit="120", client_order_id="c1")
    await stream.hear("account")
    await eventually(lambda: stream.told("c1-tp") and stream.told("c1-sl"))

    words = [
        (one["type"], one.get("event"))
        for one in stream.frames
        if one["type"] in {"order", "trade", "position"}
    ]
    assert [
        ("order", "ORDER_CREATED"),
        ("order", "ORDER_FILLED"),
        ("trade", "TRADE_FILLED"),
        ("position", "POSITION_OPENED"),
        ("order", "ORDER_CREATED"),
        ("order", "ORDER_CREATED"),
    ] == words
    created, filled, *legs = stream.of("order")
    assert handle["correlation_id"] == created["order"]["correlation_id"]
    assert handle["correlation_id"] == filled["order"]["correlation_id"]
    assert {"c1"} == {one["parent_order_id"] for one in legs}
    assert {"c1"} == {one["order"]["parent_order_id"] for one in legs}
    assert "event_id" not in filled
    times = [one["timestamp"] for one in stream.frames]
    assert all(time.endswith("Z") for time in times)


async def test_change_and_cancel_are_told_and_a_refusal_alone(gateway):
    stream = await gateway.stream()
    handle = await gateway.submit(**REST)
    await gateway.ask("PATCH", f"/v1/orders/{handle['id']}", {"limit_price": "91"})
    await gateway.ask("DELETE", f"/v1/orders/{handle['id']}")
    await gateway.submit(422, **{**MARKET, "quantity": "1000000000"}, client_order_id="c1")

    await stream.hear("order", event="ORDER_REJECTED")

    expected = ["ORDER_CREATED", "ORDER_MODIFIED", "ORDER_CANCELLED"]
    assert expected == stream.told(handle["id"])
    assert ["ORDER_REJECTED"] == stream.told("c1")


async def test_position_is_told_until_its_end(gateway):
    stream = await gateway.stream()
    await gateway.buy()
    await gateway.buy(quantity="5")
    await gateway.ask("DELETE", "/v1/positions/AAPL")

    closed = await stream.hear("position", event="POSITION_CLOSED")

    words = [one["event"] for one in stream.of("position")]
    assert ["POSITION_OPENED", "POSITION_MODIFIED", "POSITION_CLOSED"] == words
    position = closed["position"]
    assert ("0", "LONG", "101") == tuple(
        position[name] for name in ("quantity", "side", "average_entry_price")
    )


async def test_markets_of_a_simulated_broker_are_shown_without_any_entry(gateway):
    stream = await gateway.stream()
    await gateway.venue.quote("109", "111", last="110")

    told = await eventually(
        lambda: [one["quote"] for one in stream.of("quote") if one["quote"]["bid"] == "109"]
    )

    assert ("AAPL", "111", "mock") == tuple(told[0][name] for name in ("symbol", "ask", "provider"))
    bar = (await stream.hear("candle"))["bar"]
    assert ("1m", "mock") == (bar["timeframe"], bar["provider"])


async def test_entry_for_quotes_keeps_orders_of_its_symbol_back(open_gateway):
    gateway = await open_gateway([*entry("AAPL", "quote"), *entry("MSFT", "orders")])
    stream = await gateway.stream()

    await gateway.buy()
    await gateway.buy(symbol="BTC/USD", quantity="0.1")
    other = await gateway.submit(**{**REST, "symbol": "MSFT", "limit_price": "200"})
    await eventually(lambda: stream.told(other["id"]))
    await gateway.flow(stream)

    assert {other["id"]} == {one["order"]["id"] for one in stream.of("order")}
    assert [] == [*stream.of("trade"), *stream.of("account"), *stream.of("candle")]


async def test_alias_of_an_entry_is_how_its_symbol_is_told(open_gateway):
    gateway = await open_gateway(entry("BTCUSD", "*"))
    stream = await gateway.stream()

    handle = await gateway.submit(**{**MARKET, "symbol": "BTCUSD", "quantity": "1"})
    await stream.hear("position")

    symbols = {one["order"]["symbol"] for one in stream.of("order")}
    assert {"BTCUSD"} == symbols
    assert "BTCUSD" == (await gateway.get(f"/v1/orders/{handle['id']}"))["symbol"]


async def test_lost_connection_makes_every_symbol_stale_until_its_next_tick(gateway):
    stream = await gateway.stream()
    await gateway.flow(stream)
    lost = connection(gateway, ConnectionState.DISCONNECTED, cause="gone")
    back = connection(gateway, ConnectionState.RECONNECTED, gap_ns=2 * SECOND_NS)

    publish(gateway, lost)
    stale = await stream.hear("data_staleness", event="STALE")
    publish(gateway, back)
    await gateway.venue.quote("109", "111")
    fresh = await stream.hear("data_staleness", event="FRESH", symbols=["AAPL"])
    await eventually(lambda: [one for one in stream.of("quote") if one["quote"]["bid"] == "109"])

    assert list(QUOTED) == stale["symbols"]
    words = [one["event"] for one in stream.of("connection")]
    assert ["CONNECTED", "BROKER_DISCONNECTED", "BROKER_RECONNECTED"] == words
    assert 2000 == stream.of("connection")[-1]["gap_duration_ms"]
    assert stale["stale_since"] == fresh["stale_since"]
    tick = next(one for one in stream.of("quote") if one["quote"]["bid"] == "109")
    assert stream.frames.index(fresh) < stream.frames.index(tick)


async def test_what_is_stale_is_told_to_who_comes_and_to_who_asks_for_health(gateway):
    desk = Desk(gateway.broker, gateway.host, (), Metrics(gateway.host))
    desk.stale = {"MSFT": 2 * SECOND_NS, "AAPL": SECOND_NS}

    first, second = Feed(desk).greeting()

    assert ("connection", "CONNECTED", "mock") == (first["type"], first["event"], first["broker"])
    assert ("STALE", ["AAPL", "MSFT"], "1970-01-01T00:00:01Z") == (
        second["event"],
        second["symbols"],
        second["stale_since"],
    )
    health = health_row([desk], "sha")
    assert ("degraded", "sha") == (health["status"], health["git_sha"])
    assert ["AAPL", "MSFT"] == health["providers"][0]["stale_instruments"]


async def test_session_news_are_told_in_the_protocols_words(gateway):
    stream = await gateway.stream()
    await gateway.flow(stream)
    now_ns = gateway.venue.clock.now_ns()
    stale = Staleness(
        state=StalenessState.STALE,
        channel="market",
        symbols=("MSFT", "OTHER"),
        since_ns=now_ns,
        received_at_ns=now_ns,
    )

    publish(gateway, connection(gateway, ConnectionState.FAILED, cause="no more"))
    publish(gateway, RateLimit(pool="all", received_at_ns=now_ns, remaining=3))
    publish(gateway, RateLimit(pool="all", received_at_ns=now_ns, remaining=0))
    publish(gateway, attrs.evolve(stale, state=StalenessState.FRESH))
    publish(gateway, stale)
    publish(gateway, Alarm(kind=AlarmKind.LATE_FILL, cause="late", received_at_ns=now_ns))

    error = await stream.hear("error", code="INTERNAL_ERROR")
    assert {"alarm": "LATE_FILL"} == error["details"]
    assert stream.of("connection", event="BROKER_CONNECTION_FAILED", error="no more")
    warning = await stream.hear("rate_limit", event="RATE_LIMIT_WARNING")
    assert 3 == warning["requests_remaining"]
    assert 0 == (await stream.hear("rate_limit", event="RATE_LIMIT_HIT"))["requests_remaining"]
    assert ["MSFT"] in [one["symbols"] for one in stream.of("data_staleness", event="FRESH")]
    assert ["MSFT"] in [one["symbols"] for one in stream.of("data_staleness", event="STALE")]


async def test_end_of_the_source_is_told_and_everybody_let_go(gateway):
    stream = await gateway.stream()
    await gateway.flow(stream)

    publish(gateway, connection(gateway, ConnectionState.ENDED))

    await stream.hear("backtest_complete", broker="mock")
    await eventually(lambda: stream.close_code == 1000)
    late = await gateway.stream()
    await late.hear("backtest_complete")


async def test_server_shows_that_it_lives_and_says_when_it_goes(gateway):
    stream = await gateway.stream()
    await gateway.venue.pause(30)
    await stream.hear("ping")

    await gateway.host.__aexit__(None, None, None)

    await eventually(lambda: stream.close_code is not None)
    assert 1001 == stream.close_code
    (told,) = stream.of("connection", event="DISCONNECTING")
    assert "mock" == told["broker"]


async def test_frames_that_mean_nothing_close_nothing(gateway):
    stream = await gateway.stream()
    acknowledgment = {
        "type": "event_ack",
        "correlation_id": "x",
        "events_processed": ["unknown"],
        "timestamp": 1,
    }

    for frame in ("{", "[]", "{}", {"type": "pong"}, {"type": "event_ack"}, acknowledgment):
        await stream.say(frame)
    await stream.socket.send_bytes(b"\x00")
    await gateway.submit(**REST)

    await stream.hear("order")


async def test_client_that_says_its_wish_hears_just_that(gateway):
    stream = await gateway.stream()
    wish = {"type": "subscribe", "id": 7, "events": ["trade"], "quotes": ["MSFT"]}

    await stream.say(wish)
    told = await stream.hear("subscribed", id=7)
    await gateway.buy()
    await stream.hear("trade")
    await gateway.venue.quote("309", "311", "MSFT")
    await eventually(lambda: [one for one in stream.of("quote") if one["quote"]["bid"] == "309"])

    later = stream.frames[stream.frames.index(told) + 1 :]
    assert {"trade", "quote"} == {one["type"] for one in later} - {"ping"}
    assert {"MSFT"} == {one["quote"]["symbol"] for one in later if one["type"] == "quote"}


@pytest.mark.parametrize(
    "wish",
    [
        {"quotes": ["NOPE"]},
        {"candles": [["AAPL", "7m"]]},
        {"events": ["news"]},
        {"quotes": "AAPL"},
    ],
    ids=["symbol", "timeframe", "event", "shape"],
)
async def test_wish_that_cannot_be_had_is_refused_and_changes_nothing(gateway, wish):
    stream = await gateway.stream()

    await stream.say({"type": "subscribe", "id": 7, **wish})
    await stream.hear("error", code="INVALID_MESSAGE")
    await gateway.submit(**REST)

    await stream.hear("order")


async def test_stream_needs_the_key_before_it_opens(open_gateway):
    gateway = await open_gateway(keys=[AccessKey(key_id="a", secret="key-of-tests-1")])

    status, refusal = await gateway.ask("GET", "/v1/ws")
    stream = await gateway.stream(**{"X-API-Key": "key-of-tests-1"})

    assert (401, "MISSING_API_KEY") == (status, refusal["details"]["code"])
    assert stream.frames
