"""What a broker does with OCO and OTO lists and with closing orders: one card per rule."""

from decimal import Decimal

import pytest
from paper_venue import ACCOUNT, GTC, START_NS, Venue, refusal

from dragoman.models import (
    Contingency,
    Exit,
    OrderChange,
    OrderRequest,
    OrderType,
    PositionEffect,
    PositionMode,
    RejectReason,
    Side,
)
from dragoman.paper.settings import AccountSettings

D = Decimal
CLOSE = PositionEffect.CLOSE
OCO, OTO = Contingency.OCO, Contingency.OTO
BRACKET = {"stop_loss": Exit(price="95"), "take_profit": Exit(price="105")}


@pytest.fixture
def venue():
    """100.00 bid for 1000, 100.02 asked for 1000, last 100.01."""
    return opened()


def opened(mode=PositionMode.NETTING, **settings):
    accounts = (AccountSettings(account_id=ACCOUNT, position_mode=mode), "second")
    venue = Venue(accounts=accounts, start_ns=START_NS, **settings)
    venue.tick("100.00", "100.02", last="100.01")
    return venue


def printed(venue, last, size=1000):
    last = D(last)
    return venue.tick(last - D("0.01"), last + D("0.01"), last=last, size=size)


def state(venue, *names):
    orders = [venue.order(name) for name in names]
    return [(str(each.status), each.quantity) for each in orders]


def terms(name, side, kind="LIMIT", quantity=10, **prices):
    return OrderRequest(
        symbol="STOCK",
        side=Side(side),
        order_type=OrderType(kind),
        quantity=quantity,
        client_order_id=name,
        account_id=ACCOUNT,
        time_in_force=GTC,
        **prices,
    )


def test_one_of_an_oco_fills_and_cancels_the_other(venue):
    orders = [terms("a", "SELL", limit_price=105), terms("b", "SELL", "STOP", stop_price=95)]
    venue.engine.submit_list(orders, OCO)

    printed(venue, "105.01")

    assert ["FILLED", "CANCELED"] == [status for status, _ in state(venue, "a", "b")]


@pytest.mark.parametrize("quantities", [(1, 10_000_000), (10_000_000, 1)])
def test_an_oco_with_a_leg_beyond_the_funds_is_refused_whole(venue, quantities):
    names = "a", "b"
    legs = [
        terms(name, "BUY", quantity=quantity, limit_price=90)
        for name, quantity in zip(names, quantities, strict=True)
    ]
    large = names[quantities.index(10_000_000)]

    venue.engine.submit_list(legs, OCO)

    assert ["REJECTED", "REJECTED"] == [status for status, _ in state(venue, *names)]
    assert RejectReason.INSUFFICIENT_FUNDS is venue.order(large).reject_reason
    assert 0 == venue.engine.account(ACCOUNT).balances[0].reserved


def test_an_oco_reserves_its_largest_leg(venue):
    legs = [terms("a", "BUY", limit_price=90), terms("b", "BUY", quantity=100, limit_price=90)]

    venue.limit("BUY", 100, 90, client_order_id="alone")
    alone = venue.engine.account(ACCOUNT).balances[0].reserved
    venue.cancel("alone")
    venue.engine.submit_list(legs, OCO)

    assert alone > 0
    assert alone == venue.engine.account(ACCOUNT).balances[0].reserved


def test_a_triggered_leg_beyond_the_funds_ends_with_its_group(venue):
    orders = [
        terms("p", "BUY", "MARKET", quantity=1),
        terms("a", "BUY", quantity=1, limit_price=90),
        terms("b", "BUY", quantity=10_000_000, limit_price=90),
    ]

    venue.engine.submit_list(orders, OTO)

    ended = [each for each in ("p", "a", "b") if venue.order(each).is_terminal]
    assert ["p", "a", "b"] == ended
    assert 0 == venue.engine.account(ACCOUNT).balances[0].reserved


def test_an_oco_filled_in_part_takes_as_much_off_the_other(venue):
    orders = [
        terms("a", "SELL", quantity=100, limit_price=105),
        terms("b", "SELL", "STOP", quantity=100, stop_price=95),
    ]
    venue.engine.submit_list(orders, OCO)

    venue.tick("105.00", "105.02", size=30)

    assert [("PARTIALLY_FILLED", 100), ("OPEN", 70)] == state(venue, "a", "b")


def test_a_cancel_of_one_of_an_oco_cancels_the_other(venue):
    orders = [terms("a", "SELL", limit_price=105), terms("b", "SELL", "STOP", stop_price=95)]
    venue.engine.submit_list(orders, OCO)

    venue.cancel("a")

    assert ["CANCELED", "CANCELED"] == [status for status, _ in state(venue, "a", "b")]


def test_an_oco_with_a_leg_that_takes_at_once_never_lets_the_other_trade(venue):
    orders = [terms("a", "BUY", limit_price="100.02"), terms("b", "BUY", limit_price="100.02")]

    venue.engine.submit_list(orders, OCO)

    assert 10 == venue.position()


