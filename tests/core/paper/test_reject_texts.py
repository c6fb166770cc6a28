"""What a refusal says in words: what was needed and what there was."""

from decimal import Decimal

import pytest
from paper_venue import ACCOUNT, START_NS, Venue, listed

from dragoman.errors import InvalidValueError, UnknownInstrumentError
from dragoman.models import MarginMode, OrderChange, PositionEffect, TimeInForce
from dragoman.paper.settings import AccountSettings

CLOSE = PositionEffect.CLOSE


def opened(instruments=None, **settings):
    settings.setdefault("cash", Decimal(100_000))
    accounts = (AccountSettings(account_id=ACCOUNT, **settings),)
    more = {} if instruments is None else {"instruments": instruments}
    venue = Venue(accounts=accounts, start_ns=START_NS, **more)
    venue.tick("100.00", "100.02", last="100.01")
    return venue


def reason(venue, name="o1"):
    return venue.order(name).reason


@pytest.fixture
def venue():
    return opened(margin_mode=MarginMode.CASH)


def test_insufficient_funds_names_the_need_and_what_is_free(venue):
    venue.limit("BUY", 2000, 90)

    assert "it would bind 180000 USD more, and 100000 USD is free" == reason(venue)


def test_a_change_beyond_the_funds_names_both_too(venue):
    venue.limit("BUY", 10, 90)

    events = venue.engine.replace(ACCOUNT, "o1", OrderChange(quantity=2000))

    assert "it would bind 179100 USD more, and 99100 USD is free" == events[0].order.reason


def test_nothing_to_close_is_said(venue):
    venue.market("SELL", 5, position_effect=CLOSE)

    assert "STOCK has no position that a SELL could close" == reason(venue)


def test_a_foreign_position_is_named(venue):
    venue.limit("BUY", 1, 90, position_id="STOCK:SHORT")

    assert "position_id STOCK:SHORT: this order trades STOCK, as the account is NETTING" == reason(
        venue
    )


def test_a_short_in_a_cash_account_is_said(venue):
    venue.limit("SELL", 5, 110)

    assert "5 to sell, 0 held, and the account can't sell short" == reason(venue)


def test_too_small_a_position_is_said_with_what_other_orders_sell(venue):
    venue.market("BUY", 10)
    venue.limit("SELL", 4, 110)
    venue.limit("SELL", 7, 110)

    assert "7 to sell beside 4 of other orders, 10 held" == reason(venue, "o3")


def test_an_expiry_in_the_past_is_refused_with_both_instants(venue):
    now_ns = venue.engine.now_ns

    venue.limit("BUY", 1, 90, time_in_force=TimeInForce.GTD, expires_at_ns=now_ns)

    assert f"expires_at_ns {now_ns} is not after now, {now_ns}" == reason(venue)


@pytest.mark.parametrize("levels", [0, -1])
def test_a_book_has_at_least_one_level(venue, levels):
    with pytest.raises(InvalidValueError, match="levels"):
        venue.engine.depth("STOCK", levels)


def test_an_unknown_symbol_names_those_near_it(venue):
    with pytest.raises(UnknownInstrumentError, match="'STOK'; near it: STOCK"):
        venue.engine.find("STOK")


def test_case_does_not_hide_a_near_symbol():
    venue = opened((listed("STOCK"), listed("OTHER")))

    with pytest.raises(UnknownInstrumentError, match="near it: STOCK"):
        venue.engine.find("stock")


def test_a_symbol_like_no_other_is_just_unknown(venue):
    with pytest.raises(UnknownInstrumentError, match=r"lists no 'ZZ'$"):
        venue.engine.find("ZZ")
