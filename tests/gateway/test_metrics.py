"""Numbers for Prometheus: what is counted, and that labels stay few."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.broker.fake_adapter import FakeVenue
from tests.core.dialects.toy import SECRET, ToyDialect
from tests.core.transport.raw_server import until
from tests.gateway.standing import CAPTAIN, gateway, shown

import dragoman
from dragoman import OrderType, Side
from dragoman.models.enums import ConnectionState
from dragoman.models.events import ConnectionEvent, RateLimit
from dragoman_gateway.metrics import PrometheusMeasures

ANY = {"X-Key": "k"}
TOOK = "gateway_http_request_duration_seconds_count"


def numbers(text):
    """Return every number by its name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def read(client):
    return numbers(await (await client.get("/metrics")).text())


def request(route, method, status):
    return (TOOK, ("method", method), ("route", route), ("status", status))


async def test_requests_are_counted_by_the_pattern_of_their_path(broker, toy):
    async with gateway(broker, [toy]) as client:
        for path in ("/account", "/account?x=1", "/nothing", f"/{SECRET}"):
            await client.get(path, headers=ANY)
        await client.request("MKCOL", "/account")
        text = await (await client.get("/metrics")).text()

    found = numbers(text)
    assert 2 == found[request("/account", "GET", "200")]
    assert 2 == found[request("unmatched", "GET", "404")]
    assert 1 == found[request("unmatched", "OTHER", "405")]
    assert SECRET not in text
    assert "_created" not in text


async def test_two_applications_count_apart(broker, toy):
    async with gateway(broker, [toy]) as first, gateway(broker, [ToyDialect()]) as second:
        await first.get("/account", headers=ANY)

        assert request("/account", "GET", "200") in await read(first)
        assert request("/account", "GET", "200") not in await read(second)


async def test_what_is_going_on_is_looked_up(broker, toy, venue):
    async with gateway(broker, [toy]) as client:
        held = {"symbol": "HELD", "id": "c1"}
        begun = asyncio.ensure_future(client.post("/orders", json=held, headers=ANY))
        await venue.arrived.wait()
        async with client.ws_connect("/stream") as socket:
            await socket.send_str("k ")
            await socket.receive_str()
            found = await read(client)
        venue.released.set()
        await begun

    assert 2 == found["gateway_http_requests_in_flight",]
    assert 1 == found["gateway_ws_connections_active",]
    assert 1 == found["gateway_sockets_open", ("mount", "toy@/")]
    assert 1 == found["gateway_broker_connected", ("platform", "fake")]
    assert 1 == found["gateway_broker_health", ("platform", "fake"), ("state", "LIVE")]


async def test_a_client_that_is_cut_is_counted(broker, toy):
    async with gateway(broker, [toy]) as client:
        async with client.ws_connect("/flood") as socket:
            await until(lambda: toy.sockets and toy.sockets[0].was_too_slow)
            socket._response.close()
        found = await read(client)

    assert 1 == found["gateway_ws_slow_consumer_disconnects_total",]


async def test_orders_are_counted_by_what_became_of_them():
    async with dragoman.connect("mock") as broker, gateway(broker) as client:
        terms = {"symbol": "AAPL", "side": Side.BUY, "quantity": 1}
        await broker.submit(order_type=OrderType.MARKET, **terms)
        resting = await broker.submit(order_type=OrderType.LIMIT, limit_price=1, **terms)
        await broker.cancel(resting)

        def kind(name):
            return ("gateway_order_events_total", ("event_type", name), ("platform", "mock"))

        found = await read(client)
        while found.get(kind("cancelled")) != 1 or found.get(kind("filled")) != 1:
            found = await read(client)

    platform = ("platform", "mock")
    assert 2 == found["gateway_orders_submitted_total", platform]
    assert 2 == found["gateway_order_submit_duration_seconds_count", platform]
    assert 2 == found[kind("created")]
    assert ("gateway_orders_rejected_total", platform) not in found


def test_broker_events_are_counted_by_kind():
    measures = PrometheusMeasures()
    for state in ConnectionState:
        event = ConnectionEvent(state=state, channel="private", received_at_ns=0)
        measures.note_event("east", event)
    for remaining in (0, 1, None, 0):
        measures.note_event("east", RateLimit(pool="x", received_at_ns=0, remaining=remaining))

    found = numbers(measures.render()[0].decode())
    east = ("platform", "east")
    for word in ("disconnections", "reconnect_attempts", "reconnections", "reconnect_failures"):
        assert 1 == found[f"gateway_broker_{word}_total", east]
    hits = [
        found["gateway_rate_limit_events_total", ("event_type", one), east]
        for one in ("hit", "warning")
    ]
    assert [2, 2] == hits
    assert 4 == found["gateway_events_total", ("kind", "RateLimit"), east]


def test_a_dialect_counts_what_it_likes_within_bounds():
    measures = PrometheusMeasures()
    measures.count("circuit_breaker_resets", {})
    measures.count("oco_double_exit", {"platform": "mock"})
    measures.count("oco_double_exit", {"platform": "mock"})

    found = numbers(measures.render()[0].decode())
    assert 1 == found["gateway_circuit_breaker_resets_total",]
    assert 2 == found["gateway_oco_double_exit_total", ("platform", "mock")]
    for wrong in ("", "Upper", "with space", "x" * 80):
        with pytest.raises(ValueError, match="a counter is named"):
            measures.count(wrong, {})


async def test_a_host_counts_for_its_dialect(broker, toy):
    async with gateway(broker, [toy]) as client:
        toy.host.count("backtest_completions", platform="mock")

        found = await read(client)
    assert 1 == found["gateway_backtest_completions_total", ("platform", "mock")]


async def test_repeats_are_counted(broker):
    class Shown(ToyDialect):
        def credentials(self, request):
            return request.headers.get("X-Key"), request.headers.get("X-Secret")

    async with gateway(broker, [Shown()], keys=[CAPTAIN]) as client:
        headers = {**shown(CAPTAIN), "Idempotency-Key": "once"}
        order = {"symbol": "AAPL", "id": "c1"}
        first = await client.post("/orders", json=order, headers=headers)
        again = await client.post("/orders", json=order, headers=headers)
        found = await read(client)

    assert (200, 200, "true") == (first.status, again.status, again.headers["Idempotent-Replayed"])
    assert 1 == found["gateway_idempotent_replays_total",]


async def test_without_metrics_there_is_a_line_that_helps(broker):
    async with gateway(broker, metrics=False) as client:
        answer = await client.get("/metrics")

        assert 501 == answer.status
        assert "pip install 'dragoman[prometheus]'" in await answer.text()


async def test_an_order_that_nobody_answers_counts_as_unknown():
    venue = FakeVenue()
    async with venue.connect(timeout_s=0.05) as broker, gateway(broker) as client:
        venue.script("submit", dragoman.OutcomeUnknownError("504"))
        with pytest.raises(dragoman.OutcomeUnknownError):
            await broker.submit(
                symbol="AAPL", side=Side.BUY, order_type=OrderType.MARKET, quantity=1
            )
        name = ("gateway_orders_unknown_total", ("platform", "fake"))
        found = await read(client)
        while name not in found:
            found = await read(client)

    assert 1 == found[name]
