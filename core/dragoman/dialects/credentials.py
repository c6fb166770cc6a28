"""Where requests carry credentials, in most protocols."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["shown_credentials"]


def shown_credentials(request: web.Request) -> tuple[str | None, str | None]:
    """Return the key id and the secret of a request's headers; None for what is not there.

    `Authorization: Bearer TOKEN`, then `Authorization: Basic ...`, then `X-API-Key`. Never the
    query: addresses are logged and remembered on the way.
    """
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    value = value.strip()
    match scheme.lower():
        case "bearer" if value:
            return None, value
        case "basic" if value:
            return _of_basic(value)
        case _:
            return None, request.headers.get("X-API-Key", "").strip() or None


def _of_basic(value: str) -> tuple[str | None, str | None]:
    try:
        key_id, _, secret = b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None, None
    return key_id or None, secret or None
