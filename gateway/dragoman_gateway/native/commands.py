"""Orders sent, changed and canceled: what a client left unnamed is named once, and sent once.

An order that its client left unnamed gets the next id of the host. A request repeated under one
idempotency key draws the same ids, and the broker answers an id it has seen from what became of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import attrs

from dragoman.errors import (
    InvalidOrderError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    RejectReason,
    UnknownReason,
    Violation,
    WaitTimeoutError,
)
from dragoman.models.change import OrderChange
from dragoman.models.enums import OrderStatus
from dragoman.models.request import OrderRequest

from .answers import OrderList, PreviewAnswer, answered, answered_plain, row_of
from .orders import named
from .problems import error_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from dragoman.broker import Broker
    from dragoman.models import CommandResult, Order
    from dragoman.models.serde import Plain

    from .asking import Ask

__all__ = [
    "cancel_order",
    "cancel_orders",
    "earlier_order",
    "placed",
    "preview_order",
    "replace_order",
    "results_answer",
    "submit_list",
    "submit_order",
]

_FATE_WAIT_S: Final = 20.0
_UNPROVED: Final = frozenset({OrderStatus.PENDING, OrderStatus.UNKNOWN})
_PROVED: Final = frozenset(OrderStatus) - _UNPROVED


async def submit_order(ask: Ask) -> web.Response:
    """Send one order; the answer is the order at the venue's first evidence of it."""
    ask.query.check()
    asked = _for_account(ask, await ask.body(OrderRequest))
    if asked.client_order_id is None:
        asked = attrs.evolve(asked, client_order_id=ask.host.ids.next_id())
    return placed(ask, await ask.broker.submit(asked))


async def submit_list(ask: Ask) -> web.Response:
    """Send orders that belong together; one row for each, in their order."""
    ask.query.check()
    asked = await ask.body(OrderList)
    requests = [_for_account(ask, request) for request in asked.requests]
    ready = [
        one if one.client_order_id else attrs.evolve(one, client_order_id=ask.host.ids.next_id())
        for one in requests
    ]
    rows = await ask.broker.submit_list(ready, asked.contingency, all_or_none=asked.all_or_none)
    return results_answer(rows, 201)


async def replace_order(ask: Ask) -> web.Response:
    """Change an open order; what is not named stays."""
    ask.query.check()
    name = named(ask)
    change = await ask.body(OrderChange)
    return answered(await ask.broker.replace(name, change))


async def cancel_order(ask: Ask) -> web.Response:
    """Cancel an order; one that had ended is answered with as it is."""
    ask.query.check()
    return answered(await ask.broker.cancel(named(ask)))


async def cancel_orders(ask: Ask) -> web.Response:
    """Cancel every open order, of one symbol or all, those placed elsewhere included."""
    symbol = ask.query.text("symbol")
    ask.query.check()
    return results_answer(await ask.broker.cancel_all(symbol))


async def preview_order(ask: Ask) -> web.Response:
    """Say what stands in the way of an order; none is sent."""
    ask.query.check()
    asked = _for_account(ask, await ask.body(OrderRequest))
    found = await ask.broker.preview(asked)
    return answered(PreviewAnswer.of(found))


async def earlier_order(broker: Broker, client_order_id: str) -> Order | None:
    """Return the order that an earlier run of a request sent under an id of its own, if any.

    None also for one that is proved never to have arrived.

    Raises:
        OrderRejectedError: The venue refused it then (REJECTED).
        OutcomeUnknownError: Its fate is still not known (UNKNOWN).
    """
    order = broker.state.order(client_order_id)
    if order is not None and order.status in _UNPROVED:
        order = await _settled(broker, order)
    if order is None or order.reject_reason is RejectReason.NEVER_ARRIVED:
        return None
    if order.status is not OrderStatus.REJECTED:
        return order
    raise OrderRejectedError(
        order.reason or f"order {client_order_id} was refused",
        reason=order.reject_reason or RejectReason.OTHER,
        client_order_id=client_order_id,
        provider=order.provider,
        code=order.venue_code,
    )


def placed(ask: Ask, order: Order, depth: int = 1) -> web.Response:
    """Return the answer that tells of a new order, and where it is found.

    `depth` is how many parts of the path come after the account.
    """
    answer = answered(order, 201)
    account = ask.request.rel_url.raw_path.rsplit("/", depth)[0]
    answer.headers["Location"] = f"{account}/orders/{quote(order.client_order_id, safe='')}"
    return answer


def results_answer(rows: Sequence[CommandResult], status: int = 200) -> web.Response:
    """Return the answer to a command on several orders.

    One whose fate is unknown makes the whole answer a 500, so that nobody takes it for done.
    """
    plain: list[Plain] = [row_of(row) for row in rows]
    for row in rows:
        if row.error is not None and row.error.outcome is Outcome.UNKNOWN:
            return error_answer(row.error, plain)
    return answered_plain({"results": plain}, status)


async def _settled(broker: Broker, order: Order) -> Order:
    name = order.client_order_id
    try:
        return await broker.wait(name, _PROVED, timeout_s=_FATE_WAIT_S)
    except WaitTimeoutError:
        message = f"order {name} was sent and its fate is not known yet; it may be live"
        raise OutcomeUnknownError(
            message, reason=UnknownReason.TIMEOUT, client_order_id=name, provider=broker.provider
        ) from None


def _for_account(ask: Ask, request: OrderRequest) -> OrderRequest:
    """Refuse an order whose body names another account than the path."""
    if request.account_id not in {None, ask.broker.account_id}:
        wrong = Violation.of("account_id", request.account_id, "the account in the path, or none")
        raise InvalidOrderError.of("OrderRequest", [wrong])
    return request
