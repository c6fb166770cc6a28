"""What the account was worth, each time that was told: the past of it that is known here."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

__all__ = ["EquityCurve"]


class EquityCurve:
    """Equity by time; at most so many points, of which the older half is thinned out."""

    def __init__(self, most: int = 200_000) -> None:
        self._most = max(most, 4)
        self._times: list[int] = []
        self._values: list[Decimal] = []

    def add(self, at_ns: int, equity: Decimal) -> None:
        """Know the equity at a time; what was told later in the past counts as told just now."""
        if self._times and at_ns <= self._times[-1]:
            self._values[-1] = equity
            return
        if self._values and self._values[-1] == equity:
            return
        self._times.append(at_ns)
        self._values.append(equity)
        if len(self._times) > self._most:
            half = len(self._times) // 2
            self._times[1:half] = self._times[1:half:2]
            self._values[1:half] = self._values[1:half:2]

    @property
    def newest_ns(self) -> int:
        """When the newest word was told: a venue's clock may be ahead of ours. 0 before any."""
        return self._times[-1] if self._times else 0

    def before(self, at_ns: int) -> Decimal | None:
        """Return the equity last told before a time; None if none was."""
        index = bisect_right(self._times, at_ns - 1)
        return self._values[index - 1] if index else None

    def steps(self, start_ns: int, end_ns: int, step_ns: int) -> Iterator[tuple[int, Decimal]]:
        """Yield the beginning of each step and the equity last told by its end, where one was."""
        for begin_ns in range(start_ns, end_ns + 1, step_ns):
            equity = self.before(min(begin_ns + step_ns, end_ns + 1))
            if equity is not None:
                yield begin_ns, equity
