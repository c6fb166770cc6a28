"""The trading plane in Alpaca's own words: what its REST responses and `trade_updates` carry.

Amounts are text, and in older payloads numbers; times are RFC 3339 with up to nine fraction digits.
Any field may be null or missing, so only what makes a row meaningless without it is required. Words
stay text here: which of them mean something is for the mapping to say.

Source: Alpaca Trading API, OpenAPI document, checked 2026-06-15; docs.alpaca.markets, "Websocket
Streaming", checked 2026-06-15.
"""

from __future__ import annotations

import msgspec

from dragoman.transport.codec import Amount

__all__ = [
    "AccountRow",
    "ActivityRow",
    "AssetRow",
    "CalendarRow",
    "CanceledRow",
    "ClockRow",
    "ClosedBody",
    "ClosedRow",
    "ConfigurationsRow",
    "OptionContractPage",
    "OptionContractRow",
    "OrderRow",
    "PositionRow",
    "Problem",
    "TradeUpdate",
]


class OrderRow(msgspec.Struct, kw_only=True, gc=False):
    """An order: `GET /v2/orders`, every command's response, the `order` of a trade update.

    `order_class` is "" for a simple order, and `symbol`, `side` and `asset_id` are "" on the parent
    of a multi-leg one. `type` and `order_type` say the same; either may be missing. `stop_price`
    of a trailing stop is where it stands now, `ratio_qty` the contracts of a leg per unit. `legs`
    is there when it was asked for.
    """

    id: str
    client_order_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    submitted_at: str | None = None
    filled_at: str | None = None
    expired_at: str | None = None
    expires_at: str | None = None
    canceled_at: str | None = None
    failed_at: str | None = None
    replaced_at: str | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    asset_id: str | None = None
    asset_class: str | None = None
    symbol: str | None = None
    notional: Amount | None = None
    qty: Amount | None = None
    filled_qty: Amount | None = None
    filled_avg_price: Amount | None = None
    order_class: str | None = None
    type: str | None = None
    order_type: str | None = None
    side: str | None = None
    position_intent: str | None = None
    time_in_force: str | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trail_price: Amount | None = None
    trail_percent: Amount | None = None
    ratio_qty: Amount | None = None
    extended_hours: bool | None = None
    status: str | None = None
    reject_reason: str | None = None
    legs: list[OrderRow] | None = None


class TradeUpdate(msgspec.Struct, kw_only=True, gc=False):
    """The `data` of a `trade_updates` frame.

    `price` and `qty` are those of this execution, `position_qty` is signed and stands after it.
    `timestamp` is when the thing happened, `at` when it was published; `event_id` is a ULID, such
    as "01J9Z4V5R8Q2M0XK3T7B6N1C4D".
    """

    event: str
    order: OrderRow
    timestamp: str | None = None
    at: str | None = None
    event_id: str | None = None
    execution_id: str | None = None
    price: Amount | None = None
    qty: Amount | None = None
    position_qty: Amount | None = None


class AccountRow(msgspec.Struct, kw_only=True):
    """`GET /v2/account`; `multiplier` such as "4", `status` such as "ACTIVE".

    `daytrade_count` and `pattern_day_trader` are told no more to accounts under the intraday margin
    rules of 2026.
    """

    id: str
    account_number: str | None = None
    status: str | None = None
    crypto_status: str | None = None
    currency: str | None = None
    cash: Amount | None = None
    equity: Amount | None = None
    portfolio_value: Amount | None = None
    buying_power: Amount | None = None
    regt_buying_power: Amount | None = None
    daytrading_buying_power: Amount | None = None
    non_marginable_buying_power: Amount | None = None
    options_buying_power: Amount | None = None
    initial_margin: Amount | None = None
    maintenance_margin: Amount | None = None
    long_market_value: Amount | None = None
    short_market_value: Amount | None = None
    last_equity: Amount | None = None
    accrued_fees: Amount | None = None
    multiplier: Amount | None = None
    pattern_day_trader: bool | None = None
    daytrade_count: Amount | None = None
    shorting_enabled: bool | None = None
    trading_blocked: bool | None = None
    transfers_blocked: bool | None = None
    account_blocked: bool | None = None
    trade_suspended_by_user: bool | None = None
    options_approved_level: Amount | None = None
    options_trading_level: Amount | None = None
    created_at: str | None = None


class ConfigurationsRow(msgspec.Struct, kw_only=True):
    """`GET /v2/account/configurations`; `max_margin_multiplier` is "1", "2" or "4"."""

    dtbp_check: str | None = None
    fractional_trading: bool | None = None
    max_margin_multiplier: Amount | None = None
    max_options_trading_level: Amount | None = None
    no_shorting: bool | None = None
    pdt_check: str | None = None
    ptp_no_exception_entry: bool | None = None
    suspend_trade: bool | None = None
    trade_confirm_email: str | None = None
    disable_overnight_trading: bool | None = None


