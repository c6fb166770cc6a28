"""The market data plane: one typed function for each endpoint, in Alpaca's own words.

The list endpoints only, for one symbol too: they answer in one shape. History is asked for one
symbol at a time, since a page counts rows over all symbols.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from dragoman.times import format_time
from dragoman.transport.codec import JsonDecoder
from dragoman_alpaca.wire.market import (
    BarRow,
    BookRow,
    OptionSnapshotRow,
    QuoteRow,
    SnapshotRow,
    TradeRow,
)

from . import endpoints
from .paging import Turns
from .rows import Latest, Page, RowReader, Seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from dragoman.models import Window
    from dragoman.transport.client import HttpClient
    from dragoman.transport.endpoint import Endpoint

__all__ = ["MarketRest"]

Row = TypeVar("Row")

_BARS: Final = RowReader(BarRow)
_BOOKS: Final = RowReader(BookRow)
_CHAIN: Final = RowReader(OptionSnapshotRow)
_QUOTES: Final = RowReader(QuoteRow)
_SNAPSHOTS: Final = RowReader(SnapshotRow)
_TRADES: Final = RowReader(TradeRow)
_LATEST: Final = JsonDecoder(Latest)
_PAGES: Final = JsonDecoder(Page)

_LONGEST_PAGE: Final = 10_000
_PAGE_OF_CHAIN: Final = 1000
_MOST_SYMBOLS: Final = 100
"""How many symbols one request may name: the limit for options, and a URL that any proxy takes."""
_EARLIEST: Final = "1970-01-01T00:00:00Z"
"""Before all data; without a start Alpaca begins with the present day."""


class MarketRest:
    """What Alpaca shows of markets.

    Raises everywhere what `HttpClient.call` raises, and `DecodeError` where a response makes no
    sense.

    Args:
        client: Sends.
        location: Which crypto venue is asked, such as "us".
        keep_raw: Whether rows keep the bytes that they were read from.
    """

    def __init__(self, client: HttpClient, location: str, *, keep_raw: bool) -> None:
        self._client = client
        self._location = {"location": location}
        self._keep_raw = keep_raw

    def stock_bars(
        self, symbol: str, window: Window, *, timeframe: str, adjustment: str, feed: str
    ) -> AsyncIterator[list[Seen[BarRow]]]:
        """Ask `GET /v2/stocks/bars`, page by page, oldest first."""
        query = [("timeframe", timeframe), ("adjustment", adjustment), ("feed", feed)]
        return self._history(endpoints.STOCK_BARS, _BARS, symbol, window, query)

    def stock_trades(
        self, symbol: str, window: Window, *, feed: str
    ) -> AsyncIterator[list[Seen[TradeRow]]]:
        """Ask `GET /v2/stocks/trades`, page by page, oldest first."""
        return self._history(endpoints.STOCK_TRADES, _TRADES, symbol, window, [("feed", feed)])

    def stock_quotes(
        self, symbol: str, window: Window, *, feed: str
    ) -> AsyncIterator[list[Seen[QuoteRow]]]:
        """Ask `GET /v2/stocks/quotes`, page by page, oldest first."""
        return self._history(endpoints.STOCK_QUOTES, _QUOTES, symbol, window, [("feed", feed)])

    def crypto_bars(
        self, symbol: str, window: Window, *, timeframe: str
    ) -> AsyncIterator[list[Seen[BarRow]]]:
        """Ask `GET /v1beta3/crypto/{location}/bars`, page by page, oldest first."""
        query = [("timeframe", timeframe)]
        return self._history(endpoints.CRYPTO_BARS, _BARS, symbol, window, query)

    def crypto_trades(self, symbol: str, window: Window) -> AsyncIterator[list[Seen[TradeRow]]]:
        """Ask `GET /v1beta3/crypto/{location}/trades`, page by page, oldest first."""
        return self._history(endpoints.CRYPTO_TRADES, _TRADES, symbol, window)

    def crypto_quotes(self, symbol: str, window: Window) -> AsyncIterator[list[Seen[QuoteRow]]]:
        """Ask `GET /v1beta3/crypto/{location}/quotes`, page by page, oldest first."""
        return self._history(endpoints.CRYPTO_QUOTES, _QUOTES, symbol, window)

    def option_bars(
        self, symbol: str, window: Window, *, timeframe: str
    ) -> AsyncIterator[list[Seen[BarRow]]]:
        """Ask `GET /v1beta1/options/bars`, page by page, oldest first."""
        query = [("timeframe", timeframe)]
        return self._history(endpoints.OPTION_BARS, _BARS, symbol, window, query)

    def option_trades(self, symbol: str, window: Window) -> AsyncIterator[list[Seen[TradeRow]]]:
        """Ask `GET /v1beta1/options/trades`, page by page, oldest first."""
        return self._history(endpoints.OPTION_TRADES, _TRADES, symbol, window)

    async def stock_latest_quotes(
        self, symbols: Sequence[str], *, feed: str
    ) -> dict[str, Seen[QuoteRow]]:
        """Ask `GET /v2/stocks/quotes/latest`."""
        query = [("feed", feed)]
        return await self._latest(endpoints.STOCK_LATEST_QUOTES, _QUOTES, symbols, query)

    async def crypto_latest_quotes(self, symbols: Sequence[str]) -> dict[str, Seen[QuoteRow]]:
        """Ask `GET /v1beta3/crypto/{location}/latest/quotes`."""
        return await self._latest(endpoints.CRYPTO_LATEST_QUOTES, _QUOTES, symbols)

    async def option_latest_quotes(self, symbols: Sequence[str]) -> dict[str, Seen[QuoteRow]]:
        """Ask `GET /v1beta1/options/quotes/latest`."""
        return await self._latest(endpoints.OPTION_LATEST_QUOTES, _QUOTES, symbols)

    async def crypto_books(self, symbols: Sequence[str]) -> dict[str, Seen[BookRow]]:
        """Ask `GET /v1beta3/crypto/{location}/latest/orderbooks`."""
        return await self._latest(endpoints.CRYPTO_BOOKS, _BOOKS, symbols)

    async def stock_snapshots(
        self, symbols: Sequence[str], *, feed: str
    ) -> dict[str, Seen[SnapshotRow]]:
        """Ask `GET /v2/stocks/snapshots`, whose answer has the symbols at the top."""
        found: dict[str, Seen[SnapshotRow]] = {}
        for some in _in_parts(symbols):
            query = [("symbols", some), ("feed", feed)]
            response = await self._client.call(endpoints.STOCK_SNAPSHOTS, query=query)
            found |= _SNAPSHOTS.by_symbol(response.body, keep_raw=self._keep_raw)
        return found

    async def crypto_snapshots(self, symbols: Sequence[str]) -> dict[str, Seen[SnapshotRow]]:
        """Ask `GET /v1beta3/crypto/{location}/snapshots`."""
        return await self._latest(endpoints.CRYPTO_SNAPSHOTS, _SNAPSHOTS, symbols)

    async def option_snapshots(self, symbols: Sequence[str]) -> dict[str, Seen[OptionSnapshotRow]]:
        """Ask `GET /v1beta1/options/snapshots`."""
        return await self._latest(endpoints.OPTION_SNAPSHOTS, _CHAIN, symbols)

    async def option_chain(
        self, underlying: str, expiry: str | None
    ) -> dict[str, Seen[OptionSnapshotRow]]:
        """Ask `GET /v1beta1/options/snapshots/{underlying}`, page by page."""
        query = [("limit", str(_PAGE_OF_CHAIN))]
        if expiry is not None:
            query.append(("expiration_date", expiry))
        path = {"underlying": underlying}
        turns, found = Turns(endpoints.OPTION_CHAIN.name), dict[str, Seen[OptionSnapshotRow]]()
        while True:
            asked = [*query, *turns.query]
            response = await self._client.call(endpoints.OPTION_CHAIN, path=path, query=asked)
            page = _LATEST.decode(response.body)
            found |= _CHAIN.each(page.held, keep_raw=self._keep_raw)
            if not turns.follow(page.next_page_token):
                return found

    async def _history(
        self,
        endpoint: Endpoint,
        reader: RowReader[Row],
        symbol: str,
        window: Window,
        more: Sequence[tuple[str, str]] = (),
    ) -> AsyncIterator[list[Seen[Row]]]:
        """Follow the pages of a window: only a missing token ends them, never a short page."""
        if window.start_ns is not None and window.start_ns == window.end_ns:
            return
        query = [("symbols", symbol), *_bounds(window), *more, ("sort", "asc")]
        turns = Turns(endpoint.name)
        while True:
            asked = [*query, *turns.query]
            response = await self._client.call(endpoint, path=self._path(endpoint), query=asked)
            page = _PAGES.decode(response.body)
            yield reader.many(page.of(symbol), keep_raw=self._keep_raw)
            if not turns.follow(page.next_page_token):
                return

    async def _latest(
        self,
        endpoint: Endpoint,
        reader: RowReader[Row],
        symbols: Sequence[str],
        more: Sequence[tuple[str, str]] = (),
    ) -> dict[str, Seen[Row]]:
        found: dict[str, Seen[Row]] = {}
        for some in _in_parts(symbols):
            turns = Turns(endpoint.name)
            is_more = True
            while is_more:
                query = [("symbols", some), *more, *turns.query]
                response = await self._client.call(endpoint, path=self._path(endpoint), query=query)
                page = _LATEST.decode(response.body)
                found |= reader.each(page.held, keep_raw=self._keep_raw)
                is_more = turns.follow(page.next_page_token)
        return found

    def _path(self, endpoint: Endpoint) -> dict[str, str]:
        return self._location if "{location}" in endpoint.path else {}


def _bounds(window: Window) -> list[tuple[str, str]]:
    """Write a window whose end is excluded for a venue that includes it."""
    start = _EARLIEST if window.start_ns is None else format_time(window.start_ns)
    limit = min(window.limit or _LONGEST_PAGE, _LONGEST_PAGE)
    bounds = [("start", start), ("limit", str(limit))]
    if window.end_ns is not None:
        bounds.append(("end", format_time(window.end_ns - 1)))
    return bounds


def _in_parts(symbols: Sequence[str]) -> list[str]:
    parts = range(0, len(symbols), _MOST_SYMBOLS)
    return [",".join(symbols[first : first + _MOST_SYMBOLS]) for first in parts]
