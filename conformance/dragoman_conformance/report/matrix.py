"""A report as a matrix: one line for each suite, and what is wrong or missing by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ..levels import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .model import Report, RequirementRow

__all__ = [
    "NOTHING_SCORED",
    "SuiteLine",
    "Tally",
    "exit_code",
    "explained",
    "suite_lines",
    "unplayed",
    "worst_word",
]

NOTHING_SCORED: Final = "-"
_RED: Final = frozenset({"FAIL", "STALE", "UNTESTED"})
_WORST_FIRST: Final = ("HARNESS", "FAIL", "STALE", "UNTESTED", "KNOWN", "WARN", "PASS", "N/A")


@attrs.frozen
class Tally:
    """How many of some requirements held, of how many that apply."""

    held: int
    of: int

    def __str__(self) -> str:
        return f"{self.held}/{self.of}" if self.of else "-"


@attrs.frozen(kw_only=True)
class SuiteLine:
    """One suite of a report, counting what the edition scores.

    `verdict` is the worst word in it, "-" where the edition scores nothing of it; `not_scored`
    counts what the edition does not count.
    """

    prefix: str
    title: str
    must: Tally
    should: Tally
    known: int
    untested: int
    not_applicable: int
    not_scored: int
    verdict: str


def suite_lines(report: Report) -> tuple[SuiteLine, ...]:
    """Return a line for each suite that a report says anything of, in the catalogue's order."""
    return tuple(
        _line(prefix, title, rows)
        for prefix, title in report.suites.items()
        if (rows := [row for row in report.requirements if row.suite == prefix])
    )


def exit_code(report: Report) -> ExitCode:
    """Return what a run ends with; where only a part was played, whether that part is sound.

    A part in which nothing held is not sound.
    """
    if report.decision is not None:
        return ExitCode(report.decision.exit_code)
    words = {row.verdict for row in report.requirements if row.is_scored}
    if "HARNESS" in words:
        return ExitCode.HARNESS
    is_sound = "PASS" in words and not words & _RED
    return ExitCode.CONFORMANT if is_sound else ExitCode.NOT_CONFORMANT


def worst_word(rows: Sequence[RequirementRow]) -> str:
    """Return the worst verdict among some rows; "N/A" of none."""
    words = {row.verdict for row in rows}
    return next((word for word in _WORST_FIRST if word in words), "N/A")


def explained(report: Report) -> tuple[RequirementRow, ...]:
    """Return the scored rows that are neither green nor grey, worst first."""
    rows = [
        row for row in report.requirements if row.is_scored and row.verdict not in ("PASS", "N/A")
    ]
    return tuple(sorted(rows, key=lambda row: _WORST_FIRST.index(row.verdict)))


def unplayed(report: Report) -> tuple[str, ...]:
    """Return the ids of what is not asked of the subject."""
    return tuple(row.id for row in report.requirements if row.is_scored and row.verdict == "N/A")


def _line(prefix: str, title: str, rows: Sequence[RequirementRow]) -> SuiteLine:
    scored = [row for row in rows if row.is_scored]
    applying = [row for row in scored if row.verdict != "N/A"]
    return SuiteLine(
        prefix=prefix,
        title=title,
        must=_tally([row for row in applying if row.keyword == "MUST"]),
        should=_tally([row for row in applying if row.keyword == "SHOULD"]),
        known=_count(scored, "KNOWN"),
        untested=_count(scored, "UNTESTED"),
        not_applicable=_count(scored, "N/A"),
        not_scored=len(rows) - len(scored),
        verdict=worst_word(scored) if scored else NOTHING_SCORED,
    )


def _tally(rows: Sequence[RequirementRow]) -> Tally:
    return Tally(_count(rows, "PASS"), len(rows))


def _count(rows: Sequence[RequirementRow], word: str) -> int:
    return sum(row.verdict == word for row in rows)
