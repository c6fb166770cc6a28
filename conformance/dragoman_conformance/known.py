"""Known failures: what a subject's authors say is wrong and will be put right, and until when.

`known.toml` lies with the subject's evidence. An entry turns a failure amber, never green: it names
an issue that everybody can read, and it runs out. One that holds back nothing any more is as red as
a failure, so that the list can't rot.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from dragoman.errors import ConfigurationError

from .catalogue import Keyword
from .verdicts import Verdict, merge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .catalogue import Catalogue, Requirement
    from .verdicts import Outcome, ScenarioResult

__all__ = ["LONGEST_DAYS", "Known", "apply_known", "read_known"]

LONGEST_DAYS: Final = 180
"""How many days from the day of the run an entry may go on at most."""

_NEEDED: Final = ("id", "issue", "expires", "reason")
_ALLOWED: Final = frozenset({*_NEEDED, "scenario"})
_HEADER: Final = re.compile(r"\s*\[\[\s*known\s*\]\]")
_URL: Final = re.compile(r"https?://[^\s/]+/\S+")
_FAILED: Final = frozenset({Verdict.FAIL, Verdict.WARN})


@attrs.frozen(kw_only=True)
class Known:
    """One failure that is known.

    `scenario` narrows it to what that one scenario shows; None takes them all. The entry counts up
    to and on the day `expires`.
    """

    requirement: str
    issue: str
    expires: dt.date
    reason: str
    scenario: str | None = None


def read_known(file: Path, catalogue: Catalogue, today: dt.date) -> tuple[Known, ...]:
    """Return the entries of a `known.toml`, in order.

    Raises:
        ConfigurationError: The file can't be read, or an entry lacks something, has something
            unknown, names no requirement or one that is never waived, or runs for longer than
            `LONGEST_DAYS` from today. The message begins with file and line.
    """
    try:
        text = file.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: the known failures can't be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: this is no TOML: {error}") from None
    rows: object = table.get("known", [])
    if set(table) - {"known"} or not isinstance(rows, list):
        raise ConfigurationError(f"{file}:1: a file of known failures has tables [[known]] only")
    entries = cast("list[object]", rows)
    lines = _Lines(file, text)
    found = [_entry(row, lines, place) for place, row in enumerate(entries)]
    for place, entry in enumerate(found):
        _check(entry, catalogue, today, lines.place(place))
    return tuple(found)


class _Lines:
    """Where in the file each entry begins; TOML's reader does not tell."""

    def __init__(self, file: Path, text: str) -> None:
        self._file = file
        rows = enumerate(text.splitlines(), start=1)
        self._numbers = [number for number, line in rows if _HEADER.match(line)]

    def place(self, entry: int) -> str:
        """Return `file:line` of an entry, by its index."""
        number = self._numbers[entry] if entry < len(self._numbers) else 1
        return f"{self._file}:{number}"


def _entry(row: object, lines: _Lines, index: int) -> Known:
    where = lines.place(index)
    if not isinstance(row, dict):
        raise ConfigurationError(f"{where}: an entry is a table [[known]], not {row!r}")
    facts = cast("dict[str, Any]", row)
    missing = [name for name in _NEEDED if name not in facts]
    unknown = sorted(set(facts) - _ALLOWED)
    if missing:
        raise ConfigurationError(f"{where}: the entry lacks {', '.join(missing)}")
    if unknown:
        allowed = ", ".join((*_NEEDED, "scenario"))
        raise ConfigurationError(f"{where}: there is no field {unknown[0]!r}; it has {allowed}")
    expires = facts["expires"]
    if not isinstance(expires, dt.date) or isinstance(expires, dt.datetime):
        raise ConfigurationError(f"{where}: expires is a date such as 2027-03-01, not {expires!r}")
    for name in ("id", "issue", "reason", "scenario"):
        if not isinstance(facts.get(name, "text"), str) or facts.get(name, "text") == "":
            raise ConfigurationError(f"{where}: {name} is a text, not {facts[name]!r}")
    return Known(
        requirement=facts["id"],
        issue=facts["issue"],
        expires=expires,
        reason=facts["reason"],
        scenario=facts.get("scenario"),
    )


def _check(entry: Known, catalogue: Catalogue, today: dt.date, where: str) -> None:
    if entry.requirement not in catalogue:
        raise ConfigurationError(f"{where}: there is no requirement {entry.requirement!r}")
    if not catalogue[entry.requirement].is_waivable:
        raise ConfigurationError(f"{where}: {entry.requirement} can never be waived")
    if not _URL.fullmatch(entry.issue):
        raise ConfigurationError(f"{where}: issue is the URL of one issue, not {entry.issue!r}")
    last = today + dt.timedelta(days=LONGEST_DAYS)
    if entry.expires > last:
        message = f"{where}: expires {entry.expires} is more than {LONGEST_DAYS} days ahead"
        raise ConfigurationError(f"{message}; the latest day is {last}")


def apply_known(
    outcome: Outcome,
    results: Sequence[ScenarioResult],
    entries: Sequence[Known],
    *,
    requirement: Requirement,
    today: dt.date,
) -> Outcome:
    """Return an outcome with what is known of it taken into account.

    A failure that entries cover whole is KNOWN. An entry that has run out, or that nothing fails
    any more, makes the outcome STALE. What is broken in the kit stays what it is.
    """
    mine = [entry for entry in entries if entry.requirement == requirement.id]
    if not mine or outcome.verdict is Verdict.HARNESS:
        return outcome
    expired = next((entry for entry in mine if entry.expires < today), None)
    if expired is not None:
        message = f"the known failure ran out on {expired.expires}: {expired.issue}"
        return attrs.evolve(outcome, verdict=Verdict.STALE, message=message)
    failed = _failed(requirement, results)
    for entry in mine:
        if not failed or (entry.scenario is not None and entry.scenario not in failed):
            return attrs.evolve(outcome, verdict=Verdict.STALE, message=_stale(entry, outcome))
    named = {entry.scenario for entry in mine}
    if None not in named and failed - named:
        return outcome
    why = f"{mine[0].reason} ({mine[0].issue}, until {mine[0].expires}): {outcome.message}"
    return attrs.evolve(outcome, verdict=Verdict.KNOWN, message=why)


def _failed(requirement: Requirement, results: Sequence[ScenarioResult]) -> set[str]:
    is_must = requirement.keyword is Keyword.MUST
    words = ((one, merge(requirement.id, [one], is_must=is_must).verdict) for one in results)
    return {one.scenario for one, verdict in words if verdict in _FAILED}


def _stale(entry: Known, outcome: Outcome) -> str:
    if outcome.verdict in _FAILED and entry.scenario is not None:
        return f"listed as a known failure of {entry.scenario}, which does not fail it"
    told = "it holds" if outcome.verdict is Verdict.PASS else f"it is {outcome.verdict}"
    return f"listed as a known failure, but {told}: delete the entry ({entry.issue})"
