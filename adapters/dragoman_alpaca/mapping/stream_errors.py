"""What the errors mean that Alpaca sends on its data streams, and what is done about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    PermissionDeniedError,
    ProtocolError,
    StreamLostError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.errors import DragomanError

__all__ = ["ALREADY_AUTHENTICATED", "CONNECTION_LIMIT", "GHOST_S", "problem_of", "unasked"]

ALREADY_AUTHENTICATED: Final = 403
CONNECTION_LIMIT: Final = 406
GHOST_S: Final = 95.0
"""How long a place is waited for that another session holds: one that was cut off is held for up to
90 seconds by the venue."""

_PROBLEMS: Final[Mapping[int, tuple[type[DragomanError], str]]] = {
    400: (UnsupportedError, "Alpaca does not take this subscription"),
    401: (StreamLostError, "Alpaca has not authenticated this session"),
    402: (AuthenticationError, "Alpaca does not accept the key for market data"),
    404: (StreamLostError, "Alpaca waited too long for the key"),
    405: (PermissionDeniedError, "the plan allows no more symbols"),
    407: (StreamLostError, "Alpaca gave this session up for reading too slowly"),
    408: (PermissionDeniedError, "the key is not enabled for this version of market data"),
    409: (PermissionDeniedError, "the plan does not include this feed"),
    410: (UnsupportedError, "this feed has no such channel"),
    411: (PermissionDeniedError, "the key's scope does not include market data"),
    500: (StreamLostError, "Alpaca's stream failed"),
}
"""Source: docs.alpaca.markets, "WebSocket Stream", errors, checked 2026-06-15."""
_OF_A_WISH: Final = frozenset({400, 405, 410})


def problem_of(code: int | None, message: str, provider: str) -> DragomanError:
    """Return the error for what Alpaca answered.

    RequestError and PermissionDeniedError mean that what was asked for is refused; StreamLostError
    that the session is over and may be opened anew at once; ConflictError that another one holds
    its place. A code that is not known ends the session, and is tried again.
    """
    told = f"{code}: {message}"
    if code == CONNECTION_LIMIT:
        text = f"Alpaca allows one connection and sees another one ({told})"
        return ConflictError(text, provider=provider, code=str(code), retry_after=GHOST_S)
    kind, meaning = _PROBLEMS.get(code or 0, (StreamLostError, "Alpaca refused"))
    return kind(f"{meaning} ({told})", provider=provider, code=str(code))


def unasked(code: int | None, message: str, provider: str) -> DragomanError | None:
    """Return the error for what Alpaca says while nothing was asked; None if it is no error.

    A refusal that answers nothing does not touch what is subscribed to, so it is told and no more.
    """
    if code == ALREADY_AUTHENTICATED:
        return None
    if code in _OF_A_WISH or (code != CONNECTION_LIMIT and code not in _PROBLEMS):
        text = f"Alpaca refused what was not asked ({code}: {message})"
        return ProtocolError(text, provider=provider, code=str(code))
    return problem_of(code, message, provider)
