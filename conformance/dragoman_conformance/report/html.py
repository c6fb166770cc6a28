"""The report as one page without scripts: a matrix of requirements and subjects.

Several reports stand side by side. Each cell opens what was found, and from there the redacted
exchanges of the scenarios that looked. Words stand beside the colors, so that nobody needs them.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import attrs

from .matrix import suite_lines
from .model import Exchanges, Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .model import ExchangeLog, RequirementRow

__all__ = ["Column", "page"]

_INITIALS: Final = {
    "PASS": "P",
    "FAIL": "F",
    "WARN": "W",
    "KNOWN": "K",
    "STALE": "S",
    "N/A": "–",  # noqa: RUF001 - a dash, as tables have it
    "UNTESTED": "U",
    "HARNESS": "H",
}
_MEANINGS: Final = {
    "PASS": "it held",
    "FAIL": "a MUST did not hold",
    "WARN": "a SHOULD did not hold",
    "KNOWN": "failed, and listed as known",
    "STALE": "listed as known, and no reason to be",
    "N/A": "asks for what is not declared",
    "UNTESTED": "declared, and nothing to look at it with",
    "HARNESS": "the kit is broken, not the subject",
}
_QUIET: Final = frozenset({"PASS", "N/A"})
_SHORT: Final = 16
_HERE: Final = "dragoman_conformance.report"


@attrs.frozen(kw_only=True)
class Column:
    """One subject of the page: its report, and what went over the wire where that was kept."""

    report: Report
    exchanges: Exchanges | None = None


def page(columns: Sequence[Column]) -> str:
    """Return the page; the columns stand in the order given, the requirements in the catalogue's.

    Of a scenario the last exchanges are shown, cut: 40 where it found something wrong, else 12.
    """
    style = files(_HERE).joinpath("page.css").read_text(encoding="utf-8")
    names = " · ".join(column.report.subject.name for column in columns)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            (
                '<meta http-equiv="Content-Security-Policy"'
                " content=\"default-src 'none'; style-src 'unsafe-inline'\">"
            ),
            f"<title>Conformance: {escape(names)}</title>",
            f"<style>\n{style}</style>",
            "</head>",
            f'<body style="--subjects: {len(columns)}">',
            "<header>",
            f"<h1>Conformance: {escape(names)}</h1>",
            _legend(),
            "</header>",
            "<main>",
            *_subjects(columns),
            *_matrix(columns),
            *_logs(columns),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _legend() -> str:
    words = (f"{_word(word)} {escape(meaning)}" for word, meaning in _MEANINGS.items())
    return (
        '<details class="soft"><summary>What the words mean</summary>'
        f"<p>{'<br>'.join(words)}</p>"
        "<p>What the edition does not score is paler, and counts for no level.</p></details>"
    )


def _subjects(columns: Sequence[Column]) -> list[str]:
    cards = [_card(column.report) for column in columns]
    return ["<h2>Levels</h2>", '<div class="subjects">', *cards, "</div>"]


def _card(report: Report) -> str:
    decision = report.decision
    label = "no level decided" if decision is None else decision.label
    reasons = [
        f"<li>{escape(one.level.capitalize())}: {escape(reason)}</li>"
        for one in (() if decision is None else decision.withheld)
        for reason in one.reasons
    ]
    withheld = (
        "<details><summary>What is withheld, and why</summary>"
        f"<ul>{''.join(reasons)}</ul></details>"
        if reasons
        else ""
    )
    counts = Counter[str](row.verdict for row in report.requirements if row.is_scored)
    tally = "".join(
        f'<span class="word {_class(word)}">{counts[word]} {word}</span>'
        for word in _MEANINGS
        if counts[word]
    )
    return (
        f'<article class="subject"><h3>{escape(report.subject.name)}'
        f' <span class="soft">{escape(report.subject.version)}</span></h3>'
        f'<p class="level">{escape(label)}</p><div class="tally">{tally}</div>'
        f"{_facts(report)}{withheld}</article>"
    )


def _facts(report: Report) -> str:
    facts = {
        "Edition": report.edition,
        "Provider": report.subject.provider,
        "Declaration": report.capabilities.digest[:_SHORT],
        "Evidence": "none" if report.evidence is None else report.evidence[:_SHORT],
        "Kit": report.kit,
        "Python": f"{report.environment.python}, aiohttp {report.environment.aiohttp}",
        "Only": report.selection,
    }
    rows = (
        f"<dt>{name}</dt><dd><code>{escape(value)}</code></dd>"
        for name, value in facts.items()
        if value is not None
    )
    return f'<dl class="facts">{"".join(rows)}</dl>'


def _matrix(columns: Sequence[Column]) -> list[str]:
    heads = "".join(
        f'<th scope="col" role="columnheader" class="subject-name">'
        f"{escape(column.report.subject.name)}</th>"
        for column in columns
    )
    return [
        "<h2>Requirements</h2>",
        (
            "<fieldset><legend class=soft>Show</legend>"
            '<label><input type="radio" name="show" checked> everything</label>'
            '<label><input type="radio" name="show" id="open"> what is not green or grey</label>'
            "</fieldset>"
        ),
        '<table role="table">',
        (
            f'<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Requirement'
            f"</th>{heads}</tr></thead>"
        ),
        *_suites(columns),
        "</table>",
    ]


def _suites(columns: Sequence[Column]) -> list[str]:
    titles: dict[str, str] = {}
    rows: dict[str, RequirementRow] = {}
    for column in columns:
        for line in suite_lines(column.report):
            titles.setdefault(line.prefix, line.title)
        for row in column.report.requirements:
            rows.setdefault(row.id, row)
    parts: list[str] = []
    for prefix, title in titles.items():
        members = [row for row in rows.values() if row.suite == prefix]
        parts += _suite(columns, f"{prefix} {title}", members)
    return parts


def _suite(columns: Sequence[Column], title: str, rows: Sequence[RequirementRow]) -> list[str]:
    body = [_requirement(columns, row) for row in rows]
    green = ' class="green"' if all(_is_green(columns, row.id) for row in rows) else ""
    return [
        (
            f'<tbody role="rowgroup"{green}><tr role="row" class="suite">'
            f'<th role="columnheader" scope="rowgroup">{escape(title)}</th></tr>'
        ),
        *body,
        "</tbody>",
    ]


def _requirement(columns: Sequence[Column], row: RequirementRow) -> str:
    cells = "".join(
        _cell(place, column.report, _found(column.report, row.id))
        for place, column in enumerate(columns)
    )
    green = ' class="green"' if _is_green(columns, row.id) else ""
    return (
        f'<tr role="row"{green} id="r-{row.id}"><th scope="row" role="rowheader"><b>{row.id}</b>'
        f' <span class="soft">{row.keyword} · {row.level}</span>'
        f'<span class="text">{escape(row.text)}</span>{_on_paper(columns, row.id)}</th>{cells}</tr>'
    )


def _on_paper(columns: Sequence[Column], requirement: str) -> str:
    """Return what the cells would open, for readers who can't open them."""
    rows = [(column.report.subject.name, _found(column.report, requirement)) for column in columns]
    return "".join(
        f'<span class="paper" aria-hidden="true">{escape(name)}: {row.verdict}:'
        f" {escape(row.message)}</span>"
        for name, row in rows
        if row is not None and row.verdict not in _QUIET
    )


