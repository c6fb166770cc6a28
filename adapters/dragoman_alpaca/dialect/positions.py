"""Positions: one row per symbol, whatever the broker holds them in, and how they are closed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import (
    DragomanError,
    NotFoundError,
    OutcomeUnknownError,
    RejectReason,
    UnknownInstrumentError,
    WaitTimeoutError,
)
from dragoman.ids import stable_id
from dragoman.models import CommandResult, OrderStatus, Position
from dragoman.money import (
    Rounding,
    divide,
    is_multiple,
    multiply,
    round_to_step,
    subtract,
    total,
)
from dragoman.repeats import is_repeat

from .asking import decimal_of, flag_of, invalid
from .assets import STOCK, Asset
from .order_commands import already_sent, unnamed
from .order_rows import order_json
from .problems import RefusedError, json_response, not_found, refusal_of
from .texts import amount

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from dragoman.models import Order

    from .desks import Desk

__all__ = ["close_position", "close_positions", "get_position", "list_positions"]

_HUNDRED: Final = Decimal(100)
_FINEST: Final = Decimal("1E-9")
_ONE: Final = Decimal(1)
_MISSING: Final = "position does not exist"
_CANCELING_S: Final = 5.0


@attrs.frozen(kw_only=True)
class _Holding:
    """All that is held of one asset: one position or, in an account that hedges, several."""

    asset: Asset
    positions: tuple[Position, ...]

    @property
    def quantity(self) -> Decimal:
        """The net quantity, signed."""
        return total(one.quantity for one in self.positions)

    @property
    def cost(self) -> Decimal | None:
        """What it cost, signed like the quantity; None unless every part is known."""
        worth = self.asset.instrument.worth
        return _all_of(
            None
            if one.average_entry_price is None
            else worth(one.quantity, one.average_entry_price)
            for one in self.positions
        )

    @property
    def mark_price(self) -> Decimal | None:
        """The price it is valued at."""
        return self.positions[0].mark_price

    @property
    def average_price(self) -> Decimal | None:
        """The average price it was opened at; None where parts on both sides make it moot."""
        if len(self.positions) == 1:
            return self.positions[0].average_entry_price
        prices = [one.average_entry_price for one in self.positions]
        parts = [
            None if price is None else multiply(one.quantity, price)
            for one, price in zip(self.positions, prices, strict=True)
        ]
        paid = _all_of(parts)
        return None if paid is None or not self.quantity else divide(paid, self.quantity)

    @property
    def profit(self) -> Decimal | None:
        """The profit that is not realized yet."""
        return _all_of(
            None if one.unrealized_pnl is None else one.unrealized_pnl.amount
            for one in self.positions
        )

    @property
    def available(self) -> Decimal | None:
        """How much of it no order holds."""
        return _all_of(one.available_quantity for one in self.positions)

    def row(self) -> dict[str, object]:
        """Return the row of `GET /v2/positions`; null is what the broker does not say."""
        quantity, mark, cost = self.quantity, self.mark_price, self.cost
        value = None if mark is None else self.asset.instrument.worth(quantity, mark)
        profit = self.profit
        if profit is None and value is not None and cost is not None:
            profit = subtract(value, cost)
        share = None if profit is None or not cost else _rounded(divide(profit, abs(cost)))
        available = self.available
        return {
            "asset_id": self.asset.asset_id,
            "symbol": self.asset.position_symbol,
            "exchange": self.asset.exchange,
            "asset_class": self.asset.asset_class,
            "asset_marginable": self.asset.asset_class == STOCK,
            "qty": amount(quantity),
            "qty_available": amount(available),
            "side": "long" if quantity > 0 else "short",
            "avg_entry_price": amount(self.average_price),
            "market_value": amount(value),
            "cost_basis": amount(cost),
            "unrealized_pl": amount(profit),
            "unrealized_plpc": amount(share),
            "unrealized_intraday_pl": None,
            "unrealized_intraday_plpc": None,
            "current_price": amount(mark),
            "lastday_price": None,
            "change_today": None,
            "swap_rate": None,
            "avg_entry_swap_rate": None,
            "usd": None,
        }


def _rounded(share: Decimal) -> Decimal:
    return round_to_step(share, _FINEST, Rounding.NEAREST)


def _all_of(parts: Iterable[Decimal | None]) -> Decimal | None:
    known = list(parts)
    found = [one for one in known if one is not None]
    return total(found) if len(found) == len(known) else None


async def list_positions(_: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/positions`."""
    return json_response([holding.row() for holding in await _holdings(desk)])


