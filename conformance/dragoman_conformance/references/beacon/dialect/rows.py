"""The core's models as beacon shows them: objects of texts, ready to be written."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models import AssetClass, InstrumentKind, OrderStatus, OrderType, PendingAction
from dragoman.money import ZERO, format_decimal, signed, subtract, trimmed
from dragoman.times import format_time

from .refusals import code_of_reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.models import Account, Exit, Instrument, Order, Position, Quote

__all__ = [
    "Book",
    "Numbers",
    "Row",
    "account_row",
    "amount",
    "instrument_row",
    "order_row",
    "position_row",
    "price_row",
    "time",
]

Row = dict[str, object]

_KINDS: Final = {
    (AssetClass.FX, InstrumentKind.SPOT): "CURRENCY",
    (AssetClass.COMMODITY, InstrumentKind.CFD): "METAL",
    (AssetClass.CRYPTO, InstrumentKind.SPOT): "CRYPTO",
}
_STATES: Final = {
    OrderStatus.HELD: "HELD",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELED: "CANCELLED",
    OrderStatus.EXPIRED: "EXPIRED",
    OrderStatus.REJECTED: "REJECTED",
}
_TRIGGERED: Final = frozenset({OrderType.STOP, OrderType.MARKET_IF_TOUCHED})


@attrs.define
class Numbers:
    """The numbers that one order has had, oldest first, and what the earlier ones had filled."""

    ids: list[str]
    carried: Decimal = ZERO


class Book:
    """The pairs that beacon deals in, by its own names and by the core's symbols."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        dealt = [one for one in instruments if (one.asset_class, one.kind) in _KINDS and one.base]
        self.by_name: dict[str, Instrument] = {f"{one.base}_{one.quote}": one for one in dealt}
        self._names = {one.symbol: name for name, one in self.by_name.items()}

    def name_of(self, symbol: str) -> str | None:
        """Return beacon's name of a symbol; None where it does not deal in it."""
        return self._names.get(symbol)

    def price(self, name: str, price: Decimal | None) -> str | None:
        """Write a price with as many digits as its instrument shows."""
        if price is None:
            return None
        text, digits = amount(price) or "", _digits(self.by_name[name].tick_size)
        whole, _, fraction = text.partition(".")
        return f"{whole}.{fraction.ljust(digits, '0')}" if digits else text


def amount(value: Decimal | None) -> str | None:
    """Write an amount in plain digits; None where it is not known."""
    return None if value is None else format_decimal(trimmed(value))


def time(instant_ns: int | None) -> str | None:
    """Write a time."""
    return None if instant_ns is None else format_time(instant_ns)


def instrument_row(name: str, one: Instrument) -> Row:
    """Return an instrument."""
    return {
        "name": name,
        "type": _KINDS[one.asset_class, one.kind],
        "displayName": one.name,
        "base": one.base,
        "quote": one.quote,
        "displayPrecision": _digits(one.tick_size),
        "tradeUnitsPrecision": _digits(one.lot_size),
        "minimumTradeSize": amount(one.min_quantity),
        "maximumOrderUnits": amount(one.max_quantity),
        "minimumNotional": amount(one.min_notional),
        "marginRate": amount(one.margin_rate),
        "tradeable": one.is_tradable,
        "shortable": one.is_shortable,
    }


def _digits(step: Decimal | None) -> int:
    """Return how many digits behind the point a step has: all of beacon's are powers of ten."""
    text = amount(step) or "1"
    return len(text.partition(".")[2])


def order_row(order: Order, name: str, numbers: Numbers, book: Book) -> Row:
    """Return an order under its newest number."""
    whole = order.filled_quantity if order.quantity is None else order.quantity
    is_trailing = order.order_type is OrderType.TRAILING_STOP
    price = order.stop_price if order.order_type in _TRIGGERED else order.limit_price
    filled = subtract(order.filled_quantity, numbers.carried)
    return {
        "id": numbers.ids[-1],
        "priorOrderIds": numbers.ids[:-1],
        "priorFilledUnits": amount(signed(numbers.carried, order.side.sign)),
        "clientExtensions": {"id": order.client_order_id, "tag": order.tag},
        "type": order.order_type,
        "instrument": name,
        "units": amount(signed(subtract(whole, numbers.carried), order.side.sign)),
        "filledUnits": amount(signed(filled, order.side.sign)),
        "averagePrice": amount(order.average_fill_price),
        "price": book.price(name, price),
        "distance": amount(order.trailing.value) if is_trailing and order.trailing else None,
        "trailingStopValue": book.price(name, order.stop_price) if is_trailing else None,
        "timeInForce": order.time_in_force or "GTC",
        "gtdTime": time(order.expires_at_ns),
        "positionFill": "REDUCE_ONLY" if order.reduce_only else "DEFAULT",
        "state": _state_of(order),
        "cancelPending": order.pending is PendingAction.CANCEL,
        "rejectReason": code_of_reason(order.reject_reason),
        "onFillOf": order.parent_client_order_id,
        "stopLossOnFill": _exit_row(order.stop_loss, name, book),
        "takeProfitOnFill": _exit_row(order.take_profit, name, book),
        "createTime": time(order.created_at_ns or order.received_at_ns),
        "updateTime": time(order.updated_at_ns),
    }


def _state_of(order: Order) -> str:
    if order.is_triggered and order.is_open:
        return "TRIGGERED"
    return _STATES.get(order.status, "PENDING")


def _exit_row(leg: Exit | None, name: str, book: Book) -> Row | None:
    if leg is None or leg.price is None:
        return None
    extensions = {"id": leg.client_order_id} if leg.client_order_id else None
    return {"price": book.price(name, leg.price), "clientExtensions": extensions}


def position_row(position: Position, name: str) -> Row:
    """Return what is held of an instrument."""
    gain = position.unrealized_pnl
    return {
        "instrument": name,
        "units": amount(position.quantity),
        "averagePrice": amount(position.average_entry_price),
        "unrealizedPl": amount(gain.amount) if gain else None,
        "plCurrency": gain.currency if gain else None,
    }


def account_row(account: Account) -> Row:
    """Return the account's totals."""
    return {
        "id": account.account_id,
        "currency": account.currency,
        "balance": amount(account.cash),
        "nav": amount(account.equity),
        "marginUsed": amount(account.margin_used),
        "marginAvailable": amount(account.margin_available),
        "unrealizedPl": amount(account.unrealized_pnl),
    }


def price_row(quote: Quote, name: str, book: Book) -> Row:
    """Return the price of an instrument."""
    sides = {"bids": (quote.bid_price, quote.bid_size), "asks": (quote.ask_price, quote.ask_size)}
    return {
        "type": "PRICE",
        "instrument": name,
        "time": time(quote.received_at_ns if quote.venue_time_ns is None else quote.venue_time_ns),
        "tradeable": quote.is_tradable,
        **{
            side: []
            if price is None
            else [{"price": book.price(name, price), "liquidity": amount(size)}]
            for side, (price, size) in sides.items()
        },
    }
