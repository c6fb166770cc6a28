"""Ferry's refusals, which come with status 200: what each code means for the one who asked.

Codes from 1500 to 1599 say that something went wrong at the venue: what was asked for may be in
effect. Every other code says that nothing was done, whether it means something here or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    PermissionDeniedError,
    RateLimitedError,
    RejectReason,
    UnknownInstrumentError,
    UnmappedValueError,
    VenueError,
    VenueUnavailableError,
)
from dragoman.transport.base import Lane
from dragoman.transport.codec import decode

from .wire import Verdict

if TYPE_CHECKING:
    from dragoman.errors import DragomanError
    from dragoman.transport.base import HttpResponse
    from dragoman.transport.endpoint import Endpoint

    from .wire import Problem

__all__ = ["CLASSES", "REASONS", "classify", "error_of", "reason_of"]

_SUCCESS: Final = 200
_FAILED: Final = range(1500, 1600)
_TOO_MANY: Final = 1429
_UNKNOWN_SYMBOL: Final = 1410
_LONGEST_MESSAGE: Final = 300

REASONS: Final = {
    1409: RejectReason.DUPLICATE_CLIENT_ORDER_ID,
    1410: RejectReason.UNKNOWN_SYMBOL,
    1411: RejectReason.INSUFFICIENT_FUNDS,
    1412: RejectReason.INVALID_QUANTITY,
    1413: RejectReason.INVALID_PRICE,
    1414: RejectReason.BELOW_MINIMUM,
    1415: RejectReason.ABOVE_MAXIMUM,
    1416: RejectReason.NOT_TRADABLE,
    1417: RejectReason.MARKET_CLOSED,
    1418: RejectReason.SHORT_NOT_ALLOWED,
    1419: RejectReason.WOULD_INCREASE,
    1420: RejectReason.TOO_MANY_ORDERS,
    1421: RejectReason.UNSUPPORTED,
    1422: RejectReason.OTHER,
    1423: RejectReason.INSUFFICIENT_POSITION,
    1424: RejectReason.NO_LIQUIDITY,
    1425: RejectReason.RISK_LIMIT,
    1426: RejectReason.NOT_PERMITTED,
    1427: RejectReason.WOULD_TRIGGER,
    1428: RejectReason.SELF_TRADE,
}
"""Why ferry refuses an order."""

CLASSES: Final[dict[int, type[DragomanError]]] = {
    1400: AuthenticationError,
    1401: AuthenticationError,
    1403: PermissionDeniedError,
    1404: NotFoundError,
    1406: ConflictError,
}
"""What else ferry refuses: login and token, rights, unknown ids, orders that have ended."""


def reason_of(code: int | None) -> RejectReason | None:
    """Return why an order was refused; OTHER for a code that has no meaning here yet."""
    return None if code is None else REASONS.get(code, RejectReason.OTHER)


def classify(endpoint: Endpoint, response: HttpResponse) -> DragomanError | None:
    """Return what an answer means that is none of what was asked for; None where it is.

    Raises:
        DecodeError: The body is none of ferry's: somebody in between answered.
    """
    if response.status != _SUCCESS:
        return None
    verdict = decode(response.body, Verdict)
    if verdict.ok:
        return None
    if verdict.error is None:
        return UnmappedValueError(f"{endpoint.name}: neither done nor refused")
    return error_of(endpoint, verdict.error)


def error_of(endpoint: Endpoint, problem: Problem) -> DragomanError:
    """Return what one problem means to one endpoint."""
    number, code = problem.code, str(problem.code)
    message = f"{endpoint.name}: {problem.text[:_LONGEST_MESSAGE] or code}"
    if number == _TOO_MANY:
        outcome = None if endpoint.lane is Lane.READ else Outcome.REJECTED
        wait_s = None if problem.retry_ms is None else problem.retry_ms / 1000
        return RateLimitedError(message, code=code, outcome=outcome, retry_after=wait_s)
    if endpoint.lane is Lane.ORDER and number not in CLASSES and number not in _FAILED:
        reason = REASONS.get(number, RejectReason.OTHER)
        return OrderRejectedError(message, reason=reason, code=code)
    return _class_of(number)(message, code=code)


def _class_of(number: int) -> type[DragomanError]:
    if number in CLASSES:
        return CLASSES[number]
    if number == _UNKNOWN_SYMBOL:
        return UnknownInstrumentError
    return VenueUnavailableError if number in _FAILED else VenueError
