"""Orders read: those that may still execute, those that were, and one of them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from dragoman.errors import WaitTimeoutError
from dragoman.ids import is_client_order_id
from dragoman.models.enums import OrderStatus

from .answers import WaitAnswer, answered
from .lists import OrderPage
from .paging import Page, page_of
from .problems import not_found

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.models import Order

    from .asking import Ask

__all__ = [
    "LONGEST_WAIT_S",
    "Listed",
    "find_order",
    "get_order",
    "list_orders",
    "named",
    "wait_for_order",
]

LONGEST_WAIT_S: Final = 30
_USUAL_WAIT_S: Final = 20
_AT_ONCE_S: Final = 0.001


class Listed(StrEnum):
    """Which orders a list shows."""

    ALL = "ALL"
    OPEN = "OPEN"


async def list_orders(ask: Ask) -> web.Response:
    """Answer with orders: a page of all, oldest first, or every one that may still execute."""
    status = ask.query.choice("status", Listed, Listed.ALL)
    symbol = ask.query.text("symbol")
    page = Page.of(ask.query)
    ask.query.check()
    if status is Listed.OPEN:
        orders = await ask.broker.fetch_open_orders(symbol)
        return answered(OrderPage(orders=orders))
    found = ask.broker.fetch_orders(page.reach, symbol)
    rows, following = await page_of(found, page, lambda order: order.created_at_ns)
    return answered(OrderPage(orders=rows, next_cursor=following))


async def get_order(ask: Ask) -> web.Response:
    """Answer with one order, as it is known here or, if asked to, as the venue shows it now."""
    is_asked = ask.query.flag("refresh")
    ask.query.check()
    name = named(ask)
    known = ask.broker.state.order(name)
    if known is None or is_asked:
        known = await ask.broker.fetch_order(name) or known
    if known is None:
        raise not_found(f"no order {name!r} is known here")
    return answered(known)


async def wait_for_order(ask: Ask) -> web.Response:
    """Answer once an order has ended or is in a status that was named; or as it is, in time."""
    until = ask.query.choices("until", OrderStatus)
    longest_s = ask.query.integer("timeout_s", _USUAL_WAIT_S, range(LONGEST_WAIT_S + 1))
    ask.query.check()
    order = find_order(ask)
    try:
        order = await ask.broker.wait(order, until or None, timeout_s=longest_s or _AT_ONCE_S)
    except WaitTimeoutError:
        order = find_order(ask)
    is_met = order.status in until if until else order.is_terminal
    return answered(WaitAnswer(is_met=is_met, order=order))


def find_order(ask: Ask) -> Order:
    """Return the order a path names, as it is known here.

    Raises:
        NotFoundError: There is none (NOT_SENT).
    """
    found = ask.broker.state.order(named(ask))
    if found is None:
        raise not_found(f"no order {named(ask)!r} is known here")
    return found


def named(ask: Ask) -> str:
    """Return the client order id in a path.

    Raises:
        NotFoundError: It can't be one (NOT_SENT).
    """
    name = ask.part("client_order_id")
    if not is_client_order_id(name):
        raise not_found("no order has a name like this: 1 to 128 visible ASCII characters")
    return name
