from decimal import Decimal

import pytest

from dragoman.errors import InvalidValueError, NotFoundError
from dragoman.models import (
    MarginMode,
    Money,
    PositionEffect,
    PositionMode,
    RejectReason,
    Side,
)

BUY, SELL = Side.BUY, Side.SELL
CLOSE = PositionEffect.CLOSE
HEDGING = PositionMode.HEDGING


def test_position_id_that_disagrees_is_refused(account, exposure):
    hedging, netting = account(position_mode=HEDGING), account()

    with pytest.raises(InvalidValueError, match="position_id"):
        hedging.bucket_of("FUTURE", BUY, None, "FUTURE:SHORT")
    other = exposure("FUTURE", BUY, 1, 1, position_id="FUTURE:SHORT")
    assert RejectReason.POSITION_MODE is hedging.admit(other)
    assert RejectReason.POSITION_MODE is netting.admit(other)


def test_close_order_needs_a_position_and_no_funds(account, execution, exposure):
    paper = account(cash=100)
    order = exposure("FUTURE", SELL, 50, 100, effect=CLOSE)
    before = paper.admit(order)
    paper.apply(execution("FUTURE", BUY, 1, 100))

    assert (RejectReason.WOULD_INCREASE, None) == (before, paper.admit(order))


def test_account_that_may_not_trade_takes_nothing(account, exposure):
    paper = account(can_trade=False)

    assert RejectReason.NOT_PERMITTED is paper.admit(exposure("STOCK", BUY, 1, 1))


def test_unknown_symbol_is_refused(account, execution, exposure):
    assert RejectReason.UNKNOWN_SYMBOL is account().admit(exposure("NOPE", BUY, 1, 1))
    with pytest.raises(NotFoundError, match="NOPE"):
        account().apply(execution("NOPE", BUY, 1, 1))


@pytest.mark.parametrize(
    ("symbol", "quantity", "price", "settings"),
    [
        pytest.param("STOCK", 2000, 100, {}, id="half of its value"),
        pytest.param("COIN/USD", 1000, 100, {}, id="all of its value"),
        pytest.param("FUTURE", 2000, 100, {}, id="a tenth of its value"),
        pytest.param("OPTION", 10, 100, {}, id="the premium"),
        pytest.param("STOCK", 1000, 100, {"margin_mode": MarginMode.CASH}, id="cash"),
        pytest.param("STOCK", 1000, 100, {"leverage": 1}, id="no leverage"),
        pytest.param("EUR/USD", 1_000_000, 1, {"leverage": 10}, id="leverage"),
    ],
)
def test_buying_power_is_enough_to_the_last_unit(
    account, exposure, symbol, quantity, price, settings
):
    paper = account(**settings)

    assert paper.admit(exposure(symbol, BUY, quantity, price)) is None
    assert RejectReason.INSUFFICIENT_FUNDS is paper.admit(
        exposure(symbol, BUY, quantity + 1, price)
    )


def test_fee_counts_among_what_an_order_needs(account, exposure, fees):
    paper = account(fees, cash="100.24")

    assert RejectReason.INSUFFICIENT_FUNDS is paper.admit(exposure("COIN/USD", BUY, 1, 100))
    assert account(fees, cash="100.25").admit(exposure("COIN/USD", BUY, 1, 100)) is None


def test_open_orders_bind_buying_power_until_released(account, exposure):
    paper = account()
    first = exposure("STOCK", BUY, 1500, 100)
    second = exposure("FUTURE", BUY, 1000, 100, name="c2")
    paper.reserve(first)

    bound = paper.admit(second)
    again = paper.admit(first)
    paper.reserve(first._replace(quantity=Decimal(500)))
    smaller = paper.admit(second)
    paper.release("c1")

    assert (RejectReason.INSUFFICIENT_FUNDS, None, None) == (bound, again, smaller)
    assert Decimal(100_000) == paper.snapshot(1).buying_power


def test_fill_lowers_what_its_order_binds(account, execution, exposure):
    paper = account()
    paper.reserve(exposure("STOCK", BUY, 100, 100))

    paper.apply(execution("STOCK", BUY, 40, 100))
    between = paper.snapshot(1).balances[0]
    paper.apply(execution("STOCK", BUY, 60, 100, fill_id="f2"))
    done = paper.snapshot(1).balances[0]

    assert (Decimal(3000), Decimal(2000)) == (between.reserved, between.margin_used)
    assert (Decimal(0), Decimal(5000)) == (done.reserved, done.margin_used)


def test_order_against_the_position_binds_only_its_excess(account, execution, exposure):
    paper = account(cash=2000)
    paper.apply(execution("FUTURE", BUY, 30, 100))

    flip = exposure("FUTURE", SELL, 69, 100)

    assert paper.admit(flip) is None
    assert RejectReason.INSUFFICIENT_FUNDS is paper.admit(flip._replace(quantity=Decimal(71)))


def test_reducing_is_allowed_however_low_the_funds(account, execution, exposure):
    paper = account(cash=2000)
    paper.apply(execution("FUTURE", BUY, 30, 100))
    paper.mark("FUTURE", Decimal(80), 2)

    assert 0 > paper.snapshot(3).margin_available
    assert paper.admit(exposure("FUTURE", SELL, 30, 80)) is None
    assert RejectReason.INSUFFICIENT_FUNDS is paper.admit(exposure("FUTURE", BUY, 1, 80))


