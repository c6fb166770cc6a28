"""Every error of a broker in the protocol's terms."""

import pytest

from dragoman.errors import (
    AuthenticationError,
    CircuitOpenError,
    ClosedError,
    ConfigurationError,
    ConflictError,
    ConnectFailedError,
    DecodeError,
    DragomanError,
    DuplicateOrderError,
    HaltedError,
    InvalidOrderError,
    InvalidValueError,
    JournalUnavailableError,
    LimitExceededError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    PermissionDeniedError,
    ReconcilingError,
    RejectReason,
    UnknownInstrumentError,
    UnsupportedError,
    VenueError,
    VenueUnavailableError,
    Violation,
)
from dragoman_tektii.dialect.problems import RefusedError, refusal_of, refusal_of_status

LOT = Violation.of("quantity", "1.5", "a multiple of 1")
TICK = Violation.of("limit_price", "1.001", "a multiple of the tick size")


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (AuthenticationError("x"), 401, "UNAUTHORIZED"),
        (PermissionDeniedError("x"), 403, "UNAUTHORIZED"),
        (NotFoundError("x"), 404, "ORDER_NOT_FOUND"),
        (UnknownInstrumentError("x"), 404, "SYMBOL_NOT_FOUND"),
        (ConflictError("x"), 409, "ORDER_NOT_MODIFIABLE"),
        (DuplicateOrderError("x"), 409, "ORDER_NOT_MODIFIABLE"),
        (OrderRejectedError("x"), 422, "ORDER_REJECTED"),
        (LimitExceededError("x"), 422, "ORDER_REJECTED"),
        (VenueError("x"), 422, "ORDER_REJECTED"),
        (InvalidOrderError.of("x", [LOT]), 422, "ORDER_REJECTED"),
        (InvalidOrderError("x"), 422, "ORDER_REJECTED"),
        (InvalidValueError.of("x", [LOT]), 400, "INVALID_REQUEST"),
        (ConfigurationError("x"), 500, "INTERNAL_ERROR"),
        (DecodeError("x"), 500, "INTERNAL_ERROR"),
        (DragomanError("x"), 500, "INTERNAL_ERROR"),
        (OutcomeUnknownError("x"), 500, "INTERNAL_ERROR"),
        (VenueError("x", outcome=Outcome.UNKNOWN), 500, "INTERNAL_ERROR"),
        (UnsupportedError("x"), 501, "UNSUPPORTED_OPERATION"),
        (ConnectFailedError("x"), 502, "PROVIDER_ERROR"),
        (VenueUnavailableError("x"), 503, "PROVIDER_UNAVAILABLE"),
        (CircuitOpenError("x"), 503, "PROVIDER_UNAVAILABLE"),
        (HaltedError("x"), 503, "PROVIDER_UNAVAILABLE"),
        (ReconcilingError("x"), 503, "PROVIDER_UNAVAILABLE"),
        (JournalUnavailableError("x"), 503, "PROVIDER_UNAVAILABLE"),
        (ClosedError("x"), 503, "SHUTTING_DOWN"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_error_has_a_status_and_a_word(error, status, word):
    refusal = refusal_of(error)

    assert (status, word) == (refusal.status, refusal.word)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (RejectReason.INSUFFICIENT_FUNDS, "INSUFFICIENT_FUNDS"),
        (RejectReason.MARKET_CLOSED, "MARKET_CLOSED"),
        (RejectReason.INVALID_QUANTITY, "INVALID_QUANTITY"),
        (RejectReason.UNKNOWN_SYMBOL, "INVALID_SYMBOL"),
        (RejectReason.WOULD_TAKE, "WOULD_TAKE"),
        (RejectReason.OTHER, "ORDER_REJECTED"),
    ],
)
def test_reason_of_a_rejection_has_a_code(reason, code):
    assert code == refusal_of(OrderRejectedError("x", reason=reason)).details["reject_code"]


def test_rule_of_the_instrument_names_the_protocols_field():
    lot, tick = (refusal_of(InvalidOrderError.of("x", [one])) for one in (LOT, TICK))

    assert ("INVALID_QUANTITY", "quantity") == (lot.details["reject_code"], lot.details["field"])
    assert ("INVALID_PRICE", "limit_price") == (tick.details["reject_code"], tick.details["field"])


def test_what_looks_like_a_credential_is_not_told():
    refusal = RefusedError(
        500, "INTERNAL_ERROR", "sent api_key=abc and token: def", details={"secret": "x", "a": "b"}
    )

    assert "sent api_key=***REDACTED*** and token: ***REDACTED***" == refusal.body["message"]
    assert {"secret": "***REDACTED***", "a": "b"} == refusal.body["details"]


@pytest.mark.parametrize(
    ("status", "told", "word"),
    [
        (413, 400, "INVALID_REQUEST"),
        (404, 404, "INVALID_REQUEST"),
        (403, 403, "UNAUTHORIZED"),
        (429, 429, "RATE_LIMITED"),
        (500, 500, "INTERNAL_ERROR"),
        (504, 504, "PROVIDER_ERROR"),
    ],
    ids=str,
)
def test_hosts_own_refusals_have_words_too(status, told, word):
    refusal = refusal_of_status(status, "no")

    assert (told, word) == (refusal.status, refusal.word)


def test_closing_host_says_that_it_shuts_down():
    assert "SHUTTING_DOWN" == refusal_of_status(503, "the server is closing").word
