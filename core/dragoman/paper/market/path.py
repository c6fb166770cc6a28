"""A price's past and future as a pure function of seed and time, refined from days to ticks.

A day has an open, high, low and close; its hours divide it so that they join, stay within it and
reach both of its extremes; minutes divide hours, and ticks minutes, alike. So any span costs what
it shows and not what went before it, and a bar of any length is exactly what the ticks inside it
make. Everything is whole numbers: prices in ticks, volumes in lots.
"""

from __future__ import annotations

import struct
from hashlib import shake_128
from itertools import pairwise
from math import isqrt
from typing import TYPE_CHECKING, Final, NamedTuple

from dragoman.times import DAY_NS, HOUR_NS, MINUTE_NS

from .bridge import FINE, Node, bridge, fit, pin_extremes, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Minute", "PathShape", "PricePath"]

_LONGEST_PAST_DAYS: Final = 3_660
_MOST_DIVIDED: Final = 64
_HALF: Final = 1 << 15
_UNIFORM_DEVIATION: Final = 18_918  # of 16 random bits: 2**16 / sqrt(12)
_MILLION: Final = 1_000_000
_BILLION: Final = 1_000_000_000
_PULL: Final = (
    200  # a day's part of the way back to the start price, so that prices stay plausible for years
)


class PathShape(NamedTuple):
    """What one price is like: start, reach, and the bounds it never leaves, in ticks and lots."""

    start: int
    floor: int
    ceiling: int
    is_additive: bool
    daily_volatility_ppm: int
    slots: int
    prints: int
    lots: int


class Minute(NamedTuple):
    """The ticks of one minute: each slot's price, and the lots printed there, 0 for no print."""

    start_ns: int
    prices: Sequence[int]
    lots: Sequence[int]


