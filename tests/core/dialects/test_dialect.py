"""How errors of the library are told by a dialect that says nothing of its own about them."""

import pytest
from tests.core.dialects.toy import ToyDialect

from dragoman.dialects import Dialect
from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    DecodeError,
    DragomanError,
    HaltedError,
    InvalidOrderError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    StreamLostError,
    VenueUnavailableError,
)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (AuthenticationError, 401),
        (PermissionDeniedError, 403),
        (NotFoundError, 404),
        (ConflictError, 409),
        (InvalidOrderError, 422),
        (OrderRejectedError, 422),
        (RateLimitedError, 429),
        (StreamLostError, 502),
        (DecodeError, 502),
        (HaltedError, 503),
        (VenueUnavailableError, 503),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_an_error_becomes_the_status_that_says_what_to_do(kind, status):
    answer = ToyDialect().problem(kind("why", outcome=Outcome.NOT_SENT))

    assert (status, '{"toy": "why"}') == (answer.status, answer.text)


@pytest.mark.parametrize("kind", [OutcomeUnknownError, VenueUnavailableError, DragomanError])
def test_an_outcome_that_is_not_known_is_a_504_whatever_the_class(kind):
    assert 504 == ToyDialect().problem(kind("why", outcome=Outcome.UNKNOWN)).status


def test_the_plainest_hint_is_the_address():
    assert ("base URL: http://127.0.0.1:1",) == Dialect.hints(ToyDialect(), "http://127.0.0.1:1")
