"""HTTP below the SDK: envelopes, media types, odd requests, and what they must not do."""

import json
import re
import uuid
from decimal import Decimal

import pytest
from tests.sdk.clients import becomes, far_below, fill, fresh_name, position_of, rest
from tests.sdk.wire import RESTING

read_by_the_dialect = pytest.mark.stacks("serve")  # whatever is behind it
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
CODES = {
    "INVALID_REQUEST",
    "INVALID_VALUE",
    "VALIDATION_ERROR",
    "UNAUTHORIZED",
    "ORDER_NOT_FOUND",
    "POSITION_NOT_FOUND",
    "SYMBOL_NOT_FOUND",
    "OCO_GROUP_NOT_FOUND",
    "ORDER_NOT_MODIFIABLE",
    "RESET_COOLDOWN",
    "ORDER_REJECTED",
    "RATE_LIMITED",
    "INTERNAL_ERROR",
    "UNSUPPORTED_OPERATION",
    "PROVIDER_ERROR",
    "SHUTTING_DOWN",
    "PROVIDER_UNAVAILABLE",
}


def refused(answer, status, code):
    """Claim that an answer is an error in the envelope; returns its details."""
    found = answer.json()
    assert (status, code) == (answer.status_code, found["code"])
    assert "application/json" == answer.headers["content-type"].partition(";")[0]
    assert found["message"]
    assert set(found) <= {"code", "message", "details"}
    assert None not in found.values()
    return found.get("details")


def post(http, body, **headers):
    content = body if isinstance(body, (str, bytes)) else json.dumps(body)
    headers = {"Content-Type": "application/json", **headers}
    return http.post("/v1/orders", content=content, headers=headers)


def listed(gateway):
    return gateway.list_orders(status=["OPEN"])


def test_a_submit_is_a_201(http):
    answer = post(http, RESTING)

    assert 201 == answer.status_code
    found = answer.json()
    assert {"id", "status", "correlation_id"} <= set(found)
    uuid.UUID(found["correlation_id"])


def test_an_order_of_a_client_without_names_tells_no_name_it_was_not_given(http):
    found = post(http, RESTING).json()

    assert "client_order_id" not in found or found["client_order_id"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v2/orders", "/v1/orders/a/b"])
@read_by_the_dialect
def test_an_unknown_path_is_a_404_in_the_envelope(http, path):
    answer = http.delete(path)

    assert answer.status_code in {404, 405}
    assert answer.json()["code"] in CODES
    assert answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/v1/orders"), ("POST", "/v1/account"), ("DELETE", "/v1/quotes/AAPL")],
)
@read_by_the_dialect
def test_a_wrong_method_is_a_405_in_the_envelope(http, method, path):
    answer = http.request(method, path)

    assert 405 == answer.status_code
    assert answer.json()["code"] in CODES
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    "body",
    ["", "{", "null", "[]", '"text"', "1", b"\xff\xfe", '{"symbol": "AAPL"}', "{}", "[" * 5000],
    ids=lambda body: repr(body)[:20],
)
@read_by_the_dialect
def test_a_body_that_is_no_order_is_a_bad_request(http, body):
    refused(post(http, body), 400, "INVALID_REQUEST")


@read_by_the_dialect
def test_a_body_without_its_media_type_is_a_bad_request(http):
    answer = http.post("/v1/orders", content=json.dumps(RESTING))

    refused(answer, 400, "INVALID_REQUEST")
    assert answer.json()["message"].startswith("Invalid request")


def test_a_media_type_may_have_parameters(http):
    answer = http.post(
        "/v1/orders",
        content=json.dumps(RESTING),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )

    assert 201 == answer.status_code


@read_by_the_dialect
def test_a_body_beyond_the_limit_is_refused_in_the_envelope(http):
    answer = post(http, {**RESTING, "symbol": "X" * 3_000_000})

    assert answer.status_code in {400, 413}
    assert "INVALID_REQUEST" == answer.json()["code"]


@pytest.mark.parametrize("quantity", [2, 2.5, "2E+0", "20e-1", "2.50", "0.2e1"], ids=repr)
def test_an_amount_may_be_a_number_or_scientific(http, gateway, quantity):
    found = post(http, {**RESTING, "quantity": quantity}).json()

    shown = gateway.get_order(found["id"]).quantity
    assert Decimal(str(quantity)) == Decimal(shown)
    assert "e" not in shown.lower()


