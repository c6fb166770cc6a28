"""The past: bars, trades and quotes of one symbol or many, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs

from .market_asked import (
    adjustment_in,
    check_choices,
    is_descending,
    limit_in,
    span_in,
    timeframe_in,
)
from .market_pages import Mark, read_page
from .market_refusals import NotServedError, require_read
from .market_rows import CRYPTO
from .market_view import KINDS, row_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dragoman.models import Timeframe

    from .assets import Asset
    from .market_pages import Series
    from .market_rows import Row
    from .market_view import Kind, MarketView

__all__ = ["check_currency", "history_of_many", "history_of_one"]

_USUAL_PAGE: Final = 1_000
_LARGEST_PAGE: Final = 10_000


async def history_of_many(
    view: MarketView, kind: Kind, symbols: Sequence[str], query: Mapping[str, str]
) -> Row:
    """Return a page of rows by symbol.

    Raises:
        NotServedError: The query asks for what there is not.
    """
    rows, token, extra = await _page(view, kind, symbols, query)
    return {kind.many: rows, "next_page_token": token} | extra


async def history_of_one(
    view: MarketView, kind: Kind, symbol: str, query: Mapping[str, str]
) -> Row:
    """Return a page of rows of one symbol; null instead of rows where there are none.

    Raises:
        NotServedError: The query asks for what there is not.
    """
    rows, token, extra = await _page(view, kind, [symbol], query)
    return {kind.many: rows.get(symbol), "symbol": symbol, "next_page_token": token} | extra


def check_currency(query: Mapping[str, str], assets: Sequence[Asset]) -> Row:
    """Return what an answer says of its currency; prices are not converted.

    Raises:
        NotServedError: A price is in another currency than the one asked for.
    """
    currency = query.get("currency", "")
    for asset in assets:
        if currency not in {"", asset.instrument.quote}:
            quote = asset.instrument.quote
            raise NotServedError(f"invalid currency: {currency[:80]}, {asset.symbol} is in {quote}")
    return {"currency": currency} if currency else {}


async def _page(
    view: MarketView, kind: Kind, symbols: Sequence[str], query: Mapping[str, str]
) -> tuple[dict[str, list[Row]], str | None, Row]:
    require_read(view.broker, kind.feature)
    check_choices(query, view.asset_class)
    timeframe = timeframe_in(query) if kind is KINDS["bars"] else None
    _check_timeframe(view, timeframe)
    descending = is_descending(query)
    limit = limit_in(query, default=_USUAL_PAGE, most=_LARGEST_PAGE)
    label = f"{kind.many} {timeframe or ''} {'desc' if descending else 'asc'}"
    token = query.get("page_token")
    mark = Mark.of(token, label) if token else None
    assets = await view.assets(symbols)
    extra = check_currency(query, assets)
    now_ns = await view.now_ns(assets[0] if assets else None)
    span = span_in(query, now_ns=now_ns, asset_class=view.asset_class, timeframe=timeframe)
    if descending and span.end_ns is None:
        span = attrs.evolve(span, end_ns=max(now_ns, span.start_ns) + 1)
    series = [(asset.symbol, _series(view, kind, asset, timeframe, query)) for asset in assets]
    page = await read_page(series, span, limit=limit, descending=descending, mark=mark)
    writers = {asset.symbol: view.writer(asset) for asset in assets}
    rows = {
        symbol: [row_of(writers[symbol], item) for item in items]
        for symbol, items in page.rows.items()
    }
    return rows, None if page.next is None else page.next.token(label), extra


def _series(
    view: MarketView,
    kind: Kind,
    asset: Asset,
    timeframe: Timeframe | None,
    query: Mapping[str, str],
) -> Series[Any]:
    if timeframe is not None:
        if view.asset_class == CRYPTO:
            return view.bars(asset, timeframe)
        return view.bars(asset, timeframe, adjustment_in(query))
    return view.trades(asset) if kind is KINDS["trades"] else view.quotes(asset)


def _check_timeframe(view: MarketView, timeframe: Timeframe | None) -> None:
    offered = view.broker.capabilities.bar_timeframes
    if timeframe is not None and offered is not None and str(timeframe) not in offered:
        raise NotServedError(
            f"invalid timeframe: {view.broker.provider} has no bars of {timeframe}"
        )
