"""What a broker does with stops, touches and trailing orders: one card per rule of the street."""

from decimal import Decimal

import pytest
from paper_venue import ACCOUNT, Venue, kinds, steps

from dragoman.models import Offset, OrderChange, PriceSource, TimeInForce

D = Decimal
BID, ASK, MID = PriceSource.BID, PriceSource.ASK, PriceSource.MID


@pytest.fixture
def venue():
    """100.00 bid for 1000, 100.02 asked for 1000, last 100.01."""
    venue = Venue()
    venue.tick("100.00", "100.02", last="100.01")
    return venue


def printed(venue, last):
    """Trade at `last`, a cent inside bid and ask."""
    last = D(last)
    return venue.tick(last - D("0.01"), last + D("0.01"), last=last)


def state(venue, client_order_id):
    order = venue.order(client_order_id)
    return str(order.status), order.is_triggered


def level(venue, client_order_id="o1"):
    return venue.order(client_order_id).stop_price


@pytest.mark.parametrize(
    ("kind", "side", "stop", "short_of_it"),
    [
        ("STOP", "BUY", "101.00", "100.99"),
        ("STOP", "SELL", "99.00", "99.01"),
        ("MARKET_IF_TOUCHED", "BUY", "99.00", "99.01"),
        ("MARKET_IF_TOUCHED", "SELL", "101.00", "100.99"),
    ],
)
def test_the_trigger_is_the_price_itself_and_not_a_tick_before(
    venue, kind, side, stop, short_of_it
):
    venue.submit(kind, side, 10, stop_price=stop)

    assert [] == kinds(printed(venue, short_of_it))
    assert ["TRIGGERED", "FILL"] == kinds(printed(venue, stop))


def test_a_stop_pays_the_gap(venue):
    venue.stop("SELL", 10, "99.00")

    venue.tick("95.00", "95.02", last="95.01")

    assert [("o1", 10, D("95.00"), "TAKER")] == venue.fills()


def test_a_stop_limit_does_not_pay_the_gap(venue):
    venue.submit("STOP_LIMIT", "SELL", 10, stop_price="99.00", limit_price="98.50")

    events = venue.tick("95.00", "95.02", last="95.01")

    assert ["TRIGGERED"] == kinds(events)
    assert ("OPEN", True) == state(venue, "o1")
    assert ["FILL"] == kinds(venue.tick("98.50", "98.52"))
    assert [("o1", 10, D("98.50"), "MAKER")] == venue.fills()


def test_a_triggered_stop_limit_stays_triggered_when_the_price_returns(venue):
    venue.submit("STOP_LIMIT", "BUY", 10, stop_price="101.00", limit_price="100.50")
    printed(venue, "101.50")

    printed(venue, "100.60")

    assert ("OPEN", True) == state(venue, "o1")


def test_a_limit_if_touched_rests_at_its_limit_once_touched(venue):
    venue.submit("LIMIT_IF_TOUCHED", "BUY", 10, stop_price="99.00", limit_price="98.50")

    events = printed(venue, "99.00")

    assert ["TRIGGERED"] == kinds(events)
    assert ("OPEN", True) == state(venue, "o1")
    assert ["FILL"] == kinds(printed(venue, "98.49"))


def test_an_untriggered_stop_is_no_part_of_the_book(venue):
    venue.submit("STOP_LIMIT", "BUY", 10, stop_price="101.00", limit_price="100.01")

    assert D("100.00") == venue.engine.quote("STOCK").bid_price
    assert ("OPEN", False) == state(venue, "o1")


@pytest.mark.parametrize(("kind", "stop"), [("STOP", "100.00"), ("MARKET_IF_TOUCHED", "101.00")])
def test_what_has_been_reached_already_triggers_at_once(venue, kind, stop):
    events = venue.submit(kind, "BUY", 10, stop_price=stop)

    assert ["ACCEPTED", "TRIGGERED", "FILL"] == kinds(events)


@pytest.mark.parametrize(
    ("trigger", "bid", "ask"),
    [(BID, "100.50", "100.60"), (ASK, "100.40", "100.50"), (MID, "100.45", "100.55")],
)
def test_a_stop_watches_the_price_it_was_told_to(venue, trigger, bid, ask):
    venue.stop("BUY", 10, "100.50", trigger=trigger)
    venue.stop("BUY", 10, "100.50")

    venue.tick(bid, ask)

    assert ("FILLED", True) == state(venue, "o1")
    assert ("OPEN", False) == state(venue, "o2")


def test_a_quote_through_a_stop_of_the_last_price_does_not_trigger_it(venue):
    venue.stop("SELL", 10, "99.00")

    assert [] == kinds(venue.tick("98.00", "98.02"))


def test_stops_reached_by_one_print_execute_nearest_first(venue):
    venue.stop("SELL", 10, "98.00")
    venue.stop("SELL", 10, "99.00")

    events = printed(venue, "97.00")

    first = next(name for kind, name in steps(events) if kind == "TRIGGERED")
    assert "o2" == first


