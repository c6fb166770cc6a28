"""Wharf's refusals: every code of the table, and what is in no table."""

import pytest

from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    DecodeError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    PermissionDeniedError,
    RateLimitedError,
    RejectReason,
    UnknownInstrumentError,
    VenueError,
)
from dragoman.transport.base import HttpResponse
from dragoman.transport.codec import encode
from dragoman_conformance.references.wharf import errors
from dragoman_conformance.references.wharf.rest import CANCEL, POSITIONS, SUBMIT


def judged(endpoint, status, code):
    body = encode({"error": {"code": code, "message": "said so"}})
    return errors.classify(endpoint, HttpResponse(status=status, body=body))


@pytest.mark.parametrize(("code", "reason"), errors.REASONS.items(), ids=errors.REASONS)
def test_an_order_is_refused_for_a_reason(code, reason):
    error = judged(SUBMIT, 422, code)

    assert (OrderRejectedError, reason, code) == (type(error), error.reason, error.code)
    assert Outcome.REJECTED is error.outcome


@pytest.mark.parametrize(("code", "kind"), errors.CLASSES.items(), ids=errors.CLASSES)
def test_what_else_is_refused_has_its_class(code, kind):
    assert kind is type(judged(CANCEL, 400, code))


@pytest.mark.parametrize(
    ("endpoint", "status", "kind"),
    [
        (SUBMIT, 400, OrderRejectedError),
        (SUBMIT, 401, AuthenticationError),
        (SUBMIT, 403, PermissionDeniedError),
        (CANCEL, 404, NotFoundError),
        (CANCEL, 409, ConflictError),
        (CANCEL, 422, VenueError),
        (POSITIONS, 400, VenueError),
    ],
)
def test_a_code_that_is_new_is_told_by_its_status_and_kept(endpoint, status, kind):
    error = judged(endpoint, status, "full_moon")

    assert (kind, "full_moon", Outcome.REJECTED) == (type(error), error.code, error.outcome)


@pytest.mark.parametrize(
    ("endpoint", "outcome"), [(SUBMIT, Outcome.REJECTED), (POSITIONS, None)], ids=["order", "read"]
)
def test_a_request_that_is_one_too_many_was_not_served(endpoint, outcome):
    error = judged(endpoint, 429, "too_many_requests")

    assert (RateLimitedError, outcome) == (type(error), error.outcome)


def test_an_instrument_that_is_not_listed_is_unknown_to_a_read_and_a_reason_for_an_order():
    assert UnknownInstrumentError is type(judged(POSITIONS, 404, "unknown_symbol"))
    assert RejectReason.UNKNOWN_SYMBOL is judged(SUBMIT, 404, "unknown_symbol").reason


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_of_a_servers_error_nothing_is_said(status):
    assert judged(SUBMIT, status, "insufficient_funds") is None


def test_a_page_of_somebody_else_is_none_of_wharfs():
    with pytest.raises(DecodeError):
        errors.classify(SUBMIT, HttpResponse(status=403, body=b"<html></html>"))
