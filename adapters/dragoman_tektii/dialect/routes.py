"""Which handler answers which request, and what each needs before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from aiohttp import web

from dragoman.dialects import Scope
from dragoman.errors import DragomanError

from .entry import access_of
from .exits import modify_exits
from .instruments import get_instrument, list_instruments
from .market import get_bars, get_quote
from .order_commands import cancel_order, cancel_orders, modify_order, submit_order
from .order_reads import get_order, list_history, list_orders, list_trades
from .positions import close_position, close_positions, get_position, list_positions
from .service import get_account, get_breakers, get_capabilities, get_status, reset_breakers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.dialects import DialectHost

    from .desks import Desk, Desks

    Handler: TypeAlias = Callable[[web.Request, Desk], Awaitable[web.StreamResponse]]
    Serve: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

__all__ = ["mount_rest", "mount_routes"]

_READS: Final[tuple[tuple[str, Handler], ...]] = (
    ("/v1/account", get_account),
    ("/v1/orders", list_orders),
    ("/v1/orders/history", list_history),
    ("/v1/orders/{order_id:.+}", get_order),
    ("/v1/trades", list_trades),
    ("/v1/positions", list_positions),
    ("/v1/positions/{position_id:.+}", get_position),
    ("/v1/quotes/{symbol:.+}", get_quote),
    ("/v1/bars/{symbol:.+}", get_bars),
    ("/v1/capabilities", get_capabilities),
    ("/v1/status", get_status),
    ("/v1/circuit-breakers", get_breakers),
    ("/v1/instruments", list_instruments),
    ("/v1/instruments/{symbol:.+}", get_instrument),
)
_COMMANDS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("POST", "/v1/orders", submit_order),
    ("DELETE", "/v1/orders", cancel_orders),
    ("PATCH", "/v1/orders/{order_id:.+}", modify_order),
    ("DELETE", "/v1/orders/{order_id:.+}", cancel_order),
    ("DELETE", "/v1/positions", close_positions),
    ("PATCH", "/v1/positions/{position_id:.+}", modify_exits),
    ("DELETE", "/v1/positions/{position_id:.+}", close_position),
    ("POST", "/v1/circuit-breakers/reset", reset_breakers),
)
_ORDER: Final = (
    "/v1/account",
    "/v1/orders",
    "/v1/orders/history",
    "/v1/orders/{order_id:.+}",
    "/v1/trades",
    "/v1/positions",
    "/v1/positions/{position_id:.+}",
    "/v1/quotes/{symbol:.+}",
    "/v1/bars/{symbol:.+}",
    "/v1/capabilities",
    "/v1/status",
    "/v1/circuit-breakers",
    "/v1/circuit-breakers/reset",
    "/v1/instruments",
    "/v1/instruments/{symbol:.+}",
)
"""Every address, the more particular first."""


def mount_routes(app: web.Application, host: DialectHost, desks: Desks, stream: Serve) -> None:
    """Add the routes of the API; who asks for what is not there must show a key all the same."""
    resource = app.router.add_resource("/v1/ws")
    resource.add_route("GET", stream)
    resource.add_route("*", _wrong_method(host, {"GET"}))
    reads = dict(_READS)
    for path in _ORDER:
        resource = app.router.add_resource(path)
        methods: set[str] = set()
        if path in reads:
            answer = _answered(host, desks, Scope.READ, reads[path])
            resource.add_route("GET", answer)
            resource.add_route("HEAD", answer)
            methods |= {"GET", "HEAD"}
        for method, at, handler in _COMMANDS:
            if at == path:
                resource.add_route(method, _answered(host, desks, Scope.TRADE, handler))
                methods.add(method)
        resource.add_route("*", _wrong_method(host, methods))


def mount_rest(app: web.Application, host: DialectHost) -> None:
    """Add what answers for every other address of the API, after all that exist."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        await access_of(request, host)
        raise web.HTTPNotFound

    for path in ("/v1{rest:(?:/.*)?}", "/swagger-ui{rest:(?:/.*)?}", "/api-docs/openapi.json"):
        app.router.add_route("*", path, refuse)


def _answered(host: DialectHost, desks: Desks, scope: Scope, handler: Handler) -> Serve:
    async def answer(request: web.Request) -> web.StreamResponse:
        access = await access_of(request, host, scope)
        desk = desks.of(access.broker)
        try:
            return await handler(request, desk)
        except DragomanError as error:
            desk.note(error)
            raise

    return answer


def _wrong_method(host: DialectHost, methods: set[str]) -> Serve:
    async def refuse(request: web.Request) -> web.StreamResponse:
        await access_of(request, host)
        raise web.HTTPMethodNotAllowed(request.method, methods)

    return refuse
