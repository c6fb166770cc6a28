"""Wharf's table of refusals: what each code means for the one who asked.

A code that is not known is told by the class that its status stands for, and kept. Of a server's
error nothing is said here: a command may be in effect.
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
    VenueError,
)
from dragoman.transport.base import Lane
from dragoman.transport.codec import JsonDecoder

from .wire import Problem

if TYPE_CHECKING:
    from dragoman.errors import DragomanError
    from dragoman.transport.base import HttpResponse
    from dragoman.transport.endpoint import Endpoint

    from .wire import ProblemBody

__all__ = ["CLASSES", "REASONS", "SKEW_CODES", "classify", "error_of"]

REASONS: Final = {
    "insufficient_funds": RejectReason.INSUFFICIENT_FUNDS,
    "insufficient_position": RejectReason.INSUFFICIENT_POSITION,
    "unknown_symbol": RejectReason.UNKNOWN_SYMBOL,
    "not_tradable": RejectReason.NOT_TRADABLE,
    "market_closed": RejectReason.MARKET_CLOSED,
    "invalid_quantity": RejectReason.INVALID_QUANTITY,
    "invalid_price": RejectReason.INVALID_PRICE,
    "below_minimum": RejectReason.BELOW_MINIMUM,
    "above_maximum": RejectReason.ABOVE_MAXIMUM,
    "would_take": RejectReason.WOULD_TAKE,
    "would_trigger": RejectReason.WOULD_TRIGGER,
    "would_increase": RejectReason.WOULD_INCREASE,
    "no_liquidity": RejectReason.NO_LIQUIDITY,
    "self_trade": RejectReason.SELF_TRADE,
    "short_not_allowed": RejectReason.SHORT_NOT_ALLOWED,
    "duplicate_client_id": RejectReason.DUPLICATE_CLIENT_ORDER_ID,
    "risk_limit": RejectReason.RISK_LIMIT,
    "too_many_orders": RejectReason.TOO_MANY_ORDERS,
    "not_permitted": RejectReason.NOT_PERMITTED,
    "unsupported": RejectReason.UNSUPPORTED,
    "never_arrived": RejectReason.NEVER_ARRIVED,
    "other": RejectReason.OTHER,
}
"""Why an order, or a change of one, is refused."""

CLASSES: Final[dict[str, type[VenueError]]] = {
    "bad_key": AuthenticationError,
    "bad_signature": AuthenticationError,
    "bad_timestamp": AuthenticationError,
    "bad_nonce": AuthenticationError,
    "key_may_not": PermissionDeniedError,
    "unknown_account": NotFoundError,
    "unknown_order": NotFoundError,
    "order_ended": ConflictError,
}
"""What else a request is refused for."""

SKEW_CODES: Final = frozenset({"bad_timestamp", "bad_nonce"})
"""What is cured by asking for the venue's time and its newest nonce."""

_TOO_MANY: Final = "too_many_requests"
_UNKNOWN_SYMBOL: Final = "unknown_symbol"
_BY_STATUS: Final[dict[int, type[VenueError]]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
}
_REFUSED: Final = range(400, 500)
_READ_PROBLEM: Final = JsonDecoder(Problem)
_LONGEST: Final = 300


def classify(endpoint: Endpoint, response: HttpResponse) -> DragomanError | None:
    """Return what a refusal means; None where wharf's table says nothing of it.

    Raises:
        DecodeError: The body is none of wharf's: somebody in between answered.
    """
    if response.status not in _REFUSED:
        return None
    problem = _READ_PROBLEM.decode(response.body).error
    return error_of(endpoint, response.status, problem)


def error_of(endpoint: Endpoint, status: int, problem: ProblemBody) -> DragomanError:
    """Return what one refusal means: of a request, or of one order of a list.

    Wharf serves no request that it refuses for being one too many.
    """
    code, is_order = problem.code, endpoint.lane is Lane.ORDER
    message = f"{endpoint.name}: {problem.message[:_LONGEST] or code}"
    if code == _TOO_MANY:
        outcome = None if endpoint.lane is Lane.READ else Outcome.REJECTED
        return RateLimitedError(message, code=code, outcome=outcome)
    if is_order and code in REASONS:
        return OrderRejectedError(message, reason=REASONS[code], code=code)
    if code == _UNKNOWN_SYMBOL:
        return UnknownInstrumentError(message, code=code)
    kind = CLASSES.get(code) or _BY_STATUS.get(status)
    if kind is None:
        kind = OrderRejectedError if is_order else VenueError
    return kind(message, code=code)