def test_a_stop_moved_past_the_market_triggers_at_once(venue):
    venue.stop("SELL", 10, "99.00")

    events = venue.engine.replace(ACCOUNT, "o1", OrderChange(stop_price="100.50"))

    assert ["REPLACED", "TRIGGERED", "FILL"] == kinds(events)


def test_a_canceled_stop_never_triggers(venue):
    venue.stop("SELL", 10, "99.00")
    venue.cancel("o1")

    assert [] == kinds(printed(venue, "98.00"))


def test_a_triggered_stop_cannot_have_its_trigger_moved(venue):
    venue.submit("STOP_LIMIT", "SELL", 10, stop_price="99.00", limit_price="98.50")
    venue.tick("95.00", "95.02", last="95.01")

    events = venue.engine.replace(ACCOUNT, "o1", OrderChange(stop_price="90"))

    assert ["REPLACE_REJECTED"] == kinds(events)


@pytest.mark.parametrize(
    ("side", "offset", "first", "path", "levels"),
    [
        ("SELL", Offset.price("1"), "99.01", ["101", "100.5", "103"], ["100", "100", "102"]),
        ("BUY", Offset.price("1"), "101.01", ["99", "99.5", "98"], ["100", "100", "99"]),
        ("SELL", Offset.ticks(50), "99.51", ["101", "100.6"], ["100.5", "100.5"]),
        ("BUY", Offset.percent("1"), "101.02", ["99", "99.5"], ["99.99", "99.99"]),
        ("SELL", Offset.percent("2"), "98.00", ["200", "199"], ["196", "196"]),
    ],
)
def test_a_trailing_stop_follows_gains_and_never_gives_way(
    venue, side, offset, first, path, levels
):
    venue.submit("TRAILING_STOP", side, 10, trailing=offset)
    start = level(venue)

    seen = []
    for price in path:
        printed(venue, price)
        seen.append(level(venue))

    assert abs(D(first) - start) <= D("0.01")
    assert [D(each) for each in levels] == seen


def test_a_trailing_stop_sells_once_the_price_falls_back_by_the_offset(venue):
    venue.submit("TRAILING_STOP", "SELL", 10, trailing=Offset.price("1"))
    printed(venue, "105")

    assert [] == kinds(printed(venue, "104.01"))
    assert ["TRIGGERED", "FILL"] == kinds(printed(venue, "104.00"))
    assert [("o1", 10, D("103.99"), "TAKER")] == venue.fills()


def test_each_new_level_is_told_and_no_other(venue):
    venue.submit("TRAILING_STOP", "SELL", 10, trailing=Offset.price("1"))

    assert ["RESTATED"] == kinds(printed(venue, "101"))
    assert [] == kinds(printed(venue, "100.5"))
    assert [] == kinds(printed(venue, "101"))


def test_a_trailing_stop_waits_for_its_activation(venue):
    venue.submit("TRAILING_STOP", "SELL", 10, trailing=Offset.price("1"), activation_price="102.00")

    before = [kinds(printed(venue, price)) for price in ("99.00", "95.00", "101.99")]
    printed(venue, "102.00")
    activated = level(venue)
    printed(venue, "101.50")

    assert [[], [], []] == before
    assert (D("101.00"), ("OPEN", False)) == (activated, state(venue, "o1"))
    assert ["TRIGGERED", "FILL"] == kinds(printed(venue, "101.00"))


def test_a_trailing_stop_limit_rests_at_its_distance_from_the_level(venue):
    venue.submit(
        "TRAILING_STOP_LIMIT",
        "SELL",
        10,
        trailing=Offset.price("1"),
        limit_offset=Offset.price("0.25"),
    )
    printed(venue, "105")

    events = venue.tick("102.00", "102.02", last="102.01")

    assert ["TRIGGERED"] == kinds(events)
    assert (D("104.00"), D("103.75")) == (level(venue), venue.order("o1").limit_price)
    assert ["FILL"] == kinds(venue.tick("103.75", "103.77"))


def test_a_tighter_trail_counts_from_the_best_price_so_far(venue):
    venue.submit("TRAILING_STOP", "SELL", 10, trailing=Offset.price("5"))
    printed(venue, "110")
    printed(venue, "108")

    venue.engine.replace(ACCOUNT, "o1", OrderChange(trailing=Offset.price("3")))

    assert D("107") == level(venue)


def test_a_triggered_stop_that_is_ioc_takes_what_is_there(venue):
    venue.stop("BUY", 1500, "101", time_in_force=TimeInForce.IOC)

    events = venue.tick("101.00", "101.02", last="101.01")

    assert "TRIGGERED" == kinds(events)[0]
    assert venue.order("o1").is_terminal


def test_a_stop_does_not_hide_a_sell_that_the_account_cannot_cover():
    venue = Venue()
    venue.tick("100.00", "100.02", last="100.01")
    venue.market("BUY", 10)

    venue.stop("SELL", 10, "99")
    venue.market("SELL", 10)
    printed(venue, "98")

    assert -10 == venue.position()
