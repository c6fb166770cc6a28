"""What a status means without a venue's table: only what was read and refused is refused."""

import pytest

from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    UnknownReason,
    VenueError,
    VenueUnavailableError,
)
from dragoman.transport.base import Lane
from dragoman.transport.endpoint import Endpoint
from dragoman.transport.statuses import error_for_status

REFUSED = {
    400: VenueError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: VenueError,
    409: ConflictError,
    410: NotFoundError,
    413: VenueError,
    415: VenueError,
    422: VenueError,
}
READ = {429: RateLimitedError, 418: RateLimitedError, 408: VenueUnavailableError}
READ |= {425: VenueUnavailableError}
READ |= dict.fromkeys((500, 502, 503, 504, 520, 599), VenueUnavailableError)
READ |= dict.fromkeys((300, 301, 302, 304, 307, 308, 402, 406, 451, 600, 999), ProtocolError)
COMMAND = {429: UnknownReason.BUSY, 418: UnknownReason.BUSY}
COMMAND |= dict.fromkeys((408, 425, 500, 502, 503, 504, 520, 599), UnknownReason.SERVER_ERROR)
COMMAND |= dict.fromkeys(
    (300, 301, 302, 304, 307, 308, 402, 406, 451, 600, 999), UnknownReason.BAD_RESPONSE
)


def error(lane, status, **facts):
    endpoint = Endpoint(name="thing", method="POST", path="/thing", lane=lane)
    return error_for_status(endpoint, status, facts)


@pytest.mark.parametrize("lane", list(Lane))
@pytest.mark.parametrize("status", REFUSED)
def test_statuses_that_refuse(lane, status):
    kind = REFUSED[status]
    if kind is VenueError and lane is Lane.ORDER:
        kind = OrderRejectedError

    found = error(lane, status)

    assert (kind, Outcome.REJECTED, str(status)) == (type(found), found.outcome, found.code)


@pytest.mark.parametrize("status", READ)
def test_statuses_of_reads(status):
    found = error(Lane.READ, status, retry_after=3.0, provider="p", request_id="r")

    assert READ[status] is type(found)
    assert (3.0, "p", "r", None) == (
        found.retry_after,
        found.provider,
        found.request_id,
        found.outcome,
    )


@pytest.mark.parametrize("lane", [Lane.ORDER, Lane.CANCEL])
@pytest.mark.parametrize("status", COMMAND)
def test_f08_f15_statuses_that_leave_a_command_unknown(lane, status):
    found = error(lane, status)

    assert (OutcomeUnknownError, Outcome.UNKNOWN, COMMAND[status]) == (
        type(found),
        found.outcome,
        found.reason,
    )


def test_a_code_of_the_venue_stands_before_the_status():
    assert "-1013" == error(Lane.ORDER, 400, code="-1013").code
