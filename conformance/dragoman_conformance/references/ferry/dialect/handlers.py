"""What ferry answers to each request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from dragoman.errors import DragomanError, InvalidValueError, OutcomeUnknownError
from dragoman.models import (
    OrderRequest,
    OrderStatus,
    OrderType,
    PositionEffect,
    Side,
    Timeframe,
    TimeInForce,
    Window,
)
from dragoman.money import parse_decimal
from dragoman.times import MILLISECOND_NS

from .refusals import RefusedError
from .rows import (
    bar_row,
    fill_row,
    group_of,
    instrument_row,
    order_row,
    position_row,
    quote_row,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from aiohttp import web

    from dragoman.models import Instrument, Order

    from .desk import Desk
    from .rows import Row

__all__ = ["COMMANDS", "READS"]

Meaning = TypeVar("Meaning")

_PAGE: Final = 25
_PAGE_OF_INSTRUMENTS: Final = 4
_MOST_DIGITS: Final = 15
_STEPS: Final = {"60": "1m", "300": "5m", "3600": "1h"}
_SIDES: Final = {"B": Side.BUY, "S": Side.SELL}
_KINDS: Final = {"MKT": OrderType.MARKET, "LMT": OrderType.LIMIT, "STP": OrderType.STOP}
_TIMES: Final = {"DAY": TimeInForce.DAY, "GTC": TimeInForce.GTC}


async def _get_instruments(request: web.Request, desk: Desk) -> object:
    listed = [one for one in await desk.broker.load_instruments() if group_of(one)]
    return _paged(request, [instrument_row(one) for one in listed], _PAGE_OF_INSTRUMENTS)


async def _get_quotes(request: web.Request, desk: Desk) -> object:
    symbols = [one for one in request.query.get("syms", "").split(",") if one]
    for symbol in symbols:
        await _listed(desk, symbol)
    quotes = await desk.broker.fetch_quotes(symbols)
    return [quote_row(quotes[symbol]) for symbol in symbols]


async def _get_bars(request: web.Request, desk: Desk) -> object:
    symbol = (await _listed(desk, request.query.get("sym", ""))).symbol
    frame = Timeframe.parse(_word(_STEPS, request.query.get("step", "")))
    bars = desk.broker.fetch_bars(symbol, frame, _window_of(request))
    return _paged(request, [bar_row(bar) async for bar in bars], _PAGE)


async def _get_positions(_: web.Request, desk: Desk) -> object:
    return [position_row(one) for one in await desk.broker.fetch_positions()]


async def _get_fills(request: web.Request, desk: Desk) -> object:
    fills = desk.broker.fetch_fills(_window_of(request))
    rows = [fill_row(one, desk.id_of(one.client_order_id)) async for one in fills]
    return _paged(request, rows, _PAGE)


async def _get_open_orders(_: web.Request, desk: Desk) -> object:
    return [_row(desk, order) for order in await desk.broker.fetch_open_orders()]


async def _get_orders(request: web.Request, desk: Desk) -> object:
    orders = desk.broker.fetch_orders(_window_of(request))
    return _paged(request, [_row(desk, order) async for order in orders], _PAGE)


async def _get_order(request: web.Request, desk: Desk) -> object:
    return _row(desk, await _order(request.query, desk))


async def _submit(form: Mapping[str, str], desk: Desk) -> object:
    client_id = form.get("client", "")
    if not (client_id.isascii() and client_id.isalnum() and client_id == client_id.lower()):
        raise RefusedError(1422, "client must be of the letters a to z and digits")
    if len(client_id) > 20:
        raise RefusedError(1422, "client must have at most 20 characters")
    if client_id in desk.naming or await desk.broker.fetch_order(client_id) is not None:
        message = f"client {client_id} names an order already"
        raise RefusedError(1409, message, order=desk.id_of(client_id))
    asked = await _request_of(form, desk, client_id)
    desk.naming.add(client_id)
    try:
        await desk.broker.submit(asked)
    finally:
        desk.naming.discard(client_id)
    return await _shown(desk, client_id)


async def _cancel(form: Mapping[str, str], desk: Desk) -> object:
    order = await _order(form, desk)
    if order.is_open:
        order = await desk.broker.cancel(order.client_order_id)
        if order.is_open or order.status is OrderStatus.CANCELED:
            return await _shown(desk, order.client_order_id)
    raise RefusedError(1406, f"the order is {order.status}")


async def _shown(desk: Desk, client_order_id: str) -> object:
    """Answer a command that was taken; that it can't be shown is no leave to send it again."""
    try:
        order = await desk.broker.fetch_order(client_order_id)
    except DragomanError as error:
        message = f"it was sent, and can't be shown: {error.message}"
        raise OutcomeUnknownError(message) from error
    if order is None:
        raise OutcomeUnknownError("it was sent, and is not shown yet")
    return _row(desk, order)


