"""A feed that says only what it was told: each tick is pushed by its owner."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from dragoman.errors import InvalidValueError, Violation
from dragoman.models import Side
from dragoman.money import format_decimal

from .feed import MarketTick

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dragoman.models import Window

__all__ = ["ScriptedFeed"]


class ScriptedFeed:
    """A queue of ticks in time order.

    Args:
        ticks: The first ticks, in time order.
        symbols: Symbols that it prices although no tick of them has been pushed yet.
    """

    def __init__(self, ticks: Iterable[MarketTick] = (), *, symbols: Iterable[str] = ()) -> None:
        self._ticks: list[MarketTick] = []
        self._taken = 0
        self._now_ns: int | None = None
        self._symbols = set(symbols)
        self.push(*ticks)

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols named at the start, and those of every tick pushed since."""
        return frozenset(self._symbols)

    def push(self, *ticks: MarketTick) -> None:
        """Add ticks to the end of the queue.

        Raises:
            InvalidValueError: A tick lies before the last one, or not after the time taken so far.
        """
        for tick in ticks:
            late = self._now_ns is not None and tick.time_ns <= self._now_ns
            if late or (self._ticks and tick.time_ns < self._ticks[-1].time_ns):
                allowed = "a time not before the last tick pushed, and after the time taken so far"
                raise InvalidValueError.of("push", [Violation.of("time_ns", tick.time_ns, allowed)])
            self._ticks.append(tick)
            self._symbols.add(tick.symbol)

    def next_event_ns(self) -> int | None:
        """Return when the next tick is due; None while none is queued."""
        return self._ticks[self._taken].time_ns if self._taken < len(self._ticks) else None

    def take(self, to_ns: int) -> Sequence[MarketTick]:
        """Return, once, every tick due up to and including `to_ns`, in time order."""
        end = bisect_right(self._ticks, to_ns, lo=self._taken, key=_time_of)
        taken = self._ticks[self._taken : end]
        self._taken = end
        self._now_ns = to_ns if self._now_ns is None else max(self._now_ns, to_ns)
        return taken

    def skip_to(self, instant_ns: int) -> None:
        """Pass over every tick due up to and including `instant_ns`."""
        self.take(instant_ns)

    def ticks(self, symbol: str, window: Window, now_ns: int) -> Iterator[MarketTick]:
        """Yield the past: the symbol's ticks in the window, up to and including `now_ns`."""
        for tick in self._ticks:
            if tick.symbol == symbol and tick.time_ns <= now_ns and window.covers(tick.time_ns):
                yield tick

    def state(self) -> dict[str, object]:
        """Return every tick pushed and how far they are taken, as plain JSON data."""
        return {
            "symbols": sorted(self._symbols),
            "ticks": [_to_row(tick) for tick in self._ticks],
            "taken": self._taken,
            "now_ns": self._now_ns,
        }

    def restore(self, state: dict[str, object]) -> None:
        """Go on from a `state`; what this feed held before is dropped."""
        self._symbols = set(cast("list[str]", state["symbols"]))
        self._ticks = [_from_row(row) for row in cast("list[_Row]", state["ticks"])]
        self._taken = cast("int", state["taken"])
        self._now_ns = cast("int | None", state["now_ns"])


_Row = list[int | str | None]


def _time_of(tick: MarketTick) -> int:
    return tick.time_ns


def _to_row(tick: MarketTick) -> _Row:
    return [format_decimal(value) if isinstance(value, Decimal) else value for value in tick]


def _from_row(row: _Row) -> MarketTick:
    time_ns, symbol, *values = row
    amounts = [None if value is None else str(value) for value in values]
    side = amounts.pop(6)
    bid, bid_size, ask, ask_size, last, last_size, mark, index = (
        None if text is None else Decimal(text) for text in amounts
    )
    return MarketTick(
        time_ns=cast("int", time_ns),
        symbol=cast("str", symbol),
        bid_price=bid,
        bid_size=bid_size,
        ask_price=ask,
        ask_size=ask_size,
        last_price=last,
        last_size=last_size,
        aggressor=None if side is None else Side(side),
        mark_price=mark,
        index_price=index,
    )