def test_hedged_sides_bind_separately(account, execution, exposure):
    paper = account(cash=1000, position_mode=HEDGING)
    paper.apply(execution("FUTURE", BUY, 10, 100))

    assert paper.admit(exposure("FUTURE", SELL, 10, 100)) is None
    assert RejectReason.INSUFFICIENT_FUNDS is paper.admit(exposure("FUTURE", SELL, 11, 100))
    paper.reserve(exposure("FUTURE", SELL, 10, 100))
    assert Decimal(0) == paper.snapshot(1).buying_power


@pytest.mark.parametrize(
    ("symbol", "settings"),
    [("COIN/USD", {}), ("STOCK", {"margin_mode": MarginMode.CASH})],
    ids=["not shortable", "cash account"],
)
def test_nothing_is_sold_short_where_that_is_not_allowed(
    account, execution, exposure, symbol, settings
):
    paper = account(**settings)
    order = exposure(symbol, SELL, 5, 10)
    flat = paper.admit(order)
    paper.apply(execution(symbol, BUY, 8, 10))
    paper.reserve(order)

    other = exposure(symbol, SELL, 4, 10, name="c2")

    assert RejectReason.SHORT_NOT_ALLOWED is flat
    assert paper.admit(order._replace(quantity=Decimal(8))) is None
    assert RejectReason.INSUFFICIENT_POSITION is paper.admit(other)
    assert paper.admit(other._replace(quantity=Decimal(3))) is None
    assert Decimal(3) == paper.positions()[0].available_quantity


def test_hedging_account_opens_no_short_where_that_is_not_allowed(account, execution, exposure):
    paper = account(position_mode=HEDGING)
    paper.apply(execution("COIN/USD", BUY, 8, 10))

    order = exposure("COIN/USD", SELL, 1, 10)

    assert RejectReason.SHORT_NOT_ALLOWED is paper.admit(order)
    assert paper.admit(order._replace(effect=CLOSE)) is None


def test_shortable_stock_is_sold_short_on_margin(account, exposure):
    paper = account()

    assert paper.admit(exposure("STOCK", SELL, 2000, 100)) is None
    assert RejectReason.INSUFFICIENT_FUNDS is paper.admit(exposure("STOCK", SELL, 2001, 100))


def test_without_a_rate_a_currency_answers_for_itself(account, exposure):
    paper = account()
    paper.fund(Money("0.1", "BTC"), 1)

    assert paper.admit(exposure("INVERSE", BUY, 1000, 50_000)) is None
    assert RejectReason.INSUFFICIENT_FUNDS is paper.admit(exposure("INVERSE", BUY, 1001, 50_000))
    paper.mark("BTC/USD", Decimal(50_000), 2)
    assert paper.admit(exposure("INVERSE", BUY, 1001, 50_000)) is None


def test_cash_account_buys_nothing_on_another_currency(account, exposure):
    paper = account(margin_mode=MarginMode.CASH)
    paper.mark("BTC/USD", Decimal(50_000), 2)

    order = exposure("INVERSE", BUY, 1, 50_000)

    assert RejectReason.INSUFFICIENT_FUNDS is paper.admit(order)


def test_close_order_holds_nothing_and_frees_what_its_id_held(account, execution, exposure):
    paper = account()
    paper.apply(execution("FUTURE", BUY, 10, 100))
    paper.reserve(exposure("FUTURE", BUY, 10, 100))
    before = paper.snapshot(1).balances[0].reserved

    paper.reserve(exposure("FUTURE", SELL, 10, 100, effect=CLOSE))

    assert (Decimal(500), Decimal(0)) == (before, paper.snapshot(1).balances[0].reserved)


def test_order_moved_to_another_symbol_frees_the_first(account, exposure):
    paper = account()
    paper.reserve(exposure("STOCK", BUY, 10, 100))
    before = paper.snapshot(1).margin_used

    paper.reserve(exposure("FUTURE", BUY, 10, 10))

    assert (Decimal(500), Decimal(50)) == (before, paper.snapshot(1).margin_used)


def test_flat_position_lets_orders_bind_all_they_need(account, execution, exposure):
    paper = account()
    paper.apply(execution("FUTURE", BUY, 10, 100))
    paper.apply(execution("FUTURE", SELL, 10, 100, fill_id="f2"))

    paper.reserve(exposure("FUTURE", SELL, 10, 100))

    assert Decimal(500) == paper.snapshot(1).margin_used


def test_order_admitted_is_held_for_as_it_was_admitted(account, exposure):
    paper = account(cash=500)
    order = exposure("FUTURE", BUY, 10, 100)

    admitted = paper.admit(order)
    paper.reserve(order)

    assert admitted is None
    assert Decimal(0) == paper.snapshot(1).buying_power
    paper.release("never held")
    assert Decimal(500) == paper.snapshot(1).margin_used


def test_currency_without_a_rate_takes_no_orders_on_other_funds(account, exposure):
    paper = account()

    assert RejectReason.INSUFFICIENT_FUNDS is paper.admit(exposure("INVERSE", BUY, 1, 50_000))
