"""Positions: read, closed, and how their resting exits are moved."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from dragoman.capabilities import OrderFeature
from dragoman.errors import (
    DragomanError,
    DuplicateOrderError,
    NotFoundError,
    Outcome,
    RejectReason,
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.ids import stable_id
from dragoman.models import (
    OrderRequest,
    OrderStatus,
    OrderType,
    PositionEffect,
    Side,
    Support,
    TimeInForce,
)
from dragoman.repeats import is_repeat
from dragoman_tektii.mapping.words import ORDER_TYPES

from .asking import body_of, has_body, text_of, word_of
from .bodies import CloseBody
from .order_rows import handle_row
from .problems import (
    RefusedError,
    invalid_request,
    invalid_value,
    json_response,
    position_not_found,
    refusal_of,
    rejected,
    unsupported,
)
from .rows import middle, position_row
from .texts import amount

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from aiohttp import web

    from dragoman.models import Order, Position

    from .desks import Desk

__all__ = ["close_position", "close_positions", "find_position", "get_position", "list_positions"]

_CLOSES_BY: Final = frozenset({OrderType.MARKET, OrderType.LIMIT})
_UNPROVED: Final = frozenset({OrderStatus.PENDING, OrderStatus.UNKNOWN, OrderStatus.REJECTED})
"""How an order stands of which the broker may never have heard."""


async def list_positions(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/positions`."""
    wanted = await _held(desk, text_of(request, "symbol"))
    return json_response([await _row(desk, one) for one in wanted])


async def _held(desk: Desk, text: str | None) -> list[Position]:
    """Return the open positions, or those of one symbol: none of one that is not listed."""
    symbol = await desk.symbol_meant(text)
    try:
        held = await desk.broker.fetch_positions(symbol)
    except UnknownInstrumentError:
        return []
    return [one for one in held if one.quantity and symbol in (None, one.symbol)]


