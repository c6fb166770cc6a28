"""Wharf's API served over any broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.credentials import Secret
from dragoman.dialects import Dialect, Scope
from dragoman.errors import DragomanError
from dragoman.times import SECOND_NS

from ..signing import KEY
from ..stream import STREAM_PATH
from . import orders, reads
from .desk import Desk
from .feed import Feed
from .gate import Gate
from .problems import RefusedError, refusal_of, refused
from .sockets import Session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import web

    from dragoman.dialects import Access, DialectHost

    Handler = Callable[[web.Request, Desk], Awaitable[web.Response]]

__all__ = ["WharfDialect"]

_CODES: Final = {
    404: "unknown_path",
    405: "unknown_path",
    408: "invalid_request",
    413: "invalid_request",
    429: "too_many_requests",
}
_SERVER_ERRORS: Final = 500
_READS: Final[tuple[tuple[str, Handler], ...]] = (
    ("/v1/accounts", reads.accounts),
    ("/v1/instruments", reads.instruments),
    ("/v1/instruments/{symbol:.+}", reads.instrument),
    ("/v1/orders", reads.order_of_client),
    ("/v1/orders/open", reads.open_orders),
    ("/v1/orders/history", reads.history),
    ("/v1/orders/{venue_id}", reads.order),
    ("/v1/positions", reads.positions),
    ("/v1/fills", reads.fills),
    ("/v1/quotes", reads.quotes),
    ("/v1/trades", reads.trades),
    ("/v1/bars", reads.bars),
)
_COMMANDS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("POST", "/v1/orders", orders.submit),
    ("POST", "/v1/order-lists", orders.submit_list),
    ("PATCH", "/v1/orders/{venue_id}", orders.replace),
    ("DELETE", "/v1/orders/{venue_id}", orders.cancel),
    ("DELETE", "/v1/orders", orders.cancel_of_client),
)


class WharfDialect(Dialect):
    """Serves brokers as wharf would."""

    name = "wharf"

    def __init__(self) -> None:
        self._secrets: dict[str, Secret] = {}
        self._feeds: dict[str, tuple[Desk, Feed]] = {}

    def enrol(self, credentials: Mapping[str, str]) -> None:
        """Know a client's `key` and `secret`; from the first on, no other signature opens."""
        self._secrets[credentials["key"]] = Secret(credentials["secret"])

    def mount(self, app: web.Application, host: DialectHost) -> None:
        """Add every route; what happens to the accounts is numbered before it listens."""
        gate = Gate(host, self._secrets)
        for broker in host.brokers:
            desk = Desk(broker, host)
            self._feeds[broker.account_id] = (desk, Feed(desk))

        async def start(_: web.Application) -> None:
            for _desk, feed in self._feeds.values():
                await feed.start()

        async def time(request: web.Request) -> web.StreamResponse:
            newest = gate.newest_nonce(request.headers.get(KEY, ""))
            return reads.server_time(host.clock.now_ns(), newest)

        async def stream(request: web.Request) -> web.StreamResponse:
            async with host.open_socket(request) as socket:
                await Session(socket, gate, self._desk_of, host).run()
            return socket.response

        app.on_startup.append(start)
        app.router.add_get("/v1/time", time)
        app.router.add_get(STREAM_PATH, stream)
        for path, handler in _READS:
            app.router.add_get(path, self._answering(gate, Scope.READ, handler))
        for method, path, handler in _COMMANDS:
            app.router.add_route(method, path, self._answering(gate, Scope.TRADE, handler))

    def refuse(self, status: int, message: str) -> web.StreamResponse:
        """Return wharf's form of an error."""
        fallback = "unavailable" if status >= _SERVER_ERRORS else "invalid_request"
        return refused(RefusedError(status, _CODES.get(status, fallback), message))

    def problem(self, error: DragomanError) -> web.StreamResponse:
        """Return the answer to a request that failed."""
        return refused(refusal_of(error))

    def hints(self, url: str) -> tuple[str, ...]:
        """Return where a client finds what."""
        return (f"REST: {url}/v1", f"stream: {url.replace('http', 'ws', 1)}{STREAM_PATH}")

    def _desk_of(self, access: Access) -> tuple[Desk, Feed]:
        return self._feeds[access.broker.account_id]

    def _answering(
        self, gate: Gate, scope: Scope, handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return what lets a request in, answers it, and says what is left of the budget."""

        async def answer(request: web.Request) -> web.StreamResponse:
            access = await gate.admit(request, scope)
            budget = gate.spend(request.headers[KEY])
            desk, _ = self._desk_of(access)
            try:
                response: web.StreamResponse = await handler(request, desk)
            except DragomanError as error:
                response = self.problem(error)
            response.headers["X-RateLimit-Remaining"] = str(budget.remaining)
            response.headers["X-RateLimit-Reset"] = str(budget.resets_at_ns // SECOND_NS + 1)
            return response

        return answer
