"""Market data of the sample: what of it a subject streams, and what it should be told."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.errors import UnsupportedError
from dragoman.models import Bar, Channel, Depth, MarketStatus, Quote, Ticker, Trade

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from dragoman.capabilities import Capabilities
    from dragoman.models import Event

    from ..play import Play

__all__ = [
    "KINDS",
    "Shown",
    "channels_of",
    "hearing",
    "one_frame",
    "same_instant",
    "streams_market",
    "subscription",
]

KINDS: Final[dict[Channel, type[Any]]] = {
    Channel.QUOTES: Quote,
    Channel.TRADES: Trade,
    Channel.BARS: Bar,
    Channel.DEPTH: Depth,
    Channel.TICKERS: Ticker,
    Channel.MARKET_STATUS: MarketStatus,
}
"""What comes on each channel of the market."""
_UNITS_NS: Final = (1, 1_000, 1_000_000, 1_000_000_000)


@attrs.frozen
class Shown:
    """A top of book as the venue shows it; None is a side without anybody."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    size: Decimal | None = None

    def differs(self, quote: Quote) -> str:
        """Return in what a quote differs from this; empty if in nothing."""
        true = {
            "bid_price": self.bid,
            "bid_size": None if self.bid is None else self.size,
            "ask_price": self.ask,
            "ask_size": None if self.ask is None else self.size,
        }
        found = [
            f"{name} is {getattr(quote, name)}, at the venue {value}"
            for name, value in true.items()
            if getattr(quote, name) != value
        ]
        return "; ".join(found)


def streams_market(capabilities: Capabilities) -> bool:
    """Tell whether any channel of the market is declared."""
    return bool(set(KINDS) & capabilities.streams)


def one_frame(capabilities: Capabilities) -> str:
    """Return a bar length of the kit that is declared, the shortest first."""
    known = capabilities.bar_timeframes
    return next((one for one in ("1m", "5m", "1h") if known is None or one in known), "1m")


def subscription(play: Play, channel: Channel, symbol: str | None = None) -> dict[str, Any]:
    """Return the fields that subscribe to one channel of a symbol, the sample's by default."""
    name = symbol or play.symbol
    if channel is Channel.BARS:
        return {"bars": [(name, one_frame(play.capabilities))]}
    return {channel.value.lower(): [name]}


async def channels_of(play: Play, symbol: str | None = None) -> tuple[Channel, ...]:
    """Return the channels that are streamed of a symbol: those declared, less those refused.

    A channel may be there for other kinds of instrument only; it is refused then by an
    `UnsupportedError`.
    """
    found: list[Channel] = []
    for channel in KINDS:
        if channel in play.capabilities.streams:
            with contextlib.suppress(UnsupportedError):
                async with play.broker.stream(**subscription(play, channel, symbol)):
                    found.append(channel)
    return tuple(found)


@contextlib.asynccontextmanager
async def hearing(
    play: Play, *channels: Channel, symbol: str | None = None
) -> AsyncGenerator[list[Event]]:
    """Hear channels of one symbol for as long as the block lasts; gives the list that grows."""
    heard: list[Event] = []
    asked: dict[str, Any] = {}
    for channel in channels:
        asked |= subscription(play, channel, symbol)
    async with play.broker.listen(heard.append, **asked):
        await play.settle()
        yield heard


def same_instant(told_ns: int | None, true_ns: int) -> bool:
    """Tell whether an instant is the true one, cut to a unit of some wire, or not told."""
    return told_ns is None or any(told_ns == true_ns // unit * unit for unit in _UNITS_NS)
