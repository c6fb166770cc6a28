"""Recorded market data, played again: real prices at their own pace, faster, or over and over."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from importlib.resources import as_file, files
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, cast

from dragoman.errors import InvalidValueError, Violation
from dragoman.money import Rounding, add, round_to_step, subtract
from dragoman.times import SECOND_NS

from .tape_text import load_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dragoman.models import Instrument, Window

    from .feed import MarketTick

__all__ = ["TapeFeed", "bundled_tape"]

_SAMPLE: Final = "sample.csv"
_USUAL_TICK: Final = Decimal("0.01")


def bundled_tape() -> tuple[MarketTick, ...]:
    """Read the tape that comes with the package: a few real quotes and prints, years apart.

    `tapes/README.md` says where each symbol's rows come from. Play it with `longest_pause_ns`, or
    wait for years.
    """
    with as_file(files("dragoman.paper.market") / "tapes" / _SAMPLE) as path:
        return load_rows(path)


class TapeFeed:
    """Plays ticks of a tape (see `tape_text`), each whole: a missing quote is carried on or made.

    A print without a quote beside it keeps the last quote of its symbol while it lies inside;
    otherwise the market is taken to stand one tick either side of the print, each side with the
    print's size. Prints may lie off the tick, as real ones do; a made quote never does.

    Args:
        ticks: The rows, in time order; symbols may be aliases.
        instruments: What the symbols name.
        start_ns: When the first row plays; None plays the tape at its own times.
        speed: How many times faster than recorded; at least 1.
        longest_pause_ns: Longer pauses between rows are cut to this (before `speed`); None keeps
            them.
        at_end: Whether the tape begins again after its last row, one second of tape time later, or
            stops.

    Raises:
        InvalidValueError: The tape is empty, not in time order, names an unknown symbol, or has a
        price at or below zero for an instrument that allows none; or `speed` or `longest_pause_ns`
        is below 1.
    """

    def __init__(
        self,
        ticks: Iterable[MarketTick],
        *,
        instruments: Iterable[Instrument],
        start_ns: int | None = None,
        speed: int = 1,
        longest_pause_ns: int | None = None,
        at_end: Literal["loop", "stop"] = "loop",
    ) -> None:
        for name, value in (("speed", speed), ("longest_pause_ns", longest_pause_ns)):
            if value is not None and value < 1:
                raise InvalidValueError.of("TapeFeed", [Violation.of(name, value, "at least 1")])
        rows = _completed(ticks, instruments)
        self._rows = rows
        self._offsets = _offsets([row.time_ns for row in rows], speed, longest_pause_ns)
        self._period_ns = self._offsets[-1] + SECOND_NS // speed
        self._start_ns = rows[0].time_ns if start_ns is None else start_ns
        self._loops = at_end == "loop"
        self._position = 0

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols of the tape, as the instruments write them."""
        return frozenset(row.symbol for row in self._rows)

    def next_event_ns(self) -> int | None:
        """Return when the next row plays; None at the end of a tape that stops."""
        return self._time_of(self._position) if self._has(self._position) else None

    def take(self, to_ns: int) -> Sequence[MarketTick]:
        """Return, once, every tick due up to and including `to_ns`, in time order."""
        end = max(self._position, self._after(to_ns))
        taken = [self._tick(position) for position in range(self._position, end)]
        self._position = end
        return taken

    def skip_to(self, instant_ns: int) -> None:
        """Pass over every row due up to and including `instant_ns`, at no cost."""
        self._position = max(self._position, self._after(instant_ns))

    def ticks(self, symbol: str, window: Window, now_ns: int) -> Iterator[MarketTick]:
        """Yield the past: the symbol's ticks in the window, up to and including `now_ns`.

        Before its start a tape has none.
        """
        first = 0 if window.start_ns is None else self._after(window.start_ns - 1)
        last = self._after(now_ns if window.end_ns is None else min(now_ns, window.end_ns - 1))
        for position in range(first, last):
            if self._rows[position % len(self._rows)].symbol == symbol:
                yield self._tick(position)

    def state(self) -> dict[str, object]:
        """Return how many rows were played: all else follows from how the feed was made."""
        return {"position": self._position}

    def restore(self, state: dict[str, object]) -> None:
        """Go on from a `state` of a feed made alike."""
        self._position = cast("int", state["position"])

    def _has(self, position: int) -> bool:
        return self._loops or position < len(self._rows)

    def _time_of(self, position: int) -> int:
        rounds, row = divmod(position, len(self._rows))
        return self._start_ns + rounds * self._period_ns + self._offsets[row]

    def _tick(self, position: int) -> MarketTick:
        row = self._rows[position % len(self._rows)]
        return row._replace(time_ns=self._time_of(position))

    def _after(self, instant_ns: int) -> int:
        """Return the position of the first row due after an instant."""
        if instant_ns < self._start_ns:
            return 0
        rounds, offset = divmod(instant_ns - self._start_ns, self._period_ns)
        if rounds and not self._loops:
            return len(self._rows)
        return rounds * len(self._rows) + bisect_right(self._offsets, offset)


