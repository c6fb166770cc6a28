"""Every class of error the SDK raises, with the code and details that its cause has."""

import httpx
import pytest
import tektii
from tests.sdk.clients import attempt, far_above, open_client, rest

# What a broker's failures look like is told where it fails itself: over a second hop the broker in
# the middle waits and looks again by its own rules, and three failures open its circuit breaker.
read_by_the_dialect = pytest.mark.stacks("serve")  # whatever is behind it
LIMIT = {"order_type": "limit", "limit_price": "1"}


def refusal(gateway, error, symbol="AAPL", side="buy", quantity="1", **fields):
    """Send an order that is refused; returns the error, after a look that nothing came of it."""
    with pytest.raises(error) as caught:
        gateway.submit_order(symbol, side, quantity, **fields)
    assert error is type(caught.value)
    assert caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"order_type": "limit"}, "limit_price"),
        ({"order_type": "stop"}, "stop_price"),
        ({"order_type": "stop_limit", "limit_price": "1"}, "stop_price"),
        ({"order_type": "stop_limit", "stop_price": "1"}, "limit_price"),
        ({"order_type": "trailing_stop", "trailing_type": "absolute"}, "trailing_distance"),
        ({"order_type": "trailing_stop", "trailing_distance": "1"}, "trailing_type"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["order_type"],
)
@read_by_the_dialect
def test_a_missing_price_is_named(gateway, fields, missing):
    error = refusal(gateway, tektii.BadRequestError, **fields)

    assert ("INVALID_REQUEST", missing) == (error.code, error.details["field"])


