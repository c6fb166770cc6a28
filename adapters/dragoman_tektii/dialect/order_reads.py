"""Orders and executions, read: those at work, those that have ended, one by its id."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.capabilities import ReadFeature
from dragoman.errors import NotFoundError, UnknownInstrumentError
from dragoman.models import Side, Window
from dragoman_tektii.mapping.words import SIDES, STATUSES, TERMINAL_STATUSES

from .asking import limit_of, text_of, time_of, word_of, words_of
from .groups import group_of
from .order_rows import order_row, status_word
from .problems import invalid_request, json_response, order_not_found
from .rows import trade_row

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.models import Fill, Order

    from .desks import Desk

__all__ = ["find_order", "get_order", "list_history", "list_orders", "list_trades"]

_AT_WORK: Final = frozenset(STATUSES) - TERMINAL_STATUSES


@attrs.frozen(kw_only=True)
class _Asked:
    """Which orders are wanted; None does not matter."""

    statuses: frozenset[str]
    symbol: str | None
    side: Side | None
    client_order_id: str | None
    group_id: str | None
    since_ns: int | None
    until_ns: int | None
    limit: int | None

    def admits(self, desk: Desk, order: Order) -> bool:
        """Tell whether an order is wanted."""
        at_ns = _created(order)
        named = desk.naming.find(order.client_order_id).is_named
        return (
            status_word(order) in self.statuses
            and self.symbol in (None, order.symbol)
            and self.side in (None, order.side)
            and (
                self.client_order_id is None
                or (named and self.client_order_id == order.client_order_id)
            )
            and self.group_id in (None, group_of(desk, order))
            and (self.since_ns is None or at_ns >= self.since_ns)
            and (self.until_ns is None or at_ns < self.until_ns)
        )


async def list_orders(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/orders`: those at work, or those with a status that is asked for; newest first."""
    return await _listed(desk, await _asked(request, desk, _AT_WORK))


async def list_history(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/orders/history`: those that have ended, newest first."""
    asked = await _asked(request, desk, TERMINAL_STATUSES)
    asked = attrs.evolve(asked, statuses=asked.statuses & TERMINAL_STATUSES)
    return await _listed(desk, asked)


async def get_order(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/orders/{order_id}`."""
    return json_response(order_row(desk, await find_order(desk, request.match_info["order_id"])))


async def find_order(desk: Desk, order_id: str) -> Order:
    """Return an order by its id.

    Raises:
        RefusedError: There is none (404).
    """
    known = desk.broker.state.order(order_id)
    if known is not None:
        return known
    try:
        found = await desk.broker.fetch_order(order_id)
    except NotFoundError:
        found = None
    if found is not None:
        return found
    for order in (await _ended(desk, None)).values():
        if order.client_order_id == order_id:
            return order
    for order in await desk.broker.fetch_open_orders():
        if order.client_order_id == order_id:
            return order
    raise order_not_found(order_id)


async def list_trades(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/trades`: executions, newest first."""
    symbol = await desk.symbol_meant(text_of(request, "symbol"))
    order_id, limit = text_of(request, "order_id"), limit_of(request)
    since_ns, until_ns = _span(request)
    window = Window(start_ns=since_ns, end_ns=until_ns)
    currency = await desk.currency()
    fills: list[Fill] = []
    with suppress(UnknownInstrumentError):  # in which nothing was executed
        fills = [
            fill
            async for fill in desk.broker.fetch_fills(window, symbol)
            if order_id in (None, fill.client_order_id)
            and symbol in (None, fill.symbol)
            and window.covers(fill.venue_time_ns)
            and not fill.is_busted
        ]
    fills.sort(key=lambda fill: fill.venue_time_ns, reverse=True)
    return json_response([trade_row(desk, fill, currency) for fill in fills[:limit]])


async def _asked(request: web.Request, desk: Desk, usual: frozenset[str]) -> _Asked:
    statuses = words_of(request, "status", STATUSES)
    side = text_of(request, "side")
    since_ns, until_ns = _span(request)
    return _Asked(
        statuses=usual if statuses is None else statuses,
        side=None if side is None else word_of(SIDES, side, "side"),
        client_order_id=text_of(request, "client_order_id"),
        group_id=text_of(request, "oco_group_id"),
        since_ns=since_ns,
        until_ns=until_ns,
        limit=limit_of(request),
        symbol=await desk.symbol_meant(text_of(request, "symbol")),
    )


def _span(request: web.Request) -> tuple[int | None, int | None]:
    since_ns, until_ns = time_of(request, "since"), time_of(request, "until")
    if since_ns is not None and until_ns is not None and until_ns < since_ns:
        raise invalid_request("until: must not be before since", "until")
    return since_ns, until_ns


async def _listed(desk: Desk, asked: _Asked) -> web.StreamResponse:
    found: dict[str, Order] = {}
    if asked.limit != 0:
        with suppress(UnknownInstrumentError):  # in which no order can be
            found |= await _told(desk, asked)
        # What is known here is newer than what was read, and holds what is not visible there yet.
        found |= {order.client_order_id: order for order in desk.broker.state.orders}
    wanted = [order for order in found.values() if asked.admits(desk, order)]
    wanted.sort(key=_created, reverse=True)
    return json_response([order_row(desk, order) for order in wanted[: asked.limit]])


async def _told(desk: Desk, asked: _Asked) -> dict[str, Order]:
    """Return what the broker shows of the orders that are asked for."""
    found: dict[str, Order] = {}
    if asked.statuses & TERMINAL_STATUSES:
        found |= await _ended(desk, asked)
    if asked.statuses & _AT_WORK:
        orders = await desk.broker.fetch_open_orders(asked.symbol)
        found |= {order.client_order_id: order for order in orders}
    return found


async def _ended(desk: Desk, asked: _Asked | None) -> dict[str, Order]:
    """Return orders out of the broker's history, where it has one."""
    if ReadFeature.ORDER_HISTORY not in desk.broker.capabilities.reads:
        return {}
    window, symbol = Window(), None
    if asked is not None:
        window = Window(start_ns=asked.since_ns, end_ns=asked.until_ns)
        symbol = asked.symbol
    orders = desk.broker.fetch_orders(window, symbol)
    return {order.client_order_id: order async for order in orders}


def _created(order: Order) -> int:
    return order.received_at_ns if order.created_at_ns is None else order.created_at_ns
