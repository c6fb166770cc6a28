import pytest
from paper_venue import Venue, kinds, refusal, steps

from dragoman.models import PositionEffect, PriceSource, TimeInForce

IOC, FOK = TimeInForce.IOC, TimeInForce.FOK
CLOSE = PositionEffect.CLOSE
OTHER = "paper-2"


@pytest.fixture
def venue():
    venue = Venue(accounts=("paper-1", OTHER), depth_levels=1)
    venue.tick("99.99", "100.01", size=100)
    return venue


def test_market_order_takes_the_other_sides_top(venue):
    events = venue.market("BUY", 10)

    assert ["ACCEPTED", "FILL"] == kinds(events)
    assert [("o1", 10, venue.engine.quote("STOCK").ask_price, "TAKER")] == venue.fills()


def test_market_order_walks_the_ladder_from_the_top():
    venue = Venue(depth_levels=5)
    venue.tick("99.99", "100.01", size=10)

    venue.market("BUY", 25)

    prices = [price for _, _, price, _ in venue.fills()]
    assert len(prices) > 1
    assert prices == sorted(prices)
    assert 25 == sum(quantity for _, quantity, _, _ in venue.fills())


def test_market_order_goes_on_at_the_next_tick(venue):
    venue.market("BUY", 150)

    assert "PARTIALLY_FILLED" == venue.order("o1").status

    venue.tick("100.10", "100.20", size=100)

    assert "FILLED" == venue.order("o1").status
    assert [100, 50] == [quantity for _, quantity, _, _ in venue.fills()]


def test_displayed_size_is_used_up_until_the_next_tick(venue):
    venue.market("BUY", 100)

    events = venue.market("BUY", 1, time_in_force=IOC)

    assert ["ACCEPTED", "CANCELED"] == kinds(events)
    assert "NO_LIQUIDITY" == venue.order("o2").reject_reason


def test_without_liquidity_limits_all_fills_at_the_best_price():
    venue = Venue(uses_liquidity=False)
    venue.tick("99.99", "100.01", size=1)

    venue.market("BUY", 500)

    assert [500] == [quantity for _, quantity, _, _ in venue.fills()]


def test_marketable_limit_takes_at_the_ladders_price_and_rests(venue):
    venue.limit("BUY", 130, "100.05")

    order = venue.order("o1")
    assert ("PARTIALLY_FILLED", 100) == (order.status, order.filled_quantity)
    assert "100.01" == str(order.average_fill_price)
    assert venue.engine.depth("STOCK").bids[0].size == 30


def test_resting_limit_fills_at_its_own_price_as_maker(venue):
    venue.limit("BUY", 10, "99.50")

    venue.tick("99.30", "99.40")

    assert [("o1", 10, venue.order("o1").limit_price, "MAKER")] == venue.fills()


def test_resting_limit_fills_when_the_top_equals_it(venue):
    venue.limit("BUY", 10, "99.50")

    venue.tick("99.30", "99.50")

    assert "FILLED" == venue.order("o1").status


def test_print_through_a_resting_limit_fills_it_up_to_its_size(venue):
    venue.limit("BUY", 10, "99.50")

    venue.tick("99.98", "100.00", last="99.49", last_size=4)

    assert 4 == venue.order("o1").filled_quantity


def test_print_at_a_resting_limit_fills_nothing(venue):
    venue.limit("BUY", 10, "99.50")

    venue.tick("99.98", "100.00", last="99.50", last_size=4)

    assert 0 == venue.order("o1").filled_quantity


def test_better_price_fills_before_earlier_order(venue):
    venue.limit("BUY", 10, "99.50")
    venue.limit("BUY", 10, "99.60")

    venue.tick("99.30", "99.40", size=15)

    assert [("o2", 10), ("o1", 5)] == [(name, size) for name, size, _, _ in venue.fills()]


def test_earlier_order_fills_first_at_one_price(venue):
    venue.limit("BUY", 10, "99.50")
    venue.limit("BUY", 10, "99.50")

    venue.tick("99.30", "99.40", size=15)

    assert [("o1", 10), ("o2", 5)] == [(name, size) for name, size, _, _ in venue.fills()]


