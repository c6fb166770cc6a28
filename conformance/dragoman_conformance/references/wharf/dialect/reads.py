"""What a client may ask, and changes nothing by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import InvalidValueError
from dragoman.models import Timeframe
from dragoman.times import format_time

from .desk import cursor_of, page_of, window_of
from .problems import RefusedError, json_response
from .rows import (
    account_row,
    bar_row,
    fill_row,
    instrument_row,
    order_row,
    position_row,
    quote_row,
    trade_row,
)

if TYPE_CHECKING:
    from aiohttp import web

    from .desk import Desk

__all__ = [
    "accounts",
    "bars",
    "fills",
    "history",
    "instrument",
    "instruments",
    "open_orders",
    "order",
    "order_of_client",
    "positions",
    "quotes",
    "server_time",
    "trades",
]


def server_time(now_ns: int, newest_nonce: int) -> web.Response:
    """`GET /v1/time`."""
    return json_response({"time": format_time(now_ns), "nonce": str(newest_nonce)})


async def accounts(_: web.Request, desk: Desk) -> web.Response:
    """`GET /v1/accounts`: the one that the key reaches."""
    return json_response({"rows": [account_row(await desk.broker.fetch_account())]})


async def instruments(request: web.Request, desk: Desk) -> web.Response:
    """`GET /v1/instruments`."""
    kind = request.query.get("kind")
    rows = [
        instrument_row(one)
        for one in await desk.broker.load_instruments()
        if kind in (None, one.kind.lower())
    ]
    return json_response(page_of(rows, cursor_of(request)))


async def instrument(request: web.Request, desk: Desk) -> web.Response:
    """`GET /v1/instruments/{symbol}`: by symbol or alias."""
    found = await desk.broker.instrument(request.match_info["symbol"])
    return json_response(instrument_row(found))


async def order(request: web.Request, desk: Desk) -> web.Response:
    """`GET /v1/orders/{id}`."""
    desk.check_account(request.query.get("account"))
    found = await desk.order_named(request.match_info["venue_id"])
    return json_response(order_row(found, desk.id_of))


async def order_of_client(request: web.Request, desk: Desk) -> web.Response:
    """`GET /v1/orders?client_id=...`."""
    desk.check_account(request.query.get("account"))
    return json_response(order_row(await desk.order_of_client(request), desk.id_of))


async def open_orders(request: web.Request, desk: Desk) -> web.Response:
    """`GET /v1/orders/open`."""
    desk.check_account(request.query.get("account"))
    rows = [order_row(one, desk.id_of) for one in await desk.broker.fetch_open_orders()]
    return json_response(page_of(rows, cursor_of(request)))


async def history(request: web.Request, desk: Desk) -> web.Response:
    """`GET /v1/orders/history`: by when orders were created, oldest first."""
    desk.check_account(request.query.get("account"))
    symbol = request.query.get("symbol")
    page = await desk.page(
        request,
        lambda window: desk.broker.fetch_orders(window, symbol),
        lambda one: order_row(one, desk.id_of),
        window_of(request),
    )
    return json_response(page)


async def fills(request: web.Request, desk: Desk) -> web.Response:
    """`GET /v1/fills`: oldest first."""
    desk.check_account(request.query.get("account"))
    symbol = request.query.get("symbol")
    page = await desk.page(
        request,
        lambda window: desk.broker.fetch_fills(window, symbol),
        lambda one: fill_row(one, desk.id_of),
        window_of(request),
    )
    return json_response(page)


async def positions(request: web.Request, desk: Desk) -> web.Response:
    """`GET /v1/positions`."""
    desk.check_account(request.query.get("account"))
    rows = [position_row(one) for one in await desk.broker.fetch_positions()]
    return json_response(page_of(rows, cursor_of(request)))


async def quotes(request: web.Request, desk: Desk) -> web.Response:
    """`GET /v1/quotes?symbol=...&symbol=...`."""
    symbols = [await desk.symbol(one) for one in request.query.getall("symbol", [])]
    found = await desk.broker.fetch_quotes(symbols)
    return json_response({"rows": [quote_row(found[one]) for one in symbols]})


async def trades(request: web.Request, desk: Desk) -> web.Response:
    """`GET /v1/trades`: oldest first."""
    symbol = await desk.symbol(request.query.get("symbol", ""))
    page = await desk.page(
        request,
        lambda window: desk.broker.fetch_trades(symbol, window),
        trade_row,
        window_of(request),
    )
    return json_response(page)


async def bars(request: web.Request, desk: Desk) -> web.Response:
    """`GET /v1/bars`: oldest first."""
    symbol = await desk.symbol(request.query.get("symbol", ""))
    try:
        timeframe = Timeframe.parse(request.query.get("timeframe", ""))
    except InvalidValueError as error:
        raise RefusedError(400, "invalid_request", error.message) from None
    page = await desk.page(
        request,
        lambda window: desk.broker.fetch_bars(symbol, timeframe, window),
        bar_row,
        window_of(request),
    )
    return json_response(page)
