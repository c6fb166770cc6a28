"""The account's edges: whose halt is whose, when a session is over, what a curve begins with."""

import pytest
from tests.broker.conftest import Market
from tests.dialects.alpaca.trading_rig import served

from dragoman import CommandResult
from dragoman.models import MarketHours, TradingState
from dragoman.times import HOUR_NS, format_time

SETTINGS = "/v2/account/configurations"


@pytest.fixture
async def market():
    one = Market()
    yield one
    await one.aclose()


@pytest.fixture
async def client(market):
    broker = await market.connect()
    async with served(broker) as client:
        yield client


async def test_a_halt_by_the_operator_is_not_ended_by_who_ended_one_of_his_own(client):
    for is_on in (True, False):
        assert 200 == (await client.ask("PATCH", SETTINGS, json={"suspend_trade": is_on}))[0]
    client.broker.halt("by the operator")

    status, _, message = await client.refused("PATCH", SETTINGS, json={"suspend_trade": False})

    assert (403, True) == (status, client.broker.is_halted)
    assert message.startswith("trading was halted by the operator")


@pytest.mark.parametrize(("left_ns", "is_open"), [(1, True), (0, False), (-1, False)])
async def test_a_session_is_over_at_the_instant_it_closes(
    market, client, monkeypatch, left_ns, is_open
):
    now_ns = market.clock.now_ns()

    async def fetch_hours(*_):
        return (
            MarketHours(
                state=TradingState.OPEN,
                opens_at_ns=now_ns - HOUR_NS,
                closes_at_ns=now_ns + left_ns,
            ),
        )

    monkeypatch.setattr(client.broker, "fetch_hours", fetch_hours)

    assert is_open is (await client.get("/v2/clock"))["is_open"]


async def test_profit_counts_from_what_the_account_was_worth_before_the_span(market, client):
    await client.submit()
    await market.tick("100.00", "100.02")
    path = "/v2/account/portfolio/history"
    before = await client.get(path, timeframe="1Min", period="1D")
    start_ns = market.clock.now_ns() + 1
    await market.tick("110.00", "110.02")

    span = await client.get(path, timeframe="1Min", start=format_time(start_ns))

    assert before["equity"][-1] == span["base_value"]
    assert float(span["profit_loss"][0]) > 0


async def test_positions_are_closed_once_the_orders_that_hold_them_have_ended(client, monkeypatch):
    await client.submit()
    await client.rest(client_order_id="c1")
    resting = client.broker.state.order("c1")
    calls = []

    async def cancel_all():
        calls.append("cancel_all")
        return [CommandResult(client_order_id="c1", order=resting)]

    async def wait(order, **_):
        calls.append(f"wait {order.client_order_id}")
        return order

    async def close(position, **_):
        calls.append(f"close {position.symbol}")

    for call in (cancel_all, wait, close):
        monkeypatch.setattr(client.broker, call.__name__, call)

    status, _ = await client.ask("DELETE", "/v2/positions", params={"cancel_orders": "true"})

    assert (207, ["cancel_all", "wait c1", "close AAPL"]) == (status, calls)