@pytest.mark.parametrize(
    "quantity", ["", " ", "NaN", "inf", "1,5", "0x10", "1_000", None, True, [], {}], ids=repr
)
@read_by_the_dialect
def test_an_amount_that_is_none_is_a_bad_request(http, quantity):
    refused(post(http, {**RESTING, "quantity": quantity}), 400, "INVALID_REQUEST")


def test_unknown_fields_are_ignored(http):
    answer = post(http, {**RESTING, "cancel_associated_orders": True, "no_such_field": {"a": [1]}})

    assert 201 == answer.status_code


def test_a_field_that_is_null_is_absent(http):
    answer = post(http, {**RESTING, "stop_price": None, "client_order_id": None, "stop_loss": None})

    assert 201 == answer.status_code


@pytest.mark.parametrize(
    ("field", "word"), [("side", "Buy"), ("order_type", "Limit"), ("time_in_force", "Day")]
)
@read_by_the_dialect
def test_mixed_case_words_are_refused(http, field, word):
    refused(post(http, {**RESTING, field: word}), 400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/orders?status=open",
        "/v1/orders?status=OPEN,NOPE",
        "/v1/orders?side=Buy",
        "/v1/orders?limit=-1",
        "/v1/orders?limit=many",
        "/v1/orders?since=yesterday",
        "/v1/orders?since=2026-01-07T00:00:00",
        "/v1/orders/history?until=1",
        "/v1/trades?limit=1.5",
        "/v1/trades?since=2026-13-01T00:00:00Z",
        "/v1/bars/AAPL",
        "/v1/bars/AAPL?timeframe=1M",
        "/v1/bars/AAPL?timeframe=1m&limit=x",
        "/v1/bars/AAPL?timeframe=1m&start=soon",
    ],
)
@read_by_the_dialect
def test_a_query_that_can_not_be_read_is_a_bad_request_in_the_envelope(http, path):
    refused(http.get(path), 400, "INVALID_REQUEST")


def test_a_time_may_have_its_offset_encoded(http):
    answer = http.get("/v1/orders?since=2026-01-07T00:00:00%2B00:00&until=2030-01-07T00:00:00Z")

    assert 200 == answer.status_code


@pytest.mark.parametrize("query", ["status=OPEN&status=CANCELLED", "status=OPEN,CANCELLED"])
def test_several_statuses_are_listed_or_repeated(http, gateway, query):
    handle = rest(gateway)

    found = http.get(f"/v1/orders?{query}").json()

    assert handle.id in {order["id"] for order in found}


@pytest.mark.parametrize("path", ["/v1/quotes/BTC%2FUSD", "/v1/bars/BTC%2FUSD?timeframe=1m"])
def test_a_symbol_with_a_slash_is_decoded_once(http, path):
    found = http.get(path).json()

    rows = found if isinstance(found, list) else [found]
    assert {"BTC/USD"} == {row["symbol"] for row in rows}


def test_a_symbol_that_is_encoded_twice_is_unknown(http):
    details = refused(http.get("/v1/quotes/BTC%252FUSD"), 404, "SYMBOL_NOT_FOUND")

    assert {"symbol": "BTC%2FUSD"} == details


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"content": b"", "headers": {"Content-Type": "application/json"}},
        {"content": b"{}", "headers": {"Content-Type": "application/json"}},
        {"json": {"cancel_associated_orders": False}},
    ],
    ids=["nothing", "empty", "object", "unknown-field"],
)
def test_a_close_needs_no_body(http, gateway, sent):
    fill(gateway)
    position_id = position_of(gateway).id

    answer = http.request("DELETE", f"/v1/positions/{position_id}", **sent)

    assert 200 == answer.status_code
    assert "FILLED" == becomes(gateway, answer.json()["id"], "FILLED").status


@pytest.mark.parametrize("body", ["{", "[]", '{"quantity": "much"}', '{"order_type": "Market"}'])
def test_a_close_with_a_body_that_can_not_be_read_closes_nothing(http, gateway, body):
    fill(gateway)
    position_id = position_of(gateway).id

    answer = http.request(
        "DELETE",
        f"/v1/positions/{position_id}",
        content=body,
        headers={"Content-Type": "application/json"},
    )

    refused(answer, 400, "INVALID_REQUEST")
    assert position_id == position_of(gateway).id


def test_a_cancel_with_a_body_is_a_cancel(http, gateway):
    handle = rest(gateway)

    answer = http.request("DELETE", f"/v1/orders/{handle.id}", json={})

    assert (200, True) == (answer.status_code, answer.json()["success"])


