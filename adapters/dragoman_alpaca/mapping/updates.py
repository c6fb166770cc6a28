"""Executions, and what trade updates tell: the events of an order's life.

A fill must have the same id wherever it is shown, or it counts twice. The stream names executions
by `execution_id`, the activities by an id of their own, and that the two agree is said nowhere. So
a fill goes by its order's id and by what that order had filled with it, which both of them show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import ProtocolError
from dragoman.ids import stable_id
from dragoman.models import (
    Fill,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    PendingAction,
    Position,
    PositionEvent,
)
from dragoman.models.trusted import builder
from dragoman.money import format_decimal

from .orders import UNNAMED, follow, is_on_its_way, order_before, sighting_of
from .words import EVENTS, SIDES, time_of

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Event, Order
    from dragoman_alpaca.wire.trading import ActivityRow, OrderRow, TradeUpdate

    from .reading import Reading

__all__ = ["event_of", "fill_id_of", "fill_of_activity", "fill_of_update"]

_told = builder(OrderEvent)
_fill = builder(Fill)
_position = builder(Position)
_position_told = builder(PositionEvent)
"""What goes into them is checked here or of an order that was."""

_ON_ITS_WAY: Final = frozenset({"accepted", "pending_new"})
_LONGEST_NAME: Final = 80
_ENDS: Final = {
    OrderStatus.CANCELED: OrderEventKind.CANCELED,
    OrderStatus.EXPIRED: OrderEventKind.EXPIRED,
    OrderStatus.REJECTED: OrderEventKind.REJECTED,
}
_REFUSALS: Final = frozenset({OrderEventKind.CANCEL_REJECTED, OrderEventKind.REPLACE_REJECTED})
_MAY_GO_ON: Final = frozenset({"replaced", "partially_filled"})
"""What has filled of such an order counts for the one that replaces it."""
_OF_A_REPLACEMENT: Final = {
    OrderEventKind.SUBMITTED: OrderEventKind.PENDING_REPLACE,
    OrderEventKind.ACCEPTED: OrderEventKind.REPLACED,
    OrderEventKind.REJECTED: OrderEventKind.REPLACE_REJECTED,
}
"""What the arrival of an order that replaces another tells of the intent."""


def event_of(update: TradeUpdate, reading: Reading) -> tuple[Event, ...]:
    """Return what a trade update tells: an order's event and, after a fill, the position's.

    Nothing for `replaced`, which shows the order that is over: the `new` of the order after it
    tells the replace; nor for a leg that can't be named before the order it was sent with is
    answered: that answer tells it. A fill that does not say its price, its quantity or what its
    order has filled is told as what it makes of the order. Legs shown nested are learned by the
    reading.

    Raises:
        ProtocolError: It does not say what the order is for, or holds what no order can have.
    """
    row = update.order
    if row.legs:
        reading.legs.learn(row)
    if row.replaces or row.status in _MAY_GO_ON or reading.lineage.place_of(row.id) is not None:
        follow(row, reading)
    kind = _kind(update, reading)
    if kind is None:
        return ()
    if kind is OrderEventKind.REPLACE_REJECTED and not _is_news(update, reading):
        kind = OrderEventKind.RESTATED
    is_nameless = reading.legs.is_nameless(row, reading.received_at_ns)
    if is_nameless and kind is not OrderEventKind.FILL:
        return ()
    order = _order(update, kind, reading)
    if order.symbol == UNNAMED:
        raise ProtocolError(f"a trade update {update.event[:40]!r} names no symbol")
    time_ns = _time(update)
    if kind in _REFUSALS and time_ns is not None:
        # A command that was refused leaves the row as it was, with the time that it had.
        told_ns = max(time_ns, order.updated_at_ns or time_ns)
        order = attrs.evolve(order, updated_at_ns=told_ns)
    fill = None
    if kind is OrderEventKind.FILL:
        fill = fill_of_update(update, order, time_ns)
        kind = kind if fill is not None else _restated(order)
    told = _told(
        kind=kind,
        order=order,
        account_id=reading.account_id,
        received_at_ns=reading.received_at_ns,
        fill=fill,
        event_id=_event_id(update),
        venue_time_ns=time_ns,
    )
    if fill is None or update.position_qty is None:
        return (told,)
    return (told, _position_event(update.position_qty, told))


def fill_of_update(update: TradeUpdate, order: Order, time_ns: int | None) -> Fill | None:
    """Return the execution that a trade update of `order` tells; None if it does not say it all.

    None for a multi-leg order, too: positions are held in its legs, whose orders fill on their own.

    Args:
        update: The update.
        order: What it says of the order.
        time_ns: When it happened; None: when it was received, for want of better.

    Raises:
        ProtocolError: It holds what no execution can have.
    """
    row = update.order
    is_combo = row.order_class == "mleg" and not row.symbol
    # Without what has filled it can't be named as the activities will name it, and would count
    # twice.
    if update.price is None or not update.qty or not row.filled_qty or is_combo:
        return None
    fill_id = fill_id_of(row.id, row.filled_qty)
    _check_quantity(update.qty)
    return _fill(
        fill_id=fill_id,
        account_id=order.account_id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=update.qty,
        price=update.price,
        venue_time_ns=time_ns or order.received_at_ns,
        provider=order.provider,
        received_at_ns=order.received_at_ns,
        venue_order_id=row.id,
    )


def fill_of_activity(row: ActivityRow, reading: Reading) -> Fill | None:
    """Return the execution that an activity is; None for an activity of another kind.

    It does not say the client order id: the broker finds the order by the venue's.

    Raises:
        ProtocolError: It lacks what an execution must have, or holds what none can have.
    """
    if row.activity_type != "FILL":
        return None
    side, quantity, price = SIDES.get((row.side or "").lower()), row.qty, row.price
    symbol, order_id = row.symbol, row.order_id
    if side is None or quantity is None or price is None or not symbol or not order_id:
        raise ProtocolError("an execution lacks side, qty, price, symbol or order_id")
    if not (_is_name(symbol) and _is_name(order_id) and _is_name(row.id)):
        raise ProtocolError("an execution names what is no symbol or no id")
    _check_quantity(quantity)
    known = reading.legs.name_of(order_id)
    return _fill(
        fill_id=fill_id_of(order_id, row.cum_qty) if row.cum_qty else row.id,
        account_id=reading.account_id,
        client_order_id=f"ext-{order_id}" if known is None else known[0],
        symbol=reading.symbols.symbol_of(symbol),
        side=side,
        quantity=quantity,
        price=price,
        venue_time_ns=time_of(row.transaction_time) or reading.received_at_ns,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        venue_order_id=order_id,
    )


def fill_id_of(order_id: str, cumulative: Decimal) -> str:
    """Return the id of the execution with which an order has filled `cumulative` in all."""
    text = str(cumulative)
    if "E" in text:
        text = format_decimal(cumulative)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{order_id}:{text}"


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_NAME and text.isprintable()


def _check_quantity(quantity: Decimal) -> None:
    if quantity <= 0:
        raise ProtocolError(f"an execution is of {quantity}")


def _kind(update: TradeUpdate, reading: Reading) -> OrderEventKind | None:
    event = update.event
    kind = EVENTS.get(event)
    if kind is None and event not in EVENTS:
        reading.strangers.report("trade update", event)
        kind = _restated(sighting_of(update.order, reading))
    if kind is None or not update.order.replaces:
        return kind
    return _OF_A_REPLACEMENT.get(kind, kind)


def _restated(order: Order) -> OrderEventKind:
    """Return how an order's state is told when no event is known that led to it."""
    return _ENDS.get(order.status, OrderEventKind.RESTATED)


