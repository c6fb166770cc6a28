"""Orders sent, replaced and canceled through the protocol, over a market in the test's hands."""

import uuid
from decimal import Decimal

import pytest
from tests.broker.conftest import Market
from tests.dialects.alpaca.trading_rig import BUY, REST, served

from dragoman import HaltedError, OrderRequest, OrderStatus, Side
from dragoman_alpaca.wire.trading import OrderRow


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


async def test_an_order_is_answered_with_every_field_of_the_schema(client):
    order = await client.rest(client_order_id="c1", extended_hours=True)

    assert set(OrderRow.__struct_fields__) <= order.keys()
    assert str(uuid.UUID(order["id"])) == order["id"]
    assert {
        "client_order_id": "c1",
        "symbol": "AAPL",
        "asset_class": "us_equity",
        "qty": "10",
        "notional": None,
        "filled_qty": "0",
        "filled_avg_price": None,
        "order_class": "",
        "type": "limit",
        "order_type": "limit",
        "side": "buy",
        "time_in_force": "gtc",
        "limit_price": "90",
        "stop_price": None,
        "status": "new",
        "extended_hours": True,
        "legs": None,
        "replaces": None,
        "replaced_by": None,
    }.items() <= order.items()


async def test_an_order_at_the_market_fills_as_the_broker_says(client):
    order = await client.submit()

    assert ("filled", "10", "100.02") == (
        order["status"],
        order["filled_qty"],
        order["filled_avg_price"],
    )
    assert order["filled_at"] is not None


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"type": "stop", "stop_price": "110"}, {"stop_price": "110", "limit_price": None}),
        (
            {"type": "stop_limit", "stop_price": 110, "limit_price": 111.5},
            {"stop_price": "110", "limit_price": "111.5"},
        ),
        (
            {"type": "trailing_stop", "trail_price": "5"},
            {"trail_price": "5", "trail_percent": None},
        ),
        (
            {"type": "trailing_stop", "trail_percent": "1.5"},
            {"trail_price": None, "trail_percent": "1.5"},
        ),
        (
            {"type": "limit", "limit_price": 90, "position_intent": "buy_to_open"},
            {"position_intent": "buy_to_open"},
        ),
        ({"type": "limit", "limit_price": "90", "qty": 2.5}, {"qty": "2.5"}),
    ],
    ids=["stop", "stop_limit", "trail_price", "trail_percent", "position_intent", "fraction"],
)
async def test_each_type_is_taken_and_shown_as_it_was_asked_for(client, fields, shown):
    order = await client.submit(**fields)

    assert {**shown, "type": fields["type"], "status": "new"}.items() <= order.items()


async def test_an_order_by_value_has_no_quantity(client):
    order = await client.submit(qty=None, notional="500.10")

    assert ("500.1", None, "filled") == (order["notional"], order["qty"], order["status"])
    assert Decimal(order["filled_qty"]) > 4


async def test_an_order_without_a_name_is_given_one(client):
    order = await client.rest()

    assert order["client_order_id"] == client.broker.state.open_orders[0].client_order_id


