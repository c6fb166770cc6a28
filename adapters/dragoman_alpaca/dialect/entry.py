"""Who asks: the credentials in a request, and the handlers that need them."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from dragoman.dialects import Scope

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.dialects import Access, DialectHost

__all__ = ["access_of", "credentials_of"]


def credentials_of(request: web.Request) -> tuple[str | None, str | None]:
    """Return key id and secret as a request shows them: headers of their own, Basic, or a token.

    A bearer token has no key id. What is missing, or can't be read, is None.
    """
    headers = request.headers
    key_id, secret = headers.get("APCA-API-KEY-ID"), headers.get("APCA-API-SECRET-KEY")
    if key_id is not None or secret is not None:
        return key_id, secret
    scheme, _, shown = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return None, shown.strip() or None
    if scheme.lower() == "basic":
        return _basic(shown.strip())
    return None, None


def _basic(shown: str) -> tuple[str | None, str | None]:
    try:
        text = base64.b64decode(shown, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    key_id, _, secret = text.partition(":")
    return key_id or None, secret or None


async def access_of(request: web.Request, host: DialectHost, scope: Scope = Scope.READ) -> Access:
    """Return what the client behind a request may reach.

    Raises:
        AuthenticationError: Its credentials open nothing (NOT_SENT).
        PermissionDeniedError: They lack the scope (NOT_SENT).
    """
    access = await host.authenticate(*credentials_of(request))
    access.require(scope)
    return access
