"""How the gateway itself answers what belongs to no dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from dragoman.dialects import Dialect

if TYPE_CHECKING:
    from dragoman.dialects import DialectHost

__all__ = ["PlainDialect"]


class PlainDialect(Dialect):
    """No protocol at all: it serves nothing, and says in JSON what is wrong."""

    name = "gateway"

    def mount(self, app: web.Application, host: DialectHost) -> None:
        """Add nothing."""

    def refuse(self, status: int, message: str) -> web.StreamResponse:
        """Return `{"error": ...}`."""
        return web.json_response({"error": message}, status=status)
