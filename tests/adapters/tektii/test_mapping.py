"""Rows of a gateway, told as what they say and no more."""

from decimal import Decimal

import msgspec
import pytest

from dragoman.errors import ProtocolError, RejectReason
from dragoman.models import (
    AssetClass,
    InstrumentKind,
    Liquidity,
    Money,
    Offset,
    OrderOrigin,
    OrderStatus,
    OrderType,
    PendingAction,
    PositionEffect,
    PositionMode,
    TimeInForce,
)
from dragoman.times import parse_time
from dragoman.transport.codec import JsonDecoder
from dragoman_tektii import wire
from dragoman_tektii.mapping.account import account_of, position_of
from dragoman_tektii.mapping.market import bar_of, bare_instrument, quote_of
from dragoman_tektii.mapping.orders import fill_of, order_of
from dragoman_tektii.mapping.reading import Reading

from .gateway import ACCOUNT, BAR, ORDER, POSITION, QUOTE, TRADE

NOW_NS = parse_time("2026-01-07T15:00:00Z")


def row(kind, plain, **changes):
    merged = {name: value for name, value in (plain | changes).items() if value is not None}
    return JsonDecoder(kind).decode(msgspec.json.encode(merged))


def order(**changes):
    return row(wire.OrderRow, ORDER, **changes)


@pytest.fixture
def reading():
    return Reading(provider="tektii", account_id="gateway", received_at_ns=NOW_NS, currency="USD")


def test_an_order_is_told_field_by_field(reading):
    told = order_of(order(oco_group_id="g", reduce_only=True, post_only=False), reading)

    assert (
        "c1",
        "gateway",
        "AAPL",
        OrderType.LIMIT,
        OrderStatus.OPEN,
        Decimal(10),
        Decimal("185.50"),
        TimeInForce.GTC,
        ("o-1",),
        "g",
        PositionEffect.CLOSE,
        False,
        parse_time("2026-01-07T14:30:00.5Z"),
    ) == (
        told.client_order_id,
        told.account_id,
        told.symbol,
        told.order_type,
        told.status,
        told.quantity,
        told.limit_price,
        told.time_in_force,
        told.venue_order_ids,
        told.group_id,
        told.position_effect,
        told.post_only,
        told.updated_at_ns,
    )


@pytest.mark.parametrize(
    ("changes", "name", "expected"),
    [
        ({"status": "PENDING_CANCEL"}, "pending", PendingAction.CANCEL),
        ({"status": "OPEN", "filled_quantity": "4"}, "status", OrderStatus.PARTIALLY_FILLED),
        ({"status": "NEW_WORD"}, "status", OrderStatus.UNKNOWN),
        ({"status": "FILLED", "filled_quantity": "0"}, "filled_quantity", Decimal(10)),
        ({"status": "FILLED", "filled_quantity": None}, "filled_quantity", Decimal(10)),
        ({"status": "CANCELLED", "filled_quantity": "4"}, "filled_quantity", Decimal(4)),
        ({"average_fill_price": "0", "filled_quantity": "4"}, "average_fill_price", None),
        ({"quantity": "0"}, "quantity", None),
        ({"order_type": "NEW_WORD"}, "order_type", OrderType.UNKNOWN),
        ({"time_in_force": "NEW_WORD"}, "time_in_force", TimeInForce.UNKNOWN),
        ({"hidden": True}, "display_quantity", Decimal(0)),
        ({"display_quantity": "2"}, "display_quantity", Decimal(2)),
        ({"reject_reason": "MARKET_CLOSED"}, "reject_reason", RejectReason.MARKET_CLOSED),
        ({"status": "REJECTED"}, "reject_reason", RejectReason.OTHER),
        ({"client_order_id": None}, "client_order_id", "ext-o-1"),
        ({"client_order_id": None}, "origin", OrderOrigin.EXTERNAL),
        ({"created_at": "yesterday"}, "created_at_ns", None),
        ({"trailing_distance": "2", "trailing_type": "PERCENT"}, "trailing", Offset.percent(2)),
        ({"trailing_distance": "2"}, "trailing", None),
        ({"status": "PENDING", "parent_order_id": "o-0"}, "status", OrderStatus.HELD),
        ({"parent_order_id": "o-0"}, "parent_client_order_id", "ext-o-0"),
    ],
)
def test_what_a_row_says_of_one_thing(reading, changes, name, expected):
    assert expected == getattr(order_of(order(**changes), reading), name)


@pytest.mark.parametrize("changes", [{"side": "LEFT"}, {"symbol": ""}, {"quantity": "-1"}])
def test_a_row_that_no_order_can_be_is_the_gateway_s_mistake(reading, changes):
    with pytest.raises(ProtocolError):
        order_of(order(**changes), reading)


def test_an_order_keeps_its_name_where_later_rows_leave_it_out(reading):
    order_of(order(), reading)

    assert "c1" == order_of(order(client_order_id=None), reading).client_order_id


