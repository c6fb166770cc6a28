"""What beacon answers to each request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from dragoman.errors import (
    DecodeError,
    DragomanError,
    InvalidValueError,
    OutcomeUnknownError,
)
from dragoman.models import (
    Exit,
    Offset,
    OrderChange,
    OrderRequest,
    OrderStatus,
    OrderType,
    PositionEffect,
    Side,
    TimeInForce,
    Window,
)
from dragoman.times import parse_time
from dragoman.transport.codec import Amount, decode

from .refusals import RefusedError, answer
from .rows import account_row, instrument_row, position_row, price_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiohttp import web

    from .desk import Desk
    from .rows import Row

__all__ = ["COMMANDS", "READS"]

Shape = TypeVar("Shape")
Word = TypeVar("Word", OrderType, TimeInForce)

_PAGE: Final = 25
_PAGE_OF_INSTRUMENTS: Final = 4
_TYPES: Final = frozenset(
    {
        OrderType.MARKET,
        OrderType.LIMIT,
        OrderType.STOP,
        OrderType.MARKET_IF_TOUCHED,
        OrderType.TRAILING_STOP,
    }
)
_TIMES: Final = frozenset({TimeInForce.GTC, TimeInForce.GTD, TimeInForce.IOC, TimeInForce.FOK})


class _Body(msgspec.Struct, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """A part of a request: what beacon has no name for is refused."""


class _Extensions(_Body):
    id: str | None = None
    tag: str | None = None


class _OnFill(_Body):
    price: Amount
    client_extensions: _Extensions | None = None


class _OrderBody(_Body):
    type: str
    instrument: str
    units: Amount
    time_in_force: str = "GTC"
    client_extensions: _Extensions = msgspec.field(default_factory=_Extensions)
    price: Amount | None = None
    distance: Amount | None = None
    gtd_time: str | None = None
    position_fill: str = "DEFAULT"
    stop_loss_on_fill: _OnFill | None = None
    take_profit_on_fill: _OnFill | None = None


class _Submission(_Body):
    order: _OrderBody


class _ChangeBody(_Body):
    units: Amount | None = None
    price: Amount | None = None
    distance: Amount | None = None
    gtd_time: str | None = None


class _Change(_Body):
    order: _ChangeBody


async def _get_summary(_: web.Request, desk: Desk) -> web.StreamResponse:
    return answer({"account": account_row(await desk.broker.fetch_account())})


async def _get_instruments(request: web.Request, desk: Desk) -> web.StreamResponse:
    begun = _page_of(request)
    rows = [instrument_row(name, one) for name, one in sorted(desk.book.by_name.items())]
    numbered = [(index, row) for index, row in enumerate(rows, 1) if index > begun]
    return answer(_paged("instruments", numbered, _PAGE_OF_INSTRUMENTS))


async def _get_prices(request: web.Request, desk: Desk) -> web.StreamResponse:
    names = [one for one in request.query.get("instruments", "").split(",") if one]
    symbols = {desk.instrument(name).symbol: name for name in names}
    quotes = await desk.broker.fetch_quotes(tuple(symbols))
    rows = [price_row(quotes[one], name, desk.book) for one, name in symbols.items()]
    return answer({"prices": rows})


async def _get_positions(_: web.Request, desk: Desk) -> web.StreamResponse:
    held = [(desk.book.name_of(one.symbol), one) for one in await desk.broker.fetch_positions()]
    return answer({"positions": [position_row(one, name) for name, one in held if name]})


async def _get_orders(request: web.Request, desk: Desk) -> web.StreamResponse:
    await desk.level()
    window, begun = _window_of(request), _page_of(request)
    wants_all = request.query.get("state", "PENDING") == "ALL"
    numbered: list[tuple[int, Row]] = []
    for order in desk.orders():
        first = int(desk.ledger.numbers[order.client_order_id].ids[0])
        made_ns = order.created_at_ns or order.received_at_ns
        if first > begun and (wants_all or order.is_open) and window.covers(made_ns):
            numbered.append((first, desk.row(order.client_order_id)))
    return answer(_paged("orders", numbered, _PAGE))


async def _get_order(request: web.Request, desk: Desk) -> web.StreamResponse:
    await desk.level()
    order = desk.order(request.match_info["specifier"])
    return answer({"order": desk.row(order.client_order_id)})


async def _get_transactions(request: web.Request, desk: Desk) -> web.StreamResponse:
    await desk.level()
    window, begun = _window_of(request), _page_of(request)
    kind, ledger = request.query.get("type"), desk.ledger
    numbered = [
        (number, row)
        for number, (row, at_ns) in enumerate(zip(ledger.rows, ledger.times_ns, strict=True), 1)
        if number > begun and kind in (None, row["type"]) and window.covers(at_ns)
    ]
    return answer(_paged("transactions", numbered, _PAGE))


async def _submit(request: web.Request, desk: Desk) -> web.StreamResponse:
    body = (await _body_of(request, _Submission)).order
    await desk.level()
    client_id = body.client_extensions.id or desk.host.ids.next_id()
    if client_id in desk.naming or desk.broker.state.order(client_id) is not None:
        message = f"an order {client_id!r} exists already"
        raise RefusedError(409, "CLIENT_ORDER_ID_ALREADY_EXISTS", message)
    asked = _request_of(body, desk, client_id)
    desk.naming.add(client_id)
    try:
        await desk.broker.submit(asked)
    finally:
        desk.naming.discard(client_id)
    return await _shown(desk, client_id, status=201)


async def _replace(request: web.Request, desk: Desk) -> web.StreamResponse:
    body = (await _body_of(request, _Change)).order
    await desk.level()
    order = desk.order(request.match_info["specifier"])
    if order.is_terminal:
        raise RefusedError(409, "ORDER_NOT_PENDING", f"the order is {order.status}")
    is_limit = order.order_type is OrderType.LIMIT
    change = OrderChange(
        quantity=body.units,
        limit_price=body.price if is_limit else None,
        stop_price=None if is_limit else body.price,
        trailing=None if body.distance is None else Offset(body.distance),
        expires_at_ns=_time_of(body.gtd_time),
    )
    await desk.broker.replace(order.client_order_id, change)
    return await _shown(desk, order.client_order_id)


async def _cancel(request: web.Request, desk: Desk) -> web.StreamResponse:
    await desk.level()
    order = desk.order(request.match_info["specifier"])
    if order.is_open:
        order = await desk.broker.cancel(order.client_order_id)
        if order.is_open or order.status is OrderStatus.CANCELED:
            return await _shown(desk, order.client_order_id)
    raise RefusedError(409, "ORDER_NOT_PENDING", f"the order is {order.status}")


async def _shown(desk: Desk, client_order_id: str, status: int = 200) -> web.StreamResponse:
    """Answer a command that was taken; that it can't be shown is no leave to send it again."""
    try:
        await desk.ledger.level()
        return answer({"order": desk.row(client_order_id)}, status)
    except DragomanError as error:
        message = f"it was sent, and can't be shown: {error.message}"
        raise OutcomeUnknownError(message) from error


