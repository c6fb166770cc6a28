"""Bars of a walk read off its tree: the cost is that of the rows, however long each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import Bar
from dragoman.money import ZERO, add

from .bars import bar_close_ns, bar_open_ns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from dragoman.models import Timeframe, Window

    from .bridge import Node
    from .walk import WalkFeed

__all__ = ["walk_bars"]


def walk_bars(
    feed: WalkFeed, symbol: str, timeframe: Timeframe, window: Window, now_ns: int
) -> Iterator[Bar]:
    """Yield bars of a minute or longer, oldest first, exactly as the prints inside them make them.

    The bar that holds `now_ns` is cut there and incomplete. Turnover and vwap are not known.
    """
    market = feed.market(symbol)
    start_ns = max(market.path.begins_ns, window.start_ns or 0)
    open_ns = bar_open_ns(timeframe, start_ns)
    if open_ns < start_ns:
        open_ns = bar_close_ns(timeframe, open_ns)
    end_ns = now_ns + 1 if window.end_ns is None else min(window.end_ns, now_ns + 1)
    rows = 0
    while open_ns < end_ns and rows != window.limit:
        close_ns = bar_close_ns(timeframe, open_ns)
        summary = _Summary(feed, symbol, open_ns, min(close_ns, now_ns + 1))
        if summary.count:
            yield summary.bar(timeframe, open_ns, is_complete=close_ns <= now_ns)
            rows += 1
        open_ns = close_ns


class _Summary:
    """What the prints of a span come to: whole nodes, and ticks of a minute that its end cuts."""

    def __init__(self, feed: WalkFeed, symbol: str, start_ns: int, end_ns: int) -> None:
        self._feed = feed
        self._market = feed.market(symbol)
        self._start_ns = start_ns
        self._end_ns = end_ns
        self._prices: list[Decimal] = []
        self._volume = ZERO
        self.count = 0
        for node in self._market.path.nodes(start_ns, end_ns):
            self._read(node)

    def bar(self, timeframe: Timeframe, open_ns: int, *, is_complete: bool) -> Bar:
        """Return the span as a bar; there must be a print in it."""
        time_ns = bar_close_ns(timeframe, open_ns) if is_complete else self._end_ns - 1
        return Bar(
            symbol=self._market.instrument.symbol,
            timeframe=timeframe,
            open_time_ns=open_ns,
            open=self._prices[0],
            high=max(self._prices),
            low=min(self._prices),
            close=self._prices[-1],
            volume=self._volume,
            trade_count=self.count,
            is_complete=is_complete,
            provider=self._market.instrument.provider,
            received_at_ns=time_ns,
            venue_time_ns=time_ns,
        )

    def _read(self, node: Node) -> None:
        if node.end_ns <= self._start_ns or node.start_ns >= self._end_ns:
            return
        is_inside = self._start_ns <= node.start_ns and node.end_ns <= self._end_ns
        is_open = self._feed.openness(self._market.instrument, node.start_ns, node.end_ns)
        if is_open is False:
            return
        if is_inside and (is_open or node.minutes == 1):
            self._add(self._market.node_prices(node), self._market.volume(node.lots))
            self.count += node.minutes * self._market.path.prints_of_minute
        elif node.minutes == 1:
            self._read_ticks(node.start_ns)
        else:
            for child in self._market.path.children(node):
                self._read(child)

    def _read_ticks(self, minute_ns: int) -> None:
        for tick in self._market.ticks(minute_ns):
            is_inside = self._start_ns <= tick.time_ns < self._end_ns
            if is_inside and tick.last_price is not None and tick.last_size is not None:
                self._add((tick.last_price,), tick.last_size)
                self.count += 1

    def _add(self, prices: tuple[Decimal, ...], volume: Decimal) -> None:
        self._prices += prices
        self._volume = add(self._volume, volume)