def test_an_order_under_a_new_id_is_the_same_order(reading):
    order_of(order(), reading)
    reading.book.changed("o-1", "o-2")

    told = order_of(order(id="o-2", client_order_id=None), reading)

    assert ("c1", ("o-1", "o-2"), 1) == (
        told.client_order_id,
        told.venue_order_ids,
        told.revision,
    )


def test_an_exit_goes_by_the_name_it_was_meant_to_have(reading):
    reading.book.expect_legs({"c1-sl": "my-stop"})

    told = order_of(order(id="o-9", client_order_id="c1-sl", parent_order_id="o-1"), reading)

    assert "my-stop" == told.client_order_id


def test_an_execution_is_told_field_by_field(reading):
    order_of(order(), reading)

    told = fill_of(row(wire.TradeRow, TRADE), reading)

    assert (
        "t-1",
        "c1",
        "o-1",
        Decimal(4),
        Decimal("185.25"),
        Money("0.5", "USD"),
        Liquidity.MAKER,
        parse_time("2026-01-07T14:31:00Z"),
    ) == (
        told.fill_id,
        told.client_order_id,
        told.venue_order_id,
        told.quantity,
        told.price,
        told.commission,
        told.liquidity,
        told.venue_time_ns,
    )


def test_what_an_execution_does_not_say_is_not_known(reading):
    bare = row(wire.TradeRow, TRADE, commission=None, is_maker=None, timestamp=None)

    told = fill_of(bare, reading)

    assert (None, None, NOW_NS) == (told.commission, told.liquidity, told.venue_time_ns)


def test_an_account_has_one_balance_and_no_cash(reading):
    told = account_of(row(wire.AccountRow, ACCOUNT), reading, position_mode="HEDGING")

    assert (Decimal("100050.5"), None, [("USD", Decimal(100000))], PositionMode.HEDGING) == (
        told.equity,
        told.cash,
        [(one.currency, one.total) for one in told.balances],
        told.position_mode,
    )


def test_what_is_held_is_the_cash_where_a_gateway_tells_it(reading):
    told = account_of(row(wire.AccountRow, {**ACCOUNT, "cash": "7"}), reading)

    assert [("USD", Decimal(7))] == [(one.currency, one.total) for one in told.balances]


def test_the_zeros_of_a_position_are_not_known(reading):
    told = position_of(row(wire.PositionRow, POSITION), reading)

    assert (Decimal(-4), None, None, None, None) == (
        told.quantity,
        told.average_entry_price,
        told.mark_price,
        told.unrealized_pnl,
        told.realized_pnl,
    )


def test_a_position_is_told_with_its_sign_and_prices(reading):
    full = POSITION | {
        "side": "LONG",
        "average_entry_price": "185.25",
        "current_price": "186",
        "unrealized_pnl": "3",
    }

    told = position_of(row(wire.PositionRow, full), reading)

    assert (Decimal(4), Decimal("185.25"), Decimal(186), Money(3, "USD")) == (
        told.quantity,
        told.average_entry_price,
        told.mark_price,
        told.unrealized_pnl,
    )


def test_a_position_of_no_side_is_the_gateway_s_mistake(reading):
    with pytest.raises(ProtocolError):
        position_of(row(wire.PositionRow, POSITION, side="FLAT"), reading)


@pytest.mark.parametrize("nobody", [{"ask": "0"}, {"ask_size": "0"}])
def test_a_side_of_nothing_is_nobody_s(reading, nobody):
    told = quote_of(row(wire.QuoteRow, QUOTE, **nobody), reading)

    assert (Decimal("185.49"), None, None) == (told.bid_price, told.ask_price, told.ask_size)


@pytest.mark.parametrize(
    ("at", "is_complete"),
    [("2026-01-07T14:30:59Z", False), ("2026-01-07T14:31:00Z", True), (None, True)],
)
def test_a_bar_is_complete_once_its_time_is_over(reading, at, is_complete):
    at_ns = None if at is None else parse_time(at)

    assert is_complete == bar_of(row(wire.BarRow, BAR), reading, at_ns=at_ns).is_complete


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["STOCK"], (AssetClass.EQUITY, InstrumentKind.SPOT)),
        (["FOREX"], (AssetClass.FX, InstrumentKind.SPOT)),
        (["FUTURES"], (AssetClass.UNKNOWN, InstrumentKind.FUTURE)),
        (["STOCK", "CRYPTO"], (AssetClass.UNKNOWN, InstrumentKind.SPOT)),
        ([], (AssetClass.UNKNOWN, InstrumentKind.SPOT)),
    ],
)
def test_of_an_instrument_that_nobody_lists_little_is_known(reading, classes, expected):
    told = bare_instrument("AAPL", classes, reading)

    assert (*expected, None, None, "USD") == (
        told.asset_class,
        told.kind,
        told.tick_size,
        told.lot_size,
        told.quote,
    )
