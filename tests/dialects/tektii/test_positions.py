"""Positions over REST: read, closed by id or all, and their exits moved."""

import pytest
from tests.dialects.tektii.gateway_rig import MARKET
from tests.shared.rig import eventually

from dragoman_tektii.mapping.words import STATUSES

BRACKET = {**MARKET, "stop_loss": "90", "take_profit": "120"}


async def test_position_is_read_by_id_and_by_symbol(gateway):
    await gateway.buy()

    (row,) = await gateway.get("/v1/positions")

    assert ("AAPL", "LONG", "10", "101", "100.0") == tuple(
        row[name] for name in ("symbol", "side", "quantity", "average_entry_price", "current_price")
    )
    assert row == await gateway.get(f"/v1/positions/{row['id']}")
    assert [] == await gateway.get("/v1/positions?symbol=MSFT")
    refusal = await gateway.get("/v1/positions/none", 404)
    assert {"resource": "position", "id": "none"} == refusal["details"]


async def test_short_position_has_a_side_and_no_sign(gateway):
    await gateway.buy(side="SELL")

    (row,) = await gateway.get("/v1/positions")

    assert ("SHORT", "10") == (row["side"], row["quantity"])


async def test_part_of_a_position_then_all_of_it_is_closed(gateway):
    await gateway.buy()

    status, part = await gateway.ask(
        "DELETE", "/v1/positions/AAPL", {"quantity": "4", "cancel_associated_orders": True}
    )
    await gateway.ended(part["id"])
    (left,) = await gateway.get("/v1/positions")
    _, rest = await gateway.ask("DELETE", "/v1/positions/AAPL")

    assert (200, "6") == (status, left["quantity"])
    assert "correlation_id" not in part
    assert "client_order_id" not in part
    assert "6" == (await gateway.ended(rest["id"]))["filled_quantity"]
    assert [] == await gateway.get("/v1/positions")
    assert 404 == (await gateway.ask("DELETE", "/v1/positions/AAPL"))[0]


async def test_more_than_is_held_closes_what_is_held(gateway):
    await gateway.buy()

    _, handle = await gateway.ask("DELETE", "/v1/positions/AAPL", {"quantity": "99"})

    order = await gateway.ended(handle["id"])
    assert ("10", True) == (order["filled_quantity"], order["reduce_only"])


async def test_position_is_closed_by_a_limit_order(gateway):
    await gateway.buy()
    body = {"order_type": "LIMIT", "limit_price": "130"}

    _, handle = await gateway.ask("DELETE", "/v1/positions/AAPL", body)
    missing = await gateway.ask("DELETE", "/v1/positions/AAPL", {"order_type": "limit"})
    zero = await gateway.ask("DELETE", "/v1/positions/AAPL", {"quantity": "0"})

    order = await gateway.get(f"/v1/orders/{handle['id']}")
    assert ("SELL", "LIMIT", "130", True) == tuple(
        order[name] for name in ("side", "order_type", "limit_price", "reduce_only")
    )
    assert (400, {"field": "limit_price"}) == (missing[0], missing[1]["details"])
    assert (400, "INVALID_VALUE") == (zero[0], zero[1]["code"])


async def test_all_positions_are_closed_or_those_of_a_symbol(gateway):
    await gateway.buy()
    await gateway.buy(symbol="MSFT", quantity="1")

    _, first = await gateway.ask("DELETE", "/v1/positions?symbol=MSFT")
    _, rest = await gateway.ask("DELETE", "/v1/positions")
    _, none = await gateway.ask("DELETE", "/v1/positions?symbol=MSFT")

    assert (1, []) == (len(first), none)
    for handle in [*first, *rest]:
        assert "FILLED" == (await gateway.ended(handle["id"]))["status"]
    assert [] == await gateway.get("/v1/positions")


async def test_positions_that_cannot_be_closed_are_named_with_those_that_were(open_gateway):
    gateway = await open_gateway()
    await gateway.buy()
    gateway.broker.halt("test")

    status, refusal = await gateway.ask("DELETE", "/v1/positions")

    assert (503, "PROVIDER_UNAVAILABLE") == (status, refusal["code"])
    assert 1 == len(await gateway.get("/v1/positions"))


async def test_exits_are_named_after_the_entry_and_work_once_it_has_filled(gateway):
    handle = await gateway.submit(**BRACKET, client_order_id="c1")
    await gateway.ended(handle["id"])

    def are_open():
        state = gateway.broker.state
        return all(str(state.order(f"c1-{role}").status) == "OPEN" for role in ("sl", "tp"))

    await eventually(are_open)
    orders = {one["id"]: one for one in await gateway.get("/v1/orders")}

    assert {"c1-sl", "c1-tp"} == set(orders)
    stop, target = orders["c1-sl"], orders["c1-tp"]
    assert ("STOP", "SELL", "90", "10", "c1") == tuple(
        stop[name] for name in ("order_type", "side", "stop_price", "quantity", "parent_order_id")
    )
    assert ("LIMIT", "SELL", "120", "10", "c1") == tuple(
        target[name]
        for name in ("order_type", "side", "limit_price", "quantity", "parent_order_id")
    )
    assert not {"correlation_id"} & set(stop)


