from decimal import Decimal

import pytest

from dragoman.errors import ConflictError, InvalidValueError
from dragoman.models import (
    AccountEventKind,
    LedgerKind,
    MarginMode,
    Money,
    Side,
)

BUY, SELL = Side.BUY, Side.SELL


def test_totals_take_foreign_profit_at_the_present_rate(account, execution):
    paper = account()
    paper.apply(execution("USD/JPY", BUY, 1000, 150))
    paper.apply(execution("USD/JPY", SELL, 1000, 160, fill_id="f2"))

    paper.mark("USD/JPY", Decimal(125), 3)

    told = paper.snapshot(4)
    assert (Decimal(10_000), Decimal(100_000)) == (paper.cash("JPY"), paper.cash())
    assert (Decimal(100_080), Decimal(80)) == (told.equity, told.realized_pnl)
    assert ["JPY", "USD"] == [each.currency for each in told.balances]


def test_total_without_a_rate_is_not_known_and_its_balance_still_is(account):
    paper = account()
    paper.fund(Money("2", "BTC"), 1)

    told = paper.snapshot(2)

    assert (None, None, None, None) == (
        told.equity,
        told.cash,
        told.buying_power,
        told.margin_available,
    )
    assert ("BTC", Decimal(2), Decimal(2)) == (
        told.balances[0].currency,
        told.balances[0].total,
        told.balances[0].available,
    )


def test_deposit_and_withdrawal_are_entered(account):
    paper = account()

    paper.fund(Money("500", "USD"), 1)
    entry = paper.fund(Money("-100500", "USD"), 2)

    assert (LedgerKind.WITHDRAWAL, Decimal(0)) == (entry.kind, paper.cash())
    assert [LedgerKind.DEPOSIT, LedgerKind.WITHDRAWAL] == [each.kind for each in paper.ledger]
    with pytest.raises(ConflictError, match="at most 0"):
        paper.fund(Money("-0.01", "USD"), 3)
    with pytest.raises(InvalidValueError, match="amount"):
        paper.fund(Money("0", "USD"), 3)


def test_what_positions_bind_is_not_withdrawn(account, execution):
    paper = account()
    paper.apply(execution("FUTURE", BUY, 100, 100))

    with pytest.raises(ConflictError, match="at most 95000"):
        paper.fund(Money("-95001", "USD"), 2)
    paper.fund(Money("-95000", "USD"), 3)
    assert Decimal(5000) == paper.cash()


def test_margin_call_names_the_worst_positions_that_suffice(account, execution):
    paper = account(cash=1000)
    paper.apply(execution("OPTION", BUY, 1, 1, fill_id="f0"))
    paper.apply(execution("OPTION", SELL, 1, 1, fill_id="f1"))
    paper.apply(execution("EUR/USD", BUY, 20_000, 1, fill_id="f2"))
    paper.apply(execution("FUTURE", BUY, 10, 100))
    paper.apply(execution("STOCK", SELL, 1, 50, fill_id="f3"))
    fine = paper.margin_alert(), paper.margin_call(4)

    paper.mark("FUTURE", Decimal("89.5"), 5)
    warned = paper.margin_alert(), paper.margin_call(5)
    paper.mark("FUTURE", Decimal(88), 6)
    (worst,) = paper.margin_call(6)
    paper.mark("FUTURE", Decimal(81), 7)
    paper.mark("EUR/USD", Decimal("0.99"), 7)
    several = paper.margin_call(7)

    assert (None, ()) == fine
    assert (AccountEventKind.MARGIN_WARNING, ()) == warned
    assert "FUTURE" == worst.position_id
    assert AccountEventKind.MARGIN_CALL is paper.margin_alert()
    assert ["FUTURE", "EUR/USD", "STOCK"] == [each.position_id for each in several]


def test_currency_without_a_rate_is_called_by_itself(account, execution):
    paper = account()
    paper.fund(Money("0.01", "BTC"), 1)
    paper.apply(execution("INVERSE", BUY, 100, 50_000))
    paper.mark("INVERSE", Decimal(48_000), 2)

    assert AccountEventKind.MARGIN_CALL is paper.margin_alert()
    assert ["INVERSE"] == [each.position_id for each in paper.margin_call(3)]


def test_paid_up_account_is_never_called(account, execution):
    paper = account(margin_mode=MarginMode.CASH)
    paper.apply(execution("STOCK", BUY, 1000, 100))

    paper.mark("STOCK", Decimal("0.01"), 2)

    assert paper.margin_alert() is None
    assert () == paper.margin_call(3)


def test_withdrawal_without_a_rate_is_bounded_by_its_own_currency(account):
    paper = account()
    paper.fund(Money("2", "BTC"), 1)

    paper.fund(Money("-1.5", "BTC"), 2)

    assert Decimal("0.5") == paper.cash("BTC")
    with pytest.raises(ConflictError, match=r"at most 0\.5 is free"):
        paper.fund(Money("-0.6", "BTC"), 3)
