from typing import TYPE_CHECKING

import pytest
from paper_venue import Venue, kinds, steps

from dragoman.models import Exit, Offset, PriceSource, Side, TimeInForce
from dragoman.paper.order import WorkingOrder

if TYPE_CHECKING:
    from dragoman.paper.triggers import TriggerBook


@pytest.fixture
def venue():
    venue = Venue()
    venue.tick("99.99", "100.01", last="100.00", last_size=1)
    return venue


def test_stop_waits_untriggered(venue):
    assert ["ACCEPTED"] == kinds(venue.stop("SELL", 10, "99"))

    order = venue.order("o1")
    assert ("OPEN", False) == (order.status, order.is_triggered)


@pytest.mark.parametrize(
    ("kind", "side", "level", "reached"),
    [
        ("STOP", "SELL", "99", "99.00"),
        ("STOP", "BUY", "101", "101.00"),
        ("MARKET_IF_TOUCHED", "SELL", "101", "101.00"),
        ("MARKET_IF_TOUCHED", "BUY", "99", "99.00"),
    ],
)
def test_trigger_fires_at_its_level_and_the_order_goes_on_as_market(
    venue, kind, side, level, reached
):
    venue.submit(kind, side, 10, stop_price=level)
    short_of_it = "99.01" if level == "99" else "100.99"

    assert [] == steps(venue.tick("99.99", "100.01", last=short_of_it, last_size=1))
    assert ["TRIGGERED", "FILL"] == kinds(venue.tick("99.99", "100.01", last=reached, last_size=1))
    assert venue.order("o1").is_triggered


def test_triggered_limit_rests_if_its_limit_is_not_there(venue):
    venue.submit("STOP_LIMIT", "BUY", 10, stop_price="101", limit_price="100.50")

    events = venue.tick("101", "101.02", last="101", last_size=1)

    assert ["TRIGGERED"] == kinds(events)
    assert "OPEN" == venue.order("o1").status


def test_stop_already_past_triggers_at_once(venue):
    assert ["ACCEPTED", "TRIGGERED", "FILL"] == kinds(venue.stop("SELL", 10, "100.50"))


def test_if_touched_already_past_triggers_at_once(venue):
    events = venue.submit("MARKET_IF_TOUCHED", "SELL", 10, stop_price="99.50")

    assert ["ACCEPTED", "TRIGGERED", "FILL"] == kinds(events)


@pytest.mark.parametrize(
    ("source", "tick"),
    [
        (PriceSource.BID, {"bid": "98.99", "ask": "99.50"}),
        (PriceSource.ASK, {"bid": "98.50", "ask": "99.00"}),
        (PriceSource.MID, {"bid": "98.99", "ask": "99.01"}),
        (PriceSource.LAST, {"bid": "99.99", "ask": "100.01", "last": "98.00", "last_size": 1}),
        (PriceSource.MARK, {"bid": "99.99", "ask": "100.01", "mark_price": "98.00"}),
    ],
)
def test_each_source_triggers_by_its_own_price(venue, source, tick):
    venue.stop("SELL", 1, "99", trigger=source)

    assert "TRIGGERED" in kinds(venue.tick(**tick))


def test_other_sources_do_not_trigger(venue):
    venue.stop("SELL", 1, "99", trigger=PriceSource.BID)

    assert [] == steps(venue.tick("99.99", "100.01", last="90", last_size=1))


def test_last_falls_back_on_the_middle_without_prints():
    venue = Venue()
    venue.tick("0.9999", "1.0001", "PAIR")
    venue.stop("SELL", 1, "0.9900", symbol="PAIR")

    events = venue.tick("0.9898", "0.9900", "PAIR")

    assert ["TRIGGERED", "FILL"] == kinds(events)


def test_nearer_stop_triggers_first(venue):
    venue.stop("SELL", 1, "98")
    venue.stop("SELL", 1, "99")

    events = venue.tick("97", "97.02", last="97", last_size=1)

    assert ["o2", "o1"] == [name for kind, name in steps(events) if kind == "TRIGGERED"]