async def test_exits_wait_as_pending_until_the_entry_fills(gateway):
    await gateway.submit(
        symbol="AAPL",
        side="buy",
        order_type="limit",
        quantity="1",
        limit_price="95",
        stop_loss="90",
        client_order_id="c1",
    )
    await eventually(lambda: gateway.broker.state.order("c1-sl"))

    orders = {one["id"]: one["status"] for one in await gateway.get("/v1/orders")}

    assert {"c1": "OPEN", "c1-sl": "PENDING"} == orders
    assert set(orders.values()) <= set(STATUSES)


async def test_resting_exits_are_moved_leg_by_leg(gateway):
    await gateway.submit(**BRACKET, client_order_id="c1")
    await gateway.ended("c1")
    await eventually(lambda: str(gateway.broker.state.order("c1-tp").status) == "OPEN")

    status, moved = await gateway.ask(
        "PATCH", "/v1/positions/AAPL", {"stop_loss": "92", "take_profit": "125"}
    )

    assert 200 == status
    assert {"order_ids": ["c1-sl"], "trigger_price": "92"} == moved["stop_loss"]
    assert {"order_ids": ["c1-tp"], "trigger_price": "125"} == moved["take_profit"]
    assert "92" == (await gateway.get("/v1/orders/c1-sl"))["stop_price"]
    assert "125" == (await gateway.get("/v1/orders/c1-tp"))["limit_price"]


async def test_an_exit_that_a_position_has_not_is_neither_moved_nor_given_to_it(gateway):
    await gateway.buy()

    neither = await gateway.ask("PATCH", "/v1/positions/AAPL", {})
    unknown = await gateway.ask("PATCH", "/v1/positions/none", {"stop_loss": "90"})
    naked = await gateway.ask("PATCH", "/v1/positions/AAPL", {"stop_loss": "90"})

    assert (400, "VALIDATION_ERROR", ["__all__"]) == (
        neither[0],
        neither[1]["code"],
        list(neither[1]["details"]),
    )
    assert (404, "POSITION_NOT_FOUND") == (unknown[0], unknown[1]["code"])
    assert (409, "ORDER_NOT_MODIFIABLE") == (naked[0], naked[1]["code"])
    assert [] == await gateway.get("/v1/orders")


async def test_half_a_pair_cannot_move_the_other(gateway):
    half = {name: value for name, value in BRACKET.items() if name != "take_profit"}
    await gateway.submit(**half, client_order_id="c1")
    await gateway.ended("c1")
    state = gateway.broker.state
    await eventually(lambda: "c1-sl" in [one.client_order_id for one in state.open_orders])
    await eventually(lambda: str(state.order("c1-sl").status) == "OPEN")

    both = {"stop_loss": "92", "take_profit": "120"}
    status, refusal = await gateway.ask("PATCH", "/v1/positions/AAPL", both)

    assert (409, "ORDER_NOT_MODIFIABLE") == (status, refusal["code"])
    assert ["c1-sl"] == [one["id"] for one in await gateway.get("/v1/orders")]


@pytest.mark.parametrize(
    ("method", "path", "empty"),
    [
        ("GET", "/v1/orders", []),
        ("GET", "/v1/orders/history", []),
        ("GET", "/v1/trades", []),
        ("GET", "/v1/positions", []),
        ("DELETE", "/v1/positions", []),
        ("DELETE", "/v1/orders", {"cancelled_count": 0, "failed_count": 0}),
    ],
    ids=["orders", "history", "trades", "positions", "close", "cancel"],
)
async def test_nothing_is_found_in_a_symbol_that_the_broker_does_not_list(
    gateway, method, path, empty
):
    await gateway.buy()

    status, found = await gateway.ask(method, f"{path}?symbol=NOPE")

    assert (200, empty) == (status, found)


async def test_exits_are_never_stripped_where_the_broker_has_none(open_gateway):
    gateway = await open_gateway(settings={"native_exits": False})

    status, refusal = await gateway.ask("POST", "/v1/orders", BRACKET)

    assert (501, "UNSUPPORTED_OPERATION", "mock") == (
        status,
        refusal["code"],
        refusal["details"]["provider"],
    )
    assert [] == await gateway.get("/v1/positions")
