"""One streamed bar after another: what had printed before somebody asked, and every print since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dragoman.money import add, average
from dragoman.paper.market.bars import BarBuilder, bar_close_ns

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Bar, Timeframe, Trade

__all__ = ["BarStream"]


class BarStream:
    """The bars of one symbol and timeframe.

    Args:
        symbol: Whose prints are taken.
        timeframe: How long each bar is.
        begun: The bar under way as history tells it; None if nothing has printed in it.
    """

    def __init__(self, symbol: str, timeframe: Timeframe, begun: Bar | None) -> None:
        self._builder = BarBuilder(symbol, timeframe)
        self._timeframe = timeframe
        self._begun = begun

    @property
    def current(self) -> Bar | None:
        """The bar so far, incomplete; None while nothing has printed in it."""
        bar = self._builder.current
        return self._begun if bar is None else self._whole(bar)

    @property
    def ends_at_ns(self) -> int | None:
        """When the bar under way is over; None if there is none."""
        bar = self.current
        return None if bar is None else bar_close_ns(self._timeframe, bar.open_time_ns)

    def add(self, trade: Trade, time_ns: int) -> tuple[Bar, ...]:
        """Take a print in; return the bar that it ended, if any, and the one it is part of."""
        ended = self.close(time_ns)
        self._builder.add(time_ns, trade.price, trade.size)
        current = self.current
        return ended if current is None else (*ended, current)

    def close(self, now_ns: int) -> tuple[Bar, ...]:
        """Return, once, the bar whose time is over by `now_ns`, if any."""
        ends_at_ns, begun = self.ends_at_ns, self._begun
        if ends_at_ns is None or now_ns < ends_at_ns:
            return ()
        bar = self._builder.close(now_ns) or begun
        whole = None if bar is None else self._whole(bar)
        self._begun = None
        if whole is None:
            return ()
        return (
            attrs.evolve(
                whole, is_complete=True, received_at_ns=ends_at_ns, venue_time_ns=ends_at_ns
            ),
        )

    def _whole(self, bar: Bar) -> Bar:
        """Return a bar together with what had printed in it before."""
        begun = self._begun
        if begun is None or begun is bar or begun.open_time_ns != bar.open_time_ns:
            return bar
        volume = _sum(begun.volume, bar.volume)
        turnover = _sum(begun.turnover, bar.turnover)
        counts = begun.trade_count, bar.trade_count
        return attrs.evolve(
            bar,
            open=begun.open,
            high=max(begun.high, bar.high),
            low=min(begun.low, bar.low),
            volume=volume,
            turnover=turnover,
            vwap=average(turnover, volume) if turnover is not None and volume else None,
            trade_count=None if None in counts else sum(filter(None, counts)),
        )


def _sum(before: Decimal | None, since: Decimal | None) -> Decimal | None:
    return None if before is None or since is None else add(before, since)
