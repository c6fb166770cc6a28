"""Orders sent, changed and canceled: what a client asks for, as the broker takes it.

A word that has no meaning here is refused, never left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from dragoman.errors import DragomanError, InvalidValueError
from dragoman.models import (
    Contingency,
    Exit,
    Offset,
    OffsetUnit,
    OrderChange,
    OrderRequest,
    OrderStatus,
    OrderType,
    PositionEffect,
    Side,
    TimeInForce,
)
from dragoman.times import parse_time
from dragoman.transport.codec import Amount, JsonDecoder

from ..capabilities import is_client_id
from .desk import body_of
from .problems import RefusedError, json_response, refusal_of
from .rows import order_row

if TYPE_CHECKING:
    from enum import StrEnum

    from aiohttp import web

    from dragoman import CommandResult
    from dragoman.models import Order

    from .desk import Desk

__all__ = ["cancel", "cancel_of_client", "replace", "submit", "submit_list"]

Word = TypeVar("Word", bound="StrEnum")


class TrailAsk(msgspec.Struct, forbid_unknown_fields=True):
    """How far a trailing stop shall stay behind."""

    value: Amount
    unit: str


class ExitAsk(msgspec.Struct, forbid_unknown_fields=True):
    """A protective leg that is asked for."""

    client_id: str | None = None
    stop_price: Amount | None = None
    limit_price: Amount | None = None


class OrderAsk(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /v1/orders`."""

    account: str
    symbol: str
    side: str
    type: str
    quantity: Amount
    time_in_force: str
    client_id: str | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trail: TrailAsk | None = None
    expires_at: str | None = None
    post_only: bool = False
    reduce_only: bool = False
    display_quantity: Amount | None = None
    tag: str | None = None
    stop_loss: ExitAsk | None = None
    take_profit: ExitAsk | None = None


