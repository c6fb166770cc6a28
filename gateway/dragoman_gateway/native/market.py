"""Market data read: the newest of it, and what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models.enums import Adjustment, PriceSource

from .answers import answered
from .lists import BarPage, QuoteList, TickerList, TradePage
from .paging import Page, page_of

if TYPE_CHECKING:
    from aiohttp import web

    from .asking import Ask

__all__ = [
    "MOST_LEVELS",
    "MOST_SYMBOLS",
    "get_depth",
    "get_market_status",
    "list_bars",
    "list_quotes",
    "list_tickers",
    "list_trades",
]

MOST_SYMBOLS: Final = 100
MOST_LEVELS: Final = 1000
_USUAL_LEVELS: Final = 10


async def list_quotes(ask: Ask) -> web.Response:
    """Answer with the top of the book of each symbol, in the order of the symbols."""
    symbols = ask.query.texts("symbol", at_least=1, at_most=MOST_SYMBOLS)
    ask.query.check()
    found = await ask.broker.fetch_quotes(symbols)
    return answered(QuoteList(quotes=tuple(found[one] for one in symbols if one in found)))


async def list_tickers(ask: Ask) -> web.Response:
    """Answer with the ticker of each symbol, in the order of the symbols."""
    symbols = ask.query.texts("symbol", at_least=1, at_most=MOST_SYMBOLS)
    ask.query.check()
    found = await ask.broker.fetch_tickers(symbols)
    return answered(TickerList(tickers=tuple(found[one] for one in symbols if one in found)))


async def get_depth(ask: Ask) -> web.Response:
    """Answer with a snapshot of the book."""
    symbol = ask.query.required("symbol")
    levels = ask.query.integer("levels", _USUAL_LEVELS, range(1, MOST_LEVELS + 1))
    ask.query.check()
    return answered(await ask.broker.fetch_depth(symbol, levels))


async def get_market_status(ask: Ask) -> web.Response:
    """Answer with what the market, or one instrument, lets one do now."""
    symbol = ask.query.text("symbol")
    ask.query.check()
    return answered(await ask.broker.fetch_market_status(symbol))


async def list_bars(ask: Ask) -> web.Response:
    """Answer with a page of bars, oldest first."""
    symbol = ask.query.required("symbol")
    timeframe = ask.query.timeframe("timeframe")
    source = ask.query.choice("price_source", PriceSource, PriceSource.LAST)
    adjustment = ask.query.choice("adjustment", Adjustment, Adjustment.RAW)
    page = Page.of(ask.query)
    ask.query.check()
    found = ask.broker.fetch_bars(
        symbol, timeframe, page.reach, price_source=source, adjustment=adjustment
    )
    rows, following = await page_of(found, page, lambda bar: bar.open_time_ns)
    return answered(BarPage(bars=rows, next_cursor=following))


async def list_trades(ask: Ask) -> web.Response:
    """Answer with a page of public prints, oldest first."""
    symbol = ask.query.required("symbol")
    page = Page.of(ask.query)
    ask.query.check()
    found = ask.broker.fetch_trades(symbol, page.reach)
    rows, following = await page_of(found, page, lambda trade: trade.venue_time_ns)
    return answered(TradePage(trades=rows, next_cursor=following))
