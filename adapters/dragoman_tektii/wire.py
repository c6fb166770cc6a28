"""Tektii's own words: its answers, and the messages of its stream.

Amounts are texts such as "185.50", times are RFC 3339 in UTC. Whatever a gateway leaves out is
`None` here: what it must say by its own documents is left out by some of them. Words are read as
text, so that a new one is no unreadable answer.
"""

from __future__ import annotations

import msgspec

from dragoman.transport.codec import Amount

__all__ = [
    "AccountRow",
    "BarRow",
    "CancelRow",
    "CapabilityRow",
    "HandleRow",
    "HealthRow",
    "Message",
    "MessageHead",
    "ModifiedRow",
    "OrderRow",
    "PositionRow",
    "Problem",
    "ProviderRow",
    "QuoteRow",
    "TradeRow",
]


class ProviderRow(msgspec.Struct):
    """One broker behind a gateway, as `GET /health` lists it."""

    platform: str


class HealthRow(msgspec.Struct):
    """`GET /health`: which brokers a gateway speaks to."""

    providers: list[ProviderRow]


class CapabilityRow(msgspec.Struct):
    """`GET /v1/capabilities`: what the broker behind a gateway takes; `features` are free words."""

    supported_asset_classes: list[str] = []
    supported_order_types: list[str] = []
    position_mode: str | None = None
    features: list[str] = []


class AccountRow(msgspec.Struct):
    """`GET /v1/account`: the one account of a gateway; few tell its id, its cash and its gains."""

    account_id: str | None = None
    cash: Amount | None = None
    balance: Amount | None = None
    equity: Amount | None = None
    margin_used: Amount | None = None
    margin_available: Amount | None = None
    unrealized_pnl: Amount | None = None
    realized_pnl: Amount | None = None
    currency: str | None = None


class HandleRow(msgspec.Struct):
    """What a new order is answered with."""

    id: str
    status: str
    client_order_id: str | None = None


class OrderRow(msgspec.Struct):
    """An order."""

    id: str
    symbol: str
    side: str
    order_type: str
    status: str
    client_order_id: str | None = None
    quantity: Amount | None = None
    filled_quantity: Amount | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    stop_loss: Amount | None = None
    take_profit: Amount | None = None
    trailing_distance: Amount | None = None
    trailing_type: str | None = None
    average_fill_price: Amount | None = None
    reject_reason: str | None = None
    position_id: str | None = None
    parent_order_id: str | None = None
    reduce_only: bool | None = None
    post_only: bool | None = None
    hidden: bool | None = None
    display_quantity: Amount | None = None
    oco_group_id: str | None = None
    time_in_force: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class ModifiedRow(msgspec.Struct):
    """What a change is answered with; the previous id where the broker gave the order a new one."""

    order: OrderRow
    previous_order_id: str | None = None


class CancelRow(msgspec.Struct):
    """What a cancel is answered with. Some brokers show an order without symbol or quantity."""

    success: bool
    order: OrderRow | None = None


class PositionRow(msgspec.Struct):
    """A position; the quantity has no sign, and 0 stands for a price that is not known."""

    id: str
    symbol: str
    side: str
    quantity: Amount
    average_entry_price: Amount | None = None
    current_price: Amount | None = None
    unrealized_pnl: Amount | None = None
    realized_pnl: Amount | None = None
    margin_mode: str | None = None
    leverage: Amount | None = None
    liquidation_price: Amount | None = None
    opened_at: str | None = None
    updated_at: str | None = None


class TradeRow(msgspec.Struct):
    """An execution of one's own."""

    id: str
    order_id: str
    symbol: str
    side: str
    quantity: Amount
    price: Amount
    commission: Amount | None = None
    commission_currency: str | None = None
    is_maker: bool | None = None
    timestamp: str | None = None


class QuoteRow(msgspec.Struct):
    """The top of a book; 0 stands for a side without anybody."""

    symbol: str
    bid: Amount | None = None
    bid_size: Amount | None = None
    ask: Amount | None = None
    ask_size: Amount | None = None
    last: Amount | None = None
    volume: Amount | None = None
    timestamp: str | None = None


class BarRow(msgspec.Struct):
    """A bar, by the time at which it begins."""

    symbol: str
    timeframe: str
    timestamp: str
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount | None = None


class ProblemDetails(msgspec.Struct):
    """What a refusal says besides; which of it, depends on its code."""

    code: str | None = None
    field: str | None = None
    reject_code: str | None = None
    retry_after_seconds: Amount | None = None
    reset_at: str | None = None


class Problem(msgspec.Struct):
    """A refusal."""

    code: str
    message: str = ""
    details: ProblemDetails | None = None


class MessageHead(msgspec.Struct):
    """What any message of the stream may be recognized by, though the rest makes no sense."""

    type: str | None = None
    event_id: str | None = None


class Message(msgspec.Struct):
    """A message of the stream: its type says which of the rest is there."""

    type: str
    timestamp: str | None = None
    event_id: str | None = None
    event: str | None = None
    order: OrderRow | None = None
    parent_order_id: str | None = None
    position: PositionRow | None = None
    account: AccountRow | None = None
    trade: TradeRow | None = None
    bar: BarRow | None = None
    quote: QuoteRow | None = None
    symbol: str | None = None
    amount: Amount | None = None
    error: str | None = None
    broker: str | None = None
    gap_duration_ms: Amount | None = None
    symbols: list[str] = []
    stale_since: str | None = None
    requests_remaining: Amount | None = None
    reset_at: str | None = None
    code: str | None = None
    message: str | None = None
    details: msgspec.Raw = msgspec.Raw()
    id: int | None = None