def _order(update: TradeUpdate, kind: OrderEventKind, reading: Reading) -> Order:
    row = update.order
    if row.replaces:
        if update.event in _ON_ITS_WAY:
            return order_before(row, reading, pending=PendingAction.REPLACE)
        is_refusal = kind is OrderEventKind.REPLACE_REJECTED or update.event == "rejected"
        if is_refusal and _is_refused(row):
            return order_before(row, reading)
    return sighting_of(row, reading)


def _is_refused(row: OrderRow) -> bool:
    """Tell whether a row is the order that was to replace another, and never did."""
    return bool(row.replaces) and (row.status == "rejected" or is_on_its_way(row))


def _is_news(update: TradeUpdate, reading: Reading) -> bool:
    """Tell whether the refusal of a replace was not told yet, of whichever of its two orders."""
    row = update.order
    stands = row.replaces if row.replaces and _is_refused(row) else row.id
    return reading.lineage.is_news(stands, update.event)


def _position_event(quantity: Decimal, told: OrderEvent) -> PositionEvent:
    order, time_ns = told.order, told.venue_time_ns
    position = _position(
        position_id=order.symbol,
        account_id=order.account_id,
        symbol=order.symbol,
        quantity=quantity,
        provider=order.provider,
        received_at_ns=order.received_at_ns,
        updated_at_ns=time_ns,
    )
    return _position_told(
        position=position,
        account_id=order.account_id,
        received_at_ns=order.received_at_ns,
        event_id=None if told.event_id is None else f"{told.event_id}:position",
        venue_time_ns=time_ns,
    )


def _time(update: TradeUpdate) -> int | None:
    """Return when it happened: an execution's time precedes that of the order's row."""
    return (
        time_of(update.timestamp)
        or time_of(update.at)
        or time_of(update.order.updated_at)
        or time_of(update.order.submitted_at)
    )


def _event_id(update: TradeUpdate) -> str | None:
    """Return the venue's id of the event, else one that is a function of what it tells.

    None where nothing tells it from another of its kind.
    """
    if update.event_id:
        return update.event_id
    said = (update.execution_id, update.timestamp or update.at, update.order.updated_at)
    if not any(said):
        return None
    return stable_id(update.order.id, update.event, *[one or "" for one in said])
