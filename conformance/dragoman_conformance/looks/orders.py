"""Whether an order is told as it was asked, and as it stands at the venue, field by field.

A subject may not know a field (None), give the venue's own ids, and round an average to its digits
and an instant to its unit. What it does tell is true.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.models import OrderRequest, OrderType
from dragoman.models.request_rules import price_fields
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dragoman.models import Order

    from ..play import Play

__all__ = [
    "as_asked",
    "as_it_stands",
    "at_venue",
    "compare",
    "compare_everywhere",
    "compare_terms",
    "compare_with_venue",
    "history",
    "is_rounded_from",
    "token",
]

_ALWAYS_TOLD: Final = ("symbol", "side", "order_type", "status", "filled_quantity")
_TOLD_IF_KNOWN: Final = (
    "quantity",
    "notional",
    "limit_price",
    "stop_price",
    "trailing",
    "limit_offset",
    "activation_price",
    "trigger",
    "peg",
    "time_in_force",
    "post_only",
    "extended_hours",
    "display_quantity",
    "position_effect",
    "tag",
    "is_triggered",
    "pending",
    "commission",
)
_INSTANTS: Final = ("expires_at_ns", "created_at_ns")
_ASKED: Final = (
    "symbol",
    "side",
    "order_type",
    "quantity",
    "notional",
    "limit_price",
    "stop_price",
    "trailing",
    "limit_offset",
    "activation_price",
    "trigger",
    "time_in_force",
    "expires_at_ns",
    "position_effect",
    "display_quantity",
    "tag",
)
_FLAGS: Final = ("post_only", "extended_hours")
_TRAILING: Final = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})


def as_asked(request: OrderRequest | Mapping[str, object], order: Order) -> Iterator[str]:
    """Yield every term of a request that an order differs in; what was not asked is free."""
    asked = request if isinstance(request, OrderRequest) else OrderRequest(**request)  # type: ignore[arg-type] # checked by itself
    for name in _ASKED:
        wanted, found = getattr(asked, name), getattr(order, name)
        if wanted is not None and wanted != found and not _is_same_instant(name, wanted, found):
            yield f"{name} {found}, asked {wanted}"
    for name in _FLAGS:
        wanted, found = getattr(asked, name), getattr(order, name)
        if wanted != bool(found):
            yield f"{name} {found}, asked {wanted}"
    if asked.client_order_id not in (None, order.client_order_id):
        yield f"client_order_id {order.client_order_id}, asked {asked.client_order_id}"


def as_it_stands(told: Order, there: Order, *, names: Iterable[str] | None = None) -> Iterator[str]:
    """Yield everything that an order is told otherwise than it stands at the venue.

    Args:
        told: As the subject tells it.
        there: As the venue has it.
        names: The fields that are looked at; None means all.
    """
    wanted = None if names is None else frozenset(names)
    for name, difference in _differences(told, there):
        if wanted is None or name in wanted:
            yield f"{name} {difference}"


def _differences(told: Order, there: Order) -> Iterator[tuple[str, str]]:
    needed = _needed(there)
    for name in (*_ALWAYS_TOLD, *_TOLD_IF_KNOWN):
        found, true = getattr(told, name), getattr(there, name)
        is_free = found is None and name not in needed
        if not is_free and found != true and not _is_unknown(name, true, there):
            yield name, f"{found}, at the venue {true}"
    for name in _INSTANTS:
        found, true = getattr(told, name), getattr(there, name)
        if found is not None and true is not None and not _is_same_instant(name, true, found):
            yield name, f"{found}, at the venue {true}"
    yield from _average(told, there)
    yield from _exits(told, there)
    if not told.venue_order_ids:
        yield "venue_order_ids", "none, though the venue has the order"


def _exits(told: Order, there: Order) -> Iterator[tuple[str, str]]:
    """Yield where the exits of an entry are told otherwise than they stand; None says nothing."""
    for name in ("stop_loss", "take_profit"):
        found, true = getattr(told, name), getattr(there, name)
        if found is None:
            continue
        if true is None:
            yield name, f"{found}, at the venue none"
        elif (found.price, found.limit_price) != (true.price, true.limit_price):
            yield name, f"{found}, at the venue {true}"


def _needed(there: Order) -> frozenset[str]:
    """Return the fields that whoever tells the order can't leave out."""
    needed = set(_ALWAYS_TOLD) | set(price_fields(there.order_type).needs)
    if there.order_type is OrderType.LIMIT and there.peg is None:
        needed.add("limit_price")
    if there.notional is None:
        needed.add("quantity")
    return frozenset(needed)


