"""Options: snapshots by symbol, and the chain of an underlying."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from dragoman.capabilities import ReadFeature
from dragoman.errors import InvalidValueError, UnsupportedError
from dragoman.money import parse_decimal
from dragoman.times import to_datetime

from .market_asked import check_choices, limit_in, since_in
from .market_pages import Mark
from .market_refusals import NotServedError
from .market_rows import OPTION, greeks_of
from .market_view import in_parallel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from dragoman.models import OptionQuote, Quote

    from .assets import Asset
    from .market_rows import Row, RowWriter
    from .market_view import MarketView

__all__ = ["chain_of", "option_snapshots"]

_USUAL_PAGE: Final = 100
_LARGEST_PAGE: Final = 1_000
_AFTER_ROOT: Final = len("261218C00190000")
_SIDES: Final = frozenset({"call", "put"})


async def option_snapshots(
    view: MarketView, symbols: Sequence[str], query: Mapping[str, str]
) -> Row:
    """Return a page of snapshots of the contracts named, as far as they are listed.

    Raises:
        NotServedError: The query asks for what there is not.
    """
    check_choices(query, OPTION)
    assets = await view.assets(symbols)
    underlyings = sorted({asset.instrument.underlying or "" for asset in assets} - {""})
    rows: dict[str, OptionQuote] = {}
    for underlying in underlyings:
        rows |= await _chain(view, underlying, None)
    return await _page(view, assets, rows, query)


async def chain_of(view: MarketView, underlying: str, query: Mapping[str, str]) -> Row:
    """Return a page of the snapshots of an underlying's contracts.

    Raises:
        NotServedError: The broker tells no chains, or the query asks for what there is not.
    """
    check_choices(query, OPTION)
    expiry = query.get("expiration_date") or None
    keep = _Filter(query)
    try:
        rows = await view.broker.fetch_chain(underlying, expiry)
    except UnsupportedError as error:
        raise NotServedError(error.message, 403) from None
    known = {row.symbol: row for row in rows}
    found = [await view.book.find(symbol) for symbol in sorted(known)]
    return await _page(view, [asset for asset in found if keep.takes(asset)], known, query)


class _Filter:
    """Which contracts of a chain a query wants."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._side = query.get("type", "")
        if self._side and self._side not in _SIDES:
            raise NotServedError(f"invalid type: {self._side[:80]}")
        self._root = query.get("root_symbol", "")
        self._least = _amount(query, "strike_price_gte")
        self._most = _amount(query, "strike_price_lte")
        self._day = _day(query, "expiration_date")
        self._first = _day(query, "expiration_date_gte")
        self._last = _day(query, "expiration_date_lte")

    def takes(self, asset: Asset) -> bool:
        """Tell whether a contract is wanted."""
        option = asset.instrument
        if asset.asset_class != OPTION:
            return False
        if self._root and asset.symbol[:-_AFTER_ROOT] != self._root:
            return False
        if self._side and (option.option_right or "").lower() != self._side:
            return False
        return self._has_strike(option.strike) and self._has_day(option.expires_at_ns)

    def _has_strike(self, strike: Decimal | None) -> bool:
        if self._least is None and self._most is None:
            return True
        if strike is None:
            return False
        is_enough = self._least is None or strike >= self._least
        return is_enough and (self._most is None or strike <= self._most)

    def _has_day(self, expires_at_ns: int | None) -> bool:
        if self._day is self._first is self._last is None:
            return True
        if expires_at_ns is None:
            return False
        day = to_datetime(expires_at_ns).date()
        if self._day not in {None, day}:
            return False
        is_after = self._first is None or day >= self._first
        return is_after and (self._last is None or day <= self._last)


async def _chain(view: MarketView, underlying: str, expiry: str | None) -> dict[str, OptionQuote]:
    """Return what a chain tells besides quotes and prints; nothing where there are no chains."""
    try:
        return {row.symbol: row for row in await view.broker.fetch_chain(underlying, expiry)}
    except UnsupportedError:
        return {}


async def _page(
    view: MarketView,
    assets: Sequence[Asset],
    known: Mapping[str, OptionQuote],
    query: Mapping[str, str],
) -> Row:
    limit = limit_in(query, default=_USUAL_PAGE, most=_LARGEST_PAGE)
    since_ns = since_in(query, "updated_since")
    token = query.get("page_token")
    after = Mark.of(token, "snapshots").symbol if token else ""
    rest = [asset for asset in assets if asset.symbol > after]
    shown = rest[:limit]
    missing = [asset for asset in shown if not _has_quote(known.get(asset.symbol))]
    quotes = await view.latest_quotes(missing) if view.tells(ReadFeature.QUOTES) else {}
    rows = await in_parallel(
        _snapshot(view, asset, known.get(asset.symbol), quotes.get(asset.symbol), since_ns)
        for asset in shown
    )
    is_cut = len(rest) > len(shown)
    return {
        "snapshots": {
            asset.symbol: row for asset, row in zip(shown, rows, strict=True) if row is not None
        },
        "next_page_token": Mark(shown[-1].symbol).token("snapshots") if is_cut else None,
    }


def _has_quote(row: OptionQuote | None) -> bool:
    return row is not None and row.quote is not None


async def _snapshot(
    view: MarketView,
    asset: Asset,
    known: OptionQuote | None,
    quote: Quote | None,
    since_ns: int | None,
) -> Row | None:
    """Return a contract's snapshot; None where nothing of it changed since."""
    writer: RowWriter = view.writer(asset)
    if known is not None and known.quote is not None:
        quote = known.quote
    trade = await view.latest_trade(asset)
    heard = [one.venue_time_ns or one.received_at_ns for one in (quote, trade) if one is not None]
    if since_ns is not None and max(heard, default=since_ns - 1) < since_ns:
        return None
    row: Row = {
        "latestTrade": None if trade is None else writer.trade(trade),
        "latestQuote": None if quote is None else writer.quote(quote),
        "impliedVolatility": None if known is None else known.iv,
        "greeks": None if known is None else greeks_of(known),
    }
    return {name: part for name, part in row.items() if part is not None}


def _amount(query: Mapping[str, str], name: str) -> Decimal | None:
    text = query.get(name, "")
    try:
        return parse_decimal(text, name) if text else None
    except InvalidValueError:
        raise NotServedError(f"invalid {name}: {text[:80]}") from None


def _day(query: Mapping[str, str], name: str) -> date | None:
    text = query.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise NotServedError(f"invalid {name}: {text[:80]}") from None
