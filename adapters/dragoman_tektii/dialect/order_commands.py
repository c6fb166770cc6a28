"""Orders sent, changed and canceled, by the broker's own commands: each sent once.

An order that its client left unnamed is named here. Under one idempotency key the same name is
drawn again, so the order that was begun before is found, not sent again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import (
    DragomanError,
    DuplicateOrderError,
    NotFoundError,
    OrderRejectedError,
    RejectReason,
    UnknownInstrumentError,
    UnsupportedError,
    WaitTimeoutError,
)
from dragoman.models import (
    Exit,
    Offset,
    OrderChange,
    OrderStatus,
    OrderType,
    PendingAction,
    Support,
    TimeInForce,
)
from dragoman.repeats import is_repeat

from .asking import body_of, text_of
from .bodies import ModifyBody, OrderBody
from .groups import keeps_groups
from .order_reads import find_order
from .order_rows import handle_row, order_row
from .order_rules import check_modify, terms_of
from .problems import (
    RefusedError,
    invalid_value,
    json_response,
    order_not_found,
    rejected,
    unmodifiable,
    unsupported,
)
from .texts import amount

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from dragoman.models import CommandResult, Order, OrderRequest

    from .desks import Desk
    from .order_rules import Terms

__all__ = ["cancel_order", "cancel_orders", "modify_order", "settled", "submit_order"]

_SETTLING_S: Final = 10.0
_DECIDED_S: Final = 2.0


async def submit_order(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`POST /v1/orders`: 201 with the order's handle.

    The same client order id with equal terms is answered with the order that there is.
    """
    terms = terms_of(await body_of(request, OrderBody))
    desk.breakers.check(has_exits=terms.has_exits)
    is_named = bool(terms.body.client_order_id)
    name = terms.body.client_order_id or desk.host.ids.next_id()
    symbol = await _symbol_of(terms, desk)
    sent = terms.request(
        symbol=symbol, client_order_id=name, time_in_force=await _time_of(terms, desk, symbol)
    )
    group = terms.body.oco_group_id if keeps_groups(desk) else None
    desk.naming.note(
        name, is_named=is_named, is_traced=True, group=group or None, spelling=terms.body.symbol
    )
    if group:
        sent = attrs.evolve(sent, group_id=None)
    if desk.broker.state.order(name) is None:
        await _set_leverage(terms, desk, symbol)
    with desk.metrics.timed_submit(desk.platform):
        order = await _sent(desk, sent)
        # A stream may be faster than the answer, which may be that the order is refused.
        order = await settled(desk, order, _is_decided, _DECIDED_S)
    if order.status is OrderStatus.REJECTED:
        raise OrderRejectedError(
            order.reason or "the broker refused it",
            reason=order.reject_reason or RejectReason.OTHER,
            client_order_id=name,
            code=order.venue_code,
        )
    return json_response(handle_row(desk, order), 201)


async def _sent(desk: Desk, request: OrderRequest) -> Order:
    """Send an order; one that a repeat began with other terms is the one there is."""
    name = request.client_order_id or ""
    try:
        return await desk.broker.submit(request)
    except DuplicateOrderError as error:
        known = desk.broker.state.order(name)
        if known is not None and is_repeat():
            return known
        details = {"order_id": name, "reject_code": "DUPLICATE_CLIENT_ORDER_ID"}
        message = f"Order cannot be modified: {error.message}"
        raise RefusedError(409, "ORDER_NOT_MODIFIABLE", message, details=details) from None
    except UnsupportedError as error:
        raise unsupported("submit_order", desk.platform, error.message) from None


async def _symbol_of(terms: Terms, desk: Desk) -> str:
    try:
        return await desk.symbol_of(terms.body.symbol, is_kept=True)
    except RefusedError as error:
        if error.word != "SYMBOL_NOT_FOUND":
            raise
        symbol = terms.body.symbol
        message = f"there is no instrument {symbol}"
        raise rejected(message, RejectReason.UNKNOWN_SYMBOL, {"symbol": symbol}) from None


async def _time_of(terms: Terms, desk: Desk, symbol: str) -> TimeInForce | None:
    """Return how long an order is to work: until canceled, unless its client says otherwise.

    Left out where the broker takes no such order of this type: then it is the broker's own default,
    and the order tells which.
    """
    if terms.time_in_force is not None:
        return terms.time_in_force
    try:
        kind = (await desk.broker.instrument(symbol)).kind
    except DragomanError:
        return TimeInForce.GTC
    support = desk.broker.capabilities.order_support(kind, terms.order_type, TimeInForce.GTC)
    return None if support is Support.NONE else TimeInForce.GTC


async def _set_leverage(terms: Terms, desk: Desk, symbol: str) -> None:
    """Set what the order asks for beside itself, before it; refused where it can't be."""
    leverage, mode = terms.body.leverage, terms.margin_mode
    if leverage is None and mode is None:
        return
    account = desk.broker.state.account
    if leverage is None:
        if account is not None and account.margin_mode is mode:
            return
        held = desk.broker.state.position(symbol)
        leverage = held.leverage if held is not None else None
        if leverage is None and account is not None:
            leverage = account.leverage
        if leverage is None:
            message = "margin_mode without leverage can't be set here"
            raise unsupported("set_margin_mode", desk.platform, message)
    try:
        await desk.broker.set_leverage(symbol, leverage, mode)
    except UnsupportedError as error:
        raise unsupported("set_leverage", desk.platform, error.message) from None


