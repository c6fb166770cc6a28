"""The past of a feed as a venue tells it: bars, trades and quotes, never later than now.

Whatever was streamed can be read again here, equal, and the same window cut differently gives the
same rows.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from dragoman.errors import InvalidValueError, Violation
from dragoman.models import PriceSource, Quote, Trade, Window
from dragoman.money import add, multiply
from dragoman.times import MINUTE_NS

from .bars import BarBuilder, bar_close_ns, bar_open_ns
from .walk import WalkFeed
from .walk_bars import walk_bars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.models import Bar, Instrument, Timeframe

    from .feed import MarketTick

__all__ = ["HistoricalFeed", "bars", "quote_of", "quotes", "trade_of", "trades"]

_HALF: Final = Decimal("0.5")
_FIELDS: Final = {
    PriceSource.LAST: "last_price",
    PriceSource.BID: "bid_price",
    PriceSource.ASK: "ask_price",
    PriceSource.MARK: "mark_price",
    PriceSource.INDEX: "index_price",
}


class HistoricalFeed(Protocol):
    """A feed whose past can be read again."""

    def ticks(self, symbol: str, window: Window, now_ns: int) -> Iterator[MarketTick]:
        """Yield the symbol's ticks in the window up to and including `now_ns`, oldest first."""
        ...


def bars(
    feed: HistoricalFeed,
    instrument: Instrument,
    timeframe: Timeframe,
    window: Window,
    *,
    now_ns: int,
    price_source: PriceSource = PriceSource.LAST,
) -> Iterator[Bar]:
    """Yield the bars that open in the window, oldest first; one that `now_ns` cuts is incomplete.

    A span in which nothing printed has no bar. Bars of a walk's prints, a minute or longer, cost
    the same whatever their length, and have no turnover and vwap; all others cost the ticks inside
    them.

    Raises:
        InvalidValueError: `price_source` is UNKNOWN.
    """
    if price_source is PriceSource.UNKNOWN:
        raise InvalidValueError.of(
            "bars", [Violation.of("price_source", price_source, "a known price")]
        )
    length_ns = timeframe.length_ns
    is_whole = length_ns is None or not length_ns % MINUTE_NS
    if isinstance(feed, WalkFeed) and price_source is PriceSource.LAST and is_whole:
        return walk_bars(feed, instrument.symbol, timeframe, window, now_ns)
    builder = BarBuilder(
        instrument.symbol, timeframe, provider=instrument.provider, price_source=price_source
    )
    ticks = feed.ticks(instrument.symbol, _widened(window, timeframe), now_ns)
    return islice(_built(builder, ticks, price_source, now_ns), window.limit)


def trades(
    feed: HistoricalFeed, instrument: Instrument, window: Window, *, now_ns: int
) -> Iterator[Trade]:
    """Yield the prints of the window, oldest first, up to and including `now_ns`."""
    ticks = feed.ticks(instrument.symbol, window, now_ns)
    found = (trade_of(tick, instrument.provider) for tick in ticks)
    return islice((trade for trade in found if trade is not None), window.limit)


def quotes(
    feed: HistoricalFeed, instrument: Instrument, window: Window, *, now_ns: int
) -> Iterator[Quote]:
    """Yield the quotes of the window, oldest first, up to and including `now_ns`."""
    ticks = feed.ticks(instrument.symbol, window, now_ns)
    return islice((quote_of(tick, instrument.provider) for tick in ticks), window.limit)


def trade_of(tick: MarketTick, provider: str) -> Trade | None:
    """Return the print of a tick; None if it has none.

    Its id is the tick's time: unique per symbol in a walk, not always on a tape.
    """
    if tick.last_price is None or tick.last_size is None:
        return None
    return Trade(
        symbol=tick.symbol,
        price=tick.last_price,
        size=tick.last_size,
        aggressor=tick.aggressor,
        trade_id=str(tick.time_ns),
        provider=provider,
        received_at_ns=tick.time_ns,
        venue_time_ns=tick.time_ns,
    )


def quote_of(tick: MarketTick, provider: str) -> Quote:
    """Return the top of the book of a tick."""
    return Quote(
        symbol=tick.symbol,
        bid_price=tick.bid_price,
        bid_size=tick.bid_size,
        ask_price=tick.ask_price,
        ask_size=tick.ask_size,
        provider=provider,
        received_at_ns=tick.time_ns,
        venue_time_ns=tick.time_ns,
    )


def _widened(window: Window, timeframe: Timeframe) -> Window:
    """Return the span of the ticks of all bars that open in the window."""
    start_ns, end_ns = window.start_ns, window.end_ns
    if start_ns is not None:
        open_ns = bar_open_ns(timeframe, start_ns)
        start_ns = open_ns if open_ns == start_ns else bar_close_ns(timeframe, open_ns)
    if end_ns is not None:
        end_ns = bar_close_ns(timeframe, bar_open_ns(timeframe, end_ns - 1))
        end_ns = end_ns if start_ns is None else max(start_ns, end_ns)
    return Window(start_ns=start_ns, end_ns=end_ns)


def _built(
    builder: BarBuilder, ticks: Iterator[MarketTick], source: PriceSource, now_ns: int
) -> Iterator[Bar]:
    for tick in ticks:
        price = _price_of(tick, source)
        if price is None:
            continue
        size = tick.last_size if source is PriceSource.LAST else None
        completed = builder.add(tick.time_ns, price, size)
        if completed is not None:
            yield completed
    last = builder.close(now_ns) or builder.current
    if last is not None:
        yield last


def _price_of(tick: MarketTick, source: PriceSource) -> Decimal | None:
    if source is not PriceSource.MID:
        price: Decimal | None = getattr(tick, _FIELDS[source])
        return price
    if tick.bid_price is None or tick.ask_price is None:
        return None
    return multiply(add(tick.bid_price, tick.ask_price), _HALF)
