import pytest
from paper_venue import ACCOUNT, Venue, kinds, refusal, steps

from dragoman.models import (
    REMOVE,
    Contingency,
    Exit,
    Offset,
    OrderChange,
    OrderRequest,
    OrderType,
    PositionEffect,
    PositionMode,
    Side,
    TimeInForce,
)
from dragoman.paper.settings import AccountSettings

OCO, OTO = Contingency.OCO, Contingency.OTO


@pytest.fixture
def venue():
    venue = Venue(depth_levels=1)
    venue.tick("99.99", "100.01", size=100, last="100.00", last_size=1)
    return venue


def request(name, kind, side, quantity, **fields):
    fields.setdefault("time_in_force", TimeInForce.GTC)
    return OrderRequest(
        symbol="STOCK",
        side=Side(side),
        order_type=OrderType(kind),
        quantity=quantity,
        client_order_id=name,
        account_id=ACCOUNT,
        **fields,
    )


def bracket(venue, quantity=10, **fields):
    return venue.limit(
        "BUY",
        quantity,
        "100.01",
        stop_loss=Exit(price="99"),
        take_profit=Exit(price="101"),
        **fields,
    )


def test_legs_are_accepted_with_their_entry_and_work_after_its_fill(venue):
    events = bracket(venue)

    assert [
        ("ACCEPTED", "o1"),
        ("ACCEPTED", "o1-sl"),
        ("ACCEPTED", "o1-tp"),
        ("FILL", "o1"),
        ("RESTATED", "o1-sl"),
        ("RESTATED", "o1-tp"),
    ] == steps(events)
    leg = venue.order("o1-sl")
    assert ("OPEN", "o1", OCO, PositionEffect.CLOSE) == (
        leg.status,
        leg.parent_client_order_id,
        leg.contingency,
        leg.position_effect,
    )


def test_legs_are_held_while_the_entry_waits(venue):
    venue.limit("BUY", 10, "99.50", stop_loss=Exit(price="99"))

    assert "HELD" == venue.order("o1-sl").status

    venue.tick("98", "98.5", last="98", last_size=1)

    assert "FILLED" == venue.order("o1").status
    assert "FILLED" == venue.order("o1-sl").status


def test_legs_work_for_what_has_filled_so_far(venue):
    bracket(venue, 150)

    assert (100, 100) == (venue.order("o1-sl").quantity, venue.order("o1-tp").quantity)

    venue.tick("99.99", "100.01", size=20)

    assert 120 == venue.order("o1-sl").quantity


def test_one_leg_takes_its_fills_off_the_other(venue):
    bracket(venue)

    venue.tick("101.00", "101.02", size=4)

    assert (4, 6) == (venue.order("o1-tp").filled_quantity, venue.order("o1-sl").quantity)

    venue.tick("101.00", "101.02", size=100)

    assert ("FILLED", "CANCELED") == (venue.order("o1-tp").status, venue.order("o1-sl").status)
    assert 0 == venue.position()


def test_legs_end_with_an_entry_that_never_filled(venue):
    venue.limit("BUY", 10, "99.50", stop_loss=Exit(price="99"), take_profit=Exit(price="101"))

    events = venue.cancel("o1")

    assert [("CANCELED", "o1"), ("CANCELED", "o1-sl"), ("CANCELED", "o1-tp")] == steps(events)


def test_legs_stay_for_the_part_that_filled(venue):
    bracket(venue, 150)

    venue.cancel("o1")

    assert ("OPEN", 100) == (venue.order("o1-sl").status, venue.order("o1-sl").quantity)


def test_leg_that_closed_all_so_far_waits_for_more_of_the_entry(venue):
    bracket(venue, 150)
    venue.tick("101.00", "101.02", size=1000)

    leg = venue.order("o1-tp")
    assert ("HELD", 100, 150) == (leg.status, leg.filled_quantity, leg.quantity)

    venue.tick("99.99", "100.01", size=30)

    leg = venue.order("o1-tp")
    assert ("PARTIALLY_FILLED", 130) == (leg.status, leg.quantity)
    assert ("OPEN", 30) == (venue.order("o1-sl").status, venue.order("o1-sl").quantity)


def test_canceling_one_leg_leaves_the_other(venue):
    bracket(venue)

    venue.cancel("o1-tp")

    assert "OPEN" == venue.order("o1-sl").status


def test_offsets_count_from_the_average_fill(venue):
    venue.market(
        "BUY",
        10,
        stop_loss=Exit(offset=Offset.ticks(100)),
        take_profit=Exit(offset=Offset.percent(1), limit_price="101.50"),
    )

    assert "99.01" == str(venue.order("o1-sl").stop_price)
    target = venue.order("o1-tp")
    assert ("LIMIT_IF_TOUCHED", "101.01", "101.50") == (
        target.order_type,
        str(target.stop_price),
        str(target.limit_price),
    )


