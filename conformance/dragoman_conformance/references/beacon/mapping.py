"""Beacon's words in the library's, and back: every fact of the venue in one small place each.

Plain functions, nothing remembered, no input or output. A word that has no meaning here yet becomes
UNKNOWN, never something else.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import InvalidValueError, ProtocolError, UnsupportedError
from dragoman.models import (
    Account,
    AccountEvent,
    AccountEventKind,
    AssetClass,
    Balance,
    Exit,
    Fill,
    Instrument,
    InstrumentKind,
    Liquidity,
    MarginMode,
    Money,
    Offset,
    OffsetUnit,
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
    PositionMode,
    Quote,
    Side,
    TimeInForce,
)
from dragoman.money import ZERO, add, format_decimal, signed
from dragoman.times import format_time, parse_time

from . import errors

if TYPE_CHECKING:
    from dragoman.models import Event, OrderChange, OrderRequest

    from . import wire

__all__ = [
    "KINDS",
    "STATES",
    "TIMES",
    "TYPES",
    "Reading",
    "account_of",
    "change_body",
    "client_id_of",
    "events_of",
    "fill_of",
    "instrument_of",
    "number",
    "order_body",
    "order_of",
    "position_of",
    "quote_of",
    "side_of",
    "specifier_of",
    "time_of",
    "units_of",
]

STATES: Final = {
    "HELD": OrderStatus.HELD,
    "PENDING": OrderStatus.OPEN,
    "TRIGGERED": OrderStatus.OPEN,
    "FILLED": OrderStatus.FILLED,
    "CANCELLED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.REJECTED,
}
TYPES: Final = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "STOP": OrderType.STOP,
    "MARKET_IF_TOUCHED": OrderType.MARKET_IF_TOUCHED,
    "TRAILING_STOP": OrderType.TRAILING_STOP,
}
TIMES: Final = {
    "GTC": TimeInForce.GTC,
    "GTD": TimeInForce.GTD,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
}
KINDS: Final = {
    "CURRENCY": (AssetClass.FX, InstrumentKind.SPOT),
    "METAL": (AssetClass.COMMODITY, InstrumentKind.CFD),
    "CRYPTO": (AssetClass.CRYPTO, InstrumentKind.SPOT),
}
_LIQUIDITIES: Final = {"MAKER": Liquidity.MAKER, "TAKER": Liquidity.TAKER}
_REDUCE_ONLY: Final = "REDUCE_ONLY"
_REPLACED: Final = "REPLACED"
_REPLACEMENT: Final = "REPLACEMENT"
_EVENTS: Final = {
    "ORDER_CREATE": OrderEventKind.ACCEPTED,
    "ORDER_TRIGGER": OrderEventKind.TRIGGERED,
    "ORDER_FILL": OrderEventKind.FILL,
    "ORDER_FILL_CANCEL": OrderEventKind.FILL_BUSTED,
    "ORDER_RESTATE": OrderEventKind.RESTATED,
    "ORDER_CANCEL": OrderEventKind.CANCELED,
    "ORDER_EXPIRE": OrderEventKind.EXPIRED,
    "ORDER_REJECT": OrderEventKind.REJECTED,
    "ORDER_CANCEL_REJECT": OrderEventKind.CANCEL_REJECTED,
    "ORDER_REPLACE_REJECT": OrderEventKind.REPLACE_REJECTED,
}
_EXECUTIONS: Final = frozenset({OrderEventKind.FILL, OrderEventKind.FILL_BUSTED})
_ELSEWHERE: Final = "ext-"
_ONE: Final = Decimal(1)


@attrs.frozen(kw_only=True)
class Reading:
    """What is known besides a row when it is read: whose it is, and when it came."""

    provider: str
    account_id: str
    received_at_ns: int


def number(amount: Decimal) -> str:
    """Write an amount as beacon takes it: plain digits, scale kept, never an exponent."""
    return format_decimal(amount)


def time_of(text: str) -> int:
    """Read a time of beacon's as UTC nanoseconds.

    Raises:
        ProtocolError: It is no time.
    """
    try:
        return parse_time(text)
    except InvalidValueError:
        raise ProtocolError(f"beacon tells a time that is none: {text[:40]!r}") from None


def side_of(units: Decimal) -> Side:
    """Return which way units trade: beacon sells what is below 0."""
    return Side.SELL if units < 0 else Side.BUY


def units_of(side: Side, quantity: Decimal) -> Decimal:
    """Return a quantity as beacon's signed units."""
    return signed(quantity, side.sign)