class AssetRow(msgspec.Struct, kw_only=True):
    """`GET /v2/assets`; `asset_class` such as "us_equity" or "crypto", `status` such as "active".

    The three increments are there for crypto, such as "0.0001". `attributes` such as
    "fractional_eh_enabled". `maintenance_margin_requirement` is in percent.
    """

    symbol: str
    id: str | None = None
    asset_class: str | None = msgspec.field(default=None, name="class")
    exchange: str | None = None
    name: str | None = None
    status: str | None = None
    tradable: bool | None = None
    marginable: bool | None = None
    shortable: bool | None = None
    easy_to_borrow: bool | None = None
    fractionable: bool | None = None
    min_order_size: Amount | None = None
    min_trade_increment: Amount | None = None
    price_increment: Amount | None = None
    maintenance_margin_requirement: Amount | None = None
    margin_requirement_long: Amount | None = None
    margin_requirement_short: Amount | None = None
    attributes: list[str] | None = None


class OptionContractRow(msgspec.Struct, kw_only=True):
    """`GET /v2/options/contracts`; `type` is "call" or "put", `expiration_date` an ISO date.

    `multiplier` and `size` are how many shares one contract is about, such as "100".
    """

    symbol: str
    id: str | None = None
    name: str | None = None
    status: str | None = None
    tradable: bool | None = None
    expiration_date: str | None = None
    root_symbol: str | None = None
    underlying_symbol: str | None = None
    underlying_asset_id: str | None = None
    type: str | None = None
    style: str | None = None
    strike_price: Amount | None = None
    multiplier: Amount | None = None
    size: Amount | None = None
    open_interest: Amount | None = None
    open_interest_date: str | None = None
    close_price: Amount | None = None
    close_price_date: str | None = None


class OptionContractPage(msgspec.Struct, kw_only=True):
    """One page of `GET /v2/options/contracts`; no `next_page_token` on the last."""

    option_contracts: list[OptionContractRow] | None = None
    next_page_token: str | None = None


class PositionRow(msgspec.Struct, kw_only=True):
    """`GET /v2/positions`; `qty` is negative for a short one, whose `side` is "short".

    Crypto stands here without its slash: "BTCUSD".
    """

    symbol: str | None = None
    asset_id: str | None = None
    asset_class: str | None = None
    exchange: str | None = None
    qty: Amount | None = None
    qty_available: Amount | None = None
    side: str | None = None
    avg_entry_price: Amount | None = None
    current_price: Amount | None = None
    market_value: Amount | None = None
    cost_basis: Amount | None = None
    unrealized_pl: Amount | None = None
    lastday_price: Amount | None = None


class ActivityRow(msgspec.Struct, kw_only=True):
    """`GET /v2/account/activities`: an execution (`activity_type` "FILL"), or anything else.

    `id` is "<New York time to the millisecond>::<uuid>". An execution has `transaction_time`, and
    in `cum_qty` what its order had filled with it; all others have a `date`, and `net_amount`
    in the account's currency. `type` is "fill" or "partial_fill".
    """

    id: str
    activity_type: str
    activity_sub_type: str | None = None
    transaction_time: str | None = None
    created_at: str | None = None
    date: str | None = None
    type: str | None = None
    status: str | None = None
    symbol: str | None = None
    side: str | None = None
    qty: Amount | None = None
    price: Amount | None = None
    cum_qty: Amount | None = None
    leaves_qty: Amount | None = None
    order_id: str | None = None
    order_status: str | None = None
    net_amount: Amount | None = None
    per_share_amount: Amount | None = None
    currency: str | None = None
    description: str | None = None
    group_id: str | None = None
    cusip: str | None = None


class ClockRow(msgspec.Struct, kw_only=True):
    """`GET /v2/clock`; times have New York's offset."""

    is_open: bool | None = None
    timestamp: str | None = None
    next_open: str | None = None
    next_close: str | None = None


class CalendarRow(msgspec.Struct, kw_only=True):
    """`GET /v2/calendar`; `open` and `close` such as "09:30", `session_open` such as "0400".

    Times of the day are New York's.
    """

    date: str
    open: str | None = None
    close: str | None = None
    session_open: str | None = None
    session_close: str | None = None
    settlement_date: str | None = None


class Problem(msgspec.Struct, kw_only=True):
    """A refusal; `code` such as 40310000, which begins with the status, or missing.

    What else is there depends on the reason, and comes in more than one shape, so it is not read:
    `existing_order_id` names the order that a wash trade would hit, `related_orders` those that
    hold the shares of a refused exit.
    """

    code: int | str | None = None
    message: str | None = None
    reject_reason: str | None = None


class CanceledRow(msgspec.Struct, kw_only=True):
    """One row of `DELETE /v2/orders`; `status` is that order's HTTP status, such as 200."""

    id: str
    status: int | str | None = None
    body: Problem | None = None


class ClosedBody(OrderRow, kw_only=True):
    """What became of one position in `DELETE /v2/positions`: its order or, without `id`, why not.

    One struct, because nothing in the body tells which of the two it is.
    """

    id: str = ""
    code: int | str | None = None
    message: str | None = None


class ClosedRow(msgspec.Struct, kw_only=True):
    """One row of `DELETE /v2/positions`; `status` is that position's HTTP status."""

    symbol: str
    status: int | str | None = None
    body: ClosedBody | None = None
