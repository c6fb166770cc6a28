"""Orders and executions, as a gateway shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import ProtocolError, RejectReason
from dragoman.models import (
    Contingency,
    Exit,
    Fill,
    Liquidity,
    Offset,
    Order,
    OrderOrigin,
    OrderStatus,
    OrderType,
    PositionEffect,
    TimeInForce,
)
from dragoman.money import ZERO
from dragoman_tektii.wire import TradeRow

from .reading import money, positive, side_of, time_of, understood
from .words import (
    ORDER_TYPES,
    PENDING,
    REJECT_REASONS,
    STATUSES,
    TERMINAL_STATUSES,
    TIMES_IN_FORCE,
    TRAILING_TYPES,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import OrderRequest
    from dragoman_tektii.wire import HandleRow, OrderRow

    from .reading import Reading

__all__ = ["at_work", "execution_of", "fill_of", "order_of", "order_of_fill", "taken_order"]

_WORKING: Final = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})
_LIQUIDITY: Final = {True: Liquidity.MAKER, False: Liquidity.TAKER}


@understood
def order_of(row: OrderRow, reading: Reading) -> Order:
    """Read an order, and learn its name; one without a name goes by the gateway's id.

    Raises:
        ProtocolError: It names no side or symbol, or holds what no order can have.
    """
    if not row.symbol:
        raise ProtocolError("an order names no symbol")
    book = reading.book
    book.learn(row)
    name = book.name_of(row.id)
    parent = None if row.parent_order_id is None else _name_of(row.parent_order_id, reading)
    filled = _filled(row)
    order_type = ORDER_TYPES.get(row.order_type.upper(), OrderType.UNKNOWN)
    return Order(
        client_order_id=f"ext-{row.id}" if name is None else book.leg_of(name),
        account_id=reading.account_id,
        symbol=row.symbol,
        side=side_of(row.side),
        order_type=order_type,
        status=_status(row, filled),
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        quantity=positive(row.quantity),
        limit_price=positive(row.limit_price),
        stop_price=positive(row.stop_price),
        trailing=_trailing(row),
        time_in_force=_time_in_force(row.time_in_force),
        post_only=row.post_only,
        display_quantity=ZERO if row.hidden else positive(row.display_quantity),
        position_effect=PositionEffect.CLOSE if row.reduce_only else None,
        position_id=row.position_id or None,
        stop_loss=_exit(row.stop_loss),
        take_profit=_exit(row.take_profit),
        group_id=row.oco_group_id or None,
        pending=PENDING.get(row.status),
        venue_status=row.status,
        venue_order_ids=book.ids_of(row.id),
        revision=book.revision_of(row.id),
        filled_quantity=filled,
        average_fill_price=positive(row.average_fill_price) if filled else None,
        reject_reason=_reject_reason(row),
        venue_code=row.reject_reason or None,
        reason=row.reject_reason or None,
        origin=OrderOrigin.EXTERNAL if name is None and parent is None else OrderOrigin.CLIENT,
        parent_client_order_id=parent,
        contingency=Contingency.OCO if row.oco_group_id else Contingency.NONE,
        created_at_ns=time_of(row.created_at),
        updated_at_ns=time_of(row.updated_at),
    )


@understood
def fill_of(row: TradeRow, reading: Reading) -> Fill:
    """Read an execution.

    Raises:
        ProtocolError: It names no side, or holds what no execution can have.
    """
    return Fill(
        fill_id=row.id,
        account_id=reading.account_id,
        client_order_id=_name_of(row.order_id, reading),
        symbol=row.symbol,
        side=side_of(row.side),
        quantity=row.quantity,
        price=row.price,
        venue_time_ns=time_of(row.timestamp) or reading.received_at_ns,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        venue_order_id=row.order_id,
        liquidity=None if row.is_maker is None else _LIQUIDITY[row.is_maker],
        commission=money(row.commission, row.commission_currency),
    )


def execution_of(row: OrderRow) -> TradeRow | None:
    """Return all that an order has filled as one execution, once it has ended.

    It is the same whenever it is asked for. None while more may fill, or without a price.
    """
    price, filled = row.average_fill_price, _filled(row)
    if row.status not in TERMINAL_STATUSES or not price or not filled:
        return None
    return TradeRow(
        id=f"{row.id}:filled",
        order_id=row.id,
        symbol=row.symbol,
        side=row.side,
        quantity=filled,
        price=price,
        timestamp=row.updated_at,
    )


def order_of_fill(fill: Fill) -> Order:
    """Return what an execution alone tells of its order, which was not shown yet."""
    return Order(
        client_order_id=fill.client_order_id,
        account_id=fill.account_id,
        symbol=fill.symbol,
        side=fill.side,
        order_type=OrderType.UNKNOWN,
        status=OrderStatus.PARTIALLY_FILLED,
        provider=fill.provider,
        received_at_ns=fill.received_at_ns,
        venue_order_ids=(fill.venue_order_id or "",),
        filled_quantity=fill.quantity,
        updated_at_ns=fill.venue_time_ns,
    )


def taken_order(request: OrderRequest, row: HandleRow, reading: Reading) -> Order:
    """Return an order that a gateway took, as far as its answer tells.

    Some call an order filled before anything is known of that: it is told as on its way then.
    """
    status = STATUSES.get(row.status, OrderStatus.PENDING)
    if status in {OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED}:
        status = OrderStatus.PENDING
    is_rejected = status is OrderStatus.REJECTED
    return Order(
        client_order_id=request.client_order_id or f"ext-{row.id}",
        account_id=reading.account_id,
        symbol=request.symbol,
        side=request.side,
        order_type=request.order_type,
        status=status,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        quantity=request.quantity,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        trailing=request.trailing,
        time_in_force=request.time_in_force or TimeInForce.GTC,
        post_only=request.post_only,
        display_quantity=request.display_quantity,
        position_effect=request.position_effect,
        position_id=request.position_id,
        stop_loss=request.stop_loss,
        take_profit=request.take_profit,
        group_id=request.group_id,
        venue_status=row.status,
        venue_order_ids=(row.id,),
        reject_reason=RejectReason.OTHER if is_rejected else None,
        contingency=Contingency.OCO if request.group_id else Contingency.NONE,
    )


def at_work(order: Order, filled: Decimal) -> Order:
    """Return an order as it stood when no more than that had filled; its end is told by itself."""
    if order.filled_quantity <= filled and order.status in _WORKING | {OrderStatus.FILLED}:
        return order
    status = OrderStatus.PARTIALLY_FILLED if filled > 0 else OrderStatus.OPEN
    return attrs.evolve(
        order,
        status=status,
        filled_quantity=min(filled, order.filled_quantity),
        average_fill_price=None,
        reject_reason=None,
        venue_code=None,
        reason=None,
    )


def _name_of(order_id: str, reading: Reading) -> str:
    name = reading.book.name_of(order_id)
    return f"ext-{order_id}" if name is None else reading.book.leg_of(name)


def _filled(row: OrderRow) -> Decimal:
    """Return what has filled; what is FILLED has filled whole, whatever 0 stands beside it."""
    if row.status == "FILLED" and not row.filled_quantity:
        return row.quantity or ZERO
    return row.filled_quantity or ZERO


def _status(row: OrderRow, filled: Decimal) -> OrderStatus:
    """Return where an order stands; an exit that is pending waits for its entry."""
    status = STATUSES.get(row.status, OrderStatus.UNKNOWN)
    if status is OrderStatus.OPEN and filled > 0:
        return OrderStatus.PARTIALLY_FILLED
    is_held = status is OrderStatus.PENDING and row.parent_order_id is not None
    return OrderStatus.HELD if is_held else status


def _time_in_force(word: str | None) -> TimeInForce | None:
    return None if not word else TIMES_IN_FORCE.get(word, TimeInForce.UNKNOWN)


def _trailing(row: OrderRow) -> Offset | None:
    unit = TRAILING_TYPES.get(row.trailing_type or "")
    if unit is None or not row.trailing_distance:
        return None
    return Offset(row.trailing_distance, unit)


def _exit(price: Decimal | None) -> Exit | None:
    return Exit(price=price) if price else None


def _reject_reason(row: OrderRow) -> RejectReason | None:
    if not row.reject_reason:
        return RejectReason.OTHER if row.status == "REJECTED" else None
    return REJECT_REASONS.get(row.reject_reason, RejectReason.OTHER)