def client_id_of(row: wire.OrderRow) -> str:
    """Return the id that an order goes by here; one that no client named, by its first id."""
    named = row.client_extensions.id if row.client_extensions is not None else None
    return named or f"{_ELSEWHERE}{[*row.prior_order_ids, row.id][0]}"


def specifier_of(client_order_id: str | None, venue_order_id: str | None) -> str:
    """Return how a path names an order: by the client's id, which every replace keeps.

    Orders that no client named go by beacon's id.
    """
    is_named = client_order_id is not None and not client_order_id.startswith(_ELSEWHERE)
    if is_named or not venue_order_id:
        return f"@{client_order_id}"
    return venue_order_id


def order_of(row: wire.OrderRow, reading: Reading) -> Order:
    """Read an order, with what the orders that it replaced had filled.

    Raises:
        ProtocolError: A time is none.
    """
    before = row.prior_filled_units or ZERO
    order_type = TYPES.get(row.type, OrderType.UNKNOWN)
    is_limit = order_type is OrderType.LIMIT
    filled = add(before, row.filled_units).copy_abs()
    status = STATES.get(row.state, OrderStatus.UNKNOWN)
    if status is OrderStatus.OPEN and filled:
        status = OrderStatus.PARTIALLY_FILLED
    is_named = row.client_extensions is not None and row.client_extensions.id is not None
    return Order(
        client_order_id=client_id_of(row),
        account_id=reading.account_id,
        symbol=row.instrument,
        side=side_of(row.units),
        order_type=order_type,
        status=status,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        quantity=add(before, row.units).copy_abs(),
        limit_price=row.price if is_limit else None,
        stop_price=row.trailing_stop_value if row.distance is not None else _trigger(row),
        trailing=None if row.distance is None else _offset(row.distance),
        time_in_force=TIMES.get(row.time_in_force, TimeInForce.UNKNOWN),
        expires_at_ns=None if row.gtd_time is None else time_of(row.gtd_time),
        position_effect=PositionEffect.CLOSE if row.position_fill == _REDUCE_ONLY else None,
        stop_loss=_exit_of(row.stop_loss_on_fill),
        take_profit=_exit_of(row.take_profit_on_fill),
        tag=None if row.client_extensions is None else row.client_extensions.tag,
        pending=PendingAction.CANCEL if row.cancel_pending else None,
        venue_status=row.state,
        venue_order_ids=(*row.prior_order_ids, row.id),
        revision=len(row.prior_order_ids),
        filled_quantity=filled,
        average_fill_price=row.average_price,
        is_triggered=True if row.state == "TRIGGERED" else None,
        reject_reason=errors.reason_of(row.reject_reason),
        venue_code=row.reject_reason,
        origin=OrderOrigin.CLIENT if is_named else OrderOrigin.EXTERNAL,
        parent_client_order_id=row.on_fill_of,
        created_at_ns=time_of(row.create_time),
        updated_at_ns=None if row.update_time is None else time_of(row.update_time),
    )


def _trigger(row: wire.OrderRow) -> Decimal | None:
    return row.price if row.type in {"STOP", "MARKET_IF_TOUCHED"} else None


def _exit_of(leg: wire.OnFill | None) -> Exit | None:
    if leg is None:
        return None
    named = leg.client_extensions.id if leg.client_extensions is not None else None
    return Exit(price=leg.price, client_order_id=named)


def fill_of(row: wire.TransactionRow, reading: Reading) -> Fill:
    """Read an execution, or one that is taken back.

    Raises:
        ProtocolError: It lacks its order, its units or its price.
    """
    if row.order is None or row.units is None or row.price is None:
        raise ProtocolError("a fill lacks order, units or price")
    currency = row.commission_currency
    is_paid = row.commission is not None and currency is not None
    return Fill(
        fill_id=row.fill_id or row.id,
        account_id=reading.account_id,
        client_order_id=client_id_of(row.order),
        symbol=row.order.instrument,
        side=side_of(row.units),
        quantity=row.units.copy_abs(),
        price=row.price,
        venue_time_ns=time_of(row.time),
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        venue_order_id=row.order.id,
        is_busted=row.cancelled,
        liquidity=_LIQUIDITIES.get(row.liquidity or ""),
        commission=Money(row.commission or ZERO, currency or "") if is_paid else None,
    )


