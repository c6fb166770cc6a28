"""What a command answers with: one JSON document, or tables.

On a terminal a table is drawn; over a pipe it is plain columns, never cut and never wrapped, so
that other programs can read them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import attrs
from rich import box
from rich.table import Table as DrawnTable
from rich.text import Text

from dragoman.models.serde import to_plain

from .wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

__all__ = ["Column", "Sheet", "draw", "json_text", "plain_lines", "with_tone"]

_GAP: Final = "  "
_TONES: Final = {
    "BUY": "green",
    "SELL": "red",
    "FILLED": "green",
    "REJECTED": "red",
    "UNKNOWN": "bold red",
    "CANCELED": "yellow",
    "EXPIRED": "yellow",
    "LIVE": "bold red",
    "ok": "green",
    "broken": "bold red",
    "note": "yellow",
}


@attrs.frozen
class Column:
    """A column of a sheet; numbers stand to the right."""

    title: str
    is_number: bool = False


@attrs.frozen(kw_only=True)
class Sheet:
    """A table of texts. `empty` is what is said when there are no rows."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "nothing"

    @classmethod
    def of(
        cls,
        titles: str,
        rows: Iterable[Sequence[str]],
        *,
        numbers: str = "",
        empty: str = "nothing",
    ) -> Sheet:
        """Make a sheet from the titles of its columns, and of those among them that are numbers.

        Titles are single words, apart by spaces.
        """
        right = frozenset(numbers.split())
        columns = tuple(Column(title, title in right) for title in titles.split())
        texts = tuple(tuple(printable(cell) for cell in row) for row in rows)
        return cls(columns=columns, rows=texts, empty=empty)


def json_text(facts: Mapping[str, object]) -> str:
    """Return one line of ASCII JSON; models become plain data, exactly."""
    return json.dumps({name: to_plain(value) for name, value in facts.items()})


def plain_lines(sheet: Sheet) -> list[str]:
    """Return a sheet as aligned columns without rules or trailing spaces."""
    if not sheet.rows:
        return [sheet.empty]
    titles = tuple(column.title for column in sheet.columns)
    table = [titles, *sheet.rows]
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    lines: list[str] = []
    for row in table:
        cells = [
            cell.rjust(width) if column.is_number else cell.ljust(width)
            for cell, width, column in zip(row, widths, sheet.columns, strict=True)
        ]
        lines.append(_GAP.join(cells).rstrip())
    return lines


def draw(console: Console, sheet: Sheet) -> None:
    """Draw a sheet on a terminal, folding what is too wide."""
    if not sheet.rows:
        console.print(Text(sheet.empty, style="dim"))
        return
    table = DrawnTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in sheet.columns:
        table.add_column(
            column.title, justify="right" if column.is_number else "left", overflow="fold"
        )
    for row in sheet.rows:
        table.add_row(*map(with_tone, row))
    console.print(table)


def with_tone(cell: str) -> Text:
    """Return a cell in the color of its word, if it has one."""
    return Text(cell, style=_TONES.get(cell, ""))
