"""What an exchange does with orders that change, end or are held up: one card per rule."""

from decimal import Decimal

import pytest
from paper_venue import ACCOUNT, GTC, Venue, kinds, refusal, steps

from dragoman.models import (
    Contingency,
    OrderChange,
    OrderRequest,
    OrderType,
    PriceSource,
    Side,
    TimeInForce,
)
from dragoman.times import SECOND_NS

D = Decimal
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


@pytest.fixture
def venue():
    return opened()


def opened(**settings):
    """100.00 bid for 1000, 100.02 asked for 1000, three accounts."""
    venue = Venue(accounts=(ACCOUNT, "second", "third"), **settings)
    venue.tick("100.00", "100.02", last="100.01")
    return venue


def state(venue, client_order_id, account=ACCOUNT):
    order = venue.order(client_order_id, account)
    return str(order.status), order.filled_quantity


def by(venue, account):
    return [
        (each.client_order_id, each.quantity, each.price) for each in venue.engine.fills(account)
    ]


@pytest.mark.parametrize(
    ("change", "first"),
    [
        ({"quantity": 3}, "second"),
        ({"quantity": 9}, "third"),
        ({"limit_price": "100.01", "quantity": 9}, "third"),
    ],
)
def test_only_a_smaller_quantity_keeps_the_place_in_the_queue(venue, change, first):
    venue.limit("SELL", 5, "100.01", account="second")
    venue.limit("SELL", 5, "100.01", account="third")

    venue.engine.replace("second", "o1", OrderChange(**change))
    venue.market("BUY", 1)

    assert [("o3", 1, D("100.01"))] == by(venue, ACCOUNT)
    assert 1 == len(by(venue, first))


def test_a_price_moved_and_moved_back_stands_at_the_end_of_the_queue(venue):
    venue.limit("SELL", 5, "100.01", account="second")
    venue.limit("SELL", 5, "100.01", account="third")

    venue.engine.replace("second", "o1", OrderChange(limit_price="100.05"))
    venue.engine.replace("second", "o1", OrderChange(limit_price="100.01"))
    venue.market("BUY", 1)

    assert 1 == len(by(venue, "third"))


def test_ioc_takes_what_is_there_and_cancels_the_rest(venue):
    events = venue.limit("BUY", 1500, "100.02", time_in_force=IOC)

    assert ["ACCEPTED", "FILL", "CANCELED"] == kinds(events)
    assert ("CANCELED", 1000) == state(venue, "o1")


def test_ioc_away_from_the_market_is_canceled_untouched(venue):
    events = venue.limit("BUY", 10, "100.01", time_in_force=IOC)

    assert ["ACCEPTED", "CANCELED"] == kinds(events)
    assert "NO_LIQUIDITY" == venue.order("o1").reject_reason


@pytest.mark.parametrize(
    ("quantity", "outcome"), [(1000, ("FILLED", 1000)), (1001, ("CANCELED", 0))]
)
def test_fok_is_all_or_nothing(venue, quantity, outcome):
    venue.limit("BUY", quantity, "100.02", time_in_force=FOK)

    assert outcome == state(venue, "o1")


def test_fok_counts_what_other_accounts_offer(venue):
    venue.limit("SELL", 500, "100.02", account="second")

    venue.limit("BUY", 1500, "100.02", time_in_force=FOK)

    assert ("FILLED", 1500) == state(venue, "o2")


def test_a_killed_fok_leaves_the_book_as_it_was(venue):
    venue.limit("SELL", 500, "100.01", account="second")

    venue.limit("BUY", 1800, "100.02", time_in_force=FOK)

    assert ("CANCELED", 0) == state(venue, "o2")
    assert ("OPEN", 0) == state(venue, "o1", "second")


def test_post_only_cannot_be_moved_into_the_market(venue):
    venue.limit("BUY", 10, "99.90", post_only=True)

    events = venue.engine.replace(ACCOUNT, "o1", OrderChange(limit_price="100.02"))

    assert ["REPLACE_REJECTED"] == kinds(events)
    assert (D("99.90"), 0) == (venue.order("o1").limit_price, venue.order("o1").revision)


def test_a_limit_moved_into_the_market_takes_at_once(venue):
    venue.limit("BUY", 10, "99.90")

    events = venue.engine.replace(ACCOUNT, "o1", OrderChange(limit_price="100.05"))

    assert ["REPLACED", "FILL"] == kinds(events)
    assert [("o1", 10, D("100.02"), "TAKER")] == venue.fills()


