"""Tektii's closed sets, word by word, in both directions."""

import pytest

from dragoman.adapter import Environment
from dragoman.errors import RejectReason
from dragoman.models import OrderEventKind, OrderStatus, OrderType, Side, Timeframe, TimeInForce
from dragoman_tektii.mapping import words

STATUSES = {
    "PENDING": OrderStatus.PENDING,
    "PENDING_CANCEL": OrderStatus.OPEN,
    "OPEN": OrderStatus.OPEN,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELLED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
}
BOTH_WAYS = (
    (words.SIDES, words.SIDE_WORDS),
    (words.ORDER_TYPES, words.ORDER_TYPE_WORDS),
    (words.TIMES_IN_FORCE, words.TIME_IN_FORCE_WORDS),
    (words.POSITION_SIDES, words.POSITION_SIDE_WORDS),
)


@pytest.mark.parametrize("word", sorted(STATUSES))
def test_each_status_means_one_thing(word):
    assert STATUSES[word] == words.STATUSES[word]


def test_no_other_status_is_known():
    assert set(STATUSES) == set(words.STATUSES)


@pytest.mark.parametrize("number", range(len(BOTH_WAYS)))
def test_what_is_read_is_written_by_the_same_word(number):
    read, written = BOTH_WAYS[number]

    assert {word: word for word in read} == {word: written[found] for word, found in read.items()}


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (words.SIDE_WORDS, Side),
        (words.ORDER_TYPE_WORDS, OrderType),
        (words.STATUS_WORDS, OrderStatus),
        (words.TIME_IN_FORCE_WORDS, TimeInForce),
    ],
    ids=["sides", "types", "statuses", "times in force"],
)
def test_everything_has_a_word(table, kind):
    assert set(kind) == set(table)


def test_only_words_of_the_closed_sets_are_written():
    assert set(words.STATUS_WORDS.values()) <= set(words.STATUSES)
    assert set(words.ORDER_TYPE_WORDS.values()) <= set(words.ORDER_TYPES)
    assert set(words.TIME_IN_FORCE_WORDS.values()) <= set(words.TIMES_IN_FORCE)
    assert set(words.REJECT_REASON_WORDS.values()) <= set(words.REJECT_REASONS)
    assert set(words.ORDER_EVENT_WORDS.values()) <= set(words.ORDER_EVENTS)


def test_what_has_ended_is_what_the_protocol_calls_terminal():
    assert {"FILLED", "CANCELLED", "REJECTED", "EXPIRED"} == words.TERMINAL_STATUSES


@pytest.mark.parametrize("word", sorted(words.TIMEFRAMES))
def test_each_timeframe_is_spelled_as_here(word):
    assert word == str(Timeframe.parse(word))


@pytest.mark.parametrize("platform", sorted(words.PLATFORMS))
def test_a_platform_called_live_trades_with_real_money_and_no_other(platform):
    is_live = words.PLATFORMS[platform] is Environment.LIVE

    assert platform.endswith("-live") == is_live


def test_each_reason_of_a_rejection_has_a_meaning():
    assert RejectReason.WOULD_TAKE == words.REJECT_REASONS["POST_ONLY_VIOLATED"]
    assert RejectReason.WOULD_INCREASE == words.REJECT_REASONS["REDUCE_ONLY_VIOLATED"]
    assert {OrderEventKind.FILL} == {
        words.ORDER_EVENTS[one] for one in ("ORDER_FILLED", "ORDER_PARTIALLY_FILLED")
    }
