"""What the messages of the stream tell.

An execution is told by its own message; the message about its order, which comes first, only says
how the order stands, and is kept until then. So each execution is told once, by the id that lists
show it under too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.errors import DecodeError, ProtocolError, UnmappedValueError
from dragoman.models import (
    AccountEvent,
    ConnectionEvent,
    ConnectionState,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    PositionEvent,
    ProtectionEvent,
    ProtectionKind,
    Quarantined,
    RateLimit,
    Staleness,
)
from dragoman.money import ZERO
from dragoman.transport.codec import JsonDecoder

from .account import account_of, position_of
from .market import bar_of, quote_of
from .orders import at_work, execution_of, fill_of, order_of, order_of_fill
from .reading import time_of
from .words import ACCOUNT_EVENTS, CONNECTION_EVENTS, ORDER_EVENTS, STALENESS_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from dragoman.models import Event, Order
    from dragoman_tektii.wire import Message, OrderRow, TradeRow

    from .reading import Reading

    Part = TypeVar("Part")

__all__ = ["BROKER_CHANNEL", "MARKET_CHANNEL", "events_of", "fill_events", "restated", "stands"]

BROKER_CHANNEL: Final = "broker"
"""The channel of a gateway's own connection to the broker behind it."""
MARKET_CHANNEL: Final = "market"

_ENDS: Final = {
    OrderStatus.CANCELED: OrderEventKind.CANCELED,
    OrderStatus.EXPIRED: OrderEventKind.EXPIRED,
    OrderStatus.REJECTED: OrderEventKind.REJECTED,
}
_PROTECTION: Final = {
    "POSITION_UNPROTECTED": ProtectionKind.UNPROTECTED,
    "OCO_DOUBLE_EXIT": ProtectionKind.DOUBLE_EXIT,
}
_SILENT: Final = frozenset({"ping", "pong", "financing", "subscribed", "backtest_complete"})
"""What tells nothing of the account or the market, or what no channel here carries."""
_LONGEST: Final = 300


class _Details(msgspec.Struct):
    """What a warning about a position's exits names."""

    position_id: str | None = None
    symbol: str | None = None
    order_id: str | None = None


_READ_DETAILS: Final = JsonDecoder(_Details)


def events_of(message: Message, reading: Reading) -> Sequence[Event]:
    """Read what a message tells; nothing for those that only keep the stream going.

    Raises:
        ProtocolError: It is of no known type, or lacks what its type needs.
    """
    if message.type in _SILENT:
        return ()
    read = _READERS.get(message.type)
    if read is None:
        raise UnmappedValueError(f"a message is of no known type: {message.type[:40]!r}")
    return read(message, reading)


def restated(row: OrderRow, reading: Reading) -> OrderEvent:
    """Return how an order stands now, its end included, without an execution."""
    order = order_of(row, reading)
    kind = _ENDS.get(order.status, OrderEventKind.RESTATED)
    return _event(kind, order, reading)


def stands(row: OrderRow, reading: Reading) -> tuple[OrderEvent, ...]:
    """Return how an order stands; where no executions are listed, what it filled at its end too."""
    told = restated(row, reading)
    made = None if reading.has_executions else execution_of(row)
    return (told,) if made is None else (*fill_events(made, reading), told)


def fill_events(row: TradeRow, reading: Reading) -> tuple[OrderEvent, ...]:
    """Return the event of an execution; nothing for one that was told before."""
    fill = fill_of(row, reading)
    book = reading.book
    if not book.take_fill(row):
        return ()
    shown = book.row_of(row.order_id)
    if shown is None or not shown.symbol:
        order = order_of_fill(fill)
    else:
        order = order_of(shown, reading)
        if book.untold(shown) > 0:
            order = at_work(order, book.filled(row.order_id))
    told = OrderEvent(
        kind=OrderEventKind.FILL,
        order=order,
        account_id=reading.account_id,
        received_at_ns=reading.received_at_ns,
        fill=fill,
        event_id=f"trade:{row.id}",
        venue_time_ns=fill.venue_time_ns,
    )
    return (told,)


def _event(kind: OrderEventKind, order: Order, reading: Reading) -> OrderEvent:
    return OrderEvent(
        kind=kind,
        order=order,
        account_id=reading.account_id,
        received_at_ns=reading.received_at_ns,
        venue_time_ns=order.updated_at_ns,
    )


def _order(message: Message, reading: Reading) -> Sequence[Event]:
    row = _part(message.order, message)
    if message.parent_order_id and not row.parent_order_id:
        row.parent_order_id = message.parent_order_id
    kind = ORDER_EVENTS.get(message.event or "")
    if kind is None:
        raise UnmappedValueError(f"an order met with what is not known: {message.event!r}")
    if kind is OrderEventKind.CANCELED and reading.book.is_superseded(row.id):
        return ()
    if not reading.has_executions and row.filled_quantity:
        return stands(row, reading)
    order = order_of(row, reading)
    if kind is OrderEventKind.FILL:
        if reading.book.untold(row) > 0:
            return ()  # the execution itself is told next, or asked for
        return (_event(_ENDS.get(order.status, OrderEventKind.RESTATED), order, reading),)
    if kind is OrderEventKind.REPLACED and order.pending is not None:
        kind = OrderEventKind.PENDING_CANCEL
    elif kind is OrderEventKind.REPLACED and order.revision == 0:
        kind = OrderEventKind.RESTATED
    elif kind is OrderEventKind.ACCEPTED and order.filled_quantity:
        order = at_work(order, ZERO)
    return (_event(kind, order, reading),)


