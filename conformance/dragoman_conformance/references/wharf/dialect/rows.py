"""The library's models in wharf's words, as a server writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models import (
    AccountEvent,
    Bar,
    Contingency,
    Gap,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    PositionEvent,
    Quote,
    Trade,
)
from dragoman.money import format_decimal
from dragoman.times import format_time

from ..capabilities import is_client_id
from .problems import code_of_reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from dragoman.models import (
        Account,
        Event,
        Exit,
        Fill,
        Instrument,
        Order,
        Position,
        PrivateEvent,
    )

__all__ = [
    "account_row",
    "bar_row",
    "fill_row",
    "instrument_row",
    "market_frame",
    "order_row",
    "position_row",
    "private_frame",
    "quote_row",
    "trade_row",
]

_WORDS: Final = {
    OrderEventKind.ACCEPTED: "accepted",
    OrderEventKind.ADOPTED: "accepted",
    OrderEventKind.TRIGGERED: "triggered",
    OrderEventKind.FILL: "fill",
    OrderEventKind.FILL_BUSTED: "bust",
    OrderEventKind.PENDING_CANCEL: "canceling",
    OrderEventKind.PENDING_REPLACE: "replacing",
    OrderEventKind.REPLACED: "replaced",
    OrderEventKind.RESTATED: "restated",
    OrderEventKind.CANCELED: "canceled",
    OrderEventKind.EXPIRED: "expired",
    OrderEventKind.REJECTED: "rejected",
    OrderEventKind.CANCEL_REJECTED: "cancel_rejected",
    OrderEventKind.REPLACE_REJECTED: "replace_rejected",
}
"""What is told of an order; that it was sent, or that its fate is not known, is not."""


def order_row(order: Order, id_of: Callable[[str], str]) -> dict[str, object]:
    """Write an order; `id_of` gives wharf's id of a client order id."""
    at_ns, fee, trail = order.received_at_ns, order.commission, order.trailing
    is_tied = order.contingency is not Contingency.NONE
    return {
        "id": id_of(order.client_order_id),
        "client_id": _client_id(order.client_order_id),
        "account": order.account_id,
        "symbol": order.symbol,
        "side": order.side.lower(),
        "type": order.order_type.lower(),
        "status": "pending" if order.status is OrderStatus.UNKNOWN else order.status.lower(),
        "pending": order.pending and order.pending.lower(),
        "quantity": _amount(order.quantity),
        "limit_price": _amount(order.limit_price),
        "stop_price": _amount(order.stop_price),
        "trail": trail and {"value": _amount(trail.value), "unit": trail.unit.lower()},
        "time_in_force": order.time_in_force and order.time_in_force.lower(),
        "expires_at": _time(order.expires_at_ns),
        "post_only": bool(order.post_only),
        "reduce_only": order.reduce_only,
        "display_quantity": _amount(order.display_quantity),
        "tag": order.tag,
        "filled": _amount(order.filled_quantity),
        "average_price": _amount(order.average_fill_price),
        "fee": fee and _amount(fee.amount),
        "fee_currency": fee and fee.currency,
        "is_triggered": order.is_triggered,
        "version": order.revision,
        "reject_code": order.reject_reason and code_of_reason(order.reject_reason),
        "reject_text": order.reason,
        "parent_client_id": _client_id(order.parent_client_order_id),
        "contingency": order.contingency.lower() if is_tied else None,
        "stop_loss": _exit_row(order.stop_loss, "stop_price"),
        "take_profit": _exit_row(order.take_profit, "limit_price"),
        "created_at": _time(order.created_at_ns or at_ns),
        "updated_at": _time(order.updated_at_ns or order.created_at_ns or at_ns),
    }


def fill_row(fill: Fill, id_of: Callable[[str], str]) -> dict[str, object]:
    """Write an execution."""
    fee = fill.commission
    return {
        "id": fill.fill_id,
        "order_id": id_of(fill.client_order_id),
        "client_id": _client_id(fill.client_order_id),
        "account": fill.account_id,
        "symbol": fill.symbol,
        "side": fill.side.lower(),
        "quantity": _amount(fill.quantity),
        "price": _amount(fill.price),
        "liquidity": fill.liquidity and fill.liquidity.lower(),
        "fee": fee and _amount(fee.amount),
        "fee_currency": fee and fee.currency,
        "is_busted": fill.is_busted,
        "time": _time(fill.venue_time_ns),
    }


def position_row(position: Position) -> dict[str, object]:
    """Write a position."""
    unrealized, realized = position.unrealized_pnl, position.realized_pnl
    told = unrealized or realized
    return {
        "account": position.account_id,
        "symbol": position.symbol,
        "quantity": _amount(position.quantity),
        "average_price": _amount(position.average_entry_price),
        "mark_price": _amount(position.mark_price),
        "unrealized_pnl": unrealized and _amount(unrealized.amount),
        "realized_pnl": realized and _amount(realized.amount),
        "currency": told and told.currency,
    }


