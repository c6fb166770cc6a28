"""Topics: the unit of market subscription, and which channel each class of event belongs to.

A topic is a channel, a symbol and, for bars, a timeframe. It is what has exactly one subscription
upstream and what losses are counted by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dragoman.models.enums import Channel
from dragoman.models.events import (
    AccountEvent,
    Alarm,
    ConnectionEvent,
    Gap,
    HealthEvent,
    LedgerEvent,
    OrderEvent,
    PositionEvent,
    ProtectionEvent,
    Quarantined,
    RateLimit,
    ReaderLagged,
    Staleness,
)
from dragoman.models.market import (
    Bar,
    Depth,
    MarketStatus,
    Quote,
    Ticker,
    Trade,
    TradeCorrection,
)
from dragoman.models.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman.models.events import Event
    from dragoman.models.values import Timeframe

__all__ = [
    "MARKET_CHANNELS",
    "PRIVATE_CHANNELS",
    "SESSION_EVENTS",
    "Topic",
    "private_channels_of",
    "subscription_of",
    "topic_of",
    "topics_of",
]

MARKET_CHANNELS: Final[Mapping[type[Any], Channel]] = {
    Quote: Channel.QUOTES,
    Trade: Channel.TRADES,
    TradeCorrection: Channel.TRADES,
    Bar: Channel.BARS,
    Depth: Channel.DEPTH,
    Ticker: Channel.TICKERS,
    MarketStatus: Channel.MARKET_STATUS,
}
PRIVATE_CHANNELS: Final[Mapping[type[Any], Channel]] = {
    OrderEvent: Channel.ORDERS,
    ProtectionEvent: Channel.ORDERS,
    PositionEvent: Channel.POSITIONS,
    AccountEvent: Channel.ACCOUNT,
    LedgerEvent: Channel.LEDGER,
}
SESSION_EVENTS: Final = (
    Alarm,
    ConnectionEvent,
    Gap,
    HealthEvent,
    Quarantined,
    RateLimit,
    ReaderLagged,
    Staleness,
)

_PER_SYMBOL: Final = (
    Channel.QUOTES,
    Channel.TRADES,
    Channel.DEPTH,
    Channel.TICKERS,
    Channel.MARKET_STATUS,
)
_PRIVATE: Final = frozenset(PRIVATE_CHANNELS.values())


class Topic(NamedTuple):
    """One subscription upstream; `symbol` is None only for what concerns the whole market."""

    channel: Channel
    symbol: str | None
    timeframe: Timeframe | None = None


def topics_of(subscription: Subscription) -> frozenset[Topic]:
    """Return the market topics of a subscription."""
    topics = {
        Topic(channel, symbol)
        for channel in _PER_SYMBOL
        for symbol in getattr(subscription, channel.lower())
    }
    return frozenset(topics | {Topic(Channel.BARS, *key) for key in subscription.bars})


def private_channels_of(subscription: Subscription) -> frozenset[Channel]:
    """Return the channels of the account that a subscription asks for."""
    return subscription.channels & _PRIVATE


def subscription_of(topics: Iterable[Topic], channels: Iterable[Channel] = ()) -> Subscription:
    """Return the subscription made of market topics and channels of the account."""
    fields: dict[str, Any] = {channel.lower(): True for channel in channels}
    for channel, symbol, timeframe in topics:
        key = symbol if timeframe is None else (symbol, timeframe)
        fields.setdefault(channel.lower(), set()).add(key)
    return Subscription(**fields)


def topic_of(event: Event) -> Topic | None:
    """Return the topic of a market event; None for any other event."""
    if isinstance(event, Bar):
        return Topic(Channel.BARS, event.symbol, event.timeframe)
    channel = MARKET_CHANNELS.get(type(event))
    return None if channel is None else Topic(channel, getattr(event, "symbol"))  # noqa: B009 - every market event has one, which the type of the mapping can't say
