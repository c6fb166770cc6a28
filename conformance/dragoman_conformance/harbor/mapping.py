"""Harbor's words in the library's, and back: plain functions, nothing remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import InvalidOrderError, ProtocolError, Violation
from dragoman.models import (
    Account,
    AssetClass,
    Fill,
    Instrument,
    InstrumentKind,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderOrigin,
    OrderStatus,
    OrderType,
    PendingAction,
    Position,
    PositionEffect,
    PositionEvent,
    Side,
    TimeInForce,
)
from dragoman.models.account import Balance

from . import wire

if TYPE_CHECKING:
    from dragoman.models import Event, OrderChange, OrderRequest

__all__ = [
    "account_of",
    "change_content",
    "client_id_of",
    "events_of",
    "fill_of",
    "instrument_of",
    "order_content",
    "order_of",
    "position_of",
]

PROVIDER: Final = "harbor"
_SIDES: Final = {wire.Side.BUY: Side.BUY, wire.Side.SELL: Side.SELL}
_TYPES: Final = {
    wire.OrderType.MARKET: OrderType.MARKET,
    wire.OrderType.LIMIT: OrderType.LIMIT,
}
_STATUSES: Final = {
    wire.OrderState.OPEN: OrderStatus.OPEN,
    wire.OrderState.PARTIALLY_FILLED: OrderStatus.PARTIALLY_FILLED,
    wire.OrderState.FILLED: OrderStatus.FILLED,
    wire.OrderState.CANCELED: OrderStatus.CANCELED,
    wire.OrderState.EXPIRED: OrderStatus.EXPIRED,
}
_EVENTS: Final = {
    wire.OrderWord.ACCEPTED: OrderEventKind.ACCEPTED,
    wire.OrderWord.REPLACED: OrderEventKind.REPLACED,
    wire.OrderWord.CANCELING: OrderEventKind.PENDING_CANCEL,
    wire.OrderWord.FILL: OrderEventKind.FILL,
    wire.OrderWord.CANCELED: OrderEventKind.CANCELED,
    wire.OrderWord.EXPIRED: OrderEventKind.EXPIRED,
}


def client_id_of(client_id: str | None, venue_id: str) -> str:
    """Return the id that an order goes by here; orders from elsewhere are named by the venue."""
    return f"ext-{venue_id}" if client_id is None else client_id


def order_content(request: OrderRequest) -> dict[str, str | bool]:
    """Write an order as `POST /orders` takes it.

    Raises:
        InvalidOrderError: It names no quantity, which harbor can't do without (NOT_SENT).
    """
    if request.quantity is None:
        found = Violation.of("quantity", None, "a quantity; harbor takes no notional")
        raise InvalidOrderError.of("OrderRequest", [found])
    content: dict[str, str | bool] = {
        "account": request.account_id or "",
        "client_id": request.client_order_id or "",
        "symbol": request.symbol,
        "side": request.side.lower(),
        "type": request.order_type.lower(),
        "quantity": str(request.quantity),
    }
    if request.limit_price is not None:
        content["price"] = str(request.limit_price)
    if request.position_effect is PositionEffect.CLOSE:
        content["reduce_only"] = True
    return content


def change_content(change: OrderChange) -> dict[str, str]:
    """Write a change as `PATCH /orders/{venue_id}` takes it: only what is to change."""
    content: dict[str, str] = {}
    for name, field in (("quantity", "quantity"), ("price", "limit_price")):
        amount: object = getattr(change, field)
        if field in change.fields:
            content[name] = str(amount)
    return content


def order_of(row: wire.OrderRow, received_at_ns: int) -> Order:
    """Read an order."""
    return Order(
        client_order_id=client_id_of(row.client_id, row.venue_id),
        account_id=row.account,
        symbol=row.symbol,
        side=_SIDES[row.side],
        order_type=_TYPES[row.type],
        status=_STATUSES[row.state],
        provider=PROVIDER,
        received_at_ns=received_at_ns,
        quantity=row.quantity,
        limit_price=row.price,
        time_in_force=TimeInForce.GTC,
        pending=PendingAction.CANCEL if row.canceling else None,
        venue_status=row.state,
        venue_order_ids=(row.venue_id,),
        revision=row.revision,
        filled_quantity=row.filled,
        origin=OrderOrigin.EXTERNAL if row.client_id is None else OrderOrigin.CLIENT,
        created_at_ns=_time(row.created_ns),
        updated_at_ns=_time(row.updated_ns),
    )


def fill_of(row: wire.FillRow, received_at_ns: int) -> Fill:
    """Read a fill."""
    return Fill(
        fill_id=row.fill_id,
        account_id=row.account,
        client_order_id=client_id_of(row.client_id, row.venue_id),
        symbol=row.symbol,
        side=_SIDES[row.side],
        quantity=row.quantity,
        price=row.price,
        venue_time_ns=_time(row.time_ns),
        provider=PROVIDER,
        received_at_ns=received_at_ns,
        venue_order_id=row.venue_id,
    )


def position_of(row: wire.PositionRow, received_at_ns: int) -> Position:
    """Read a position."""
    return Position(
        position_id=row.symbol,
        account_id=row.account,
        symbol=row.symbol,
        quantity=row.quantity,
        provider=PROVIDER,
        received_at_ns=received_at_ns,
    )


def account_of(row: wire.AccountRow, received_at_ns: int) -> Account:
    """Read an account."""
    return Account(
        account_id=row.account,
        provider=PROVIDER,
        received_at_ns=received_at_ns,
        currency=row.currency,
        cash=row.cash,
        balances=(Balance(currency=row.currency, total=row.cash),),
    )


def instrument_of(row: wire.InstrumentRow, received_at_ns: int) -> Instrument:
    """Read an instrument."""
    return Instrument(
        symbol=row.symbol,
        asset_class=AssetClass.EQUITY,
        kind=InstrumentKind.SPOT,
        quote=row.currency,
        settlement=row.currency,
        provider=PROVIDER,
        received_at_ns=received_at_ns,
        tick_size=row.tick,
        lot_size=row.lot,
    )


def events_of(frame: wire.Frame, received_at_ns: int) -> tuple[Event, ...]:
    """Read what a frame tells a reader; nothing for those that only keep the stream going.

    Raises:
        ProtocolError: It lacks what its kind needs.
    """
    match frame.type:
        case wire.FrameKind.ORDER:
            return (_order_event(frame, received_at_ns),)
        case wire.FrameKind.POSITION:
            return (_position_event(frame, received_at_ns),)
        case _:
            return ()


def _order_event(frame: wire.Frame, received_at_ns: int) -> OrderEvent:
    if frame.order is None or frame.what is None or frame.time_ns is None:
        raise ProtocolError("a frame about an order lacks order, what or time_ns")
    is_fill = frame.what is wire.OrderWord.FILL
    if is_fill != (frame.fill is not None):
        raise ProtocolError("a frame about an order says fill without one, or the reverse")
    return OrderEvent(
        kind=_EVENTS[frame.what],
        order=order_of(frame.order, received_at_ns),
        account_id=frame.order.account,
        received_at_ns=received_at_ns,
        fill=None if frame.fill is None else fill_of(frame.fill, received_at_ns),
        event_id=frame.event_id,
        venue_time_ns=_time(frame.time_ns),
    )


def _position_event(frame: wire.Frame, received_at_ns: int) -> PositionEvent:
    if frame.position is None or frame.time_ns is None:
        raise ProtocolError("a frame about a position lacks position or time_ns")
    return PositionEvent(
        position=position_of(frame.position, received_at_ns),
        account_id=frame.position.account,
        received_at_ns=received_at_ns,
        event_id=frame.event_id,
        venue_time_ns=_time(frame.time_ns),
    )


def _time(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ProtocolError("a time is no whole number of nanoseconds")
    return int(text)