def _offsets(times: Sequence[int], speed: int, longest_pause_ns: int | None) -> list[int]:
    """Return when each row plays, counted from the first."""
    elapsed = [0]
    for earlier, later in pairwise(times):
        pause = later - earlier
        if pause < 0:
            allowed = "a time not before the row above"
            raise InvalidValueError.of("TapeFeed", [Violation.of("time_ns", later, allowed)])
        elapsed.append(elapsed[-1] + min(pause, longest_pause_ns or pause))
    return [offset // speed for offset in elapsed]


def _completed(
    ticks: Iterable[MarketTick], instruments: Iterable[Instrument]
) -> tuple[MarketTick, ...]:
    names: dict[str, Instrument] = {}
    for item in instruments:
        names |= dict.fromkeys((item.symbol, *item.aliases), item)
    quoted: dict[str, MarketTick] = {}
    found: list[MarketTick] = []
    for tick in ticks:
        instrument = names.get(tick.symbol)
        if instrument is None:
            raise InvalidValueError.of(
                "TapeFeed",
                [Violation.of("symbol", tick.symbol, "a symbol or alias of an instrument")],
            )
        _check_sign(tick, instrument)
        whole = _with_quote(tick, quoted.get(instrument.symbol), instrument)
        quoted[instrument.symbol] = whole
        found.append(whole)
    if not found:
        raise InvalidValueError.of("TapeFeed", [Violation.of("ticks", (), "at least one row")])
    return tuple(found)


def _check_sign(tick: MarketTick, instrument: Instrument) -> None:
    for name in ("bid_price", "ask_price", "last_price"):
        price: Decimal | None = getattr(tick, name)
        if price is not None and price <= 0 and not instrument.allows_negative_price:
            raise InvalidValueError.of(
                f"TapeFeed {tick.symbol} at {tick.time_ns}", [Violation.of(name, price, "above 0")]
            )


def _with_quote(tick: MarketTick, before: MarketTick | None, instrument: Instrument) -> MarketTick:
    """Return a row under the instrument's own symbol, a missing quote carried on or made."""
    tick = tick._replace(symbol=instrument.symbol)
    price = tick.last_price
    if price is None or tick.bid_price is not None or tick.ask_price is not None:
        return tick
    if before is not None and _holds(before, price):
        return tick._replace(
            bid_price=before.bid_price,
            bid_size=before.bid_size,
            ask_price=before.ask_price,
            ask_size=before.ask_size,
        )
    step = instrument.tick_at(price) or _USUAL_TICK
    bid = round_to_step(subtract(price, step), step, Rounding.FLOOR)
    has_bid = bid > 0 or instrument.allows_negative_price
    return tick._replace(
        bid_price=bid if has_bid else None,
        bid_size=tick.last_size if has_bid else None,
        ask_price=round_to_step(add(price, step), step, Rounding.CEILING),
        ask_size=tick.last_size,
    )


def _holds(quote: MarketTick, price: Decimal) -> bool:
    above_bid = quote.bid_price is None or quote.bid_price <= price
    return above_bid and (quote.ask_price is None or price <= quote.ask_price)