def test_taker_meets_another_accounts_order_inside_the_spread(venue):
    venue.limit("SELL", 10, "100.00", account=OTHER)

    venue.market("BUY", 10)

    assert [("o2", 10, "100.00", "TAKER")] == [
        (name, size, str(price), role) for name, size, price, role in venue.fills()
    ]
    assert "MAKER" == venue.fills(OTHER)[0][3]


def test_markets_own_size_stands_before_ours_at_one_price(venue):
    venue.limit("SELL", 10, "100.01", account=OTHER)

    venue.market("BUY", 105)

    assert 5 == venue.order("o1", OTHER).filled_quantity


def test_order_that_would_meet_only_its_own_account_is_refused(venue):
    venue.limit("SELL", 10, "100.00")

    events = venue.market("BUY", 10)

    assert "SELF_TRADE" == refusal(events)


def test_rest_that_would_meet_its_own_account_is_canceled(venue):
    venue.limit("SELL", 10, "100.02")

    venue.market("BUY", 150)

    order = venue.order("o2")
    assert ("CANCELED", 100, "SELF_TRADE") == (
        order.status,
        order.filled_quantity,
        order.reject_reason,
    )


def test_ioc_remainder_is_canceled(venue):
    events = venue.limit("BUY", 130, "100.01", time_in_force=IOC)

    assert ["ACCEPTED", "FILL", "CANCELED"] == kinds(events)
    assert venue.order("o1").reject_reason is None


def test_fok_fills_whole_or_not_at_all(venue):
    too_much = venue.limit("BUY", 101, "100.01", time_in_force=FOK)
    enough = venue.limit("BUY", 100, "100.01", time_in_force=FOK)

    assert ["ACCEPTED", "CANCELED"] == kinds(too_much)
    assert ["ACCEPTED", "FILL"] == kinds(enough)


def test_fok_counts_what_others_rest(venue):
    venue.limit("SELL", 10, "100.00", account=OTHER)

    venue.limit("BUY", 110, "100.01", time_in_force=FOK)

    assert "FILLED" == venue.order("o2").status


def test_fok_does_not_count_what_lies_behind_its_own_order(venue):
    venue.limit("SELL", 1, "100.00", account=OTHER)
    venue.limit("SELL", 1, "100.00")

    venue.limit("BUY", 50, "100.01", time_in_force=FOK)

    assert ("CANCELED", 0) == (venue.order("o3").status, venue.order("o3").filled_quantity)


def test_post_only_that_would_take_is_refused(venue):
    assert "WOULD_TAKE" == refusal(venue.limit("BUY", 1, "100.01", post_only=True))


def test_post_only_that_would_not_take_rests(venue):
    assert ["ACCEPTED"] == kinds(venue.limit("BUY", 1, "100.00", post_only=True))


def test_closing_order_is_capped_to_the_position(venue):
    venue.market("BUY", 10)

    events = venue.market("SELL", 25, position_effect=CLOSE)

    assert ["ACCEPTED", "FILL", "CANCELED"] == kinds(events)
    assert 0 == venue.position()


def test_closing_order_without_a_position_is_refused(venue):
    assert "WOULD_INCREASE" == refusal(venue.market("SELL", 25, position_effect=CLOSE))


def test_closing_order_without_quantity_closes_all(venue):
    venue.market("BUY", 37)

    venue.market("SELL", None, position_effect=CLOSE)

    order = venue.order("o2")
    assert ("FILLED", 37) == (order.status, order.quantity)


def test_resting_closing_order_ends_when_there_is_nothing_to_close(venue):
    venue.market("BUY", 10)
    venue.limit("SELL", 10, "101", position_effect=CLOSE)
    venue.market("SELL", 10)

    venue.tick("101.50", "101.60")

    assert ("CANCELED", 0) == (venue.order("o2").status, venue.order("o2").filled_quantity)


def test_iceberg_shows_its_part_and_goes_to_the_end_when_it_shows_again(venue):
    venue.limit("SELL", 30, "100.00", account=OTHER, display_quantity=10)
    venue.limit("SELL", 10, "100.00", account=OTHER)

    assert 20 == venue.engine.depth("STOCK").asks[0].size

    venue.market("BUY", 25)

    assert [("o1", 10), ("o2", 10), ("o1", 5)] == [
        (name, size) for name, size, _, _ in venue.fills(OTHER)
    ]


