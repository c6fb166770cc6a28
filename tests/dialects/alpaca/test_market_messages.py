import pytest

from dragoman.models import Channel, Subscription
from dragoman_alpaca.dialect.market_messages import (
    Feed,
    Message,
    SubscriptionError,
    Wanted,
    problem,
)

STOCKS = Feed.stocks("iex")
CRYPTO = Feed.crypto("us")
OPTIONS = Feed.options("opra")
ALL = frozenset(Channel)


def asked(**lists):
    return Message(action="subscribe", **lists)


def test_subscriptions_add_up_and_each_answer_tells_all_of_them():
    wanted = Wanted().with_added({"trades": ["AAPL"], "bars": ["*"]}, 30)
    wanted = wanted.with_added({"trades": ["MSFT", "AAPL"], "quotes": ["AMD"]}, 30)

    assert {
        "T": "subscription",
        "trades": ["AAPL", "MSFT"],
        "quotes": ["AMD"],
        "bars": ["*"],
        "updatedBars": [],
        "dailyBars": [],
        "statuses": [],
        "lulds": [],
        "corrections": ["AAPL", "MSFT"],
        "cancelErrors": ["AAPL", "MSFT"],
    } == wanted.answer(STOCKS)


def test_unsubscribing_takes_away_what_is_named_and_nothing_else():
    wanted = Wanted().with_added({"trades": ["BTC/USD", "ETH/USD"], "bars": ["*"]}, 30)

    wanted = wanted.without({"trades": ["ETH/USD", "LTC/USD"], "bars": ["*"]})

    assert ("BTC/USD",) == wanted.of("trades")
    assert {
        "T": "subscription",
        "trades": ["BTC/USD"],
        "quotes": [],
        "orderbooks": [],
        "bars": [],
        "updatedBars": [],
        "dailyBars": [],
    } == wanted.answer(CRYPTO)


def test_a_star_wants_every_symbol():
    wanted = Wanted().with_added({"bars": ["*"], "quotes": ["AAPL"]}, 30)

    assert wanted.has("bars", "MSFT")
    assert not wanted.has("quotes", "MSFT")


def test_the_limit_counts_trades_and_quotes_together():
    wanted = Wanted().with_added({"trades": ["A", "B"], "bars": ["A", "B", "C", "D"]}, 3)

    with pytest.raises(SubscriptionError) as caught:
        wanted.with_added({"quotes": ["A", "B"]}, 3)

    assert 405 == caught.value.code


@pytest.mark.parametrize(
    ("feed", "lists", "code"),
    [
        (STOCKS, {"orderbooks": ["AAPL"]}, 410),
        (STOCKS, {"imbalances": ["AAPL"]}, 410),
        (STOCKS, {"news": ["*"]}, 410),
        (CRYPTO, {"statuses": ["*"]}, 410),
        (CRYPTO, {"corrections": ["BTC/USD"]}, 410),
        (OPTIONS, {"bars": ["*"]}, 410),
        (OPTIONS, {"quotes": ["*"]}, 413),
        (STOCKS, {"trades": [""]}, 400),
        (STOCKS, {"trades": ["A" * 65]}, 400),
        (STOCKS, {"trades": ["A\n"]}, 400),
    ],
    ids=lambda value: None if isinstance(value, (Feed, dict)) else str(value),
)
def test_lists_that_mean_nothing_on_a_feed_are_refused(feed, lists, code):
    with pytest.raises(SubscriptionError) as caught:
        feed.lists_in(asked(**lists), ALL)

    assert code == caught.value.code


def test_a_channel_that_the_broker_does_not_stream_is_refused():
    with pytest.raises(SubscriptionError) as caught:
        STOCKS.lists_in(asked(trades=["AAPL"]), ALL - {Channel.TRADES})

    assert 410 == caught.value.code


def test_corrections_and_cancels_come_with_trades_whether_named_or_not():
    message = asked(trades=["AAPL"], corrections=["AAPL"], cancel_errors=["AAPL"])

    assert {"trades": ["AAPL"]} == STOCKS.lists_in(message, ALL)


def test_empty_lists_ask_for_nothing():
    assert {} == STOCKS.lists_in(asked(trades=[], orderbooks=[]), ALL)


def test_what_is_wanted_becomes_what_a_broker_is_asked_for():
    lists = {
        "trades": ["AAPL", "NOT.LISTED"],
        "quotes": ["*"],
        "bars": ["AAPL"],
        "updatedBars": ["MSFT"],
        "dailyBars": ["AAPL"],
        "statuses": ["MSFT"],
        "lulds": ["AAPL"],
        "orderbooks": ["MSFT"],
    }

    found = Wanted().with_added(lists, 30).subscription(["AAPL", "MSFT"])

    assert (
        Subscription(
            trades=["AAPL"],
            quotes=["AAPL", "MSFT"],
            bars=[("AAPL", "1m"), ("MSFT", "1m"), ("AAPL", "1d")],
            market_status=["MSFT"],
            tickers=["AAPL"],
            depth=["MSFT"],
        )
        == found
    )


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (400, "invalid syntax"),
        (401, "not authenticated"),
        (402, "auth failed"),
        (403, "already authenticated"),
        (404, "auth timeout"),
        (405, "symbol limit exceeded"),
        (406, "connection limit exceeded"),
        (407, "slow client"),
        (409, "insufficient subscription"),
        (410, "invalid subscribe action for this feed"),
        (411, "insufficient scope"),
        (412, "option messages are only available in MsgPack format"),
        (413, "star subscription is not allowed for option quotes"),
        (500, "internal error"),
    ],
)
def test_errors_have_the_venues_words(code, message):
    assert {"T": "error", "code": code, "msg": message} == problem(code)
