"""Bars made of prints: where each begins and ends, and how it grows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dragoman.models import Bar, PriceSource, TimeUnit
from dragoman.money import ZERO, add, average, multiply
from dragoman.times import DAY_NS, from_datetime, to_datetime

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Timeframe

__all__ = ["BarBuilder", "bar_close_ns", "bar_open_ns"]

_FIRST_MONDAY_NS: Final = 4 * DAY_NS


def bar_open_ns(timeframe: Timeframe, instant_ns: int) -> int:
    """Return the start of the bar that holds an instant.

    Seconds to days are counted from 1970 in UTC, weeks from a Monday, months from January 1970.
    """
    length_ns = timeframe.length_ns
    if length_ns is None:
        day = to_datetime(instant_ns)
        months = (day.year - 1970) * 12 + day.month - 1
        return _month_ns(months - months % timeframe.count)
    origin_ns = _FIRST_MONDAY_NS if timeframe.unit is TimeUnit.WEEK else 0
    return instant_ns - (instant_ns - origin_ns) % length_ns


def bar_close_ns(timeframe: Timeframe, open_ns: int) -> int:
    """Return the end (excluded) of the bar that opens at `open_ns`."""
    length_ns = timeframe.length_ns
    if length_ns is not None:
        return open_ns + length_ns
    day = to_datetime(open_ns)
    return _month_ns((day.year - 1970) * 12 + day.month - 1 + timeframe.count)


def _month_ns(months: int) -> int:
    return from_datetime(datetime(1970 + months // 12, months % 12 + 1, 1, tzinfo=UTC))


class BarBuilder:
    """Collects prints of one symbol, in time order, into bars of one timeframe.

    A bar exists if something printed in it; no bar is made up for a quiet span. A price without a
    size (a quote's) makes bars without volume, turnover and vwap.
    """

    def __init__(
        self,
        symbol: str,
        timeframe: Timeframe,
        *,
        provider: str = "mock",
        price_source: PriceSource = PriceSource.LAST,
    ) -> None:
        self._symbol = symbol
        self._timeframe = timeframe
        self._provider = provider
        self._price_source = price_source
        self._open_ns: int | None = None
        self._end_ns = 0
        self._prices: list[Decimal] = []
        self._volume = self._turnover = ZERO
        self._count = self._last_ns = 0
        self._is_sized = True

    def add(self, time_ns: int, price: Decimal, size: Decimal | None = None) -> Bar | None:
        """Take one print in; return the bar that its time completes, if any."""
        completed = self.close(time_ns)
        if self._open_ns is None:
            self._open_ns = bar_open_ns(self._timeframe, time_ns)
            self._end_ns = bar_close_ns(self._timeframe, self._open_ns)
            self._prices = [price, price, price, price]
        opening, high, low, _ = self._prices
        self._prices = [opening, max(high, price), min(low, price), price]
        self._count += 1
        self._last_ns = time_ns
        if size is None:
            self._is_sized = False
        else:
            self._volume = add(self._volume, size)
            self._turnover = add(self._turnover, multiply(size, price))
        return completed

    def close(self, now_ns: int) -> Bar | None:
        """Return the bar that has ended by `now_ns` and forget it; None if none has."""
        if self._open_ns is None or now_ns < self._end_ns:
            return None
        bar = self._make(self._open_ns, is_complete=True)
        self._open_ns = None
        self._volume = self._turnover = ZERO
        self._count = 0
        self._is_sized = True
        return bar

    @property
    def current(self) -> Bar | None:
        """The bar so far, incomplete; None while nothing has printed in it."""
        return None if self._open_ns is None else self._make(self._open_ns, is_complete=False)

    def _make(self, open_ns: int, *, is_complete: bool) -> Bar:
        opening, high, low, closing = self._prices
        time_ns = self._end_ns if is_complete else self._last_ns
        has_vwap = self._is_sized and self._volume > 0
        return Bar(
            symbol=self._symbol,
            timeframe=self._timeframe,
            open_time_ns=open_ns,
            open=opening,
            high=high,
            low=low,
            close=closing,
            volume=self._volume if self._is_sized else None,
            turnover=self._turnover if self._is_sized else None,
            vwap=average(self._turnover, self._volume) if has_vwap else None,
            trade_count=self._count if self._is_sized else None,
            price_source=self._price_source,
            is_complete=is_complete,
            provider=self._provider,
            received_at_ns=time_ns,
            venue_time_ns=time_ns,
        )