class PricePath:
    """One price, standing at `shape.start` at `anchor_ns` (a whole minute).

    Before the anchor it reaches back 3660 days; after it, on and on.
    """

    def __init__(self, key: str, anchor_ns: int, shape: PathShape) -> None:
        self._key = key
        self._anchor_ns = anchor_ns
        self._shape = shape
        self._after = [shape.start]
        self._before = [shape.start]
        self._roots: dict[int, Node] = {}
        self._divided: dict[Node, tuple[Node, ...]] = {}
        self._minute = Minute(-1, (), ())

    @property
    def prints_of_minute(self) -> int:
        """How many of a minute's ticks are prints; the same in every minute."""
        return self._shape.prints

    @property
    def begins_ns(self) -> int:
        """The start of the first day that is known."""
        return ((self._anchor_ns - 1) // DAY_NS - _LONGEST_PAST_DAYS + 1) * DAY_NS

    def nodes(self, start_ns: int, end_ns: int) -> Iterator[Node]:
        """Yield the days that touch a span, in order; the day of the anchor is two nodes."""
        instant_ns = max(start_ns, self.begins_ns)
        while instant_ns < end_ns:
            node = self._root(instant_ns)
            yield node
            instant_ns = node.end_ns

    def children(self, node: Node) -> tuple[Node, ...]:
        """Return the next finer nodes: a day's hours, an hour's minutes; none of a minute."""
        if node.minutes <= 1:
            return ()
        found = self._divided.get(node)
        if found is None:
            if len(self._divided) >= _MOST_DIVIDED:
                self._divided.clear()
            found = self._divide(node, MINUTE_NS if _same(node, HOUR_NS) else HOUR_NS)
            self._divided[node] = found
        return found

    def minute(self, instant_ns: int) -> Minute:
        """Return the ticks of the minute around an instant."""
        start_ns = instant_ns // MINUTE_NS * MINUTE_NS
        if self._minute.start_ns != start_ns:
            self._minute = self._fill(self._minute_node(start_ns))
        return self._minute

    def _minute_node(self, instant_ns: int) -> Node:
        node = self._root(instant_ns)
        while node.minutes > 1:
            node = next(item for item in self.children(node) if instant_ns < item.end_ns)
        return node

    def _root(self, instant_ns: int) -> Node:
        """Return the day around an instant, or its part on the instant's side of the anchor."""
        anchor_ns, last_past = self._anchor_ns, (self._anchor_ns - 1) // DAY_NS
        day = instant_ns // DAY_NS
        if instant_ns >= anchor_ns:
            start_ns, end_ns = max(anchor_ns, day * DAY_NS), (day + 1) * DAY_NS
            count = day - anchor_ns // DAY_NS + 1
            opening, closing = self._reach(self._after, "after", count)
        else:
            start_ns, end_ns = day * DAY_NS, min(anchor_ns, (day + 1) * DAY_NS)
            closing, opening = self._reach(self._before, "before", last_past - day + 1)
        if start_ns not in self._roots:
            self._roots[start_ns] = self._make_root(start_ns, end_ns, opening, closing)
        return self._roots[start_ns]

    def _reach(self, levels: list[int], way: str, count: int) -> tuple[int, int]:
        """Return the price at both ends of the `count`th day from the anchor, nearer end first."""
        while len(levels) <= count:
            level = levels[-1]
            noise = sum(self._bytes(f"{way}|{len(levels)}", 12)) - 1530  # deviation 256
            moved = self._deviation(level, DAY_NS) * noise // (256 * FINE)
            pulled = (self._shape.start - level) // _PULL
            levels.append(self._bound(level + moved + pulled))
        return levels[count - 1], levels[count]

    def _make_root(self, start_ns: int, end_ns: int, opening: int, closing: int) -> Node:
        up, down, volume = struct.unpack("<3H", self._bytes(f"day|{start_ns}", 6))
        reach = self._deviation(opening, end_ns - start_ns)
        minutes = (end_ns - start_ns) // MINUTE_NS
        surplus = self._shape.lots * (_HALF + volume) // (2 * _HALF)
        return Node(
            start_ns,
            end_ns,
            opening,
            self._bound(max(opening, closing) + reach * up // (2 * _HALF * FINE)),
            self._bound(min(opening, closing) - reach * down // (2 * _HALF * FINE)),
            closing,
            minutes * (self._shape.prints + surplus),
        )

    def _divide(self, node: Node, period_ns: int) -> tuple[Node, ...]:
        first = (node.start_ns // period_ns + 1) * period_ns
        edges = [node.start_ns, *range(first, node.end_ns, period_ns), node.end_ns]
        count = len(edges) - 1
        noise = struct.unpack(
            f"<{4 * count}H", self._bytes(f"{period_ns}|{node.start_ns}", 8 * count)
        )
        step = self._deviation(node.open, period_ns)
        points = bridge(node, [step * (one - _HALF) // _UNIFORM_DEVIATION for one in noise[:count]])
        tops = [
            max(pair) + step * one // (2 * _HALF)
            for pair, one in zip(pairwise(points), noise[count : 2 * count], strict=True)
        ]
        bottoms = [
            min(pair) - step * one // (2 * _HALF)
            for pair, one in zip(pairwise(points), noise[2 * count : 3 * count], strict=True)
        ]
        ticks = fit(node, max(tops), min(bottoms))
        ends, highs, lows = (list(map(ticks, line)) for line in (points, tops, bottoms))
        highs[highs.index(max(highs))] = node.high
        lows[lows.index(min(lows))] = node.low
        prints = self._shape.prints
        least = [prints * ((end - start) // MINUTE_NS) for start, end in pairwise(edges)]
        surplus = share(node.lots - sum(least), noise[3 * count :])
        lots = [few + more for few, more in zip(least, surplus, strict=True)]
        return tuple(
            Node(*span, opening, high, low, closing, volume)
            for span, (opening, closing), high, low, volume in zip(
                pairwise(edges), pairwise(ends), highs, lows, lots, strict=True
            )
        )

    def _fill(self, node: Node) -> Minute:
        slots = self._shape.slots
        noise = struct.unpack(f"<{3 * slots}H", self._bytes(f"minute|{node.start_ns}", 6 * slots))
        step = self._deviation(node.open, MINUTE_NS // slots)
        moves = [step * (one - _HALF) // _UNIFORM_DEVIATION for one in noise[: slots - 1]]
        points = bridge(node, moves)
        prices = list(map(fit(node, max(points), min(points)), points))
        printed = pin_extremes(prices, node)
        order = sorted(range(slots), key=noise[slots : 2 * slots].__getitem__)
        for slot in order:
            if len(printed) >= self._shape.prints:
                break
            printed.add(slot)
        chosen = sorted(printed)
        weights = [noise[2 * slots + slot] ** 2 >> 16 for slot in chosen]
        lots = [0] * slots
        for slot, part in zip(chosen, share(node.lots - len(chosen), weights), strict=True):
            lots[slot] = 1 + part
        return Minute(node.start_ns, prices, lots)

    def _deviation(self, level: int, span_ns: int) -> int:
        """Return the standard deviation of a price at `level` in a span, in 1024ths of a tick."""
        scale = max(abs(self._shape.start), 100) if self._shape.is_additive else level
        part = self._shape.daily_volatility_ppm * isqrt(_MILLION**2 * span_ns // DAY_NS) // 1000
        return scale * part * FINE // _BILLION

    def _bound(self, level: int) -> int:
        return min(max(level, self._shape.floor), self._shape.ceiling)

    def _bytes(self, name: str, count: int) -> bytes:
        return shake_128(f"{self._key}|{name}".encode()).digest(count)


def _same(node: Node, period_ns: int) -> bool:
    return node.start_ns // period_ns == (node.end_ns - 1) // period_ns
