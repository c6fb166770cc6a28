"""Prices that jump: from when, by how much, and what never happens to them."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dragoman.models import Window
from dragoman.money import is_multiple
from dragoman.paper.market.catalogue import default_instruments
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.market.scripted import ScriptedFeed
from dragoman_mock.jumps import JumpingFeed

INSTRUMENTS = {each.symbol: each for each in default_instruments(0)}


def tick(time_ns, bid="99.99", ask="100.01", symbol="AAPL"):
    return MarketTick(time_ns, symbol, Decimal(bid), Decimal(1), Decimal(ask), Decimal(1))


def jumping(*ticks):
    return JumpingFeed(ScriptedFeed(ticks), INSTRUMENTS)


def test_only_later_ticks_of_the_symbol_are_moved():
    feed = jumping(tick(1), tick(2), tick(3), tick(3, symbol="MSFT"))
    feed.jump("AAPL", Decimal(10), 2)

    bids = [str(each.bid_price) for each in feed.take(3)]

    assert ["99.99", "99.99", "109.98", "99.99"] == bids


def test_jumps_add_up_by_multiplication():
    feed = jumping(tick(5))
    feed.jump("AAPL", Decimal(-50), 1)
    feed.jump("AAPL", Decimal(100), 2)

    assert [tick(5)] == list(feed.take(5))


@given(
    st.decimals("0.01", "999", places=2),
    st.decimals("0.01", "5", places=2),
    st.decimals("-99.9", "500", places=1),
)
def test_a_moved_quote_is_on_the_tick_and_never_crossed(bid, spread, percent):
    feed = jumping(tick(1, str(bid), str(bid + spread)))
    feed.jump("AAPL", percent, 0)

    (moved,) = feed.take(1)

    prices = [price for price in (moved.bid_price, moved.ask_price) if price is not None]
    assert all(price > 0 for price in prices)
    assert all(is_multiple(price, INSTRUMENTS["AAPL"].tick_at(price)) for price in prices)
    assert sorted(set(prices)) == prices


def test_history_shows_the_jump_where_it_was():
    feed = jumping(tick(1), tick(2))
    feed.jump("AAPL", Decimal(10), 1)

    past = feed.history("AAPL").ticks("AAPL", Window(), 2)

    assert ["99.99", "109.98"] == [str(each.bid_price) for each in past]


def test_a_symbol_that_never_jumped_has_the_history_of_its_feed():
    inner = ScriptedFeed([tick(1)])
    feed = JumpingFeed(inner, INSTRUMENTS)

    assert inner is feed.history("AAPL")


def test_it_goes_on_from_its_state():
    feed, other = jumping(tick(1), tick(2)), jumping(tick(1), tick(2))
    feed.jump("AAPL", Decimal("12.5"), 0)
    feed.take(1)

    other.restore(feed.state())

    assert (feed.symbols, feed.next_event_ns()) == (other.symbols, other.next_event_ns())
    assert list(feed.take(2)) == list(other.take(2))