@pytest.mark.parametrize(
    ("kind", "given", "unexpected"),
    [
        ("market", {"limit_price": "1"}, "limit_price"),
        ("market", {"stop_price": "1"}, "stop_price"),
        ("market", {"trailing_distance": "1"}, "trailing_distance"),
        ("limit", {"limit_price": "1", "stop_price": "1"}, "stop_price"),
        ("limit", {"limit_price": "1", "trailing_distance": "1"}, "trailing_distance"),
        ("stop", {"stop_price": "1", "limit_price": "1"}, "limit_price"),
        ("stop", {"stop_price": "1", "trailing_distance": "1"}, "trailing_distance"),
        (
            "stop_limit",
            {"stop_price": "1", "limit_price": "1", "trailing_distance": "1"},
            "trailing_distance",
        ),
        (
            "trailing_stop",
            {"trailing_distance": "1", "trailing_type": "absolute", "limit_price": "1"},
            "limit_price",
        ),
        (
            "trailing_stop",
            {"trailing_distance": "1", "trailing_type": "absolute", "stop_price": "1"},
            "stop_price",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "with",
)
@read_by_the_dialect
def test_a_price_that_does_not_belong_is_named(gateway, kind, given, unexpected):
    error = refusal(gateway, tektii.BadRequestError, order_type=kind, **given)

    assert ("INVALID_VALUE", unexpected) == (error.code, error.details["field"])
    assert "provided" in error.details


@pytest.mark.parametrize("value", ["0", "-5"])
@pytest.mark.parametrize(
    ("field", "others"),
    [
        ("limit_price", {"order_type": "limit"}),
        ("stop_price", {"order_type": "stop"}),
        ("trailing_distance", {"order_type": "trailing_stop", "trailing_type": "absolute"}),
        ("stop_loss", {}),
        ("take_profit", {}),
        ("leverage", {}),
        ("display_quantity", LIMIT),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@read_by_the_dialect
def test_an_amount_that_is_not_positive_is_named(gateway, field, others, value):
    error = refusal(gateway, tektii.BadRequestError, **{**others, field: value})

    assert ("INVALID_VALUE", field) == (error.code, error.details["field"])
    assert value == error.details["provided"]


@pytest.mark.parametrize("distance", ["100", "150"])
@read_by_the_dialect
def test_a_trail_of_everything_is_refused(gateway, distance):
    error = refusal(
        gateway,
        tektii.BadRequestError,
        order_type="trailing_stop",
        trailing_distance=distance,
        trailing_type="percent",
    )

    assert ("INVALID_VALUE", "trailing_distance") == (error.code, error.details["field"])


@pytest.mark.parametrize("shown", ["1", "2"])
@read_by_the_dialect
def test_an_iceberg_shows_less_than_it_is(gateway, shown):
    error = refusal(gateway, tektii.BadRequestError, display_quantity=shown, **LIMIT)

    assert ("INVALID_VALUE", "display_quantity") == (error.code, error.details["field"])


@pytest.mark.parametrize("quantity", ["0", "-1"])
@read_by_the_dialect
def test_a_quantity_that_is_not_positive_fails_validation(gateway, quantity):
    error = refusal(gateway, tektii.BadRequestError, quantity=quantity)

    assert "VALIDATION_ERROR" == error.code
    assert "must be positive" in str(error.details["quantity"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("symbol", ""),
        ("symbol", "X" * 21),
        ("client_order_id", "n" * 65),
        ("oco_group_id", "g" * 65),
    ],
    ids=["empty-symbol", "long-symbol", "long-name", "long-group"],
)
@read_by_the_dialect
def test_a_text_of_the_wrong_length_fails_validation(gateway, field, value):
    error = refusal(gateway, tektii.BadRequestError, **{field: value})

    assert "VALIDATION_ERROR" == error.code
    assert ["length"] == [one["code"] for one in error.details[field]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("side", "Buy"),
        ("side", "long"),
        ("order_type", "Market"),
        ("order_type", "stoplimit"),
        ("time_in_force", "Gtc"),
        ("time_in_force", "opg"),
        ("margin_mode", "Cross"),
        ("quantity", "ten"),
        ("quantity", ""),
        ("quantity", "NaN"),
        ("quantity", "Infinity"),
    ],
)
@read_by_the_dialect
def test_a_word_nobody_knows_is_a_bad_request(gateway, field, value):
    error = refusal(gateway, tektii.BadRequestError, **{field: value})

    assert "INVALID_REQUEST" == error.code


@read_by_the_dialect
def test_an_unknown_trailing_type_is_a_bad_request(gateway):
    error = refusal(
        gateway,
        tektii.BadRequestError,
        order_type="trailing_stop",
        trailing_distance="1",
        trailing_type="Absolute",
    )

    assert "INVALID_REQUEST" == error.code


@pytest.mark.parametrize("path", ["/v1/quotes/NOPE", "/v1/bars/NOPE?timeframe=1m"])
def test_an_unknown_symbol_is_not_found(gateway, http, path):
    answer = http.get(path)

    assert (404, "SYMBOL_NOT_FOUND") == (answer.status_code, answer.json()["code"])
    assert {"symbol": "NOPE"} == answer.json()["details"]


def test_a_quote_of_an_unknown_symbol_is_not_found(gateway):
    with pytest.raises(tektii.NotFoundError) as caught:
        gateway.get_quote("NO/PE")

    assert ("SYMBOL_NOT_FOUND", {"symbol": "NO/PE"}) == (caught.value.code, caught.value.details)


def test_bars_of_an_unknown_symbol_are_not_found(gateway):
    with pytest.raises(tektii.NotFoundError) as caught:
        gateway.get_bars("NOPE", "1m")

    assert "SYMBOL_NOT_FOUND" == caught.value.code


def test_an_unknown_timeframe_is_a_bad_request_in_json(gateway):
    with pytest.raises(tektii.BadRequestError) as caught:
        gateway.get_bars("AAPL", "7m")

    assert "INVALID_REQUEST" == caught.value.code


def test_an_unknown_status_is_a_bad_request_in_json(gateway):
    with pytest.raises(tektii.BadRequestError) as caught:
        gateway.list_orders(status=["open"])

    assert "INVALID_REQUEST" == caught.value.code


@pytest.mark.parametrize("order_id", ["no-such-order", "with/slash", "with space", "ü"])
def test_an_unknown_order_is_not_found(gateway, order_id):
    with pytest.raises(tektii.NotFoundError) as caught:
        gateway.get_order(order_id)

    assert "ORDER_NOT_FOUND" == caught.value.code
    assert {"resource": "order", "id": order_id} == caught.value.details


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("without-money", "INSUFFICIENT_FUNDS"),
        ("after-hours", "MARKET_CLOSED"),
        ("odd-lot", "INVALID_QUANTITY"),
        ("unknown-symbol", "INVALID_SYMBOL"),
    ],
)
def test_a_rejection_has_its_canonical_code(gateway, name, code):
    error = refusal(gateway, tektii.OrderRejectedError, client_order_id=name)

    assert ("ORDER_REJECTED", code) == (error.code, error.details["reject_code"])


def test_a_rejection_for_an_unknown_reason_is_still_one(gateway):
    error = refusal(gateway, tektii.OrderRejectedError, client_order_id="unexplained")

    assert "ORDER_REJECTED" == error.code
    assert isinstance(error.details, dict)


def test_more_than_the_account_can_pay_is_rejected(gateway):
    error = refusal(
        gateway,
        tektii.OrderRejectedError,
        quantity="1000000",
        **LIMIT | {"limit_price": far_above(gateway)},
    )

    assert ("ORDER_REJECTED", "INSUFFICIENT_FUNDS") == (error.code, error.details["reject_code"])


def test_an_order_for_an_unknown_symbol_tells_so(gateway):
    with pytest.raises(tektii.APIStatusError) as caught:
        gateway.submit_order("NOPE", "buy", "1")

    error = caught.value
    assert (error.status_code, error.code) in {(404, "SYMBOL_NOT_FOUND"), (422, "ORDER_REJECTED")}
    if error.status_code == 422:
        assert "INVALID_SYMBOL" == error.details["reject_code"]
    else:
        assert {"symbol": "NOPE"} == error.details


@pytest.mark.stacks("serve")
def test_a_throttled_order_tells_when_to_come_back(gateway):
    error = refusal(gateway, tektii.RateLimitedError, client_order_id="throttled")

    assert "RATE_LIMITED" == error.code
    assert error.details["retry_after_seconds"] >= 1
    assert "reset_at" in error.details


@pytest.mark.stacks("serve")
def test_a_throttled_answer_has_the_header_that_clients_go_by(http):
    body = {"symbol": "AAPL", "side": "BUY", "quantity": "1", "order_type": "MARKET"}
    answer = http.post("/v1/orders", json={**body, "client_order_id": "throttled-raw"})

    assert 429 == answer.status_code
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.stacks("serve")
def test_an_order_that_was_never_sent_is_told_as_unavailable(gateway):
    with pytest.raises(tektii.APIStatusError) as caught:
        gateway.submit_order("AAPL", "buy", "1", client_order_id="unreachable")

    assert (caught.value.status_code, caught.value.code) in {
        (502, "PROVIDER_ERROR"),
        (503, "PROVIDER_UNAVAILABLE"),
    }


@pytest.mark.stacks("serve")
def test_an_order_whose_answer_was_lost_is_not_lost(gateway):
    """Either it is told as done, or as unknown; what is listed then is what was ordered."""
    _, error = attempt(gateway.submit_order, "AAPL", "buy", "1", client_order_id="lost", **LIMIT)
    assert error is None or error.status_code >= 500
    handle = gateway.submit_order("AAPL", "buy", "1", client_order_id="lost", **LIMIT)

    assert [handle.id] == [one.id for one in gateway.list_orders(client_order_id="lost")]


@pytest.mark.stacks("serve")
def test_a_failure_within_the_broker_is_never_an_order_that_lives(gateway):
    """It is told as the broker's failure or, once it was looked for and not found, as refused."""
    _, error = attempt(gateway.submit_order, "AAPL", "buy", "1", client_order_id="broken", **LIMIT)

    assert error.status_code in {422, 502, 503}
    assert error.code in {"ORDER_REJECTED", "PROVIDER_ERROR", "PROVIDER_UNAVAILABLE"}
    assert [] == gateway.list_orders(client_order_id="broken")


def test_nobody_listening_is_a_connection_error(free_port):
    client = open_client("sync", f"http://127.0.0.1:{free_port}")

    with pytest.raises(tektii.APIConnectionError) as caught:
        client.get_account()

    assert isinstance(caught.value.__cause__, httpx.TransportError)
    client.close()


def test_a_word_for_a_side_that_is_unknown_is_refused_in_a_list(gateway):
    rest(gateway)

    with pytest.raises(tektii.BadRequestError) as caught:
        gateway.list_orders(side="Buy")

    assert "INVALID_REQUEST" == caught.value.code
