from decimal import Decimal

import pytest
from paper_venue import ACCOUNT, INSTRUMENTS, Venue, kinds, listed, refusal

from dragoman.models import (
    InstrumentKind,
    Offset,
    OrderType,
    PositionEffect,
    PositionMode,
    PriceSource,
    TimeInForce,
)
from dragoman.paper.settings import AccountSettings
from dragoman.times import SECOND_NS

LIMITS = listed(
    "LIMITS",
    tick_size="0.5",
    lot_size="0.1",
    min_quantity=1,
    max_quantity=100,
    max_market_quantity=Decimal(50),
    min_notional=200,
    max_notional=Decimal(9000),
    margin_rate="0.1",
)
ENDED = listed("ENDED", InstrumentKind.FUTURE, expires_at_ns=1)


@pytest.fixture
def venue():
    venue = Venue(instruments=(*INSTRUMENTS, LIMITS, ENDED))
    venue.tick("99.5", "100", "LIMITS")
    venue.tick("99.99", "100.01")
    return venue


@pytest.mark.parametrize(
    ("takes", "meant"),
    [
        (None, "DAY"),
        ({"DAY", "GTC"}, "DAY"),
        ({"GTC", "FOK"}, "GTC"),
        ({"IOC", "FOK"}, "FOK"),
    ],
    ids=["anything", "the-usual", "gtc", "the-first-by-name"],
)
def test_no_time_in_force_means_what_the_instrument_takes(takes, meant):
    times = None if takes is None else frozenset(map(TimeInForce, takes))
    venue = Venue(instruments=(listed("TIMES", times_in_force=times),))
    venue.tick("99", "100", "TIMES")

    events = venue.market("BUY", 1, symbol="TIMES", time_in_force=None)

    assert meant == events[0].order.time_in_force
    assert "REJECTED" not in kinds(events)


@pytest.mark.parametrize(
    ("kind", "quantity", "fields", "reason"),
    [
        ("LIMIT", "2.05", {"limit_price": 99}, "INVALID_QUANTITY"),
        ("LIMIT", "0.9", {"limit_price": 99}, "BELOW_MINIMUM"),
        ("LIMIT", 101, {"limit_price": 50}, "ABOVE_MAXIMUM"),
        ("MARKET", 51, {}, "ABOVE_MAXIMUM"),
        ("LIMIT", 2, {"limit_price": 99}, "BELOW_MINIMUM"),
        ("LIMIT", 95, {"limit_price": 99}, "ABOVE_MAXIMUM"),
        ("LIMIT", 3, {"limit_price": "99.25"}, "INVALID_PRICE"),
        ("LIMIT", 3, {"limit_price": -1}, "INVALID_PRICE"),
        ("STOP", 3, {"stop_price": "99.25"}, "INVALID_PRICE"),
        ("STOP", 3, {"stop_price": 95, "trigger": PriceSource.INDEX}, "UNSUPPORTED"),
        ("LIMIT", 10, {"limit_price": 99, "display_quantity": "1.55"}, "INVALID_QUANTITY"),
        ("STOP", 3, {"stop_price": 95, "time_in_force": TimeInForce.OPG}, "UNSUPPORTED"),
        (
            "LIMIT",
            3,
            {"limit_price": 99, "position_effect": PositionEffect.CLOSE},
            "WOULD_INCREASE",
        ),
        ("LIMIT", 3, {"limit_price": 99, "position_id": "LIMITS:LONG"}, "POSITION_MODE"),
    ],
)
def test_what_the_instrument_does_not_allow_is_refused(venue, kind, quantity, fields, reason):
    events = venue.submit(kind, "BUY", quantity, symbol="LIMITS", **fields)

    assert reason == refusal(events)
    assert "REJECTED" == venue.order("o1").status
    assert venue.order("o1").reason


def test_unknown_symbol_is_refused_and_kept(venue):
    assert "UNKNOWN_SYMBOL" == refusal(venue.market("BUY", 1, symbol="NOWHERE"))
    assert ("NOWHERE", "REJECTED") == (venue.order("o1").symbol, venue.order("o1").status)


def test_ended_contract_is_refused(venue):
    assert "NOT_TRADABLE" == refusal(venue.market("BUY", 1, symbol="ENDED"))


def test_halted_symbol_is_refused_until_it_is_resumed(venue):
    venue.limit("BUY", 1, "99")
    venue.engine.halt_symbol("STOCK", "news")

    assert "NOT_TRADABLE" == refusal(venue.market("BUY", 1))
    assert [] == kinds(venue.tick("98", "98.5"))

    venue.engine.resume_symbol("STOCK")
    assert ["FILL"] == kinds(venue.tick("98", "98.5"))