REFUSALS = {
    "no symbol": ({"symbol": None}, 422, 40010001, "symbol is required"),
    "unknown symbol": ({"symbol": "NOPE"}, 422, 42210000, 'asset "NOPE" not found'),
    "no side": ({"side": None}, 422, 40010001, "side must be buy or sell"),
    "no type": ({"type": None}, 422, 40010001, "invalid order type"),
    "no time in force": ({"time_in_force": None}, 422, 40010001, "invalid time_in_force"),
    "unknown time in force": ({"time_in_force": "gtd"}, 422, 40010001, "invalid time_in_force"),
    "no size": ({"qty": None}, 422, 40010001, "qty or notional is required"),
    "two sizes": ({"notional": 5}, 400, 40010001, "only one of qty or notional is accepted"),
    "qty 0": ({"qty": "0"}, 422, 40010001, "qty must be > 0"),
    "qty below 0": ({"qty": -1}, 422, 40010001, "qty must be > 0"),
    "limit without price": (
        {"type": "limit"},
        422,
        40010001,
        "limit orders require only limit price",
    ),
    "market with price": (
        {"limit_price": 1},
        422,
        40010001,
        "market orders require no stop or limit price",
    ),
    "stop without price": (
        {"type": "stop"},
        422,
        40010001,
        "stop orders require only stop price",
    ),
    "stop limit with one": (
        {"type": "stop_limit", "stop_price": 1},
        422,
        40010001,
        "stop limit orders require both prices",
    ),
    "trailing by nothing": (
        {"type": "trailing_stop"},
        422,
        40010001,
        "trailing stop orders must specify one of trail_price or trail_percent",
    ),
    "sub-penny": (
        {"type": "limit", "limit_price": "90.123"},
        422,
        42210000,
        "invalid limit_price 90.123. sub-penny increment does not fulfill minimum pricing criteria",
    ),
    "extended hours": (
        {"extended_hours": True},
        422,
        42200000,
        "extended hours order must be DAY or GTC limit orders",
    ),
    "spaces in the name": (
        {"client_order_id": "a b"},
        422,
        40010001,
        "client_order_id must be 1 to 128 printable characters without spaces",
    ),
    "name too long": (
        {"client_order_id": "x" * 129},
        422,
        40010001,
        "client_order_id must be 1 to 128 printable characters without spaces",
    ),
    "mleg": ({"order_class": "mleg"}, 422, 40010001, "mleg orders are not supported"),
    "bracket without target": (
        {"order_class": "bracket", "stop_loss": {"stop_price": 90}},
        422,
        40010001,
        "invalid take_profit.limit_price None: allowed is a price: bracket orders require it",
    ),
    "no money": ({"qty": "100000"}, 403, 40310000, "insufficient buying power"),
}


@pytest.mark.parametrize(
    ("fields", "status", "code", "message"), REFUSALS.values(), ids=REFUSALS.keys()
)
async def test_what_can_not_be_sent_is_refused_in_the_venues_words(
    client, fields, status, code, message
):
    found = await client.refused("POST", "/v2/orders", json={**BUY, **fields})

    assert (status, code, message) == found
    assert [] == [one for one in client.broker.state.orders if one.is_open]


async def test_what_is_no_json_is_a_bad_request(client):
    message = "request body format is invalid: failed to decode $"

    assert (400, 40010000, message) == await client.refused("POST", "/v2/orders", data="{no")


async def test_a_name_stands_for_one_order_for_ever(client):
    order = await client.rest(client_order_id="c1")
    await client.ask("DELETE", f"/v2/orders/{order['id']}")

    found = await client.refused("POST", "/v2/orders", json={**REST, "client_order_id": "c1"})

    assert (422, 40010001, "client_order_id must be unique") == found


async def test_an_order_is_found_by_either_id(client):
    order = await client.rest(client_order_id="c1")

    by_id = await client.get(f"/v2/orders/{order['id'].upper()}")
    by_name = await client.get("/v2/orders:by_client_order_id", client_order_id="c1")

    assert order == by_id == by_name


async def test_an_order_that_nobody_knows_is_not_found(client):
    by_name = {"params": {"client_order_id": "nope"}}

    assert (404, 40410000, "order not found for nope") == await client.refused(
        "GET", "/v2/orders:by_client_order_id", **by_name
    )
    assert (404, 40410000) == (await client.refused("GET", f"/v2/orders/{uuid.uuid4()}"))[:2]
    assert (404, 40410000) == (await client.refused("PATCH", "/v2/orders/x", json={"qty": 1}))[:2]
    assert (404, 40410000) == (await client.refused("DELETE", "/v2/orders/x"))[:2]


async def test_a_replace_makes_a_new_order_and_the_old_one_points_to_it(client):
    old = await client.rest(client_order_id="c1")

    new = await client.replace(old, qty="12", limit_price="91", client_order_id="c2")

    old = await client.order(old)
    assert ("replaced", new["id"], "10", "90") == (
        old["status"],
        old["replaced_by"],
        old["qty"],
        old["limit_price"],
    )
    assert ("new", old["id"], "c2", "12", "91") == (
        new["status"],
        new["replaces"],
        new["client_order_id"],
        new["qty"],
        new["limit_price"],
    )
    assert new == await client.get("/v2/orders:by_client_order_id", client_order_id="c2")
    assert [new] == await client.get("/v2/orders")


