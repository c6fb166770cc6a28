"""Who may enter, and what the gateway says of itself and of the market."""

from decimal import Decimal

import pytest
from tests.dialects.tektii.gateway_rig import REST

import dragoman
from dragoman.dialects import AccessKey, Scope
from dragoman.models import Account
from dragoman_tektii.dialect import TektiiDialect, parse_subscriptions
from dragoman_tektii.dialect.rows import account_row

SECRET = "key-of-tests-0123456789"
READER = "reader-of-tests-0123456789"


@pytest.fixture
async def locked(open_gateway):
    """A gateway that needs a key."""
    keys = [
        AccessKey(key_id="captain", secret=SECRET),
        AccessKey(key_id="mate", secret=READER, scopes=frozenset({Scope.READ})),
    ]
    return await open_gateway(keys=keys)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": f"Bearer {SECRET}"}, 200, None),
        ({"X-API-Key": f" {SECRET} "}, 200, None),
        ({"Authorization": "Basic eDp5", "X-API-Key": SECRET}, 200, None),
        ({"Authorization": "Bearer ", "X-API-Key": SECRET}, 200, None),
        ({"Authorization": "Bearer wrong", "X-API-Key": SECRET}, 401, "INVALID_API_KEY"),
        ({"Authorization": f"bearer {SECRET}"}, 401, "MISSING_API_KEY"),
        ({"X-API-Key": "wrong"}, 401, "INVALID_API_KEY"),
        ({}, 401, "MISSING_API_KEY"),
    ],
    ids=["bearer", "header", "other_scheme", "empty_bearer", "decides", "case", "wrong", "none"],
)
async def test_bearer_key_decides_else_the_header(locked, headers, status, code):
    found, answer = await locked.ask("GET", "/v1/account", headers=headers)

    assert status == found
    if code is not None:
        assert ("UNAUTHORIZED", {"code": code}) == (answer["code"], answer["details"])


@pytest.mark.parametrize("path", ["/v1/ws", "/v1/none", "/v1", "/v1/orders"])
async def test_all_of_the_api_needs_the_key_and_probes_do_not(locked, path):
    assert 401 == (await locked.ask("PUT", path))[0]
    for probe in ("/livez", "/readyz", "/health"):
        await locked.get(probe)


async def test_key_that_only_reads_sends_no_order(locked):
    headers = {"X-API-Key": READER}

    status, refusal = await locked.ask("POST", "/v1/orders", REST, headers=headers)

    assert (403, "INSUFFICIENT_SCOPE") == (status, refusal["details"]["code"])


async def test_unknown_path_and_method_are_told_in_the_envelope(gateway):
    assert {"code", "message"} == set(await gateway.get("/v1/none", 404))
    status, refusal = await gateway.ask("PUT", "/v1/orders")
    assert (405, {"code", "message"}) == (status, set(refusal))
    async with gateway.client.put("/v1/orders") as answer:
        assert "DELETE,GET,HEAD,POST" == answer.headers["Allow"]


async def test_probes_tell_version_build_and_platforms(gateway):
    assert {"status": "ok"} == await gateway.get("/livez")
    ready = {"ready": True, "providers": ["mock"], "provider_count": 1}
    assert ready == await gateway.get("/readyz")
    assert {
        "status": "connected",
        "version": dragoman.__version__,
        "git_sha": "unknown",
        "providers": [{"platform": "mock", "connected": True}],
    } == await gateway.get("/health")


async def test_closed_broker_is_neither_ready_nor_connected(gateway):
    await gateway.broker.aclose()

    assert not (await gateway.get("/readyz", 503))["ready"]
    health = await gateway.get("/health")
    assert ("degraded", False) == (health["status"], health["providers"][0]["connected"])
    assert not (await gateway.get("/v1/status"))["connected"]


async def test_capabilities_say_what_the_broker_declares(open_gateway):
    plain = await open_gateway(settings={"native_trailing": False, "native_exits": False})

    found = await plain.get("/v1/capabilities")

    assert ["MARKET", "LIMIT", "STOP", "STOP_LIMIT"] == found["supported_order_types"]
    assert ["STOCK", "FOREX", "CRYPTO", "FUTURES"] == found["supported_asset_classes"]
    assert "NETTING" == found["position_mode"]
    assert not {"bracket_orders", "trailing_stop"} & set(found["features"])
    assert {"oco", "post_only", "get_quote"} <= set(found["features"])


async def test_status_is_timed_by_a_call(gateway):
    status = await gateway.get("/v1/status")

    assert status["connected"]
    assert isinstance(status["latency_ms"], int)
    assert status["last_heartbeat"].endswith("Z")


async def test_account_has_every_number(gateway):
    account = await gateway.get("/v1/account")

    names = ("balance", "equity", "margin_used", "margin_available", "unrealized_pnl", "currency")
    assert ("100000", "100000", "0", "100000", "0", "USD") == tuple(account[name] for name in names)


