"""What a clearing house does with money and contracts: one card per rule, sums by hand."""

import pytest
from paper_contracts import EXPIRY_NS, D, cash, opened, price
from paper_venue import ACCOUNT, kinds, refusal

from dragoman.paper.settings import Fee, FeeSchedule
from dragoman.times import SECOND_NS


def gained(venue, currency="USD", account=ACCOUNT):
    return cash(venue, currency, account) - (100_000 if currency == "USD" else 0)


def test_shares_are_paid_for_and_held_at_average_cost():
    venue = opened()
    venue.market("BUY", 10)
    price(venue, "STOCK", 110)
    venue.market("BUY", 30)

    (position,) = venue.engine.positions(ACCOUNT)

    assert (40, D("107.5")) == (position.quantity, position.average_entry_price)
    assert -4300 == gained(venue)
    assert 100_100 == venue.engine.account(ACCOUNT).equity


def test_a_partial_sale_realizes_its_part_and_leaves_the_average():
    venue = opened()
    venue.market("BUY", 40)
    price(venue, "STOCK", 112)
    venue.market("SELL", 10)

    (position,) = venue.engine.positions(ACCOUNT)

    assert (30, 100, 120) == (
        position.quantity,
        position.average_entry_price,
        position.realized_pnl.amount,
    )


def test_a_sale_through_zero_opens_a_short_at_its_price():
    venue = opened()
    venue.market("BUY", 10)
    price(venue, "STOCK", 90)
    venue.market("SELL", 25)

    (position,) = venue.engine.positions(ACCOUNT)

    assert (-15, 90) == (position.quantity, position.average_entry_price)
    assert -1000 + 2250 == gained(venue)
    assert 99_900 == venue.engine.account(ACCOUNT).equity


def test_a_future_moves_only_its_profit_through_cash():
    venue = opened()
    price(venue, "FUTURE", 5000)
    venue.market("BUY", 2, symbol="FUTURE")
    before = gained(venue)
    price(venue, "FUTURE", "5010.25")
    open_profit = venue.engine.account(ACCOUNT).equity - 100_000
    venue.market("SELL", 2, symbol="FUTURE")

    assert (0, D("102.5"), D("102.5")) == (before, open_profit, gained(venue))


def test_an_inverse_contract_pays_in_coin():
    venue = opened()
    price(venue, "COIN/USD", 50_000)
    venue.engine.deposit(ACCOUNT, D(1), "COIN")
    price(venue, "INVERSE", 50_000)
    venue.market("BUY", 100, symbol="INVERSE")
    price(venue, "INVERSE", 62_500)
    venue.market("SELL", 100, symbol="INVERSE")

    assert (D("1.04"), 0) == (gained(venue, "COIN"), gained(venue))


def test_a_short_inverse_contract_gains_as_the_price_falls():
    venue = opened()
    price(venue, "COIN/USD", 50_000)
    venue.engine.deposit(ACCOUNT, D(1), "COIN")
    price(venue, "INVERSE", 50_000)
    venue.market("SELL", 100, symbol="INVERSE")
    price(venue, "INVERSE", 40_000)
    venue.market("BUY", 100, symbol="INVERSE")

    assert D("1.05") == gained(venue, "COIN")


def test_an_inverse_average_is_harmonic():
    venue = opened()
    price(venue, "COIN/USD", 50_000)
    venue.engine.deposit(ACCOUNT, D(1), "COIN")
    for last in (40_000, 60_000):
        price(venue, "INVERSE", last)
        venue.market("BUY", 10, symbol="INVERSE")

    (position,) = venue.engine.positions(ACCOUNT)

    assert 48_000 == position.average_entry_price


@pytest.mark.parametrize(
    ("right", "underlying", "paid"),
    [("CALL", 107, 700), ("CALL", 93, 0), ("PUT", 93, 700), ("PUT", 107, 0)],
)
def test_an_option_is_settled_at_what_it_is_worth(right, underlying, paid):
    venue = opened()
    price(venue, right, 3)
    venue.market("BUY", 1, symbol=right)
    venue.market("SELL", 1, symbol=right, account="second")
    premium = gained(venue)
    price(venue, "STOCK", underlying)

    venue.engine.advance(EXPIRY_NS)

    assert (-300, -300 + paid, 300 - paid) == (
        premium,
        gained(venue),
        gained(venue, account="second"),
    )
    assert () == venue.engine.positions(ACCOUNT) + venue.engine.positions("second")


def test_a_future_is_settled_at_its_last_price_and_trades_no_more():
    venue = opened()
    price(venue, "FUTURE", 5000)
    venue.market("SELL", 1, symbol="FUTURE")
    venue.limit("BUY", 1, 4000, symbol="FUTURE")
    price(venue, "FUTURE", 4990)

    events = venue.engine.advance(EXPIRY_NS)

    assert 50 == gained(venue)
    assert kinds(events) in (["EXPIRED"], ["CANCELED"])
    assert "NOT_TRADABLE" == refusal(venue.market("BUY", 1, symbol="FUTURE"))


def test_longs_pay_a_positive_funding_rate_to_shorts():
    venue = opened()
    price(venue, "PERPETUAL", 50_000)
    venue.market("BUY", "0.5", symbol="PERPETUAL")
    venue.market("SELL", "0.5", symbol="PERPETUAL", account="second")
    due_ns = venue.engine.now_ns + 10 * SECOND_NS
    venue.engine.set_funding_rate("PERPETUAL", D("0.0001"), due_ns)

    venue.engine.advance(due_ns)

    assert (D("-2.5"), D("2.5")) == (gained(venue), gained(venue, account="second"))


def test_a_dividend_is_paid_to_longs_by_shorts():
    venue = opened()
    venue.market("BUY", 10)
    venue.market("SELL", 4, account="second")
    before = cash(venue), cash(venue, account="second")

    venue.engine.dividend("STOCK", D("0.25"))

    assert (D("2.5"), D("-1.0")) == (
        cash(venue) - before[0],
        cash(venue, account="second") - before[1],
    )


def test_a_split_changes_units_and_no_value():
    venue = opened()
    venue.market("BUY", 10)
    venue.limit("SELL", 10, "150")
    venue.engine.split("STOCK", D(4))

    (position,) = venue.engine.positions(ACCOUNT)

    assert (40, 25) == (position.quantity, position.average_entry_price)
    assert "CANCELED" == venue.order("o2").status


@pytest.mark.parametrize(
    ("fee", "taker", "maker"),
    [
        (Fee(maker="0.001", taker="0.002"), "2.000", "1.000"),
        (Fee(per_unit="0.01"), "0.10", "0.10"),
        (Fee(per_unit="0.01", minimum="1"), "1", "1"),
        (Fee(maker="-0.0001", taker="0.0002"), "0.2000", "-0.1000"),
    ],
)
def test_a_fill_costs_what_the_schedule_says(fee, taker, maker):
    venue = opened(fees=FeeSchedule(default=fee))
    venue.tick(99, 101, last=100)
    venue.limit("BUY", 10, 100)
    venue.market("SELL", 10, account="second")

    costs = [venue.engine.fills(name)[0].commission.amount for name in ("second", ACCOUNT)]

    assert [D(taker), D(maker)] == costs


def test_two_accounts_that_trade_with_each_other_make_no_money():
    venue = opened()
    venue.tick(99, 101, last=100)
    venue.limit("BUY", 10, 100)
    venue.market("SELL", 10, account="second")
    venue.tick(119, 121, last=120)
    venue.limit("SELL", 10, 120)
    venue.market("BUY", 10, account="second")

    assert (200, -200) == (gained(venue), gained(venue, account="second"))
