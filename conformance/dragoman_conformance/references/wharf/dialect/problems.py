"""How wharf says no: a status, a code, and a text for people."""

from __future__ import annotations

from typing import ClassVar, Final

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
    UnknownInstrumentError,
    UnsupportedError,
    VenueError,
)
from dragoman.transport.codec import encode

__all__ = ["RefusedError", "code_of_reason", "json_response", "refusal_of", "refused"]

_KINDS: Final[tuple[tuple[type[DragomanError], int, str], ...]] = (
    (DuplicateOrderError, 409, "duplicate_client_id"),
    (UnknownInstrumentError, 404, "unknown_symbol"),
    (UnsupportedError, 422, "unsupported"),
    (LimitExceededError, 422, "risk_limit"),
    (RequestError, 422, "other"),
    (AuthenticationError, 401, "bad_key"),
    (PermissionDeniedError, 403, "key_may_not"),
    (NotFoundError, 404, "unknown_order"),
    (ConflictError, 409, "order_ended"),
    (VenueError, 422, "other"),
    (RateLimitedError, 503, "unavailable"),
    (LifecycleError, 503, "unavailable"),
    (BusyError, 503, "unavailable"),
)
_CODES: Final = {
    RejectReason.DUPLICATE_CLIENT_ORDER_ID: "duplicate_client_id",
    RejectReason.POSITION_MODE: "other",
}


class RefusedError(DragomanError):
    """A refusal in wharf's own terms: `status` is that of the answer, `code` wharf's word."""

    default_outcome: ClassVar[Outcome | None] = Outcome.NOT_SENT

    def __init__(
        self, status: int, code: str, message: str, *, retry_after: float | None = None
    ) -> None:
        super().__init__(message, code=code, retry_after=retry_after)
        self.status = status

    @property
    def body(self) -> dict[str, object]:
        """What the answer, or the row of a list, says."""
        return {"code": self.code or "other", "message": self.message}


def json_response(body: object, status: int = 200) -> web.Response:
    """Return an answer in JSON; amounts are texts by then."""
    return web.Response(body=encode(body), status=status, content_type="application/json")


def refused(refusal: RefusedError) -> web.Response:
    """Return the answer that tells of a refusal."""
    answer = json_response({"error": refusal.body}, refusal.status)
    if refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(max(1, round(refusal.retry_after)))
    return answer


def code_of_reason(reason: RejectReason) -> str:
    """Return wharf's word for why an order is refused."""
    return _CODES.get(reason, reason.lower())


def refusal_of(error: DragomanError) -> RefusedError:
    """Return an error of the broker in wharf's terms; a fate that is not known is a 504."""
    if isinstance(error, RefusedError):
        return error
    if error.outcome is Outcome.UNKNOWN:
        return RefusedError(504, "outcome_unknown", error.message)
    if isinstance(error, OrderRejectedError):
        return _rejection(error)
    if isinstance(error, InvalidValueError):
        return RefusedError(422, _code_of_fields(error), error.message)
    for kind, status, code in _KINDS:
        if isinstance(error, kind):
            return RefusedError(status, code, error.message)
    return RefusedError(502, "unavailable", error.message)


def _rejection(error: OrderRejectedError) -> RefusedError:
    is_taken = error.reason is RejectReason.DUPLICATE_CLIENT_ORDER_ID
    return RefusedError(409 if is_taken else 422, code_of_reason(error.reason), error.message)


def _code_of_fields(error: InvalidValueError) -> str:
    fields = " ".join(one.field for one in error.violations)
    if "quantity" in fields:
        return "invalid_quantity"
    return "invalid_price" if "price" in fields else "invalid_request"
