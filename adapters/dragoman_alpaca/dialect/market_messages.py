"""What clients of a data stream say, and what they have subscribed to: the rules, without sockets.

A feed has channels. Subscribing adds to what is wanted, and the answer is always all of it.
Corrections and cancels of trades come with the trades.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs
import msgspec

from dragoman.models import Channel, Subscription

from .market_rows import CRYPTO, OPTION, STOCK
from .market_view import DAILY, MINUTELY

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ERRORS", "STAR", "Feed", "Message", "SubscriptionError", "Wanted", "problem"]

STAR: Final = "*"
"""Stands for every symbol of the feed."""

ERRORS: Final = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    409: "insufficient subscription",
    410: "invalid subscribe action for this feed",
    411: "insufficient scope",
    412: "option messages are only available in MsgPack format",
    413: "star subscription is not allowed for option quotes",
    500: "internal error",
}
"""The errors of data streams, by code."""

_CORE_CHANNELS: Final = {
    "trades": Channel.TRADES,
    "quotes": Channel.QUOTES,
    "bars": Channel.BARS,
    "updatedBars": Channel.BARS,
    "dailyBars": Channel.BARS,
    "statuses": Channel.MARKET_STATUS,
    "lulds": Channel.TICKERS,
    "orderbooks": Channel.DEPTH,
}
_WITH_TRADES: Final = ("corrections", "cancelErrors")
_NOT_TOLD: Final = ("imbalances", "news")
_LIMITED: Final = ("trades", "quotes")
_LONGEST_SYMBOL: Final = 64


class Message(msgspec.Struct, kw_only=True):
    """What a client sends: an action, and its credentials or its lists of symbols."""

    action: str
    key: str = ""
    secret: str = ""
    trades: list[str] | None = None
    quotes: list[str] | None = None
    bars: list[str] | None = None
    updated_bars: list[str] | None = msgspec.field(default=None, name="updatedBars")
    daily_bars: list[str] | None = msgspec.field(default=None, name="dailyBars")
    statuses: list[str] | None = None
    lulds: list[str] | None = None
    orderbooks: list[str] | None = None
    corrections: list[str] | None = None
    cancel_errors: list[str] | None = msgspec.field(default=None, name="cancelErrors")
    imbalances: list[str] | None = None
    news: list[str] | None = None

    def lists(self) -> dict[str, list[str]]:
        """Return the lists that are not empty, by channel."""
        named = {
            name: getattr(self, "_".join(_words(name)))
            for name in (*_CORE_CHANNELS, *_WITH_TRADES, *_NOT_TOLD)
        }
        return {name: symbols for name, symbols in named.items() if symbols}


class SubscriptionError(Exception):
    """A message that changes nothing: the code of the error that answers it."""

    def __init__(self, code: int) -> None:
        super().__init__(ERRORS[code])
        self.code = code


@attrs.frozen(kw_only=True)
class Feed:
    """One data stream: its path, whose instruments it shows, and its channels.

    `is_served` is False for feeds that show another market than the one there is here.
    """

    path: str
    asset_class: str
    channels: tuple[str, ...]
    is_served: bool = True

    @classmethod
    def stocks(cls, name: str, *, is_served: bool = True) -> Feed:
        """Return a feed of stocks."""
        names = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds")
        return cls(path=f"/v2/{name}", asset_class=STOCK, channels=names, is_served=is_served)

    @classmethod
    def crypto(cls, place: str) -> Feed:
        """Return a feed of crypto pairs."""
        names = ("trades", "quotes", "orderbooks", "bars", "updatedBars", "dailyBars")
        return cls(path=f"/v1beta3/crypto/{place}", asset_class=CRYPTO, channels=names)

    @classmethod
    def options(cls, name: str) -> Feed:
        """Return a feed of options."""
        return cls(path=f"/v1beta1/{name}", asset_class=OPTION, channels=("trades", "quotes"))

    def lists_in(self, message: Message, offered: frozenset[Channel]) -> dict[str, list[str]]:
        """Return the lists of a message that mean something here, by channel.

        Args:
            message: What the client sent.
            offered: What the broker streams.

        Raises:
            SubscriptionError: A channel is not of this feed, or a symbol can't be one.
        """
        lists = message.lists()
        for name, symbols in lists.items():
            if name in _WITH_TRADES and self.asset_class == STOCK:
                continue
            if name not in self.channels or _CORE_CHANNELS[name] not in offered:
                raise SubscriptionError(410)
            if not all(_could_be_symbol(symbol) for symbol in symbols):
                raise SubscriptionError(400)
            if name == "quotes" and self.asset_class == OPTION and STAR in symbols:
                raise SubscriptionError(413)
        return {name: symbols for name, symbols in lists.items() if name not in _WITH_TRADES}


@attrs.frozen
class Wanted:
    """What a client has subscribed to, by channel, in the order it did."""

    symbols: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]])

    def of(self, channel: str) -> tuple[str, ...]:
        """Return the symbols of a channel."""
        return self.symbols.get(channel, ())

    def has(self, channel: str, symbol: str) -> bool:
        """Tell whether a symbol's news on a channel are wanted."""
        symbols = self.of(channel)
        return symbol in symbols or STAR in symbols

    def with_added(self, lists: Mapping[str, list[str]], limit: int) -> Wanted:
        """Return what is wanted with these as well.

        Raises:
            SubscriptionError: More symbols of trades and quotes than `limit`.
        """
        more = {
            name: tuple(dict.fromkeys((*self.of(name), *lists.get(name, ()))))
            for name in (*self.symbols, *lists)
        }
        if sum(len(more.get(name, ())) for name in _LIMITED) > limit:
            raise SubscriptionError(405)
        return Wanted(more)

    def without(self, lists: Mapping[str, list[str]]) -> Wanted:
        """Return what is wanted without these."""
        return Wanted(
            {
                name: tuple([one for one in symbols if one not in lists.get(name, ())])
                for name, symbols in self.symbols.items()
            }
        )

    def answer(self, feed: Feed) -> dict[str, object]:
        """Return the item that tells a client all it is subscribed to."""
        lists: dict[str, object] = {name: list(self.of(name)) for name in feed.channels}
        if feed.asset_class == STOCK:
            lists |= {name: list(self.of("trades")) for name in _WITH_TRADES}
        return {"T": "subscription", **lists}

    def subscription(self, listed: Iterable[str]) -> Subscription:
        """Return what to ask a broker for: of the listed symbols, those that are wanted."""
        symbols = tuple(listed)
        found = {
            name: [symbol for symbol in symbols if self.has(name, symbol)] for name in self.symbols
        }
        minutes = {*found.get("bars", ()), *found.get("updatedBars", ())}
        return Subscription(
            trades=found.get("trades", ()),
            quotes=found.get("quotes", ()),
            depth=found.get("orderbooks", ()),
            market_status=found.get("statuses", ()),
            tickers=found.get("lulds", ()),
            bars=[
                *((symbol, MINUTELY) for symbol in sorted(minutes)),
                *((symbol, DAILY) for symbol in found.get("dailyBars", ())),
            ],
        )


def problem(code: int) -> dict[str, object]:
    """Return the item that tells a client of an error."""
    return {"T": "error", "code": code, "msg": ERRORS[code]}


def _could_be_symbol(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_SYMBOL and text.isascii() and text.isprintable()


def _words(name: str) -> list[str]:
    """Split a camel-case name."""
    text = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return text.split()