def position_of(row: wire.PositionRow, reading: Reading) -> Position:
    """Read a position; beacon nets, so there is one for each instrument."""
    is_known = row.unrealized_pl is not None and row.pl_currency is not None
    return Position(
        position_id=row.instrument,
        account_id=reading.account_id,
        symbol=row.instrument,
        quantity=row.units,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        average_entry_price=row.average_price if row.units else None,
        unrealized_pnl=Money(row.unrealized_pl or ZERO, row.pl_currency or "")
        if is_known
        else None,
    )


def account_of(row: wire.AccountRow, reading: Reading) -> Account:
    """Read an account: totals in its home currency, one pool of margin."""
    return Account(
        account_id=row.id,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        is_simulated=True,
        currency=row.currency,
        equity=row.nav,
        cash=row.balance,
        margin_used=row.margin_used,
        margin_available=row.margin_available,
        unrealized_pnl=row.unrealized_pl,
        balances=(Balance(currency=row.currency, total=row.balance),),
        position_mode=PositionMode.NETTING,
        margin_mode=MarginMode.CROSS,
    )


def instrument_of(row: wire.InstrumentRow, reading: Reading) -> Instrument:
    """Read an instrument; its symbol is beacon's name, such as "EUR_USD"."""
    asset_class, kind = KINDS.get(row.type, (AssetClass.UNKNOWN, InstrumentKind.UNKNOWN))
    return Instrument(
        symbol=row.name,
        aliases=(f"{row.base}/{row.quote}", f"{row.base}{row.quote}"),
        name=row.display_name,
        asset_class=asset_class,
        kind=kind,
        base=row.base,
        quote=row.quote,
        settlement=row.quote,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        tick_size=_ONE.scaleb(-row.display_precision),
        lot_size=_ONE.scaleb(-row.trade_units_precision),
        min_quantity=row.minimum_trade_size,
        max_quantity=row.maximum_order_units,
        min_notional=row.minimum_notional,
        margin_rate=row.margin_rate,
        is_tradable=row.tradeable,
        is_shortable=row.shortable,
    )


def quote_of(row: wire.PriceRow, reading: Reading) -> Quote:
    """Read a price: the best level of each side, where there is one."""
    bid = row.bids[0] if row.bids else None
    ask = row.asks[0] if row.asks else None
    return Quote(
        symbol=row.instrument,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        bid_price=None if bid is None else bid.price,
        bid_size=None if bid is None else bid.liquidity,
        ask_price=None if ask is None else ask.price,
        ask_size=None if ask is None else ask.liquidity,
        is_tradable=row.tradeable,
        venue_time_ns=time_of(row.time),
    )


def events_of(row: wire.TransactionRow, reading: Reading) -> tuple[Event, ...]:
    """Read what a transaction tells; nothing for types that mean nothing here.

    That an order was canceled to be replaced is no end of the intent: its new order tells.

    Raises:
        ProtocolError: It lacks what its type needs.
    """
    if row.type in _EVENTS:
        is_replaced = row.type == "ORDER_CANCEL" and row.reason == _REPLACED
        return () if is_replaced else (_order_event(row, reading),)
    if row.position is not None:
        return (_position_event(row, row.position, reading),)
    if row.account is not None:
        return (_account_event(row, row.account, reading),)
    return ()


def _order_event(row: wire.TransactionRow, reading: Reading) -> OrderEvent:
    if row.order is None:
        raise ProtocolError(f"a transaction {row.type} lacks its order")
    kind = _EVENTS[row.type]
    if kind is OrderEventKind.ACCEPTED and row.reason == _REPLACEMENT:
        kind = OrderEventKind.REPLACED
    order = order_of(row.order, reading)
    if kind in {OrderEventKind.CANCEL_REJECTED, OrderEventKind.REPLACE_REJECTED}:
        order = attrs.evolve(order, venue_code=row.reason, reason=row.reason)
    return OrderEvent(
        kind=kind,
        order=order,
        account_id=reading.account_id,
        received_at_ns=reading.received_at_ns,
        fill=fill_of(row, reading) if kind in _EXECUTIONS else None,
        event_id=row.id,
        venue_time_ns=time_of(row.time),
    )


