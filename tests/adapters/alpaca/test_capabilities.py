"""What Alpaca declares: a row for each cell of its matrix that is not the usual one."""

import re

import pytest

from dragoman.capabilities import ExitPart, OrderFeature, Uniqueness
from dragoman.errors import UnsupportedError
from dragoman.ids import is_client_order_id
from dragoman.models import Contingency, InstrumentKind, OrderType, Support, Timeframe, TimeInForce
from dragoman_alpaca.capabilities import (
    CAPABILITIES,
    CRYPTO_TIMES,
    CRYPTO_TYPES,
    EQUITY_TIMES,
    EQUITY_TYPES,
)
from dragoman_alpaca.mapping.names import token_of
from dragoman_alpaca.rest.words import timeframe_word

SPOT = {
    OrderType.MARKET: {"DAY", "GTC", "IOC", "FOK", "OPG", "CLS"},
    OrderType.LIMIT: {"DAY", "GTC", "IOC", "FOK", "OPG", "CLS"},
    OrderType.STOP: {"DAY", "GTC", "IOC", "FOK"},
    OrderType.STOP_LIMIT: {"DAY", "GTC", "IOC", "FOK"},
    OrderType.TRAILING_STOP: {"DAY", "GTC"},
}
OPTION = {OrderType.MARKET: {"DAY"}, OrderType.LIMIT: {"DAY"}}


@pytest.mark.parametrize("kind", InstrumentKind)
@pytest.mark.parametrize("order_type", OrderType)
def test_times_in_force(kind, order_type):
    matrix = {InstrumentKind.SPOT: SPOT, InstrumentKind.OPTION: OPTION}.get(kind, {})

    found = CAPABILITIES.times_in_force(kind, order_type)

    assert matrix.get(order_type, set()) == set(found)


@pytest.mark.parametrize(
    ("types", "times"),
    [(EQUITY_TYPES, EQUITY_TIMES), (CRYPTO_TYPES, CRYPTO_TIMES)],
    ids=["shares", "crypto"],
)
def test_what_an_instrument_takes_the_provider_does(types, times):
    offered = {
        time
        for order_type in types
        for time in CAPABILITIES.times_in_force(InstrumentKind.SPOT, order_type)
    }

    assert times <= offered


@pytest.mark.parametrize(
    ("feature", "support"),
    [
        (OrderFeature.NOTIONAL, Support.NATIVE),
        (OrderFeature.REDUCE_ONLY, Support.NATIVE),
        (OrderFeature.OPEN_EFFECT, Support.NATIVE),
        (OrderFeature.EXTENDED_HOURS, Support.NATIVE),
        (OrderFeature.CANCEL_ALL, Support.NATIVE),
        (OrderFeature.POST_ONLY, Support.NONE),
        (OrderFeature.CLOSE_WHOLE_POSITION, Support.NONE),
        (OrderFeature.DISPLAY_QUANTITY, Support.NONE),
        (OrderFeature.HIDDEN, Support.NONE),
        (OrderFeature.GROUP, Support.NONE),
        (OrderFeature.TAG, Support.NONE),
        (OrderFeature.BATCH, Support.NONE),
        (OrderFeature.ACTIVATION_PRICE, Support.NONE),
    ],
)
def test_feature(feature, support):
    assert support is CAPABILITIES.feature(feature)


@pytest.mark.parametrize(
    ("part", "support"),
    [
        (ExitPart.STOP_LOSS, Support.NATIVE),
        (ExitPart.TAKE_PROFIT, Support.NATIVE),
        (ExitPart.BRACKET, Support.NATIVE),
        (ExitPart.STOP_LIMIT, Support.NATIVE),
        (ExitPart.LIMIT_IF_TOUCHED, Support.NONE),
        (ExitPart.TRAILING, Support.NONE),
        (ExitPart.OFFSET, Support.NONE),
        (ExitPart.PARTIAL, Support.NONE),
    ],
)
def test_exit(part, support):
    assert support is CAPABILITIES.exit(part)


@pytest.mark.parametrize(
    ("contingency", "support"),
    [
        (Contingency.NONE, Support.NONE),
        (Contingency.OCO, Support.NATIVE),
        (Contingency.OTO, Support.NATIVE),
    ],
)
def test_list(contingency, support):
    assert support is CAPABILITIES.list(contingency)


def test_a_replace_makes_a_new_order_and_is_none_once_part_has_filled():
    rule = CAPABILITIES.replace

    assert (Support.NATIVE, Support.EMULATED, False) == (
        rule.support,
        rule.when_filled,
        rule.keeps_venue_id,
    )
    assert {"quantity", "limit_price", "stop_price", "trailing"} == rule.fields


@pytest.mark.parametrize(
    ("client_order_id", "is_taken"),
    [
        ("a", True),
        ("a~b", True),
        ("a~1b", True),
        ("x" * 120, True),
        ("x" * 121, False),
        ("a~1", True),
        ("x" * 120 + "~1", True),
        ("a b", False),
        ("", False),
    ],
)
def test_client_ids_leave_room_for_the_tokens_of_their_revisions(client_order_id, is_taken):
    rule = CAPABILITIES.client_ids

    assert is_taken == bool(re.fullmatch(rule.pattern, client_order_id))
    assert not is_taken or client_order_id == token_of(client_order_id, 0)
    assert not is_taken or is_client_order_id(token_of(client_order_id, 999_999))
    assert Uniqueness.FOREVER is rule.uniqueness


@pytest.mark.parametrize(
    ("text", "is_offered"),
    [
        *[(text, True) for text in ("1m", "59m", "1h", "23h", "1d", "1w", "1M", "12M")],
        *[(text, False) for text in ("1s", "24h", "2d", "2w", "5M")],
    ],
)
def test_bars(text, is_offered):
    try:
        word = timeframe_word(Timeframe.parse(text))
    except UnsupportedError:
        word = None

    assert is_offered == (text in CAPABILITIES.bar_timeframes) == (word is not None)


def test_without_a_time_in_force_an_order_is_for_the_day():
    assert TimeInForce.DAY is CAPABILITIES.default_time_in_force
