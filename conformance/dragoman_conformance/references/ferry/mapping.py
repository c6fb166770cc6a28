"""Ferry's words in the library's, and back: every fact of the venue in one small place each.

Plain functions, nothing remembered, no input or output. A word that has no meaning here yet becomes
UNKNOWN, never something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import ProtocolError, UnsupportedError
from dragoman.models import (
    Account,
    AssetClass,
    Balance,
    Bar,
    Fill,
    Instrument,
    InstrumentKind,
    Liquidity,
    Money,
    Order,
    OrderOrigin,
    OrderStatus,
    OrderType,
    Position,
    PositionEffect,
    PositionMode,
    Quote,
    Side,
    TimeInForce,
)
from dragoman.money import ZERO, format_decimal, negate
from dragoman.times import LATEST_NS, MILLISECOND_NS

from . import errors, zone

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import OrderRequest, Timeframe, Window

    from . import wire

__all__ = [
    "DIRECTIONS",
    "GROUPS",
    "KINDS",
    "SIDES",
    "STATES",
    "TIMES",
    "Reading",
    "account_of",
    "bar_of",
    "client_id_of",
    "commission_of",
    "fill_of",
    "instant_of",
    "instrument_of",
    "millis_of",
    "number",
    "order_form",
    "order_of",
    "position_of",
    "quantity_of",
    "quote_of",
    "side_of",
    "span_of",
]

SIDES: Final = {"B": Side.BUY, "S": Side.SELL}
KINDS: Final = {"MKT": OrderType.MARKET, "LMT": OrderType.LIMIT, "STP": OrderType.STOP}
TIMES: Final = {"DAY": TimeInForce.DAY, "GTC": TimeInForce.GTC}
STATES: Final = {
    "pending": OrderStatus.PENDING,
    "held": OrderStatus.HELD,
    "working": OrderStatus.OPEN,
    "partial": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}
DIRECTIONS: Final = {"LONG": 1, "SHORT": -1}
GROUPS: Final = {"STK": AssetClass.EQUITY, "FX": AssetClass.FX, "COIN": AssetClass.CRYPTO}
_ELSEWHERE: Final = "ext-"


@attrs.frozen(kw_only=True)
class Reading:
    """What is known besides a row when it is read: whose it is, and when it came."""

    provider: str
    account_id: str
    received_at_ns: int


def number(amount: Decimal) -> str:
    """Write an amount as ferry takes it: plain digits, scale kept, never an exponent."""
    return format_decimal(amount)


def instant_of(millis: int) -> int:
    """Return the UTC nanoseconds of ferry's milliseconds.

    Raises:
        ProtocolError: It is no time of this age of the world.
    """
    instant_ns = millis * MILLISECOND_NS
    if not 0 <= instant_ns <= LATEST_NS:
        raise ProtocolError(f"ferry tells a time that is none: {millis}")
    return instant_ns


def millis_of(instant_ns: int) -> int:
    """Return the milliseconds in which an instant lies."""
    return instant_ns // MILLISECOND_NS


def span_of(window: Window) -> list[tuple[str, str]]:
    """Return what asks for at least a window: its whole first and last millisecond included."""
    found: list[tuple[str, str]] = []
    if window.start_ns is not None:
        found.append(("from", str(millis_of(window.start_ns))))
    if window.end_ns is not None:
        found.append(("to", str(millis_of(window.end_ns - 1) + 1)))
    return found


def side_of(word: str) -> Side:
    """Read a side.

    Raises:
        ProtocolError: It is none; an order without a side can't be shown.
    """
    if word not in SIDES:
        raise ProtocolError(f"ferry says a side that is none: {word[:40]!r}")
    return SIDES[word]


def quantity_of(direction: str, quantity: Decimal) -> Decimal:
    """Return what is held, signed: ferry tells a direction and how much of it.

    Raises:
        ProtocolError: The direction is none.
    """
    sign = DIRECTIONS.get(direction)
    if sign is None:
        raise ProtocolError(f"ferry says a direction that is none: {direction[:40]!r}")
    return quantity if sign > 0 else negate(quantity)


def commission_of(fee: Decimal | None, currency: str | None) -> Money | None:
    """Return what was paid: ferry's fees are below 0 when paid, ours above."""
    return None if fee is None or currency is None else Money(negate(fee), currency)


def client_id_of(token: str | None, order_id: str) -> str:
    """Return the id that an order goes by; one that no client named, by ferry's own."""
    return token or f"{_ELSEWHERE}{order_id}"


def order_of(row: wire.OrderRow, reading: Reading) -> Order:
    """Read an order under the client's id as it stands in the row.

    Raises:
        ProtocolError: It has no side, or a time that is none.
    """
    return Order(
        client_order_id=client_id_of(row.client, row.id),
        account_id=reading.account_id,
        symbol=row.sym,
        side=side_of(row.side),
        order_type=KINDS.get(row.kind, OrderType.UNKNOWN),
        status=STATES.get(row.state, OrderStatus.UNKNOWN),
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        quantity=row.qty,
        limit_price=row.price,
        stop_price=row.stop,
        time_in_force=TIMES.get(row.tif, TimeInForce.UNKNOWN),
        position_effect=PositionEffect.CLOSE if row.closing else None,
        venue_status=row.state,
        venue_order_ids=(row.id,),
        filled_quantity=row.filled,
        average_fill_price=row.avg,
        reject_reason=errors.reason_of(row.reason),
        venue_code=None if row.reason is None else str(row.reason),
        origin=OrderOrigin.EXTERNAL if row.client is None else OrderOrigin.CLIENT,
        created_at_ns=instant_of(row.created),
        updated_at_ns=instant_of(row.updated),
    )