def _is_unknown(name: str, true: object, there: Order) -> bool:
    """Tell whether the venue's own word on a field says nothing of it."""
    if name == "stop_price" and there.order_type in _TRAILING:
        return True
    if name == "quantity" and there.notional is not None:
        return True
    return name in ("time_in_force", "trigger", "is_triggered", "commission") and true is None


def _average(told: Order, there: Order) -> Iterator[tuple[str, str]]:
    found, true = told.average_fill_price, there.average_fill_price
    if true is None or not there.filled_quantity:
        if found is not None:
            yield "average_fill_price", f"{found}, though nothing has filled"
    elif found is None or not is_rounded_from(found, true):
        yield "average_fill_price", f"{found}, at the venue {true}"


def is_rounded_from(found: Decimal, true: Decimal) -> bool:
    """Tell whether a number is another one rounded, to no fewer than six significant digits."""
    if found == true:
        return True
    off = abs(found - true)
    return off < Decimal(1).scaleb(int(found.normalize().as_tuple().exponent)) and off <= (
        abs(true) / 1_000_000
    )


def _is_same_instant(name: str, one: object, other: object) -> bool:
    return (
        name in _INSTANTS
        and isinstance(one, int)
        and isinstance(other, int)
        and abs(one - other) < SECOND_NS
    )


def token(play: Play, client_order_id: str, revision: int = 0) -> str:
    """Return what the subject calls an order on the wire."""
    return play.stage.make_adapter().wire_client_id(client_order_id, revision)


async def at_venue(play: Play, client_order_id: str, revision: int = 0) -> Order:
    """Return an order as the venue has it; where it is another one after each replace, the newest.

    Raises:
        LookupError: It has none of that id.
    """
    names = {client_order_id, *[token(play, client_order_id, one) for one in range(revision + 1)]}
    for order in reversed(await play.venue.orders()):
        if order.client_order_id in names:
            return order
    raise LookupError(f"the venue has no order {client_order_id!r}")


def compare(play: Play, requirement: str, told: Order, there: Order, what: str) -> bool:
    """Check that an order is told as it stands at the venue, in every field."""
    found = list(as_it_stands(told, there))
    return play.check(requirement, not found, f"{what}: {'; '.join(found)}")


def compare_terms(
    play: Play,
    requirement: str,
    request: OrderRequest | Mapping[str, object],
    order: Order,
    what: str,
) -> bool:
    """Check that an order has every term that was asked for."""
    found = list(as_asked(request, order))
    return play.check(requirement, not found, f"{what}: {'; '.join(found)}")


async def compare_with_venue(play: Play, requirement: str, client_order_id: str, what: str) -> bool:
    """Check an order, as the broker knows it now, against the venue's own."""
    try:
        there = await at_venue(play, client_order_id)
    except LookupError as error:
        return play.check(requirement, held=False, why=f"{what}: {error}")
    return compare(play, requirement, play.order(client_order_id), there, what)


async def history(play: Play) -> dict[str, Order]:
    """Return the orders that the subject lists, by id."""
    return {order.client_order_id: order async for order in play.broker.fetch_orders()}


async def compare_everywhere(play: Play, requirement: str, name: str, what: str) -> None:
    """Compare an order as it is known, as it is listed and in the history with the venue's own."""
    there = await at_venue(play, name)
    compare(play, requirement, play.order(name), there, f"{what}, as known")
    open_orders = {one.client_order_id: one for one in await play.broker.fetch_open_orders()}
    is_listed = play.equal(
        requirement, not there.is_terminal, name in open_orders, f"{what}: among open orders"
    )
    if is_listed and name in open_orders:
        compare(play, requirement, open_orders[name], there, f"{what}, as listed")
    found = (await history(play)).get(name)
    if play.check(requirement, found is not None, f"{what}: not in the history") and found:
        compare(play, requirement, found, there, f"{what}, in the history")
