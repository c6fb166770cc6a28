"""What each of Alpaca's streams carries is decided before anything is sent."""

import pytest

from dragoman.errors import Outcome, UnsupportedError
from dragoman.models import Subscription
from dragoman_alpaca.stream.plan import minus, plan_of, wire_of

KINDS = {"AAPL": "us_equity", "BTC/USD": "crypto", "AAPL241213C00250000": "us_option"}


def plan(**fields):
    return plan_of(Subscription(**fields), KINDS.get)


def test_each_part_lies_on_the_stream_of_its_kind():
    found = plan(quotes=("AAPL", "BTC/USD"), depth="BTC/USD", tickers="AAPL", orders=True)

    assert Subscription(orders=True) == found.private
    assert Subscription(quotes="AAPL", tickers="AAPL") == found.stocks
    assert Subscription(quotes="BTC/USD", depth="BTC/USD") == found.crypto


def test_what_nobody_knows_is_taken_for_a_share_whatever_it_looks_like():
    found = plan(quotes=("ETH/USD", "BTCUSD"))

    assert Subscription(quotes=("ETH/USD", "BTCUSD")) == found.stocks
    assert found.crypto.is_empty


@pytest.mark.parametrize(
    ("kind", "fields", "wire"),
    [
        ("us_equity", {"quotes": "A"}, {"quotes": {"A"}}),
        ("us_equity", {"trades": "A"}, {"trades": {"A"}}),
        ("us_equity", {"bars": [("A", "1m")]}, {"bars": {"A"}, "updatedBars": {"A"}}),
        ("us_equity", {"bars": [("A", "1d")]}, {"dailyBars": {"A"}}),
        ("us_equity", {"tickers": "A"}, {"lulds": {"A"}}),
        ("us_equity", {"market_status": "A"}, {"statuses": {"A"}}),
        ("crypto", {"quotes": "A"}, {"quotes": {"A"}}),
        ("crypto", {"depth": "A"}, {"orderbooks": {"A"}}),
        ("crypto", {"bars": [("A", "1m")]}, {"bars": {"A"}, "updatedBars": {"A"}}),
    ],
    ids=[
        "quotes",
        "trades",
        "bars",
        "dailyBars",
        "lulds",
        "statuses",
        "crypto quotes",
        "orderbooks",
        "crypto bars",
    ],
)
def test_channels_have_alpaca_s_names(kind, fields, wire):
    assert wire == wire_of(Subscription(**fields), kind)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"depth": "AAPL"}, "DEPTH of AAPL"),
        ({"tickers": "BTC/USD"}, "TICKERS of BTC/USD"),
        ({"market_status": "BTC/USD"}, "MARKET_STATUS of BTC/USD"),
        ({"quotes": "AAPL241213C00250000"}, "QUOTES of AAPL241213C00250000"),
        ({"bars": [("AAPL", "5m")]}, "BARS of 5m of AAPL"),
        ({"bars": [("AAPL", "60s")]}, "BARS of 60s of AAPL"),
        ({"account": True}, "ACCOUNT"),
        ({"ledger": True}, "LEDGER"),
        ({}, "empty"),
    ],
    ids=["depth", "tickers", "status", "option", "5m", "60s", "account", "ledger", "nothing"],
)
def test_what_no_stream_carries_is_refused_by_name(fields, named):
    with pytest.raises(UnsupportedError, match=named) as caught:
        plan(**fields)

    assert Outcome.NOT_SENT is caught.value.outcome


def test_everything_that_is_refused_is_listed():
    with pytest.raises(UnsupportedError) as caught:
        plan(depth="AAPL", quotes="AAPL", bars=[("AAPL", "5m")], ledger=True)

    for named in ("DEPTH of AAPL", "BARS of 5m of AAPL", "LEDGER"):
        assert named in str(caught.value)
    assert "QUOTES" not in str(caught.value)


def test_a_difference_names_only_what_is_left():
    assert {"quotes": {"B"}} == minus(
        {"quotes": {"A", "B"}, "bars": {"A"}}, {"quotes": {"A"}, "bars": {"A"}}
    )