def test_orders_of_a_group_end_together(venue):
    venue.limit("BUY", 10, "99", group_id="g")
    venue.limit("SELL", 10, "101", group_id="g")
    venue.limit("SELL", 10, "101", group_id="other")

    venue.tick("98.98", "99.00")

    assert ["FILLED", "CANCELED", "OPEN"] == [
        status for status, _ in state(venue, "o1", "o2", "o3")
    ]


def test_what_a_parent_triggers_is_held_till_it_is_full(venue):
    orders = [
        terms("p", "BUY", quantity=1500, limit_price="100.02"),
        terms("c", "SELL", quantity=10, limit_price="99"),
    ]
    venue.engine.submit_list(orders, OTO)

    held = [status for status, _ in state(venue, "p", "c")]
    venue.tick("100.00", "100.02")

    assert ["PARTIALLY_FILLED", "HELD"] == held
    assert ["FILLED", "FILLED"] == [status for status, _ in state(venue, "p", "c")]


def test_what_a_parent_triggers_dies_with_it(venue):
    orders = [terms("p", "BUY", limit_price="99"), terms("c", "SELL", limit_price="101")]
    venue.engine.submit_list(orders, OTO)

    venue.cancel("p")

    assert ["CANCELED", "CANCELED"] == [status for status, _ in state(venue, "p", "c")]


def test_what_a_parent_triggers_is_oco(venue):
    orders = [
        terms("p", "BUY", "MARKET"),
        terms("a", "SELL", limit_price="105"),
        terms("b", "SELL", "STOP", stop_price="95"),
    ]
    venue.engine.submit_list(orders, OTO)

    printed(venue, "94")

    assert ["FILLED", "CANCELED", "FILLED"] == [status for status, _ in state(venue, "p", "a", "b")]
    assert 0 == venue.position()


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_there_is_nothing_to_close_when_flat(venue, side):
    assert "WOULD_INCREASE" == refusal(venue.market(side, 10, position_effect=CLOSE))


def test_a_closing_order_on_the_side_of_the_position_is_refused(venue):
    venue.market("BUY", 10)

    assert "WOULD_INCREASE" == refusal(venue.market("BUY", 5, position_effect=CLOSE))


def test_a_closing_order_too_large_closes_and_never_flips(venue):
    venue.market("BUY", 10)

    venue.market("SELL", 25, position_effect=CLOSE)

    assert (0, 10) == (venue.position(), venue.order("o2").filled_quantity)
    assert venue.order("o2").is_terminal


def test_a_closing_order_without_quantity_closes_all_there_is_then(venue):
    venue.market("BUY", 10)
    venue.stop("SELL", None, "95", position_effect=CLOSE)
    venue.market("BUY", 7)

    printed(venue, "94")

    assert (0, 17) == (venue.position(), venue.order("o2").filled_quantity)


def test_two_closing_orders_for_one_position_close_it_once(venue):
    venue.market("BUY", 10)
    venue.limit("SELL", 10, "105", position_effect=CLOSE)
    venue.stop("SELL", 10, "95", position_effect=CLOSE)

    printed(venue, "105.01")
    printed(venue, "94")

    assert 0 == venue.position()
    assert 0 == venue.order("o3").filled_quantity


def test_a_closing_order_shrinks_with_its_position(venue):
    venue.market("BUY", 10)
    venue.limit("SELL", 10, "105", position_effect=CLOSE)
    venue.market("SELL", 4)

    printed(venue, "105.01")

    assert (0, 6) == (venue.position(), venue.order("o2").filled_quantity)


def test_a_closing_order_enlarged_still_never_flips(venue):
    venue.market("BUY", 10)
    venue.limit("SELL", 5, "105", position_effect=CLOSE)

    venue.engine.replace(ACCOUNT, "o2", OrderChange(quantity=50))
    printed(venue, "105.01")

    assert 0 == venue.position()


def test_hedging_holds_both_sides_and_closes_the_one_that_is_named():
    venue = opened(PositionMode.HEDGING)
    venue.market("BUY", 10)
    venue.market("SELL", 4)
    before = venue.position("STOCK:LONG"), venue.position("STOCK:SHORT")

    venue.market("BUY", 3, position_effect=CLOSE)
    venue.market("SELL", 10, position_effect=CLOSE)

    assert (10, -4) == before
    assert (0, -1) == (venue.position("STOCK:LONG"), venue.position("STOCK:SHORT"))


def test_an_oco_of_two_symbols_is_one_or_the_other(venue):
    venue.tick("1.1000", "1.1002", "PAIR", last="1.1001")
    other = OrderRequest(
        symbol="PAIR",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=100,
        limit_price="1.0000",
        client_order_id="b",
        account_id=ACCOUNT,
        time_in_force=GTC,
    )
    venue.engine.submit_list([terms("a", "BUY", limit_price="99.00"), other], OCO)

    venue.tick("98.98", "99.00", size=4)

    assert [("PARTIALLY_FILLED", 10), ("CANCELED", 100)] == state(venue, "a", "b")
