"""Who asks: the one token that a request shows, and what it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.dialects import Scope
from dragoman.errors import AuthenticationError, PermissionDeniedError

from .problems import RefusedError

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.dialects import Access, DialectHost

__all__ = ["access_of", "key_of"]

_BEARER: Final = "Bearer "
_ANYBODY: Final = "anybody"
"""What is shown where no key is needed and none came."""


def key_of(request: web.Request) -> str | None:
    """Return the key that a request shows: a bearer token decides, else `X-API-Key`."""
    shown = request.headers.get("Authorization", "")
    token = shown.removeprefix(_BEARER).strip() if shown.startswith(_BEARER) else ""
    return token or request.headers.get("X-API-Key", "").strip() or None


async def access_of(request: web.Request, host: DialectHost, scope: Scope = Scope.READ) -> Access:
    """Return what the client behind a request may reach.

    Raises:
        RefusedError: Its key opens nothing, lacks the scope, or there is none (NOT_SENT).
    """
    key = key_of(request)
    if key is None:
        if host.needs_key:
            raise _unauthorized("MISSING_API_KEY", "an API key is required")
        key = _ANYBODY
    try:
        access = await host.authenticate(None, key)
    except AuthenticationError:
        raise _unauthorized("INVALID_API_KEY", "the API key is not valid") from None
    try:
        access.require(scope)
    except PermissionDeniedError as error:
        details = {"code": "INSUFFICIENT_SCOPE", "required_scope": str(scope)}
        message = f"Unauthorized: {error.message}"
        raise RefusedError(403, "UNAUTHORIZED", message, details=details) from None
    return access


def _unauthorized(code: str, why: str) -> RefusedError:
    return RefusedError(401, "UNAUTHORIZED", f"Unauthorized: {why}", details={"code": code})
