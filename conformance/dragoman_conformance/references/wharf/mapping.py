"""Wharf's words in the library's, and back: plain functions, nothing remembered.

What is asked for is written next door, in `asking`, and reached from here as all the rest is. A
word that only describes may be new, and is then UNKNOWN; so is a status, which the library knows
for a fate that is not proved. A side can't be guessed. What a row holds that no model can have is a
`ProtocolError`, whichever function finds it.
"""

from __future__ import annotations

from decimal import Decimal
from functools import wraps
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import attrs

from dragoman.errors import (
    InvalidValueError,
    ProtocolError,
    RejectReason,
    UnmappedValueError,
)
from dragoman.models import (
    Account,
    AccountEvent,
    AccountEventKind,
    AssetClass,
    Balance,
    Bar,
    Contingency,
    Exit,
    Fill,
    Gap,
    Instrument,
    InstrumentKind,
    Money,
    Offset,
    Order,
    OrderEvent,
    OrderOrigin,
    OrderStatus,
    OrderType,
    Position,
    PositionEffect,
    PositionEvent,
    Quote,
    Timeframe,
    TimeInForce,
    Trade,
)
from dragoman.times import parse_time

from . import errors
from .asking import change_body, list_body, order_body, token_of, topics_of
from .words import (
    ASSET_CLASSES,
    CHANNELS,
    CONTINGENCIES,
    EVENTS,
    KINDS,
    LIQUIDITY,
    ORDER_TYPES,
    PENDING,
    SIDES,
    STATUSES,
    TIMES_IN_FORCE,
    UNITS,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.models import (
        Event,
        Side,
    )

    from . import wire

__all__ = [
    "EVENTS",
    "ORDER_TYPES",
    "SIDES",
    "STATUSES",
    "TIMES_IN_FORCE",
    "Reading",
    "account_of",
    "bar_of",
    "change_body",
    "client_id_of",
    "events_of",
    "fill_of",
    "instrument_of",
    "list_body",
    "order_body",
    "order_of",
    "position_of",
    "quote_of",
    "time_of",
    "token_of",
    "topics_of",
    "trade_of",
]

_ONE: Final = Decimal(1)

Arguments = ParamSpec("Arguments")
Found = TypeVar("Found")


@attrs.frozen(kw_only=True)
class Reading:
    """What is known besides a row when it is read: the provider's name, and when it came."""

    provider: str
    received_at_ns: int


def _understood(read: Callable[Arguments, Found]) -> Callable[Arguments, Found]:
    """Let what a row holds that no model can have be told as the venue's mistake."""

    @wraps(read)
    def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Found:
        try:
            return read(*args, **kwargs)
        except InvalidValueError as error:
            raise ProtocolError(f"wharf said what can't be: {error.message}") from None

    return checked


def client_id_of(client_id: str | None, venue_id: str) -> str:
    """Return the id that an order goes by here; those sent without one are named by wharf's."""
    return f"ext-{venue_id}" if client_id is None else client_id


@_understood
def time_of(text: str) -> int:
    """Read a time as UTC nanoseconds."""
    return parse_time(text)


@_understood
def order_of(row: wire.OrderRow, reading: Reading) -> Order:
    """Read an order; an order that wharf hashed the name of goes by that hash.

    Raises:
        ProtocolError: It names no side, or holds what no order can have.
    """
    return Order(
        client_order_id=client_id_of(row.client_id, row.id),
        account_id=row.account,
        symbol=row.symbol,
        side=_side(row.side),
        order_type=ORDER_TYPES.get(row.type, OrderType.UNKNOWN),
        status=STATUSES.get(row.status, OrderStatus.UNKNOWN),
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        quantity=row.quantity,
        limit_price=row.limit_price,
        stop_price=row.stop_price,
        trailing=None if row.trail is None else _trailing(row.trail),
        time_in_force=_time_in_force(row.time_in_force),
        expires_at_ns=None if row.expires_at is None else time_of(row.expires_at),
        post_only=row.post_only,
        display_quantity=row.display_quantity,
        position_effect=PositionEffect.CLOSE if row.reduce_only else None,
        stop_loss=_exit(row.stop_loss, "stop_price"),
        take_profit=_exit(row.take_profit, "limit_price"),
        tag=row.tag,
        pending=PENDING.get(row.pending or ""),
        venue_status=row.status,
        venue_order_ids=(row.id,),
        revision=row.version,
        filled_quantity=row.filled,
        average_fill_price=row.average_price,
        commission=_money(row.fee, row.fee_currency),
        is_triggered=row.is_triggered,
        reject_reason=_reject_reason(row.reject_code),
        venue_code=row.reject_code,
        reason=row.reject_text,
        origin=OrderOrigin.EXTERNAL if row.client_id is None else OrderOrigin.CLIENT,
        parent_client_order_id=row.parent_client_id,
        contingency=CONTINGENCIES.get(row.contingency or "", Contingency.NONE),
        created_at_ns=time_of(row.created_at),
        updated_at_ns=time_of(row.updated_at),
    )


@_understood
def fill_of(row: wire.FillRow, reading: Reading) -> Fill:
    """Read an execution; wharf's fees are above 0 when they were paid, as ours are."""
    return Fill(
        fill_id=row.id,
        account_id=row.account,
        client_order_id=client_id_of(row.client_id, row.order_id),
        symbol=row.symbol,
        side=_side(row.side),
        quantity=row.quantity,
        price=row.price,
        venue_time_ns=time_of(row.time),
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        venue_order_id=row.order_id,
        liquidity=LIQUIDITY.get(row.liquidity or ""),
        is_busted=row.is_busted,
        commission=_money(row.fee, row.fee_currency),
    )


@_understood
def position_of(row: wire.PositionRow, reading: Reading) -> Position:
    """Read a position; wharf keeps one for each symbol."""
    return Position(
        position_id=row.symbol,
        account_id=row.account,
        symbol=row.symbol,
        quantity=row.quantity,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        average_entry_price=row.average_price if row.quantity else None,
        mark_price=row.mark_price,
        unrealized_pnl=_money(row.unrealized_pnl, row.currency),
        realized_pnl=_money(row.realized_pnl, row.currency),
    )


@_understood
def account_of(row: wire.AccountRow, reading: Reading) -> Account:
    """Read an account."""
    return Account(
        account_id=row.account,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        is_simulated=True,
        can_trade=row.can_trade,
        currency=row.currency,
        equity=row.equity,
        cash=row.cash,
        buying_power=row.buying_power,
        margin_used=row.margin_used,
        margin_available=row.margin_available,
        unrealized_pnl=row.unrealized_pnl,
        realized_pnl=row.realized_pnl,
        balances=tuple(
            [
                Balance(currency=one.currency, total=one.total, available=one.available)
                for one in row.balances
            ]
        ),
    )


@_understood
def instrument_of(row: wire.InstrumentRow, reading: Reading) -> Instrument:
    """Read an instrument."""
    return Instrument(
        symbol=row.symbol,
        aliases=tuple(row.aliases),
        name=row.name,
        asset_class=ASSET_CLASSES.get(row.asset_class, AssetClass.UNKNOWN),
        kind=KINDS.get(row.kind, InstrumentKind.UNKNOWN),
        base=row.base,
        quote=row.quote,
        settlement=row.settlement,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        tick_size=row.tick_size,
        tick_bands=tuple(row.tick_bands),
        lot_size=row.lot_size,
        min_quantity=row.min_quantity,
        max_quantity=row.max_quantity,
        max_market_quantity=row.max_market_quantity,
        min_notional=row.min_notional,
        max_notional=row.max_notional,
        multiplier=_ONE if row.multiplier is None else row.multiplier,
        is_inverse=row.is_inverse,
        margin_rate=row.margin_rate,
        expires_at_ns=None if row.expires_at is None else time_of(row.expires_at),
        is_tradable=row.is_tradable,
        is_shortable=row.is_shortable,
        allows_negative_price=row.allows_negative_price,
    )


@_understood
def quote_of(row: wire.QuoteRow, reading: Reading) -> Quote:
    """Read the top of a book."""
    return Quote(
        symbol=row.symbol,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        bid_price=row.bid,
        bid_size=row.bid_size,
        ask_price=row.ask,
        ask_size=row.ask_size,
        venue_time_ns=None if row.time is None else time_of(row.time),
    )


@_understood
def trade_of(row: wire.TradeRow, reading: Reading) -> Trade:
    """Read a public print."""
    return Trade(
        symbol=row.symbol,
        price=row.price,
        size=row.size,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        trade_id=row.id,
        aggressor=SIDES.get(row.aggressor or ""),
        venue_time_ns=time_of(row.time),
    )


@_understood
def bar_of(row: wire.BarRow, reading: Reading) -> Bar:
    """Read a bar."""
    return Bar(
        symbol=row.symbol,
        timeframe=Timeframe.parse(row.timeframe),
        open_time_ns=time_of(row.open_time),
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        trade_count=row.trades,
        is_complete=row.is_complete,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
    )


@_understood
def events_of(frame: wire.Frame, reading: Reading) -> tuple[Event, ...]:
    """Read what a frame tells a reader; nothing for those that only keep the stream going.

    Raises:
        ProtocolError: It is of no known type, or lacks what its type needs.
    """
    if frame.type in _SILENT:
        return ()
    read = _READERS.get(frame.type)
    if read is None:
        raise UnmappedValueError(f"a frame is of no known type: {frame.type[:40]!r}")
    return (read(frame, reading),)


def _order_event(frame: wire.Frame, reading: Reading) -> OrderEvent:
    kind = EVENTS.get(frame.event or "")
    if kind is None:
        raise UnmappedValueError(f"an order met with what is not known: {frame.event!r}")
    order = order_of(_part(frame.order, frame), reading)
    return OrderEvent(
        kind=kind,
        order=order,
        account_id=order.account_id,
        received_at_ns=reading.received_at_ns,
        fill=None if frame.fill is None else fill_of(frame.fill, reading),
        venue_time_ns=time_of(_part(frame.time, frame)),
    )


def _position_event(frame: wire.Frame, reading: Reading) -> PositionEvent:
    position = position_of(_part(frame.position, frame), reading)
    return PositionEvent(
        position=position,
        account_id=position.account_id,
        received_at_ns=reading.received_at_ns,
        venue_time_ns=time_of(_part(frame.time, frame)),
    )


def _account_event(frame: wire.Frame, reading: Reading) -> AccountEvent:
    account = account_of(_part(frame.account, frame), reading)
    return AccountEvent(
        account=account,
        kind=AccountEventKind.UPDATED,
        account_id=account.account_id,
        received_at_ns=reading.received_at_ns,
        venue_time_ns=time_of(_part(frame.time, frame)),
    )


def _gap(frame: wire.Frame, reading: Reading) -> Gap:
    channel = CHANNELS.get(frame.channel or "")
    if channel is None:
        raise UnmappedValueError(f"something was lost of no known channel: {frame.channel!r}")
    return Gap(
        channel=channel,
        symbol=frame.symbol,
        lost=frame.lost,
        received_at_ns=reading.received_at_ns,
    )


def _market_event(frame: wire.Frame, reading: Reading) -> Event:
    if frame.quote is not None:
        return quote_of(frame.quote, reading)
    if frame.trade is not None:
        return trade_of(frame.trade, reading)
    return bar_of(_part(frame.bar, frame), reading)


_SILENT: Final = frozenset({"heartbeat", "auth", "subscribed", "error"})
_READERS: Final[dict[str, Callable[[wire.Frame, Reading], Event]]] = {
    "order": _order_event,
    "position": _position_event,
    "account": _account_event,
    "quote": _market_event,
    "trade": _market_event,
    "bar": _market_event,
    "gap": _gap,
}


def _part(part: Found | None, frame: wire.Frame) -> Found:
    if part is None:
        raise ProtocolError(f"a frame of type {frame.type} lacks what it is about")
    return part


def _side(word: str) -> Side:
    side = SIDES.get(word)
    if side is None:
        raise UnmappedValueError(f"{word[:40]!r} is no side that is known")
    return side


def _time_in_force(word: str | None) -> TimeInForce | None:
    return None if word is None else TIMES_IN_FORCE.get(word, TimeInForce.UNKNOWN)


def _trailing(row: wire.TrailRow) -> Offset:
    unit = UNITS.get(row.unit)
    if unit is None:
        raise UnmappedValueError(f"{row.unit[:40]!r} is no unit of a distance that is known")
    return Offset(row.value, unit)


def _exit(row: wire.ExitRow | None, level: str) -> Exit | None:
    price: Decimal | None = None if row is None else getattr(row, level)
    if row is None or price is None:
        return None
    limit_price = row.limit_price if level == "stop_price" else None
    return Exit(price=price, limit_price=limit_price, client_order_id=row.client_id)


def _money(amount: Decimal | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount, currency)


def _reject_reason(code: str | None) -> RejectReason | None:
    return None if code is None else errors.REASONS.get(code, RejectReason.OTHER)
