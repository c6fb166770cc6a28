"""What the trading plane answers: accounts, orders, positions, activities, assets, hours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from dragoman.decoding import PayloadKind, Shape, VenueSettings, any_of, each_of
from dragoman.models import CommandResult
from dragoman_alpaca.mapping.account import (
    account_of,
    configuration,
    ledger_entry_of,
    position_of,
)
from dragoman_alpaca.mapping.instruments import hours_of, instrument_of, option_of, status_of
from dragoman_alpaca.mapping.orders import order_of, orders_of, sighting_of
from dragoman_alpaca.mapping.updates import fill_of_activity
from dragoman_alpaca.wire.trading import (
    AccountRow,
    ActivityRow,
    AssetRow,
    CalendarRow,
    CanceledRow,
    ClockRow,
    ClosedRow,
    ConfigurationsRow,
    OptionContractPage,
    OptionContractRow,
    OrderRow,
    PositionRow,
    Problem,
)

from .documents import fields_of, is_side_of_position, read_as, reading_of
from .problems import CANCEL, refusal_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.decoding import Decode, PayloadContext
    from dragoman.models import Order
    from dragoman_alpaca.mapping.reading import Reading

__all__ = ["TRADING"]

_OF_OTHERS: Final = "T stream action message code activity_type strike_price class headline"
"""Fields that say at once that a row is of another kind."""
_HIGHEST_SUCCESS: Final = 299


def _one(row: type[Any], meaning: Callable[[Any, Reading], object]) -> Decode:
    """Return what reads a row and tells what it means; nothing if it means nothing."""

    def decode(data: bytes, context: PayloadContext) -> Sequence[object]:
        return _told([meaning(read_as(data, row), reading_of(context))])

    return decode


def _many(list_of: type[list[Any]], meaning: Callable[[Any, Reading], object]) -> Decode:
    """Return what reads a list of rows and tells what each of them means."""

    def decode(data: bytes, context: PayloadContext) -> Sequence[object]:
        rows, reading = read_as(data, list_of), reading_of(context)
        return _told([meaning(one, reading) for one in rows if one is not None])

    return decode


def _told(meanings: Sequence[object]) -> Sequence[object]:
    """Return meanings in one list, those that are several taken apart."""
    found: list[object] = []
    for meaning in meanings:
        if isinstance(meaning, tuple):
            found += cast("tuple[object, ...]", meaning)
        elif meaning is not None:
            found.append(meaning)
    return found


def _orders_in(row: OrderRow, reading: Reading) -> tuple[Order, ...]:
    """Return an order that was asked for alone, and its legs."""
    own = {row.id, row.replaces}
    legs = [one for one in orders_of(row, reading) if own.isdisjoint(one.venue_order_ids)]
    return (order_of(row, reading) or sighting_of(row, reading), *legs)


def _orders(data: bytes, context: PayloadContext) -> Sequence[object]:
    """Read a list of orders: what was replaced says nothing where its replacement stands too."""
    rows, reading = read_as(data, list[OrderRow]), reading_of(context)
    there = {row.id for row in rows}
    standing = [row for row in rows if row.status != "replaced" or row.replaced_by not in there]
    return _told([_orders_in(row, reading) for row in standing])


def _activity(row: ActivityRow, reading: Reading) -> object:
    return fill_of_activity(row, reading) or ledger_entry_of(row, reading)


def _settings(row: ConfigurationsRow, _: Reading) -> VenueSettings:
    return VenueSettings(values=configuration(row))


def _canceled(row: CanceledRow, reading: Reading) -> CommandResult:
    error = None
    if not _is_taken(row.status):
        error = refusal_of(row.body or Problem(), row.status, CANCEL)
    if error is not None:
        error.provider = reading.provider
    return CommandResult(client_order_id=f"ext-{row.id}", error=error)


def _closed(row: ClosedRow, reading: Reading) -> object:
    body = row.body
    if body is not None and body.id:
        return _orders_in(body, reading)
    if _is_taken(row.status):
        return None
    problem = Problem() if body is None else Problem(code=body.code, message=body.message)
    return refusal_of(problem, row.status)


def _is_taken(status: int | str | None) -> bool:
    text = str(status)
    return text.isascii() and text.isdigit() and int(text) <= _HIGHEST_SUCCESS


def _contract_page(data: bytes, context: PayloadContext) -> Sequence[object]:
    page, reading = read_as(data, OptionContractPage), reading_of(context)
    return [option_of(row, reading) for row in page.option_contracts or ()]


def _hours(row: CalendarRow, _: Reading) -> tuple[object, ...]:
    return hours_of([row])


def _has_number(fields: Mapping[str, object]) -> bool:
    """Tell whether `status` is that of a response, not an order's word."""
    status = fields["status"]
    return isinstance(status, int) or (isinstance(status, str) and status.isdigit())


