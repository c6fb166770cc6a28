"""Where the resting exits of a position are moved to, leg by leg.

A leg that rests is replaced in place, so the position is never without it. One that a position does
not have is not given to it: that is refused.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from dragoman.errors import ConflictError
from dragoman.models import Order, OrderChange, OrderStatus, OrderType, Side

from .asking import body_of
from .bodies import ExitsBody
from .order_commands import replaced
from .order_rules import check_exits
from .positions import find_position
from .problems import json_response, unmodifiable
from .texts import amount

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.models import Position

    from .desks import Desk

__all__ = ["modify_exits"]

_STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
_TARGETS = frozenset({OrderType.LIMIT, OrderType.LIMIT_IF_TOUCHED})


@attrs.frozen
class _Leg:
    """One leg of a position: its word, where it goes, and the orders that rest for it."""

    word: str
    price: Decimal
    orders: tuple[Order, ...]


async def modify_exits(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`PATCH /v1/positions/{position_id}`: the legs that are named, moved."""
    body = await body_of(request, ExitsBody)
    check_exits(body)
    position = await find_position(desk, request.match_info["position_id"])
    resting = _resting(desk, position)
    asked = (("stop_loss", body.stop_loss, _STOPS), ("take_profit", body.take_profit, _TARGETS))
    legs = [
        _Leg(word, price, tuple(one for one in resting if one.order_type in types))
        for word, price, types in asked
        if price is not None
    ]
    row: dict[str, object] = {"position_id": position.position_id}
    for leg in legs:
        if not leg.orders:
            why = f"the position has no {leg.word} to move"
            raise unmodifiable(position.position_id, why)
    for leg in legs:
        moved = [await _moved(desk, one, leg.price) for one in leg.orders]
        row[leg.word] = _placed(moved, leg.price)
    return json_response(row)


def _resting(desk: Desk, position: Position) -> list[Order]:
    """Return the exits of a position: what closes it, as a leg of an entry or by its own word."""
    closes = Side.SELL if position.quantity > 0 else Side.BUY
    return [
        one
        for one in desk.broker.state.open_orders
        if one.symbol == position.symbol
        and one.side is closes
        and one.status is not OrderStatus.HELD
        and one.position_id in (None, position.position_id)
        and (one.parent_client_order_id is not None or one.reduce_only)
        and one.order_type in _STOPS | _TARGETS
    ]


async def _moved(desk: Desk, order: Order, price: Decimal) -> Order:
    field = "limit_price" if order.order_type is OrderType.LIMIT else "stop_price"
    if getattr(order, field) == price:
        return order
    try:
        return await replaced(desk, order, OrderChange(**{field: price}))  # type: ignore[arg-type] # by name
    except ConflictError as error:
        raise unmodifiable(order.client_order_id, error.message) from None


def _placed(orders: list[Order], price: Decimal) -> dict[str, object]:
    ids = [one.client_order_id for one in orders]
    return {"order_ids": ids, "trigger_price": amount(price)}
