"""The core's models as ferry shows them: objects with raw numbers, ready to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from dragoman.models import AssetClass, InstrumentKind, Liquidity, OrderStatus, OrderType, Side
from dragoman.money import format_decimal, negate, trimmed
from dragoman.times import MILLISECOND_NS, to_datetime

from .refusals import number_of_reason

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Account, Bar, Fill, Instrument, Order, Position, Quote

__all__ = [
    "Row",
    "account_row",
    "bar_row",
    "fill_row",
    "group_of",
    "instrument_row",
    "millis",
    "number",
    "order_row",
    "position_row",
    "quote_row",
]

Row = dict[str, object]

_GROUPS: Final = {AssetClass.EQUITY: "STK", AssetClass.FX: "FX", AssetClass.CRYPTO: "COIN"}
_KINDS: Final = {OrderType.MARKET: "MKT", OrderType.LIMIT: "LMT", OrderType.STOP: "STP"}
_STATES: Final = {
    OrderStatus.PENDING: "pending",
    OrderStatus.HELD: "held",
    OrderStatus.OPEN: "working",
    OrderStatus.PARTIALLY_FILLED: "partial",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.REJECTED: "rejected",
}
_NEW_YORK: Final = ZoneInfo("America/New_York")


def number(value: Decimal | None) -> msgspec.Raw | None:
    """Write an amount as a JSON number, every digit of it; None where it is not known."""
    return None if value is None else msgspec.Raw(format_decimal(trimmed(value)).encode())


def millis(instant_ns: int | None) -> int | None:
    """Return the millisecond in which an instant lies."""
    return None if instant_ns is None else instant_ns // MILLISECOND_NS


def group_of(one: Instrument) -> str | None:
    """Return ferry's group of an instrument; None for what it does not list."""
    return _GROUPS.get(one.asset_class) if one.kind is InstrumentKind.SPOT else None


def instrument_row(one: Instrument) -> Row:
    """Return an instrument."""
    return {
        "sym": one.symbol,
        "group": group_of(one),
        "ccy": one.quote,
        "name": one.name,
        "exchange": one.exchange,
        "base": one.base,
        "tick": number(one.tick_size),
        "ticks": [[number(start), number(tick)] for start, tick in one.tick_bands],
        "step": number(one.lot_size),
        "least": number(one.min_quantity),
        "most": number(one.max_quantity),
        "least_value": number(one.min_notional),
        "margin_rate": number(one.margin_rate),
        "open": one.is_tradable,
        "shorts": one.is_shortable,
    }


def account_row(account: Account) -> Row:
    """Return the account's totals."""
    return {
        "id": account.account_id,
        "ccy": account.currency,
        "cash": number(account.cash),
        "equity": number(account.equity),
        "margin": number(account.margin_used),
        "free": number(account.margin_available),
        "pnl": number(account.unrealized_pnl),
    }


def order_row(order: Order, order_id: str) -> Row:
    """Return an order under its id."""
    filled = order.filled_quantity
    created_ns = order.created_at_ns or order.received_at_ns
    return {
        "id": order_id,
        "client": order.client_order_id,
        "sym": order.symbol,
        "side": "B" if order.side is Side.BUY else "S",
        "kind": _KINDS.get(order.order_type, order.order_type),
        "qty": number(filled if order.quantity is None else order.quantity),
        "filled": number(filled),
        "avg": number(order.average_fill_price),
        "price": number(order.limit_price),
        "stop": number(order.stop_price),
        "tif": order.time_in_force or "DAY",
        "state": _STATES.get(order.status, "pending"),
        "closing": order.reduce_only,
        "reason": number_of_reason(order.reject_reason),
        "created": millis(created_ns),
        "updated": millis(order.updated_at_ns or created_ns),
    }


def fill_row(fill: Fill, order_id: str) -> Row:
    """Return an execution."""
    paid = fill.commission
    return {
        "id": fill.fill_id,
        "order": order_id,
        "client": fill.client_order_id,
        "sym": fill.symbol,
        "side": "B" if fill.side is Side.BUY else "S",
        "qty": number(fill.quantity),
        "price": number(fill.price),
        "fee": number(negate(paid.amount)) if paid else None,
        "fee_ccy": paid.currency if paid else None,
        "maker": None if fill.liquidity is None else fill.liquidity is Liquidity.MAKER,
        "busted": fill.is_busted,
        "time": millis(fill.venue_time_ns),
    }


def position_row(position: Position) -> Row:
    """Return what is held of a symbol."""
    gain = position.unrealized_pnl
    return {
        "sym": position.symbol,
        "direction": "SHORT" if position.quantity < 0 else "LONG",
        "qty": number(position.quantity.copy_abs()),
        "avg": number(position.average_entry_price),
        "pnl": number(gain.amount) if gain else None,
        "ccy": gain.currency if gain else None,
    }


def quote_row(quote: Quote) -> Row:
    """Return the top of a book."""
    return {
        "sym": quote.symbol,
        "time": millis(quote.venue_time_ns or quote.received_at_ns),
        "bid": number(quote.bid_price),
        "bid_qty": number(quote.bid_size),
        "ask": number(quote.ask_price),
        "ask_qty": number(quote.ask_size),
    }


def bar_row(bar: Bar) -> Row:
    """Return a bar, by the wall clock of New York."""
    there = to_datetime(bar.open_time_ns).astimezone(_NEW_YORK)
    return {
        "t": f"{there:%Y-%m-%d %H:%M:%S}",
        "dst": bool(there.dst()),
        "o": number(bar.open),
        "h": number(bar.high),
        "l": number(bar.low),
        "c": number(bar.close),
        "v": number(bar.volume),
        "closed": bar.is_complete,
    }