def test_leg_that_does_not_change_is_not_told_again(venue):
    events = venue.market("BUY", 10, stop_loss=Exit(offset=Offset.ticks(100)))

    assert 1 == steps(events).count(("RESTATED", "o1-sl"))


def test_offset_level_follows_the_average_of_further_fills(venue):
    venue.market("BUY", 150, stop_loss=Exit(offset=Offset.ticks(100)))
    assert "99.01" == str(venue.order("o1-sl").stop_price)

    venue.tick("100.29", "100.31", size=100)

    assert ("99.11", 150) == (
        str(venue.order("o1-sl").stop_price),
        venue.order("o1-sl").quantity,
    )


def test_partial_leg_closes_only_its_own_quantity(venue):
    venue.market("BUY", 10, take_profit=Exit(price="101", quantity=4), stop_loss=Exit(price="99"))

    venue.tick("101.00", "101.02")

    assert 6 == venue.position()
    assert ("OPEN", 6) == (venue.order("o1-sl").status, venue.order("o1-sl").quantity)


def test_legs_end_when_their_position_is_closed_otherwise(venue):
    bracket(venue)

    venue.market("SELL", 10)

    assert ("CANCELED", "CANCELED") == (venue.order("o1-sl").status, venue.order("o1-tp").status)


def test_legs_of_a_hedging_account_close_their_own_side():
    account = AccountSettings(account_id=ACCOUNT, position_mode=PositionMode.HEDGING)
    venue = Venue(accounts=(account,), depth_levels=1)
    venue.tick("99.99", "100.01", last="100.00", last_size=1)
    venue.market("SELL", 5)
    bracket(venue)

    venue.tick("101.00", "101.02")

    assert (0, -5) == (venue.position("STOCK:LONG"), venue.position("STOCK:SHORT"))


def test_named_legs_keep_their_names(venue):
    venue.market("BUY", 10, stop_loss=Exit(price="99", client_order_id="mine"))

    assert "OPEN" == venue.order("mine").status


def test_leg_whose_name_is_taken_refuses_the_entry(venue):
    venue.market("BUY", 1, client_order_id="mine")

    events = venue.market("BUY", 10, stop_loss=Exit(price="99", client_order_id="mine"))

    assert "DUPLICATE_CLIENT_ORDER_ID" == refusal(events)


def test_exits_can_be_switched_off():
    venue = Venue(native_exits=False)
    venue.tick("99.99", "100.01")

    assert "UNSUPPORTED" == refusal(bracket(venue))


def test_entry_can_be_replaced_with_other_legs(venue):
    venue.limit("BUY", 10, "99.50", stop_loss=Exit(price="99"), take_profit=Exit(price="101"))

    change = OrderChange(stop_loss=Exit(price="98"), take_profit=REMOVE)
    events = venue.engine.replace(ACCOUNT, "o1", change)

    assert [("REPLACED", "o1"), ("REPLACED", "o1-sl"), ("CANCELED", "o1-tp")] == steps(events)
    assert ("98", None) == (str(venue.order("o1-sl").stop_price), venue.order("o1").take_profit)


def test_leg_can_be_added_to_an_entry(venue):
    venue.limit("BUY", 10, "99.50")

    venue.engine.replace(ACCOUNT, "o1", OrderChange(stop_loss=Exit(price="98")))

    assert "HELD" == venue.order("o1-sl").status


def test_oco_list_takes_fills_off_the_others(venue):
    orders = [
        request("a", "LIMIT", "SELL", 10, limit_price="101"),
        request("b", "STOP", "SELL", 10, stop_price="99"),
    ]
    venue.market("BUY", 10)
    venue.engine.submit_list(orders, OCO)

    venue.tick("101.00", "101.02", size=3)
    assert 7 == venue.order("b").quantity

    venue.tick("101.00", "101.02", size=30)
    assert ("FILLED", "CANCELED") == (venue.order("a").status, venue.order("b").status)


def test_oco_member_smaller_than_the_fill_ends_and_the_filled_one_goes_on(venue):
    orders = [
        request("a", "LIMIT", "SELL", 10, limit_price="101"),
        request("b", "STOP", "SELL", 3, stop_price="99"),
    ]
    venue.market("BUY", 10)
    venue.engine.submit_list(orders, OCO)

    venue.tick("101.00", "101.02", size=5)

    assert ("PARTIALLY_FILLED", "CANCELED") == (venue.order("a").status, venue.order("b").status)


