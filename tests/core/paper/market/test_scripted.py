from __future__ import annotations

import json
from decimal import Decimal

import pytest

from dragoman.errors import InvalidValueError
from dragoman.models import Side, Window
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.market.scripted import ScriptedFeed

ONE = Decimal("1.10")


def tick(time_ns, symbol="A"):
    return MarketTick(time_ns, symbol, ONE, ONE, ONE, ONE, ONE, Decimal(3), Side.SELL, None, ONE)


def test_ticks_are_taken_once_up_to_the_instant():
    feed = ScriptedFeed([tick(1), tick(2), tick(2, "B"), tick(5)])

    assert 1 == feed.next_event_ns()
    assert [tick(1), tick(2), tick(2, "B")] == list(feed.take(4))
    assert [] == list(feed.take(4))
    assert [tick(5)] == list(feed.take(5))
    assert feed.next_event_ns() is None


def test_symbols_are_those_named_and_those_pushed():
    feed = ScriptedFeed(symbols=["X"])
    feed.push(tick(1, "B"))

    assert {"X", "B"} == feed.symbols


def test_a_tick_from_the_past_is_refused():
    feed = ScriptedFeed([tick(3)])
    with pytest.raises(InvalidValueError, match="time_ns"):
        feed.push(tick(2))

    feed.take(9)
    with pytest.raises(InvalidValueError, match="time_ns"):
        feed.push(tick(9))
    feed.push(tick(10))

    assert 10 == feed.next_event_ns()


def test_skipped_ticks_never_come():
    feed = ScriptedFeed([tick(1), tick(2), tick(3)])

    feed.skip_to(2)

    assert [tick(3)] == list(feed.take(9))


def test_restored_feed_goes_on_exactly():
    feed, other = ScriptedFeed([tick(1), tick(2, "B")], symbols=["X"]), ScriptedFeed([tick(7, "Q")])
    feed.take(1)

    other.restore(json.loads(json.dumps(feed.state())))

    assert feed.state() == other.state()
    assert {"A", "B", "X"} == other.symbols
    assert [tick(2, "B")] == list(other.take(9))


def test_the_past_is_told_up_to_now():
    feed = ScriptedFeed([tick(1), tick(2, "B"), tick(3), tick(4)])

    assert [tick(3)] == list(feed.ticks("A", Window(start_ns=2), 3))
    assert [tick(1)] == list(feed.ticks("A", Window(end_ns=3), 9))
