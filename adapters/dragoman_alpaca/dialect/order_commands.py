"""Orders sent, replaced and canceled, by the broker's own commands.

Each command is sent once. What its fate is unknown for is told as such, in a status that the
client does not take for leave to try again: an order that it named itself is a 504, and can be
looked up by that name; one without a name is a 500, since official clients repeat a 504.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import attrs
from aiohttp import web

from dragoman.errors import (
    DragomanError,
    NotFoundError,
    Outcome,
    OutcomeUnknownError,
    UnknownInstrumentError,
    UnknownReason,
    WaitTimeoutError,
)
from dragoman.models import Contingency, OrderStatus, PendingAction
from dragoman.money import ZERO, add
from dragoman_alpaca.mapping.asked import change_of, request_of, requests_of_oco
from dragoman_alpaca.wire.requests import OrderBody, ReplaceBody

from .asking import body_of, invalid
from .identity import child_id
from .order_reads import find_row
from .order_rows import order_json
from .order_rules import check_body, check_token
from .problems import RefusedError, json_response, refusal_of
from .rows import status_of
from .texts import amount

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from dragoman import CommandResult
    from dragoman.models import Order, OrderChange

    from .desks import Desk
    from .rows import Row

__all__ = [
    "already_sent",
    "cancel_order",
    "cancel_orders",
    "canceled_rows",
    "replace_order",
    "submit_order",
    "unnamed",
]

_NOT_SENT_YET: Final = frozenset({"pending_new", "pending_cancel", "pending_replace", "accepted"})
_REPLACING_S: Final = 10.0


async def submit_order(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`POST /v2/orders`."""
    body = await body_of(request, OrderBody)
    check_body(body)
    try:
        asset = await desk.book.find(body.symbol or "")
    except UnknownInstrumentError:
        raise RefusedError(422, f'asset "{body.symbol}" not found', number=42210000) from None
    is_named = bool(body.client_order_id)
    token = body.client_order_id or desk.host.ids.next_id()
    await desk.level()  # reading the body took time
    with desk.naming(token, _names_of_legs(body, token)):
        try:
            if body.order_class == "oco":
                await _submit_oco(desk, body, asset.symbol, token)
            else:
                await desk.broker.submit(
                    request_of(body, symbol=asset.symbol, client_order_id=token)
                )
        except OutcomeUnknownError as error:
            raise refusal_of(error) if is_named else unnamed(error) from error
        with already_sent(is_named=is_named):
            await desk.level()
    row = desk.ledger.newest(token)
    if row is None:
        raise RefusedError(500, f"order {token} was sent, and is not shown yet")
    with already_sent(is_named=is_named):
        return json_response(await order_json(desk, row))


def _names_of_legs(body: OrderBody, token: str) -> list[str]:
    """Return the client order ids of the orders that come with one."""
    if body.order_class == "oco":
        return [child_id(token)]
    exits = {"tp": body.take_profit, "sl": body.stop_loss}
    return [f"{token}-{role}" for role, leg in exits.items() if leg is not None]


@contextmanager
def already_sent(*, is_named: bool) -> Generator[None]:
    """Let no failure to show what was sent pass for a failure to send it.

    Args:
        is_named: Whether the client can look it up by a name of its own.

    Raises:
        RefusedError: It can't be shown: a fate that the client does not know.
    """
    try:
        yield
    except RefusedError:
        raise
    except DragomanError as error:
        message = f"it was sent, and can't be shown: {error.message}"
        lost = OutcomeUnknownError(message, reason=UnknownReason.OTHER)
        raise refusal_of(lost) if is_named else unnamed(lost) from error


def unnamed(error: DragomanError) -> RefusedError:
    """Return the refusal for an order of unknown fate that its client has no name for."""
    message = f"the order may have been placed, look before sending it again: {error.message}"
    return RefusedError(500, message, number=50010000)


async def _submit_oco(desk: Desk, body: OrderBody, symbol: str, token: str) -> None:
    """Send both orders of an OCO; should one be refused, the answer tells why."""
    child = child_id(token)
    pair = requests_of_oco(body, symbol=symbol, client_order_id=token, child_id=child)
    desk.reserve_pair(token, child)
    results = await desk.broker.submit_list(pair, Contingency.OCO)
    failed = [result.error for result in results if result.error is not None]
    if failed:
        # The gravest first: one whose fate is unknown may be at work.
        failed.sort(key=lambda error: error.outcome is not Outcome.UNKNOWN)
        raise failed[0]