def test_one_tick_takes_slice_after_slice_of_an_iceberg(venue):
    venue.limit("BUY", 40, "99.50", display_quantity=10)
    venue.limit("BUY", 15, "99.50")

    venue.tick("99.30", "99.50", size=500)

    sizes = [(name, size) for name, size, _, _ in venue.fills()]
    assert [("o1", 10), ("o2", 15), ("o1", 10), ("o1", 10), ("o1", 10)] == sizes


def test_hidden_order_is_not_shown_and_stands_behind(venue):
    venue.limit("SELL", 10, "100.00", account=OTHER, display_quantity=0)

    assert "100.01" == str(venue.engine.depth("STOCK").asks[0].price)

    venue.limit("SELL", 10, "100.00", account=OTHER)
    venue.market("BUY", 10)

    assert [("o2", 10)] == [(name, size) for name, size, _, _ in venue.fills(OTHER)]


def test_peg_follows_its_price(venue):
    venue.submit("LIMIT", "BUY", 10, peg=PriceSource.BID)

    events = venue.tick("99.95", "100.00")

    assert [("RESTATED", "o1")] == steps(events)
    assert "99.95" == str(venue.order("o1").limit_price)


def test_peg_that_the_market_moves_through_fills_where_it_stood(venue):
    venue.submit("LIMIT", "BUY", 10, peg=PriceSource.BID)

    venue.tick("99.80", "99.90")

    assert [("o1", 10, "99.99", "MAKER")] == [
        (name, size, str(price), role) for name, size, price, role in venue.fills()
    ]


def test_canceled_peg_leaves_nothing_behind(venue):
    venue.submit("LIMIT", "BUY", 10, peg=PriceSource.BID)
    venue.cancel("o1")

    assert not venue.engine._floor.listings["STOCK"].pegged


def test_peg_to_the_middle_lies_on_the_tick_of_its_own_side(venue):
    venue.tick("99.99", "100.02")

    venue.submit("LIMIT", "BUY", 10, peg=PriceSource.MID)
    venue.submit("LIMIT", "SELL", 10, peg=PriceSource.MID)

    assert "100.00" == str(venue.order("o1").limit_price)
    assert "100.01" == str(venue.order("o2").limit_price)


def test_notional_becomes_whole_lots_at_the_price_found(venue):
    venue.submit("MARKET", "BUY", None, notional=1050)

    order = venue.order("o1")
    assert ("FILLED", 10, 10) == (order.status, order.quantity, order.filled_quantity)


def test_notional_too_small_for_a_lot_is_refused(venue):
    assert "BELOW_MINIMUM" == refusal(venue.submit("MARKET", "BUY", None, notional=50))


def test_fill_ratio_bounds_each_match_and_the_rest_goes_on_at_the_markets_price():
    venue = Venue(fill_ratio="0.5")
    venue.tick("99.99", "100.01")

    venue.limit("BUY", 10, "101")
    venue.tick("99.99", "100.02")
    venue.tick("99.99", "100.03")

    sizes = [(size, str(price)) for _, size, price, _ in venue.fills()]
    assert [(5, "100.01"), (3, "100.02"), (1, "100.03")] == sizes


def test_fill_ratio_may_bound_the_first_match_alone():
    venue = Venue(fill_ratio="0.4", fills_rest=True)
    venue.tick("99.99", "100.01")

    venue.limit("BUY", 10, "101")
    venue.tick("99.99", "100.02")

    sizes = [(size, str(price)) for _, size, price, _ in venue.fills()]
    assert [(4, "100.01"), (6, "100.02")] == sizes


def test_fill_ratio_bounds_what_a_tick_fills_of_a_resting_order():
    venue = Venue(fill_ratio="0.5")
    venue.tick("99.99", "100.01")
    venue.limit("BUY", 10, "99")

    venue.tick("98", "98.5")

    assert 5 == venue.order("o1").filled_quantity
