"""Two connections that tell the same: each payload is given as often as the fuller one told it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["Overlap"]

_MOST: Final = 100_000


class Overlap:
    """Counts what each of two connections told while both are read.

    Twice the same on one connection is twice the truth; once on each is once. `is_full` says that
    too much came to go on counting.
    """

    def __init__(self, old: int, new: int) -> None:
        self.old = old
        self.new = new
        self._told: dict[int, Counter[Hashable]] = {old: Counter(), new: Counter()}

    @property
    def is_full(self) -> bool:
        """Whether the bound is reached."""
        return sum(map(len, self._told.values())) >= _MOST

    def is_duplicate(self, generation: int, key: Hashable | None) -> bool:
        """Count a payload of one of the two, and tell whether the other told it already."""
        if key is None or generation not in self._told:
            return False
        other = self._told[self.new if generation == self.old else self.old]
        mine = self._told[generation]
        mine[key] += 1
        return mine[key] <= other[key]