async def test_a_replaced_order_that_had_filled_is_for_what_is_left(client, market):
    await market.tick("100.00", "100.02", size="4")
    old = await client.rest(limit_price="100.02")
    assert ("partially_filled", "4") == (old["status"], old["filled_qty"])

    new = await client.replace(old, qty="12", limit_price="100.01")

    old = await client.order(old)
    assert ("replaced", "10", "4") == (old["status"], old["qty"], old["filled_qty"])
    assert ("8", "0", "new") == (new["qty"], new["filled_qty"], new["status"])
    await market.tick("99.00", "100.00", size="500")
    new = await client.order(new)
    assert ("filled", "8") == (new["status"], new["filled_qty"])


async def test_a_name_given_in_a_replace_must_be_new(client):
    first = await client.rest(client_order_id="c1")
    second = await client.rest(client_order_id="c2")
    third = await client.replace(second, qty=5, client_order_id="c3")
    taken = [(first, "c2"), (first, "c3"), (third, "c1")]

    found = [
        await client.refused(
            "PATCH", f"/v2/orders/{order['id']}", json={"qty": 9, "client_order_id": name}
        )
        for order, name in taken
    ]

    assert 3 * [(422, 40010001, "client_order_id must be unique")] == found
    again = await client.refused("POST", "/v2/orders", json={**REST, "client_order_id": "c3"})
    assert (422, 40010001, "client_order_id must be unique") == again


async def test_a_replace_that_changes_nothing_is_refused(client):
    order = await client.rest()
    same = {"qty": "10", "limit_price": 90, "time_in_force": "gtc"}

    found = await client.refused("PATCH", f"/v2/orders/{order['id']}", json=same)

    assert (403, 40310000, "order parameters are not changed") == found


async def test_only_what_works_can_be_replaced(client):
    filled = await client.submit()
    old = await client.rest()
    new = await client.replace(old, qty=5)
    paths = [f"/v2/orders/{order['id']}" for order in (filled, old)]

    assert [
        (422, 42210000, 'order is already in "filled" state'),
        (422, 42210000, 'order is already in "replaced" state'),
    ] == [await client.refused("PATCH", path, json={"qty": 4}) for path in paths]
    nothing = await client.refused("PATCH", f"/v2/orders/{new['id']}", json={"qty": 0})
    assert (422, 40010001, "qty must be > 0") == nothing


async def test_a_cancel_is_answered_without_a_body(client):
    order = await client.rest()

    assert (204, None) == await client.ask("DELETE", f"/v2/orders/{order['id']}")
    canceled = await client.order(order)
    assert "canceled" == canceled["status"]
    assert canceled["canceled_at"] is not None


async def test_what_has_ended_or_was_replaced_can_not_be_canceled(client):
    filled = await client.submit()
    old = await client.rest()
    await client.replace(old, qty=5)

    found = [await client.refused("DELETE", f"/v2/orders/{order['id']}") for order in (filled, old)]

    assert 2 * [(422, 42210000, "order is not cancelable")] == found
    assert 1 == len(client.broker.state.open_orders)


async def test_canceling_all_tells_what_became_of_each(client):
    orders = [await client.rest(), await client.rest(symbol="MSFT")]

    status, rows = await client.ask("DELETE", "/v2/orders")

    assert 207 == status
    expected = [{"id": order["id"], "status": 200} for order in orders]
    assert sorted(expected, key=str) == sorted(rows, key=str)
    assert [] == await client.get("/v2/orders")


async def test_a_bracket_shows_its_legs(client):
    legs = {"take_profit": {"limit_price": "120"}, "stop_loss": {"stop_price": "80"}}
    entry = await client.rest(order_class="bracket", client_order_id="b", **legs)

    target, stop = entry["legs"]
    assert "bracket" == entry["order_class"] == target["order_class"]
    assert ("limit", "120", "sell", "held") == tuple(
        target[name] for name in ("type", "limit_price", "side", "status")
    )
    assert ("stop", "80", "b-sl", "held") == tuple(
        stop[name] for name in ("type", "stop_price", "client_order_id", "status")
    )
    assert stop == await client.order(stop)


