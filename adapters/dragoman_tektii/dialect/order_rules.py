"""Which orders a client may ask for, checked in the protocol's order: first failure wins.

Fields by themselves, then what the order type takes, then exits and sizes. What the broker and the
instrument allow is not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import InvalidOrderError
from dragoman.ids import is_client_order_id
from dragoman.models import (
    Exit,
    MarginMode,
    Offset,
    OffsetUnit,
    OrderRequest,
    OrderType,
    PositionEffect,
    Side,
    TimeInForce,
)
from dragoman_tektii.mapping.words import (
    MARGIN_MODES,
    ORDER_TYPES,
    SIDES,
    TIMES_IN_FORCE,
    TRAILING_TYPES,
)

from .asking import word_of
from .bodies import OrderBody
from .problems import invalid_request, invalid_value, validation_failed
from .texts import amount

if TYPE_CHECKING:
    from decimal import Decimal

    from .bodies import ExitsBody, ModifyBody

__all__ = ["RESERVED", "Terms", "check_exits", "check_modify", "terms_of"]

RESERVED: Final = frozenset({"history", ".", ".."})
"""Names that can't be an order's, because their addresses mean something else."""

_LONGEST_SYMBOL: Final = 20
_LONGEST_NAME: Final = 64
_PERCENT: Final = 100
_NO_PARAMS: Final[dict[str, object]] = {}
_PRICES: Final = ("limit_price", "stop_price", "trailing_distance")
_TAKES: Final = {
    OrderType.MARKET: frozenset[str](),
    OrderType.LIMIT: frozenset({"limit_price"}),
    OrderType.STOP: frozenset({"stop_price"}),
    OrderType.STOP_LIMIT: frozenset({"stop_price", "limit_price"}),
    OrderType.TRAILING_STOP: frozenset({"trailing_distance"}),
}
_CHECKED: Final = {
    OrderType.STOP_LIMIT: ("stop_price", "limit_price", "trailing_distance"),
    OrderType.TRAILING_STOP: ("trailing_distance", "limit_price", "stop_price"),
    OrderType.STOP: ("stop_price", "limit_price", "trailing_distance"),
}
"""In which order the prices of a type are looked at; what it needs comes first."""


@attrs.frozen(kw_only=True)
class Terms:
    """An order as a client asked for it, its words read and its rules kept."""

    body: OrderBody
    side: Side
    order_type: OrderType
    trailing_unit: OffsetUnit | None
    margin_mode: MarginMode | None
    time_in_force: TimeInForce | None

    @property
    def has_exits(self) -> bool:
        """Whether the order carries a stop loss or a take profit."""
        return self.body.stop_loss is not None or self.body.take_profit is not None

    def request(
        self, *, symbol: str, client_order_id: str, time_in_force: TimeInForce | None
    ) -> OrderRequest:
        """Return the order to be sent.

        Args:
            symbol: The broker's own spelling.
            client_order_id: What it is called.
            time_in_force: How long it works; None is the broker's default.

        Raises:
            RefusedError: It breaks a rule of every order (400).
        """
        body = self.body
        trailing = None
        if body.trailing_distance is not None and self.trailing_unit is not None:
            trailing = Offset(body.trailing_distance, self.trailing_unit)
        try:
            return OrderRequest(
                symbol=symbol,
                side=self.side,
                order_type=self.order_type,
                quantity=body.quantity,
                client_order_id=client_order_id,
                limit_price=body.limit_price,
                stop_price=body.stop_price,
                trailing=trailing,
                time_in_force=time_in_force,
                post_only=bool(body.post_only),
                display_quantity=_shown(body),
                position_effect=PositionEffect.CLOSE if body.reduce_only else None,
                position_id=body.position_id or None,
                stop_loss=None if body.stop_loss is None else Exit(price=body.stop_loss),
                take_profit=None if body.take_profit is None else Exit(price=body.take_profit),
                group_id=body.oco_group_id or None,
            )
        except InvalidOrderError as error:
            field = error.violations[0].field if error.violations else None
            raise invalid_request(error.message, field) from None


def _shown(body: OrderBody) -> Decimal | None:
    """Return how much of an order others may see; 0 hides it."""
    if body.hidden and body.display_quantity is None:
        return body.quantity - body.quantity
    return body.display_quantity


def terms_of(body: OrderBody) -> Terms:
    """Return what a body asks for.

    Raises:
        RefusedError: It breaks a rule (400).
    """
    side = word_of(SIDES, body.side, "side")
    order_type = word_of(ORDER_TYPES, body.order_type, "order_type")
    unit = body.trailing_type
    trailing_unit = None if unit is None else word_of(TRAILING_TYPES, unit, "trailing_type")
    mode = body.margin_mode
    margin_mode = None if mode is None else word_of(MARGIN_MODES, mode, "margin_mode")
    time = body.time_in_force
    time_in_force = None if time is None else word_of(TIMES_IN_FORCE, time, "time_in_force")
    _check_fields(body)
    _check_prices(body, order_type, trailing_unit)
    _check_rest(body)
    return Terms(
        body=body,
        side=side,
        order_type=order_type,
        trailing_unit=trailing_unit,
        margin_mode=margin_mode,
        time_in_force=time_in_force,
    )


def _check_fields(body: OrderBody) -> None:
    broken: dict[str, dict[str, object]] = {}
    if not 1 <= len(body.symbol) <= _LONGEST_SYMBOL:
        message = f"must have 1 to {_LONGEST_SYMBOL} characters"
        params = {"min": 1, "max": _LONGEST_SYMBOL, "value": body.symbol[:_LONGEST_NAME]}
        broken["symbol"] = {"code": "length", "message": message, "params": params}
    if body.quantity <= 0:
        value = {"value": amount(body.quantity)}
        positive = "must be positive"
        broken["quantity"] = {"code": positive, "message": positive, "params": value}
    names = {"client_order_id": body.client_order_id, "oco_group_id": body.oco_group_id}
    for name, text in names.items():
        if text is not None and len(text) > _LONGEST_NAME:
            params = {"max": _LONGEST_NAME, "value": text[: 2 * _LONGEST_NAME]}
            message = f"must have at most {_LONGEST_NAME} characters"
            broken[name] = {"code": "length", "message": message, "params": params}
    if broken:
        raise validation_failed(broken)
    for name, text in names.items():
        if text and not is_client_order_id(text):
            allowed = "visible ASCII characters without spaces are allowed"
            raise invalid_value(name, allowed, text)
    if body.client_order_id in RESERVED:
        raise invalid_value("client_order_id", "this name is reserved", body.client_order_id)


def _check_prices(body: OrderBody, order_type: OrderType, unit: OffsetUnit | None) -> None:
    takes = _TAKES[order_type]
    for field in _CHECKED.get(order_type, _PRICES):
        value: Decimal | None = getattr(body, field)
        if field in takes:
            if value is None:
                raise invalid_request(f"{field} is required for {order_type} orders", field)
            if value <= 0:
                raise invalid_value(field, "must be positive", amount(value))
        elif value is not None:
            message = f"is not allowed for {order_type} orders"
            raise invalid_value(field, message, amount(value))
    if order_type is not OrderType.TRAILING_STOP:
        return
    if unit is None:
        raise invalid_request("trailing_type is required for TRAILING_STOP orders", "trailing_type")
    distance = body.trailing_distance
    if unit is OffsetUnit.PERCENT and distance is not None and distance >= _PERCENT:
        raise invalid_value("trailing_distance", "must be below 100 percent", amount(distance))


def _check_rest(body: OrderBody) -> None:
    for field in ("stop_loss", "take_profit"):
        price: Decimal | None = getattr(body, field)
        if price is not None and price <= 0:
            raise invalid_value(field, "must be positive", amount(price))
    shown = body.display_quantity
    if shown is not None and not 0 < shown < body.quantity:
        message = "must be positive and less than the quantity"
        raise invalid_value("display_quantity", message, amount(shown))
    if body.leverage is not None and body.leverage <= 0:
        raise invalid_value("leverage", "must be positive", amount(body.leverage))


def check_modify(body: ModifyBody) -> None:
    """Refuse a change to what no order can have.

    Raises:
        RefusedError: An amount is not above 0 (400).
    """
    for field in body.__struct_fields__:
        value: Decimal | None = getattr(body, field)
        if value is not None and value <= 0:
            raise invalid_value(field, "must be positive", amount(value))


def check_exits(body: ExitsBody) -> None:
    """Refuse a move of exits that names no leg, or a level that is none.

    Raises:
        RefusedError: It does (400).
    """
    if body.stop_loss is None and body.take_profit is None:
        message = "stop_loss or take_profit is required"
        rule: dict[str, object] = {"code": "missing_exit", "message": message}
        raise validation_failed({"__all__": {**rule, "params": _NO_PARAMS}})
    for field in ("stop_loss", "take_profit"):
        price: Decimal | None = getattr(body, field)
        if price is not None and price <= 0:
            raise invalid_value(field, "must be positive", amount(price))
