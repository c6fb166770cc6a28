"""Wharf's own words: its requests, its answers, and the frames of its stream.

Amounts are text such as "100.50", times are RFC 3339 in UTC with nanoseconds, such as
"2026-01-07T14:30:00.000000001Z". Words are lower case. What may be any word is read as text, so
that a new one is no unreadable answer; a field that may be null is not always known.
"""

from __future__ import annotations

import msgspec

from dragoman.transport.codec import Amount

__all__ = [
    "AccountPage",
    "AccountRow",
    "BalanceRow",
    "BarPage",
    "BarRow",
    "ExitRow",
    "FillPage",
    "FillRow",
    "Frame",
    "InstrumentPage",
    "InstrumentRow",
    "ListItem",
    "ListPage",
    "OrderPage",
    "OrderRow",
    "PositionPage",
    "PositionRow",
    "Problem",
    "ProblemBody",
    "QuotePage",
    "QuoteRow",
    "ServerTime",
    "TradePage",
    "TradeRow",
    "TrailRow",
]


class ServerTime(msgspec.Struct):
    """`GET /v1/time`: the venue's time, and the newest nonce of the key that asks; "0" for none."""

    time: str
    nonce: str


class BalanceRow(msgspec.Struct):
    """What an account holds of one currency; `available` is what no order holds."""

    currency: str
    total: Amount
    available: Amount | None = None


class AccountRow(msgspec.Struct):
    """One row of `GET /v1/accounts`; the totals are in `currency`."""

    account: str
    currency: str
    balances: list[BalanceRow]
    can_trade: bool | None = None
    equity: Amount | None = None
    cash: Amount | None = None
    buying_power: Amount | None = None
    margin_used: Amount | None = None
    margin_available: Amount | None = None
    unrealized_pnl: Amount | None = None
    realized_pnl: Amount | None = None


class InstrumentRow(msgspec.Struct):
    """One row of `GET /v1/instruments`.

    `kind` is such as "spot", `asset_class` such as "equity", `tick_bands` are pairs of the price
    from which on a tick size holds and that tick size; they win over `tick_size`.
    """

    symbol: str
    asset_class: str
    kind: str
    quote: str
    settlement: str
    aliases: list[str] = []
    name: str | None = None
    base: str | None = None
    tick_size: Amount | None = None
    tick_bands: list[tuple[Amount, Amount]] = []
    lot_size: Amount | None = None
    min_quantity: Amount | None = None
    max_quantity: Amount | None = None
    max_market_quantity: Amount | None = None
    min_notional: Amount | None = None
    max_notional: Amount | None = None
    multiplier: Amount | None = None
    is_inverse: bool = False
    margin_rate: Amount | None = None
    expires_at: str | None = None
    is_tradable: bool | None = None
    is_shortable: bool | None = None
    allows_negative_price: bool = False


class TrailRow(msgspec.Struct, omit_defaults=True):
    """How far a trailing stop stays behind: `value` in the `unit` "price", "percent" or "ticks"."""

    value: Amount
    unit: str


class ExitRow(msgspec.Struct, omit_defaults=True):
    """One protective leg: a stop loss has a `stop_price`, a take profit a `limit_price`.

    A stop loss with both is a stop-limit order.
    """

    stop_price: Amount | None = None
    limit_price: Amount | None = None
    client_id: str | None = None


class OrderRow(msgspec.Struct):
    """An order, in every answer and frame that shows one.

    `client_id` is null for an order that was not sent with one; `version` counts the changes that
    were made. `type` is such as "stop_limit", `status` such as "partially_filled", `pending` is
    "cancel" or "replace" while that was taken and not done. `stop_price` of a trailing stop is
    where it stands now. `fee` is what was paid so far.
    """

    id: str
    account: str
    symbol: str
    side: str
    type: str
    status: str
    filled: Amount
    version: int
    created_at: str
    updated_at: str
    client_id: str | None = None
    quantity: Amount | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trail: TrailRow | None = None
    time_in_force: str | None = None
    expires_at: str | None = None
    post_only: bool = False
    reduce_only: bool = False
    display_quantity: Amount | None = None
    tag: str | None = None
    pending: str | None = None
    average_price: Amount | None = None
    fee: Amount | None = None
    fee_currency: str | None = None
    is_triggered: bool | None = None
    reject_code: str | None = None
    reject_text: str | None = None
    parent_client_id: str | None = None
    contingency: str | None = None
    stop_loss: ExitRow | None = None
    take_profit: ExitRow | None = None


