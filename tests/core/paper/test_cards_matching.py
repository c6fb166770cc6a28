"""What an exchange does with orders that meet and wait: one card per rule."""

from decimal import Decimal

import pytest
from paper_venue import ACCOUNT, Venue, kinds, refusal

from dragoman.models import (
    PositionEffect,
    TimeInForce,
)

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


@pytest.mark.parametrize(("side", "price"), [("BUY", "100.02"), ("SELL", "100.00")])
def test_a_market_order_pays_the_spread(venue, side, price):
    venue.market(side, 10)

    assert [("o1", 10, D(price), "TAKER")] == venue.fills()


def test_a_market_order_meets_a_better_price_inside_the_spread_first(venue):
    venue.limit("SELL", 4, "100.01", account="second")

    venue.market("BUY", 10)

    assert [("o2", 4, D("100.01"), "TAKER"), ("o2", 6, D("100.02"), "TAKER")] == venue.fills()
    assert [("o1", 4, D("100.01"), "MAKER")] == venue.fills("second")
    assert D("100.016") == venue.order("o2").average_fill_price


def test_the_first_in_the_queue_is_served_first(venue):
    venue.limit("SELL", 5, "100.01", account="second")
    venue.limit("SELL", 5, "100.01", account="third")

    venue.market("BUY", 7)

    assert [("o1", 5, D("100.01"))] == by(venue, "second")
    assert [("o2", 2, D("100.01"))] == by(venue, "third")


def test_the_better_price_is_served_before_the_earlier_one(venue):
    venue.limit("BUY", 5, "100.00", account="second")
    venue.limit("BUY", 5, "100.01", account="third")

    venue.market("SELL", 5)

    assert [] == by(venue, "second")
    assert [("o2", 5, D("100.01"))] == by(venue, "third")


def test_a_limit_order_above_the_offer_buys_at_the_offer(venue):
    venue.limit("BUY", 10, "100.50")

    assert [("o1", 10, D("100.02"), "TAKER")] == venue.fills()


def test_a_bid_rests_while_the_offer_is_a_tick_above_it(venue):
    venue.limit("BUY", 10, "99.95")

    assert [] == kinds(venue.tick("99.95", "99.96"))
    assert ["FILL"] == kinds(venue.tick("99.94", "99.95"))
    assert [("o1", 10, D("99.95"), "MAKER")] == venue.fills()


def test_a_resting_bid_gets_no_better_price_when_the_market_falls_through_it(venue):
    venue.limit("BUY", 10, "99.95")

    venue.tick("99.00", "99.02")

    assert [("o1", 10, D("99.95"), "MAKER")] == venue.fills()


def test_a_print_below_a_bid_proves_that_it_traded(venue):
    venue.limit("BUY", 10, "99.95")

    venue.tick("99.95", "99.97", last="99.94", last_size=100)

    assert ("FILLED", 10) == state(venue, "o1")


def test_what_cannot_be_filled_at_once_rests_at_the_limit(venue):
    venue.limit("BUY", 1500, "100.02")

    assert ("PARTIALLY_FILLED", 1000) == state(venue, "o1")
    assert D("100.02") == venue.engine.quote("STOCK").bid_price


@pytest.mark.parametrize("price", ["100.02", "100.10"])
def test_post_only_that_would_take_is_refused(venue, price):
    assert "WOULD_TAKE" == refusal(venue.limit("BUY", 10, price, post_only=True))


def test_post_only_looks_at_every_account_s_orders(venue):
    venue.limit("SELL", 5, "100.01", account="second")

    assert "WOULD_TAKE" == refusal(venue.limit("BUY", 10, "100.01", post_only=True))


def test_a_market_order_waits_for_somebody_to_offer():
    venue = Venue()
    venue.tick("100.00", None, last="100.01")

    first = venue.market("BUY", 10)
    later = venue.tick("100.00", "100.02")

    assert (["ACCEPTED"], ["FILL"]) == (kinds(first), kinds(later))


def test_a_market_order_deeper_than_the_book_goes_on_with_the_next_tick():
    venue = opened(depth_levels=0)

    venue.market("BUY", 1500)
    before = state(venue, "o1")
    venue.tick("100.01", "100.03")

    assert ("PARTIALLY_FILLED", 1000) == before
    assert ("FILLED", 1500) == state(venue, "o1")
    assert [D("100.02"), D("100.03")] == [price for _, _, price, _ in venue.fills()]


