"""Subscriptions are sets: they add up and subtract."""

import attrs
import pytest
from hypothesis import given
from tests.strategies import MODELS

from dragoman.models import Channel, Subscription, Timeframe

SUBSCRIPTIONS = MODELS[Subscription]


def test_one_symbol_is_a_set_of_one():
    assert Subscription(quotes=["AAPL"]) == Subscription(quotes="AAPL")


def test_a_bar_is_named_by_text_or_timeframe():
    frame = Timeframe.parse("5m")

    assert Subscription(bars=[("AAPL", frame)]) == Subscription(bars={("AAPL", "5m")})


def test_the_channels_are_those_asked_for():
    subscription = Subscription(quotes="A", bars=[("A", "1m")], orders=True)

    assert {Channel.QUOTES, Channel.BARS, Channel.ORDERS} == subscription.channels
    assert not subscription.is_empty


@pytest.mark.parametrize("channel", Channel)
def test_every_channel_can_be_asked_for(channel):
    name = channel.value.lower()
    wanted = [("A", "1m")] if name == "bars" else "A"
    is_flag = attrs.fields_dict(Subscription)[name].default is False

    subscription = Subscription(**{name: True if is_flag else wanted})

    assert {channel} == subscription.channels


def test_nothing_asked_for_is_empty():
    assert Subscription().is_empty
    assert frozenset() == Subscription().channels


@given(SUBSCRIPTIONS, SUBSCRIPTIONS)
def test_a_sum_asks_for_both_and_no_more(one, other):
    total = one | other

    assert total == other | one
    for name in attrs.fields_dict(Subscription):
        assert getattr(one, name) | getattr(other, name) == getattr(total, name)


@given(SUBSCRIPTIONS, SUBSCRIPTIONS)
def test_a_difference_asks_for_what_the_other_does_not(one, other):
    rest = one - other

    for name in attrs.fields_dict(Subscription):
        mine, theirs = getattr(one, name), getattr(other, name)
        expected = (mine and not theirs) if isinstance(mine, bool) else mine - theirs
        assert expected == getattr(rest, name)


@given(SUBSCRIPTIONS, SUBSCRIPTIONS)
def test_what_was_added_can_be_taken_away(one, other):
    assert (one - other) == (one | other) - other
    assert (one - one).is_empty
