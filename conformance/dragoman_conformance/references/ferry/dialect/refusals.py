"""How ferry says no: with status 200, a number, and a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from aiohttp import web

from dragoman.errors import (
    AuthenticationError,
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
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.transport.codec import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RefusedError", "answer", "number_of_reason", "refusal_of", "refused"]

_REASONS: Final[Mapping[RejectReason, int]] = {
    RejectReason.DUPLICATE_CLIENT_ORDER_ID: 1409,
    RejectReason.UNKNOWN_SYMBOL: 1410,
    RejectReason.INSUFFICIENT_FUNDS: 1411,
    RejectReason.INVALID_QUANTITY: 1412,
    RejectReason.INVALID_PRICE: 1413,
    RejectReason.BELOW_MINIMUM: 1414,
    RejectReason.ABOVE_MAXIMUM: 1415,
    RejectReason.NOT_TRADABLE: 1416,
    RejectReason.MARKET_CLOSED: 1417,
    RejectReason.SHORT_NOT_ALLOWED: 1418,
    RejectReason.WOULD_INCREASE: 1419,
    RejectReason.TOO_MANY_ORDERS: 1420,
    RejectReason.UNSUPPORTED: 1421,
    RejectReason.INSUFFICIENT_POSITION: 1423,
    RejectReason.NO_LIQUIDITY: 1424,
    RejectReason.RISK_LIMIT: 1425,
    RejectReason.NOT_PERMITTED: 1426,
    RejectReason.WOULD_TRIGGER: 1427,
    RejectReason.SELF_TRADE: 1428,
}
_KINDS: Final[tuple[tuple[type[DragomanError], int], ...]] = (
    (AuthenticationError, 1401),
    (PermissionDeniedError, 1403),
    (NotFoundError, 1404),
    (ConflictError, 1406),
    (RateLimitedError, 1429),
    (DuplicateOrderError, 1409),
    (UnknownInstrumentError, 1410),
    (UnsupportedError, 1421),
    (LimitExceededError, 1425),
    (RequestError, 1422),
    (LifecycleError, 1426),
)
_FIELDS: Final = {"quantity": 1412, "limit_price": 1413, "stop_price": 1413, "notional": 1414}
_STATUSES: Final = {401: 1401, 403: 1403, 404: 1404, 413: 1422, 429: 1429}
_FAILED: Final = 1500
_TIMED_OUT: Final = 1504


class RefusedError(DragomanError):
    """A refusal in ferry's own terms; `order` names the order that stands in the way."""

    default_outcome: ClassVar[Outcome | None] = Outcome.NOT_SENT

    def __init__(self, number: int, message: str, *, order: str | None = None) -> None:
        super().__init__(message, code=str(number))
        self.number = number
        self.order = order


def answer(data: object, now_ms: int) -> web.Response:
    """Return an answer; amounts are raw numbers by then."""
    return _json({"ok": True, "now": now_ms, "data": data})


def refused(refusal: RefusedError) -> web.Response:
    """Return the answer that tells of a refusal."""
    error = {"code": refusal.number, "text": refusal.message, "order": refusal.order}
    return _json({"ok": False, "error": error})


def _json(body: object) -> web.Response:
    return web.Response(body=encode(body), content_type="application/json")


def number_of_reason(reason: RejectReason | None) -> int | None:
    """Return why an order was refused, as ferry's number; None where it was not."""
    return None if reason is None else _REASONS.get(reason, 1422)


def refusal_of(error: DragomanError) -> RefusedError:
    """Return an error of the broker in ferry's terms.

    A fate that is not known is a 1504, which says that it may have taken effect.
    """
    if isinstance(error, RefusedError):
        return error
    if error.outcome is Outcome.UNKNOWN:
        return RefusedError(_TIMED_OUT, error.message)
    if isinstance(error, OrderRejectedError):
        return RefusedError(number_of_reason(error.reason) or 1422, error.message)
    if isinstance(error, InvalidValueError) and error.violations:
        number = _FIELDS.get(error.violations[0].field, 1422)
        return RefusedError(number, error.message)
    for kind, number in _KINDS:
        if isinstance(error, kind):
            return RefusedError(number, error.message)
    return RefusedError(_FAILED, error.message)


def refusal_of_status(status: int, message: str) -> RefusedError:
    """Return what the host itself refuses, in ferry's terms."""
    return RefusedError(_STATUSES.get(status, 1422 if status < 500 else _FAILED), message)