async def replace_order(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`PATCH /v2/orders/{order_id}`: answers with the new order, which has a new id.

    `qty` counts what the order with the old id has filled.
    """
    body = await body_of(request, ReplaceBody)
    row = await find_row(desk, request.match_info["order_id"])
    _check_replaceable(row)
    change = _change(body, row)
    if body.client_order_id:
        check_token(body.client_order_id)
    with desk.renaming(row.intent, row.order.revision + 1, body.client_order_id):
        order = await desk.broker.replace(row.intent, change)
        with already_sent(is_named=True):
            await _settled(desk, order, row)
            await desk.level()
    new = desk.ledger.newest(row.intent)
    if new is None or new.order_id == row.order_id:
        new = _announced(desk, row, change)
    return json_response(await order_json(desk, new))


def _check_replaceable(row: Row) -> None:
    status = status_of(row)
    if row.order.notional is not None:
        raise RefusedError(422, "unable to replace order, notional orders can't be replaced")
    if row.is_expected or status in _NOT_SENT_YET:
        message = "unable to replace order, order isn't sent to exchange yet"
        raise RefusedError(422, message, number=42210000)
    if not row.is_open:
        raise RefusedError(422, f'order is already in "{status}" state', number=42210000)


def _change(body: ReplaceBody, row: Row) -> OrderChange:
    if body.qty is not None and body.qty <= 0:
        raise invalid("qty must be > 0")
    if body.qty is not None and body.qty <= row.filled:
        raise invalid(f"qty must be above what has filled of the order: {amount(row.filled)}")
    total = None if body.qty is None else add(body.qty, row.filled_before)
    change = change_of(body, row.order, quantity=total)
    if change is None:
        raise RefusedError(403, "order parameters are not changed", number=40310000)
    return change


async def _settled(desk: Desk, order: Order, row: Row) -> None:
    """Wait until a replace that the venue has taken in is done or refused, for a while."""
    before = row.order.revision

    def is_settled(now: Order) -> bool:
        return now.revision > before or now.pending is not PendingAction.REPLACE

    if is_settled(order):
        return
    try:
        order = await desk.broker.wait(row.intent, is_settled, timeout_s=_REPLACING_S)
    except WaitTimeoutError:
        return
    if order.revision == before:
        raise RefusedError(422, "unable to replace order, the replace was refused", number=42210000)


def _announced(desk: Desk, row: Row, change: OrderChange) -> Row:
    """Return the order that a replace under way makes, as it will be shown."""
    revision = row.order.revision + 1
    wanted = {name: getattr(change, name) for name in change.fields}
    now_ns = desk.host.clock.now_ns()
    order = attrs.evolve(
        row.order, revision=revision, status=OrderStatus.PENDING, pending=None, **wanted
    )
    return attrs.evolve(
        row,
        order_id=desk.ids.order(row.intent, revision),
        client_order_id=desk.token_of(row.intent, revision),
        order=order,
        created_at_ns=now_ns,
        updated_at_ns=now_ns,
        filled_before=add(row.filled_before, row.filled),
        filled=ZERO,
        told=ZERO,
        replaces=row.order_id,
    )


async def cancel_order(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`DELETE /v2/orders/{order_id}`: 204 says that it was taken in, not that it is canceled."""
    row = await find_row(desk, request.match_info["order_id"])
    if not row.is_open:
        raise _not_cancelable(row)
    try:
        order = await desk.broker.cancel(row.intent)
    except NotFoundError as error:
        if error.outcome is Outcome.NOT_SENT and row.is_expected:
            raise _not_cancelable(row) from None
        raise
    if order.is_terminal and order.status is not OrderStatus.CANCELED:
        await desk.level()
        raise _not_cancelable(desk.ledger.newest(row.intent) or row)
    return web.Response(status=204)


def _not_cancelable(row: Row) -> RefusedError:
    facts = {"order_status": status_of(row)}
    return RefusedError(422, "order is not cancelable", number=42210000, facts=facts)


async def cancel_orders(_: web.Request, desk: Desk) -> web.StreamResponse:
    """`DELETE /v2/orders`: one row for each order, with what became of its cancel."""
    results = await desk.broker.cancel_all()
    with already_sent(is_named=False):
        await desk.level()
    return json_response(canceled_rows(desk, results), status=207)


def canceled_rows(desk: Desk, results: Sequence[CommandResult]) -> list[dict[str, object]]:
    """Return what became of each cancel, by the ids that the orders are shown under."""
    rows: list[dict[str, object]] = []
    for result in results:
        row = desk.ledger.newest(result.client_order_id)
        order_id = desk.ids.order(result.client_order_id, 0) if row is None else row.order_id
        if result.error is None:
            rows.append({"id": order_id, "status": 200})
            continue
        refusal = refusal_of(result.error)
        rows.append({"id": order_id, "status": refusal.status, "body": refusal.body})
    return rows
