"""What changed from one report to another: verdicts, levels, and what is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from .model import Report, RequirementRow

__all__ = ["Change", "changes"]

_GOODNESS: Final = {
    "PASS": 3,
    "N/A": 3,
    "WARN": 2,
    "KNOWN": 2,
    "UNTESTED": 1,
    "STALE": 1,
    "FAIL": 0,
    "HARNESS": 0,
}


@attrs.frozen(kw_only=True)
class Change:
    """One thing that two reports say differently; `before` or `after` None: only one says it."""

    what: str
    before: str | None
    after: str | None
    is_worse: bool = False
    message: str = ""


def changes(before: Report, after: Report) -> tuple[Change, ...]:
    """Return what differs, levels first, then requirements in the order of the newer report."""
    return (*_headers(before, after), *_requirements(before, after))


def _headers(before: Report, after: Report) -> list[Change]:
    pairs = {
        "subject": (before.subject.name, after.subject.name),
        "adapter": (before.subject.version, after.subject.version),
        "edition": (before.edition, after.edition),
        "kit": (before.kit, after.kit),
        "declaration": (before.capabilities.digest, after.capabilities.digest),
        "evidence": (before.evidence, after.evidence),
        "level": (_label(before), _label(after)),
    }
    return [
        Change(what=what, before=old, after=new, is_worse=what == "level" and _lost(before, after))
        for what, (old, new) in pairs.items()
        if old != new
    ]


def _label(report: Report) -> str | None:
    return None if report.decision is None else report.decision.label


def _lost(before: Report, after: Report) -> bool:
    """Return whether something that could be claimed no longer can."""
    if before.decision is None or after.decision is None:
        return False
    now = {grant.label for grant in after.decision.grants}
    return any(grant.label not in now for grant in before.decision.grants)


def _requirements(before: Report, after: Report) -> list[Change]:
    old = {row.id: row for row in before.requirements}
    new = {row.id: row for row in after.requirements}
    found: list[Change] = []
    for name in [*new, *(name for name in old if name not in new)]:
        was, now = old.get(name), new.get(name)
        if was is not None and now is not None and was.verdict == now.verdict:
            continue
        found.append(
            Change(
                what=name,
                before=None if was is None else was.verdict,
                after=None if now is None else now.verdict,
                is_worse=_goodness(now) < _goodness(was),
                message="" if now is None else now.message,
            )
        )
    return found


def _goodness(row: RequirementRow | None) -> int:
    return _GOODNESS["PASS"] if row is None else _GOODNESS[row.verdict]
