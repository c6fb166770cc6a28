"""What a client of Alpaca's asks for, as requests of the library.

Violations name Alpaca's own fields, so that a client can be told what it got wrong.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from dragoman.errors import InvalidOrderError, UnsupportedError, Violation
from dragoman.models import Exit, Offset, OrderChange, OrderRequest, OrderType
from dragoman.money import format_decimal

from .words import EFFECTS, ORDER_TYPES, SIDES, TIMES_IN_FORCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.models import Order, PositionEffect, Scalar, Side
    from dragoman_alpaca.wire.requests import OrderBody, ReplaceBody, StopLossBody, TakeProfitBody

__all__ = ["change_of", "request_of", "requests_of_oco"]

Meaning = TypeVar("Meaning")

_WITHOUT_EXITS: Final = frozenset({"", "simple"})
_WITH_EXITS: Final = frozenset({"bracket", "oto"})
_FIELDS: Final = {
    "quantity": "qty",
    "order_type": "type",
    "trailing": "trail_price",
    "position_effect": "position_intent",
    "stop_loss.price": "stop_loss.stop_price",
    "take_profit.price": "take_profit.limit_price",
    "venue_options": "advanced_instructions",
}
"""Alpaca's names for the library's fields, where they differ."""


def request_of(body: OrderBody, *, symbol: str, client_order_id: str) -> OrderRequest:
    """Return the order that a client asks for: simple, or an entry with its exits.

    Advanced instructions become venue options of this protocol, which a broker of another refuses.

    Args:
        body: As the client wrote it.
        symbol: What its symbol stands for at the broker.
        client_order_id: What the order is to go by.

    Raises:
        InvalidOrderError: It makes no sense, whatever the broker (NOT_SENT).
        UnsupportedError: It is a multi-leg order, or two orders (NOT_SENT).
    """
    kind = body.order_class or ""
    if kind == "oco":
        raise UnsupportedError("an OCO is two orders")
    if kind == "mleg" or body.legs:
        raise UnsupportedError("multi-leg orders are not taken")
    if kind not in _WITHOUT_EXITS | _WITH_EXITS:
        raise _invalid("order_class", kind, "simple, bracket, oco or oto")
    has_target = _says(body.take_profit)
    has_stop = _says(body.stop_loss)
    exits = (int(has_target), int(has_stop))
    if kind == "bracket" and not has_target:
        raise _invalid("take_profit.limit_price", None, "a price: bracket orders require it")
    if kind == "bracket" and not has_stop:
        raise _invalid("stop_loss.stop_price", None, "a price: bracket orders require it")
    if kind == "oto" and sum(exits) != 1:
        raise _invalid("order_class", kind, "exactly one of take_profit and stop_loss")
    if kind in _WITHOUT_EXITS and any(exits):
        raise _invalid("order_class", kind, "bracket or oto with take_profit or stop_loss")
    return _request(body, symbol, client_order_id)


def requests_of_oco(
    body: OrderBody, *, symbol: str, client_order_id: str, child_id: str
) -> tuple[OrderRequest, OrderRequest]:
    """Return the two orders of an OCO: the limit, which is the parent, and the stop.

    Args:
        body: As the client wrote it.
        symbol: What its symbol stands for at the broker.
        client_order_id: What the limit order is to go by.
        child_id: What the stop order is to go by.

    Raises:
        InvalidOrderError: It makes no sense, whatever the broker (NOT_SENT).
    """
    target, stop = body.take_profit, body.stop_loss
    limit_price = body.limit_price if target is None else target.limit_price or body.limit_price
    if body.type != "limit":
        raise _invalid("type", body.type, "limit: oco orders must be limit orders")
    if limit_price is None:
        raise _invalid("take_profit.limit_price", None, "a price: oco orders require it")
    if stop is None or stop.stop_price is None:
        raise _invalid("stop_loss.stop_price", None, "a price: oco orders require it")
    parent = _terms(body, symbol, client_order_id) | {"limit_price": limit_price}
    child = parent | {
        "client_order_id": child_id,
        "order_type": OrderType.STOP if stop.limit_price is None else OrderType.STOP_LIMIT,
        "limit_price": stop.limit_price,
        "stop_price": stop.stop_price,
    }
    return _built(parent), _built(child)


def change_of(body: ReplaceBody, order: Order, *, quantity: Decimal | None) -> OrderChange | None:
    """Return what a client changes; None if all it says is so already.

    Args:
        body: As the client wrote it.
        order: The order as it stands.
        quantity: The new total that its `qty` means, what has filled included.

    Raises:
        InvalidOrderError: It makes no sense, whatever the broker (NOT_SENT).
        UnsupportedError: It changes what a replace can't (NOT_SENT).
    """
    if body.notional is not None:
        raise UnsupportedError("notional can't be changed by a replace")
    if body.advanced_instructions and any(
        value is not None for value in body.advanced_instructions.values()
    ):
        raise UnsupportedError("advanced_instructions can't be changed by a replace")
    time_in_force = _meaning("time_in_force", body.time_in_force, TIMES_IN_FORCE)
    if time_in_force not in {None, order.time_in_force}:
        raise UnsupportedError("time_in_force can't be changed by a replace")
    trailing = order.trailing
    if body.trail is not None:
        if trailing is None:
            raise _invalid("trail", body.trail, "nothing: only trailing stops have it")
        if body.trail <= 0:
            raise _invalid("trail", body.trail, "a number above 0")
        trailing = Offset(body.trail, trailing.unit)
    wanted = {
        "quantity": quantity,
        "limit_price": body.limit_price,
        "stop_price": body.stop_price,
        "trailing": trailing,
    }
    changed = {
        name: value
        for name, value in wanted.items()
        if value is not None and value != getattr(order, name)
    }
    if not changed:
        return None
    try:
        return OrderChange(**changed)  # type: ignore[arg-type]  # by name, as the class has them
    except InvalidOrderError as error:
        raise _renamed(error) from None


def _request(body: OrderBody, symbol: str, client_order_id: str) -> OrderRequest:
    terms = _terms(body, symbol, client_order_id)
    if _says(body.take_profit):
        terms["take_profit"] = _take_profit(body.take_profit)
    if _says(body.stop_loss):
        terms["stop_loss"] = _stop_loss(body.stop_loss)
    return _built(terms)


def _terms(body: OrderBody, symbol: str, client_order_id: str) -> dict[str, object]:
    """Return the fields of a request that are an order's own."""
    side = _meaning("side", body.side, SIDES)
    effect = _effect(body, side)
    return {
        "symbol": symbol,
        "client_order_id": client_order_id,
        "side": side or (None if effect is None else effect[0]) or _lacking("side"),
        "order_type": _meaning("type", body.type, ORDER_TYPES) or _lacking("type"),
        "time_in_force": _meaning("time_in_force", body.time_in_force, TIMES_IN_FORCE)
        or _lacking("time_in_force"),
        "quantity": body.qty,
        "notional": body.notional,
        "limit_price": body.limit_price,
        "stop_price": body.stop_price,
        "trailing": _trailing(body),
        "extended_hours": bool(body.extended_hours),
        "position_effect": None if effect is None else effect[1],
        "venue_options": _options(body.advanced_instructions),
    }


