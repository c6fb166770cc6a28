from decimal import Decimal

import pytest
from paper_venue import ACCOUNT, INSTRUMENTS, START_NS, Venue, kinds, listed, refusal, steps

from dragoman.models import (
    AssetClass,
    InstrumentKind,
    MarketStatus,
    Offset,
    OptionRight,
    TimeInForce,
    Window,
)
from dragoman.paper.settings import Hours
from dragoman.times import DAY_NS, HOUR_NS, SECOND_NS, parse_time

DAY, GTD, OPG, CLS = TimeInForce.DAY, TimeInForce.GTD, TimeInForce.OPG, TimeInForce.CLS
MIDNIGHT_NS = (START_NS // DAY_NS + 1) * DAY_NS
NIGHT_NS = parse_time("2026-01-07T03:00:00-05:00")
EARLY_NS = parse_time("2026-01-07T08:00:00-05:00")
OPEN_NS = parse_time("2026-01-07T09:30:00-05:00")
CLOSE_NS = parse_time("2026-01-07T16:00:00-05:00")


@pytest.fixture
def venue():
    venue = Venue()
    venue.tick("99.99", "100.01", last="100.00", last_size=1)
    return venue


def real(start_ns):
    venue = Venue(hours=Hours.REAL, start_ns=start_ns)
    venue.tick("99.99", "100.01", last="100.00", last_size=1)
    return venue


def test_day_order_expires_at_the_end_of_the_day(venue):
    venue.limit("BUY", 1, "99", time_in_force=DAY)

    assert [] == steps(venue.engine.advance(MIDNIGHT_NS - 1))
    assert [("EXPIRED", "o1")] == steps(venue.engine.advance(MIDNIGHT_NS))


def test_gtc_order_never_expires(venue):
    venue.limit("BUY", 1, "99")

    assert [] == steps(venue.engine.advance(MIDNIGHT_NS + 30 * DAY_NS))


def test_gtd_order_expires_at_its_own_instant(venue):
    expires_at_ns = venue.engine.now_ns + HOUR_NS
    venue.limit("BUY", 1, "99", time_in_force=GTD, expires_at_ns=expires_at_ns)

    assert expires_at_ns == venue.engine.next_event_ns()
    (event,) = venue.engine.advance(expires_at_ns + HOUR_NS)

    assert ("EXPIRED", expires_at_ns) == (event.kind, event.venue_time_ns)


def test_orders_expire_in_the_order_they_were_accepted(venue):
    for _ in range(3):
        venue.limit("BUY", 1, "99", time_in_force=DAY)

    assert ["o1", "o2", "o3"] == [name for _, name in steps(venue.engine.advance(MIDNIGHT_NS))]


def test_order_that_ended_leaves_no_deadline_behind(venue):
    for _ in range(3):
        venue.limit("BUY", 1, "99", time_in_force=DAY)
        venue.cancel(f"o{venue.count}")

    assert not any(venue.engine._floor.sessions.ends._orders.values())


def test_order_for_the_open_is_held_and_executes_there(venue):
    venue.market("BUY", 5, time_in_force=OPG)
    assert "HELD" == venue.order("o1").status

    assert ["RESTATED", "FILL"] == kinds(venue.engine.advance(MIDNIGHT_NS))


def test_order_for_the_close_executes_before_the_day_ends(venue):
    venue.limit("BUY", 5, "100.01", time_in_force=CLS)
    venue.limit("BUY", 5, "99", time_in_force=CLS)

    events = venue.engine.advance(MIDNIGHT_NS)

    assert ("FILLED", "CANCELED") == (venue.order("o1").status, venue.order("o2").status)
    assert "NO_LIQUIDITY" == venue.order("o2").reject_reason
    assert ["RESTATED", "RESTATED", "FILL", "CANCELED"] == kinds(events)


def test_held_auction_order_can_be_canceled(venue):
    venue.market("BUY", 5, time_in_force=OPG)
    venue.cancel("o1")

    assert [] == steps(venue.engine.advance(MIDNIGHT_NS))


def test_market_order_in_a_closed_market_is_refused():
    venue = real(NIGHT_NS)

    assert "MARKET_CLOSED" == refusal(venue.market("BUY", 1))
    assert "CLOSED" == venue.engine.market_status("STOCK").state


def test_resting_order_in_a_closed_market_is_held_until_it_opens():
    venue = real(NIGHT_NS)
    venue.limit("BUY", 5, "101")
    assert "HELD" == venue.order("o1").status

    events = venue.engine.advance(OPEN_NS)
    assert [("RESTATED", "o1")] == steps(events)
    assert "OPEN" == venue.order("o1").status
    states = [
        event.state
        for event in events
        if isinstance(event, MarketStatus) and event.symbol == "STOCK"
    ]
    assert ["PRE_MARKET", "OPEN"] == states

    assert ["FILL"] == kinds(venue.tick("100.10", "100.20"))


def test_extended_hours_order_works_before_the_open_and_others_do_not():
    venue = real(EARLY_NS)
    venue.limit("BUY", 5, "99.00", extended_hours=True)
    venue.limit("BUY", 5, "99.00")

    venue.tick("98", "98.50")

    assert ("FILLED", "HELD") == (venue.order("o1").status, venue.order("o2").status)


def test_resting_order_does_not_execute_after_the_close():
    venue = real(OPEN_NS + HOUR_NS)
    venue.limit("BUY", 5, "99.00")
    venue.engine.advance(CLOSE_NS)

    venue.tick("98", "98.50")
    assert "OPEN" == venue.order("o1").status

    venue.engine.advance(OPEN_NS + DAY_NS)
    venue.tick("98", "98.50")
    assert "FILLED" == venue.order("o1").status


def test_stop_does_not_trigger_after_the_close():
    venue = real(OPEN_NS + HOUR_NS)
    venue.stop("SELL", 5, "99.00")
    venue.submit("TRAILING_STOP", "SELL", 5, trailing=Offset.price("0.50"))
    venue.engine.advance(CLOSE_NS)

    assert [] == steps(venue.tick("98", "98.50", last="98", last_size=1))

    venue.engine.advance(OPEN_NS + DAY_NS)
    events = venue.tick("98", "98.50", last="98", last_size=1)
    assert {"o1", "o2"} == {name for kind, name in steps(events) if kind == "TRIGGERED"}


def test_day_order_of_a_closed_market_lives_to_the_end_of_the_next_day():
    venue = real(NIGHT_NS)
    venue.limit("BUY", 5, "90", time_in_force=DAY)

    (event,) = [
        event for event in venue.engine.advance(CLOSE_NS) if getattr(event, "kind", "") == "EXPIRED"
    ]

    assert CLOSE_NS == event.venue_time_ns


def test_order_for_a_real_open_meets_the_first_tick():
    venue = real(NIGHT_NS)
    venue.market("BUY", 5, time_in_force=OPG)
    venue.engine.advance(OPEN_NS)
    assert "HELD" == venue.order("o1").status

    assert ["RESTATED", "FILL"] == kinds(venue.tick("100.10", "100.20"))


def test_hours_are_the_calendars():
    venue = real(NIGHT_NS)

    rows = venue.engine.hours("STOCK", Window(start_ns=OPEN_NS, end_ns=CLOSE_NS))

    assert [(OPEN_NS, CLOSE_NS)] == [(row.opens_at_ns, row.closes_at_ns) for row in rows]


def test_expired_future_is_settled_and_its_orders_end():
    ends_at_ns = START_NS + HOUR_NS
    future = listed(
        "ENDS",
        InstrumentKind.FUTURE,
        AssetClass.INDEX,
        tick_size="0.25",
        lot_size=1,
        margin_rate="0.1",
        multiplier=Decimal(5),
        expires_at_ns=ends_at_ns,
    )
    venue = Venue(instruments=(*INSTRUMENTS, future))
    venue.tick("99.75", "100.00", "ENDS")
    venue.market("BUY", 2, symbol="ENDS")
    venue.limit("BUY", 1, "90", symbol="ENDS")
    venue.tick("110.00", "110.50", "ENDS")

    events = venue.engine.advance(ends_at_ns)

    assert [("EXPIRED", "o2")] == steps(events)
    assert 0 == venue.position("ENDS")
    (entry,) = venue.engine.ledger(ACCOUNT)
    assert ("SETTLEMENT", Decimal("102.50")) == (entry.kind, entry.amount.amount)


def test_option_ends_at_its_inner_value():
    ends_at_ns = START_NS + HOUR_NS
    option = listed(
        "CALL",
        InstrumentKind.OPTION,
        tick_size="0.01",
        lot_size=1,
        multiplier=Decimal(100),
        strike=Decimal(95),
        option_right=OptionRight.CALL,
        underlying="STOCK",
        expires_at_ns=ends_at_ns,
    )
    venue = Venue(instruments=(*INSTRUMENTS, option))
    venue.tick("99.99", "100.01")
    venue.tick("4.90", "5.10", "CALL")
    venue.market("BUY", 1, symbol="CALL")

    venue.engine.advance(ends_at_ns)

    (entry,) = venue.engine.ledger(ACCOUNT)
    assert 500 == entry.amount.amount


def test_funding_is_exchanged_every_eight_hours():
    perpetual = listed(
        "PERP", InstrumentKind.PERPETUAL, AssetClass.CRYPTO, lot_size=1, margin_rate="0.1"
    )
    venue = Venue(instruments=(*INSTRUMENTS, perpetual))
    venue.tick("99", "101", "PERP")
    venue.market("BUY", 10, symbol="PERP")
    due_ns = venue.engine.ticker("PERP").next_funding_at_ns
    venue.engine.set_funding_rate("PERP", Decimal("0.001"))

    venue.engine.advance(due_ns)

    (entry,) = venue.engine.ledger(ACCOUNT)
    assert ("FUNDING", -1) == (entry.kind, entry.amount.amount)
    assert due_ns + 8 * HOUR_NS == venue.engine.ticker("PERP").next_funding_at_ns


def test_dividend_is_paid_on_what_is_held(venue):
    venue.market("BUY", 10)

    venue.engine.dividend("STOCK", Decimal("0.5"))

    (entry,) = venue.engine.ledger(ACCOUNT)
    assert ("DIVIDEND", 5) == (entry.kind, entry.amount.amount)


def test_split_multiplies_positions_and_cancels_orders(venue):
    venue.market("BUY", 10)
    venue.limit("BUY", 10, "99")

    events = venue.engine.split("STOCK", Decimal(4))

    assert [("CANCELED", "o2")] == steps(events)
    assert 40 == venue.position()


def test_day_prices_start_anew_each_day(venue):
    venue.tick("99.99", "100.01", last="101.00", last_size=2)
    ticker = venue.engine.ticker("STOCK")
    assert ("100.00", "101.00", 3) == (str(ticker.open), str(ticker.high), ticker.volume)

    venue.engine.advance(MIDNIGHT_NS + SECOND_NS)

    ticker = venue.engine.ticker("STOCK")
    assert (None, "101.00", 0) == (ticker.open, str(ticker.previous_close), ticker.volume)