class FillRow(msgspec.Struct):
    """One execution; `fee` is above 0 when it was paid, `liquidity` is "maker" or "taker"."""

    id: str
    order_id: str
    account: str
    symbol: str
    side: str
    quantity: Amount
    price: Amount
    time: str
    client_id: str | None = None
    liquidity: str | None = None
    fee: Amount | None = None
    fee_currency: str | None = None
    is_busted: bool = False


class PositionRow(msgspec.Struct):
    """One position; `quantity` is below 0 for what was sold short, and 0 once it is closed."""

    account: str
    symbol: str
    quantity: Amount
    average_price: Amount | None = None
    mark_price: Amount | None = None
    unrealized_pnl: Amount | None = None
    realized_pnl: Amount | None = None
    currency: str | None = None


class QuoteRow(msgspec.Struct):
    """The top of one book; a side on which nobody stands is null."""

    symbol: str
    bid: Amount | None = None
    bid_size: Amount | None = None
    ask: Amount | None = None
    ask_size: Amount | None = None
    time: str | None = None


class TradeRow(msgspec.Struct):
    """One public print; `aggressor` is the side that took."""

    symbol: str
    price: Amount
    size: Amount
    time: str
    id: str | None = None
    aggressor: str | None = None


class BarRow(msgspec.Struct):
    """One bar of `timeframe` ("1m") from `open_time`; told again, it replaces the one before."""

    symbol: str
    timeframe: str
    open_time: str
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    is_complete: bool
    volume: Amount | None = None
    trades: int | None = None


class AccountPage(msgspec.Struct):
    """`GET /v1/accounts`."""

    rows: list[AccountRow]


class InstrumentPage(msgspec.Struct):
    """`GET /v1/instruments`; `next` is the cursor of the page after this, null on the last."""

    rows: list[InstrumentRow]
    next: str | None = None


class OrderPage(msgspec.Struct):
    """`GET /v1/orders/open` and `GET /v1/orders/history`."""

    rows: list[OrderRow]
    next: str | None = None


class FillPage(msgspec.Struct):
    """`GET /v1/fills`."""

    rows: list[FillRow]
    next: str | None = None


class PositionPage(msgspec.Struct):
    """`GET /v1/positions`."""

    rows: list[PositionRow]
    next: str | None = None


class QuotePage(msgspec.Struct):
    """`GET /v1/quotes`."""

    rows: list[QuoteRow]


class TradePage(msgspec.Struct):
    """`GET /v1/trades`."""

    rows: list[TradeRow]
    next: str | None = None


class BarPage(msgspec.Struct):
    """`GET /v1/bars`."""

    rows: list[BarRow]
    next: str | None = None


class ProblemBody(msgspec.Struct):
    """A refusal; `code` such as "unknown_order"."""

    code: str
    message: str = ""


class Problem(msgspec.Struct):
    """The body of every refusal."""

    error: ProblemBody


class ListItem(msgspec.Struct):
    """What became of one order of a list: the order, or why it was refused."""

    client_id: str
    order: OrderRow | None = None
    error: ProblemBody | None = None


class ListPage(msgspec.Struct):
    """`POST /v1/order-lists`: one row for each order, in their order."""

    rows: list[ListItem]


class Frame(msgspec.Struct):
    """One frame of the stream.

    `type` is "auth", "subscribed", "error", "heartbeat", "order", "position", "account", "quote",
    "trade", "bar" or "gap". Frames about the account have a `seq`, one more than the one before.
    `id` answers the message of that id; `event` is what happened to the order.
    """

    type: str
    id: int | None = None
    seq: int | None = None
    ok: bool | None = None
    code: str | None = None
    message: str | None = None
    time: str | None = None
    event: str | None = None
    channel: str | None = None
    symbol: str | None = None
    lost: int | None = None
    topics: dict[str, list[str]] | None = None
    order: OrderRow | None = None
    fill: FillRow | None = None
    position: PositionRow | None = None
    account: AccountRow | None = None
    quote: QuoteRow | None = None
    trade: TradeRow | None = None
    bar: BarRow | None = None
