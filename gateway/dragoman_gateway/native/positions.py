"""Positions: as they stand, closed one by one or all at once, and their protective orders."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dragoman.errors import DragomanError, Violation
from dragoman.ids import stable_id
from dragoman.models.order import CommandResult

from .answers import CloseOrder, PositionExits, answered
from .commands import earlier_order, placed, results_answer
from .lists import OrdersSet, PositionList
from .problems import invalid, not_found

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.broker import Broker
    from dragoman.models import Order, Position

    from .asking import Ask

__all__ = ["close_position", "close_positions", "get_position", "list_positions", "set_exits"]


async def list_positions(ask: Ask) -> web.Response:
    """Answer with the open positions as they are known here or, if asked to, as the venue says."""
    symbol = ask.query.text("symbol")
    is_asked = ask.query.flag("refresh")
    ask.query.check()
    if is_asked:
        found = await ask.broker.fetch_positions(symbol)
    else:
        held = ask.broker.state.positions
        found = tuple(one for one in held if symbol is None or one.symbol == symbol)
    return answered(PositionList(positions=found))


async def get_position(ask: Ask) -> web.Response:
    """Answer with one open position, by its id or its symbol."""
    ask.query.check()
    return answered(_held(ask))


async def close_position(ask: Ask) -> web.Response:
    """Close a position, or part of it, by a market order that can only close."""
    ask.query.check()
    asked = await ask.body(CloseOrder, is_optional=True)
    if asked.quantity is not None and asked.quantity <= 0:
        raise invalid("body", Violation.of("quantity", asked.quantity, "a number above 0"))
    name = asked.client_order_id
    if name is None:
        name = ask.host.ids.next_id()
        order = await earlier_order(ask.broker, name)
        if order is not None:
            return placed(ask, order, depth=3)
    order = await ask.broker.close(
        _held(ask), asked.quantity, client_order_id=name, tag=asked.tag or None
    )
    return placed(ask, order, depth=3)


async def close_positions(ask: Ask) -> web.Response:
    """Close every position, of one symbol or all, as the venue shows them now; one row for each."""
    symbol = ask.query.text("symbol")
    ask.query.check()
    drawn = ask.host.ids.next_id()
    positions = await ask.broker.fetch_positions(symbol)
    closing = [
        # The same name whenever this request is repeated, whatever has been closed by then.
        _closed(ask.broker, one, stable_id(drawn, one.position_id))
        for one in positions
    ]
    return results_answer(await asyncio.gather(*closing))


async def set_exits(ask: Ask) -> web.Response:
    """Set the protective orders of a position."""
    ask.query.check()
    asked = await ask.body(PositionExits)
    orders = await ask.broker.set_exits(_held(ask), asked.stop_loss, asked.take_profit)
    return answered(OrdersSet(orders=orders))


async def _closed(broker: Broker, position: Position, name: str) -> CommandResult:
    order: Order | None
    try:
        order = await earlier_order(broker, name)
        if order is None:
            order = await broker.close(position, client_order_id=name)
    except DragomanError as error:
        return CommandResult(client_order_id=name, order=broker.state.order(name), error=error)
    return CommandResult(client_order_id=name, order=order)


def _held(ask: Ask) -> Position:
    name = ask.part("position_id")
    found = ask.broker.state.position(name)
    if found is None:
        raise not_found("no open position has this id or symbol")
    return found
