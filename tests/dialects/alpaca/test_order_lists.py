"""Orders listed: every filter, in pages, and legs where they belong."""

import pytest
from tests.broker.conftest import Market
from tests.dialects.alpaca.trading_rig import served

LEGS = {"take_profit": {"limit_price": "120"}, "stop_loss": {"stop_price": "80"}}


@pytest.fixture
async def market():
    one = Market()
    yield one
    await one.aclose()


@pytest.fixture
async def client(market):
    async with served(await market.connect()) as client:
        yield client


@pytest.fixture
async def orders(client, market):
    """Four orders, a second apart: open, canceled, filled, and one to sell."""
    made = {}
    made["open"] = await client.rest(client_order_id="open")
    await market.clock.advance(seconds=1)
    made["canceled"] = await client.rest(client_order_id="canceled", symbol="MSFT")
    await client.ask("DELETE", f"/v2/orders/{made['canceled']['id']}")
    await market.clock.advance(seconds=1)
    made["filled"] = await client.submit(client_order_id="filled")
    await market.clock.advance(seconds=1)
    made["sale"] = await client.rest(client_order_id="sale", side="sell", limit_price="120")
    return made


async def names(client, **asked):
    return [order["client_order_id"] for order in await client.get("/v2/orders", **asked)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["sale", "open"]),
        ({"status": "open", "direction": "asc"}, ["open", "sale"]),
        ({"status": "closed"}, ["filled", "canceled"]),
        ({"status": "all"}, ["sale", "filled", "canceled", "open"]),
        ({"status": "all", "limit": "2"}, ["sale", "filled"]),
        ({"status": "all", "limit": "2", "direction": "asc"}, ["open", "canceled"]),
        ({"status": "all", "symbols": "MSFT,NOPE"}, ["canceled"]),
        ({"status": "all", "symbols": "NOPE"}, []),
        ({"status": "all", "side": "sell"}, ["sale"]),
        ({"status": "all", "side": "buy", "symbols": "AAPL"}, ["filled", "open"]),
        ({"status": "all", "asset_class": "us_equity", "limit": "1"}, ["sale"]),
        ({"status": "all", "asset_class": "crypto"}, []),
    ],
    ids=lambda value: (
        "&".join(f"{name}={text}" for name, text in value.items())
        if isinstance(value, dict)
        else ""
    ),
)
async def test_each_filter_leaves_what_it_asks_for(client, orders, asked, expected):
    assert expected == await names(client, **asked)


async def test_after_and_until_leave_out_their_own_instants(client, orders):
    first, last = orders["open"]["submitted_at"], orders["sale"]["submitted_at"]

    between = await names(client, status="all", after=first, until=last)

    assert ["filled", "canceled"] == between
    assert [] == await names(client, status="all", after=last)


async def test_a_day_is_a_time_too(client, orders):
    day = orders["open"]["submitted_at"][:10]

    assert 4 == len(await names(client, status="all", after=day))
    assert [] == await names(client, status="all", until=day)


async def test_orders_before_and_after_another_are_listed(client, orders):
    after = await names(client, status="all", after_order_id=orders["canceled"]["id"])
    before = await names(client, status="all", before_order_id=orders["canceled"]["id"])

    assert (["sale", "filled"], ["open"]) == (after, before)


async def test_pages_by_the_last_id_reach_every_order_once(client, orders):
    found, more = [], {}
    while page := await client.get("/v2/orders", status="all", limit=1, **more):
        found += [order["client_order_id"] for order in page]
        more = {"before_order_id": page[-1]["id"]}

    assert ["sale", "filled", "canceled", "open"] == found


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"status": "done"}, "invalid status: 'done' is none of open, closed, all"),
        ({"limit": "501"}, "invalid limit: '501' is no number from 1 to 500"),
        ({"limit": "-1"}, "invalid limit: '-1' is no number from 1 to 500"),
        ({"direction": "up"}, "invalid direction: 'up' is none of desc, asc"),
        ({"nested": "maybe"}, "invalid nested: neither true nor false"),
        ({"side": "hold"}, "invalid side: 'hold' is none of any, buy, sell"),
    ],
    ids=lambda value: "&".join(value) if isinstance(value, dict) else "",
)
async def test_what_is_no_such_parameter_is_refused(client, asked, message):
    assert (422, 40010001, message) == await client.refused("GET", "/v2/orders", params=asked)


async def test_a_time_that_is_none_is_refused(client):
    status, code, message = await client.refused("GET", "/v2/orders", params={"after": "soon"})

    assert (422, 40010001) == (status, code)
    assert message.startswith("invalid after: ")


async def test_legs_are_shown_within_their_entry_if_that_is_asked_for(client):
    await client.rest(order_class="bracket", client_order_id="b", **LEGS)

    (entry,) = await client.get("/v2/orders", nested="true")

    assert ["b-tp", "b-sl"] == [leg["client_order_id"] for leg in entry["legs"]]


async def test_held_legs_are_left_out_of_open_orders_that_are_not_nested(client):
    await client.rest(order_class="bracket", client_order_id="b", **LEGS)

    assert ["b"] == await names(client)
    assert ["b", "b-sl", "b-tp"] == sorted(await names(client, status="all"))


@pytest.mark.parametrize("nested", ["true", "false"])
async def test_legs_that_work_are_open_orders_although_their_entry_has_filled(client, nested):
    await client.submit(order_class="bracket", client_order_id="b", **LEGS)

    assert ["b-sl", "b-tp"] == sorted(await names(client, nested=nested))


async def test_replaced_orders_are_among_the_closed(client):
    old = await client.rest(client_order_id="c1")
    await client.replace(old, qty=5, client_order_id="c2")

    assert (["c2"], ["c1"]) == (await names(client), await names(client, status="closed"))