async def modify_order(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`PATCH /v1/orders/{order_id}`: the order keeps its id, so no former one is told."""
    body = await body_of(request, ModifyBody)
    check_modify(body)
    order = await find_order(desk, request.match_info["order_id"])
    if order.is_terminal:
        raise unmodifiable(order.client_order_id, f"the order has ended: {order.status}")
    change = _change(body, order)
    if change is not None:
        order = await replaced(desk, order, change)
    return json_response({"order": order_row(desk, order)})


def _change(body: ModifyBody, order: Order) -> OrderChange | None:
    """Return what changes; None where nothing does."""
    if body.quantity is not None and body.quantity < order.filled_quantity:
        message = f"must be at least what has filled: {amount(order.filled_quantity)}"
        raise invalid_value("quantity", message, amount(body.quantity))
    trailing = None
    if body.trailing_distance is not None:
        if order.trailing is None:
            message = f"is not allowed for {order.order_type} orders"
            raise invalid_value("trailing_distance", message, amount(body.trailing_distance))
        trailing = Offset(body.trailing_distance, order.trailing.unit)
    wanted = {
        "quantity": _changed(body.quantity, order.quantity),
        "limit_price": _changed(body.limit_price, order.limit_price),
        "stop_price": _changed(body.stop_price, order.stop_price),
        "trailing": _changed(trailing, order.trailing),
        "stop_loss": None if body.stop_loss is None else Exit(price=body.stop_loss),
        "take_profit": None if body.take_profit is None else Exit(price=body.take_profit),
    }
    wanted = {name: value for name, value in wanted.items() if value is not None}
    _check_takes(order, wanted)
    return OrderChange(**wanted) if wanted else None  # type: ignore[arg-type] # by name


def _changed(wanted: object, present: object) -> object:
    return None if wanted == present else wanted


def _check_takes(order: Order, wanted: dict[str, object]) -> None:
    """Refuse a price that orders of that type do not have."""
    limits = {OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED}
    stops = {OrderType.STOP, OrderType.STOP_LIMIT} | {
        OrderType.MARKET_IF_TOUCHED,
        OrderType.LIMIT_IF_TOUCHED,
    }
    for field, types in (("limit_price", limits), ("stop_price", stops)):
        value = wanted.get(field)
        if value is not None and order.order_type not in types:
            message = f"is not allowed for {order.order_type} orders"
            raise invalid_value(field, message, str(value))


async def replaced(desk: Desk, order: Order, change: OrderChange) -> Order:
    """Change an order, and return it once that is done.

    Raises:
        RefusedError: It has ended, or the broker refuses (409); a field can't change (400, 501).
    """
    name = order.client_order_id
    before = order.revision
    try:
        now = await desk.broker.replace(name, change)
    except UnsupportedError as error:
        raise unsupported("modify_order", desk.platform, error.message) from None
    except OrderRejectedError as error:
        raise unmodifiable(name, f"the broker refused, the order stands: {error.message}") from None
    except RefusedError:
        raise
    now = await settled(
        desk,
        now,
        lambda one: one.revision > before or one.pending is not PendingAction.REPLACE,
    )
    if now.revision == before and now.is_terminal:
        raise unmodifiable(name, f"the order has ended: {now.status}")
    if now.revision == before and now.pending is None:
        raise unmodifiable(name, "the broker refused the change, the order stands")
    return now


def _is_decided(order: Order) -> bool:
    return order.status is not OrderStatus.PENDING


async def settled(
    desk: Desk,
    order: Order,
    is_settled: Callable[[Order], bool],
    timeout_s: float = _SETTLING_S,
) -> Order:
    """Wait a while for what the broker has taken in to be done; returns the order then."""
    if order.is_terminal or is_settled(order):
        return order
    try:
        return await desk.broker.wait(order.client_order_id, is_settled, timeout_s=timeout_s)
    except WaitTimeoutError:
        return desk.broker.state.order(order.client_order_id) or order


async def cancel_order(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`DELETE /v1/orders/{order_id}`: 409 for one that ended otherwise than by a cancel."""
    order = await find_order(desk, request.match_info["order_id"])
    name = order.client_order_id
    try:
        order = await desk.broker.cancel(order)
    except NotFoundError:
        raise order_not_found(name) from None
    order = await settled(desk, order, lambda one: one.pending is not PendingAction.CANCEL)
    if order.is_terminal and order.status is not OrderStatus.CANCELED:
        raise unmodifiable(name, f"the order has ended: {order.status}")
    # On its way is no failure; one that the broker did not take back is.
    success = order.is_terminal or order.pending is PendingAction.CANCEL
    return json_response({"success": success, "order": order_row(desk, order)})


async def cancel_orders(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`DELETE /v1/orders`: how many were canceled, and which were not."""
    symbol = await desk.symbol_meant(text_of(request, "symbol"))
    results: tuple[CommandResult, ...] = ()
    with suppress(UnknownInstrumentError):  # in which no order can be
        results = await desk.broker.cancel_all(symbol)
    failed = [one.client_order_id for one in results if one.error is not None]
    row: dict[str, object] = {
        "cancelled_count": len(results) - len(failed),
        "failed_count": len(failed),
    }
    if failed:
        row["failed_order_ids"] = failed
    return json_response(row)
