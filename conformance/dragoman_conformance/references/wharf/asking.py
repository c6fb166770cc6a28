"""What is asked of wharf, in its words: the bodies of requests, and the topics of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import InvalidOrderError, UnsupportedError, Violation
from dragoman.ids import hashed_token
from dragoman.models import PositionEffect, TimeInForce
from dragoman.money import format_decimal
from dragoman.times import format_time

from .capabilities import is_client_id
from .words import ORDER_TYPES, SIDES, TIMES_IN_FORCE, UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.models import Exit, OrderChange, OrderRequest, Subscription

__all__ = ["change_body", "list_body", "order_body", "token_of", "topics_of"]

_WORD_OF_SIDE: Final = {side: word for word, side in SIDES.items()}
_WORD_OF_TYPE: Final = {kind: word for word, kind in ORDER_TYPES.items()}
_WORD_OF_TIME: Final = {time: word for word, time in TIMES_IN_FORCE.items()}
_WORD_OF_UNIT: Final = {unit: word for word, unit in UNITS.items()}
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_TOKEN_LENGTH: Final = 32


def token_of(client_order_id: str) -> str:
    """Return what an order is called on the wire: its id, or a hash of one that does not fit."""
    if is_client_id(client_order_id):
        return client_order_id
    return hashed_token(client_order_id, 0, alphabet=_ALPHABET, length=_TOKEN_LENGTH)


def order_body(request: OrderRequest) -> dict[str, object]:
    """Write an order as `POST /v1/orders` takes it.

    Raises:
        InvalidOrderError: It names no quantity (NOT_SENT).
        UnsupportedError: It asks for more than wharf's words can say (NOT_SENT).
    """
    if request.quantity is None:
        found = Violation.of("quantity", None, "a quantity; wharf takes no notional")
        raise InvalidOrderError.of("OrderRequest", [found])
    name = request.client_order_id or ""
    body: dict[str, object] = {
        "account": request.account_id or "",
        "client_id": token_of(name),
        "symbol": request.symbol,
        "side": _WORD_OF_SIDE[request.side],
        "type": _WORD_OF_TYPE[request.order_type],
        "quantity": format_decimal(request.quantity),
        "time_in_force": _WORD_OF_TIME[request.time_in_force or TimeInForce.DAY],
    }
    body |= _terms(request)
    if request.display_quantity is not None:
        body["display_quantity"] = format_decimal(request.display_quantity)
    if request.post_only:
        body["post_only"] = True
    if request.position_effect is PositionEffect.CLOSE:
        body["reduce_only"] = True
    if request.tag is not None:
        body["tag"] = request.tag
    if request.stop_loss is not None:
        body["stop_loss"] = _exit_body(request.stop_loss, f"{name}-sl", "stop_price")
    if request.take_profit is not None:
        body["take_profit"] = _exit_body(request.take_profit, f"{name}-tp", "limit_price")
    return body


def list_body(requests: Sequence[OrderRequest]) -> dict[str, object]:
    """Write orders of which one cancels the other as `POST /v1/order-lists` takes them.

    Raises:
        DragomanError: What `order_body` raises (NOT_SENT).
    """
    return {"contingency": "oco", "orders": [order_body(request) for request in requests]}


def change_body(change: OrderChange) -> dict[str, object]:
    """Write a change as `PATCH /v1/orders/{id}` takes it: only what is to change."""
    body = _terms(change)
    if change.quantity is not None:
        body["quantity"] = format_decimal(change.quantity)
    return body


def _terms(asked: OrderRequest | OrderChange) -> dict[str, object]:
    body: dict[str, object] = {}
    if asked.limit_price is not None:
        body["limit_price"] = format_decimal(asked.limit_price)
    if asked.stop_price is not None:
        body["stop_price"] = format_decimal(asked.stop_price)
    if asked.trailing is not None:
        value, unit = format_decimal(asked.trailing.value), _WORD_OF_UNIT[asked.trailing.unit]
        body["trail"] = {"value": value, "unit": unit}
    if asked.expires_at_ns is not None:
        body["expires_at"] = format_time(asked.expires_at_ns)
    return body


def _exit_body(leg: Exit, name: str, level: str) -> dict[str, object]:
    if leg.trigger is not None or leg.time_in_force not in (None, TimeInForce.GTC):
        message = "wharf's exits have no trigger or time in force of their own"
        raise UnsupportedError(message)
    body: dict[str, object] = {"client_id": token_of(leg.client_order_id or name)}
    if leg.price is not None:
        body[level] = format_decimal(leg.price)
    if leg.limit_price is not None:
        body["limit_price"] = format_decimal(leg.limit_price)
    return body


def topics_of(wanted: Subscription) -> dict[str, list[str]]:
    """Write what a connection is to carry; bars as "1m AAPL", since symbols hold any letter."""
    topics = {
        "quotes": sorted(wanted.quotes),
        "trades": sorted(wanted.trades),
        "bars": sorted(f"{timeframe} {symbol}" for symbol, timeframe in wanted.bars),
        "private": sorted(
            name for name in ("orders", "positions", "account") if getattr(wanted, name)
        ),
    }
    return {name: words for name, words in topics.items() if words}