def account_row(account: Account) -> dict[str, object]:
    """Write an account; one without a currency is told in the first that it holds."""
    held = [one.currency for one in account.balances]
    return {
        "account": account.account_id,
        "currency": account.currency or next(iter(held), "USD"),
        "can_trade": account.can_trade,
        "equity": _amount(account.equity),
        "cash": _amount(account.cash),
        "buying_power": _amount(account.buying_power),
        "margin_used": _amount(account.margin_used),
        "margin_available": _amount(account.margin_available),
        "unrealized_pnl": _amount(account.unrealized_pnl),
        "realized_pnl": _amount(account.realized_pnl),
        "balances": [
            {
                "currency": one.currency,
                "total": _amount(one.total),
                "available": _amount(one.available),
            }
            for one in account.balances
        ],
    }


def instrument_row(instrument: Instrument) -> dict[str, object]:
    """Write an instrument."""
    return {
        "symbol": instrument.symbol,
        "aliases": list(instrument.aliases),
        "name": instrument.name,
        "asset_class": instrument.asset_class.lower(),
        "kind": instrument.kind.lower(),
        "base": instrument.base,
        "quote": instrument.quote,
        "settlement": instrument.settlement,
        "tick_size": _amount(instrument.tick_size),
        "tick_bands": [[_amount(start), _amount(tick)] for start, tick in instrument.tick_bands],
        "lot_size": _amount(instrument.lot_size),
        "min_quantity": _amount(instrument.min_quantity),
        "max_quantity": _amount(instrument.max_quantity),
        "max_market_quantity": _amount(instrument.max_market_quantity),
        "min_notional": _amount(instrument.min_notional),
        "max_notional": _amount(instrument.max_notional),
        "multiplier": _amount(instrument.multiplier),
        "is_inverse": instrument.is_inverse,
        "margin_rate": _amount(instrument.margin_rate),
        "expires_at": _time(instrument.expires_at_ns),
        "is_tradable": instrument.is_tradable,
        "is_shortable": instrument.is_shortable,
        "allows_negative_price": instrument.allows_negative_price,
    }


def quote_row(quote: Quote) -> dict[str, object]:
    """Write the top of a book."""
    return {
        "symbol": quote.symbol,
        "bid": _amount(quote.bid_price),
        "bid_size": _amount(quote.bid_size),
        "ask": _amount(quote.ask_price),
        "ask_size": _amount(quote.ask_size),
        "time": _time(quote.venue_time_ns),
    }


def trade_row(trade: Trade) -> dict[str, object]:
    """Write a public print."""
    return {
        "symbol": trade.symbol,
        "price": _amount(trade.price),
        "size": _amount(trade.size),
        "id": trade.trade_id,
        "aggressor": trade.aggressor and trade.aggressor.lower(),
        "time": _time(trade.venue_time_ns or trade.received_at_ns),
    }


def bar_row(bar: Bar) -> dict[str, object]:
    """Write a bar."""
    return {
        "symbol": bar.symbol,
        "timeframe": str(bar.timeframe),
        "open_time": _time(bar.open_time_ns),
        "open": _amount(bar.open),
        "high": _amount(bar.high),
        "low": _amount(bar.low),
        "close": _amount(bar.close),
        "volume": _amount(bar.volume),
        "trades": bar.trade_count,
        "is_complete": bar.is_complete,
    }


def private_frame(event: PrivateEvent, id_of: Callable[[str], str]) -> dict[str, object] | None:
    """Write what happened to the account; None for what wharf does not tell."""
    time = _time(event.venue_time_ns or event.received_at_ns)
    match event:
        case OrderEvent():
            word = _WORDS.get(event.kind)
            if word is None:
                return None
            fill = event.fill and fill_row(event.fill, id_of)
            row = order_row(event.order, id_of)
            return {"type": "order", "event": word, "time": time, "order": row, "fill": fill}
        case PositionEvent():
            return {"type": "position", "time": time, "position": position_row(event.position)}
        case AccountEvent():
            return {"type": "account", "time": time, "account": account_row(event.account)}
        case _:
            return None


def market_frame(event: Event) -> dict[str, object] | None:
    """Write what the market shows; None for what wharf does not tell."""
    match event:
        case Quote():
            return {"type": "quote", "quote": quote_row(event)}
        case Trade():
            return {"type": "trade", "trade": trade_row(event)}
        case Bar():
            return {"type": "bar", "bar": bar_row(event)}
        case Gap():
            channel = event.channel.lower()
            return {"type": "gap", "channel": channel, "symbol": event.symbol, "lost": event.lost}
        case _:
            return None


def _exit_row(leg: Exit | None, level: str) -> dict[str, object] | None:
    if leg is None or leg.price is None:  # a distance, which wharf has no words for
        return None
    row: dict[str, object] = {"client_id": _client_id(leg.client_order_id)}
    row["limit_price"] = _amount(leg.limit_price)
    row[level] = _amount(leg.price)
    return row


def _client_id(client_order_id: str | None) -> str | None:
    """Return an id as wharf shows it: one that its grammar does not hold is shown to nobody."""
    is_shown = client_order_id is not None and is_client_id(client_order_id)
    return client_order_id if is_shown else None


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else format_decimal(value)


def _time(instant_ns: int | None) -> str | None:
    return None if instant_ns is None else format_time(instant_ns)
