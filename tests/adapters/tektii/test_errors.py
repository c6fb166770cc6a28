"""What each refusal of a gateway means for the one who asked."""

import pytest

from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    ProtocolError,
    RateLimitedError,
    RejectReason,
    UnknownInstrumentError,
    UnsupportedError,
    VenueError,
    VenueUnavailableError,
)
from dragoman_tektii import rest
from dragoman_tektii.errors import classify

from .gateway import refusal, reply

READ, SUBMIT, MODIFY, CANCEL = rest.QUOTE, rest.SUBMIT, rest.MODIFY, rest.CANCEL
REFUSALS = {
    "401 of the gateway": (
        READ,
        refusal(401, "UNAUTHORIZED", code="INVALID_API_KEY"),
        AuthenticationError,
        "INVALID_API_KEY",
    ),
    "401 of the broker": (
        SUBMIT,
        refusal(401, "UNAUTHORIZED", code="AUTH_FAILED"),
        AuthenticationError,
        "AUTH_FAILED",
    ),
    "404 order": (CANCEL, refusal(404, "ORDER_NOT_FOUND"), NotFoundError, "ORDER_NOT_FOUND"),
    "404 position": (
        READ,
        refusal(404, "POSITION_NOT_FOUND"),
        NotFoundError,
        "POSITION_NOT_FOUND",
    ),
    "404 group": (READ, refusal(404, "OCO_GROUP_NOT_FOUND"), NotFoundError, "OCO_GROUP_NOT_FOUND"),
    "404 symbol": (
        READ,
        refusal(404, "SYMBOL_NOT_FOUND"),
        UnknownInstrumentError,
        "SYMBOL_NOT_FOUND",
    ),
    "404 without a body": (READ, reply("", 404), VenueError, "404"),
    "409 of a change": (
        MODIFY,
        refusal(409, "ORDER_NOT_MODIFIABLE", order_id="o-1"),
        ConflictError,
        "ORDER_NOT_MODIFIABLE",
    ),
    "409 of a reset": (READ, refusal(409, "RESET_COOLDOWN"), ConflictError, "RESET_COOLDOWN"),
    "400 in place of 409, change": (
        MODIFY,
        refusal(400, "INVALID_REQUEST", "Invalid request: order is not open"),
        ConflictError,
        "INVALID_REQUEST",
    ),
    "400 in place of 409, cancel": (
        CANCEL,
        refusal(400, "INVALID_REQUEST", "Invalid request: order is filled"),
        ConflictError,
        "INVALID_REQUEST",
    ),
    "400 of a read": (READ, refusal(400, "INVALID_REQUEST"), VenueError, "INVALID_REQUEST"),
    "422 of a cancel": (CANCEL, refusal(422, "ORDER_REJECTED"), ConflictError, "ORDER_REJECTED"),
    "429 of a read": (
        READ,
        refusal(429, "RATE_LIMITED", retry_after_seconds=7),
        RateLimitedError,
        "RATE_LIMITED",
    ),
    "501": (
        SUBMIT,
        refusal(501, "UNSUPPORTED_OPERATION"),
        UnsupportedError,
        "UNSUPPORTED_OPERATION",
    ),
    "503 of a gateway that goes": (
        SUBMIT,
        refusal(503, "SHUTTING_DOWN"),
        VenueUnavailableError,
        "SHUTTING_DOWN",
    ),
}
REASONS = {
    "INSUFFICIENT_FUNDS": RejectReason.INSUFFICIENT_FUNDS,
    "MARKET_CLOSED": RejectReason.MARKET_CLOSED,
    "INVALID_QUANTITY": RejectReason.INVALID_QUANTITY,
    "INVALID_SYMBOL": RejectReason.UNKNOWN_SYMBOL,
    "ORDER_REJECTED": RejectReason.OTHER,
    "NOT_TRADABLE": RejectReason.NOT_TRADABLE,
    "DUPLICATE_CLIENT_ORDER_ID": RejectReason.DUPLICATE_CLIENT_ORDER_ID,
    "40310000": RejectReason.OTHER,
}
FIELDS = {
    "quantity": RejectReason.INVALID_QUANTITY,
    "display_quantity": RejectReason.INVALID_QUANTITY,
    "limit_price": RejectReason.INVALID_PRICE,
    "stop_price": RejectReason.INVALID_PRICE,
    "stop_loss": RejectReason.INVALID_PRICE,
    "take_profit": RejectReason.INVALID_PRICE,
    "trailing_distance": RejectReason.INVALID_PRICE,
    "symbol": RejectReason.UNKNOWN_SYMBOL,
    "leverage": RejectReason.OTHER,
}


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_a_refusal_is_the_error_that_says_what_to_do_next(name):
    endpoint, response, kind, code = REFUSALS[name]

    error = classify(endpoint, response)

    assert (kind, code) == (type(error), error.code)


