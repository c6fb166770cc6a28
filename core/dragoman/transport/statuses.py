"""What a status means that no table of a venue explains.

For a command, only statuses that a venue gives after reading and refusing the request are a
refusal. All else leaves the fate of the command unknown, however much it sounds like a no.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    OrderRejectedError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    UnknownReason,
    VenueError,
    VenueUnavailableError,
)

from .base import Lane

if TYPE_CHECKING:
    from dragoman.errors import DragomanError, ErrorFacts

    from .endpoint import Endpoint

__all__ = ["THROTTLED", "error_for_status"]

THROTTLED: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.IM_A_TEAPOT})
"""Asked to slow down; 418 is what venues answer while a ban lasts."""
_REFUSED: Final[dict[int, type[VenueError]]] = {
    HTTPStatus.BAD_REQUEST: VenueError,
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.FORBIDDEN: PermissionDeniedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.METHOD_NOT_ALLOWED: VenueError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.GONE: NotFoundError,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: VenueError,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: VenueError,
    HTTPStatus.UNPROCESSABLE_ENTITY: VenueError,
}
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
_SERVER_ERRORS: Final = range(500, 600)


def error_for_status(endpoint: Endpoint, status: int, facts: ErrorFacts) -> DragomanError:
    """Return the error for a response without success.

    `facts` are carried into it; `code` is the status where the venue's own code is not known.
    """
    message = f"{endpoint.name}: the venue answered {status}"
    facts = {"code": str(status), **facts}
    refusal = _REFUSED.get(status)
    if refusal is not None:
        if refusal is VenueError and endpoint.lane is Lane.ORDER:
            refusal = OrderRejectedError
        return refusal(message, **facts)
    if endpoint.lane is Lane.READ:
        return _for_read(message, status, facts)
    message += "; whether it is in effect is not known"
    return OutcomeUnknownError(message, reason=_reason(status), **facts)


def _for_read(message: str, status: int, facts: ErrorFacts) -> DragomanError:
    if status in THROTTLED:
        return RateLimitedError(message, **facts)
    if status in _SERVER_ERRORS or status in _LATER:
        return VenueUnavailableError(message, **facts)
    return ProtocolError(f"{message}, which means nothing here", **facts)


def _reason(status: int) -> UnknownReason:
    if status in THROTTLED:
        return UnknownReason.BUSY
    if status in _SERVER_ERRORS or status in _LATER:
        return UnknownReason.SERVER_ERROR
    return UnknownReason.BAD_RESPONSE
