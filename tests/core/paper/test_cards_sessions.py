"""What opening hours do to orders: one card per rule, on the calendar of January 2026."""

from decimal import Decimal

import pytest
from paper_venue import ACCOUNT, INSTRUMENTS, Venue, kinds, refusal, steps

from dragoman.models import Exit, OrderChange, PositionEffect, TimeInForce
from dragoman.paper.settings import Hours
from dragoman.times import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, parse_time

D = Decimal
DAY, GTC, GTD, IOC, FOK, OPG, CLS = (
    TimeInForce[each] for each in ("DAY", "GTC", "GTD", "IOC", "FOK", "OPG", "CLS")
)


def at(text):
    return parse_time(f"2026-01-{text}:00-05:00")


EARLY_NS, OPEN_NS, NOON_NS, CLOSE_NS, EVENING_NS = (
    at(each) for each in ("07T08:00", "07T09:30", "07T12:00", "07T16:00", "07T17:00")
)
NEXT_OPEN_NS = at("08T09:30")


def opened(start_ns, **settings):
    """A real calendar; a second after `start_ns`: 100.00 bid, 100.02 asked, last 100.01."""
    venue = Venue(hours=Hours.REAL, start_ns=start_ns, instruments=INSTRUMENTS, **settings)
    venue.tick("100.00", "100.02", last="100.01")
    return venue


def tick_at(venue, instant_ns, bid="100.00", ask="100.02", last="100.01", symbol="STOCK"):
    return venue.tick(bid, ask, symbol, last=last, after_ns=instant_ns - venue.engine.now_ns)


def status(venue, client_order_id):
    return str(venue.order(client_order_id).status)


@pytest.mark.parametrize("time_in_force", [DAY, GTC, IOC, FOK])
def test_a_market_order_is_refused_while_the_market_is_closed(time_in_force):
    venue = opened(at("07T02:00"))

    assert "MARKET_CLOSED" == refusal(venue.market("BUY", 10, time_in_force=time_in_force))


def test_a_limit_order_waits_for_the_open_and_trades_there():
    venue = opened(at("07T02:00"))
    venue.limit("BUY", 10, "101", time_in_force=DAY)
    waiting = status(venue, "o1")
    tick_at(venue, OPEN_NS - SECOND_NS)
    still = status(venue, "o1")

    venue.engine.advance(OPEN_NS)
    tick_at(venue, OPEN_NS + SECOND_NS)

    assert ("HELD", "HELD", "FILLED") == (waiting, still, status(venue, "o1"))


def test_an_order_given_in_the_evening_is_for_the_next_day():
    venue = opened(at("07T22:00"))
    venue.limit("BUY", 10, "90", time_in_force=DAY)

    venue.engine.advance(at("08T15:59"))
    working = status(venue, "o1")
    events = venue.engine.advance(at("08T16:00"))

    assert ("OPEN", [("EXPIRED", "o1")]) == (working, steps(events))


def test_an_order_given_on_friday_evening_is_for_monday():
    venue = opened(at("09T22:00"))
    venue.limit("BUY", 10, "90", time_in_force=DAY)

    venue.engine.advance(at("12T15:59"))

    assert "OPEN" == status(venue, "o1")
    assert [("EXPIRED", "o1")] == steps(venue.engine.advance(at("12T16:00")))


def test_an_order_given_before_a_holiday_waits_it_out():
    venue = opened(at("16T22:00"))
    venue.limit("BUY", 10, "90", time_in_force=DAY)

    venue.engine.advance(at("19T12:00"))
    holiday = status(venue, "o1")
    venue.engine.advance(at("20T12:00"))

    assert ("HELD", "OPEN") == (holiday, status(venue, "o1"))


def test_a_day_order_ends_at_the_close():
    venue = opened(NOON_NS)
    venue.limit("BUY", 10, "90", time_in_force=DAY)

    assert [] == kinds(venue.engine.advance(CLOSE_NS - 1))
    assert ["EXPIRED"] == kinds(venue.engine.advance(CLOSE_NS))


def test_a_good_till_canceled_order_sleeps_and_wakes():
    venue = opened(NOON_NS)
    venue.limit("BUY", 10, "99", time_in_force=GTC)

    tick_at(venue, EVENING_NS, "98.00", "98.02", "98.01")
    evening = venue.order("o1").filled_quantity
    tick_at(venue, NEXT_OPEN_NS + SECOND_NS, "98.00", "98.02", "98.01")

    assert (0, 10) == (evening, venue.order("o1").filled_quantity)


def test_a_good_till_date_order_ends_in_its_sleep():
    venue = opened(NOON_NS)
    venue.limit("BUY", 10, "99", time_in_force=GTD, expires_at_ns=at("08T02:00"))

    assert ["EXPIRED"] == [
        each for each in kinds(venue.engine.advance(at("08T02:00"))) if each != "RESTATED"
    ]


@pytest.mark.parametrize("start_ns", [EARLY_NS, EVENING_NS])
def test_only_orders_for_extended_hours_trade_in_them(start_ns):
    venue = opened(start_ns)

    venue.limit("BUY", 10, "100.02", time_in_force=DAY)
    venue.limit("BUY", 10, "100.02", time_in_force=DAY, extended_hours=True)

    assert (0, 10) == (venue.order("o1").filled_quantity, venue.order("o2").filled_quantity)


def test_an_order_for_extended_hours_lives_till_the_evening():
    venue = opened(NOON_NS)
    venue.limit("BUY", 10, "90", time_in_force=DAY, extended_hours=True)

    venue.engine.advance(at("07T19:59"))

    assert "OPEN" == status(venue, "o1")
    assert ["EXPIRED"] == kinds(venue.engine.advance(at("07T20:00")))