def _request_of(body: _OrderBody, desk: Desk, client_id: str) -> OrderRequest:
    """Return the order that a body asks for, in the core's words."""
    kind, time = _word(_TYPES, body.type), _word(_TIMES, body.time_in_force)
    is_limit, is_trailing = kind is OrderType.LIMIT, kind is OrderType.TRAILING_STOP
    if (body.price is None) is not (kind is OrderType.MARKET or is_trailing):
        raise RefusedError(400, "PRICE_INVALID", f"a price does not go with {kind}")
    return OrderRequest(
        symbol=desk.instrument(body.instrument).symbol,
        side=Side.SELL if body.units < 0 else Side.BUY,
        order_type=kind,
        quantity=abs(body.units),
        client_order_id=client_id,
        limit_price=body.price if is_limit else None,
        stop_price=None if is_limit else body.price,
        trailing=None if body.distance is None else Offset(body.distance),
        time_in_force=time,
        expires_at_ns=_time_of(body.gtd_time),
        position_effect=PositionEffect.CLOSE if body.position_fill == "REDUCE_ONLY" else None,
        stop_loss=_exit_of(body.stop_loss_on_fill),
        take_profit=_exit_of(body.take_profit_on_fill),
        tag=body.client_extensions.tag,
    )


def _exit_of(leg: _OnFill | None) -> Exit | None:
    if leg is None:
        return None
    named = leg.client_extensions.id if leg.client_extensions is not None else None
    return Exit(price=leg.price, client_order_id=named)


def _word(words: Iterable[Word], text: str) -> Word:
    found = next((word for word in words if word == text), None)
    if found is None:
        raise RefusedError(400, "ORDER_NOT_SUPPORTED", f"{text[:40]!r} is not offered")
    return found


def _time_of(text: str | None) -> int | None:
    try:
        return parse_time(text) if text else None
    except InvalidValueError as error:
        raise RefusedError(400, "INVALID_REQUEST", error.message) from None


async def _body_of(request: web.Request, shape: type[Shape]) -> Shape:
    try:
        return decode(await request.read(), shape)
    except DecodeError as error:
        raise RefusedError(400, "INVALID_REQUEST", error.message) from None


def _window_of(request: web.Request) -> Window:
    return Window(
        start_ns=_time_of(request.query.get("from")), end_ns=_time_of(request.query.get("to"))
    )


def _page_of(request: web.Request) -> int:
    """Return the number that a page begins behind; the first begins behind 0."""
    text = request.query.get("page", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise RefusedError(400, "INVALID_REQUEST", "there is no such page")
    return int(text)


def _paged(name: str, numbered: Sequence[tuple[int, Row]], most: int) -> Row:
    page = numbered[:most]
    next_page = str(page[-1][0]) if len(numbered) > most else None
    return {name: [row for _, row in page], "nextPage": next_page}


READS: Final = {
    "summary": _get_summary,
    "instruments": _get_instruments,
    "pricing": _get_prices,
    "positions": _get_positions,
    "orders": _get_orders,
    "orders/{specifier}": _get_order,
    "transactions": _get_transactions,
}
"""What answers a GET, by the path under the account."""

COMMANDS: Final = (
    ("POST", "orders", _submit),
    ("PUT", "orders/{specifier}", _replace),
    ("PUT", "orders/{specifier}/cancel", _cancel),
)
"""What answers a command, by method and path under the account."""