async def get_position(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/positions/{symbol_or_asset_id}`."""
    return json_response((await _holding(request, desk)).row())


async def close_position(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`DELETE /v2/positions/{symbol_or_asset_id}`: by `qty` or `percentage`, or all of it."""
    quantity, percentage = decimal_of(request, "qty"), decimal_of(request, "percentage")
    if quantity is not None and percentage is not None:
        raise invalid("only one of qty or percentage is accepted")
    order_id = desk.host.ids.next_id()
    if is_repeat() and await _was_sent(desk, order_id):
        return await _closing_answer(desk, order_id)
    holding = await _holding(request, desk)
    if percentage is not None:
        quantity = _share_of(holding, percentage)
    if quantity is not None:
        _check_quantity(quantity, holding)
    first, *others = holding.positions
    if others:
        raise RefusedError(422, "several positions are held in this symbol; close all positions")
    try:
        await desk.broker.close(first, quantity, client_order_id=order_id)
    except NotFoundError:
        raise not_found(_MISSING) from None
    except OutcomeUnknownError as error:
        raise unnamed(error) from error
    return await _closing_answer(desk, order_id)


async def _was_sent(desk: Desk, order_id: str) -> bool:
    """Tell whether the order that closes a position is at the venue; wait a while to know.

    Raises:
        RefusedError: It can't be told yet.
    """
    order = desk.broker.state.order(order_id)
    if order is None:
        return False
    if order.status is OrderStatus.UNKNOWN:
        try:
            order = await desk.broker.wait(order, _is_decided, timeout_s=_CANCELING_S)
        except WaitTimeoutError as error:
            raise unnamed(error) from error
    return order.reject_reason is not RejectReason.NEVER_ARRIVED


def _is_decided(order: Order) -> bool:
    return order.status is not OrderStatus.UNKNOWN


async def _closing_answer(desk: Desk, order_id: str) -> web.StreamResponse:
    with already_sent(is_named=False):
        await desk.level()
    row = desk.ledger.newest(order_id)
    if row is None:
        raise RefusedError(500, f"order {order_id} was sent, and is not shown yet")
    return json_response(await order_json(desk, row))


def _share_of(holding: _Holding, percentage: Decimal) -> Decimal:
    """Return a part of a holding, rounded down: to whole units if all of it is whole."""
    if not 0 < percentage <= _HUNDRED:
        raise invalid("percentage must be above 0 and at most 100")
    held = abs(holding.quantity)
    step = holding.asset.instrument.lot_size or _FINEST
    if step < 1 and is_multiple(held, _ONE):
        step = _ONE
    return (
        held
        if percentage == _HUNDRED
        else round_to_step(divide(multiply(held, percentage), _HUNDRED), step, Rounding.DOWN)
    )


def _check_quantity(quantity: Decimal, holding: _Holding) -> None:
    held = abs(holding.quantity)
    if quantity <= 0:
        raise invalid("qty must be > 0")
    if quantity > held:
        message = (
            "insufficient qty available for order "
            f"(requested: {amount(quantity)}, available: {amount(held)})"
        )
        raise RefusedError(403, message, number=40310000, facts={"existing_qty": amount(held)})


async def close_positions(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`DELETE /v2/positions`: one row for each position, with its closing order or why not.

    `cancel_orders` first cancels every order, and waits for that a while.
    """
    broker = desk.broker
    if flag_of(request, "cancel_orders"):
        await asyncio.gather(*[_canceled(desk, one) for one in await broker.cancel_all()])
    held = await broker.fetch_positions()
    drawn = desk.host.ids.next_id()
    # The same name whenever this request is repeated, whatever has been closed by then.
    closed = await asyncio.gather(
        *[_closed(desk, one, stable_id(drawn, one.position_id)) for one in held]
    )
    with already_sent(is_named=False):
        await desk.level()
        await desk.book.know(list(dict.fromkeys(one.symbol for one in held)))
    rows = [
        await _closed_row(desk, one.symbol, result)
        for one, result in zip(held, closed, strict=True)
    ]
    return json_response(rows, status=207)


async def _closed(desk: Desk, position: Position, order_id: str) -> CommandResult:
    """Close a position, unless an earlier run of the same request has sent the order for that."""
    error: DragomanError | None = None
    try:
        if not await _was_sent(desk, order_id):
            await desk.broker.close(position, client_order_id=order_id)
    except DragomanError as found:
        error = found
    order = desk.broker.state.order(order_id)
    return CommandResult(client_order_id=order_id, order=order, error=error)


async def _canceled(desk: Desk, result: CommandResult) -> None:
    """Wait a while for an order whose cancel was taken in to end."""
    order = result.order
    if order is not None and order.is_open and result.error is None:
        with suppress(WaitTimeoutError):
            await desk.broker.wait(order, timeout_s=_CANCELING_S)


async def _closed_row(desk: Desk, symbol: str, result: CommandResult) -> dict[str, object]:
    row = desk.ledger.newest(result.client_order_id)
    asset = desk.book.known(symbol)
    named = symbol if asset is None else asset.position_symbol
    if result.error is not None or row is None:
        refusal = _why(result.error)
        return {"symbol": named, "status": refusal.status, "body": refusal.body}
    return {
        "symbol": named,
        "order_id": row.order_id,
        "status": 200,
        "body": await order_json(desk, row),
    }


def _why(error: DragomanError | None) -> RefusedError:
    if error is None:
        return RefusedError(500, "the closing order is not shown yet")
    return unnamed(error) if isinstance(error, OutcomeUnknownError) else refusal_of(error)


async def _holdings(desk: Desk) -> list[_Holding]:
    """Return all that is held and can be spelled, by symbol."""
    held: dict[str, list[Position]] = {}
    for position in await desk.broker.fetch_positions():
        held.setdefault(position.symbol, []).append(position)
    await desk.book.know(held)
    found: list[_Holding] = []
    for symbol, positions in sorted(held.items()):
        asset = desk.book.known(symbol)
        if asset is not None:
            found.append(_Holding(asset=asset, positions=tuple(positions)))
    return [holding for holding in found if holding.quantity]


async def _holding(request: web.Request, desk: Desk) -> _Holding:
    name = request.match_info["symbol_or_asset_id"]
    try:
        asset = await desk.book.find(name)
    except UnknownInstrumentError:
        raise not_found(_MISSING) from None
    for holding in await _holdings(desk):
        if holding.asset.symbol == asset.symbol:
            return holding
    raise not_found(_MISSING)