def _position_event(
    row: wire.TransactionRow, held: wire.PositionRow, reading: Reading
) -> PositionEvent:
    return PositionEvent(
        position=position_of(held, reading),
        account_id=reading.account_id,
        received_at_ns=reading.received_at_ns,
        event_id=row.id,
        venue_time_ns=time_of(row.time),
    )


def _account_event(
    row: wire.TransactionRow, account: wire.AccountRow, reading: Reading
) -> AccountEvent:
    is_called = row.type == "MARGIN_CALL"
    return AccountEvent(
        account=account_of(account, reading),
        kind=AccountEventKind.MARGIN_CALL if is_called else AccountEventKind.UPDATED,
        account_id=reading.account_id,
        received_at_ns=reading.received_at_ns,
        event_id=row.id,
        venue_time_ns=time_of(row.time),
    )


def order_body(request: OrderRequest) -> dict[str, object]:
    """Write an order as `POST .../orders` takes it.

    Raises:
        UnsupportedError: It asks for what beacon has no word for (NOT_SENT).
    """
    if request.quantity is None:
        raise UnsupportedError("beacon takes orders by their units only")
    content: dict[str, object] = {
        "type": _word(TYPES, request.order_type, "order type"),
        "instrument": request.symbol,
        "units": number(units_of(request.side, request.quantity)),
        "timeInForce": _word(TIMES, request.time_in_force or TimeInForce.GTC, "time in force"),
        "clientExtensions": _extensions(request.client_order_id, request.tag),
    }
    price = request.limit_price if request.stop_price is None else request.stop_price
    if price is not None:
        content["price"] = number(price)
    if request.trailing is not None:
        content["distance"] = number(_distance(request.trailing))
    if request.expires_at_ns is not None:
        content["gtdTime"] = format_time(request.expires_at_ns)
    if request.position_effect is PositionEffect.CLOSE:
        content["positionFill"] = _REDUCE_ONLY
    legs = (
        ("stopLossOnFill", "sl", request.stop_loss),
        ("takeProfitOnFill", "tp", request.take_profit),
    )
    for name, role, leg in legs:
        if leg is not None:
            content[name] = _leg_body(leg, f"{request.client_order_id}-{role}")
    return content


def change_body(change: OrderChange) -> dict[str, object]:
    """Write a change as `PUT .../orders/{specifier}` takes it: only what is to change.

    `units` are unsigned here: the new total, what has filled included.

    Raises:
        UnsupportedError: It asks for what beacon has no word for (NOT_SENT).
    """
    content: dict[str, object] = {}
    if change.quantity is not None:
        content["units"] = number(change.quantity)
    price = change.limit_price if change.stop_price is None else change.stop_price
    if price is not None:
        content["price"] = number(price)
    if change.trailing is not None:
        content["distance"] = number(_distance(change.trailing))
    if change.expires_at_ns is not None:
        content["gtdTime"] = format_time(change.expires_at_ns)
    return content


def _word(table: dict[str, OrderType] | dict[str, TimeInForce], value: object, what: str) -> str:
    for word, meaning in table.items():
        if meaning == value:
            return word
    raise UnsupportedError(f"beacon knows no {what} {value}")


def _extensions(client_order_id: str | None, tag: str | None) -> dict[str, str]:
    named = (("id", client_order_id), ("tag", tag))
    return {name: text for name, text in named if text is not None}


def _offset(distance: Decimal) -> Offset:
    return Offset(distance, OffsetUnit.PRICE)


def _distance(trailing: Offset) -> Decimal:
    if trailing.unit is not OffsetUnit.PRICE:
        raise UnsupportedError(f"beacon trails by a distance in price, not in {trailing.unit}")
    return trailing.value


def _leg_body(leg: Exit, client_order_id: str) -> dict[str, object]:
    is_plain = leg.trigger is None and leg.time_in_force in {None, TimeInForce.GTC}
    if leg.price is None or not is_plain:
        raise UnsupportedError("beacon takes exits by their price, good till canceled, no more")
    named = leg.client_order_id or client_order_id
    return {"price": number(leg.price), "clientExtensions": _extensions(named, None)}