@pytest.mark.parametrize(
    ("peg", "side", "before", "after"),
    [
        (PriceSource.BID, "BUY", "100.00", "100.01"),
        (PriceSource.ASK, "SELL", "100.02", "100.03"),
        (PriceSource.MID, "BUY", "100.01", "100.02"),
    ],
)
def test_a_pegged_order_follows_its_price(venue, peg, side, before, after):
    venue.submit("LIMIT", side, 10, peg=peg)
    start = venue.order("o1").limit_price

    events = venue.tick("100.01", "100.03")

    assert (D(before), D(after)) == (start, venue.order("o1").limit_price)
    assert ["RESTATED"] == kinds(events)


def test_a_canceled_remainder_keeps_what_has_filled(venue):
    venue.limit("BUY", 1500, "100.02")

    events = venue.cancel("o1")

    assert ["CANCELED"] == kinds(events)
    assert ("CANCELED", 1000) == state(venue, "o1")
    assert 0 == venue.order("o1").remaining_quantity


def test_what_has_ended_cannot_be_canceled_or_changed(venue):
    venue.market("BUY", 10)
    before = venue.order("o1")

    assert ["CANCEL_REJECTED"] == kinds(venue.cancel("o1"))
    assert ["REPLACE_REJECTED"] == kinds(
        venue.engine.replace(ACCOUNT, "o1", OrderChange(quantity=20))
    )
    assert before == venue.order("o1")


@pytest.mark.parametrize("quantity", [1000, 999])
def test_no_less_than_what_has_filled_can_be_asked_for(venue, quantity):
    venue.limit("BUY", 1500, "100.02")

    events = venue.engine.replace(ACCOUNT, "o1", OrderChange(quantity=quantity))

    assert ["REPLACE_REJECTED"] == kinds(events)
    assert ("PARTIALLY_FILLED", 1000) == state(venue, "o1")


def test_a_new_total_counts_what_has_filled(venue):
    venue.limit("BUY", 1500, "100.02")

    venue.engine.replace(ACCOUNT, "o1", OrderChange(quantity=1200))
    venue.tick("100.00", "100.02")

    assert ("FILLED", 1200) == state(venue, "o1")


def test_a_replace_that_makes_a_new_order_keeps_the_intent():
    venue = opened(replace_keeps_id=False)
    venue.limit("BUY", 10, "99.90")
    (first,) = venue.order("o1").venue_order_ids

    venue.engine.replace(ACCOUNT, "o1", OrderChange(quantity=20))

    ids = venue.order("o1").venue_order_ids
    assert (first, 2, 1) == (ids[0], len(set(ids)), venue.order("o1").revision)
    assert "o1" == venue.engine.order(ACCOUNT, venue_order_id=first).client_order_id


def test_a_halt_stops_trading_but_not_cancels(venue):
    venue.limit("BUY", 10, "99.95")
    venue.limit("BUY", 10, "99.96")
    venue.engine.halt_symbol("STOCK", "news pending")

    crossed = venue.tick("99.00", "99.02", last="99.01")
    refused = venue.limit("BUY", 10, "99.00")
    canceled = venue.cancel("o1")

    assert ([], "NOT_TRADABLE", ["CANCELED"]) == (kinds(crossed), refusal(refused), kinds(canceled))
    venue.engine.resume_symbol("STOCK")
    venue.tick("99.00", "99.02", last="99.01")
    assert ("FILLED", 10) == state(venue, "o2")


def test_a_list_that_cannot_be_taken_whole_is_not_taken(venue):
    terms = {"symbol": "STOCK", "side": Side.BUY, "account_id": ACCOUNT, "time_in_force": GTC}
    good = OrderRequest(
        order_type=OrderType.LIMIT, quantity=1, limit_price=99, client_order_id="a", **terms
    )
    bad = OrderRequest(
        order_type=OrderType.LIMIT, quantity=1, limit_price="99.001", client_order_id="b", **terms
    )

    events = venue.engine.submit_list([good, bad], Contingency.NONE, all_or_none=True)

    assert [("REJECTED", "a"), ("REJECTED", "b")] == sorted(steps(events))
    assert () == venue.engine.open_orders(ACCOUNT)


def test_an_order_dies_at_its_expiry_and_not_before(venue):
    expires_at_ns = venue.engine.now_ns + 10 * SECOND_NS
    venue.limit("BUY", 10, "99", time_in_force=TimeInForce.GTD, expires_at_ns=expires_at_ns)

    assert [] == kinds(venue.engine.advance(expires_at_ns - 1))
    assert ["EXPIRED"] == kinds(venue.engine.advance(expires_at_ns))


def test_an_expiry_in_the_past_is_refused(venue):
    past_ns = venue.engine.now_ns - 1

    events = venue.limit("BUY", 10, "99", time_in_force=TimeInForce.GTD, expires_at_ns=past_ns)

    assert ["REJECTED"] == kinds(events)[-1:]