async def test_an_entry_with_one_exit_is_an_oto(client):
    entry = await client.rest(
        order_class="oto", stop_loss={"stop_price": "80", "limit_price": "79"}
    )

    assert ("oto", 1, "stop_limit", "79") == (
        entry["order_class"],
        len(entry["legs"]),
        entry["legs"][0]["type"],
        entry["legs"][0]["limit_price"],
    )


async def test_an_oco_is_a_limit_order_with_its_stop(client):
    await client.submit()
    pair = {
        "order_class": "oco",
        "side": "sell",
        "type": "limit",
        "take_profit": {"limit_price": "120"},
        "stop_loss": {"stop_price": "80"},
    }

    limit = await client.submit(client_order_id="o", **pair)
    (stop,) = limit["legs"]
    await client.ask("DELETE", f"/v2/orders/{limit['id']}")

    assert ("oco", "120", "oco", "80", "new") == (
        limit["order_class"],
        limit["limit_price"],
        stop["order_class"],
        stop["stop_price"],
        stop["status"],
    )
    assert "canceled" == (await client.order(stop))["status"]


async def test_what_the_broker_does_not_offer_is_refused_before_anything_is_sent():
    market = Market(native_lists=False, native_exits=False)
    try:
        async with served(await market.connect()) as client:
            legs = {"take_profit": {"limit_price": "120"}, "stop_loss": {"stop_price": "80"}}
            bracket = await client.refused(
                "POST", "/v2/orders", json={**REST, "order_class": "bracket", **legs}
            )
            pair = await client.refused(
                "POST",
                "/v2/orders",
                json={**REST, "limit_price": None, "order_class": "oco", **legs},
            )

            assert [(422, 42210000), (422, 42210000)] == [bracket[:2], pair[:2]]
            assert "order is not supported: " in bracket[2]
            assert () == client.broker.state.orders
    finally:
        await market.aclose()


async def test_a_halted_account_sends_nothing(client):
    client.broker.halt("for the test")

    found = await client.refused("POST", "/v2/orders", json=BUY)

    assert (403, 40310000, "account is restricted from trading") == found
    with pytest.raises(HaltedError):
        await client.broker.submit(OrderRequest.market("AAPL", Side.BUY, 1))


async def test_an_order_of_the_brokers_own_is_shown_too(client):
    order = await client.broker.submit(OrderRequest.limit("AAPL", Side.BUY, 1, "90"))

    (shown,) = await client.get("/v2/orders")

    assert OrderStatus.OPEN is order.status
    assert order.client_order_id == shown["client_order_id"]


async def test_another_server_over_the_same_journal_tells_the_same(market):
    broker = await market.connect()
    paths = (
        "/v2/orders?status=all&nested=true&limit=500",
        "/v2/orders?status=open",
        "/v2/account/activities",
    )
    async with served(broker) as client:
        await market.tick("100.00", "100.02", size="4")
        part = await client.rest(limit_price="100.02", client_order_id="part")
        await client.replace(part, limit_price="95")
        await client.submit(client_order_id="whole")
        legs = {"take_profit": {"limit_price": "120"}, "stop_loss": {"stop_price": "80"}}
        await client.rest(order_class="bracket", client_order_id="b", **legs)
        gone = await client.rest()
        await client.ask("DELETE", f"/v2/orders/{gone['id']}")
        before = [await client.get(path) for path in paths]
    async with served(broker) as client:
        assert before == [await client.get(path) for path in paths]
        found = await client.refused("POST", "/v2/orders", json={**BUY, "client_order_id": "part"})
        assert (422, 40010001, "client_order_id must be unique") == found


async def test_an_order_that_takes_the_name_of_a_refused_oco_is_a_simple_one(client):
    pair = {
        **REST,
        "limit_price": "90.123",
        "order_class": "oco",
        "stop_loss": {"stop_price": "80"},
        "client_order_id": "c1",
    }
    assert 422 == (await client.refused("POST", "/v2/orders", json=pair))[0]

    assert "" == (await client.rest(client_order_id="c1"))["order_class"]