def test_cancel_of_an_oco_member_cancels_the_others(venue):
    orders = [
        request("a", "LIMIT", "BUY", 10, limit_price="99"),
        request("b", "LIMIT", "BUY", 10, limit_price="98"),
    ]
    venue.engine.submit_list(orders, OCO)

    assert [("CANCELED", "a"), ("CANCELED", "b")] == steps(venue.cancel("a"))


def test_oco_on_a_holding_holds_it_once():
    account = AccountSettings(account_id=ACCOUNT, margin_mode="CASH")
    venue = Venue(accounts=(account,), depth_levels=1)
    venue.tick("99.99", "100.01", last="100.00", last_size=1)
    venue.market("BUY", 10)

    events = venue.engine.submit_list(
        [
            request("a", "LIMIT", "SELL", 10, limit_price="101"),
            request("b", "STOP", "SELL", 10, stop_price="99"),
        ],
        OCO,
    )

    assert ["ACCEPTED", "ACCEPTED"] == kinds(events)


def test_tied_list_is_refused_whole(venue):
    orders = [
        request("a", "LIMIT", "BUY", 10, limit_price="99"),
        request("b", "LIMIT", "BUY", 10, limit_price="98.001"),
    ]

    venue.engine.submit_list(orders, OCO)

    assert ["OTHER", "INVALID_PRICE"] == [
        str(venue.order(name).reject_reason) for name in ("a", "b")
    ]


def test_untied_list_takes_what_it_can(venue):
    orders = [
        request("a", "LIMIT", "BUY", 10, limit_price="99"),
        request("b", "LIMIT", "BUY", 10, limit_price="98.001"),
    ]

    venue.engine.submit_list(orders, Contingency.NONE)

    assert ("OPEN", "REJECTED") == (venue.order("a").status, venue.order("b").status)


def test_oto_children_are_held_until_the_parent_is_filled(venue):
    orders = [
        request("parent", "LIMIT", "BUY", 150, limit_price="100.01"),
        request("up", "LIMIT", "SELL", 150, limit_price="101"),
        request("down", "STOP", "SELL", 150, stop_price="99"),
    ]
    venue.engine.submit_list(orders, OTO)
    assert ("PARTIALLY_FILLED", "HELD") == (venue.order("parent").status, venue.order("up").status)

    venue.tick("99.99", "100.01", size=100)
    assert ("OPEN", "OPEN") == (venue.order("up").status, venue.order("down").status)

    venue.tick("101.00", "101.02", size=200)
    assert ("FILLED", "CANCELED") == (venue.order("up").status, venue.order("down").status)


def test_oto_children_end_with_a_parent_that_was_not_filled(venue):
    orders = [
        request("parent", "LIMIT", "BUY", 10, limit_price="99"),
        request("child", "LIMIT", "SELL", 10, limit_price="101"),
    ]
    venue.engine.submit_list(orders, OTO)

    venue.cancel("parent")

    assert "CANCELED" == venue.order("child").status


def test_orders_of_one_group_are_oco(venue):
    venue.limit("BUY", 10, "99", group_id="g")
    venue.limit("BUY", 10, "98", group_id="g")

    venue.tick("98.90", "99.00", size=100)

    assert ("FILLED", "CANCELED") == (venue.order("o1").status, venue.order("o2").status)


def test_group_id_can_be_used_again_once_its_orders_ended(venue):
    venue.limit("BUY", 10, "99", group_id="g")
    venue.cancel("o1")

    venue.limit("BUY", 10, "98", group_id="g")

    assert "OPEN" == venue.order("o2").status


def test_exits_can_be_set_on_a_position(venue):
    venue.market("BUY", 10)

    venue.engine.set_exits(ACCOUNT, "STOCK", Exit(price="99"), Exit(price="101"))
    venue.tick("98.99", "99.01", last="98.99", last_size=1)

    assert ("FILLED", "CANCELED") == (
        venue.order("STOCK-1-sl").status,
        venue.order("STOCK-1-tp").status,
    )
    assert 0 == venue.position()


def test_new_exits_of_a_position_replace_the_old(venue):
    bracket(venue)

    venue.engine.set_exits(ACCOUNT, "STOCK", Exit(price="98"), None)

    assert ["STOCK-1-sl"] == [order.client_order_id for order in venue.engine.open_orders(ACCOUNT)]


def test_refused_exits_leave_the_old_ones(venue):
    bracket(venue)

    venue.engine.set_exits(ACCOUNT, "STOCK", Exit(price="98.001"), None)

    assert ("OPEN", "REJECTED") == (
        venue.order("o1-sl").status,
        venue.order("STOCK-1-sl").status,
    )
