"""What a client's order must hold before anything else is asked, refused in Alpaca's own words.

Only what is wrong whatever the broker; the rest is for the mapping and the broker to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.ids import is_client_order_id

from .asking import invalid
from .problems import RefusedError

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman_alpaca.wire.requests import OrderBody

__all__ = ["check_body", "check_token"]

_TYPES: Final = frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop"})
_TIMES: Final = frozenset({"day", "gtc", "opg", "cls", "ioc", "fok"})
_LASTING: Final = frozenset({"day", "gtc"})
_PRICES: Final = {
    "market": ((), "market orders require no stop or limit price"),
    "limit": (("limit_price",), "limit orders require only limit price"),
    "stop": (("stop_price",), "stop orders require only stop price"),
    "stop_limit": (("limit_price", "stop_price"), "stop limit orders require both prices"),
    "trailing_stop": ((), "trailing stop orders require no stop or limit price"),
}


def check_body(body: OrderBody) -> None:
    """Refuse an order that lacks what every order of its type has.

    Raises:
        RefusedError: Why.
    """
    if body.order_class == "mleg" or body.legs:
        raise invalid("mleg orders are not supported")
    if not body.symbol:
        raise invalid("symbol is required")
    if body.side not in {"buy", "sell"} and not (body.side is None and body.position_intent):
        raise invalid("side must be buy or sell")
    if body.type not in _TYPES:
        raise invalid("invalid order type")
    if body.time_in_force not in _TIMES:
        raise invalid("invalid time_in_force")
    _check_size(body)
    _check_prices(body)
    if body.extended_hours and (body.type != "limit" or body.time_in_force not in _LASTING):
        raise RefusedError(422, "extended hours order must be DAY or GTC limit orders")
    if body.client_order_id:
        check_token(body.client_order_id)


def check_token(token: str) -> None:
    """Refuse what can't be a client order id.

    Raises:
        RefusedError: It is too long, or not printable ASCII without spaces.
    """
    if not is_client_order_id(token):
        raise invalid("client_order_id must be 1 to 128 printable characters without spaces")


def _check_size(body: OrderBody) -> None:
    if body.qty is not None and body.notional is not None:
        raise RefusedError(400, "only one of qty or notional is accepted", number=40010001)
    if body.qty is None and body.notional is None:
        raise invalid("qty or notional is required")
    for name, size in (("qty", body.qty), ("notional", body.notional)):
        if size is not None and size <= 0:
            raise invalid(f"{name} must be > 0")


def _check_prices(body: OrderBody) -> None:
    needed, message = _PRICES[body.type or ""]
    if body.order_class == "oco":  # its limit may stand in take_profit
        return
    given: tuple[tuple[str, Decimal | None], ...] = (
        ("limit_price", body.limit_price),
        ("stop_price", body.stop_price),
    )
    for name, price in given:
        if (price is not None) != (name in needed):
            raise invalid(message)
        if price is not None and price <= 0:
            raise invalid(f"{name} must be > 0")
    trails = (body.trail_price is not None) + (body.trail_percent is not None)
    if body.type == "trailing_stop" and trails != 1:
        raise invalid("trailing stop orders must specify one of trail_price or trail_percent")
    if body.type != "trailing_stop" and trails:
        raise invalid(f"{body.type} orders require no trail_price or trail_percent")
