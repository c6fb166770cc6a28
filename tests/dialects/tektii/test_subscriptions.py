"""Entries of subscriptions: read strictly, and what they ask for and let through."""

import json

import pytest

from dragoman.errors import ConfigurationError
from dragoman_tektii.dialect.filtering import Filter
from dragoman_tektii.dialect.subscriptions import (
    Entry,
    Topic,
    entries_of,
    parse_subscriptions,
)

MINUTE = Topic("candle", "1m")
TOPICS = {
    "quote": Topic("quote"),
    "minute": MINUTE,
    "hour": Topic("candle", "1h"),
    "order": Topic("order"),
    "position": Topic("position"),
    "trade": Topic("trade"),
    "account": Topic("account"),
}


def entry(*events, instrument="AAPL"):
    return Entry(platform="mock", instrument=instrument, events=events)


@pytest.mark.parametrize(
    ("event", "admitted"),
    [
        ("*", set(TOPICS)),
        ("candle_*", {"minute", "hour"}),
        ("bars", {"minute", "hour"}),
        ("bar", {"minute", "hour"}),
        ("candle_1h", {"hour"}),
        ("candles.1m", {"minute"}),
        ("quote", {"quote"}),
        ("quotes", {"quote"}),
        ("order_update", {"order"}),
        ("orders", {"order"}),
        ("position_update", {"position"}),
        ("positions", {"position"}),
        ("trade_update", {"trade"}),
        ("trades", {"trade"}),
        ("account_update", {"account"}),
        ("trade", set()),
        ("candle", set()),
        ("option_greeks", set()),
    ],
)
def test_event_word_admits_its_topics(event, admitted):
    assert admitted == {name for name, topic in TOPICS.items() if entry(event).admits(topic)}


def test_bars_of_any_length_are_asked_for_by_the_minute():
    assert {"1m"} == entry("candle_*").timeframes
    assert {"1m", "5m"} == entry("*", "candle_5m").timeframes
    assert frozenset() == entry("quote").timeframes
    assert entry("*").wants_quotes
    assert not entry("orders").wants_quotes


def test_text_and_tables_are_read_alike():
    rows = [{"platform": "mock", "instrument": "AAPL", "events": ["quote"]}]

    assert (entry("quote"),) == parse_subscriptions(json.dumps(rows))
    assert (entry("quote"),) == entries_of(rows)
    assert () == parse_subscriptions(" ")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"platform": "mokc"}, "mock"),
        ({"events": ["quotation"]}, "known: "),
        ({"events": []}, "1 to 100"),
        ({"instrument": ""}, "1 to 50"),
        ({"events": None}, "JSON array"),
    ],
    ids=["platform", "event", "no_events", "instrument", "shape"],
)
def test_entry_that_means_nothing_is_refused_with_a_hint(change, told):
    row = {"platform": "mock", "instrument": "AAPL", "events": ["quote"], **change}

    with pytest.raises(ConfigurationError, match=told):
        parse_subscriptions(json.dumps([row]))


def test_text_that_is_no_array_is_refused():
    for text in ("{", "{}", "1"):
        with pytest.raises(ConfigurationError, match="JSON array"):
            parse_subscriptions(text)
    with pytest.raises(ConfigurationError, match="list"):
        entries_of([object()])


def test_without_entries_everything_passes_with_them_only_what_they_name():
    strict = Filter([entry("orders"), entry("account_update", instrument="MSFT")])
    strict.learn("AAPL", "AAPL.US")

    assert Filter([]).admits(TOPICS["quote"], "X")
    assert strict.admits(None, None)
    assert strict.admits(TOPICS["order"], "AAPL.US")
    assert strict.admits(TOPICS["account"], None)
    assert not strict.admits(TOPICS["quote"], "AAPL.US")
    assert not strict.admits(TOPICS["order"], "X")
    assert Filter([entry("orders", instrument="*")]).admits(TOPICS["order"], "X")
