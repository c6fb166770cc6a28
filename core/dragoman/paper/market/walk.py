"""Made-up markets for every instrument: seeded walks whose past can be asked for too.

All is a pure function of the seed, the start and the time: the feed's only state is how far it has
been taken. So a long pause is skipped at no cost, and what was streamed can be read again later as
history.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, cast

from dragoman.errors import InvalidValueError, Violation
from dragoman.models import TradingState, Window
from dragoman.times import MINUTE_NS, SECOND_NS

from .walk_markets import list_markets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dragoman.models import Instrument

    from .calendar import Calendar
    from .feed import MarketTick
    from .profile import MarketProfile
    from .ticks import SimulatedMarket

__all__ = ["WalkFeed"]

_LONGEST_STEP_NS: Final = 15 * SECOND_NS


class WalkFeed:
    """A tick of each instrument every `step_ns`, the instruments spread evenly over the step.

    Each price stands at its profile's start price at the beginning of the minute that holds
    `start_ns`; before that it has ten years of history. About a third of the ticks are prints. An
    instrument ends at its expiry.

    Args:
        instruments: What to price; an option or perpetual follows its underlying where that is
            among them.
        seed: The same seed, start and instruments give the same ticks.
        start_ns: When the feed begins: its first tick is due then or later.
        step_ns: Divides a minute, at most 15 seconds.
        profiles: How markets behave, by symbol; the rest behave by `default_profile`.
        calendar: While it says CLOSED an instrument has no ticks; None never closes.

    Raises:
        InvalidValueError: `step_ns` does not divide a minute or is too long.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        *,
        seed: int,
        start_ns: int,
        step_ns: int = SECOND_NS,
        profiles: Mapping[str, MarketProfile] | None = None,
        calendar: Calendar | None = None,
    ) -> None:
        if not 0 < step_ns <= _LONGEST_STEP_NS or MINUTE_NS % step_ns:
            allowed = "a divisor of a minute, at most 15 seconds"
            raise InvalidValueError.of("WalkFeed", [Violation.of("step_ns", step_ns, allowed)])
        self._calendar = calendar
        self._markets = list_markets(
            tuple(instruments),
            profiles or {},
            seed=seed,
            anchor_ns=start_ns // MINUTE_NS * MINUTE_NS,
            step_ns=step_ns,
        )
        self._taken_to_ns = start_ns - 1
        self._pending: list[MarketTick] = []
        self._position = 0
        self._next_minute_ns = start_ns // MINUTE_NS * MINUTE_NS

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols this feed prices."""
        return frozenset(self._markets)

    def next_event_ns(self) -> int | None:
        """Return when the next tick is due; None when every instrument has expired."""
        return self._pending[self._position].time_ns if self._load() else None

    def take(self, to_ns: int) -> Sequence[MarketTick]:
        """Return, once, every tick due up to and including `to_ns`, in time order."""
        found: list[MarketTick] = []
        while self._load() and self._pending[self._position].time_ns <= to_ns:
            end = bisect_right(self._pending, to_ns, lo=self._position, key=_time_of)
            found += self._pending[self._position : end]
            self._position = end
        self._taken_to_ns = max(self._taken_to_ns, to_ns)
        return found

    def skip_to(self, instant_ns: int) -> None:
        """Jump over a pause of any length at once: the next tick is due after `instant_ns`."""
        if instant_ns > self._taken_to_ns:
            self._move_to(instant_ns)

    def state(self) -> dict[str, object]:
        """Return how far the feed was taken: all else follows from how it was made."""
        return {"taken_to_ns": self._taken_to_ns}

    def restore(self, state: dict[str, object]) -> None:
        """Go on from a `state` of a feed made alike."""
        self._move_to(cast("int", state["taken_to_ns"]))

    def market(self, symbol: str) -> SimulatedMarket:
        """Return one instrument's market."""
        return self._markets[symbol]

    def openness(self, instrument: Instrument, start_ns: int, end_ns: int) -> bool | None:
        """Tell whether an instrument ticks in a span: in all (True), none (False), parts (None)."""
        expires_at_ns = instrument.expires_at_ns
        if expires_at_ns is not None and end_ns > expires_at_ns:
            return False if start_ns >= expires_at_ns else None
        if self._calendar is None:
            return True
        rows = self._calendar.hours(instrument, Window(start_ns=start_ns, end_ns=end_ns))
        spans = (min(row.closes_at_ns, end_ns) - max(row.opens_at_ns, start_ns) for row in rows)
        trading_ns = sum(spans)
        return None if 0 < trading_ns < end_ns - start_ns else trading_ns > 0

    def _is_open(self, instrument: Instrument, minute_ns: int) -> bool:
        """Tell whether an instrument has ticks in the minute: those that begin in a session do."""
        if instrument.expires_at_ns is not None and minute_ns >= instrument.expires_at_ns:
            return False
        calendar = self._calendar
        return (
            calendar is None or calendar.state_at(instrument, minute_ns) is not TradingState.CLOSED
        )

    def ticks(self, symbol: str, window: Window, now_ns: int) -> Iterator[MarketTick]:
        """Yield the symbol's ticks in the window up to and including `now_ns`, oldest first.

        A window without a start begins with the feed's history, ten years before its own start.
        """
        market = self._markets[symbol]
        begins_ns = market.path.begins_ns
        start_ns = max(begins_ns, begins_ns if window.start_ns is None else window.start_ns)
        end_ns = now_ns + 1 if window.end_ns is None else min(window.end_ns, now_ns + 1)
        for minute_ns in range(start_ns // MINUTE_NS * MINUTE_NS, end_ns, MINUTE_NS):
            if self._is_open(market.instrument, minute_ns):
                for tick in market.ticks(minute_ns):
                    if start_ns <= tick.time_ns < end_ns:
                        yield tick

    def _move_to(self, instant_ns: int) -> None:
        self._taken_to_ns = instant_ns
        self._pending = []
        self._position = 0
        self._next_minute_ns = instant_ns // MINUTE_NS * MINUTE_NS

    def _load(self) -> bool:
        """Hold at least one tick not taken yet; False if none will come."""
        while self._position >= len(self._pending):
            if not self._is_alive():
                return False
            minute_ns = self._next_minute_ns
            self._next_minute_ns += MINUTE_NS
            columns = [
                market.ticks(minute_ns)
                for market in self._markets.values()
                if self._is_open(market.instrument, minute_ns)
            ]
            self._pending = [tick for row in zip(*columns, strict=True) for tick in row]
            self._position = bisect_right(self._pending, self._taken_to_ns, key=_time_of)
        return True

    def _is_alive(self) -> bool:
        ends = (market.instrument.expires_at_ns for market in self._markets.values())
        return any(end is None or end > self._next_minute_ns for end in ends)


def _time_of(tick: MarketTick) -> int:
    return tick.time_ns
