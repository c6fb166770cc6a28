"""Alpaca's refusals: a row for each message, and for what only code or status tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    DecodeError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    RejectReason,
    VenueUnavailableError,
)
from dragoman.times import ManualClock
from dragoman.transport.base import HttpResponse, Lane
from dragoman.transport.codec import encode
from dragoman.transport.endpoint import Endpoint
from dragoman.transport.verdict import Verdicts
from dragoman_alpaca.errors import classify, error_of, reason_of
from dragoman_alpaca.wire.trading import Problem

ENDPOINTS = {
    Lane.ORDER: Endpoint(name="POST /v2/orders", method="POST", path="/v2/orders", lane=Lane.ORDER),
    Lane.CANCEL: Endpoint(name="DELETE", method="DELETE", path="/v2/orders/x", lane=Lane.CANCEL),
    Lane.READ: Endpoint(name="GET", method="GET", path="/v2/orders"),
}
REASONS = {
    "client_order_id must be unique": RejectReason.DUPLICATE_CLIENT_ORDER_ID,
    "client order id must be unique": RejectReason.DUPLICATE_CLIENT_ORDER_ID,
    "insufficient buying power": RejectReason.INSUFFICIENT_FUNDS,
    "insufficient day trading buying power": RejectReason.INSUFFICIENT_FUNDS,
    "insufficient options buying power": RejectReason.INSUFFICIENT_FUNDS,
    "insufficient balance for USD (requested: 10, available: 1)": RejectReason.INSUFFICIENT_FUNDS,
    "insufficient balance for BTC (requested: 1, available: 0)": (
        RejectReason.INSUFFICIENT_POSITION
    ),
    "insufficient qty available for order (requested: 5, available: 0)": (
        RejectReason.INSUFFICIENT_POSITION
    ),
    "no available position for the specified contract": RejectReason.INSUFFICIENT_POSITION,
    "cost basis must be >= minimal amount of order 10": RejectReason.BELOW_MINIMUM,
    "notional value must be >= 1": RejectReason.BELOW_MINIMUM,
    "potential wash trade detected. use complex orders": RejectReason.SELF_TRADE,
    "opposite side market/stop order exists": RejectReason.SELF_TRADE,
    "trade denied due to pattern day trading protection": RejectReason.RISK_LIMIT,
    'asset "XYZ" is not shortable': RejectReason.SHORT_NOT_ALLOWED,
    "account is not allowed to short": RejectReason.SHORT_NOT_ALLOWED,
    "asset cannot be sold short": RejectReason.SHORT_NOT_ALLOWED,
    "fractional orders cannot be sold short": RejectReason.SHORT_NOT_ALLOWED,
    "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria": (
        RejectReason.INVALID_PRICE
    ),
    "bracket orders require take_profit.limit_price": RejectReason.UNSUPPORTED,
    "take_profit.limit_price must be >= base_price + 0.01": RejectReason.INVALID_PRICE,
    "stop_loss.stop_price must be <= base_price - 0.01": RejectReason.INVALID_PRICE,
    "stop price must not be less than 0": RejectReason.INVALID_PRICE,
    "position intent mismatch, inferred: sell_to_open, specified: sell_to_close": (
        RejectReason.WOULD_INCREASE
    ),
    'asset "XYZ" is not fractionable': RejectReason.INVALID_QUANTITY,
    "qty must be > 0": RejectReason.INVALID_QUANTITY,
    "fractional orders must be DAY orders": RejectReason.INVALID_QUANTITY,
    'asset "XYZ" not found': RejectReason.UNKNOWN_SYMBOL,
    "option contract TSLA231110C00021000 not found": RejectReason.UNKNOWN_SYMBOL,
    "could not find asset": RejectReason.UNKNOWN_SYMBOL,
    "invalid symbol": RejectReason.UNKNOWN_SYMBOL,
    'asset "XYZ" is not tradable': RejectReason.NOT_TRADABLE,
    "asset XYZ is not active": RejectReason.NOT_TRADABLE,
    "market is closed": RejectReason.MARKET_CLOSED,
    "market on open orders cannot be submitted between 9:28am and 7:00pm": (
        RejectReason.MARKET_CLOSED
    ),
    "account is restricted to liquidation only": RejectReason.NOT_PERMITTED,
    "account not eligible to trade options": RejectReason.NOT_PERMITTED,
    "us_equity orders not allowed for account": RejectReason.NOT_PERMITTED,
    "new orders are rejected by user request": RejectReason.NOT_PERMITTED,
    "bracket orders must be entry orders": RejectReason.UNSUPPORTED,
    "bracket orders must be market or limit orders": RejectReason.UNSUPPORTED,
    "extended hours order must be DAY limit orders": RejectReason.UNSUPPORTED,
    "invalid order type for crypto order": RejectReason.UNSUPPORTED,
    "invalid time_in_force": RejectReason.UNSUPPORTED,
    "too many open orders": RejectReason.TOO_MANY_ORDERS,
    "order size exceeds the maximum": RejectReason.ABOVE_MAXIMUM,
    "order parameters are not changed": RejectReason.OTHER,
    "order exceeds a risk limit of the account": RejectReason.RISK_LIMIT,
    "order would take liquidity": RejectReason.WOULD_TAKE,
    "stop price would trigger at once": RejectReason.WOULD_TRIGGER,
    "no liquidity for the order": RejectReason.NO_LIQUIDITY,
    "not possible in the position mode": RejectReason.POSITION_MODE,
}


def classified(status, content, lane=Lane.ORDER):
    response = HttpResponse(status=status, headers={}, body=encode(content))
    return classify(ENDPOINTS[lane], response)


@pytest.mark.parametrize(("message", "reason"), REASONS.items(), ids=REASONS)
@pytest.mark.parametrize("status", [403, 422])
def test_message_of_a_refused_order(status, message, reason):
    error = classified(status, {"code": 40310000, "message": message})

    assert (OrderRejectedError, reason, "40310000", Outcome.REJECTED) == (
        type(error),
        error.reason,
        error.code,
        error.outcome,
    )
    assert message in error.message


@pytest.mark.parametrize("message", REASONS)
def test_message_is_read_whatever_its_case(message):
    assert REASONS[message] is reason_of(message.upper())


def test_a_refusal_may_say_its_reason_beside_the_message_or_in_its_code():
    said = [
        classified(403, {"message": "denied", "reject_reason": "opposite side stop order exists"}),
        classified(403, {"message": "denied", "code": "insufficient_buying_power"}),
        classified(422, {"message": "something new"}),
    ]

    assert [
        RejectReason.SELF_TRADE,
        RejectReason.INSUFFICIENT_FUNDS,
        RejectReason.OTHER,
    ] == [error.reason for error in said]


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (422, {"code": 42210000, "message": "order is not cancelable"}),
        (422, {"code": 42210000, "message": 'order is already in "filled" state'}),
        (422, {"message": "unable to replace order, order isn't sent to exchange yet"}),
        (422, {"message": "cannot replace order in pending_cancel status"}),
        (409, {"message": "conflict"}),
    ],
    ids=["cancelable", "filled", "not-sent", "pending", "409"],
)
@pytest.mark.parametrize("lane", [Lane.ORDER, Lane.CANCEL])
def test_what_is_in_no_state_for_it_is_a_conflict(status, content, lane):
    error = classified(status, content, lane)

    assert (ConflictError, Outcome.REJECTED) == (type(error), error.outcome)


@pytest.mark.parametrize(
    ("lane", "message", "kind"),
    [
        (Lane.READ, "order not found for 61e69015", NotFoundError),
        (Lane.CANCEL, "order not found", NotFoundError),
        (Lane.ORDER, "order not found", NotFoundError),
        (Lane.ORDER, "position does not exist", NotFoundError),
        (Lane.READ, "position does not exist", NotFoundError),
        (Lane.READ, "asset not found for XYZ", NotFoundError),
        (Lane.ORDER, "asset not found", OrderRejectedError),
    ],
)
def test_not_found(lane, message, kind):
    assert kind is type(classified(404, {"code": 40410000, "message": message}, lane))


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (401, {"code": 40110000, "message": "unauthorized."}),
        (401, {"message": "request is not authorized"}),
        (403, {"code": 40110000, "message": "access key verification failed"}),
        (403, {"message": "forbidden."}),
    ],
    ids=["401", "401-no-code", "403", "forbidden"],
)
@pytest.mark.parametrize("lane", Lane)
def test_a_key_that_is_not_good(status, content, lane):
    assert AuthenticationError is type(classified(status, content, lane))


def test_data_that_the_subscription_does_not_include():
    content = {"message": "subscription does not permit querying recent SIP data"}

    assert PermissionDeniedError is type(classified(403, content, Lane.READ))


@pytest.mark.parametrize("message", ["too many requests", "rate limit exceeded."])
def test_a_request_that_its_own_limit_turns_away_is_not_served(message):
    errors = [
        classified(429, {"message": message}, Lane.ORDER),
        classified(429, {"code": 42910000}, Lane.CANCEL),
        classified(429, {"message": message}, Lane.READ),
    ]

    assert [RateLimitedError] * 3 == [type(error) for error in errors]
    assert [Outcome.REJECTED, Outcome.REJECTED, None] == [error.outcome for error in errors]


def test_a_command_that_something_in_between_throttled_is_left_to_the_broker():
    assert None is classified(429, {"message": "slow down"}, Lane.ORDER)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("lane", Lane)
def test_a_servers_error_is_left_to_the_broker(status, lane):
    content = {"code": 50010000, "message": "insufficient buying power"}

    assert None is classified(status, content, lane)


def test_a_command_that_met_a_servers_error_has_no_known_fate():
    verdicts = Verdicts(provider="alpaca-paper", clock=ManualClock(0), classify=classify)
    response = HttpResponse(status=504, headers={}, body=b"<html>")

    errors = {lane: verdicts.on_response(ENDPOINTS[lane], response) for lane in Lane}

    assert OutcomeUnknownError is type(errors[Lane.ORDER])
    assert VenueUnavailableError is type(errors[Lane.READ])


@pytest.mark.parametrize("lane", Lane)
def test_what_says_nothing_is_left_to_its_status(lane):
    assert None is classified(422, {}, lane)


@pytest.mark.parametrize("status", [400, 404, 418, 422])
def test_a_read_that_is_refused_for_reasons_of_its_own_is_left_to_its_status(status):
    assert None is classified(status, {"message": "invalid page_token"}, Lane.READ)


def test_a_page_of_a_proxy_is_no_word_of_alpacas():
    with pytest.raises(DecodeError):
        classify(ENDPOINTS[Lane.ORDER], HttpResponse(status=403, headers={}, body=b"<html>"))


def test_a_row_of_a_multi_status_answer_is_judged_alike():
    problem = Problem(code=42210000, message="order is not cancelable")

    assert ConflictError is type(error_of(ENDPOINTS[Lane.CANCEL], 422, problem))


def test_a_message_is_cut_to_a_line():
    error = classified(422, {"message": "x" * 5000})

    assert len(error.message) < 400


@given(
    st.sampled_from([400, 401, 403, 404, 409, 422, 429]),
    st.sampled_from(Lane),
    st.fixed_dictionaries(
        {},
        optional={
            "code": st.none() | st.integers() | st.text(),
            "message": st.none() | st.text() | st.sampled_from(sorted(REASONS)),
            "reject_reason": st.none() | st.text(),
            "extra": st.integers(),
        },
    ),
)
def test_no_refusal_leaves_a_commands_fate_open(status, lane, content):
    try:
        error = classified(status, content, lane)
    except DecodeError:
        return

    assert error is None or lane is Lane.READ or error.outcome is Outcome.REJECTED
