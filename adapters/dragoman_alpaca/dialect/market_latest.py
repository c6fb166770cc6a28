"""The present: the latest quote, trade and bar, snapshots and order books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.capabilities import ReadFeature

from .market_asked import check_choices
from .market_history import check_currency
from .market_refusals import NotServedError, require_read
from .market_view import DAILY, KINDS, MINUTELY, in_parallel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dragoman.models import Quote

    from .assets import Asset
    from .market_rows import Row
    from .market_view import Kind, MarketView

__all__ = [
    "latest_of_many",
    "latest_of_one",
    "order_books",
    "snapshot_of_one",
    "snapshots_of_many",
]

_LEVELS: Final = 50


async def latest_of_many(
    view: MarketView, kind: Kind, symbols: Sequence[str], query: Mapping[str, str]
) -> Row:
    """Return the latest row of each symbol that has one.

    Raises:
        NotServedError: The query asks for what there is not.
    """
    assets, extra = await _assets(view, symbols, query)
    return {kind.many: await _latest(view, kind, assets)} | extra


async def latest_of_one(view: MarketView, kind: Kind, symbol: str, query: Mapping[str, str]) -> Row:
    """Return the latest row of one symbol.

    Raises:
        NotServedError: It has none, or the query asks for what there is not.
    """
    assets, extra = await _assets(view, [symbol], query)
    row = (await _latest(view, kind, assets)).get(symbol)
    if row is None:
        raise NotServedError(f"no {kind.one} found for {symbol}", 404)
    return {"symbol": symbol, kind.one: row} | extra


async def snapshots_of_many(
    view: MarketView, symbols: Sequence[str], query: Mapping[str, str]
) -> dict[str, Row]:
    """Return the snapshot of each symbol that is listed.

    Raises:
        NotServedError: The query asks for what there is not.
    """
    assets, _ = await _assets(view, symbols, query)
    quotes = await view.latest_quotes(assets) if view.tells(ReadFeature.QUOTES) else {}
    found = await in_parallel(_snapshot(view, asset, quotes) for asset in assets)
    return {asset.symbol: row for asset, row in zip(assets, found, strict=True) if row}


async def snapshot_of_one(view: MarketView, symbol: str, query: Mapping[str, str]) -> Row:
    """Return the snapshot of one symbol.

    Raises:
        NotServedError: It is not listed, or the query asks for what there is not.
    """
    found = (await snapshots_of_many(view, [symbol], query)).get(symbol)
    if found is None:
        raise NotServedError(f"no snapshot found for {symbol}", 404)
    return {"symbol": symbol} | found


async def order_books(view: MarketView, symbols: Sequence[str], query: Mapping[str, str]) -> Row:
    """Return the order book of each symbol that is listed.

    Raises:
        NotServedError: The broker tells no order books, or the query asks for what there is not.
    """
    require_read(view.broker, ReadFeature.DEPTH)
    assets, _ = await _assets(view, symbols, query)
    books = await in_parallel(view.broker.fetch_depth(asset.symbol, _LEVELS) for asset in assets)
    return {
        "orderbooks": {
            asset.symbol: view.writer(asset).depth(book)
            for asset, book in zip(assets, books, strict=True)
        }
    }


async def _assets(
    view: MarketView, symbols: Sequence[str], query: Mapping[str, str]
) -> tuple[list[Asset], Row]:
    check_choices(query, view.asset_class)
    assets = await view.assets(symbols)
    return assets, check_currency(query, assets)


async def _latest(view: MarketView, kind: Kind, assets: Sequence[Asset]) -> dict[str, Row]:
    if kind is KINDS["quotes"]:
        quotes = await view.latest_quotes(assets)
        found = [view.writer(asset).quote(quotes[asset.symbol]) for asset in assets]
        return {asset.symbol: row for asset, row in zip(assets, found, strict=True)}
    require_read(view.broker, kind.feature)
    question = _last_bar if kind is KINDS["bars"] else _last_trade
    rows = await in_parallel(question(view, asset) for asset in assets)
    return {asset.symbol: row for asset, row in zip(assets, rows, strict=True) if row is not None}


async def _last_bar(view: MarketView, asset: Asset) -> Row | None:
    bars = await view.latest_bars(asset, MINUTELY, 1)
    return view.writer(asset).bar(bars[0]) if bars else None


async def _last_trade(view: MarketView, asset: Asset) -> Row | None:
    trade = await view.latest_trade(asset)
    return None if trade is None else view.writer(asset).trade(trade)


async def _snapshot(view: MarketView, asset: Asset, quotes: Mapping[str, Quote]) -> Row:
    """Return what is known of the symbol now; what is not known is not there."""
    writer = view.writer(asset)
    quote = quotes.get(asset.symbol)
    days = await view.latest_bars(asset, DAILY, 2)
    row: Row = {
        "latestTrade": await _last_trade(view, asset),
        "latestQuote": None if quote is None else writer.quote(quote),
        "minuteBar": await _last_bar(view, asset),
        "dailyBar": writer.bar(days[0]) if days else None,
        "prevDailyBar": writer.bar(days[1]) if len(days) > 1 else None,
    }
    return {name: part for name, part in row.items() if part is not None}
