"""Every route of the protocol: who answers, which scope it needs, and what goes in and out.

One table serves both the router and the OpenAPI document, so that neither can say what the other
does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from dragoman.capabilities import Capabilities
from dragoman.dialects import Scope
from dragoman.models import (
    Account,
    Depth,
    Instrument,
    MarketStatus,
    Order,
    OrderChange,
    OrderRequest,
    Position,
)

from . import accounts, catalogue, commands, history, market, orders, positions, steering
from . import parameters as takes
from .answers import (
    AccountState,
    AccountStatus,
    CloseOrder,
    FlattenOrder,
    HaltAnswer,
    HaltOrder,
    OrderList,
    PositionExits,
    PreviewAnswer,
    WaitAnswer,
)
from .lists import (
    AccountList,
    BarPage,
    FillPage,
    HoursList,
    InstrumentPage,
    LedgerPage,
    OrderPage,
    OrdersSet,
    PositionList,
    QuoteList,
    ResultList,
    TickerList,
    TradePage,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from .asking import Ask

    Handler: TypeAlias = Callable[[Ask], Awaitable[web.Response]]

__all__ = ["ACCOUNT", "ROUTES", "VERSION", "Route"]

VERSION: Final = "/v1"
ACCOUNT: Final = VERSION + "/{provider}/{account_id}"


@attrs.frozen(kw_only=True)
class Route:
    """One route: `body` and `answer` are the classes whose plain form goes in and out."""

    method: str
    path: str
    scope: Scope
    handler: Handler
    answer: type
    parameters: tuple[takes.Parameter, ...] = ()
    body: type | None = None
    is_body_optional: bool = False
    status: int = 200

    @property
    def is_of_account(self) -> bool:
        """Whether the path names an account."""
        return self.path.startswith(ACCOUNT)


def _read(path: str, handler: Handler, answer: type, *parameters: takes.Parameter) -> Route:
    of_account = takes.ACCOUNT_PATH if path.startswith(ACCOUNT) else ()
    return Route(
        method="GET",
        path=path,
        scope=Scope.READ,
        handler=handler,
        answer=answer,
        parameters=(*of_account, *parameters),
    )


def _command(
    call: str,
    handler: Handler,
    answer: type,
    *parameters: takes.Parameter,
    body: type | None = None,
    is_body_optional: bool = False,
    status: int = 200,
    scope: Scope = Scope.TRADE,
) -> Route:
    method, _, path = call.partition(" ")
    return Route(
        method=method,
        path=ACCOUNT + path,
        scope=scope,
        handler=handler,
        answer=answer,
        parameters=(*takes.ACCOUNT_PATH, *parameters),
        body=body,
        is_body_optional=is_body_optional,
        status=status,
    )


_READS: Final = (
    _read(VERSION + "/accounts", accounts.list_accounts, AccountList),
    _read(ACCOUNT, accounts.get_status, AccountStatus),
    _read(ACCOUNT + "/health", accounts.get_health, AccountStatus),
    _read(ACCOUNT + "/state", accounts.get_state, AccountState),
    _read(ACCOUNT + "/account", accounts.get_account, Account),
    _read(ACCOUNT + "/capabilities", accounts.get_capabilities, Capabilities),
    _read(
        ACCOUNT + "/orders",
        orders.list_orders,
        OrderPage,
        takes.LISTED,
        takes.SYMBOL,
        *takes.TIMED_PAGE,
    ),
    _read(
        ACCOUNT + "/orders/{client_order_id}",
        orders.get_order,
        Order,
        takes.CLIENT_ORDER_ID,
        takes.REFRESH,
    ),
    _read(
        ACCOUNT + "/orders/{client_order_id}/wait",
        orders.wait_for_order,
        WaitAnswer,
        takes.CLIENT_ORDER_ID,
        *takes.WAITING,
    ),
    _read(
        ACCOUNT + "/positions", positions.list_positions, PositionList, takes.SYMBOL, takes.REFRESH
    ),
    _read(
        ACCOUNT + "/positions/{position_id}", positions.get_position, Position, takes.POSITION_ID
    ),
    _read(ACCOUNT + "/fills", history.list_fills, FillPage, takes.SYMBOL, *takes.TIMED_PAGE),
    _read(
        ACCOUNT + "/ledger", history.list_ledger, LedgerPage, takes.LEDGER_KINDS, *takes.TIMED_PAGE
    ),
    _read(
        ACCOUNT + "/instruments",
        catalogue.list_instruments,
        InstrumentPage,
        takes.SEARCH,
        takes.INSTRUMENT_KINDS,
        *takes.CURSOR,
    ),
    _read(
        ACCOUNT + "/instruments/{symbol}", catalogue.get_instrument, Instrument, takes.SYMBOL_PATH
    ),
    _read(
        ACCOUNT + "/instruments/{symbol}/hours",
        catalogue.list_hours,
        HoursList,
        takes.SYMBOL_PATH,
        *takes.SPAN_NEEDED,
    ),
    _read(ACCOUNT + "/quotes", market.list_quotes, QuoteList, takes.SYMBOLS),
    _read(ACCOUNT + "/tickers", market.list_tickers, TickerList, takes.SYMBOLS),
    _read(ACCOUNT + "/depth", market.get_depth, Depth, takes.NEEDED_SYMBOL, takes.LEVELS),
    _read(
        ACCOUNT + "/bars",
        market.list_bars,
        BarPage,
        takes.NEEDED_SYMBOL,
        takes.TIMEFRAME,
        takes.PRICE_SOURCE,
        takes.ADJUSTMENT,
        *takes.TIMED_PAGE,
    ),
    _read(
        ACCOUNT + "/trades", market.list_trades, TradePage, takes.NEEDED_SYMBOL, *takes.TIMED_PAGE
    ),
    _read(ACCOUNT + "/market-status", market.get_market_status, MarketStatus, takes.SYMBOL),
)
_COMMANDS: Final = (
    _command("POST /orders", commands.submit_order, Order, body=OrderRequest, status=201),
    _command("DELETE /orders", commands.cancel_orders, ResultList, takes.SYMBOL),
    _command(
        "PATCH /orders/{client_order_id}",
        commands.replace_order,
        Order,
        takes.CLIENT_ORDER_ID,
        body=OrderChange,
    ),
    _command(
        "DELETE /orders/{client_order_id}", commands.cancel_order, Order, takes.CLIENT_ORDER_ID
    ),
    _command("POST /order-lists", commands.submit_list, ResultList, body=OrderList, status=201),
    _command(
        "POST /order-previews",
        commands.preview_order,
        PreviewAnswer,
        body=OrderRequest,
        scope=Scope.READ,
    ),
    _command("DELETE /positions", positions.close_positions, ResultList, takes.SYMBOL),
    _command(
        "POST /positions/{position_id}/close",
        positions.close_position,
        Order,
        takes.POSITION_ID,
        body=CloseOrder,
        is_body_optional=True,
        status=201,
    ),
    _command(
        "PUT /positions/{position_id}/exits",
        positions.set_exits,
        OrdersSet,
        takes.POSITION_ID,
        body=PositionExits,
    ),
    _command(
        "POST /halt",
        steering.halt,
        HaltAnswer,
        body=HaltOrder,
        is_body_optional=True,
        scope=Scope.HALT,
    ),
    _command(
        "POST /flatten",
        steering.flatten,
        HaltAnswer,
        body=FlattenOrder,
        is_body_optional=True,
        scope=Scope.HALT,
    ),
    _command("POST /resume", steering.resume, AccountStatus, scope=Scope.HALT),
    _command("POST /reconcile", steering.reconcile, AccountStatus, scope=Scope.HALT),
)
ROUTES: Final[tuple[Route, ...]] = (*_READS, *_COMMANDS)
"""Every route but the stream and the documents themselves."""
