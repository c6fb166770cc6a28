"""What a gateway tells of itself: abilities, connection, health, circuit breakers, probes."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import tektii
from tests.sdk.clients import fill

PLATFORMS = {platform.value for platform in tektii.TradingPlatform}


def test_capabilities_name_what_can_be_sent(gateway):
    found = gateway.get_capabilities()

    assert {"MARKET", "LIMIT", "STOP", "STOP_LIMIT"} <= set(found.supported_order_types)
    assert found.supported_asset_classes
    assert found.position_mode in tektii.PositionMode
    assert all(isinstance(feature, str) for feature in found.features)


def test_asset_classes_stay_in_the_closed_set(http):
    told = set(http.get("/v1/capabilities").json()["supported_asset_classes"])

    assert told <= {"STOCK", "FOREX", "CRYPTO", "FUTURES"}


def test_what_is_absent_from_capabilities_is_left_out(http):
    assert None not in http.get("/v1/capabilities").json().values()


def test_the_connection_is_up_and_timed(gateway):
    status = gateway.get_status()

    assert status.connected is True
    assert status.latency_ms >= 0
    assert abs(datetime.now(UTC) - status.last_heartbeat) < timedelta(minutes=5)


def test_health_names_its_provider_and_version(gateway, http):
    health = gateway.get_health()
    told = http.get("/health").json()

    assert "connected" == health.status
    assert [True] == [one.connected for one in health.providers]
    assert {one.platform for one in health.providers} <= PLATFORMS
    assert told["version"]
    assert told["git_sha"]


def test_breakers_are_closed(gateway):
    found = gateway.get_circuit_breakers()

    assert ["closed", "closed"] == [found.adapter.state, found.exit_order.state]
    assert all(0 <= one.failure_count < 3 for one in (found.adapter, found.exit_order))


def test_liveness_is_always_told(http):
    answer = http.get("/livez")

    assert (200, {"status": "ok"}) == (answer.status_code, answer.json())


def test_readiness_names_the_provider(http):
    answer = http.get("/readyz")

    found = answer.json()
    assert (200, True, 1) == (answer.status_code, found["ready"], found["provider_count"])
    assert set(found["providers"]) <= PLATFORMS


def test_metrics_are_in_prometheus_text(http, gateway):
    fill(gateway)

    answer = http.get("/metrics")

    assert 200 == answer.status_code
    assert answer.headers["content-type"].startswith("text/plain")
    assert "gateway_orders_submitted_total{" in answer.text
    assert "gateway_order_submit_duration_seconds_bucket{" in answer.text
    assert "platform=" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/livez",
        "/readyz",
        "/health",
        "/v1/account",
        "/v1/orders",
        "/v1/orders/history",
        "/v1/trades",
        "/v1/positions",
        "/v1/quotes/AAPL",
        "/v1/bars/AAPL?timeframe=1m",
        "/v1/capabilities",
        "/v1/status",
        "/v1/circuit-breakers",
    ],
)
def test_everything_readable_is_json_with_its_media_type(http, path):
    answer = http.get(path)

    assert (200, "application/json") == (
        answer.status_code,
        answer.headers["content-type"].partition(";")[0],
    )
    json.loads(answer.text, parse_constant=_refuse)


def _refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def test_breakers_are_reset_once_and_then_have_to_cool_down(gateway):
    found = gateway.reset_circuit_breakers()

    with pytest.raises(tektii.ConflictError) as caught:
        gateway.reset_circuit_breakers()

    assert ["closed", "closed"] == [found.adapter.state, found.exit_order.state]
    assert ("RESET_COOLDOWN", None) == (caught.value.code, caught.value.details)
