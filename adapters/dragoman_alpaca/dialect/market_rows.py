"""Quotes, prints, bars and books in the venue's rows, the inverse of `mapping.market`.

The venue's rows have no way to say "not known" for most fields. Where a broker does not tell:

- 0 for a price or a size that is missing from a quote, which is what the venue means by 0;
- 0 for the volume of a bar that has none, as the venue has it for bars made of quotes; the number
  of trades and the average price are null;
- `t` is when the broker heard of it, where the venue's own time is not known;
- an exchange is the one that lists the instrument, by its code; "" for one without a code;
- a trade id is a number there: any other id becomes a number computed from it, always the same.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models import Side
from dragoman.money import ZERO

from .market_text import Instant

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Bar, Depth, Instrument, Level, OptionQuote, Quote, Trade

__all__ = [
    "CRYPTO",
    "EXCHANGES",
    "OPTION",
    "STOCK",
    "Row",
    "RowWriter",
    "greeks_of",
    "instant_of",
    "trade_number",
]

Row = dict[str, object]

STOCK: Final = "us_equity"
CRYPTO: Final = "crypto"
OPTION: Final = "us_option"
"""The venue's asset classes."""

EXCHANGES: Final = {
    "A": "NYSE American (AMEX)",
    "N": "New York Stock Exchange",
    "P": "NYSE Arca",
    "Q": "NASDAQ OMX",
    "V": "IEX",
    "Z": "Cboe BZ",
}
"""The codes that rows of stocks can carry here, and what they stand for."""

_CODES: Final = {
    "AMEX": ("A", "B"),
    "ARCA": ("P", "B"),
    "BATS": ("Z", "B"),
    "IEX": ("V", "B"),
    "NASDAQ": ("Q", "C"),
    "NYSE": ("N", "A"),
    "NYSEARCA": ("P", "B"),
}
"""Exchange names, as assets carry them: the code, and the tape its listings are reported on."""

_TAKER: Final = {Side.BUY: "B", Side.SELL: "S"}
_LARGEST_ID: Final = 1 << 63


@attrs.frozen
class RowWriter:
    """Writes the rows of one instrument of one asset class."""

    asset_class: str
    exchange: str = ""
    tape: str = ""

    @classmethod
    def of(cls, instrument: Instrument, asset_class: str) -> RowWriter:
        """Return the writer of an instrument."""
        code, tape = _CODES.get((instrument.exchange or "").upper(), ("", ""))
        return cls(asset_class, code, tape) if asset_class == STOCK else cls(asset_class)

    def quote(self, quote: Quote) -> Row:
        """Write the top of the book."""
        row: Row = {
            "t": instant_of(quote),
            "bp": quote.bid_price or ZERO,
            "bs": quote.bid_size or ZERO,
            "ap": quote.ask_price or ZERO,
            "as": quote.ask_size or ZERO,
        }
        if self.asset_class == CRYPTO:
            return row
        row |= {"bx": self.exchange, "ax": self.exchange}
        if self.asset_class == OPTION:
            return row | {"c": ""}
        row |= {"c": (), "z": self.tape}
        return row

    def trade(self, trade: Trade) -> Row:
        """Write a public print."""
        row: Row = {"t": instant_of(trade), "p": trade.price, "s": trade.size}
        number = trade_number(trade.trade_id, trade.symbol)
        if self.asset_class == OPTION:
            return row | {"x": self.exchange, "c": "".join(trade.conditions[:1])}
        if number is not None:
            row["i"] = number
        if self.asset_class == CRYPTO:
            return row | ({} if trade.aggressor is None else {"tks": _TAKER[trade.aggressor]})
        return row | {"x": self.exchange, "c": list(trade.conditions), "z": self.tape}

    def bar(self, bar: Bar) -> Row:
        """Write a bar, stamped with its opening."""
        return {
            "t": Instant(bar.open_time_ns),
            "o": bar.open,
            "h": bar.high,
            "l": bar.low,
            "c": bar.close,
            "v": ZERO if bar.volume is None else bar.volume,
            "n": bar.trade_count,
            "vw": bar.vwap,
        }

    def depth(self, depth: Depth) -> Row:
        """Write the levels of a book."""
        return {
            "t": instant_of(depth),
            "b": [_level(level) for level in depth.bids],
            "a": [_level(level) for level in depth.asks],
        }


def instant_of(event: Quote | Trade | Depth) -> Instant:
    """Return the time a row carries: the venue's, else when it was heard of."""
    time_ns = event.venue_time_ns
    return Instant(event.received_at_ns if time_ns is None else time_ns)


def trade_number(trade_id: str | None, symbol: str) -> int | None:
    """Return the number a trade id is written as; None for a trade without an id."""
    if trade_id is None:
        return None
    if trade_id.isascii() and trade_id.isdigit() and int(trade_id) < _LARGEST_ID:
        return int(trade_id)
    digest = hashlib.blake2b(f"{symbol}\0{trade_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def greeks_of(option: OptionQuote) -> dict[str, Decimal] | None:
    """Return an option's greeks; None unless all are known: the venue has all of them or none."""
    names = ("delta", "gamma", "rho", "theta", "vega")
    found = {name: getattr(option, name) for name in names}
    return None if None in found.values() else found


def _level(level: Level) -> Row:
    return {"p": level.price, "s": level.size}