def test_shown_size_is_consumed_until_the_market_shows_more(venue):
    venue.limit("BUY", 1000, "100.02")
    venue.limit("BUY", 10, "100.02", account="second", time_in_force=IOC)

    assert ("CANCELED", 0) == state(venue, "o2", "second")
    venue.tick("100.00", "100.02")
    venue.limit("BUY", 10, "100.02", account="second", time_in_force=IOC)
    assert ("FILLED", 10) == state(venue, "o3", "second")


def test_a_hidden_order_is_seen_by_nobody_and_still_trades(venue):
    venue.limit("BUY", 10, "100.01", display_quantity=0)

    assert D("100.00") == venue.engine.quote("STOCK").bid_price
    assert D("100.00") == venue.engine.depth("STOCK", 1).bids[0].price
    venue.market("SELL", 4, account="second")
    assert [("o2", 4, D("100.01"))] == by(venue, "second")


def test_a_hidden_order_yields_to_a_shown_one_at_its_price(venue):
    venue.limit("BUY", 10, "100.01", display_quantity=0, account="second")
    venue.limit("BUY", 10, "100.01", account="third")

    venue.market("SELL", 10)

    assert (0, 10) == (
        venue.order("o1", "second").filled_quantity,
        venue.order("o2", "third").filled_quantity,
    )


def test_an_iceberg_shows_its_tip_and_loses_its_place_at_each_refill(venue):
    venue.limit("BUY", 30, "100.01", display_quantity=10, account="second")
    venue.limit("BUY", 10, "100.01", account="third")

    assert 20 == venue.engine.depth("STOCK", 1).bids[0].size
    venue.market("SELL", 15)

    assert (10, 5) == (
        venue.order("o1", "second").filled_quantity,
        venue.order("o2", "third").filled_quantity,
    )


def test_nobody_trades_with_himself(venue):
    venue.limit("SELL", 10, "100.01")

    venue.limit("BUY", 10, "100.01")

    assert [] == venue.fills()
    assert "SELF_TRADE" == venue.order("o2").reject_reason
    assert ("OPEN", 0) == state(venue, "o1")


def test_a_notional_buys_whole_lots_for_no_more_than_it(venue):
    venue.submit("MARKET", "BUY", None, notional=1000)

    assert [("o1", 9, D("100.02"), "TAKER")] == venue.fills()
    assert ("FILLED", 9) == (venue.order("o1").status, venue.order("o1").quantity)


def test_a_notional_below_one_lot_buys_nothing(venue):
    events = venue.submit("MARKET", "BUY", None, notional=50)

    assert [] == venue.fills()
    assert kinds(events)[-1] in {"REJECTED", "CANCELED"}


def test_a_match_is_bounded_by_the_fill_ratio():
    venue = opened(fill_ratio=D("0.5"))

    venue.market("BUY", 10)
    seen = [state(venue, "o1")]
    for _ in range(3):
        venue.tick("100.00", "100.02")
        seen.append(state(venue, "o1"))

    filled = [quantity for _, quantity in seen]
    assert (5, sorted(filled)) == (filled[0], filled)
    assert all(quantity % 1 == 0 for quantity in filled)


def test_two_accounts_may_use_one_client_order_id(venue):
    venue.limit("BUY", 10, "99.95", account="second", client_order_id="same")
    venue.limit("BUY", 10, "99.95", account="third", client_order_id="same")

    venue.tick("99.90", "99.94")

    assert [("FILLED", 10), ("FILLED", 10)] == [
        state(venue, "same", account) for account in ("second", "third")
    ]


def test_the_book_shows_a_closing_order_as_large_as_its_position(venue):
    venue.market("BUY", 10)
    venue.limit("SELL", None, "100.01", position_effect=PositionEffect.CLOSE)

    best = venue.engine.depth("STOCK", 1).asks[0]

    assert (D("100.01"), 10, 10) == (best.price, best.size, venue.engine.quote("STOCK").ask_size)


def test_the_book_is_never_crossed():
    venue = opened(fill_ratio=D("0.5"))
    venue.limit("SELL", 10, "99.99")

    depth = venue.engine.depth("STOCK", 3)

    assert ("PARTIALLY_FILLED", 5) == state(venue, "o1")
    assert depth.bids[0].price < depth.asks[0].price
