"""Whether what a broker holds to be true is what the venue holds to be true.

Ids may differ by protocol, so open orders and positions are compared by what they are about, and
orders besides by the name they were given, where the venue shows it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from dragoman.models import OrderStatus, Support
from dragoman.times import SECOND_NS

from .orders import token

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Order

    from ..play import Play

__all__ = ["at_venue", "differences", "disagreement"]

_STEP_S: Final = 0.25
_UNSETTLED: Final = frozenset({OrderStatus.PENDING, OrderStatus.UNKNOWN})


async def at_venue(play: Play, client_order_id: str) -> tuple[Order, ...]:
    """Return the orders that the venue has under a name, however often it was taken."""
    name = token(play, client_order_id)
    return tuple([one for one in await play.venue.orders() if one.client_order_id == name])


async def differences(play: Play) -> str:
    """Return where the broker under test and the venue differ now; empty where they agree."""
    truth = Counter(map(_shape, await play.venue.open_orders()))
    told = Counter(map(_shape, play.broker.state.open_orders))
    found = [f"open here, not at the venue: {one}" for one in (told - truth)]
    found += [f"open at the venue, not here: {one}" for one in (truth - told)]
    named = {token(play, one.client_order_id): one for one in play.broker.state.orders}
    for order in await play.venue.orders():
        known = play.broker.state.order(order.client_order_id) or named.get(order.client_order_id)
        if not _is_left_behind(play, known):
            found += _of_order(order, known)
    found += [
        f"{one.client_order_id} is {one.status} here"
        for one in play.broker.state.orders
        if one.status in _UNSETTLED
    ]
    held = {one.symbol: one.quantity for one in await play.venue.positions() if one.quantity}
    sums: dict[str, Decimal] = {}
    for one in play.broker.state.positions:
        sums[one.symbol] = sums.get(one.symbol, 0 * one.quantity) + one.quantity
    if held != sums:
        found.append(f"positions {sums} here, {held} at the venue")
    return "; ".join(found)


async def disagreement(play: Play, *, within_s: float = 60.0) -> str:
    """Wait until both agree; returns where they still differ when the virtual time is up."""
    due_ns = play.clock.monotonic_ns() + round(within_s * SECOND_NS)
    while True:
        found = await differences(play)
        if not found or play.clock.monotonic_ns() >= due_ns:
            return found
        await play.pause(_STEP_S)


def _shape(order: Order) -> tuple[object, ...]:
    return (
        order.symbol,
        order.side.value,
        order.order_type.value,
        order.remaining_quantity,
        order.limit_price,
        order.stop_price,
    )


def _is_left_behind(play: Play, told: Order | None) -> bool:
    """Tell whether an order is one that the core replaced by another: it ends in its own way."""
    rule = play.capabilities.replace
    is_emulated = Support.EMULATED in (rule.support, rule.when_filled)
    return told is not None and is_emulated and len(told.venue_order_ids) > 1


def _of_order(true: Order, told: Order | None) -> list[str]:
    if told is None:
        return []  # one that ended under another name, as an emulated replace leaves them
    found: list[str] = []
    if true.is_terminal and true.status is not told.status and not told.is_open:
        found.append(f"{true.client_order_id} is {told.status} here, {true.status} at the venue")
    if true.filled_quantity > told.filled_quantity:
        found.append(
            f"{true.client_order_id} filled {told.filled_quantity} here,"
            f" {true.filled_quantity} at the venue"
        )
    return found