def _trade(message: Message, reading: Reading) -> Sequence[Event]:
    if not reading.has_executions:
        return ()
    return fill_events(_part(message.trade, message), reading)


def _position(message: Message, reading: Reading) -> Sequence[Event]:
    row = _part(message.position, message)
    position = position_of(row, reading, is_closed=message.event == "POSITION_CLOSED")
    return (
        PositionEvent(
            position=position,
            account_id=reading.account_id,
            received_at_ns=reading.received_at_ns,
            venue_time_ns=position.updated_at_ns or time_of(message.timestamp),
        ),
    )


def _account(message: Message, reading: Reading) -> Sequence[Event]:
    kind = ACCOUNT_EVENTS.get(message.event or "")
    if kind is None:
        raise UnmappedValueError(f"an account met with what is not known: {message.event!r}")
    return (
        AccountEvent(
            account=account_of(_part(message.account, message), reading),
            kind=kind,
            account_id=reading.account_id,
            received_at_ns=reading.received_at_ns,
            venue_time_ns=time_of(message.timestamp),
        ),
    )


def _candle(message: Message, reading: Reading) -> Sequence[Event]:
    """Read a bar. What a backtest waits for to be worked on is whole."""
    at_ns = None if message.event_id else time_of(message.timestamp) or reading.received_at_ns
    return (bar_of(_part(message.bar, message), reading, at_ns=at_ns),)


def _quote(message: Message, reading: Reading) -> Sequence[Event]:
    return (quote_of(_part(message.quote, message), reading),)


def _connection(message: Message, reading: Reading) -> Sequence[Event]:
    """Read what became of the connection to the broker; of one's own, the link tells itself."""
    event = message.event or ""
    state = CONNECTION_EVENTS.get(event)
    if state is None:
        raise UnmappedValueError(f"a connection met with what is not known: {event[:40]!r}")
    if not event.startswith("BROKER_") and state is not ConnectionState.RECONNECTING:
        return ()
    gap_ms = message.gap_duration_ms
    cause = f"{message.broker or 'the broker'}: {event}"
    if message.error:
        cause = f"{cause}: {message.error[:_LONGEST]}"
    return (
        ConnectionEvent(
            state=state,
            channel=BROKER_CHANNEL,
            received_at_ns=reading.received_at_ns,
            cause=cause,
            gap_ns=None if gap_ms is None else int(gap_ms) * 1_000_000,
        ),
    )


def _staleness(message: Message, reading: Reading) -> Sequence[Event]:
    state = STALENESS_EVENTS.get(message.event or "")
    if state is None:
        raise UnmappedValueError(f"a staleness that is not known: {message.event!r}")
    return (
        Staleness(
            state=state,
            channel=MARKET_CHANNEL,
            symbols=tuple(message.symbols),
            since_ns=time_of(message.stale_since) or reading.received_at_ns,
            received_at_ns=reading.received_at_ns,
        ),
    )


def _rate_limit(message: Message, reading: Reading) -> Sequence[Event]:
    left = message.requests_remaining
    return (
        RateLimit(
            pool=BROKER_CHANNEL,
            received_at_ns=reading.received_at_ns,
            remaining=None if left is None else int(left),
            resets_at_ns=time_of(message.reset_at),
        ),
    )


def _error(message: Message, reading: Reading) -> Sequence[Event]:
    """Read a warning; what is not about exits has the account compared with the broker."""
    said = f"{message.code}: {message.message or ''}"[:_LONGEST]
    kind = _PROTECTION.get(message.code or "")
    if kind is None:
        return (Quarantined(channel="private", error=said, received_at_ns=reading.received_at_ns),)
    try:
        details = _READ_DETAILS.decode(bytes(message.details) or b"{}")
    except DecodeError:
        details = _Details()
    name = reading.book.name_of(details.order_id) if details.order_id else None
    return (
        ProtectionEvent(
            kind=kind,
            position_id=details.position_id or details.symbol or "?",
            client_order_ids=() if name is None else (name,),
            cause=said,
            account_id=reading.account_id,
            received_at_ns=reading.received_at_ns,
        ),
    )


_READERS: Final[dict[str, Callable[[Message, Reading], Sequence[Event]]]] = {
    "order": _order,
    "trade": _trade,
    "position": _position,
    "account": _account,
    "candle": _candle,
    "quote": _quote,
    "connection": _connection,
    "data_staleness": _staleness,
    "rate_limit": _rate_limit,
    "error": _error,
}


def _part(part: Part | None, message: Message) -> Part:
    if part is None:
        raise ProtocolError(f"a message of type {message.type} lacks what it is about")
    return part
