"""What a connection shows of the market beside what the engine tells: bars and the book.

The engine tells quotes, prints, tickers and market states. Bars are built here from prints: told
anew with every print (incomplete), and once more when their time is over. The book is told whole
with every quote. Both only for symbols that somebody reads.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from dragoman.models import Quote, Trade, Window
from dragoman.paper.market import history
from dragoman.paper.market.bars import bar_open_ns

from .bar_stream import BarStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dragoman.models import Event, Subscription
    from dragoman.models.subscription import BarKey

    from .venue import MockVenue

__all__ = ["MarketView"]

_LEVELS: Final = 10


class MarketView:
    """The bars and books that a connection's streams have asked for.

    Args:
        venue: The venue that is looked at; it is open.
        tell: Is given the bars that no print has ended.
    """

    def __init__(self, venue: MockVenue, tell: Callable[[Sequence[Event]], None]) -> None:
        self._venue = venue
        self._tell = tell
        self._books: Counter[str] = Counter()
        self._readers: Counter[BarKey] = Counter()
        self._bars: dict[BarKey, BarStream] = {}

    def open(self, subscription: Subscription) -> None:
        """Begin to show what a subscription asks for."""
        self._books.update(subscription.depth)
        self._readers.update(subscription.bars)
        for key in sorted(subscription.bars, key=str):
            if key not in self._bars:
                self._bars[key] = self._begun(key)
                self._schedule_end(key)

    def close(self, subscription: Subscription) -> None:
        """Stop to show what nobody else asks for."""
        self._books.subtract(subscription.depth)
        self._books += Counter()
        self._readers.subtract(subscription.bars)
        self._readers += Counter()
        for key in subscription.bars:
            if key not in self._readers:
                self._bars.pop(key, None)

    def snapshot(self, subscription: Subscription) -> Iterator[Event]:
        """Yield how everything subscribed to stands now."""
        engine = self._venue.engine
        yield from (engine.market_status(symbol) for symbol in sorted(subscription.market_status))
        yield from (engine.quote(symbol) for symbol in sorted(subscription.quotes))
        yield from (engine.ticker(symbol) for symbol in sorted(subscription.tickers))
        yield from (engine.depth(symbol, _LEVELS) for symbol in sorted(subscription.depth))
        for key in sorted(subscription.bars, key=str):
            bar = self._bars[key].current
            if bar is not None:
                yield bar

    def extend(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield the events, after each the bars and the book that follow from it."""
        for event in events:
            yield event
            if isinstance(event, Quote) and event.symbol in self._books:
                yield self._venue.engine.depth(event.symbol, _LEVELS)
            elif isinstance(event, Trade) and self._bars:
                yield from self._bars_of(event)

    def _bars_of(self, trade: Trade) -> Iterator[Event]:
        time_ns = trade.received_at_ns if trade.venue_time_ns is None else trade.venue_time_ns
        for key, bars in self._bars.items():
            if key[0] == trade.symbol:
                is_first = bars.ends_at_ns is None or time_ns >= bars.ends_at_ns
                yield from bars.add(trade, time_ns)
                if is_first:
                    self._schedule_end(key)

    def _begun(self, key: BarKey) -> BarStream:
        symbol, timeframe = key
        engine = self._venue.engine
        open_ns = bar_open_ns(timeframe, engine.now_ns)
        past = history.bars(
            self._venue.prices.history(symbol),
            engine.instruments[symbol],
            timeframe,
            Window(start_ns=open_ns),
            now_ns=engine.now_ns,
        )
        return BarStream(symbol, timeframe, next(past, None))

    def _schedule_end(self, key: BarKey) -> None:
        ends_at_ns = self._bars[key].ends_at_ns
        if ends_at_ns is not None:
            self._venue.schedule(ends_at_ns, lambda: self._end(key))

    def _end(self, key: BarKey) -> None:
        bars = self._bars.get(key)
        if bars is not None:
            self._tell(bars.close(self._venue.engine.now_ns))