def fill_of(row: wire.FillRow, reading: Reading) -> Fill:
    """Read an execution.

    Raises:
        ProtocolError: It has no side, or a time that is none.
    """
    liquidity = None
    if row.maker is not None:
        liquidity = Liquidity.MAKER if row.maker else Liquidity.TAKER
    return Fill(
        fill_id=row.id,
        account_id=reading.account_id,
        client_order_id=client_id_of(row.client, row.order),
        symbol=row.sym,
        side=side_of(row.side),
        quantity=row.qty,
        price=row.price,
        venue_time_ns=instant_of(row.time),
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        venue_order_id=row.order,
        liquidity=liquidity,
        is_busted=row.busted,
        commission=commission_of(row.fee, row.fee_ccy),
    )


def position_of(row: wire.PositionRow, reading: Reading) -> Position:
    """Read a position; ferry nets, so there is one for each symbol.

    Raises:
        ProtocolError: Its direction is none.
    """
    is_known = row.pnl is not None and row.ccy is not None
    return Position(
        position_id=row.sym,
        account_id=reading.account_id,
        symbol=row.sym,
        quantity=quantity_of(row.direction, row.qty),
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        average_entry_price=row.avg if row.qty else None,
        unrealized_pnl=Money(row.pnl or ZERO, row.ccy or "") if is_known else None,
    )


def account_of(row: wire.AccountRow, reading: Reading) -> Account:
    """Read an account."""
    return Account(
        account_id=row.id,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        is_simulated=True,
        currency=row.ccy,
        equity=row.equity,
        cash=row.cash,
        margin_used=row.margin,
        margin_available=row.free,
        unrealized_pnl=row.pnl,
        balances=(Balance(currency=row.ccy, total=row.cash),),
        position_mode=PositionMode.NETTING,
    )


def instrument_of(row: wire.InstrumentRow, reading: Reading) -> Instrument:
    """Read an instrument."""
    return Instrument(
        symbol=row.sym,
        name=row.name,
        exchange=row.exchange,
        asset_class=GROUPS.get(row.group, AssetClass.UNKNOWN),
        kind=InstrumentKind.SPOT if row.group in GROUPS else InstrumentKind.UNKNOWN,
        base=row.base,
        quote=row.ccy,
        settlement=row.ccy,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        tick_size=row.tick,
        tick_bands=tuple(row.ticks),
        lot_size=row.step,
        min_quantity=row.least,
        max_quantity=row.most,
        min_notional=row.least_value,
        margin_rate=row.margin_rate,
        is_tradable=row.open,
        is_shortable=row.shorts,
    )


def quote_of(row: wire.QuoteRow, reading: Reading) -> Quote:
    """Read the top of a book.

    Raises:
        ProtocolError: Its time is none.
    """
    return Quote(
        symbol=row.sym,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        bid_price=row.bid,
        bid_size=row.bid_qty,
        ask_price=row.ask,
        ask_size=row.ask_qty,
        venue_time_ns=instant_of(row.time),
    )


def bar_of(row: wire.BarRow, symbol: str, timeframe: Timeframe, reading: Reading) -> Bar:
    """Read a bar, whose time is that of New York's wall clocks.

    Raises:
        ProtocolError: Its time is none.
    """
    return Bar(
        symbol=symbol,
        timeframe=timeframe,
        open_time_ns=zone.instant_of(row.t, is_dst=row.dst),
        open=row.o,
        high=row.h,
        low=row.l,
        close=row.c,
        volume=row.v,
        is_complete=row.closed,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
    )


def order_form(request: OrderRequest, token: str) -> list[tuple[str, str]]:
    """Write an order as `POST /orders` takes it.

    Raises:
        UnsupportedError: It asks for what ferry has no word for (NOT_SENT).
    """
    if request.quantity is None:
        raise UnsupportedError("ferry takes orders by their quantity only")
    form = [
        ("account", request.account_id or ""),
        ("client", token),
        ("sym", request.symbol),
        ("side", _word_of_side(request.side)),
        ("kind", _word_of_kind(request.order_type)),
        ("qty", number(request.quantity)),
        ("tif", _word_of_time(request.time_in_force or TimeInForce.DAY)),
    ]
    if request.limit_price is not None:
        form.append(("price", number(request.limit_price)))
    if request.stop_price is not None:
        form.append(("stop", number(request.stop_price)))
    if request.position_effect is PositionEffect.CLOSE:
        form.append(("closing", "1"))
    return form


def _word_of_side(side: Side) -> str:
    return next(word for word, meaning in SIDES.items() if meaning is side)


def _word_of_kind(order_type: OrderType) -> str:
    for word, meaning in KINDS.items():
        if meaning is order_type:
            return word
    raise UnsupportedError(f"ferry knows no order type {order_type}")


def _word_of_time(time_in_force: TimeInForce) -> str:
    for word, meaning in TIMES.items():
        if meaning is time_in_force:
            return word
    raise UnsupportedError(f"ferry knows no time in force {time_in_force}")