def _has_body(fields: Mapping[str, object]) -> bool:
    body = fields.get("body")
    return body is None or isinstance(body, Mapping)


_ACCOUNT: Final = Shape.of(
    "account_number",
    "buying_power cash",
    "portfolio_value cash",
    "equity cash",
    "buying_power currency",
    "account_blocked trading_blocked",
    "crypto_status status",
    "regt_buying_power",
    "multiplier shorting_enabled",
    names=fields_of(AccountRow),
    lacks=f"{_OF_OTHERS} symbol profit_loss event_id bank_code",
)
_CONFIGURATIONS: Final = Shape.of(
    *("dtbp_check", "fractional_trading", "max_margin_multiplier", "no_shorting", "suspend_trade"),
    *("trade_confirm_email", "pdt_check", "ptp_no_exception_entry", "disable_overnight_trading"),
    names=fields_of(ConfigurationsRow),
    lacks=f"{_OF_OTHERS} id symbol",
)
_ORDER: Final = Shape.of(
    *("id client_order_id", "id side", "id time_in_force", "id filled_qty", "id order_type"),
    *("id order_class", "id submitted_at", "client_order_id status", "id limit_price"),
    *("id stop_price", "id replaced_by", "client_order_id filled_qty", "order_class status"),
    names=fields_of(OrderRow),
    lacks=f"{_OF_OTHERS} avg_entry_price order order_id",
)
_POSITION: Final = any_of(
    Shape.of(
        *("avg_entry_price", "symbol unrealized_pl", "symbol cost_basis", "qty market_value"),
        *("symbol qty_available", "symbol unrealized_plpc"),
        names=fields_of(PositionRow),
        lacks=f"{_OF_OTHERS} id account_number",
    ),
    Shape.of(
        "symbol qty side",
        names=fields_of(PositionRow),
        lacks=f"{_OF_OTHERS} id type",
        where=lambda fields: is_side_of_position(fields["side"]),
    ),
)
_ACTIVITY: Final = Shape.of(
    "activity_type", names=fields_of(ActivityRow), lacks="T stream action strike_price class"
)
_CLOSED: Final = Shape.of("symbol body", "status body symbol", lacks="id", where=_has_body)
_CANCELED: Final = Shape.of(
    "id status",
    names=fields_of(CanceledRow),
    lacks="symbol side qty client_order_id",
    where=_has_number,
)
_ASSET: Final = Shape.of(
    *("class symbol", "symbol tradable", "symbol fractionable", "symbol marginable"),
    *("symbol shortable", "symbol easy_to_borrow", "symbol min_order_size"),
    *("symbol price_increment", "class exchange", "symbol exchange status"),
    names=fields_of(AssetRow),
    lacks="T stream action strike_price expiration_date underlying_symbol avg_entry_price qty",
)
_CONTRACT: Final = Shape.of(
    *("strike_price", "underlying_symbol symbol", "root_symbol", "underlying_asset_id"),
    *("expiration_date style", "open_interest symbol"),
    names=fields_of(OptionContractRow),
    lacks="T stream action side",
)
_CLOCK: Final = Shape.of(
    *("is_open", "next_open", "next_close"),
    names=fields_of(ClockRow),
    lacks="T stream action symbol clocks",
)
_DAY: Final = Shape.of(
    *("date open", "date close", "date session_open", "date session_close"),
    names=fields_of(CalendarRow),
    lacks="T stream action symbol activity_type",
)

