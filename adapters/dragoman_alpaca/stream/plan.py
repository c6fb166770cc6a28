"""Which of Alpaca's streams carries what of a subscription, and what it is called there.

Decided before anything is opened: what no stream carries is refused whole, and listed. Whether a
symbol is a share or a crypto pair is known from the catalogue, never from its spelling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import UnsupportedError
from dragoman.models.enums import Channel
from dragoman.models.subscription import Subscription
from dragoman.models.values import Timeframe
from dragoman.streaming.topics import private_channels_of, subscription_of, topics_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dragoman.streaming.topics import Topic

__all__ = ["PRIVATE_CHANNELS", "WORDS", "Plan", "Wire", "minus", "plan_of", "wire_of"]

Wire = dict[str, frozenset[str]]
"""What is subscribed to in Alpaca's words: symbols by channel."""

PRIVATE_CHANNELS: Final = frozenset({Channel.ORDERS, Channel.POSITIONS})
"""What `trade_updates` tells: orders, and after each fill the position."""

_MINUTE: Final = Timeframe.parse("1m")
_DAY: Final = Timeframe.parse("1d")
_BARS: Final = {_MINUTE: ("bars", "updatedBars"), _DAY: ("dailyBars",)}
_COMMON: Final = {Channel.QUOTES: ("quotes",), Channel.TRADES: ("trades",)}
_STOCKS: Final = {
    **_COMMON,
    Channel.TICKERS: ("lulds",),
    Channel.MARKET_STATUS: ("statuses",),
}
_CRYPTO: Final = {**_COMMON, Channel.DEPTH: ("orderbooks",)}
_CARRIED: Final[Mapping[str, Mapping[Channel, tuple[str, ...]]]] = {
    "us_equity": _STOCKS,
    "crypto": _CRYPTO,
}
WORDS: Final[frozenset[str]] = frozenset(
    word for words in (*_STOCKS.values(), *_CRYPTO.values(), *_BARS.values()) for word in words
)
"""Every channel that is ever asked for; corrections, say, come with trades unasked."""


@attrs.frozen(kw_only=True)
class Plan:
    """The parts of one subscription, one for each stream; those that are empty are not opened."""

    private: Subscription
    stocks: Subscription
    crypto: Subscription


def plan_of(subscription: Subscription, kind_of: Callable[[str], str | None]) -> Plan:
    """Divide a subscription among the streams.

    Args:
        subscription: Topics by symbol, and channels of the account.
        kind_of: Alpaca's asset class of a symbol, None where it is not known; then it is taken for
            a share.

    Raises:
        UnsupportedError: No stream carries some of it, or nothing is asked for.
    """
    if subscription.is_empty:
        raise UnsupportedError("an empty subscription asks for no stream")
    refused: list[str] = sorted(private_channels_of(subscription) - PRIVATE_CHANNELS)
    parts: dict[str, list[Topic]] = {"us_equity": [], "crypto": []}
    for topic in topics_of(subscription):
        kind = kind_of(topic.symbol or "") or "us_equity"
        if _words_of(topic, kind):
            parts[kind].append(topic)
        else:
            refused.append(_named(topic, kind))
    if refused:
        listed = ", ".join(sorted(refused))
        raise UnsupportedError(f"Alpaca streams none of these: {listed}")
    return Plan(
        private=subscription_of((), private_channels_of(subscription)),
        stocks=subscription_of(parts["us_equity"]),
        crypto=subscription_of(parts["crypto"]),
    )


def wire_of(subscription: Subscription, kind: str) -> Wire:
    """Return what a stream of one asset class is asked for, in its own words."""
    found: dict[str, set[str]] = {}
    for topic in topics_of(subscription):
        for word in _words_of(topic, kind):
            found.setdefault(word, set()).add(topic.symbol or "")
    return {word: frozenset(symbols) for word, symbols in found.items()}


def minus(wire: Mapping[str, Iterable[str]], other: Mapping[str, Iterable[str]]) -> Wire:
    """Return what is in the first and not in the second."""
    left = {word: frozenset(found).difference(other.get(word, ())) for word, found in wire.items()}
    return {word: symbols for word, symbols in left.items() if symbols}


def _words_of(topic: Topic, kind: str) -> tuple[str, ...]:
    carried = _CARRIED.get(kind)
    if carried is None:
        return ()
    if topic.timeframe is not None:
        return _BARS.get(topic.timeframe, ())
    return carried.get(topic.channel, ())


def _named(topic: Topic, kind: str) -> str:
    frame = "" if topic.timeframe is None else f" of {topic.timeframe}"
    return f"{topic.channel}{frame} of {topic.symbol} ({kind})"
