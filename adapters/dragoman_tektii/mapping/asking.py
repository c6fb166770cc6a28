"""What is asked of a gateway, in its words: bodies, queries, and names on the wire."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dragoman.errors import InvalidOrderError, UnsupportedError, Violation
from dragoman.ids import hashed_token
from dragoman.models.enums import OffsetUnit, PositionEffect, TimeInForce
from dragoman.money import format_decimal
from dragoman.times import format_time
from dragoman_tektii.capabilities import CLIENT_ID

from .words import MARGIN_MODES, ORDER_TYPE_WORDS, SIDE_WORDS, TIME_IN_FORCE_WORDS, TRAILING_TYPES

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Exit, Offset, OrderChange, OrderRequest, Window

__all__ = ["change_body", "leg_names", "order_body", "token_of", "window_query"]

_FITS: Final = re.compile(CLIENT_ID)
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_TOKEN_LENGTH: Final = 32
_LONGEST_GROUP: Final = 64
_TRAILING_WORDS: Final = {unit: word for word, unit in TRAILING_TYPES.items()}
_LEVERAGE: Final = "tektii.leverage"
_MARGIN_MODE: Final = "tektii.margin_mode"


def token_of(client_order_id: str, revision: int = 0) -> str:
    """Return what an order is called on the wire: its id, or a hash of one that does not fit."""
    if revision == 0 and _FITS.fullmatch(client_order_id):
        return client_order_id
    return hashed_token(client_order_id, revision, alphabet=_ALPHABET, length=_TOKEN_LENGTH)


def order_body(request: OrderRequest, token: str) -> dict[str, object]:
    """Write an order as `POST /v1/orders` takes it: what is not asked for is not mentioned.

    Raises:
        InvalidOrderError: It names no quantity, or a margin mode that is none (NOT_SENT).
        UnsupportedError: It asks for more than a gateway's words can say (NOT_SENT).
    """
    if request.quantity is None:
        found = Violation.of("quantity", None, "a quantity: a gateway takes no notional")
        raise InvalidOrderError.of("OrderRequest", [found])
    body: dict[str, object] = {
        "symbol": request.symbol,
        "side": SIDE_WORDS[request.side],
        "quantity": format_decimal(request.quantity),
        "order_type": ORDER_TYPE_WORDS[request.order_type],
        "time_in_force": TIME_IN_FORCE_WORDS[request.time_in_force or TimeInForce.GTC],
        "client_order_id": token,
    }
    body |= _amounts(limit_price=request.limit_price, stop_price=request.stop_price)
    body |= _trail(request.trailing)
    body |= _amounts(stop_loss=_level(request.stop_loss), take_profit=_level(request.take_profit))
    if request.position_id is not None:
        body["position_id"] = request.position_id
    if request.position_effect is PositionEffect.CLOSE:
        body["reduce_only"] = True
    if request.post_only:
        body["post_only"] = True
    if request.display_quantity is not None and not request.display_quantity:
        body["hidden"] = True
    elif request.display_quantity is not None:
        body["display_quantity"] = format_decimal(request.display_quantity)
    return body | _group(request) | _options(request)


def change_body(change: OrderChange) -> dict[str, object]:
    """Write a change as `PATCH /v1/orders/{id}` takes it: only what is to change.

    Raises:
        UnsupportedError: It changes how a trailing distance counts (NOT_SENT).
    """
    body = _amounts(
        quantity=change.quantity, limit_price=change.limit_price, stop_price=change.stop_price
    )
    if change.trailing is not None:
        body |= _amounts(trailing_distance=change.trailing.value)
    return body


def leg_names(request: OrderRequest, token: str) -> dict[str, str]:
    """Return what the exits of an order are meant to be called, by what a gateway calls them."""
    legs = ((request.stop_loss, "sl"), (request.take_profit, "tp"))
    return {
        f"{token}-{role}": leg.client_order_id or f"{request.client_order_id}-{role}"
        for leg, role in legs
        if leg is not None
    }


def window_query(window: Window, **words: str | None) -> tuple[tuple[str, str], ...]:
    """Write a window of time, its start included and its end not."""
    start_ns, end_ns = window.start_ns, window.end_ns
    times = {
        "since": None if start_ns is None else format_time(start_ns),
        "until": None if end_ns is None else format_time(end_ns),
    }
    return tuple([(name, text) for name, text in (times | words).items() if text is not None])


def _amounts(**amounts: Decimal | None) -> dict[str, object]:
    return {name: format_decimal(one) for name, one in amounts.items() if one is not None}


def _trail(offset: Offset | None) -> dict[str, object]:
    if offset is None:
        return {}
    word = _TRAILING_WORDS.get(offset.unit)
    if word is None:
        raise UnsupportedError(f"a gateway trails by no {OffsetUnit(offset.unit).lower()}")
    return {"trailing_distance": format_decimal(offset.value), "trailing_type": word}


def _level(leg: Exit | None) -> Decimal | None:
    """Return the one thing that an exit may say: its price."""
    if leg is None:
        return None
    is_plain = leg.trigger is None and leg.time_in_force in (None, TimeInForce.GTC)
    if leg.price is None or not is_plain or leg.venue_options:
        raise UnsupportedError("a gateway's exits have a price, and nothing besides")
    return leg.price


def _group(request: OrderRequest) -> dict[str, object]:
    if request.group_id is None:
        return {}
    if len(request.group_id) > _LONGEST_GROUP:
        message = f"a gateway takes groups of at most {_LONGEST_GROUP} letters"
        raise UnsupportedError(message)
    return {"oco_group_id": request.group_id}


def _options(request: OrderRequest) -> dict[str, object]:
    options = request.venue_options
    found: dict[str, object] = {}
    if _LEVERAGE in options:
        found["leverage"] = str(options[_LEVERAGE])
    if _MARGIN_MODE in options:
        mode = str(options[_MARGIN_MODE]).upper()
        if mode not in MARGIN_MODES:
            wrong = Violation.of(_MARGIN_MODE, mode, " or ".join(MARGIN_MODES))
            raise InvalidOrderError.of("OrderRequest", [wrong])
        found["margin_mode"] = mode
    return found
