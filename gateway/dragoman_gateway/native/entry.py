"""Who asks, and of which account: the credentials in a request, and the broker its path names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .problems import not_found

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.broker import Broker
    from dragoman.dialects import Access, DialectHost

__all__ = ["access_of", "broker_of", "has_credentials", "token_of"]

_NOBODY: Final = "nobody in particular"
"""Shown in the name of a client that showed nothing, where no key is needed."""


def token_of(request: web.Request) -> str | None:
    """Return the token a request shows: a bearer token or, without one, its own header."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return shown.strip() or None
    return request.headers.get("X-API-Key")


def has_credentials(request: web.Request) -> bool:
    """Tell whether a request shows anything that could be a credential."""
    return "Authorization" in request.headers or "X-API-Key" in request.headers


async def access_of(request: web.Request, host: DialectHost) -> Access:
    """Return what the client behind a request may reach.

    Raises:
        AuthenticationError: Its token opens nothing (NOT_SENT).
    """
    if not host.needs_key and not has_credentials(request):
        return await host.authenticate(None, _NOBODY)
    return await host.authenticate(None, token_of(request))


def broker_of(access: Access, provider: str, account_id: str) -> Broker:
    """Return the broker of an account.

    Raises:
        NotFoundError: There is none, or this client may not reach it (NOT_SENT).
    """
    for broker in access.brokers:
        if broker.provider == provider and broker.account_id == account_id:
            return broker
    raise not_found("no such account is served here, or this key does not reach it")
