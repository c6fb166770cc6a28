"""What a broker lends, holds back and takes back: one card per rule, sums by hand."""

import pytest
from paper_contracts import D, cash, opened, price
from paper_venue import ACCOUNT, kinds, refusal

from dragoman.errors import ConflictError, NotFoundError
from dragoman.models import (
    MarginMode,
    OrderOrigin,
    PositionMode,
)
from dragoman.paper.settings import AccountSettings, Fee, FeeSchedule


def test_a_cash_account_neither_borrows_nor_sells_short():
    venue = opened(AccountSettings(account_id=ACCOUNT, cash=1000, margin_mode=MarginMode.CASH))

    assert "INSUFFICIENT_FUNDS" == refusal(venue.market("BUY", 11))
    assert refusal(venue.market("SELL", 1)) in {"SHORT_NOT_ALLOWED", "INSUFFICIENT_POSITION"}
    assert ["ACCEPTED", "FILL"] == kinds(venue.market("BUY", 10))
    assert refusal(venue.market("SELL", 11)) in {"SHORT_NOT_ALLOWED", "INSUFFICIENT_POSITION"}
    assert ["ACCEPTED", "FILL"] == kinds(venue.market("SELL", 10))


def test_shares_promised_to_one_order_cannot_be_promised_to_another():
    venue = opened(AccountSettings(account_id=ACCOUNT, cash=1000, margin_mode=MarginMode.CASH))
    venue.market("BUY", 10)
    venue.limit("SELL", 10, 120)

    assert refusal(venue.limit("SELL", 1, 120)) in {"SHORT_NOT_ALLOWED", "INSUFFICIENT_POSITION"}


def test_an_open_order_holds_its_money_and_gives_it_back():
    venue = opened(AccountSettings(account_id=ACCOUNT, cash=1000, margin_mode=MarginMode.CASH))
    venue.limit("BUY", 8, 90)

    assert "INSUFFICIENT_FUNDS" == refusal(venue.limit("BUY", 8, 90))
    venue.cancel("o1")
    assert ["ACCEPTED"] == kinds(venue.limit("BUY", 8, 90))


def test_margin_is_asked_of_what_is_opened_and_not_of_what_is_closed():
    venue = opened(AccountSettings(account_id=ACCOUNT, cash=1000))

    assert "INSUFFICIENT_FUNDS" == refusal(venue.market("BUY", 21))
    assert ["ACCEPTED", "FILL"] == kinds(venue.market("BUY", 20))
    assert ["ACCEPTED", "FILL"] == kinds(venue.market("SELL", 20))


def test_leverage_bounds_what_is_held():
    venue = opened(AccountSettings(account_id=ACCOUNT, cash=1000, leverage=D(1)))

    assert "INSUFFICIENT_FUNDS" == refusal(venue.market("BUY", 11))
    assert ["ACCEPTED", "FILL"] == kinds(venue.market("BUY", 10))


def test_a_margin_call_closes_the_position_and_says_who_did():
    venue = opened(AccountSettings(account_id=ACCOUNT, cash=2000))
    venue.market("BUY", 40)

    price(venue, "STOCK", 60)

    closing = [
        each for each in venue.engine.orders(ACCOUNT) if each.origin is OrderOrigin.LIQUIDATION
    ]
    assert (0, ["FILLED"]) == (venue.position(), [each.status for each in closing])
    assert all(each.reduce_only for each in closing)


def test_an_account_above_its_maintenance_margin_is_left_alone():
    venue = opened(AccountSettings(account_id=ACCOUNT, cash=2000))
    venue.market("BUY", 40)

    price(venue, "STOCK", 80)

    assert 40 == venue.position()


def test_a_busted_trade_never_was():
    venue = opened(fees=FeeSchedule(default=Fee(taker="0.001")))
    before = venue.engine.account(ACCOUNT)
    venue.market("BUY", 10)
    (fill,) = venue.engine.fills(ACCOUNT)

    venue.engine.bust(ACCOUNT, fill.fill_id)

    after, order = venue.engine.account(ACCOUNT), venue.order("o1")
    assert (before.cash, before.equity, 0) == (after.cash, after.equity, venue.position())
    assert ("FILLED", 0, None) == (order.status, order.filled_quantity, order.average_fill_price)
    assert venue.engine.fills(ACCOUNT)[0].is_busted


def test_a_trade_is_busted_once():
    venue = opened()
    venue.market("BUY", 10)
    (fill,) = venue.engine.fills(ACCOUNT)
    venue.engine.bust(ACCOUNT, fill.fill_id)

    with pytest.raises(NotFoundError):
        venue.engine.bust(ACCOUNT, fill.fill_id)


def test_money_that_is_in_use_cannot_be_withdrawn():
    venue = opened()
    venue.market("BUY", 900)

    with pytest.raises(ConflictError):
        venue.engine.withdraw(ACCOUNT, D(60_000))
    venue.engine.withdraw(ACCOUNT, D(5_000))
    assert 5_000 == cash(venue)


def test_the_way_positions_are_kept_changes_only_while_flat():
    venue = opened()
    venue.market("BUY", 10)

    with pytest.raises(ConflictError):
        venue.engine.set_position_mode(ACCOUNT, PositionMode.HEDGING)
    venue.market("SELL", 10)
    venue.engine.set_position_mode(ACCOUNT, PositionMode.HEDGING)
    assert PositionMode.HEDGING == venue.engine.account(ACCOUNT).position_mode
