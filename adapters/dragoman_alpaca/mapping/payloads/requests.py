"""What a client sends: orders, changes of them, and its messages on the streams.

A change does not say how the order stands: its trailing distance is taken for one in price, and its
quantity for the new total.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import attrs

from dragoman.decoding import UNSAID, PayloadKind, Shape
from dragoman.errors import InvalidOrderError, Violation
from dragoman.models import (
    Offset,
    Order,
    OrderStatus,
    OrderType,
    Side,
    Subscription,
)
from dragoman_alpaca.mapping.asked import change_of, request_of, requests_of_oco
from dragoman_alpaca.mapping.words import TIMES_IN_FORCE
from dragoman_alpaca.wire.requests import OrderBody, ReplaceBody

from .documents import fields_of, is_side_of_position, read_as, read_document, reading_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dragoman.decoding import PayloadContext

__all__ = ["REQUESTS", "subscription_of"]

_CHANNELS: Final = {
    "trades": "trades",
    "quotes": "quotes",
    "orderbooks": "depth",
    "statuses": "market_status",
    "lulds": "tickers",
}
_UNHEARD: Final = ("news", "imbalances", "corrections", "cancelErrors")
"""Channels that are none here; corrections come with trades."""
_BARS: Final = {"bars": "1m", "updatedBars": "1m", "dailyBars": "1d"}


def subscription_of(channels: Mapping[str, object]) -> Subscription:
    """Return what lists of symbols by channel ask for; `*`, all symbols, stays as it is.

    What the library has no channel for, such as news, is left out.
    """
    wanted = {ours: frozenset(_symbols(channels.get(theirs))) for theirs, ours in _CHANNELS.items()}
    bars = {
        (symbol, frame)
        for channel, frame in _BARS.items()
        for symbol in _symbols(channels.get(channel))
    }
    return Subscription(**wanted, bars=bars)  # type: ignore[arg-type]  # by name, as it has them


def _symbols(found: object) -> list[str]:
    items = cast("Iterable[object]", found) if isinstance(found, (list, tuple)) else ()
    return [one for one in items if isinstance(one, str) and one]


def _fields(document: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", document) if isinstance(document, dict) else {}


def _order(data: bytes, context: PayloadContext) -> Sequence[object]:
    body = read_as(data, OrderBody)
    symbol = reading_of(context).symbols.symbol_of(body.symbol or context.symbol)
    name = body.client_order_id or UNSAID
    if body.order_class == "oco":
        both = requests_of_oco(body, symbol=symbol, client_order_id=name, child_id=UNSAID)
        requests = [*both]
        requests[1] = attrs.evolve(both[1], client_order_id=None)
    else:
        requests = [request_of(body, symbol=symbol, client_order_id=name)]
    if not body.client_order_id:
        requests[0] = attrs.evolve(requests[0], client_order_id=None)
    return requests


def _change(data: bytes, context: PayloadContext) -> Sequence[object]:
    body = read_as(data, ReplaceBody)
    change = change_of(body, _bare_order(body, context), quantity=body.qty)
    if change is None:
        nothing = Violation.of("change", None, "at least one field to change")
        raise InvalidOrderError.of("order", [nothing])
    return (change,)


def _bare_order(body: ReplaceBody, context: PayloadContext) -> Order:
    """Return an order of which nothing is known but that the change fits it."""
    return Order(
        client_order_id=UNSAID,
        account_id=context.account_id,
        symbol=context.symbol,
        side=Side.BUY,
        order_type=OrderType.UNKNOWN,
        status=OrderStatus.UNKNOWN,
        provider=context.provider,
        received_at_ns=context.received_at_ns,
        time_in_force=TIMES_IN_FORCE.get(body.time_in_force or ""),
        trailing=None if body.trail is None else Offset.price(abs(body.trail) + 1),
    )


def _message(data: bytes, _: PayloadContext) -> Sequence[object]:
    fields = _fields(read_document(data))
    action = fields.get("action")
    if action == "listen":
        streams = _fields(fields.get("data")).get("streams")
        is_wanted = "trade_updates" in _symbols(streams)
        return (Subscription(orders=is_wanted, positions=is_wanted),)
    if action == "subscribe" or action == "unsubscribe":  # noqa: PLR1714 - may not be hashable
        return (subscription_of(fields),)
    return ()


def _says(*actions: str) -> Shape:
    return Shape.of(
        "action",
        names=("data", "key", "secret", *_UNHEARD, *_CHANNELS, *_BARS),
        lacks="stream T",
        where=lambda fields: any(fields["action"] == action for action in actions),
    )


REQUESTS: Final = (
    PayloadKind(
        name="order_request",
        title="An order as a client sends it: POST /v2/orders",
        likeness=Shape.of(
            *("symbol side", "order_class type", "type time_in_force", "symbol notional"),
            *("symbol type", "side type", "take_profit", "stop_loss", "legs time_in_force"),
            names=fields_of(OrderBody),
            lacks="id status created_at filled_qty activity_type avg_entry_price T stream class "
            "strike_price unrealized_pl message order_id market_value price event",
            where=lambda fields: not is_side_of_position(fields.get("side")),
        ),
        decode=_order,
        note="one of more than one leg is refused: the library does not take those",
    ),
    PayloadKind(
        name="replace_request",
        title="A change of an order as a client sends it: PATCH /v2/orders/{id}",
        likeness=Shape.of(
            *("limit_price", "stop_price", "trail", "qty", "notional", "time_in_force"),
            names=fields_of(ReplaceBody),
            lacks="id symbol side type order_class legs status activity_type T stream message "
            "order_type take_profit stop_loss",
        ),
        decode=_change,
        note="the distance of a trailing stop is read as one in price",
    ),
    PayloadKind(
        name="subscribe_message",
        title="A client subscribes on a market data stream, or unsubscribes",
        likeness=_says("subscribe", "unsubscribe"),
        decode=_message,
    ),
    PayloadKind(
        name="listen_message",
        title="A client listens on the trading stream",
        likeness=_says("listen"),
        decode=_message,
    ),
    PayloadKind(
        name="auth_message",
        title="A client shows its key on a stream",
        likeness=_says("auth", "authenticate"),
        decode=_message,
        note="it asks for no data",
    ),
)
"""What clients send."""
