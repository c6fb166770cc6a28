"""What the data plane answers instead of data: a message, no code, and the statuses it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from dragoman.errors import (
    AuthenticationError,
    InvalidValueError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.transport.codec import encode

if TYPE_CHECKING:
    from dragoman.broker import Broker
    from dragoman.capabilities import ReadFeature
    from dragoman.errors import (
        DragomanError,
    )

__all__ = ["NotServedError", "refusal", "refusal_of", "require_read"]

_STATUSES: Final[tuple[tuple[type[DragomanError], int], ...]] = (
    (AuthenticationError, 401),
    (PermissionDeniedError, 403),
    (UnsupportedError, 403),
    (UnknownInstrumentError, 404),
    (NotFoundError, 404),
    (InvalidValueError, 400),
    (RateLimitedError, 429),
)
_BUSY: Final = 503


class NotServedError(Exception):
    """A request for market data that gets no data: the HTTP status and the message it gets."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def refusal(message: str, status: int = 400) -> web.Response:
    """Return the answer that refuses."""
    body = encode({"message": message})
    return web.Response(status=status, body=body, content_type="application/json")


def refusal_of(error: DragomanError) -> web.Response:
    """Return what a client is told of a failure behind the dialect.

    Anything a later request may get is a 503. It is never a 504, which clients take for leave to
    ask again at once, several times.
    """
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), _BUSY)
    return refusal(error.message, status)


def require_read(broker: Broker, feature: ReadFeature) -> None:
    """Refuse what the broker does not tell.

    Raises:
        NotServedError: It does not.
    """
    if feature not in broker.capabilities.reads:
        what = feature.lower().replace("_", " ")
        raise NotServedError(f"{broker.provider} offers no {what}", 403)
