"""Orders over REST: sent, read, changed, canceled, and refused in the protocol's words."""

import io
import uuid

from tests.dialects.tektii.gateway_rig import MARKET, REST

BAD_QUERIES = (
    "status=filled",
    "status=NOPE",
    "side=Buy",
    "limit=-1",
    "limit=4294967296",
    "limit=x",
    "since=yesterday",
    "since=2026-01-01T00:00:00",
)


async def test_market_order_is_answered_by_a_handle_and_fills(gateway):
    handle = await gateway.submit(**MARKET, client_order_id="c1")

    assert {"id", "client_order_id", "correlation_id", "status"} == set(handle)
    assert 4 == uuid.UUID(handle["correlation_id"]).version
    order = await gateway.ended(handle["id"])
    assert ("FILLED", "10", "0", "101") == tuple(
        order[name]
        for name in ("status", "filled_quantity", "remaining_quantity", "average_fill_price")
    )
    assert "correlation_id" not in order
    assert "GTC" == order["time_in_force"]


async def test_unnamed_order_has_an_id_and_no_client_order_id(gateway):
    handle = await gateway.submit(**REST)
    order = await gateway.get(f"/v1/orders/{handle['id']}")

    assert "client_order_id" not in handle
    assert "client_order_id" not in order
    assert handle["correlation_id"] == order["correlation_id"]


async def test_amounts_are_read_exactly(gateway):
    for quantity, shown in (("1E+1", "10"), (2.50, "2.5"), ("2.50", "2.50"), (3, "3")):
        handle = await gateway.submit(**{**REST, "quantity": quantity})

        assert shown == (await gateway.get(f"/v1/orders/{handle['id']}"))["quantity"]


async def test_unknown_fields_are_ignored(gateway):
    await gateway.submit(**REST, surprise=1, cancel_associated_orders=True)


async def test_same_name_and_terms_is_the_same_order_other_terms_a_conflict(gateway):
    first = await gateway.submit(**REST, client_order_id="c1")
    again = await gateway.submit(**REST, client_order_id="c1")
    status, refusal = await gateway.ask(
        "POST", "/v1/orders", {**REST, "client_order_id": "c1", "quantity": "6"}
    )

    assert first == again
    assert 1 == len(await gateway.get("/v1/orders"))
    assert (409, "ORDER_NOT_MODIFIABLE") == (status, refusal["code"])
    assert "DUPLICATE_CLIENT_ORDER_ID" == refusal["details"]["reject_code"]


async def test_broken_order_is_a_400_and_is_not_sent(gateway):
    status, refusal = await gateway.ask("POST", "/v1/orders", {**REST, "limit_price": None})

    assert (400, "INVALID_REQUEST", {"field": "limit_price"}) == (
        status,
        refusal["code"],
        refusal["details"],
    )
    assert [] == await gateway.get("/v1/orders")


async def test_body_that_is_no_json_is_told_so(gateway):
    plain = await gateway.ask("POST", "/v1/orders", data=b"{}")
    broken = await gateway.ask(
        "POST", "/v1/orders", data=b"{", headers={"Content-Type": "application/json"}
    )
    long = await gateway.ask("POST", "/v1/orders", data=io.BytesIO(b"x" * 3_000_000))

    for status, refusal in (plain, broken, long):
        assert (400, "INVALID_REQUEST") == (status, refusal["code"])
    assert plain[1]["message"].startswith("Invalid request: Invalid JSON:")


async def test_broker_refusal_is_a_422_with_its_reason(gateway):
    dear = await gateway.submit(422, **{**MARKET, "quantity": "1000000000"})
    nowhere = await gateway.submit(422, **{**MARKET, "symbol": "NOPE"})
    odd = await gateway.submit(422, **{**REST, "limit_price": "90.001"})

    assert "INSUFFICIENT_FUNDS" == dear["details"]["reject_code"]
    assert "INVALID_SYMBOL" == nowhere["details"]["reject_code"]
    assert "INVALID_PRICE" == odd["details"]["reject_code"]
    assert {"ORDER_REJECTED"} == {one["code"] for one in (dear, nowhere, odd)}


async def test_order_is_changed_in_place_until_it_has_ended(gateway):
    handle = await gateway.submit(**REST)
    path = f"/v1/orders/{handle['id']}"

    status, changed = await gateway.ask("PATCH", path, {"limit_price": "91", "quantity": "7"})
    _, same = await gateway.ask("PATCH", path, {})
    refused = await gateway.ask("PATCH", path, {"stop_price": "80"})
    canceled = await gateway.ask("DELETE", path)
    again = await gateway.ask("DELETE", path)
    late = await gateway.ask("PATCH", path, {"limit_price": "92"})

    order = changed["order"]
    assert (200, "91", "7", handle["id"]) == (
        status,
        order["limit_price"],
        order["quantity"],
        order["id"],
    )
    assert "previous_order_id" not in changed
    assert changed == same
    assert (400, "INVALID_VALUE") == (refused[0], refused[1]["code"])
    for status, answer in (canceled, again):
        assert (200, True, "CANCELLED") == (status, answer["success"], answer["order"]["status"])
    assert (409, {"order_id": handle["id"]}) == (late[0], late[1]["details"])