def test_a_change_with_an_empty_object_is_accepted(http, gateway):
    handle = rest(gateway)

    answer = http.patch(f"/v1/orders/{handle.id}", json={})

    assert (200, handle.id) == (answer.status_code, answer.json()["order"]["id"])


def test_a_change_to_a_word_is_a_bad_request(http, gateway):
    handle = rest(gateway)

    refused(http.patch(f"/v1/orders/{handle.id}", json={"quantity": "x"}), 400, "INVALID_REQUEST")


def test_an_order_leaves_out_what_it_has_not(http, gateway):
    handle = rest(gateway)

    found = http.get(f"/v1/orders/{handle.id}").json()

    assert None not in found.values()
    assert not {"stop_price", "average_fill_price", "reject_reason"} & set(found)
    required = {"id", "symbol", "side", "order_type", "quantity", "filled_quantity"}
    required |= {"remaining_quantity", "status", "time_in_force", "created_at", "updated_at"}
    assert required <= set(found)


def test_an_order_on_the_wire_has_strings_for_amounts_and_times(http, gateway):
    handle = rest(gateway, quantity="2.50")

    found = http.get(f"/v1/orders/{handle.id}").json()

    assert UTC_TIME.fullmatch(found["created_at"])
    assert {str} == {
        type(found[name])
        for name in ("quantity", "filled_quantity", "remaining_quantity", "limit_price")
    }


def test_a_position_on_the_wire_is_whole(http, gateway, flat):
    fill(gateway)

    (found,) = http.get("/v1/positions?symbol=AAPL").json()

    assert None not in found.values()
    assert {
        "id",
        "symbol",
        "side",
        "quantity",
        "average_entry_price",
        "current_price",
        "unrealized_pnl",
        "realized_pnl",
        "opened_at",
        "updated_at",
    } <= set(found)


@pytest.mark.parametrize("path", ["/v1/account", "/v1/nothing", "/v1/orders?limit=x", "/health"])
def test_a_correlation_id_is_echoed_on_every_answer(http, path):
    answer = http.get(path, headers={"X-Correlation-ID": "trace-4711"})

    assert "trace-4711" == answer.headers["x-correlation-id"]


def test_a_correlation_id_is_made_where_none_came(http):
    found = [http.get("/v1/account").headers["x-correlation-id"] for _ in range(2)]

    assert all(found)
    assert found[0] != found[1]


def test_a_correlation_id_that_is_too_long_is_replaced(http):
    answer = http.get("/v1/account", headers={"X-Correlation-ID": "x" * 129})

    assert 200 == answer.status_code
    assert len(answer.headers["x-correlation-id"]) <= 128


@read_by_the_dialect
def test_no_answer_invites_other_origins(http):
    answer = http.get("/v1/account")

    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("method", ["GET", "POST"])
@read_by_the_dialect
def test_a_page_of_another_origin_is_refused(http, method):
    answer = http.request(
        method, "/v1/orders", headers={"Origin": "https://elsewhere.example"}, json=RESTING
    )

    assert 403 == answer.status_code


@read_by_the_dialect
def test_a_name_that_is_not_this_machines_is_refused(http):
    answer = http.get("/v1/account", headers={"Host": "elsewhere.example"})

    assert answer.status_code in {400, 403, 421}


def test_nothing_of_a_refused_order_is_left(http, gateway, flat):
    for body in ({**RESTING, "quantity": "0"}, {**RESTING, "side": "Buy"}, "{"):
        assert 400 == post(http, body).status_code

    assert [] == listed(gateway)


@read_by_the_dialect
def test_secrets_in_a_request_are_not_told_back(http):
    answer = post(http, {**RESTING, "side": "api_key=hunter2hunter2"})

    assert 400 == answer.status_code
    assert "hunter2hunter2" not in answer.text


@read_by_the_dialect
def test_head_of_a_probe_is_answered(http):
    assert http.head("/livez").status_code in {200, 405}


@read_by_the_dialect
def test_a_path_with_a_slash_behind_is_another_path(http):
    assert 404 == http.get("/v1/account/").status_code


def test_a_client_may_name_its_order_with_any_text(http, gateway):
    name = fresh_name('ä"\\/ 日本')
    price = far_below(gateway)

    answer = post(http, {**RESTING, "limit_price": price, "client_order_id": name})

    if answer.status_code == 201:
        (order,) = gateway.list_orders(client_order_id=name)
        assert (answer.json()["id"], name) == (order.id, order.client_order_id)
    else:
        assert answer.status_code in {400, 422}
