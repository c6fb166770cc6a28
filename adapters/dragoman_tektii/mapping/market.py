"""What a gateway shows of the market."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.errors import ProtocolError
from dragoman.models import AssetClass, Bar, Instrument, InstrumentKind, Quote, Timeframe

from .reading import positive, time_of, understood
from .words import ASSET_CLASSES, INSTRUMENT_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman_tektii.wire import BarRow, QuoteRow

    from .reading import Reading

__all__ = ["LONGEST_SYMBOL", "bar_of", "bare_instrument", "quote_of"]

LONGEST_SYMBOL: Final = 20
_UNKNOWN_CURRENCY: Final = "?"


@understood
def quote_of(row: QuoteRow, reading: Reading) -> Quote:
    """Read the top of a book; a side of 0, at a price or in size, is nobody's."""
    bid = None if row.bid_size == 0 else positive(row.bid)
    ask = None if row.ask_size == 0 else positive(row.ask)
    return Quote(
        symbol=row.symbol,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        bid_price=bid,
        bid_size=row.bid_size if bid is not None else None,
        ask_price=ask,
        ask_size=row.ask_size if ask is not None else None,
        venue_time_ns=time_of(row.timestamp),
    )


@understood
def bar_of(row: BarRow, reading: Reading, *, at_ns: int | None) -> Bar:
    """Read a bar; it is complete if its time was over at `at_ns`, None: it is known to be whole.

    Raises:
        ProtocolError: It does not say when it begins.
    """
    open_time_ns = time_of(row.timestamp)
    if open_time_ns is None:
        raise ProtocolError("a bar does not say when it begins")
    timeframe = Timeframe.parse(row.timeframe)
    length_ns = timeframe.length_ns or 0
    return Bar(
        symbol=row.symbol,
        timeframe=timeframe,
        open_time_ns=open_time_ns,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        is_complete=at_ns is None or at_ns >= open_time_ns + length_ns,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
    )


def bare_instrument(symbol: str, classes: Sequence[str], reading: Reading) -> Instrument:
    """Return what is known of a symbol at a gateway that says nothing of instruments.

    Its class and kind are those of the broker behind, if that has one only. Steps and bounds are
    not known, and currencies are the account's.
    """
    assets = {ASSET_CLASSES.get(one, AssetClass.UNKNOWN) for one in classes}
    kinds = {INSTRUMENT_KINDS.get(one, InstrumentKind.SPOT) for one in classes}
    currency = reading.currency or _UNKNOWN_CURRENCY
    return Instrument(
        symbol=symbol,
        asset_class=assets.pop() if len(assets) == 1 else AssetClass.UNKNOWN,
        kind=kinds.pop() if len(kinds) == 1 else InstrumentKind.SPOT,
        quote=currency,
        settlement=currency,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        multiplier=Decimal(1),
    )
