"""Executions that no event told of: what an order has filled, its activities say as well."""

from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from tests.broker.conftest import Market
from tests.dialects.alpaca.trading_rig import eventually, served

FILLS = "/v2/account/activities/FILL"


@asynccontextmanager
async def quiet_market(faults):
    """Serve a market that fills 4 of 10, and whose venue does not tell everything."""
    market = Market(fill_ratio=Decimal("0.4"))
    try:
        broker = await market.connect(faults=faults)
        async with served(broker) as client:
            yield market, client
    finally:
        await market.aclose()


async def ended(client):
    """Send an order, and cancel it: only by then it is known that some of it had filled."""
    order = await client.submit(type="limit", limit_price="100.02")
    assert (204, None) == await client.ask("DELETE", f"/v2/orders/{order['id']}")
    order = await client.order(order)
    assert ("canceled", "4") == (order["status"], order["filled_qty"])
    return order


async def test_what_an_order_has_filled_is_in_the_activities_though_no_event_told_it():
    async with quiet_market("event.fill#1 drop_event") as (_, client):
        order = await ended(client)

        (fill,) = await client.get(FILLS)

        assert (order["id"], "4", "4", "6", "partial_fill", "canceled") == (
            fill["order_id"],
            fill["qty"],
            fill["cum_qty"],
            fill["leaves_qty"],
            fill["type"],
            fill["order_status"],
        )
        assert [fill] == await client.get(FILLS)
        assert {**order, "filled_avg_price": "100.02"} == await client.order(order)


async def test_an_execution_told_late_is_not_counted_twice():
    async with quiet_market("event.fill#1 delay_event(seconds=3)") as (market, client):
        async with client.updates() as updates:
            order = await ended(client)
            (fill,) = await client.get(FILLS)

            for _ in range(4):
                await market.tick("100.00", "100.02")
            *_, last = await updates.until("partial_fill")

            assert order["id"] == last["order"]["id"]
            assert fill["id"].endswith(f"::{last['execution_id']}")
            assert ("4", "4") == (last["qty"], last["order"]["filled_qty"])
        assert [fill] == await client.get(FILLS)
        assert "4" == (await client.order(order))["filled_qty"]


async def test_the_venue_is_asked_for_missing_executions_once_not_with_every_page(monkeypatch):
    async with quiet_market("event.fill#1 drop_event") as (_, client):
        await client.get(FILLS)
        calls = []

        def nothing(*given, **named):
            calls.append((given, named))
            return none_told()

        async def none_told():
            for fill in ():
                yield fill

        monkeypatch.setattr(client.broker, "fetch_fills", nothing)
        await ended(client)
        for _ in range(3):
            assert [] == await client.get(FILLS)

        assert 1 == len(calls)


@pytest.mark.parametrize("quantity", ["4", "2.5"])
async def test_a_replace_to_no_more_than_has_filled_is_refused_in_the_orders_own_terms(quantity):
    market = Market(fill_ratio=Decimal("0.4"))
    try:
        broker = await market.connect()
        async with served(broker) as client:
            order = await client.submit(type="limit", limit_price="100.02")
            await eventually(lambda: broker.state.open_orders[0].filled_quantity)
            path = f"/v2/orders/{order['id']}"

            refused = await client.refused("PATCH", path, json={"qty": quantity})

            message = "qty must be above what has filled of the order: 4"
            assert (422, 40010001, message) == refused
    finally:
        await market.aclose()
