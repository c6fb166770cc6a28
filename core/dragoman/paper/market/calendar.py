"""When each instrument trades: around the clock, or in the sessions of its real market."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from dragoman.errors import InvalidValueError, Violation
from dragoman.models import TradingState
from dragoman.times import DAY_NS

from ..settings import Hours
from .trading_days import Market, market_of, sessions_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.models import Instrument, MarketHours, Window

__all__ = ["Calendar"]

_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = timedelta(days=1)
_LONGEST_REST_DAYS: Final = 14
_LONGEST_WINDOW_DAYS: Final = 3_700


class Calendar:
    """The sessions of every instrument, computed by rule; it knows no halts.

    `Hours.ALWAYS`: one session without end, cut into trading days at midnight UTC. `Hours.REAL`: by
    the kind of market (see `trading_days.market_of`), holidays and daylight saving time observed.
    """

    def __init__(self, hours: Hours = Hours.ALWAYS) -> None:
        self._hours = hours
        self._days: dict[tuple[Market, date], tuple[MarketHours, ...]] = {}

    def state_at(self, instrument: Instrument, instant_ns: int) -> TradingState:
        """Return what the market lets one do at an instant."""
        market = self._market(instrument)
        if market is Market.AROUND_THE_CLOCK:
            return TradingState.OPEN
        for row in self._from(market, instant_ns):
            if row.opens_at_ns > instant_ns:
                return TradingState.CLOSED
            if row.closes_at_ns > instant_ns:
                return row.state
        return TradingState.CLOSED

    def hours(self, instrument: Instrument, window: Window) -> tuple[MarketHours, ...]:
        """Return the sessions that touch the window, whole and in order; between them it is closed.

        A window open on a side reaches thirty days that way from its other side; `limit` bounds the
        rows.

        Raises:
            InvalidValueError: The window has no side at all, or is longer than ten years.
        """
        start_ns, end_ns = _bounds(window)
        found: list[MarketHours] = []
        for row in self._from(
            self._market(instrument), start_ns, (end_ns - start_ns) // DAY_NS + 3
        ):
            if row.opens_at_ns >= end_ns or len(found) == window.limit:
                break
            if row.closes_at_ns > start_ns:
                found.append(row)
        return tuple(found)

    def next_open_ns(self, instrument: Instrument, instant_ns: int) -> int:
        """Return when the next regular session begins, strictly after the instant."""
        rows = self._from(self._market(instrument), instant_ns)
        return next(
            row.opens_at_ns
            for row in rows
            if row.state is TradingState.OPEN and row.opens_at_ns > instant_ns
        )

    def next_close_ns(self, instrument: Instrument, instant_ns: int) -> int:
        """Return when the next regular session ends, strictly after the instant.

        That is when orders for the DAY end.
        """
        rows = self._from(self._market(instrument), instant_ns)
        return next(
            row.closes_at_ns
            for row in rows
            if row.state is TradingState.OPEN and row.closes_at_ns > instant_ns
        )

    def _market(self, instrument: Instrument) -> Market:
        return Market.AROUND_THE_CLOCK if self._hours is Hours.ALWAYS else market_of(instrument)

    def _from(
        self, market: Market, instant_ns: int, days: int = _LONGEST_REST_DAYS
    ) -> Iterator[MarketHours]:
        """Yield sessions in order, from at most two days before the instant on."""
        first = _EPOCH + timedelta(days=instant_ns // DAY_NS - 1)
        for count in range(days + 1):
            yield from self._sessions(market, first + count * _DAY)

    def _sessions(self, market: Market, day: date) -> tuple[MarketHours, ...]:
        key = (market, day)
        found = self._days.get(key)
        if found is None:
            found = self._days[key] = sessions_of(market, day)
        return found


def _bounds(window: Window) -> tuple[int, int]:
    start_ns, end_ns = window.start_ns, window.end_ns
    if start_ns is None and end_ns is not None:
        start_ns = end_ns - 30 * DAY_NS
    if end_ns is None and start_ns is not None:
        end_ns = start_ns + 30 * DAY_NS
    if start_ns is None or end_ns is None or end_ns - start_ns > _LONGEST_WINDOW_DAYS * DAY_NS:
        raise InvalidValueError.of(
            "hours", [Violation.of("window", window, "a start or an end, and at most ten years")]
        )
    return start_ns, end_ns
