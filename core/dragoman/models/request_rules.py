"""The rules of a sound order that hold at every venue, as data and pure functions."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import Violation

from .checks import text_violation
from .enums import (
    OrderType,
    PositionEffect,
    PriceSource,
    Side,
    TimeInForce,
)
from .exits import exit_field_violations, target_violations
from .field_rules import (
    enum_violations,
    flag_violations,
    id_violations,
    instant_violations,
    offset_violations,
    price_violations,
    size_violations,
    text_violations,
)
from .options import option_violations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal
    from enum import StrEnum

    from .exits import Exit
    from .request import OrderRequest

__all__ = ["PriceFields", "price_fields", "request_violations"]


@attrs.frozen
class PriceFields:
    """Which of the governed fields an order type needs and which it may have besides."""

    needs: frozenset[str]
    may_have: frozenset[str]


def _fields(needs: str = "", may_have: str = "") -> PriceFields:
    return PriceFields(frozenset(needs.split()), frozenset(may_have.split()))


_TYPES: Final = {
    OrderType.MARKET: _fields(),
    OrderType.LIMIT: _fields("", "limit_price peg post_only display_quantity"),
    OrderType.STOP: _fields("stop_price", "trigger"),
    OrderType.MARKET_IF_TOUCHED: _fields("stop_price", "trigger"),
    OrderType.STOP_LIMIT: _fields("stop_price limit_price", "trigger display_quantity"),
    OrderType.LIMIT_IF_TOUCHED: _fields("stop_price limit_price", "trigger display_quantity"),
    OrderType.TRAILING_STOP: _fields("trailing", "activation_price trigger"),
    OrderType.TRAILING_STOP_LIMIT: _fields("trailing limit_offset", "activation_price trigger"),
}
_GOVERNED: Final = (
    "limit_price",
    "peg",
    "stop_price",
    "trailing",
    "limit_offset",
    "activation_price",
    "trigger",
    "post_only",
    "display_quantity",
)
_ENUMS: Final[dict[str, type[StrEnum]]] = {
    "side": Side,
    "order_type": OrderType,
    "time_in_force": TimeInForce,
    "trigger": PriceSource,
    "peg": PriceSource,
    "position_effect": PositionEffect,
}
_IMMEDIATE: Final = frozenset({TimeInForce.IOC, TimeInForce.FOK})


def price_fields(order_type: OrderType) -> PriceFields:
    """Return what `order_type` needs and may have; it must not be UNKNOWN."""
    return _TYPES[order_type]


def request_violations(request: OrderRequest) -> list[Violation]:
    """List everything that makes `request` unsound at any venue; empty when it is sound.

    How fields go together is judged once each of them is sound by itself.
    """
    found = [*_domain_violations(request)]
    if not found:
        found += _size_violations(request)
        found += _shape_violations(request)
        found += _time_violations(request)
        found += _exit_violations(request)
    return found


def _domain_violations(request: OrderRequest) -> Iterator[Violation]:
    symbol = text_violation("symbol", request.symbol)
    if symbol is not None:
        yield symbol
    yield from enum_violations(request, _ENUMS, required=("side", "order_type"))
    yield from size_violations(request, "quantity", "notional")
    yield from price_violations(
        request, "limit_price", "stop_price", "activation_price", "display_quantity"
    )
    yield from offset_violations(request, "trailing", "limit_offset")
    yield from instant_violations(request, "expires_at_ns")
    yield from flag_violations(request, "post_only", "extended_hours")
    yield from id_violations(request.client_order_id)
    yield from text_violations(request, "account_id", "position_id", "group_id", "tag")
    yield from option_violations(request.venue_options)
    yield from exit_field_violations(request, "stop_loss", "take_profit")


def _size_violations(request: OrderRequest) -> Iterator[Violation]:
    quantity, notional = request.quantity, request.notional
    if quantity is not None and notional is not None:
        yield Violation.of("notional", notional, "quantity or notional, not both")
    if quantity is None and notional is None and not request.reduce_only:
        yield Violation.of("quantity", None, "a quantity or a notional (neither only with CLOSE)")
    shown = request.display_quantity
    if shown is not None and (shown < 0 or (quantity is not None and shown > quantity)):
        yield Violation.of("display_quantity", shown, "from 0 (hidden) to the quantity")


def _shape_violations(request: OrderRequest) -> Iterator[Violation]:
    allowed = _TYPES[request.order_type]
    for name in _GOVERNED:
        value: object = getattr(request, name)
        is_set = value is not None and value is not False
        if name in allowed.needs and not is_set:
            yield Violation.of(name, value, f"a value, which {request.order_type} requires")
        elif is_set and name not in allowed.needs | allowed.may_have:
            yield Violation.of(name, value, f"nothing: {request.order_type} takes no {name}")
    if request.order_type is OrderType.LIMIT:
        yield from _limit_violations(request)


def _limit_violations(request: OrderRequest) -> Iterator[Violation]:
    if (request.limit_price is None) == (request.peg is None):
        allowed = "exactly one of limit_price and peg"
        yield Violation.of("limit_price", request.limit_price, allowed)


def _time_violations(request: OrderRequest) -> Iterator[Violation]:
    is_gtd = request.time_in_force is TimeInForce.GTD
    if is_gtd and request.expires_at_ns is None:
        yield Violation.of("expires_at_ns", None, "an expiry, which GTD requires")
    if not is_gtd and request.expires_at_ns is not None:
        yield Violation.of("expires_at_ns", request.expires_at_ns, "an expiry only with GTD")
    if request.post_only and request.time_in_force in _IMMEDIATE:
        allowed = "a resting one: the order is post-only"
        yield Violation.of("time_in_force", request.time_in_force, allowed)


def _exit_violations(request: OrderRequest) -> Iterator[Violation]:
    for name in ("stop_loss", "take_profit"):
        leg: Exit | None = getattr(request, name)
        if leg is not None and request.reduce_only:
            yield Violation.of(name, leg, "no exits on a closing order")
    if request.take_profit is not None:
        yield from target_violations(request.take_profit)
    yield from _level_violations(request)


def _level_violations(request: OrderRequest) -> Iterator[Violation]:
    is_buy = request.side is Side.BUY
    direction, opposite = ("above", "below") if is_buy else ("below", "above")
    for (nearer, nearer_price), (further, price) in pairwise(_levels(request)):
        is_ordered = price > nearer_price if is_buy else price < nearer_price
        if not is_ordered:
            if further == "limit_price":
                yield Violation.of(
                    nearer, nearer_price, f"{opposite} {further} {price} on a {request.side}"
                )
            else:
                allowed = f"{direction} {nearer} {nearer_price} on a {request.side}"
                yield Violation.of(further, price, allowed)


def _levels(request: OrderRequest) -> list[tuple[str, Decimal]]:
    """Return the known prices of a bracket, from where it loses to where it gains."""
    stop, target = request.stop_loss, request.take_profit
    entry = request.limit_price if request.order_type is OrderType.LIMIT else None
    levels = [
        ("stop_loss.price", stop.price if stop else None),
        ("limit_price", entry),
        ("take_profit.price", target.price if target else None),
    ]
    return [(name, price) for name, price in levels if price is not None]
