"""Beacon's refusals: what each code means for the one who asked.

Beacon refuses with a status from 400 to 499 and a code; nothing that it refuses so is in effect,
and nothing is served that it turns away with 429. What a server's error means nobody can say.
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
)
from dragoman.transport.base import Lane
from dragoman.transport.codec import decode
from dragoman.transport.statuses import error_for_status

from .wire import Problem

if TYPE_CHECKING:
    from dragoman.errors import DragomanError
    from dragoman.transport.base import HttpResponse
    from dragoman.transport.endpoint import Endpoint

__all__ = ["CLASSES", "REASONS", "classify", "reason_of"]

_SERVER_ERRORS: Final = 500
_LONGEST_MESSAGE: Final = 300

REASONS: Final = {
    "INSUFFICIENT_MARGIN": RejectReason.INSUFFICIENT_FUNDS,
    "INSUFFICIENT_POSITION": RejectReason.INSUFFICIENT_POSITION,
    "NO_SUCH_INSTRUMENT": RejectReason.UNKNOWN_SYMBOL,
    "INSTRUMENT_NOT_TRADEABLE": RejectReason.NOT_TRADABLE,
    "MARKET_HALTED": RejectReason.MARKET_CLOSED,
    "UNITS_INVALID": RejectReason.INVALID_QUANTITY,
    "PRICE_INVALID": RejectReason.INVALID_PRICE,
    "UNITS_MINIMUM_NOT_MET": RejectReason.BELOW_MINIMUM,
    "UNITS_LIMIT_EXCEEDED": RejectReason.ABOVE_MAXIMUM,
    "WOULD_TAKE_LIQUIDITY": RejectReason.WOULD_TAKE,
    "PRICE_WOULD_TRIGGER": RejectReason.WOULD_TRIGGER,
    "REDUCE_ONLY_WOULD_INCREASE": RejectReason.WOULD_INCREASE,
    "INSUFFICIENT_LIQUIDITY": RejectReason.NO_LIQUIDITY,
    "SELF_TRADE": RejectReason.SELF_TRADE,
    "SHORTING_NOT_ALLOWED": RejectReason.SHORT_NOT_ALLOWED,
    "CLIENT_ORDER_ID_ALREADY_EXISTS": RejectReason.DUPLICATE_CLIENT_ORDER_ID,
    "POSITION_MODE": RejectReason.POSITION_MODE,
    "RISK_LIMIT": RejectReason.RISK_LIMIT,
    "PENDING_ORDERS_ALLOWED_EXCEEDED": RejectReason.TOO_MANY_ORDERS,
    "ACCOUNT_NOT_TRADING": RejectReason.NOT_PERMITTED,
    "ORDER_NOT_SUPPORTED": RejectReason.UNSUPPORTED,
    "ORDER_REJECTED": RejectReason.OTHER,
}
"""Why beacon refuses an order."""

CLASSES: Final[dict[str, type[DragomanError]]] = {
    "INVALID_TOKEN": AuthenticationError,
    "FORBIDDEN": PermissionDeniedError,
    "NO_SUCH_ACCOUNT": NotFoundError,
    "NO_SUCH_ORDER": NotFoundError,
    "ORDER_NOT_PENDING": ConflictError,
}
"""What else beacon refuses."""


def reason_of(code: str | None) -> RejectReason | None:
    """Return why an order was refused; OTHER for a code that has no meaning here yet."""
    return None if code is None else REASONS.get(code, RejectReason.OTHER)


def classify(endpoint: Endpoint, response: HttpResponse) -> DragomanError | None:
    """Return what a refusal means; None where beacon's table says nothing of it.

    Raises:
        DecodeError: The body is none of beacon's: somebody in between answered.
    """
    if response.status >= _SERVER_ERRORS:
        return None
    problem = decode(response.body, Problem)
    code = problem.error_code
    message = f"{endpoint.name}: {problem.error_message[:_LONGEST_MESSAGE] or code}"
    if code == "TOO_MANY_REQUESTS":
        outcome = None if endpoint.lane is Lane.READ else Outcome.REJECTED
        return RateLimitedError(message, code=code, outcome=outcome)
    if code in CLASSES:
        return CLASSES[code](message, code=code)
    if code in REASONS and endpoint.lane is Lane.ORDER:
        return OrderRejectedError(message, reason=REASONS[code], code=code)
    if code == "NO_SUCH_INSTRUMENT":
        return UnknownInstrumentError(message, code=code)
    return error_for_status(endpoint, response.status, {"code": code})
