"""Harbor's table of refusals: what each code means for the one who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    RateLimitedError,
    RejectReason,
)
from dragoman.transport.base import Lane
from dragoman.transport.codec import decode

from .wire import Problem

if TYPE_CHECKING:
    from dragoman.errors import DragomanError
    from dragoman.transport.base import HttpResponse
    from dragoman.transport.endpoint import Endpoint

__all__ = ["classify"]

_REASONS: Final = {
    "no-funds": RejectReason.INSUFFICIENT_FUNDS,
    "unknown-symbol": RejectReason.UNKNOWN_SYMBOL,
    "unknown-account": RejectReason.NOT_PERMITTED,
    "bad-quantity": RejectReason.INVALID_QUANTITY,
    "bad-price": RejectReason.INVALID_PRICE,
    "below-filled": RejectReason.INVALID_QUANTITY,
    "duplicate-client-id": RejectReason.DUPLICATE_CLIENT_ORDER_ID,
    "would-increase": RejectReason.WOULD_INCREASE,
    "bad-order": RejectReason.UNSUPPORTED,
}
_CLASSES: Final[dict[str, type[DragomanError]]] = {
    "unknown-order": NotFoundError,
    "order-ended": ConflictError,
    "bad-key": AuthenticationError,
}


def classify(endpoint: Endpoint, response: HttpResponse) -> DragomanError | None:
    """Return what a refusal means; None where harbor's table says nothing of it.

    Harbor says that it serves no request that it refuses with 429.

    Raises:
        DecodeError: The body is none of harbor's: somebody in between answered.
    """
    problem = decode(response.body, Problem)
    code = problem.code
    message = f"{endpoint.name}: {problem.message or code}"
    if code in _REASONS:
        return OrderRejectedError(message, reason=_REASONS[code], code=code)
    if code in _CLASSES:
        return _CLASSES[code](message, code=code)
    if code == "too-many-requests" and endpoint.lane is not Lane.READ:
        wait_s = response.headers.get("retry-after")
        return RateLimitedError(
            message,
            code=code,
            outcome=Outcome.REJECTED,
            retry_after=float(wait_s) if wait_s and wait_s.isdecimal() else None,
        )
    return None