async def test_breakers_are_reset_once_a_minute(gateway):
    closed = {"state": "closed", "failure_count": 0}

    status, both = await gateway.ask("POST", "/v1/circuit-breakers/reset")
    again = await gateway.ask("POST", "/v1/circuit-breakers/reset")

    assert (200, {"adapter": closed, "exit_order": closed}) == (status, both)
    assert (409, "RESET_COOLDOWN") == (again[0], again[1]["code"])
    assert both == await gateway.get("/v1/circuit-breakers")


async def test_quote_is_answered_in_the_spelling_it_was_asked_in(gateway):
    slashed = await gateway.get("/v1/quotes/BTC%2FUSD")
    plain = await gateway.get("/v1/quotes/BTCUSD")

    assert ("BTC/USD", "BTCUSD") == (slashed["symbol"], plain["symbol"])
    assert ("49990", "50010", "50000", "mock") == tuple(
        plain[name] for name in ("bid", "ask", "last", "provider")
    )
    missing = await gateway.get("/v1/quotes/NOPE", 404)
    assert ("SYMBOL_NOT_FOUND", {"symbol": "NOPE"}) == (missing["code"], missing["details"])


async def test_side_of_a_quote_that_nobody_is_on_has_no_size(gateway):
    await gateway.venue.quote("99", None, last="100")

    quote = await gateway.get("/v1/quotes/AAPL")

    assert ("99", "100", "0") == (quote["bid"], quote["ask"], quote["ask_size"])


async def test_bars_are_oldest_first_and_bounded(gateway):
    await gateway.venue.pause(300)
    await gateway.venue.quote("99", "101", last="100")

    bars = await gateway.get("/v1/bars/AAPL?timeframe=1m&limit=2")

    assert 1 <= len(bars) <= 2
    assert sorted(one["timestamp"] for one in bars) == [one["timestamp"] for one in bars]
    assert ("AAPL", "1m", "mock") == tuple(
        bars[0][name] for name in ("symbol", "timeframe", "provider")
    )
    first = bars[0]["timestamp"]
    both_ends = f"/v1/bars/AAPL?timeframe=1m&start={first}&end={first}"
    assert [first] == [one["timestamp"] for one in await gateway.get(both_ends)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "timeframe"),
        ("timeframe=7m", "timeframe"),
        ("timeframe=1M", "timeframe"),
        ("timeframe=1m&start=now", "start"),
        ("timeframe=1m&start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z", "end"),
        ("timeframe=1m&limit=x", "limit"),
    ],
)
async def test_bars_of_a_bad_span_are_refused(gateway, query, field):
    refusal = await gateway.get(f"/v1/bars/AAPL?{query}", 400)

    assert ("INVALID_REQUEST", {"field": field}) == (refusal["code"], refusal["details"])


async def test_instruments_are_listed_in_the_librarys_own_words(gateway):
    listed = await gateway.get("/v1/instruments")
    one = await gateway.get("/v1/instruments/BTCUSD")

    assert one in listed
    assert "BTC/USD" == one["symbol"]
    assert not [row for row in listed if row["kind"] == "OPTION"]
    await gateway.get("/v1/instruments/NOPE", 404)


async def test_counters_are_told_as_text(gateway):
    await gateway.submit(**REST)

    async with gateway.client.get("/metrics") as answer:
        text = await answer.text()

    assert 'gateway_orders_submitted_total{platform="mock"} 1' in text
    bucket = 'gateway_order_submit_duration_seconds_bucket{platform="mock",le="+Inf"} 1'
    assert bucket in text


def test_settings_are_taken_by_name_and_no_others():
    dialect = TektiiDialect()

    dialect.configure({"subscriptions": [], "git_sha": "abc", "reconnect_max_ms": 1})

    with pytest.raises(dragoman.ConfigurationError, match="colour"):
        dialect.configure({"colour": "red"})
    with pytest.raises(dragoman.ConfigurationError, match="mokc"):
        parse_subscriptions('[{"platform": "mokc", "instrument": "A", "events": ["*"]}]')


def test_hints_tell_where_to_point_the_sdk():
    hints = TektiiDialect().hints("http://127.0.0.1:8080")

    assert "TRADING_GATEWAY_URL=http://127.0.0.1:8080" in hints


def test_equity_is_the_balance_and_open_profit_and_cash_is_told_besides():
    account = Account(
        account_id="paper-1",
        provider="mock",
        received_at_ns=1,
        cash=Decimal(90),
        equity=Decimal(103),
        unrealized_pnl=Decimal(3),
        currency="USD",
    )

    row = account_row(account, ())

    assert ("100", "103", "3", "90") == tuple(
        row[name] for name in ("balance", "equity", "unrealized_pnl", "cash")
    )
