from decimal import Decimal

import attrs
import pytest

from dragoman.errors import InvalidValueError
from dragoman.models import (
    LedgerKind,
    Money,
    OptionRight,
    Side,
)
from dragoman.paper.accounts.adjustments import intrinsic_value

BUY, SELL = Side.BUY, Side.SELL


def test_funding_is_paid_by_longs_at_the_mark(account, execution):
    paper = account()
    paper.fund(Money("1", "BTC"), 1)
    paper.apply(execution("INVERSE", BUY, 100, 50_000))
    paper.mark("INVERSE", Decimal(40_000), 2)

    booked = paper.charge_funding("INVERSE", Decimal("0.0001"), 3)

    (entry,) = booked.entries
    assert (LedgerKind.FUNDING, Money("-0.000025", "BTC"), Decimal(40_000)) == (
        entry.kind,
        entry.amount,
        entry.price,
    )
    assert Decimal("0.999975") == paper.cash("BTC")
    assert () == booked.changes


def test_dividend_is_paid_by_shorts(account, execution):
    paper = account()
    paper.apply(execution("STOCK", SELL, 100, 50))

    (entry,) = paper.pay_dividend("STOCK", Decimal("0.25"), 3).entries

    assert (LedgerKind.DIVIDEND, Money("-25", "USD")) == (entry.kind, entry.amount)
    assert Decimal(104_975) == paper.cash()


def test_dividend_counts_every_unit_of_a_contract(account, execution):
    paper = account()
    paper.apply(execution("FUTURE", BUY, 2, 50))

    (entry,) = paper.pay_dividend("FUTURE", Decimal("0.25"), 3).entries

    assert Money("2.50", "USD") == entry.amount


def test_split_restates_quantity_average_and_mark(account, execution):
    paper = account()
    paper.apply(execution("STOCK", BUY, 100, 90))
    before = paper.snapshot(1).equity

    booked = paper.split("STOCK", Decimal(3), 3)

    ((position, previous),) = booked.changes
    assert (Decimal(100), Decimal(300), Decimal(30), Decimal(30)) == (
        previous,
        position.quantity,
        position.average_entry_price,
        position.mark_price,
    )
    assert (LedgerKind.SPLIT, Decimal(200), None) == (
        booked.entries[0].kind,
        booked.entries[0].quantity,
        booked.entries[0].amount,
    )
    assert before == paper.snapshot(4).equity
    with pytest.raises(InvalidValueError, match="ratio"):
        paper.split("STOCK", Decimal(0), 4)


@pytest.mark.parametrize(
    ("symbol", "side", "price", "kind", "amount", "realized"),
    [
        ("FUTURE", BUY, 90, LedgerKind.SETTLEMENT, -100, -100),
        ("FUTURE", SELL, 90, LedgerKind.SETTLEMENT, 100, 100),
        ("OPTION", BUY, 130, LedgerKind.SETTLEMENT, 26_000, 6_000),
        ("OPTION", SELL, 130, LedgerKind.SETTLEMENT, -26_000, -6_000),
        ("OPTION", BUY, 0, LedgerKind.EXPIRY, 0, -20_000),
        ("OPTION", SELL, 0, LedgerKind.EXPIRY, 0, 20_000),
    ],
)
def test_end_of_a_contract_goes_through_the_ledger(
    account, execution, symbol, side, price, kind, amount, realized
):
    paper = account()
    paper.apply(execution(symbol, side, 2, 100))

    booked = paper.settle(symbol, Decimal(price), 5)

    (entry,) = booked.entries
    assert (kind, Money(Decimal(amount), "USD"), Decimal(-2 * side.sign)) == (
        entry.kind,
        entry.amount,
        entry.quantity,
    )
    told = paper.snapshot(6)
    assert (Decimal(100_000 + realized), Decimal(100_000 + realized), Decimal(realized)) == (
        told.equity,
        told.cash,
        told.realized_pnl,
    )
    assert () == paper.positions()
    ((position, previous),) = booked.changes
    assert (Decimal(0), Decimal(price), Decimal(2 * side.sign)) == (
        position.quantity,
        position.mark_price,
        previous,
    )


@pytest.mark.parametrize(
    ("right", "underlying", "expected"),
    [("CALL", 57, 7), ("CALL", 43, 0), ("PUT", 43, 7), ("PUT", 57, 0), (None, 57, 0)],
)
def test_intrinsic_value_is_what_exercise_would_gain(instruments, right, underlying, expected):
    option = attrs.evolve(
        instruments["OPTION"], option_right=None if right is None else OptionRight(right)
    )

    assert Decimal(expected) == intrinsic_value(option, Decimal(underlying))


def test_funding_without_any_price_charges_nothing(account):
    assert ((), ()) == account().charge_funding("FUTURE", Decimal("0.01"), 1)


def test_funding_takes_the_price_given_before_the_mark(account, execution):
    paper = account()
    paper.apply(execution("FUTURE", SELL, 2, 100))

    (entry,) = paper.charge_funding("FUTURE", Decimal("0.01"), 3, price=Decimal(50)).entries

    assert Money("5", "USD") == entry.amount


def test_split_of_what_nobody_holds_changes_nothing(account):
    paper = account()

    assert ((), ()) == paper.split("STOCK", Decimal(2), 1)
    assert [] == paper.ledger
