"""Which handler answers which request of the trading API, and what each needs before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from dragoman.dialects import Scope

from .account import get_account, get_configurations, set_configurations
from .activities import list_activities
from .catalogue import get_asset, get_contract, list_assets, list_contracts
from .entry import access_of
from .history import get_portfolio_history
from .hours import get_calendar, get_clock
from .order_commands import cancel_order, cancel_orders, replace_order, submit_order
from .order_reads import get_order, get_order_by_client_id, list_orders
from .positions import close_position, close_positions, get_position, list_positions
from .problems import not_found
from .updates import TradeUpdates

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from dragoman.dialects import DialectHost

    from .desks import Desk, Desks

    Handler: TypeAlias = Callable[[web.Request, Desk], Awaitable[web.StreamResponse]]

__all__ = ["mount_trading"]

_READS: Final[tuple[tuple[str, Handler], ...]] = (
    ("/v2/account", get_account),
    ("/v2/account/configurations", get_configurations),
    ("/v2/account/activities", list_activities),
    ("/v2/account/activities/{activity_type}", list_activities),
    ("/v2/account/portfolio/history", get_portfolio_history),
    ("/v2/orders", list_orders),
    ("/v2/orders:by_client_order_id", get_order_by_client_id),
    ("/v2/orders/{order_id}", get_order),
    ("/v2/positions", list_positions),
    ("/v2/positions/{symbol_or_asset_id:.+}", get_position),
    ("/v2/assets", list_assets),
    ("/v2/assets/{symbol_or_asset_id:.+}", get_asset),
    ("/v2/options/contracts", list_contracts),
    ("/v2/options/contracts/{symbol_or_id:.+}", get_contract),
    ("/v2/clock", get_clock),
    ("/v2/calendar", get_calendar),
)
_COMMANDS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("PATCH", "/v2/account/configurations", set_configurations),
    ("POST", "/v2/orders", submit_order),
    ("DELETE", "/v2/orders", cancel_orders),
    ("PATCH", "/v2/orders/{order_id}", replace_order),
    ("DELETE", "/v2/orders/{order_id}", cancel_order),
    ("DELETE", "/v2/positions", close_positions),
    ("DELETE", "/v2/positions/{symbol_or_asset_id:.+}", close_position),
)
_NOT_OFFERED: Final = (
    ("/v2/watchlists{rest:.*}", "watchlists are not offered"),
    ("/v2/corporate_actions{rest:.*}", "corporate actions are not offered"),
    ("/v2/wallets{rest:.*}", "wallets are not offered"),
    ("/v2/positions/{symbol:.+}/exercise", "exercising options is not offered"),
    ("/v2/positions/{symbol:.+}/do-not-exercise", "exercising options is not offered"),
)


def mount_trading(app: web.Application, host: DialectHost, desks: Desks) -> None:
    """Add the routes of the trading API and its stream."""
    router = app.router
    for path, message in _NOT_OFFERED:
        router.add_route("*", path, _answered(host, desks, Scope.READ, _refusing(message)))
    for path, handler in _READS:
        router.add_get(path, _answered(host, desks, Scope.READ, handler))
    for method, path, handler in _COMMANDS:
        router.add_route(method, path, _answered(host, desks, Scope.TRADE, handler))
    router.add_get("/stream", TradeUpdates(host, desks).serve)


def _answered(
    host: DialectHost, desks: Desks, scope: Scope, handler: Handler
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        access = await access_of(request, host, scope)
        desk = desks.of(access.broker)
        await desk.start()
        return await handler(request, desk)

    return answer


def _refusing(message: str) -> Handler:
    async def refuse(_: web.Request, __: Desk) -> web.StreamResponse:
        raise not_found(message)

    return refuse