TRADING: Final = (
    PayloadKind(
        name="account",
        title="The account: GET /v2/account",
        likeness=_ACCOUNT,
        decode=_one(AccountRow, account_of),
    ),
    PayloadKind(
        name="configurations",
        title="The account's settings: GET and PATCH /v2/account/configurations",
        likeness=_CONFIGURATIONS,
        decode=_one(ConfigurationsRow, _settings),
    ),
    PayloadKind(
        name="order",
        title="An order, legs nested: /v2/orders, /v2/orders/{id}, closing a position",
        likeness=_ORDER,
        decode=_one(OrderRow, _orders_in),
    ),
    PayloadKind(
        name="orders",
        title="Orders: GET /v2/orders",
        likeness=each_of(_ORDER),
        decode=_orders,
    ),
    PayloadKind(
        name="canceled_order",
        title="What became of one order of DELETE /v2/orders",
        likeness=_CANCELED,
        decode=_one(CanceledRow, _canceled),
    ),
    PayloadKind(
        name="canceled_orders",
        title="What became of each order: DELETE /v2/orders",
        likeness=each_of(_CANCELED),
        decode=_many(list[CanceledRow | None], _canceled),
    ),
    PayloadKind(
        name="position",
        title="A position: GET /v2/positions/{symbol}",
        likeness=_POSITION,
        decode=_one(PositionRow, position_of),
    ),
    PayloadKind(
        name="positions",
        title="Positions: GET /v2/positions",
        likeness=each_of(_POSITION),
        decode=_many(list[PositionRow | None], position_of),
    ),
    PayloadKind(
        name="closed_position",
        title="What became of one position of DELETE /v2/positions",
        likeness=_CLOSED,
        decode=_one(ClosedRow, _closed),
    ),
    PayloadKind(
        name="closed_positions",
        title="What became of each position: DELETE /v2/positions",
        likeness=each_of(_CLOSED),
        decode=_many(list[ClosedRow | None], _closed),
    ),
    PayloadKind(
        name="activity",
        title="A fill, or what else moved cash or quantity",
        likeness=_ACTIVITY,
        decode=_one(ActivityRow, _activity),
    ),
    PayloadKind(
        name="activities",
        title="Fills and other activities: GET /v2/account/activities",
        likeness=each_of(_ACTIVITY),
        decode=_many(list[ActivityRow | None], _activity),
    ),
    PayloadKind(
        name="asset",
        title="An asset: GET /v2/assets/{symbol}",
        likeness=_ASSET,
        decode=_one(AssetRow, instrument_of),
    ),
    PayloadKind(
        name="assets",
        title="Assets: GET /v2/assets",
        likeness=each_of(_ASSET),
        decode=_many(list[AssetRow | None], instrument_of),
    ),
    PayloadKind(
        name="option_contract",
        title="An option contract: GET /v2/options/contracts/{symbol}",
        likeness=_CONTRACT,
        decode=_one(OptionContractRow, option_of),
    ),
    PayloadKind(
        name="option_contracts",
        title="A page of option contracts: GET /v2/options/contracts",
        likeness=Shape.of("option_contracts", names=("next_page_token",)),
        decode=_contract_page,
    ),
    PayloadKind(
        name="clock",
        title="Whether the market is open: GET /v2/clock",
        likeness=_CLOCK,
        decode=_one(ClockRow, status_of),
    ),
    PayloadKind(
        name="calendar_day",
        title="A day of the calendar",
        likeness=_DAY,
        decode=_one(CalendarRow, _hours),
    ),
    PayloadKind(
        name="calendar",
        title="Trading days: GET /v2/calendar",
        likeness=each_of(_DAY),
        decode=_many(list[CalendarRow | None], _hours),
    ),
)
"""Bodies of the trading plane's responses."""
