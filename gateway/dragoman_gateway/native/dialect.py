"""The protocol of this library itself, for programs in other languages.

Its words are the core's own models, so it can say all that a broker can. It knows no venue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from dragoman.dialects import Dialect

from .asking import Ask, Query
from .documents import asyncapi_bytes, openapi_bytes
from .entry import access_of, broker_of
from .problems import error_answer, refusal
from .routes import ROUTES, VERSION
from .stream import StreamDesk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.dialects import DialectHost
    from dragoman.errors import DragomanError

    from .routes import Route

__all__ = ["NativeDialect"]


class NativeDialect(Dialect):
    """Serves brokers by REST and one WebSocket, in the plain form of the core's models."""

    name = "native"

    def __init__(self) -> None:
        self._desk: StreamDesk | None = None

    def mount(self, app: web.Application, host: DialectHost) -> None:
        """Add every route, the stream and the documents that describe them."""
        router = app.router
        router.add_get(f"{VERSION}/openapi.json", _serving(openapi_bytes))
        router.add_get(f"{VERSION}/asyncapi.json", _serving(asyncapi_bytes))
        desk = StreamDesk(host)
        router.add_get(f"{VERSION}/stream", desk.serve)
        self._desk = desk
        for route in ROUTES:
            router.add_route(route.method, route.path, _answering(host, route))

    def refuse(self, status: int, message: str) -> web.StreamResponse:
        """Return the one form of an error."""
        return refusal(status, message)

    def problem(self, error: DragomanError) -> web.StreamResponse:
        """Return the answer to a request that failed, with every fact the error carries."""
        return error_answer(error)

    def account_named(self, request: web.Request) -> tuple[str, str] | None:
        """Return the account in the path; the documents and the list of accounts have none."""
        parts = request.match_info
        if "account_id" not in parts:
            return None
        return parts["provider"], parts["account_id"]

    async def farewell(self) -> None:
        """Tell the clients of the stream that the server goes away."""
        if self._desk is not None:
            self._desk.farewell()

    def hints(self, url: str) -> tuple[str, ...]:
        """Return where everything is."""
        return (
            f"REST: {url}{VERSION}/accounts; described by {url}{VERSION}/openapi.json",
            f"stream: {url.replace('http', 'ws', 1)}{VERSION}/stream",
            "Authorization: Bearer <a key of this server>",
        )


def _answering(
    host: DialectHost, route: Route
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        access = await access_of(request, host)
        access.require(route.scope)
        parts, broker = request.match_info, access.broker
        if route.is_of_account:
            broker = broker_of(access, parts["provider"], parts["account_id"])
        query = Query(_given(request))
        ask = Ask(request=request, host=host, access=access, broker=broker, query=query)
        return await route.handler(ask)

    return answer


def _given(request: web.Request) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    if not request.rel_url.raw_query_string:
        return given
    for name, value in request.query.items():
        given.setdefault(name, []).append(value)
    return given


def _serving(document: Callable[[], bytes]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=document(), content_type="application/json")

    return serve