async def _order(asked: Mapping[str, str], desk: Desk) -> Order:
    """Return the order that is asked for, by the client's id or by ferry's."""
    client_id = asked.get("client") or desk.client_id_of(asked.get("id", ""))
    found = None if client_id is None else await desk.broker.fetch_order(client_id)
    if found is None:
        raise RefusedError(1404, "there is no such order")
    return found


async def _request_of(form: Mapping[str, str], desk: Desk, client_id: str) -> OrderRequest:
    """Return the order that a form asks for, in the core's words."""
    known = {"account", "client", "sym", "side", "kind", "qty", "tif", "price", "stop", "closing"}
    unknown = sorted(form.keys() - known)
    if unknown:
        raise RefusedError(1422, f"there is no field {unknown[0][:40]!r}")
    quantity = _amount(form, "qty")
    if quantity is None:
        raise RefusedError(1412, "qty is missing")
    return OrderRequest(
        symbol=(await _listed(desk, form.get("sym", ""))).symbol,
        side=_word(_SIDES, form.get("side", "")),
        order_type=_word(_KINDS, form.get("kind", "")),
        quantity=quantity,
        client_order_id=client_id,
        limit_price=_amount(form, "price"),
        stop_price=_amount(form, "stop"),
        time_in_force=_word(_TIMES, form.get("tif", "DAY")),
        position_effect=PositionEffect.CLOSE if form.get("closing") == "1" else None,
    )


async def _listed(desk: Desk, symbol: str) -> Instrument:
    """Return an instrument by the very symbol that ferry lists it under."""
    if not symbol:
        raise RefusedError(1410, "no symbol was named")
    found = await desk.broker.instrument(symbol)
    if found.symbol != symbol or group_of(found) is None:
        raise RefusedError(1410, f"ferry lists no {symbol[:40]!r}")
    return found


def _row(desk: Desk, order: Order) -> Row:
    return order_row(order, desk.id_of(order.client_order_id))


def _amount(form: Mapping[str, str], name: str) -> Decimal | None:
    text = form.get(name)
    try:
        return None if text is None else parse_decimal(text, name)
    except InvalidValueError as error:
        raise RefusedError(1412 if name == "qty" else 1413, error.message) from None


def _word(words: Mapping[str, Meaning], text: str) -> Meaning:
    if text not in words:
        raise RefusedError(1421, f"{text[:40]!r} is not offered")
    return words[text]


def _whole(asked: Mapping[str, str], name: str) -> int | None:
    text = asked.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise RefusedError(1422, f"{name} is no whole number")
    return int(text)


def _window_of(request: web.Request) -> Window:
    """Return the window asked for: whole milliseconds, the first included, the last not."""
    start, end = _whole(request.query, "from"), _whole(request.query, "to")
    return Window(
        start_ns=None if start is None else start * MILLISECOND_NS,
        end_ns=None if end is None else end * MILLISECOND_NS,
    )


def _paged(request: web.Request, rows: Sequence[Row], most: int) -> Row:
    page, pages = _whole(request.query, "page") or 1, max(1, -(-len(rows) // most))
    return {"rows": rows[(page - 1) * most : page * most], "page": page, "pages": pages}


READS: Final = {
    "/instruments": _get_instruments,
    "/quotes": _get_quotes,
    "/bars": _get_bars,
    "/positions": _get_positions,
    "/fills": _get_fills,
    "/orders/open": _get_open_orders,
    "/orders": _get_orders,
    "/order": _get_order,
}
"""What answers a GET."""

COMMANDS: Final = {"/orders": _submit, "/orders/cancel": _cancel}
"""What answers a POST, which carries a form."""
