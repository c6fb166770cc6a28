"""One client's view of the market: a broker, its instruments of one class, and what it tells."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import attrs

from dragoman.broker import Broker
from dragoman.capabilities import ReadFeature
from dragoman.errors import AmbiguousInstrumentError, UnknownInstrumentError, VenueError
from dragoman.models import Adjustment, Bar, Timeframe, Trade
from dragoman.times import DAY_NS, MINUTE_NS

from .assets import AssetBook
from .market_asked import Span
from .market_pages import Mark, Series, newest
from .market_refusals import NotServedError, require_read
from .market_rows import CRYPTO, STOCK, RowWriter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence

    from dragoman.models import Quote, Window

    from .assets import Asset
    from .market_rows import Row

__all__ = ["DAILY", "KINDS", "MINUTELY", "Books", "Kind", "MarketView", "in_parallel", "row_of"]

Answer = TypeVar("Answer")

MINUTELY: Final = Timeframe.parse("1m")
DAILY: Final = Timeframe.parse("1d")

_AT_ONCE: Final = 8
_RECENT_NS: Final = 14 * DAY_NS
"""How far back the latest print or bar is looked for: longer than any market is closed."""
_BARS_A_STEP: Final = 64
_MONTH_NS: Final = 31 * DAY_NS
_WRITTEN: Final = {
    STOCK: (re.compile(r"[A-Z0-9.]+\Z", re.ASCII), "invalid symbol: {}"),
    CRYPTO: (
        re.compile(r"[A-Z0-9]+/[A-Z0-9]+\Z", re.ASCII),
        "Invalid symbol(s): {} does not match ^[A-Z]+/[A-Z]+$",
    ),
}


class Books(Protocol):
    """Where the assets of each broker are found."""

    def book_of(self, broker: Broker) -> AssetBook:
        """Return the assets of a broker, the same book each time."""
        ...


@attrs.frozen
class Kind:
    """A kind of row: what many of them are called, what one is, and what a broker must tell."""

    many: str
    one: str
    feature: ReadFeature


KINDS: Final = {
    kind.many: kind
    for kind in (
        Kind("bars", "bar", ReadFeature.BARS),
        Kind("trades", "trade", ReadFeature.TRADES),
        Kind("quotes", "quote", ReadFeature.QUOTE_HISTORY),
    )
}


@attrs.frozen
class MarketView:
    """What one broker shows of the instruments of one asset class."""

    broker: Broker
    book: AssetBook
    asset_class: str
    _heard: dict[str, int] = attrs.field(factory=dict[str, int], init=False, repr=False, eq=False)

    def tells(self, feature: ReadFeature) -> bool:
        """Tell whether the broker offers a read."""
        return feature in self.broker.capabilities.reads

    async def assets(self, symbols: Sequence[str]) -> list[Asset]:
        """Return the assets of the symbols that are listed, in their order.

        What could be a symbol but is none is left out, as the venue does.

        Raises:
            NotServedError: One is no symbol of this asset class at all.
        """
        found = await in_parallel(self._asset(symbol) for symbol in symbols)
        return [asset for asset in found if asset is not None]

    async def now_ns(self, asset: Asset | None) -> int:
        """Return the time at the market: a simulated one may have a clock of its own.

        So it is read off what the market shows, and is this machine's only where it shows nothing.
        """
        if asset is not None and asset.symbol not in self._heard:
            self._heard[asset.symbol] = await self._heard_now(asset)
        return self.broker.clock.now_ns() if asset is None else self._heard[asset.symbol]

    async def latest_quotes(self, assets: Sequence[Asset]) -> dict[str, Quote]:
        """Return the top of each book.

        Raises:
            NotServedError: The broker tells no quotes.
        """
        require_read(self.broker, ReadFeature.QUOTES)
        if not assets:
            return {}
        quotes = dict(await self.broker.fetch_quotes([asset.symbol for asset in assets]))
        self._heard.update({symbol: _heard(quote) for symbol, quote in quotes.items()})
        return quotes

    async def latest_trade(self, asset: Asset) -> Trade | None:
        """Return the last print; None if there was none lately, or none is told."""
        found = await self._latest(asset, ReadFeature.TRADES, self.trades(asset), 1)
        return found[0] if found else None

    async def latest_bars(self, asset: Asset, timeframe: Timeframe, count: int) -> list[Bar]:
        """Return the last bars, newest first."""
        series = self.bars(asset, timeframe)
        return await self._latest(asset, ReadFeature.BARS, series, count)

    def writer(self, asset: Asset) -> RowWriter:
        """Return what writes the asset's rows."""
        return RowWriter.of(asset.instrument, asset.asset_class)

    def bars(
        self, asset: Asset, timeframe: Timeframe, adjustment: Adjustment = Adjustment.RAW
    ) -> Series[Bar]:
        """Return the asset's bars.

        A minute's bar is there once its minute is over; a longer one shows what it has so far.
        """

        async def read(window: Window) -> AsyncIterator[Bar]:
            rows = self.broker.fetch_bars(asset.symbol, timeframe, window, adjustment=adjustment)
            async for bar in rows:
                if bar.is_complete or timeframe != MINUTELY:
                    yield bar

        length_ns = timeframe.length_ns or _MONTH_NS * timeframe.count
        return Series(
            read=read, time_of=lambda bar: bar.open_time_ns, step_ns=_BARS_A_STEP * length_ns
        )

    def trades(self, asset: Asset) -> Series[Trade]:
        """Return the asset's public prints."""
        return Series(
            read=lambda window: self.broker.fetch_trades(asset.symbol, window), time_of=_time_of
        )

    def quotes(self, asset: Asset) -> Series[Quote]:
        """Return the asset's quotes."""
        return Series(
            read=lambda window: self.broker.fetch_quote_history(asset.symbol, window),
            time_of=_time_of,
        )

    async def _latest(
        self, asset: Asset, feature: ReadFeature, series: Series[Answer], count: int
    ) -> list[Answer]:
        if not self.tells(feature):
            return []
        now_ns = await self.now_ns(asset)
        span = Span(now_ns - _RECENT_NS, now_ns + MINUTE_NS)
        return await newest(series, span, count, Mark(asset.symbol))

    async def _heard_now(self, asset: Asset) -> int:
        if self.tells(ReadFeature.QUOTES):
            try:
                return _heard(await self.broker.fetch_quote(asset.symbol))
            except VenueError:
                pass  # it shows no quote of this one
        return self.broker.clock.now_ns()

    async def _asset(self, symbol: str) -> Asset | None:
        try:
            asset = await self.book.find(symbol)
        except (UnknownInstrumentError, AmbiguousInstrumentError):
            asset = None
        if asset is not None and asset.symbol == symbol and asset.asset_class == self.asset_class:
            return asset
        pattern, message = _WRITTEN.get(self.asset_class, (None, ""))
        if pattern is not None and not pattern.match(symbol):
            raise NotServedError(message.format(symbol))
        return None


async def in_parallel(work: Iterable[Awaitable[Answer]]) -> list[Answer]:
    """Return the answers in order; only so many questions are open at a time."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(question: Awaitable[Answer]) -> Answer:
        async with gate:
            return await question

    return await asyncio.gather(*[one(question) for question in work])


def row_of(writer: RowWriter, item: Bar | Trade | Quote) -> Row:
    """Write a row of any kind."""
    if isinstance(item, Bar):
        return writer.bar(item)
    return writer.trade(item) if isinstance(item, Trade) else writer.quote(item)


def _heard(quote: Quote) -> int:
    return max(quote.received_at_ns, quote.venue_time_ns or 0)


def _time_of(item: Trade | Quote) -> int:
    return item.received_at_ns if item.venue_time_ns is None else item.venue_time_ns
