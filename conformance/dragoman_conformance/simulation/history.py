"""The history of a run: one line for everything that happened, in order."""

from __future__ import annotations

import hashlib
import json
from typing import Any, TypeAlias

__all__ = ["History", "Row"]

Row: TypeAlias = dict[str, Any]


class History:
    """Rows of the venue, of the client and of the plan, numbered in one sequence."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, Row]] = []

    @property
    def mark(self) -> int:
        """How much has happened so far."""
        return len(self._rows)

    def add(self, who: str, row: str, **facts: object) -> int:
        """Add a row and return its place, from 1."""
        self._rows.append((who, {"row": row, **facts}))
        return len(self._rows)

    def copy(self, row: Row) -> None:
        """Add a row of the venue's ledger."""
        self._rows.append(("venue", row))

    def of(self, who: str) -> list[Row]:
        """Return the rows of one side, in order."""
        return [row for side, row in self._rows if side == who]

    def lines(self) -> list[str]:
        """Return every row as a line of JSON."""
        return [json.dumps({"who": who, **row}, separators=(",", ":")) for who, row in self._rows]

    def hash(self) -> str:
        """Return the digest of all lines: equal for equal runs."""
        digest = hashlib.sha256()
        for line in self.lines():
            digest.update(line.encode())
            digest.update(b"\n")
        return digest.hexdigest()[:16]