def _is_green(columns: Sequence[Column], requirement: str) -> bool:
    found = (_found(column.report, requirement) for column in columns)
    return all(row is None or row.verdict in _QUIET for row in found)


def _found(report: Report, requirement: str) -> RequirementRow | None:
    return next((row for row in report.requirements if row.id == requirement), None)


def _cell(place: int, report: Report, row: RequirementRow | None) -> str:
    name = escape(report.subject.name)
    if row is None:
        return '<td role="cell"><span class="soft">–</span></td>'  # noqa: RUF001 - nothing was said
    paler = "" if row.is_scored else " unscored"
    told = [] if not row.message else [f"<p>{escape(row.message)}</p>"]
    if not row.is_scored:
        told.append("<p>The edition does not score it.</p>")
    if row.basis is not None:
        told.append(f'<p class="soft">Held on evidence that is {escape(row.basis)}.</p>')
    kept = {one.name: one.exchanges for one in report.scenarios}
    told += [_link(place, scenario, kept.get(scenario, 0)) for scenario in row.scenarios]
    return (
        f'<td role="cell"><details><summary class="{paler.strip()}"><span class="who">{name}</span>'
        f' {_word(row.verdict)}</summary><div class="found">{"".join(told)}</div></details></td>'
    )


def _link(place: int, scenario: str, exchanges: int) -> str:
    name = escape(scenario)
    if not exchanges:
        return f"<p><code>{name}</code></p>"
    count = "1 exchange" if exchanges == 1 else f"{exchanges} exchanges"
    return f'<p><a href="#x{place}-{name}"><code>{name}</code>: {count}</a></p>'


def _logs(columns: Sequence[Column]) -> list[str]:
    return [
        _log(place, column.report.subject.name, log, _Room.of(column.report, log.scenario))
        for place, column in enumerate(columns)
        if column.exchanges is not None
        for log in column.exchanges.logs
    ]


@attrs.frozen
class _Room:
    """How many exchanges are shown, and how much of each: more where something is wrong."""

    exchanges: int
    letters: int

    @classmethod
    def of(cls, report: Report, scenario: str) -> _Room:
        """Return the room for a scenario."""
        decided = (row for row in report.requirements if scenario in row.scenarios[:1])
        is_quiet = all(row.verdict in _QUIET for row in decided)
        return cls(12, 600) if is_quiet else cls(40, 1500)


def _log(place: int, subject: str, log: ExchangeLog, room: _Room) -> str:
    left = max(0, len(log.exchanges) - room.exchanges)
    shown = "".join(
        f"<li><pre>{escape(_cut(one, room.letters))}</pre></li>" for one in log.exchanges[left:]
    )
    before = f"<p>{left} exchanges before these stand in exchanges.json.</p>" if left else ""
    return (
        f'<article class="log" id="x{place}-{escape(log.scenario)}"><h3>{escape(subject)}:'
        f" <code>{escape(log.scenario)}</code></h3>"
        f'<p><a href="#">Back to the top</a></p>{before}<ol>{shown}</ol></article>'
    )


def _cut(text: str, most: int) -> str:
    left = len(text) - most
    return text if left <= 0 else f"{text[:most]}\n… {left} more characters"


def _word(verdict: str) -> str:
    return (
        f'<span class="word {_class(verdict)}"><span class="initial" aria-hidden="true">'
        f'{_INITIALS[verdict]}</span><span class="full">{verdict}</span></span>'
    )


def _class(verdict: str) -> str:
    return verdict.replace("/", "")
