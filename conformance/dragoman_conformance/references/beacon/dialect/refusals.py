"""How beacon says no: a status, its code, and a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from aiohttp import web

from dragoman.errors import (
    AuthenticationError,
    BusyError,
    ConflictError,
    DragomanError,
    DuplicateOrderError,
    InvalidValueError,
    LifecycleError,
    LimitExceededError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    PermissionDeniedError,
    RateLimitedError,
    RejectReason,
    RequestError,
    TransportError,
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.transport.codec import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RefusedError", "answer", "code_of_reason", "refusal_of", "refused"]

_REASONS: Final[Mapping[RejectReason, str]] = {
    RejectReason.INSUFFICIENT_FUNDS: "INSUFFICIENT_MARGIN",
    RejectReason.INSUFFICIENT_POSITION: "INSUFFICIENT_POSITION",
    RejectReason.UNKNOWN_SYMBOL: "NO_SUCH_INSTRUMENT",
    RejectReason.NOT_TRADABLE: "INSTRUMENT_NOT_TRADEABLE",
    RejectReason.MARKET_CLOSED: "MARKET_HALTED",
    RejectReason.INVALID_QUANTITY: "UNITS_INVALID",
    RejectReason.INVALID_PRICE: "PRICE_INVALID",
    RejectReason.BELOW_MINIMUM: "UNITS_MINIMUM_NOT_MET",
    RejectReason.ABOVE_MAXIMUM: "UNITS_LIMIT_EXCEEDED",
    RejectReason.WOULD_TAKE: "WOULD_TAKE_LIQUIDITY",
    RejectReason.WOULD_TRIGGER: "PRICE_WOULD_TRIGGER",
    RejectReason.WOULD_INCREASE: "REDUCE_ONLY_WOULD_INCREASE",
    RejectReason.NO_LIQUIDITY: "INSUFFICIENT_LIQUIDITY",
    RejectReason.SELF_TRADE: "SELF_TRADE",
    RejectReason.SHORT_NOT_ALLOWED: "SHORTING_NOT_ALLOWED",
    RejectReason.DUPLICATE_CLIENT_ORDER_ID: "CLIENT_ORDER_ID_ALREADY_EXISTS",
    RejectReason.POSITION_MODE: "POSITION_MODE",
    RejectReason.RISK_LIMIT: "RISK_LIMIT",
    RejectReason.TOO_MANY_ORDERS: "PENDING_ORDERS_ALLOWED_EXCEEDED",
    RejectReason.NOT_PERMITTED: "ACCOUNT_NOT_TRADING",
    RejectReason.UNSUPPORTED: "ORDER_NOT_SUPPORTED",
}
_KINDS: Final[tuple[tuple[type[DragomanError], int, str], ...]] = (
    (AuthenticationError, 401, "INVALID_TOKEN"),
    (PermissionDeniedError, 403, "FORBIDDEN"),
    (NotFoundError, 404, "NO_SUCH_ORDER"),
    (ConflictError, 409, "ORDER_NOT_PENDING"),
    (RateLimitedError, 429, "TOO_MANY_REQUESTS"),
    (DuplicateOrderError, 409, "CLIENT_ORDER_ID_ALREADY_EXISTS"),
    (UnknownInstrumentError, 404, "NO_SUCH_INSTRUMENT"),
    (UnsupportedError, 400, "ORDER_NOT_SUPPORTED"),
    (LimitExceededError, 400, "RISK_LIMIT"),
    (RequestError, 400, "INVALID_REQUEST"),
    (LifecycleError, 403, "ACCOUNT_NOT_TRADING"),
    (BusyError, 503, "UNAVAILABLE"),
    (TransportError, 503, "UNAVAILABLE"),
)
_FIELDS: Final = {"quantity": "UNITS_INVALID", "limit_price": "PRICE_INVALID"}
_STATUSES: Final = {
    401: "INVALID_TOKEN",
    403: "FORBIDDEN",
    404: "NO_SUCH_PATH",
    429: "TOO_MANY_REQUESTS",
    503: "UNAVAILABLE",
    504: "TIMEOUT",
}


class RefusedError(DragomanError):
    """A refusal in beacon's own terms."""

    default_outcome: ClassVar[Outcome | None] = Outcome.NOT_SENT

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message, code=code)
        self.status = status


def answer(body: object, status: int = 200) -> web.Response:
    """Return an answer in JSON; amounts are texts by then."""
    return web.Response(body=encode(body), status=status, content_type="application/json")


def refused(status: int, message: str, code: str | None = None) -> web.Response:
    """Return the answer that tells of a refusal."""
    word = code or _STATUSES.get(status, "INTERNAL" if status >= 500 else "INVALID_REQUEST")
    return answer({"errorCode": word, "errorMessage": message}, status)


def code_of_reason(reason: RejectReason | None) -> str | None:
    """Return why an order was refused, in beacon's words; None where it was not."""
    return None if reason is None else _REASONS.get(reason, "ORDER_REJECTED")


def refusal_of(error: DragomanError) -> RefusedError:
    """Return an error of the broker in beacon's terms.

    A fate that is not known is a 504, which says that it may have taken effect.
    """
    if isinstance(error, RefusedError):
        return error
    if error.outcome is Outcome.UNKNOWN:
        return RefusedError(504, "TIMEOUT", error.message)
    if isinstance(error, OrderRejectedError):
        return RefusedError(400, code_of_reason(error.reason) or "", error.message)
    if isinstance(error, InvalidValueError) and error.violations:
        code = _FIELDS.get(error.violations[0].field, "PRICE_INVALID")
        return RefusedError(400, code, error.message)
    for kind, status, code in _KINDS:
        if isinstance(error, kind):
            return RefusedError(status, code, error.message)
    return RefusedError(502, "UNAVAILABLE", error.message)
