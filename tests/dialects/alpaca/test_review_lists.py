"""The edges of lists: both ends of a span are outside it, whatever the status asked for."""

import pytest
from tests.broker.conftest import Market
from tests.dialects.alpaca.trading_rig import served


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


@pytest.mark.parametrize("status", ["open", "all"])
async def test_orders_submitted_at_either_end_of_the_span_are_left_out(market, client, status):
    times = []
    for name in ("c1", "c2", "c3"):
        order = await client.rest(client_order_id=name)
        times.append(order["submitted_at"])
        await market.tick("100.00", "100.02")

    first, _, last = times
    shown = await client.get("/v2/orders", status=status, after=first, until=last)

    assert ["c2"] == [order["client_order_id"] for order in shown]


@pytest.mark.parametrize("status", ["open", "all"])
async def test_orders_named_as_the_ends_of_a_page_are_not_in_it(market, client, status):
    orders = []
    for name in ("c1", "c2", "c3"):
        orders.append(await client.rest(client_order_id=name))
        await market.tick("100.00", "100.02")

    span = {"after_order_id": orders[0]["id"], "before_order_id": orders[2]["id"]}
    shown = await client.get("/v2/orders", status=status, **span)

    assert ["c2"] == [order["client_order_id"] for order in shown]
