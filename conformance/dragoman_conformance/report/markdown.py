"""The report as Markdown, for the summary of a CI job and for the pages of the documentation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .matrix import explained, suite_lines

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..catalogue import Catalogue
    from .model import Report

__all__ = ["catalogue_page", "markdown", "verdict_list", "verdict_table"]

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>|#])")
_SHORT: Final = 12
_MOST_REASONS: Final = 3


def markdown(report: Report) -> str:
    """Return the whole report, without exchanges, as GitHub's Markdown."""
    subject = report.subject
    evidence = "none" if report.evidence is None else f"`{report.evidence[:_SHORT]}`"
    parts = [
        f"## {_text(subject.name)} {_text(subject.version)}: {_label(report)}",
        (
            f"Edition {_text(report.edition)} · provider `{subject.provider}` ·"
            f" declaration `{report.capabilities.digest[:_SHORT]}` ·"
            f" evidence {evidence} · kit {_text(report.kit)}"
        ),
        verdict_table(report),
        *_wrong(report),
        *_levels(report),
    ]
    return "\n\n".join(parts) + "\n"


def verdict_table(report: Report) -> str:
    """Return one row for each suite."""
    headings = ("Suite", "MUST", "SHOULD", "N/A", "Known", "Untested", "Verdict")
    rows = [
        (
            f"{line.prefix} {_text(line.title)}",
            str(line.must),
            str(line.should),
            str(line.not_applicable),
            str(line.known),
            str(line.untested),
            line.verdict,
        )
        for line in suite_lines(report)
    ]
    return _table(headings, rows)


def _label(report: Report) -> str:
    if report.decision is None:
        return f"only {_text(report.selection or '')}, no level decided"
    return _text(report.decision.label)


def _wrong(report: Report) -> list[str]:
    rows = [
        (row.verdict, row.id, row.keyword, _text(row.message or row.text))
        for row in explained(report)
    ]
    return [_table(("Verdict", "Id", "", "Found"), rows)] if rows else []


def _levels(report: Report) -> list[str]:
    if report.decision is None:
        return []
    lines = [
        f"- {grant.level.capitalize()} rests on evidence that is {grant.basis} or better"
        for grant in report.decision.grants
        if grant.basis != "simulated"
    ]
    for withheld in report.decision.withheld:
        told = [_text(reason) for reason in withheld.reasons] or ["as the level below"]
        more = [f"and {len(told) - _MOST_REASONS} more"] if len(told) > _MOST_REASONS else []
        name = withheld.level.capitalize()
        lines.append(f"- {name} is withheld: {'; '.join([*told[:_MOST_REASONS], *more])}")
    return ["\n".join(lines)] if lines else []


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def catalogue_page(catalogue: Catalogue, scored: Collection[str], edition: str) -> str:
    """Return every requirement as Markdown, a table for each suite."""
    parts: list[str] = []
    for suite in catalogue.suites:
        rows = [
            (
                one.id,
                one.keyword.value,
                one.level.value,
                edition if one.id in scored else "not scored",
                _text(one.text),
            )
            for one in catalogue.requirements
            if one.suite == suite.prefix
        ]
        parts.append(f"## {suite.prefix}: {_text(suite.title)}")
        parts.append(_table(("Id", "", "Level", "Edition", "What it asks"), rows))
    return "\n\n".join(parts) + "\n"


def verdict_list(report: Report) -> str:
    """Return every requirement with its verdict as Markdown, a table for each suite."""
    parts: list[str] = []
    for prefix, title in report.suites.items():
        rows = [
            (
                row.verdict if row.is_scored else f"{row.verdict} (not scored)",
                row.id,
                _text(row.text),
            )
            for row in report.requirements
            if row.suite == prefix
        ]
        if rows:
            parts.append(f"## {prefix}: {_text(title)}")
            parts.append(_table(("Verdict", "Id", "What it asks"), rows))
    return "\n\n".join(parts) + "\n"
