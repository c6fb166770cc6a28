from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models import Channel, Gap
from dragoman.streaming.conflation import conflate
from dragoman.streaming.topics import Topic, topic_of


@pytest.mark.parametrize("name", ["quote", "ticker", "status"])
def test_a_state_is_conflated_to_the_newest_of_each_symbol(make, name):
    event = getattr(make, name)
    old, other, new = event("AAPL"), event("MSFT"), event("AAPL")

    survivors = conflate([old, other, new], room=10)

    assert [other, new] == survivors.events
    assert {topic_of(old): 1} == survivors.lost


def test_a_bar_is_conflated_to_the_newest_of_its_open_time(make):
    old, new, later = make.bar(open_time_ns=0), make.bar(open_time_ns=0), make.bar(open_time_ns=60)

    survivors = conflate([old, new, later], room=10)

    assert [new, later] == survivors.events


def test_the_newest_bar_of_a_topic_outlives_newer_prints(make):
    bars = [make.bar(open_time_ns=time_ns) for time_ns in (0, 60)]
    prints = [make.trade() for _ in range(5)]

    survivors = conflate([*bars, *prints], room=2)

    assert [bars[1], prints[-1]] == survivors.events


def test_prints_and_their_corrections_lose_the_oldest(make):
    events = [make.trade(), make.correction(), make.trade(), make.correction()]

    survivors = conflate(events, room=2)

    assert events[2:] == survivors.events
    assert {Topic(Channel.TRADES, "AAPL"): 2} == survivors.lost


def test_a_snapshot_replaces_the_book_changes_before_it(make):
    before, snapshot, after = make.depth(), make.depth(is_snapshot=True), make.depth()
    other = make.depth("MSFT")

    survivors = conflate([before, other, snapshot, after], room=10)

    assert [other, snapshot, after] == survivors.events


def test_quotes_of_quiet_symbols_outlive_a_flood_of_prints(make):
    quotes = [make.quote(symbol) for symbol in ("AAPL", "MSFT", "SPY")]
    prints = [make.trade() for _ in range(10)]

    survivors = conflate([*quotes, *prints], room=4)

    assert [*quotes, prints[-1]] == survivors.events
    assert 3 == survivors.pinned


def test_private_events_all_stay(make):
    events = [make.private(sequence) for sequence in (1, 2, 3)]

    assert events == conflate([*events, make.trade()], room=1).events


def test_session_events_are_conflated_by_what_they_are_the_state_of(make):
    old, other, new = make.rate_limit("a"), make.rate_limit("b"), make.rate_limit("a")

    survivors = conflate([old, make.connection(), other, new, last := make.connection()], room=1)

    assert [other, new, last] == survivors.events
    assert 2 == survivors.session_lost


@pytest.mark.parametrize(("second", "total"), [(2, 3), (None, None)])
def test_gaps_of_the_venue_are_added_up_and_never_lost(make, second, total):
    survivors = conflate([make.gap(1), make.gap(5, "MSFT"), make.gap(second)], room=1)

    found = [(event.symbol, event.lost) for event in survivors.events if isinstance(event, Gap)]
    assert [("AAPL", total), ("MSFT", 5)] == found
    assert 0 == survivors.session_lost


NAMES = st.sampled_from(["quote", "ticker", "status", "trade", "correction", "depth", "bar"])
SYMBOLS = st.sampled_from(["AAPL", "MSFT", "SPY"])


@given(
    what=st.lists(st.tuples(NAMES, SYMBOLS), max_size=60),
    room=st.integers(min_value=1, max_value=20),
)
def test_what_stays_and_what_is_counted_is_everything(make_events, what, room):
    make = make_events()
    events = [getattr(make, name)(symbol) for name, symbol in what]

    survivors = conflate(events, room)

    kept = Counter(topic_of(event) for event in survivors.events)
    assert Counter(topic_of(event) for event in events) == kept + survivors.lost
    assert len(survivors.events) <= max(room, survivors.pinned)
    assert sorted(survivors.events, key=events.index) == survivors.events
