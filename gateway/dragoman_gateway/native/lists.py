"""Answers that hold several rows of one kind; where there may be more, the cursor of the rest."""

from __future__ import annotations

import attrs

from dragoman.models import (
    Bar,
    Fill,
    Instrument,
    LedgerEntry,
    MarketHours,
    Order,
    Position,
    Quote,
    Ticker,
    Trade,
)

from .answers import AccountStatus, ResultRow

__all__ = [
    "AccountList",
    "BarPage",
    "FillPage",
    "HoursList",
    "InstrumentPage",
    "LedgerPage",
    "OrderPage",
    "OrdersSet",
    "PositionList",
    "QuoteList",
    "ResultList",
    "TickerList",
    "TradePage",
]


@attrs.frozen(kw_only=True)
class AccountList:
    """The accounts that a client may reach, its default one first."""

    accounts: tuple[AccountStatus, ...]


@attrs.frozen(kw_only=True)
class OrderPage:
    """Orders, oldest first."""

    orders: tuple[Order, ...]
    next_cursor: str | None = None


@attrs.frozen(kw_only=True)
class OrdersSet:
    """Orders that a command has made."""

    orders: tuple[Order, ...]


@attrs.frozen(kw_only=True)
class ResultList:
    """What became of each order of a command on several."""

    results: tuple[ResultRow, ...]


@attrs.frozen(kw_only=True)
class PositionList:
    """Open positions."""

    positions: tuple[Position, ...]


@attrs.frozen(kw_only=True)
class FillPage:
    """Fills, oldest first."""

    fills: tuple[Fill, ...]
    next_cursor: str | None


@attrs.frozen(kw_only=True)
class LedgerPage:
    """Ledger entries, oldest first."""

    entries: tuple[LedgerEntry, ...]
    next_cursor: str | None


@attrs.frozen(kw_only=True)
class InstrumentPage:
    """Instruments."""

    instruments: tuple[Instrument, ...]
    next_cursor: str | None


@attrs.frozen(kw_only=True)
class HoursList:
    """Rows of the trading calendar, in order."""

    hours: tuple[MarketHours, ...]


@attrs.frozen(kw_only=True)
class QuoteList:
    """Quotes, in the order they were asked for."""

    quotes: tuple[Quote, ...]


@attrs.frozen(kw_only=True)
class TickerList:
    """Tickers, in the order they were asked for."""

    tickers: tuple[Ticker, ...]


@attrs.frozen(kw_only=True)
class BarPage:
    """Bars, oldest first."""

    bars: tuple[Bar, ...]
    next_cursor: str | None


@attrs.frozen(kw_only=True)
class TradePage:
    """Public prints, oldest first."""

    trades: tuple[Trade, ...]
    next_cursor: str | None
