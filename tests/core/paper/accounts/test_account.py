from decimal import Decimal

import pytest

from dragoman.errors import ConflictError, InvalidValueError, NotFoundError
from dragoman.models import (
    LedgerKind,
    Liquidity,
    Money,
    PositionEffect,
    PositionMode,
    Side,
)

BUY, SELL = Side.BUY, Side.SELL
OPEN, CLOSE = PositionEffect.OPEN, PositionEffect.CLOSE
HEDGING = PositionMode.HEDGING


def amounts(told):
    return told.equity, told.cash, told.unrealized_pnl, told.realized_pnl, told.margin_used


def test_funded_buy_moves_cash_into_market_value(account, execution):
    paper = account()

    applied = paper.apply(execution("STOCK", BUY, 10, 100, time_ns=7))
    paper.mark("STOCK", Decimal(110), 8)

    assert ("STOCK", Decimal(0), Decimal(10)) == (
        applied.position_id,
        applied.previous_quantity,
        applied.position.quantity,
    )
    assert (7, 7, 7) == (
        applied.position.opened_at_ns,
        applied.position.updated_at_ns,
        applied.position.received_at_ns,
    )
    assert tuple(map(Decimal, (100_100, 99_000, 100, 0, 550))) == amounts(paper.snapshot(9))


def test_future_moves_only_profit_and_commission(account, execution, fees):
    paper = account(fees)

    paper.apply(execution("FUTURE", BUY, 2, 5000))
    closing = paper.apply(execution("FUTURE", SELL, 1, 5010, fill_id="f2"))
    paper.mark("FUTURE", Decimal(5020), 9)

    assert (Money("0.62", "USD"), Money("50", "USD")) == (
        closing.commission,
        closing.realized_pnl,
    )
    assert Decimal("100048.14") == paper.cash()
    told = paper.snapshot(9)
    assert (Decimal("100148.14"), Decimal(100), Decimal(50)) == (
        told.equity,
        told.unrealized_pnl,
        told.realized_pnl,
    )
    assert Decimal(2510) == told.margin_used


def test_first_fill_is_the_mark_until_one_comes(account, execution):
    paper = account()

    applied = paper.apply(execution("STOCK", BUY, 10, 100))

    assert (Decimal(100), Money("0", "USD")) == (
        applied.position.mark_price,
        applied.position.unrealized_pnl,
    )


def test_closed_position_is_told_once_with_quantity_zero(account, execution):
    paper = account()
    paper.apply(execution("STOCK", BUY, 10, 100))

    applied = paper.apply(execution("STOCK", SELL, 10, 90, fill_id="f2"))

    position = applied.position
    assert (Decimal(0), None, Money("-100", "USD"), Money("0", "USD")) == (
        position.quantity,
        position.average_entry_price,
        position.realized_pnl,
        position.margin,
    )
    assert () == paper.positions()


def test_rebate_is_a_negative_commission(account, execution, fees):
    paper = account(fees)

    applied = paper.apply(execution("COIN/USD", BUY, 2, 100, liquidity=Liquidity.MAKER))

    assert Money("-0.0200", "USD") == applied.commission
    assert Decimal("99800.02") == paper.cash()


def test_inverse_contract_settles_in_its_base(account, execution, fees):
    paper = account(fees)
    paper.fund(Money("1", "BTC"), 1)
    paper.mark("BTC/USD", Decimal(50_000), 1)

    paper.apply(execution("INVERSE", BUY, 10, 50_000))
    closing = paper.apply(execution("INVERSE", SELL, 5, 62_500, fill_id="f2"))

    assert Money("0.002", "BTC") == closing.realized_pnl
    assert Money("0.0000040", "BTC") == closing.commission
    assert Decimal("1.001986") == paper.cash("BTC")
    assert Decimal(100_000) == paper.cash()


def test_hedging_keeps_both_sides_apart(account, execution):
    paper = account(position_mode=HEDGING)
    paper.apply(execution("FUTURE", BUY, 3, 100))
    paper.apply(execution("FUTURE", SELL, 2, 110, fill_id="f2", effect=OPEN))

    closing = paper.apply(execution("FUTURE", SELL, 1, 120, fill_id="f3", effect=CLOSE))

    assert ("FUTURE:LONG", Money("100", "USD")) == (closing.position_id, closing.realized_pnl)
    assert [("FUTURE:LONG", Decimal(2)), ("FUTURE:SHORT", Decimal(-2))] == [
        (each.position_id, each.quantity) for each in paper.positions("FUTURE")
    ]