def test_client_order_id_is_taken_for_ever_and_the_first_order_untouched(venue):
    venue.limit("BUY", 1, "99", client_order_id="a")
    venue.cancel("a")
    before = venue.order("a")

    events = venue.market("BUY", 1, client_order_id="a")

    assert "DUPLICATE_CLIENT_ORDER_ID" == refusal(events)
    assert before == venue.order("a")


def test_id_of_a_refused_order_is_taken_too(venue):
    venue.limit("BUY", 1, "99.001", client_order_id="a")

    assert "DUPLICATE_CLIENT_ORDER_ID" == refusal(venue.market("BUY", 1, client_order_id="a"))


def test_account_that_may_not_trade_is_refused():
    venue = Venue(accounts=(AccountSettings(account_id=ACCOUNT, can_trade=False),))
    venue.tick("99.99", "100.01")

    assert "NOT_PERMITTED" == refusal(venue.market("BUY", 1))


def test_order_beyond_the_funds_is_refused():
    venue = Venue(accounts=(AccountSettings(account_id=ACCOUNT, cash=1000),))
    venue.tick("99.99", "100.01")

    assert "INSUFFICIENT_FUNDS" == refusal(venue.limit("BUY", 50, "99"))


def test_open_orders_hold_their_funds_until_they_end():
    venue = Venue(accounts=(AccountSettings(account_id=ACCOUNT, cash=1000),))
    venue.tick("99.99", "100.01")
    venue.limit("BUY", 20, "99")

    assert "INSUFFICIENT_FUNDS" == refusal(venue.limit("BUY", 20, "99"))

    venue.cancel("o1")
    assert ["ACCEPTED"] == kinds(venue.limit("BUY", 20, "99"))


@pytest.mark.parametrize(
    ("kind", "side", "fields"),
    [
        ("STOP", "BUY", {"stop_price": "1"}),
        ("LIMIT", "SELL", {"limit_price": "1"}),
        ("STOP_LIMIT", "SELL", {"stop_price": "1", "limit_price": "1"}),
    ],
)
def test_order_is_weighed_at_the_price_it_will_meet_not_at_what_it_asks(kind, side, fields):
    venue = Venue(accounts=(AccountSettings(account_id=ACCOUNT, cash=1000),))
    venue.tick("99.99", "100.01")

    assert "INSUFFICIENT_FUNDS" == refusal(venue.submit(kind, side, 500, **fields))


def test_market_order_before_the_first_price_is_refused():
    assert "NO_LIQUIDITY" == refusal(Venue().market("BUY", 1))


def test_limit_order_before_the_first_price_is_taken():
    assert ["ACCEPTED"] == kinds(Venue().limit("BUY", 1, "99"))


def test_too_many_open_orders_are_refused():
    venue = Venue(max_open_orders=1)
    venue.tick("99.99", "100.01")
    venue.limit("BUY", 1, "99")

    assert "TOO_MANY_ORDERS" == refusal(venue.limit("BUY", 1, "98"))


@pytest.mark.parametrize(
    ("setting", "kind", "fields"),
    [
        ("native_trailing", "TRAILING_STOP", {"trailing": Offset.ticks(5)}),
        ("native_lists", "MARKET", {"group_id": "g"}),
    ],
)
def test_features_can_be_switched_off(setting, kind, fields):
    venue = Venue(**{setting: False})
    venue.tick("99.99", "100.01")

    assert "UNSUPPORTED" == refusal(venue.submit(kind, "BUY", 1, **fields))


def test_instrument_may_take_fewer_types():
    only = listed("ONLY", lot_size=1, order_types=frozenset({OrderType.LIMIT}), margin_rate="0.1")
    venue = Venue(instruments=(only,))
    venue.tick("99.99", "100.01", "ONLY")

    assert "UNSUPPORTED" == refusal(venue.market("BUY", 1, symbol="ONLY"))


def test_expiry_that_has_passed_is_refused(venue):
    events = venue.limit(
        "BUY", 1, "99", time_in_force=TimeInForce.GTD, expires_at_ns=venue.engine.now_ns
    )

    assert "OTHER" == refusal(events)


def test_expiry_in_the_future_is_taken(venue):
    events = venue.limit(
        "BUY", 1, "99", time_in_force=TimeInForce.GTD, expires_at_ns=venue.engine.now_ns + SECOND_NS
    )

    assert ["ACCEPTED"] == kinds(events)


def test_position_of_the_other_side_is_refused_in_hedging():
    account = AccountSettings(account_id=ACCOUNT, position_mode=PositionMode.HEDGING)
    venue = Venue(accounts=(account,))
    venue.tick("99.99", "100.01")

    assert "POSITION_MODE" == refusal(venue.market("BUY", 1, position_id="STOCK:SHORT"))


def test_peg_without_a_price_is_refused():
    venue = Venue()

    events = venue.submit("LIMIT", "BUY", 1, peg=PriceSource.BID)

    assert "NO_LIQUIDITY" == refusal(events)