def test_trailing_stop_shows_its_level_and_only_moves_in_favor(venue):
    events = venue.submit("TRAILING_STOP", "SELL", 1, trailing=Offset.price("0.50"))

    assert ["ACCEPTED"] == kinds(events)
    assert "99.50" == str(venue.order("o1").stop_price)

    assert ["RESTATED"] == kinds(venue.tick("100.49", "100.51", last="100.50", last_size=1))
    assert "100.00" == str(venue.order("o1").stop_price)

    assert [] == kinds(venue.tick("100.19", "100.21", last="100.20", last_size=1))
    assert "100.00" == str(venue.order("o1").stop_price)

    events = venue.tick("99.99", "100.01", last="100.00", last_size=1)
    assert ["TRIGGERED", "FILL"] == kinds(events)


def test_level_that_does_not_move_by_a_tick_is_not_told(venue):
    venue.submit("TRAILING_STOP", "SELL", 1, trailing=Offset.price("0.50"))

    assert [] == steps(venue.tick("99.99", "100.01", last="100.004", last_size=1))


def test_trailing_buy_stop_follows_downward(venue):
    venue.submit("TRAILING_STOP", "BUY", 1, trailing=Offset.ticks(20))

    venue.tick("98.99", "99.01", last="99.00", last_size=1)

    assert "99.20" == str(venue.order("o1").stop_price)


def test_percent_offset_is_rounded_away_from_the_market(venue):
    venue.tick("99.99", "100.01", last="99.99", last_size=1)
    venue.submit("TRAILING_STOP", "SELL", 1, trailing=Offset.percent("1.5"))

    assert "98.49" == str(venue.order("o1").stop_price)


def test_trailing_begins_at_its_activation_price(venue):
    venue.submit("TRAILING_STOP", "SELL", 1, trailing=Offset.price("0.50"), activation_price="101")
    assert venue.order("o1").stop_price is None

    venue.tick("100.49", "100.51", last="100.99", last_size=1)
    assert venue.order("o1").stop_price is None

    venue.tick("100.99", "101.01", last="101.00", last_size=1)
    assert "100.50" == str(venue.order("o1").stop_price)


def test_trailing_stop_limit_gets_its_limit_when_it_triggers(venue):
    venue.submit(
        "TRAILING_STOP_LIMIT",
        "SELL",
        1,
        trailing=Offset.price("0.50"),
        limit_offset=Offset.price("0.10"),
    )

    events = venue.tick("99.30", "99.40", last="99.35", last_size=1)

    assert ["TRIGGERED"] == kinds(events)
    assert "99.40" == str(venue.order("o1").limit_price)


def test_ioc_of_a_stop_counts_from_its_trigger(venue):
    venue.stop("SELL", 500, "99", time_in_force=TimeInForce.IOC)

    assert "OPEN" == venue.order("o1").status

    events = venue.tick("98.99", "99.01", size=10, last="99", last_size=1)
    assert ("TRIGGERED", "CANCELED") == (kinds(events)[0], kinds(events)[-1])


def test_stop_loss_that_trails_and_has_a_price_holds_the_better_level(venue):
    leg = Exit(price="99.80", trailing=Offset.price("0.50"))
    venue.market("BUY", 1, stop_loss=leg)

    assert "99.80" == str(venue.order("o1-sl").stop_price)

    venue.tick("100.59", "100.61", last="100.60", last_size=1)
    assert "100.10" == str(venue.order("o1-sl").stop_price)


def test_entries_of_orders_that_left_do_not_pile_up(venue):
    listing = venue.engine._floor.listings["STOCK"]
    for _ in range(500):
        venue.stop("SELL", 1, "90")
        venue.cancel(f"o{venue.count}")

    assert sum(map(len, listing.triggers._heaps.values())) < 200


def test_order_removed_and_added_again_at_its_level_fires_once(venue):
    listing = venue.engine._floor.listings["STOCK"]
    venue.stop("SELL", 1, "99")
    order = venue.engine._floor.desks["paper-1"].live["o1"]
    book: TriggerBook = listing.triggers
    book.remove(order)
    book.add(order)

    venue.tick("98.99", "99.01", last="99", last_size=1)

    assert isinstance(order, WorkingOrder)
    assert Side.SELL is order.side
    assert 1 == len(venue.fills())
