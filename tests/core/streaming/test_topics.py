import pytest

from dragoman.models import Channel, Subscription, Timeframe
from dragoman.streaming.topics import (
    Topic,
    private_channels_of,
    subscription_of,
    topic_of,
    topics_of,
)


def test_a_subscription_is_its_topics_and_its_channels(everything):
    subscription = everything("AAPL", "BTC/USD") | Subscription(orders=True, ledger=True)

    made = subscription_of(topics_of(subscription), private_channels_of(subscription))

    assert subscription == made


def test_a_bar_topic_names_its_timeframe():
    topics = topics_of(Subscription(bars=[("AAPL", "1m"), ("AAPL", "5m")]))

    expected = {Topic(Channel.BARS, "AAPL", Timeframe.parse(frame)) for frame in ("1m", "5m")}
    assert expected == topics


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("quote", Channel.QUOTES),
        ("trade", Channel.TRADES),
        ("correction", Channel.TRADES),
        ("depth", Channel.DEPTH),
        ("ticker", Channel.TICKERS),
        ("status", Channel.MARKET_STATUS),
    ],
)
def test_a_market_event_belongs_to_its_channel_and_symbol(make, name, channel):
    event = getattr(make, name)("AAPL")

    assert Topic(channel, "AAPL") == topic_of(event)


def test_a_session_event_has_no_topic(make):
    assert topic_of(make.rate_limit()) is None
