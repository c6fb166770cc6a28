"""Alpaca's API served over any broker: what an Alpaca client needs to trade elsewhere unchanged.

Trading REST and its stream, market data REST and its streams, on one address. It knows no venue:
all it has is the broker, and the protocol's own words and mapping.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dragoman.dialects import Dialect

from .desks import Desks
from .entry import credentials_of
from .market import mount_market
from .problems import RefusedError, refusal_of, refused
from .routes import mount_trading

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.dialects import DialectHost
    from dragoman.errors import DragomanError

__all__ = ["AlpacaDialect"]

_NOT_FOUND = 404
_TOO_MANY = 429


class AlpacaDialect(Dialect):
    """Serves brokers as Alpaca would."""

    name = "alpaca"

    def mount(self, app: web.Application, host: DialectHost) -> None:
        """Add the routes of both planes; the ledgers are brought level before it listens."""
        desks = Desks(host)

        async def start(_: web.Application) -> None:
            await desks.start()

        app.on_startup.append(start)
        mount_trading(app, host, desks)
        mount_market(app, host, desks)

    def refuse(self, status: int, message: str) -> web.StreamResponse:
        """Return the protocol's form of an error."""
        if status == _NOT_FOUND:
            return refused(RefusedError(status, "endpoint not found.", number=40410000))
        return refused(RefusedError(status, message))

    def problem(self, error: DragomanError) -> web.StreamResponse:
        """Return the answer to a request that failed, with the texts that clients act on."""
        answer = refused(refusal_of(error))
        if answer.status == _TOO_MANY and error.retry_after is not None:
            answer.headers["Retry-After"] = str(math.ceil(error.retry_after))
        return answer

    def credentials(self, request: web.Request) -> tuple[str | None, str | None]:
        """Return what a request shows, in the headers of the protocol as well."""
        return credentials_of(request)

    def hints(self, url: str) -> tuple[str, ...]:
        """Return how the official client is pointed here."""
        return (
            f"REST, trading and data: {url} (alpaca-py: url_override={url!r})",
            f"streams: {url.replace('http', 'ws', 1)}/stream, /v2/iex, /v1beta3/crypto/us",
            "APCA_API_KEY_ID, APCA_API_SECRET_KEY: a key of this server",
        )
