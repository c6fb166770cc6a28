"""Requests to trade, as Alpaca takes them.

What Alpaca has no word for is refused here, before a byte is sent. Nothing is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import UnsupportedError, Violation
from dragoman.models import (
    Contingency,
    OffsetUnit,
    OrderType,
    PositionEffect,
    Side,
    TimeInForce,
)
from dragoman.money import format_decimal

from .words import EFFECTS, ORDER_TYPES, TIMES_IN_FORCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from dragoman.models import Order, OrderChange, OrderRequest, Scalar

__all__ = ["change_body", "exit_names", "list_body", "order_body"]

_TYPE_WORDS: Final = {meaning: word for word, meaning in ORDER_TYPES.items()}
_TIME_WORDS: Final = {meaning: word for word, meaning in TIMES_IN_FORCE.items()}
_SIDE_WORDS: Final = {Side.BUY: "buy", Side.SELL: "sell"}
_INTENT_WORDS: Final = {meaning: word for word, meaning in EFFECTS.items()}
_TRAIL_FIELDS: Final = {OffsetUnit.PRICE: "trail_price", OffsetUnit.PERCENT: "trail_percent"}
_LASTING: Final = frozenset({TimeInForce.DAY, TimeInForce.GTC})
_ENTRIES: Final = frozenset({OrderType.MARKET, OrderType.LIMIT})
_STOPS: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
_WITH_LIMIT: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
_WORDLESS: Final = (
    "limit_offset",
    "activation_price",
    "trigger",
    "peg",
    "expires_at_ns",
    "display_quantity",
    "group_id",
    "tag",
)
_WORDLESS_EXIT: Final = ("offset", "trailing", "trigger", "quantity")
_PREFIX: Final = "alpaca."
_SHORTEST_LIST: Final = 2
_LONGEST_LIST: Final = 3


def order_body(
    request: OrderRequest, *, default: TimeInForce = TimeInForce.DAY
) -> dict[str, object]:
    """Write an order as `POST /v2/orders` takes it; one with exits becomes a bracket or an OTO.

    Args:
        request: The order.
        default: The time in force of one that names none: Alpaca wants one, and takes no DAY on
            crypto.

    Raises:
        UnsupportedError: Alpaca has no word for a part of it (NOT_SENT).
    """
    body = _plain_body(request, default)
    if request.stop_loss is None and request.take_profit is None:
        return body
    if request.order_type not in _ENTRIES:
        raise _refused("order_type", request.order_type, "MARKET or LIMIT with exits")
    if request.notional is not None:
        raise _refused("notional", request.notional, "a quantity with exits")
    if request.extended_hours:
        raise _refused("extended_hours", value=True, allowed="no extended hours with exits")
    if (request.time_in_force or default) not in _LASTING:
        raise _refused("time_in_force", request.time_in_force, "DAY or GTC with exits")
    is_bracket = request.stop_loss is not None and request.take_profit is not None
    body["order_class"] = "bracket" if is_bracket else "oto"
    _add_exits(body, request)
    return body


def list_body(
    requests: Sequence[OrderRequest],
    contingency: Contingency,
    *,
    default: TimeInForce = TimeInForce.DAY,
) -> dict[str, object]:
    """Write a list of orders that depend on each other as one `POST /v2/orders`.

    An OCO is a limit order and a stop order that close the same; an OTO is an entry, and what it
    triggers: a limit order, a stop order or one of each, on the other side. The list goes by the
    client order id of its first part at the venue; `exit_names` says by which the others go here.

    Args:
        requests: The orders.
        contingency: How they depend on each other.
        default: The time in force of those that name none.

    Raises:
        UnsupportedError: It is another kind of list (NOT_SENT).
    """
    if contingency is Contingency.OCO:
        target, stop = _exits_of(requests, "an OCO")
        if target is None or stop is None:
            raise _refused("requests", len(requests), "one limit and one stop order in an OCO")
        entry = target
        _check_alike(target, stop, same_side=True)
        body = _plain_body(target, default)
        del body["limit_price"]  # the target's, and given there
        body["order_class"] = "oco"
    elif contingency is Contingency.OTO and len(requests) >= _SHORTEST_LIST:
        entry, *legs = requests
        target, stop = _exits_of(legs, "what an OTO triggers")
        for leg in legs:
            _check_alike(entry, leg, same_side=False)
        if entry.order_type not in _ENTRIES or entry.extended_hours or entry.notional is not None:
            raise _refused("order_type", entry.order_type, "a MARKET or LIMIT entry by quantity")
        body = _plain_body(entry, default)
        body["order_class"] = "bracket" if len(legs) == _SHORTEST_LIST else "oto"
    else:
        raise _refused("contingency", contingency, "OCO, or OTO of two or three orders")
    if (entry.time_in_force or default) not in _LASTING:
        raise _refused("time_in_force", entry.time_in_force, "DAY or GTC in a list")
    if target is not None:
        body["take_profit"] = {"limit_price": _text(target.limit_price)}
    if stop is not None:
        body["stop_loss"] = _stop_loss(stop.stop_price, stop.limit_price)
    return body


def exit_names(
    requests: Sequence[OrderRequest], contingency: Contingency = Contingency.NONE
) -> dict[str, str]:
    """Return by which client order ids the legs of an order or a list go, by role.

    "sl" for the stop, "tp" for the target; without those that nobody named, and without the order
    that the venue knows by its own client order id: the first, or the limit of an OCO.
    """
    if contingency is Contingency.NONE:
        exits = [("sl", one.stop_loss) for one in requests]
        exits += [("tp", one.take_profit) for one in requests]
        names = [(role, leg.client_order_id) for role, leg in exits if leg is not None]
    elif contingency is Contingency.OCO:
        names = [("sl", one.client_order_id) for one in requests if one.order_type in _STOPS]
    else:
        names = [
            ("tp" if one.order_type is OrderType.LIMIT else "sl", one.client_order_id)
            for one in requests[1:]
        ]
    return {role: name for role, name in names if name is not None}


def change_body(order: Order, change: OrderChange, token: str) -> dict[str, object]:
    """Write a change as `PATCH /v2/orders/{id}` takes it.

    Prices that stay are repeated, since Alpaca wants those that the type has.

    Args:
        order: The order as it stands.
        change: What is to change.
        token: The client order id of the order that Alpaca makes of it.

    Raises:
        UnsupportedError: Alpaca can't change that, or not any more (NOT_SENT).
    """
    if order.filled_quantity:
        raise _refused("filled_quantity", order.filled_quantity, "no fills before a replace")
    if order.notional is not None:
        raise _refused("notional", order.notional, "a quantity: no replace of an order by value")
    for name in ("expires_at_ns", "stop_loss", "take_profit"):
        value: object = getattr(change, name)
        if value is not None:
            raise _refused(name, value, "nothing: a replace can't change it")
    body: dict[str, object] = {"client_order_id": token}
    if change.quantity is not None:
        body["qty"] = _text(change.quantity)
    if order.order_type in _WITH_LIMIT:
        _put(body, "limit_price", change.limit_price or order.limit_price)
    if order.order_type in _STOPS:
        _put(body, "stop_price", change.stop_price or order.stop_price)
    if change.trailing is not None:
        unit = None if order.trailing is None else order.trailing.unit
        if change.trailing.unit is not unit:
            raise _refused("trailing", change.trailing, "the unit that the order trails by")
        body["trail"] = _text(change.trailing.value)
    return body


def _plain_body(request: OrderRequest, default: TimeInForce) -> dict[str, object]:
    """Write an order without its exits."""
    _check_words(request)
    body: dict[str, object] = {
        "symbol": request.symbol,
        "side": _SIDE_WORDS[request.side],
        "type": _TYPE_WORDS[request.order_type],
        "time_in_force": _TIME_WORDS[request.time_in_force or default],
    }
    for name, amount in (
        ("qty", request.quantity),
        ("notional", request.notional),
        ("limit_price", request.limit_price),
        ("stop_price", request.stop_price),
    ):
        _put(body, name, amount)
    if request.trailing is not None:
        field = _TRAIL_FIELDS.get(request.trailing.unit)
        if field is None:
            raise _refused("trailing", request.trailing, "a price or a percentage")
        body[field] = _text(request.trailing.value)
    if request.extended_hours:
        body["extended_hours"] = True
    if request.client_order_id is not None:
        body["client_order_id"] = request.client_order_id
    if request.position_effect is not None:
        body["position_intent"] = _INTENT_WORDS[request.side, request.position_effect]
    instructions = _instructions(request.venue_options)
    if instructions:
        body["advanced_instructions"] = instructions
    return body


def _check_words(request: OrderRequest) -> None:
    for name in _WORDLESS:
        value: object = getattr(request, name)
        if value is not None:
            raise _refused(name, value, "nothing: Alpaca has no word for it")
    if request.post_only:
        raise _refused("post_only", value=True, allowed="no post-only orders")
    if request.order_type not in _TYPE_WORDS:
        raise _refused("order_type", request.order_type, ", ".join(_TYPE_WORDS))
    if request.time_in_force not in {None, *_TIME_WORDS}:
        raise _refused("time_in_force", request.time_in_force, ", ".join(_TIME_WORDS))
    if request.quantity is None and request.notional is None:
        raise _refused("quantity", None, "a quantity or a notional")
    if request.position_id not in {None, request.symbol}:
        raise _refused("position_id", request.position_id, "the symbol: positions are netted")
    is_lasting_limit = request.order_type is OrderType.LIMIT and (
        request.time_in_force in {None, *_LASTING}
    )
    if request.extended_hours and not is_lasting_limit:
        raise _refused("extended_hours", value=True, allowed="LIMIT orders, DAY or GTC")


def _add_exits(body: dict[str, object], request: OrderRequest) -> None:
    for name, leg in (("stop_loss", request.stop_loss), ("take_profit", request.take_profit)):
        if leg is None:
            continue
        for part in _WORDLESS_EXIT:
            value: object = getattr(leg, part)
            if value is not None:
                raise _refused(f"{name}.{part}", value, "nothing: Alpaca has no word for it")
        if leg.venue_options:
            raise _refused(f"{name}.venue_options", leg.venue_options, "no options on a leg")
        if leg.time_in_force not in {None, request.time_in_force}:
            raise _refused(f"{name}.time_in_force", leg.time_in_force, "the entry's own")
    if request.take_profit is not None:
        if request.take_profit.limit_price is not None:
            limit_price = request.take_profit.limit_price
            raise _refused("take_profit.limit_price", limit_price, "a plain limit as the target")
        body["take_profit"] = {"limit_price": _text(request.take_profit.price)}
    if request.stop_loss is not None:
        stop = request.stop_loss
        body["stop_loss"] = _stop_loss(stop.price, stop.limit_price)


def _exits_of(
    requests: Sequence[OrderRequest], what: str
) -> tuple[OrderRequest | None, OrderRequest | None]:
    """Return the limit order and the stop order of a list, each at most once."""
    targets = [one for one in requests if one.order_type is OrderType.LIMIT]
    stops = [one for one in requests if one.order_type in _STOPS]
    others = len(requests) - len(targets) - len(stops)
    if others or len(targets) > 1 or len(stops) > 1:
        found = ", ".join(one.order_type for one in requests)
        raise _refused("requests", found, f"at most one LIMIT and one STOP(_LIMIT) as {what}")
    for request in requests:
        if request.stop_loss is not None or request.take_profit is not None:
            raise _refused("stop_loss", request.stop_loss, "no exits within a list")
        _check_words(request)
        if request.extended_hours:
            raise _refused("extended_hours", value=True, allowed="no extended hours in a list")
    return next(iter(targets), None), next(iter(stops), None)


def _check_alike(one: OrderRequest, other: OrderRequest, *, same_side: bool) -> None:
    """Refuse orders that Alpaca, which knows only prices of the second, can't tie together."""
    allowed = "the same in all orders of a list"
    for name in ("symbol", "quantity", "account_id"):
        value: object = getattr(other, name)
        if value != getattr(one, name):
            raise _refused(name, value, allowed)
    if one.quantity is None:
        raise _refused("quantity", None, "a quantity in a list")
    if (other.side is one.side) != same_side:
        raise _refused("side", other.side, allowed if same_side else "the entry's opposite")
    if other.time_in_force not in {None, one.time_in_force}:
        raise _refused("time_in_force", other.time_in_force, allowed)
    effects = {None, one.position_effect} if same_side else {None, PositionEffect.CLOSE}
    if other.position_effect not in effects:
        raise _refused("position_effect", other.position_effect, "what the list says")
    if other.venue_options:
        raise _refused("venue_options", other.venue_options, "options on the first order only")


def _instructions(options: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return the advanced instructions that options are; keys of others are the broker's to refuse.

    Raises:
        UnsupportedError: A key is none of this protocol's (NOT_SENT).
    """
    found: dict[str, Scalar] = {}
    for key, value in options.items():
        if not key.startswith(_PREFIX):
            raise _refused("venue_options", key, f"keys that begin with {_PREFIX!r}")
        found[key.removeprefix(_PREFIX)] = value
    return found


def _stop_loss(stop_price: Decimal | None, limit_price: Decimal | None) -> dict[str, object]:
    leg: dict[str, object] = {"stop_price": _text(stop_price)}
    _put(leg, "limit_price", limit_price)
    return leg


def _put(body: dict[str, object], name: str, amount: Decimal | None) -> None:
    if amount is not None:
        body[name] = format_decimal(amount)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format_decimal(amount)


def _refused(field: str, value: object, allowed: str) -> UnsupportedError:
    return UnsupportedError(f"Alpaca can't take this: {Violation.of(field, value, allowed)}")