def test_a_stop_sleeps_outside_the_session():
    venue = opened(EARLY_NS)
    venue.stop("SELL", 10, "99")

    before = kinds(tick_at(venue, at("07T09:00"), "98.00", "98.02", "98.01"))
    tick_at(venue, at("07T09:20"), "100.00", "100.02", "100.01")
    venue.engine.advance(OPEN_NS)
    tick_at(venue, OPEN_NS + SECOND_NS, "100.00", "100.02", "100.01")

    assert [] == before
    assert ("OPEN", False) == (status(venue, "o1"), venue.order("o1").is_triggered)


def test_an_overnight_gap_triggers_the_stop_at_the_open():
    venue = opened(NOON_NS)
    venue.stop("SELL", 10, "99")

    tick_at(venue, NEXT_OPEN_NS + SECOND_NS, "95.00", "95.02", "95.01")

    assert [("o1", 10, D("95.00"), "TAKER")] == venue.fills()


def test_an_order_for_the_open_trades_there_and_nowhere_else():
    venue = opened(EARLY_NS)
    venue.market("BUY", 10, time_in_force=OPG)
    venue.limit("BUY", 10, "99", time_in_force=OPG)
    waiting = status(venue, "o1"), status(venue, "o2")

    tick_at(venue, OPEN_NS)
    tick_at(venue, OPEN_NS + SECOND_NS)

    assert ("HELD", "HELD") == waiting
    assert ("FILLED", "CANCELED") == (status(venue, "o1"), status(venue, "o2"))


def test_an_order_for_the_open_given_at_noon_is_for_tomorrow():
    venue = opened(NOON_NS)
    venue.market("BUY", 10, time_in_force=OPG)

    tick_at(venue, at("07T15:00"))
    today = status(venue, "o1")
    tick_at(venue, NEXT_OPEN_NS)
    tick_at(venue, NEXT_OPEN_NS + SECOND_NS)

    assert ("HELD", "FILLED") == (today, status(venue, "o1"))


def test_an_order_for_the_close_trades_at_the_close():
    venue = opened(NOON_NS)
    venue.market("BUY", 10, time_in_force=CLS)
    tick_at(venue, CLOSE_NS - SECOND_NS, "101.00", "101.02", "101.01")
    waiting = status(venue, "o1")

    venue.engine.advance(CLOSE_NS)

    assert ("HELD", "FILLED") == (waiting, status(venue, "o1"))
    assert D("101.02") == venue.order("o1").average_fill_price


def test_a_sleeping_order_can_be_changed_and_canceled():
    venue = opened(EVENING_NS)
    venue.limit("BUY", 10, "99")

    changed = venue.engine.replace(ACCOUNT, "o1", OrderChange(limit_price="98", quantity=20))
    held = status(venue, "o1")
    canceled = venue.cancel("o1")

    assert (["REPLACED"], "HELD", ["CANCELED"]) == (kinds(changed), held, kinds(canceled))


def test_currencies_rest_on_saturday():
    venue = opened(at("10T12:00"))
    venue.tick("1.1000", "1.1002", "PAIR", last="1.1001")

    assert "MARKET_CLOSED" == refusal(venue.market("BUY", 1000, symbol="PAIR"))
    venue.engine.advance(at("11T17:00"))
    venue.tick("1.1000", "1.1002", "PAIR", last="1.1001")
    assert ["ACCEPTED", "FILL"] == kinds(venue.market("BUY", 1000, symbol="PAIR"))


def test_futures_pause_for_an_hour_a_day():
    venue = opened(at("07T17:30"))
    venue.tick("5000.00", "5000.25", "FUTURE", last="5000.00")

    assert "MARKET_CLOSED" == refusal(venue.market("BUY", 1, symbol="FUTURE"))
    venue.engine.advance(at("07T18:00") + MINUTE_NS)
    venue.tick("5000.00", "5000.25", "FUTURE", last="5000.00")
    assert ["ACCEPTED", "FILL"] == kinds(venue.market("BUY", 1, symbol="FUTURE"))


def test_a_bracket_given_in_the_evening_protects_what_the_open_fills():
    venue = opened(EVENING_NS)
    venue.limit("BUY", 10, "101", stop_loss=Exit(price="95"), take_profit=Exit(price="105"))
    tick_at(venue, NEXT_OPEN_NS + SECOND_NS)

    tick_at(venue, NEXT_OPEN_NS + 2 * SECOND_NS, "94.00", "94.02", "94.01")

    assert ("FILLED", "FILLED", "CANCELED", 0) == (
        status(venue, "o1"),
        status(venue, "o1-sl"),
        status(venue, "o1-tp"),
        venue.position(),
    )


def test_a_closing_order_of_the_evening_closes_at_the_open():
    venue = opened(NOON_NS)
    venue.market("BUY", 10)
    venue.engine.advance(EVENING_NS)
    venue.limit("SELL", 10, "90", position_effect=PositionEffect.CLOSE)

    tick_at(venue, NEXT_OPEN_NS + HOUR_NS)

    assert 0 == venue.position()


def test_a_weekend_passes_in_one_step_as_in_many():
    one, many = opened(at("09T15:00")), opened(at("09T15:00"))
    for venue in (one, many):
        venue.limit("BUY", 10, "90", time_in_force=DAY)
        venue.limit("BUY", 10, "90", time_in_force=GTC)
    end_ns = one.engine.now_ns + 4 * DAY_NS

    one.engine.advance(end_ns)
    while many.engine.now_ns < end_ns:
        many.engine.advance(min(end_ns, many.engine.now_ns + HOUR_NS))

    assert one.engine.history_digest == many.engine.history_digest
