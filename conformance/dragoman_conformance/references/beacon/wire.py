"""Beacon's own words: what stands in its answers and in the lines of its streams.

Names are written in camel case on the wire. Amounts are text such as "1.08450". Units are signed:
below 0 is sold. Times are RFC 3339 with nine fraction digits, in UTC. Words that may grow, such as
the state of an order, are plain text here: what they mean is the mapping's to know.
"""

from __future__ import annotations

import msgspec

from dragoman.transport.codec import Amount

__all__ = [
    "AccountAnswer",
    "AccountRow",
    "AccountsAnswer",
    "Extensions",
    "InstrumentPage",
    "InstrumentRow",
    "Level",
    "Line",
    "OnFill",
    "OrderAnswer",
    "OrderPage",
    "OrderRow",
    "PositionRow",
    "PositionsAnswer",
    "PriceRow",
    "PricesAnswer",
    "Problem",
    "TransactionPage",
    "TransactionRow",
]


class _Row(msgspec.Struct, rename="camel", kw_only=True):
    """A row of the wire."""


class Extensions(_Row):
    """What a client hangs on an order: its own `id`, unique for ever, and a `tag`."""

    id: str | None = None
    tag: str | None = None


class OnFill(_Row):
    """A protective order that comes to work once its entry has filled."""

    price: Amount
    client_extensions: Extensions | None = None


class OrderRow(_Row):
    """An order under its newest id.

    A replace makes a new order: `prior_order_ids` are those it came from, oldest first, and
    `prior_filled_units` what they had filled; `units` and `filled_units` are its own. Unsigned are
    `price` (limit or trigger), `distance` and `trailing_stop_value` (of a trailing stop).
    `on_fill_of` is the client's id of the entry that an exit protects.
    """

    id: str
    type: str
    instrument: str
    units: Amount
    filled_units: Amount
    state: str
    create_time: str
    update_time: str | None = None
    client_extensions: Extensions | None = None
    prior_order_ids: list[str] = msgspec.field(default_factory=list[str])
    prior_filled_units: Amount | None = None
    average_price: Amount | None = None
    price: Amount | None = None
    distance: Amount | None = None
    trailing_stop_value: Amount | None = None
    time_in_force: str = "GTC"
    gtd_time: str | None = None
    position_fill: str = "DEFAULT"
    reject_reason: str | None = None
    cancel_pending: bool = False
    on_fill_of: str | None = None
    stop_loss_on_fill: OnFill | None = None
    take_profit_on_fill: OnFill | None = None


class OrderAnswer(_Row):
    """The answer to any command on an order, and to the question for one."""

    order: OrderRow


class OrderPage(_Row):
    """One page of orders; `next_page` asks for the next."""

    orders: list[OrderRow]
    next_page: str | None = None


class PositionRow(_Row):
    """What is held of one instrument; `units` "0" once it is closed."""

    instrument: str
    units: Amount
    average_price: Amount | None = None
    unrealized_pl: Amount | None = None
    pl_currency: str | None = None


class PositionsAnswer(_Row):
    """Every open position."""

    positions: list[PositionRow]


class AccountRow(_Row):
    """The account, in its home currency."""

    id: str
    currency: str
    balance: Amount
    nav: Amount | None = None
    margin_used: Amount | None = None
    margin_available: Amount | None = None
    unrealized_pl: Amount | None = None


class AccountsAnswer(_Row):
    """Every account that the token reaches."""

    accounts: list[AccountRow]


class AccountAnswer(_Row):
    """One account."""

    account: AccountRow


class InstrumentRow(_Row):
    """An instrument; precisions count digits behind the point, such as 5 for steps of 0.00001."""

    name: str
    type: str
    base: str
    quote: str
    display_precision: int
    trade_units_precision: int
    display_name: str | None = None
    minimum_trade_size: Amount | None = None
    maximum_order_units: Amount | None = None
    minimum_notional: Amount | None = None
    margin_rate: Amount | None = None
    tradeable: bool | None = None
    shortable: bool | None = None


class InstrumentPage(_Row):
    """One page of the catalogue."""

    instruments: list[InstrumentRow]
    next_page: str | None = None


class Level(_Row):
    """One price, and how many units are to be had at it."""

    price: Amount
    liquidity: Amount | None = None


class PriceRow(_Row):
    """The dealer's price of one instrument, best levels first; a side without any is empty."""

    instrument: str
    time: str
    bids: list[Level]
    asks: list[Level]
    tradeable: bool | None = None


class PricesAnswer(_Row):
    """The prices of the instruments asked for."""

    prices: list[PriceRow]


class TransactionRow(_Row):
    """One step in the account's life; ids are whole numbers that rise by one.

    `order` is the order as it stood after the step. Of an ORDER_FILL, `units` are signed,
    `commission` is above 0 when paid, `fill_id` names the execution, and it is `cancelled` once an
    ORDER_FILL_CANCEL took it back.
    """

    id: str
    type: str
    time: str
    reason: str | None = None
    order: OrderRow | None = None
    units: Amount | None = None
    price: Amount | None = None
    commission: Amount | None = None
    commission_currency: str | None = None
    liquidity: str | None = None
    fill_id: str | None = None
    cancelled: bool = False
    position: PositionRow | None = None
    account: AccountRow | None = None


class TransactionPage(_Row):
    """One page of transactions, oldest first."""

    transactions: list[TransactionRow]
    next_page: str | None = None


class Line(_Row):
    """What every line of a stream says of itself.

    OPENED comes first, HEARTBEAT every five seconds; both name the newest transaction there is.
    """

    type: str
    id: str | None = None
    last_transaction_id: str | None = None


class Problem(_Row):
    """A refusal."""

    error_code: str
    error_message: str = ""