@pytest.mark.parametrize(
    ("side", "effect", "expected"),
    [
        (BUY, None, "FUTURE:LONG"),
        (BUY, OPEN, "FUTURE:LONG"),
        (SELL, CLOSE, "FUTURE:LONG"),
        (SELL, None, "FUTURE:SHORT"),
        (SELL, OPEN, "FUTURE:SHORT"),
        (BUY, CLOSE, "FUTURE:SHORT"),
    ],
)
def test_bucket_follows_side_and_effect(account, side, effect, expected):
    paper = account(position_mode=HEDGING)

    assert expected == paper.bucket_of("FUTURE", side, effect, expected)
    assert "FUTURE" == account().bucket_of("FUTURE", side, effect)


def test_closable_is_what_stands_on_the_other_side(account, execution):
    netting, hedging = account(), account(position_mode=HEDGING)
    netting.apply(execution("FUTURE", SELL, 3, 100))
    hedging.apply(execution("FUTURE", BUY, 2, 100))
    hedging.apply(execution("FUTURE", SELL, 5, 100, fill_id="f2"))

    assert (Decimal(3), Decimal(0)) == (
        netting.closable("FUTURE", BUY),
        netting.closable("FUTURE", SELL),
    )
    assert (Decimal(5), Decimal(2)) == (
        hedging.closable("FUTURE", BUY),
        hedging.closable("FUTURE", SELL, "FUTURE:LONG"),
    )
    assert Decimal(0) == hedging.closable("FUTURE", SELL, "FUTURE:SHORT")
    assert Decimal(0) == netting.closable("STOCK", SELL)


def test_leverage_is_worked_into_positions_and_open_orders(account, execution, exposure):
    paper = account()
    paper.apply(execution("EUR/USD", BUY, 1000, 1))
    paper.reserve(exposure("EUR/USD", BUY, 1000, 1))
    before = paper.snapshot(1).margin_used

    paper.set_leverage(Decimal(10), "EUR/USD")

    assert (Decimal(40), Decimal(200)) == (before, paper.snapshot(1).margin_used)
    assert Decimal(10) == paper.positions()[0].leverage
    paper.set_leverage(Decimal(2))
    assert Decimal(2) == paper.snapshot(1).leverage
    with pytest.raises(InvalidValueError, match="leverage"):
        paper.set_leverage(Decimal(0))


def test_position_mode_changes_only_without_positions_and_orders(account, execution, exposure):
    paper = account()
    paper.reserve(exposure("STOCK", BUY, 1, 1))
    with pytest.raises(ConflictError, match="position mode"):
        paper.set_position_mode(HEDGING)
    paper.release("c1")
    paper.apply(execution("STOCK", BUY, 1, 1))
    with pytest.raises(ConflictError, match="position mode"):
        paper.set_position_mode(HEDGING)
    paper.apply(execution("STOCK", SELL, 1, 1, fill_id="f2"))

    paper.set_position_mode(HEDGING)

    assert HEDGING is paper.position_mode
    assert HEDGING is paper.snapshot(1).position_mode


def test_estimate_is_margin_and_commission(account, exposure, fees):
    paper = account(fees)

    found = paper.estimate(exposure("FUTURE", SELL, 2, 100))

    assert (Money("100", "USD"), Money("1.24", "USD")) == found


def test_bust_of_a_closing_fill_reopens_what_it_closed(account, execution, fees):
    paper = account(fees)
    paper.apply(execution("FUTURE", BUY, 2, 100))
    paper.apply(execution("FUTURE", SELL, 2, 110, fill_id="f2"))

    undone = paper.bust("f2", 9)

    assert (Money("-1.24", "USD"), Money("-100", "USD"), Decimal(0)) == (
        undone.commission,
        undone.realized_pnl,
        undone.previous_quantity,
    )
    assert (Decimal(2), Decimal(100), 9) == (
        undone.position.quantity,
        undone.position.average_entry_price,
        undone.position.updated_at_ns,
    )
    assert Decimal("99998.76") == paper.cash()
    with pytest.raises(NotFoundError, match="f2"):
        paper.bust("f2", 10)


def test_bust_before_a_split_corrects_the_ledger(account, execution):
    paper = account()
    paper.apply(execution("STOCK", BUY, 10, 100))
    paper.apply(execution("STOCK", BUY, 5, 100, fill_id="f2"))
    paper.split("STOCK", Decimal(2), 3)
    paper.pay_dividend("STOCK", Decimal(1), 4)

    undone = paper.bust("f2", 9)

    (entry,) = undone.entries
    assert (LedgerKind.ADJUSTMENT, Decimal(-5), Money("-10", "USD"), "f2") == (
        entry.kind,
        entry.quantity,
        entry.amount,
        entry.fill_id,
    )
    assert Decimal(20) == undone.position.quantity
    assert Decimal(99_020) == paper.cash()


def test_position_mode_stays_what_it_is(account, execution):
    paper = account()
    paper.apply(execution("STOCK", BUY, 1, 1))

    paper.set_position_mode(PositionMode.NETTING)

    assert PositionMode.NETTING is paper.position_mode