def _effect(body: OrderBody, side: Side | None) -> tuple[Side, PositionEffect] | None:
    effect = _meaning("position_intent", body.position_intent, EFFECTS)
    if effect is not None and side not in {None, effect[0]}:
        raise _invalid("position_intent", body.position_intent, "one of the order's side")
    return effect


def _trailing(body: OrderBody) -> Offset | None:
    if body.trail_price is not None and body.trail_percent is not None:
        raise _invalid("trail_percent", body.trail_percent, "trail_price or trail_percent")
    for name, amount, make in (
        ("trail_price", body.trail_price, Offset.price),
        ("trail_percent", body.trail_percent, Offset.percent),
    ):
        if amount is not None:
            if amount <= 0:
                raise _invalid(name, amount, "a number above 0")
            return make(amount)
    return None


def _options(instructions: Mapping[str, object] | None) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for name, value in (instructions or {}).items():
        if isinstance(value, Decimal):
            found[f"alpaca.{name}"] = format_decimal(value)
        elif isinstance(value, (str, int)):
            found[f"alpaca.{name}"] = value
        elif value is not None:
            raise _invalid(f"advanced_instructions.{name}", type(value).__name__, "a plain value")
    return found


def _take_profit(body: TakeProfitBody | None) -> Exit | None:
    price = None if body is None else body.limit_price
    if price is None:
        raise _invalid("take_profit.limit_price", None, "a price")
    return Exit(price=price)


def _stop_loss(body: StopLossBody | None) -> Exit | None:
    price = None if body is None else body.stop_price
    if body is None or price is None:
        raise _invalid("stop_loss.stop_price", None, "a price")
    return Exit(price=price, limit_price=body.limit_price)


def _says(leg: TakeProfitBody | StopLossBody | None) -> bool:
    """Tell whether a leg holds anything: some clients send empty ones."""
    return leg is not None and any(getattr(leg, name) is not None for name in leg.__struct_fields__)


def _meaning(field: str, word: str | None, words: Mapping[str, Meaning]) -> Meaning | None:
    if not word:
        return None
    found = words.get(word)
    if found is None:
        raise _invalid(field, word, ", ".join(words))
    return found


def _lacking(field: str) -> object:
    raise _invalid(field, None, f"a value: {field} is required")


def _built(terms: Mapping[str, object]) -> OrderRequest:
    try:
        return OrderRequest(**terms)  # type: ignore[arg-type]  # by name, as the class has them
    except InvalidOrderError as error:
        raise _renamed(error) from None


def _renamed(error: InvalidOrderError) -> InvalidOrderError:
    """Return the same error with Alpaca's names for the fields."""
    found = [
        Violation(_FIELDS.get(one.field, one.field), one.found, one.allowed)
        for one in error.violations
    ]
    return InvalidOrderError.of("order", found)


def _invalid(field: str, value: object, allowed: str) -> InvalidOrderError:
    return InvalidOrderError.of("order", [Violation.of(field, value, allowed)])
