"""The append-only ledger of everything the venue ever did: the one thing a checker believes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .messages import Json

__all__ = ["Ledger"]


class Ledger:
    """Rows in the order in which they happened.

    Each has `row` (what it is), `n` (its place, from 1) and `at_ns`. The rows are `opened`,
    `request`, `maintenance`, `ban`, `accepted`, `refused`, `replaced`, `canceling`, `fill` and
    `ended`, and `note` for what a test adds.

    Args:
        now_ns: Tells the venue's time.
        copy: Is handed each row as it is added, if given.
    """

    def __init__(
        self, now_ns: Callable[[], int], copy: Callable[[Json], None] | None = None
    ) -> None:
        self.now_ns = now_ns
        self._rows: list[Json] = []
        self.copy = copy

    @property
    def rows(self) -> tuple[Json, ...]:
        """Every row, oldest first."""
        return tuple(self._rows)

    def add(self, row: str, **facts: object) -> None:
        """Add one row."""
        made = {"row": row, "n": len(self._rows) + 1, "at_ns": self.now_ns(), **facts}
        self._rows.append(made)
        if self.copy is not None:
            self.copy(made)

    def lines(self) -> list[str]:
        """Return the rows as lines of JSON."""
        return [json.dumps(row, separators=(",", ":")) for row in self._rows]

    def of(self, row: str) -> list[Json]:
        """Return the rows of one kind."""
        return [one for one in self._rows if one["row"] == row]
