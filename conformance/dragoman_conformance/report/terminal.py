"""The report as a screenful: never more than forty lines, the worst of it by name.

Plain text; whoever prints it may color the words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .matrix import NOTHING_SCORED, explained, suite_lines, unplayed

if TYPE_CHECKING:
    from .matrix import SuiteLine
    from .model import Report, RequirementRow

__all__ = ["MOST_LINES", "terminal_lines"]

MOST_LINES: Final = 40

_HEADINGS: Final = ("suite", "", "MUST", "SHOULD", "known", "untested", "verdict")
_RIGHT: Final = frozenset({2, 3, 4, 5})
_GAP: Final = "  "
_QUIET: Final = frozenset({"PASS", "N/A", NOTHING_SCORED})
_MOST_IDS: Final = 6
_SHORT: Final = 12


def terminal_lines(report: Report, *, width: int = 120) -> tuple[str, ...]:
    """Return at most `MOST_LINES` lines of at most `width` characters."""
    head, tail = _head(report), _tail(report)
    table = _table(suite_lines(report))
    room = MOST_LINES - len(head) - len(tail)
    if len(table) + len(explained(report)) > room:
        table = _folded(suite_lines(report), room // 2)
    wrong = _wrong(report, room - len(table))
    return tuple(_cut(line, width) for line in [*head, *table, *wrong, *tail])


def _folded(lines: tuple[SuiteLine, ...], most: int) -> list[str]:
    """Return at most so many lines: the suites in which something is wrong, the others by name."""
    wrong = [line for line in lines if line.verdict not in _QUIET]
    shown = tuple(wrong[: most - 3])
    others = [line.prefix for line in lines if line.verdict in _QUIET]
    table = _table(shown) if shown else []
    if len(wrong) > len(shown):
        table.append(f"{_GAP}... and {len(wrong) - len(shown)} suites more")
    return [*table, f"{_GAP}nothing wrong in {', '.join(others)}"] if others else table


def _head(report: Report) -> list[str]:
    subject = report.subject
    played = "" if report.selection is None else f" · only {report.selection}"
    evidence = "none" if report.evidence is None else report.evidence[:_SHORT]
    return [
        f"conformance {subject.name} {subject.version} · edition {report.edition}{played}",
        (
            f"provider {subject.provider} · declaration {report.capabilities.digest[:_SHORT]}"
            f" · evidence {evidence} · kit {report.kit}"
        ),
    ]


def _table(lines: tuple[SuiteLine, ...]) -> list[str]:
    rows = [_HEADINGS, *map(_cells, lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_GAP + _joined(row, widths) for row in rows]


def _cells(line: SuiteLine) -> tuple[str, ...]:
    counts = (str(line.must), str(line.should), str(line.known), str(line.untested))
    return (line.prefix, line.title, *counts, line.verdict)


def _joined(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        cell.rjust(width) if place in _RIGHT else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return _GAP.join(cells).rstrip()


def _wrong(report: Report, room: int) -> list[str]:
    rows = explained(report)
    if len(rows) <= room:
        return [_row(report, row) for row in rows]
    shown = [_row(report, row) for row in rows[: room - 1]]
    return [*shown, f"{_GAP}... and {len(rows) - len(shown)} more, all of them in report.json"]


def _row(report: Report, row: RequirementRow) -> str:
    text = f"{_GAP}{row.verdict:<8} {row.id:<13} {row.message}"
    if row.verdict == "UNTESTED" and row.scenarios:
        text += f": run `dragoman kit record {report.subject.name} {row.scenarios[0]}`"
    return " ".join(text.splitlines())


def _tail(report: Report) -> list[str]:
    lines: list[str] = []
    skipped = unplayed(report)
    if skipped:
        more = f" and {len(skipped) - _MOST_IDS} more" if len(skipped) > _MOST_IDS else ""
        lines.append(f"{_GAP}not asked of it: {', '.join(skipped[:_MOST_IDS])}{more}")
    if any(row.verdict in ("FAIL", "WARN") for row in explained(report)):
        lines.append(f"{_GAP}`dragoman kit explain ID` says what a requirement asks, and why")
    if report.decision is None:
        return [*lines, "only a part was played: no level is decided"]
    lines += [
        f"{_GAP}{grant.level} rests on evidence that is {grant.basis} or better"
        for grant in report.decision.grants
        if grant.basis != "simulated"
    ]
    for withheld in report.decision.withheld:
        if not withheld.reasons:
            continue  # what withholds a lower level was said before
        first, *others = withheld.reasons
        more = f" (and {len(others)} more reasons)" if others else ""
        lines.append(f"{_GAP}{withheld.level} withheld{more}: {first}")
    return [*lines, f"level: {report.decision.label}"]


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: width - 1]}…"