async def test_cancel_of_a_filled_order_is_a_conflict_of_an_unknown_one_a_404(gateway):
    handle = await gateway.buy()

    filled = await gateway.ask("DELETE", f"/v1/orders/{handle['id']}")
    unknown = await gateway.ask("DELETE", "/v1/orders/none")

    assert (409, "ORDER_NOT_MODIFIABLE") == (filled[0], filled[1]["code"])
    assert (404, {"resource": "order", "id": "none"}) == (unknown[0], unknown[1]["details"])


async def test_lists_tell_what_works_and_what_has_ended_apart(gateway):
    done = await gateway.buy()
    open_ = await gateway.submit(**REST, client_order_id="c1")
    other = await gateway.submit(**{**REST, "symbol": "MSFT", "limit_price": "200"})

    async def ids(query):
        return [one["id"] for one in await gateway.get(query)]

    assert [other["id"], open_["id"]] == await ids("/v1/orders")
    assert [open_["id"]] == await ids("/v1/orders?symbol=AAPL")
    assert [open_["id"]] == await ids("/v1/orders?client_order_id=c1")
    assert [other["id"]] == await ids("/v1/orders?limit=1")
    assert [] == await ids("/v1/orders?limit=0")
    assert [done["id"]] == await ids("/v1/orders?status=FILLED,REJECTED")
    assert 3 == len(await ids("/v1/orders?status=FILLED&status=OPEN"))
    assert [done["id"]] == await ids("/v1/orders/history")
    assert [] == await ids("/v1/orders?side=sell")
    assert [] == await ids("/v1/orders?since=2100-01-01T00:00:00%2B00:00")
    assert [] == await ids("/v1/orders?until=2000-01-01T00:00:00Z")


async def test_bad_query_is_a_400_in_json(gateway):
    for query in BAD_QUERIES:
        refusal = await gateway.get(f"/v1/orders?{query}", 400)

        assert "INVALID_REQUEST" == refusal["code"]
        assert query.partition("=")[0] == refusal["details"]["field"]


async def test_cancel_all_counts(gateway):
    await gateway.submit(**REST)
    await gateway.submit(**{**REST, "symbol": "MSFT", "limit_price": "200"})

    assert (200, {"cancelled_count": 1, "failed_count": 0}) == await gateway.ask(
        "DELETE", "/v1/orders?symbol=MSFT"
    )
    assert (200, {"cancelled_count": 1, "failed_count": 0}) == await gateway.ask(
        "DELETE", "/v1/orders"
    )


async def test_executions_are_listed_by_order_and_time(gateway):
    handle = await gateway.buy()
    await gateway.buy(symbol="MSFT", quantity="1")

    (trade,) = await gateway.get(f"/v1/trades?order_id={handle['id']}")

    assert ("AAPL", "BUY", "10", "101", "0", "USD") == tuple(
        trade[name]
        for name in (
            "symbol",
            "side",
            "quantity",
            "price",
            "commission",
            "commission_currency",
        )
    )
    assert 2 == len(await gateway.get("/v1/trades"))
    assert 1 == len(await gateway.get(f"/v1/trades?since={trade['timestamp']}&symbol=AAPL"))
    assert [] == await gateway.get(f"/v1/trades?until={trade['timestamp']}&symbol=AAPL")


async def test_first_of_an_oco_group_to_fill_cancels_the_others(gateway):
    await gateway.buy()
    sell = {"symbol": "AAPL", "side": "sell", "quantity": "10", "oco_group_id": "g1"}
    stop = await gateway.submit(**sell, order_type="stop", stop_price="80")
    target = await gateway.submit(**sell, order_type="limit", limit_price="120")

    await gateway.venue.quote("120", "122")

    assert "FILLED" == (await gateway.ended(target["id"]))["status"]
    canceled = await gateway.ended(stop["id"])
    assert ("CANCELLED", "g1") == (canceled["status"], canceled["oco_group_id"])


async def test_hidden_and_reduce_only_reach_the_broker(gateway):
    await gateway.buy()

    hidden = await gateway.submit(**REST, hidden=True)
    closing = await gateway.submit(
        symbol="AAPL",
        side="sell",
        order_type="limit",
        quantity="10",
        limit_price="120",
        reduce_only=True,
        post_only=True,
    )

    assert (await gateway.get(f"/v1/orders/{hidden['id']}"))["hidden"]
    order = await gateway.get(f"/v1/orders/{closing['id']}")
    assert order["reduce_only"]
    assert order["post_only"]


async def test_leverage_is_set_before_the_order(gateway):
    await gateway.buy(leverage="2", margin_mode="cross")

    (position,) = await gateway.get("/v1/positions")
    assert "2" == position["leverage"]
