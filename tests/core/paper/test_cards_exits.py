"""What a broker does with the exits of entries and positions: one card per rule."""

from decimal import Decimal

import pytest
from paper_venue import ACCOUNT, START_NS, Venue, kinds, steps

from dragoman.models import (
    REMOVE,
    Contingency,
    Exit,
    Offset,
    OrderChange,
    OrderType,
    PositionEffect,
    PositionMode,
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


def test_exits_wait_for_their_entry(venue):
    venue.limit("BUY", 10, "99", **BRACKET)

    events = printed(venue, "105.50")

    assert [] == kinds(events)
    assert [("OPEN", 10), ("HELD", 10), ("HELD", 10)] == state(venue, "o1", "o1-sl", "o1-tp")


@pytest.mark.parametrize(
    ("last", "filled", "canceled"), [("94.99", "o1-sl", "o1-tp"), ("105.01", "o1-tp", "o1-sl")]
)
def test_one_exit_fills_and_the_other_is_canceled(venue, last, filled, canceled):
    venue.market("BUY", 10, **BRACKET)

    printed(venue, last)

    assert (0, "FILLED", "CANCELED") == (
        venue.position(),
        venue.order(filled).status,
        venue.order(canceled).status,
    )


def test_exits_of_a_short_entry_lie_the_other_way(venue):
    venue.market("SELL", 10, stop_loss=Exit(price="105"), take_profit=Exit(price="95"))

    events = printed(venue, "94.99")

    assert ("FILL", "o1-tp") in steps(events)
    assert 0 == venue.position()


def test_exits_protect_what_has_filled(venue):
    venue.limit("BUY", 1500, "100.02", **BRACKET)

    assert [("OPEN", 1000), ("OPEN", 1000)] == state(venue, "o1-sl", "o1-tp")
    venue.tick("100.00", "100.02")
    assert [("OPEN", 1500), ("OPEN", 1500)] == state(venue, "o1-sl", "o1-tp")


def test_exits_of_an_entry_canceled_untouched_go_with_it(venue):
    venue.limit("BUY", 10, "99", **BRACKET)

    venue.cancel("o1")

    assert ["CANCELED"] * 3 == [status for status, _ in state(venue, "o1", "o1-sl", "o1-tp")]


def test_exits_of_an_entry_canceled_half_way_stay_for_that_half(venue):
    venue.limit("BUY", 1500, "100.02", **BRACKET)

    venue.cancel("o1")
    printed(venue, "94.99", size=5000)

    assert 0 == venue.position()
    assert ("FILLED", 1000) == state(venue, "o1-sl")[0]


@pytest.mark.parametrize(
    ("side", "stop", "target"), [("BUY", "99.02", "102.02"), ("SELL", "101.00", "98.00")]
)
def test_offsets_count_from_the_entry_s_average_price(venue, side, stop, target):
    venue.market(
        side,
        10,
        stop_loss=Exit(offset=Offset.price("1")),
        take_profit=Exit(offset=Offset.ticks(200)),
    )

    assert (D(stop), D(target)) == (
        venue.order("o1-sl").stop_price,
        venue.order("o1-tp").limit_price,
    )


def test_a_target_filled_in_part_takes_as_much_off_the_stop(venue):
    venue.market("BUY", 100, **BRACKET)

    venue.tick("105.00", "105.02", size=40)

    assert [("OPEN", 60), ("PARTIALLY_FILLED", 100)] == state(venue, "o1-sl", "o1-tp")
    printed(venue, "94")
    assert 0 == venue.position()


def test_a_stop_that_trails_from_a_price_holds_the_better_level(venue):
    venue.market("BUY", 10, stop_loss=Exit(price="98", trailing=Offset.price("3")))
    start = venue.order("o1-sl").stop_price

    printed(venue, "102")

    assert (D("98"), D("99")) == (start, venue.order("o1-sl").stop_price)


def test_an_exit_can_be_moved_while_it_waits_and_while_it_works(venue):
    venue.limit("BUY", 10, "99.50", **BRACKET)

    venue.engine.replace(ACCOUNT, "o1", OrderChange(stop_loss=Exit(price="96")))
    waiting = venue.order("o1-sl").stop_price
    printed(venue, "99.40")
    venue.engine.replace(ACCOUNT, "o1-sl", OrderChange(stop_price="97"))

    assert (D("96"), D("97")) == (waiting, venue.order("o1-sl").stop_price)
    printed(venue, "97")
    assert 0 == venue.position()


def test_an_exit_can_be_taken_off(venue):
    venue.limit("BUY", 10, "99.50", **BRACKET)

    venue.engine.replace(ACCOUNT, "o1", OrderChange(take_profit=REMOVE))
    printed(venue, "99.40")

    assert ["OPEN", "CANCELED"] == [status for status, _ in state(venue, "o1-sl", "o1-tp")]


def test_closing_by_hand_takes_the_exits_off(venue):
    venue.market("BUY", 10, **BRACKET)

    venue.market("SELL", 10)

    assert ["CANCELED", "CANCELED"] == [status for status, _ in state(venue, "o1-sl", "o1-tp")]
    printed(venue, "90")
    assert 0 == venue.position()


def test_closing_half_by_hand_never_lets_the_stop_open_a_short(venue):
    venue.market("BUY", 10, **BRACKET)

    venue.market("SELL", 6)
    printed(venue, "90")

    assert 0 == venue.position()
    assert 4 == venue.order("o1-sl").filled_quantity


def test_a_withdrawn_target_leaves_the_stop(venue):
    venue.market("BUY", 10, **BRACKET)

    venue.cancel("o1-tp")

    assert "OPEN" == venue.order("o1-sl").status


def test_two_brackets_on_one_position_protect_their_own_parts(venue):
    venue.market("BUY", 10, stop_loss=Exit(price="95"))
    venue.market("BUY", 5, stop_loss=Exit(price="97"))

    printed(venue, "96")

    assert (10, "OPEN") == (venue.position(), venue.order("o1-sl").status)


def test_a_bust_of_the_entry_leaves_no_exit_that_could_open(venue):
    venue.market("BUY", 10, **BRACKET)
    (fill,) = venue.engine.fills(ACCOUNT)

    venue.engine.bust(ACCOUNT, fill.fill_id)
    printed(venue, "90")

    assert 0 == venue.position()


def test_exits_put_on_a_position_replace_those_it_had(venue):
    venue.market("BUY", 10)

    venue.engine.set_exits(ACCOUNT, "STOCK", Exit(price="95"), Exit(price="105"))
    venue.engine.set_exits(ACCOUNT, "STOCK", Exit(price="97"), None)
    live = venue.engine.open_orders(ACCOUNT)
    printed(venue, "96.99")

    assert [(OrderType.STOP, D("97"))] == [(each.order_type, each.stop_price) for each in live]
    assert 0 == venue.position()


def test_a_stop_made_smaller_by_hand_shrinks_only_by_what_fills_later(venue):
    venue.market("BUY", 100, **BRACKET)
    venue.tick("105.00", "105.02", size=40)

    venue.engine.replace(ACCOUNT, "o1-sl", OrderChange(quantity=50))
    venue.tick("105.00", "105.02", size=10)

    assert [("OPEN", 40)] == state(venue, "o1-sl")
    printed(venue, "94")
    assert 10 == venue.position()


def test_a_stop_put_in_late_is_as_large_as_it_says(venue):
    venue.limit("BUY", 1500, "100.02", take_profit=Exit(price="105"))
    venue.tick("105.00", "105.02", size=1000)
    venue.tick("105.00", "105.02", size=1000)

    venue.engine.replace(ACCOUNT, "o1", OrderChange(stop_loss=Exit(price="95", quantity=200)))
    waiting = state(venue, "o1-sl")
    venue.tick("100.00", "100.02")

    assert ([("HELD", 200)], [("OPEN", 200)]) == (waiting, state(venue, "o1-sl"))


def test_exits_put_on_part_of_a_position_are_one_or_the_other(venue):
    venue.market("BUY", 10)
    venue.engine.set_exits(
        ACCOUNT, "STOCK", Exit(price="95", quantity=5), Exit(price="105", quantity=5)
    )

    printed(venue, "105.01")
    printed(venue, "94")

    assert 5 == venue.position()


def test_a_leg_made_smaller_keeps_its_place_and_waits_for_the_next_tick():
    venue = opened(fill_ratio=D("0.5"))
    venue.market("BUY", 8, stop_loss=Exit(price="99"), take_profit=Exit(price="101"))
    for _ in range(4):
        venue.tick("100.00", "100.02")

    events = venue.tick("101.00", "101.02", last="98.90")

    filled = [name for kind, name in steps(events) if kind == "FILL"]
    assert sorted(set(filled)) == sorted(filled)


def test_a_leg_of_an_entry_by_money_never_loses_its_quantity():
    venue = opened(depth_levels=0)
    venue.submit("MARKET", "BUY", None, notional=150_000, take_profit=Exit(price="99"))

    closed = venue.order("o1-tp")

    assert ("HELD", 1000) == (closed.status, closed.filled_quantity)
    assert closed.quantity > closed.filled_quantity
    venue.tick("104.00", "104.02", size=1000)
    assert [("FILLED", venue.order("o1").filled_quantity)] == state(venue, "o1-tp")
