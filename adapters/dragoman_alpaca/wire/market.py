"""Market data in Alpaca's own words: what its historical and latest REST responses carry.

Numbers are JSON numbers, and what a row needs of them is read when the row is mapped: one bad row
does not take its page with it. Times are RFC 3339 text with up to nine fraction digits. Any field
may be null or missing. Fields that nothing here is made of, such as the exchange, are not read.

Source: Alpaca Market Data API, OpenAPI document, checked 2026-06-15.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from dragoman.transport.codec import Numeral

__all__ = [
    "BarPage",
    "BarRow",
    "BookRow",
    "ConditionCodes",
    "GreeksRow",
    "LatestBars",
    "LatestBooks",
    "LatestQuotes",
    "LatestTrades",
    "LevelRow",
    "OptionSnapshotPage",
    "OptionSnapshotRow",
    "PricingPage",
    "PricingRow",
    "QuotePage",
    "QuoteRow",
    "SnapshotPage",
    "SnapshotRow",
    "SymbolSnapshotRow",
    "TradePage",
    "TradeRow",
    "WrittenTime",
]

WrittenTime: TypeAlias = str | int | msgspec.msgpack.Ext | None
"""A time: text such as "2021-02-22T15:51:44.208Z", and in MessagePack its timestamp extension.

Older payloads have a number: seconds of the epoch, or thousandths, millionths, billionths of them.
"""
ConditionCodes: TypeAlias = tuple[str | None, ...] | str | None
"""What was special about a print: codes such as ["@", "I"], and for options one code."""


class QuoteRow(msgspec.Struct, gc=False):
    """The best bid and ask; a price of 0 says that there is none.

    Sizes are shares since 2025-11-03; round lots before.
    """

    t: WrittenTime = None
    bp: Numeral = None
    bs: Numeral = None
    ap: Numeral = None
    as_: Numeral = msgspec.field(default=None, name="as")


class TradeRow(msgspec.Struct):
    """A print; `i` counts up to 19 digits, `tks` is the taker's side of crypto: "B" or "S"."""

    t: WrittenTime = None
    p: Numeral = None
    s: Numeral = None
    i: Numeral = None
    c: ConditionCodes = None
    tks: str | None = None


class BarRow(msgspec.Struct, gc=False):
    """A bar from `t` on: open, high, low, close, volume, count of trades, average price."""

    t: WrittenTime = None
    o: Numeral = None
    h: Numeral = None
    l: Numeral = None  # noqa: E741 - the venue's own letter
    c: Numeral = None
    v: Numeral = None
    n: Numeral = None
    vw: Numeral = None


class LevelRow(msgspec.Struct, gc=False):
    """One price of an order book and the size there; 0 takes the level away."""

    p: Numeral = None
    s: Numeral = None


class BookRow(msgspec.Struct):
    """Levels of a crypto order book; `r` true says that they are all there is."""

    t: WrittenTime = None
    b: list[LevelRow | None] | None = None
    a: list[LevelRow | None] | None = None
    r: bool | None = None


class GreeksRow(msgspec.Struct):
    """The greeks of an option, per share of the underlying."""

    delta: Numeral = None
    gamma: Numeral = None
    theta: Numeral = None
    vega: Numeral = None
    rho: Numeral = None


class SnapshotRow(msgspec.Struct, rename="camel"):
    """The newest of each kind about one symbol; what there was nothing of is missing."""

    latest_trade: TradeRow | None = None
    latest_quote: QuoteRow | None = None
    minute_bar: BarRow | None = None
    daily_bar: BarRow | None = None
    prev_daily_bar: BarRow | None = None


class SymbolSnapshotRow(SnapshotRow, rename="camel"):
    """`GET /v2/stocks/{symbol}/snapshot`."""

    symbol: str | None = None


class OptionSnapshotRow(SnapshotRow, rename="camel"):
    """A row of `GET /v1beta1/options/snapshots`; `implied_volatility` such as 0.337."""

    greeks: GreeksRow | None = None
    implied_volatility: Numeral = None


class PricingRow(msgspec.Struct):
    """A perpetual's index and mark price, open interest, funding rate and when it is next paid."""

    t: WrittenTime = None
    ft: WrittenTime = None
    fr: Numeral = None
    ip: Numeral = None
    mp: Numeral = None
    oi: Numeral = None


class QuotePage(msgspec.Struct):
    """One page of quotes, by symbol or of the one that `symbol` names; null where there are none.

    The limit counts all symbols together, so a symbol may go on on the next page.
    """

    quotes: dict[str, list[QuoteRow | None] | None] | list[QuoteRow | None] | None = None
    symbol: str | None = None
    next_page_token: str | None = None


class TradePage(msgspec.Struct):
    """One page of prints, as a `QuotePage`."""

    trades: dict[str, list[TradeRow | None] | None] | list[TradeRow | None] | None = None
    symbol: str | None = None
    next_page_token: str | None = None


class BarPage(msgspec.Struct):
    """One page of bars, as a `QuotePage`."""

    bars: dict[str, list[BarRow | None] | None] | list[BarRow | None] | None = None
    symbol: str | None = None
    next_page_token: str | None = None


class LatestQuotes(msgspec.Struct):
    """The newest quotes: by symbol, or one and its `symbol`; `xbbo` is the best of all markets."""

    quotes: dict[str, QuoteRow | None] | None = None
    xbbos: dict[str, QuoteRow | None] | None = None
    quote: QuoteRow | None = None
    xbbo: QuoteRow | None = None
    symbol: str | None = None


class LatestTrades(msgspec.Struct):
    """The newest prints: by symbol, or one and its `symbol`."""

    trades: dict[str, TradeRow | None] | None = None
    trade: TradeRow | None = None
    symbol: str | None = None


class LatestBars(msgspec.Struct):
    """The newest minute bars: by symbol, or one and its `symbol`."""

    bars: dict[str, BarRow | None] | None = None
    bar: BarRow | None = None
    symbol: str | None = None


class LatestBooks(msgspec.Struct):
    """`GET /v1beta3/crypto/{loc}/latest/orderbooks`: whole books by symbol."""

    orderbooks: dict[str, BookRow | None] | None = None


class SnapshotPage(msgspec.Struct):
    """`GET /v1beta3/crypto/{loc}/snapshots`; stocks have the same without what is around it."""

    snapshots: dict[str, SnapshotRow | None] | None = None


class OptionSnapshotPage(msgspec.Struct):
    """One page of `GET /v1beta1/options/snapshots` and of an underlying's chain."""

    snapshots: dict[str, OptionSnapshotRow | None] | None = None
    next_page_token: str | None = None


class PricingPage(msgspec.Struct):
    """`GET /v1beta1/crypto-perps/{loc}/latest/pricing`."""

    pricing: dict[str, PricingRow | None] | None = None