@pytest.mark.parametrize("code", sorted(REASONS))
def test_why_an_order_was_refused(code):
    error = classify(SUBMIT, refusal(422, "ORDER_REJECTED", reject_code=code))

    assert (OrderRejectedError, REASONS[code], code) == (type(error), error.reason, error.code)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Order rejected: insufficient buying power", RejectReason.INSUFFICIENT_FUNDS),
        ("Order rejected: client_order_id must be unique", RejectReason.DUPLICATE_CLIENT_ORDER_ID),
        ("Order rejected: potential wash trade", RejectReason.SELF_TRADE),
        ("Order rejected: market is closed", RejectReason.MARKET_CLOSED),
        ("Order rejected: symbol is halted", RejectReason.NOT_TRADABLE),
    ],
)
def test_a_broker_s_own_words_are_read_where_its_code_says_nothing(message, reason):
    error = classify(SUBMIT, refusal(422, "ORDER_REJECTED", message))

    assert reason == error.reason


@pytest.mark.parametrize("code", ["INVALID_REQUEST", "INVALID_VALUE"])
@pytest.mark.parametrize("field", sorted(FIELDS))
def test_terms_that_are_refused_name_their_field(code, field):
    error = classify(SUBMIT, refusal(400, code, field=field, provided="-1"))

    assert (OrderRejectedError, FIELDS[field]) == (type(error), error.reason)


def test_a_validation_names_its_field_in_the_message():
    details = {"quantity": [{"code": "must be positive", "message": None, "params": {}}]}
    body = {
        "code": "VALIDATION_ERROR",
        "message": "Validation failed: quantity",
        "details": details,
    }

    assert RejectReason.INVALID_QUANTITY == classify(SUBMIT, reply(body, 400)).reason


def test_a_name_that_is_taken_is_no_order_that_has_ended():
    taken = refusal(409, "ORDER_NOT_MODIFIABLE", reject_code="DUPLICATE_CLIENT_ORDER_ID")

    assert RejectReason.DUPLICATE_CLIENT_ORDER_ID == classify(SUBMIT, taken).reason


@pytest.mark.parametrize(
    ("endpoint", "status", "code"),
    [
        (SUBMIT, 429, "RATE_LIMITED"),
        (CANCEL, 429, "RATE_LIMITED"),
        (SUBMIT, 500, "INTERNAL_ERROR"),
        (SUBMIT, 502, "PROVIDER_ERROR"),
        (SUBMIT, 503, "PROVIDER_UNAVAILABLE"),
        (MODIFY, 502, "PROVIDER_ERROR"),
        (SUBMIT, 418, "NEW_CODE"),
    ],
)
def test_what_proves_nothing_is_left_open(endpoint, status, code):
    assert classify(endpoint, refusal(status, code)) is None


def test_a_refusal_in_plain_text_is_none_of_the_table():
    with pytest.raises(ProtocolError):
        classify(READ, reply("Failed to deserialize query string", 400, "text/plain"))


def test_a_gateway_that_goes_took_nothing():
    error = classify(SUBMIT, refusal(503, "SHUTTING_DOWN"))

    assert Outcome.REJECTED == error.outcome


def test_how_long_to_wait_is_told():
    error = classify(READ, refusal(429, "RATE_LIMITED", retry_after_seconds=7, reset_at=None))

    assert 7.0 == error.retry_after
