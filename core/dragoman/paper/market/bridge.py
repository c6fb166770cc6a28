"""How a walk of whole numbers is led from an open to a close, and made to fill a high and a low."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from dragoman.times import MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["FINE", "Node", "bridge", "fit", "pin_extremes", "share"]

FINE: Final = 1 << 10
"""How many parts of a tick a walk is reckoned in, before it is cut down to whole ticks."""


class Node(NamedTuple):
    """One span of a price, its end excluded: its prints' prices in ticks, its volume in lots."""

    start_ns: int
    end_ns: int
    open: int
    high: int
    low: int
    close: int
    lots: int

    @property
    def minutes(self) -> int:
        """How many minutes it spans."""
        return (self.end_ns - self.start_ns) // MINUTE_NS


def bridge(node: Node, moves: Sequence[int]) -> list[int]:
    """Return a walk by `moves`, bent to the node's close and toward its high and low.

    Points are in 1024ths of a tick.
    """
    reached = list(accumulate(moves, initial=0))
    count, start = len(moves), node.open * FINE
    bend = node.close * FINE - start - reached[-1]
    points = [start + at + bend * number // count for number, at in enumerate(reached)]
    if count > 1:
        _lean(points, max(range(1, count), key=points.__getitem__), node.high * FINE, 1)
        _lean(points, min(range(1, count), key=points.__getitem__), node.low * FINE, -1)
    return points


def _lean(points: list[int], peak: int, goal: int, sign: int) -> None:
    """Bend a walk three quarters of the way to a goal its peak falls short of, most at the peak."""
    lack = (goal - points[peak]) * 3 // 4
    if lack * sign > 0:
        last = len(points) - 1
        for place in range(1, peak + 1):
            points[place] += lack * place // peak
        for place in range(peak + 1, last):
            points[place] += lack * (last - place) // (last - peak)


def fit(node: Node, top: int, bottom: int) -> Callable[[int], int]:
    """Return the map to ticks that makes a walk between `bottom` and `top` fill the node's range.

    What lies beyond open and close is stretched or squeezed as a whole, so nothing juts out by
    itself.
    """
    upper, lower = max(node.open, node.close) * FINE, min(node.open, node.close) * FINE
    above, over = node.high * FINE - upper, top - upper
    below, under = lower - node.low * FINE, lower - bottom

    def ticks(point: int) -> int:
        if point > upper:
            point = upper + (point - upper) * above // over
        elif point < lower:
            point = lower - (lower - point) * below // under
        return point // FINE

    return ticks


def share(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount by weight, losing nothing."""
    whole = sum(weights) + len(weights)
    ends = [0, *(amount * reached // whole for reached in accumulate(one + 1 for one in weights))]
    return [end - start for start, end in pairwise(ends)]


def pin_extremes(prices: list[int], node: Node) -> set[int]:
    """Make the walk reach its minute's high and low; return the slots that must print."""
    inner = range(1, len(prices) - 1)
    top = max(inner, key=prices.__getitem__)
    if max(prices) < node.high:
        prices[top] = node.high
    bottom = min((slot for slot in inner if slot != top), key=prices.__getitem__)
    if min(prices) > node.low:
        prices[bottom] = node.low
    return {0, len(prices) - 1, prices.index(node.high), prices.index(node.low)}
