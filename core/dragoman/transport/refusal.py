"""What a peer means that answers the opening of a stream with a status of its own."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from dragoman.errors import (
    AuthenticationError,
    PermissionDeniedError,
    RateLimitedError,
    VenueUnavailableError,
)
from dragoman.resilience.retry_after import retry_after_s

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.errors import DragomanError

__all__ = ["refused_stream"]


def refused_stream(
    name: str, status: int, headers: Mapping[str, str], now_ns: int
) -> DragomanError:
    """Return the error for a stream that was not opened; names of `headers` are lower case."""
    message = f"{name}: the stream was not opened, the peer answered {status}"
    wait_s = retry_after_s(headers, now_ns)
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return AuthenticationError(message, code=str(status))
        case HTTPStatus.FORBIDDEN:
            return PermissionDeniedError(message, code=str(status))
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.IM_A_TEAPOT:
            return RateLimitedError(message, code=str(status), retry_after=wait_s)
        case _:
            return VenueUnavailableError(message, code=str(status), retry_after=wait_s)
