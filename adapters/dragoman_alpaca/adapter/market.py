"""Market data: shares, pairs and options lie behind interfaces of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dragoman.errors import UnsupportedError
from dragoman.models import Adjustment, Depth, PriceSource, Quote, Ticker
from dragoman_alpaca.mapping.market import (
    bar_of,
    depth_of,
    option_quote_of,
    quote_of,
    ticker_of,
    trade_of,
)
from dragoman_alpaca.rest.words import (
    adjustment_word,
    history_feed,
    latest_feed,
    timeframe_word,
)

from .session import CRYPTO, OPTION, STOCK, with_raw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from dragoman.models import Bar, Timeframe, Trade, Window
    from dragoman.models.answers import OptionQuote

    from .catalogue import Catalogue
    from .session import Session

__all__ = ["MarketCalls"]


class MarketCalls:
    """What an adapter asks about markets.

    Which interface a symbol belongs to follows from what the catalogue says of it; of a symbol that
    was never read, the catalogue is asked first. So what Alpaca does not list is an error, and what
    it lists without data is empty.
    """

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        self._session = session
        self._catalogue = catalogue
        self._rest = session.rest.market

    async def quotes(self, asked: Sequence[str]) -> Mapping[str, Quote]:
        """Read the latest quotes; where there is none, both sides are missing."""
        symbols = await self._sorted(asked)
        feed = latest_feed(self._session.feed) if symbols[STOCK] else ""
        rows = {
            **await self._rest.stock_latest_quotes(symbols[STOCK], feed=feed),
            **await self._rest.crypto_latest_quotes(symbols[CRYPTO]),
            **await self._rest.option_latest_quotes(symbols[OPTION]),
        }
        reading = self._session.reading()
        found: dict[str, Quote] = {}
        for one in asked:
            symbol = self._symbol_of(one)
            seen = rows.get(symbol)
            if seen is None:
                now_ns = reading.received_at_ns
                found[one] = Quote(symbol=symbol, provider=reading.provider, received_at_ns=now_ns)
            else:
                found[one] = with_raw(quote_of(seen.row, symbol, reading), seen)
        return found

    async def tickers(self, asked: Sequence[str]) -> Mapping[str, Ticker]:
        """Read the snapshots; of a symbol that has none, nothing is known."""
        symbols = await self._sorted(asked)
        feed = latest_feed(self._session.feed) if symbols[STOCK] else ""
        rows = {
            **await self._rest.stock_snapshots(symbols[STOCK], feed=feed),
            **await self._rest.crypto_snapshots(symbols[CRYPTO]),
        }
        option_rows = await self._rest.option_snapshots(symbols[OPTION])
        reading = self._session.reading()
        found: dict[str, Ticker] = {}
        for one in asked:
            symbol = self._symbol_of(one)
            seen = rows.get(symbol) or option_rows.get(symbol)
            if seen is None:
                now_ns = reading.received_at_ns
                found[one] = Ticker(symbol=symbol, provider=reading.provider, received_at_ns=now_ns)
            else:
                found[one] = with_raw(ticker_of(seen.row, symbol, reading), seen)
        return found

    async def depth(self, symbol: str, levels: int) -> Depth:
        """Read the book of a pair, at most so many levels a side.

        Raises:
            UnsupportedError: It is no pair: Alpaca has no book of shares or options (NOT_SENT).
        """
        name = await self._known(symbol)
        if self._session.asset_class_of(name) != CRYPTO:
            raise self._not_offered(f"a book of {name}: it has those of crypto only")
        seen = (await self._rest.crypto_books([name])).get(name)
        reading = self._session.reading()
        if seen is None:
            return Depth(
                symbol=name,
                bids=(),
                asks=(),
                is_snapshot=True,
                provider=reading.provider,
                received_at_ns=reading.received_at_ns,
            )
        book = with_raw(depth_of(seen.row, name, reading), seen)
        return attrs.evolve(book, bids=book.bids[:levels], asks=book.asks[:levels])

    async def bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        window: Window,
        price_source: PriceSource,
        adjustment: Adjustment,
    ) -> AsyncIterator[Bar]:
        """Read the bars that open in a window, oldest first; pairs have nothing to adjust for.

        Raises:
            UnsupportedError: There are no such bars (NOT_SENT).
        """
        word = timeframe_word(timeframe)
        if price_source is not PriceSource.LAST:
            raise self._not_offered(f"bars of {price_source}: its bars are made of trades")
        name = await self._known(symbol)
        asset_class = self._session.asset_class_of(name)
        if asset_class == OPTION and adjustment is not Adjustment.RAW:
            raise self._not_offered("adjusted bars of options")
        if asset_class == CRYPTO:
            pages = self._rest.crypto_bars(name, window, timeframe=word)
        elif asset_class == OPTION:
            pages = self._rest.option_bars(name, window, timeframe=word)
        else:
            pages = self._rest.stock_bars(
                name,
                window,
                timeframe=word,
                adjustment=adjustment_word(adjustment),
                feed=history_feed(self._session.feed),
            )
        cut = _Cut(window)
        async for page in pages:
            reading = self._session.reading()
            for seen in page:
                bar = with_raw(bar_of(seen.row, name, timeframe, reading), seen)
                if cut.takes(bar.open_time_ns):
                    yield bar
            if cut.is_full:
                return

    async def trades(self, symbol: str, window: Window) -> AsyncIterator[Trade]:
        """Read the public prints of a window, oldest first."""
        name = await self._known(symbol)
        asset_class = self._session.asset_class_of(name)
        if asset_class == CRYPTO:
            pages = self._rest.crypto_trades(name, window)
        elif asset_class == OPTION:
            pages = self._rest.option_trades(name, window)
        else:
            feed = history_feed(self._session.feed)
            pages = self._rest.stock_trades(name, window, feed=feed)
        cut = _Cut(window)
        async for page in pages:
            reading = self._session.reading()
            for seen in page:
                trade = with_raw(trade_of(seen.row, name, reading), seen)
                if cut.takes(trade.venue_time_ns):
                    yield trade
            if cut.is_full:
                return

    async def quote_history(self, symbol: str, window: Window) -> AsyncIterator[Quote]:
        """Read the quotes of a window, oldest first.

        Raises:
            UnsupportedError: It is an option, of whose quotes there is no history (NOT_SENT).
        """
        name = await self._known(symbol)
        asset_class = self._session.asset_class_of(name)
        if asset_class == OPTION:
            raise self._not_offered("a history of the quotes of options")
        if asset_class == CRYPTO:
            pages = self._rest.crypto_quotes(name, window)
        else:
            feed = history_feed(self._session.feed)
            pages = self._rest.stock_quotes(name, window, feed=feed)
        cut = _Cut(window)
        async for page in pages:
            reading = self._session.reading()
            for seen in page:
                quote = with_raw(quote_of(seen.row, name, reading), seen)
                if cut.takes(quote.venue_time_ns):
                    yield quote
            if cut.is_full:
                return

    async def chain(self, underlying: str, expiry: str | None) -> tuple[OptionQuote, ...]:
        """Read an option chain, by symbol."""
        rows = await self._rest.option_chain(underlying, expiry)
        reading = self._session.reading()
        return tuple([option_quote_of(rows[one].row, one, reading) for one in sorted(rows)])

    async def _known(self, symbol: str) -> str:
        """Return the symbol that is meant, once it is known what it is."""
        name = self._symbol_of(symbol)
        await self._catalogue.get_to_know([name])
        return self._symbol_of(name)

    async def _sorted(self, asked: Sequence[str]) -> dict[str, list[str]]:
        """Return the symbols that are meant by what they are, each once."""
        names = [self._symbol_of(one) for one in asked]
        await self._catalogue.get_to_know(dict.fromkeys(names))
        found: dict[str, list[str]] = {STOCK: [], CRYPTO: [], OPTION: []}
        for name in dict.fromkeys(map(self._symbol_of, names)):
            asset_class = self._session.asset_class_of(name)
            found[asset_class if asset_class in found else STOCK].append(name)
        return found

    def _symbol_of(self, alias: str) -> str:
        return self._session.reading().symbols.symbol_of(alias)

    def _not_offered(self, what: str) -> UnsupportedError:
        provider = self._session.context.provider
        return UnsupportedError(f"{provider} does not offer {what}", provider=provider)


class _Cut:
    """What of the rows that come belongs to a window, and when it has all it may have."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._left = window.limit

    @property
    def is_full(self) -> bool:
        """Whether as many rows were taken as are wanted."""
        return self._left == 0

    def takes(self, instant_ns: int | None) -> bool:
        """Take a row of that instant, if it belongs; one without a time is the venue's word."""
        if self.is_full or (instant_ns is not None and not self._window.covers(instant_ns)):
            return False
        self._left = None if self._left is None else self._left - 1
        return True