class ListAsk(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `POST /v1/order-lists`."""

    contingency: str
    orders: list[OrderAsk]


class ChangeAsk(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `PATCH /v1/orders/{id}`: only what is to change."""

    quantity: Amount | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trail: TrailAsk | None = None
    expires_at: str | None = None


_READ_ORDER: Final = JsonDecoder(OrderAsk)
_READ_LIST: Final = JsonDecoder(ListAsk)
_READ_CHANGE: Final = JsonDecoder(ChangeAsk)


async def submit(request: web.Request, desk: Desk) -> web.Response:
    """`POST /v1/orders`: 201 and the order, as soon as the venue shows it."""
    asked = _request_of(await body_of(request, _READ_ORDER), desk)
    await desk.symbol(asked.symbol)
    _check_free(desk, asked)
    order = await desk.broker.submit(asked)
    return json_response(order_row(order, desk.id_of), 201)


async def submit_list(request: web.Request, desk: Desk) -> web.Response:
    """`POST /v1/order-lists`: one row for each order; all of them are taken, or none."""
    body = await body_of(request, _READ_LIST)
    if body.contingency != Contingency.OCO.lower():
        raise RefusedError(422, "unsupported", "lists are of orders that cancel each other")
    asked = [_request_of(one, desk) for one in body.orders]
    for one in asked:
        await desk.symbol(one.symbol)
        _check_free(desk, one)
    results = await desk.broker.submit_list(asked, Contingency.OCO)
    return json_response({"rows": [_result_row(one, desk) for one in results]})


async def replace(request: web.Request, desk: Desk) -> web.Response:
    """`PATCH /v1/orders/{id}`: the order in its place, with the terms that it has now."""
    body = await body_of(request, _READ_CHANGE)
    desk.check_account(request.query.get("account"))
    order = await desk.order_named(request.match_info["venue_id"])
    _check_open(order)
    change = _change_of(body)
    order = await desk.broker.replace(order.client_order_id, change)
    return json_response(order_row(order, desk.id_of))


async def cancel(request: web.Request, desk: Desk) -> web.Response:
    """`DELETE /v1/orders/{id}`."""
    desk.check_account(request.query.get("account"))
    return await _cancel(await desk.order_named(request.match_info["venue_id"]), desk)


async def cancel_of_client(request: web.Request, desk: Desk) -> web.Response:
    """`DELETE /v1/orders?client_id=...`."""
    desk.check_account(request.query.get("account"))
    return await _cancel(await desk.order_of_client(request), desk)


async def _cancel(order: Order, desk: Desk) -> web.Response:
    _check_open(order)
    order = await desk.broker.cancel(order.client_order_id)
    if order.is_terminal and order.status is not OrderStatus.CANCELED:
        _check_open(order)
    return json_response(order_row(order, desk.id_of))


def _check_open(order: Order) -> None:
    if order.is_terminal:
        raise RefusedError(409, "order_ended", f"the order has ended: {order.status.lower()}")


def _check_free(desk: Desk, asked: OrderRequest) -> None:
    """Refuse a client's id that an order has, whatever that order is like."""
    name = asked.client_order_id or ""
    if desk.broker.state.order(name) is not None:
        message = f"client id {name} belongs to order {desk.id_of(name)}"
        raise RefusedError(409, "duplicate_client_id", message)


def _result_row(result: CommandResult, desk: Desk) -> dict[str, object]:
    row: dict[str, object] = {"client_id": result.client_order_id}
    if result.error is not None:
        refusal = refusal_of(result.error)
        if refusal.status >= 500:
            raise refusal
        return {**row, "error": refusal.body}
    return {**row, "order": result.order and order_row(result.order, desk.id_of)}


def _request_of(asked: OrderAsk, desk: Desk) -> OrderRequest:
    desk.check_account(asked.account)
    name = asked.client_id or desk.host.ids.next_id()
    try:
        return OrderRequest(
            client_order_id=_name(name),
            account_id=asked.account,
            symbol=asked.symbol,
            side=_word(Side, asked.side),
            order_type=_word(OrderType, asked.type),
            quantity=asked.quantity,
            limit_price=asked.limit_price,
            stop_price=asked.stop_price,
            trailing=_offset(asked.trail),
            time_in_force=_word(TimeInForce, asked.time_in_force),
            expires_at_ns=_instant(asked.expires_at),
            post_only=asked.post_only,
            display_quantity=asked.display_quantity,
            position_effect=PositionEffect.CLOSE if asked.reduce_only else None,
            tag=asked.tag,
            stop_loss=_stop_loss(asked.stop_loss),
            take_profit=_take_profit(asked.take_profit),
        )
    except InvalidValueError as error:
        raise refusal_of(error) from None


def _change_of(asked: ChangeAsk) -> OrderChange:
    try:
        return OrderChange(
            quantity=asked.quantity,
            limit_price=asked.limit_price,
            stop_price=asked.stop_price,
            trailing=_offset(asked.trail),
            expires_at_ns=_instant(asked.expires_at),
        )
    except DragomanError as error:
        raise refusal_of(error) from None


def _stop_loss(asked: ExitAsk | None) -> Exit | None:
    if asked is None:
        return None
    return Exit(
        price=asked.stop_price,
        limit_price=asked.limit_price,
        client_order_id=asked.client_id and _name(asked.client_id),
    )


def _take_profit(asked: ExitAsk | None) -> Exit | None:
    if asked is None:
        return None
    if asked.stop_price is not None:
        raise RefusedError(422, "unsupported", "a take profit has a limit price alone")
    return Exit(price=asked.limit_price, client_order_id=asked.client_id and _name(asked.client_id))


def _name(client_id: str) -> str:
    if is_client_id(client_id):
        return client_id
    raise RefusedError(400, "invalid_client_id", "a client id is 1 to 36 of A-Z a-z 0-9 _ -")


def _word(kind: type[Word], text: str) -> Word:
    found = next((one for one in kind if one.lower() == text), None)
    if found is None:
        raise RefusedError(400, "invalid_request", f"{text[:40]!r} is none of {kind.__name__}")
    return found


def _offset(asked: TrailAsk | None) -> Offset | None:
    return None if asked is None else Offset(asked.value, _word(OffsetUnit, asked.unit))


def _instant(text: str | None) -> int | None:
    return None if text is None else parse_time(text, "expires_at")