async def get_position(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/positions/{position_id}`; a symbol will do where it has just one."""
    position = await find_position(desk, request.match_info["position_id"])
    return json_response(await _row(desk, position))


async def _row(desk: Desk, position: Position) -> dict[str, object]:
    """Return a position; its price is looked up where the broker does not tell it along."""
    desk.keep_position(position)
    price = None
    if position.mark_price is None:
        try:
            price = middle(await desk.broker.fetch_quote(position.symbol))
        except DragomanError:
            price = None
    return position_row(desk, position, price=price)


async def find_position(desk: Desk, position_id: str) -> Position:
    """Return a position by its id, or by a symbol that has just one.

    Raises:
        RefusedError: There is none (404), or several (400).
    """
    held = [one for one in await desk.broker.fetch_positions() if one.quantity]
    named = [one for one in held if one.position_id == position_id]
    if not named:
        symbol = await desk.symbol_meant(position_id)
        named = [one for one in held if one.symbol == symbol]
    if len(named) > 1:
        ids = ", ".join(one.position_id for one in named)
        raise invalid_request(f"several positions are held in {position_id}: {ids}", "position_id")
    if not named:
        raise position_not_found(position_id)
    return named[0]


async def close_position(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`DELETE /v1/positions/{position_id}`: the handle of the order that closes it."""
    body = await body_of(request, CloseBody) if await has_body(request) else CloseBody()
    kind = OrderType.MARKET
    if body.order_type is not None:
        kind = word_of(ORDER_TYPES, body.order_type, "order_type")
    _check(body, kind)
    name = desk.host.ids.next_id()
    known = _begun(desk, name)
    if known is not None:
        return json_response(handle_row(desk, known))
    position = await find_position(desk, request.match_info["position_id"])
    held = position.quantity.copy_abs()
    quantity = held if body.quantity is None else min(body.quantity, held)
    try:
        order = await _close(desk, position, quantity, name, body.limit_price)
    except NotFoundError:
        raise position_not_found(position.position_id) from None
    except UnsupportedError as error:
        raise unsupported("close_position", desk.platform, error.message) from None
    return json_response(handle_row(desk, order))


def _begun(desk: Desk, name: str) -> Order | None:
    """Return the order that an earlier run of the same request sent, if that is proved."""
    known = desk.broker.state.order(name)
    return None if known is None or known.status in _UNPROVED else known


async def _close(
    desk: Desk, position: Position, quantity: Decimal, name: str, limit_price: Decimal | None
) -> Order:
    """Send the order that closes a position; the one there is, where a repeat differs from it."""
    known = desk.broker.state.order(name)
    if known is not None and known.quantity is not None:
        quantity = known.quantity  # what was sent then; the position may have changed since
    spelling = desk.naming.spelled(position.symbol)
    desk.naming.note(name, is_named=False, is_traced=False, spelling=spelling)
    try:
        if limit_price is None:
            return await desk.broker.close(position, quantity, client_order_id=name)
        return await desk.broker.submit(_limit_close(desk, position, quantity, limit_price, name))
    except DuplicateOrderError:
        if known is None or not is_repeat():
            raise
        return known


def _check(body: CloseBody, kind: OrderType) -> None:
    if kind not in _CLOSES_BY:
        raise invalid_value("order_type", "a position is closed by MARKET or LIMIT", str(kind))
    if body.quantity is not None and body.quantity <= 0:
        raise invalid_value("quantity", "must be positive", amount(body.quantity))
    if kind is OrderType.LIMIT and body.limit_price is None:
        raise invalid_request("limit_price is required for LIMIT orders", "limit_price")
    if kind is OrderType.MARKET and body.limit_price is not None:
        message = "is not allowed for MARKET orders"
        raise invalid_value("limit_price", message, amount(body.limit_price))
    if body.limit_price is not None and body.limit_price <= 0:
        raise invalid_value("limit_price", "must be positive", amount(body.limit_price))


def _limit_close(
    desk: Desk, position: Position, quantity: Decimal, limit_price: Decimal, name: str
) -> OrderRequest:
    names_it = desk.broker.capabilities.feature(OrderFeature.POSITION_ID) is not Support.NONE
    return OrderRequest(
        symbol=position.symbol,
        side=Side.SELL if position.quantity > 0 else Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=quantity,
        limit_price=limit_price,
        client_order_id=name,
        time_in_force=TimeInForce.GTC,
        position_effect=PositionEffect.CLOSE,
        position_id=position.position_id if names_it else None,
    )


async def close_positions(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`DELETE /v1/positions`: a handle for each position, none of them stopped by another's error.

    Where any can't be closed the answer is an error that names those that are, and those not.
    """
    wanted = await _held(desk, text_of(request, "symbol"))
    drawn = desk.host.ids.next_id()
    # The same name whenever this request is repeated, whatever has been closed by then.
    results = await asyncio.gather(
        *[_closed(desk, one, stable_id(drawn, one.position_id)) for one in wanted]
    )
    failed = [
        (one, result)
        for one, result in zip(wanted, results, strict=True)
        if isinstance(result, DragomanError)
    ]
    if failed:
        raise _not_all(desk, results, failed)
    return json_response(_handles(desk, results))


async def _closed(desk: Desk, position: Position, name: str) -> Order | DragomanError | None:
    """Close one position; None where it was closed meanwhile."""
    known = _begun(desk, name)
    if known is not None:
        return known
    try:
        return await _close(desk, position, position.quantity.copy_abs(), name, None)
    except NotFoundError:
        return None
    except DragomanError as error:
        return error


def _handles(
    desk: Desk, results: Sequence[Order | DragomanError | None]
) -> list[dict[str, object]]:
    return [
        handle_row(desk, one)
        for one in results
        if one is not None and not isinstance(one, DragomanError)
    ]


def _not_all(
    desk: Desk,
    results: Sequence[Order | DragomanError | None],
    failed: Sequence[tuple[Position, DragomanError]],
) -> RefusedError:
    """Return the refusal that names each position that is not closed, and the orders sent.

    Never a status that clients repeat by themselves: the others would be closed twice.
    """
    for _, error in failed:
        desk.note(error)
    rows: list[dict[str, object]] = []
    for position, error in failed:
        refusal = refusal_of(error)
        rows.append({"position_id": position.position_id, **refusal.body})
    details = {"failed": rows, "closed": _handles(desk, results)}
    is_unknown = any(error.outcome is Outcome.UNKNOWN for _, error in failed)
    told = "; ".join(error.message for _, error in failed)
    if is_unknown:
        message = f"Internal error: what became of a close is not known: {told}"
        facts = {"outcome": "UNKNOWN", **details}
        return RefusedError(500, "INTERNAL_ERROR", message, details=facts)
    if all(error.outcome is Outcome.REJECTED for _, error in failed):
        return rejected(told, RejectReason.OTHER, details)
    if len(failed) == 1 and len(results) == 1:
        return refusal_of(failed[0][1])
    message = f"Internal error: not every position was closed: {told}"
    return RefusedError(500, "INTERNAL_ERROR", message, details=details)
