"""What the kit can say of a requirement, and how many looks at it become one word."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Basis", "Check", "Ending", "Outcome", "ScenarioResult", "Verdict", "merge"]


class Verdict(StrEnum):
    """What became of one requirement.

    PASS: looked at, and it held. FAIL: a MUST that did not hold. WARN: a SHOULD that did not.
    KNOWN: it failed, and is listed as a known failure. STALE: listed as one, but it holds, or the
    listing has run out. NA: it asks for what the subject does not declare. UNTESTED: declared, and
    nothing to look at it with. HARNESS: the kit or its evidence is broken; no word on the subject.
    """

    PASS = "PASS"  # noqa: S105 - a word, and no password
    FAIL = "FAIL"
    WARN = "WARN"
    KNOWN = "KNOWN"
    STALE = "STALE"
    NA = "N/A"
    UNTESTED = "UNTESTED"
    HARNESS = "HARNESS"

    @property
    def is_red(self) -> bool:
        """Whether it keeps a subject from every level."""
        return self in _RED


_RED: Final = frozenset({Verdict.FAIL, Verdict.STALE, Verdict.UNTESTED, Verdict.HARNESS})


class Basis(StrEnum):
    """What a check looked at, weakest first: it bounds the level that the check counts for.

    SIMULATED: the subject over its own simulator, or in process. DERIVED: one of the others with a
    stated change. THIRD_PARTY: payloads of other people's clients. DOCUMENTED: the venue's
    documents. SANDBOX: recorded from the venue's sandbox. LIVE: recorded from the venue.
    """

    SIMULATED = "simulated"
    DERIVED = "derived"
    THIRD_PARTY = "third-party"
    DOCUMENTED = "documented"
    SANDBOX = "sandbox"
    LIVE = "live"

    @property
    def is_recorded(self) -> bool:
        """Whether it was recorded by the kit, so that it can be replayed as a session."""
        return self in (Basis.SIMULATED, Basis.SANDBOX, Basis.LIVE)


@attrs.frozen(kw_only=True)
class Check:
    """One look at one requirement.

    `why` says what was expected and found; of a check that held it may be empty. `exchange` is the
    index of the exchange on the wire that shows it, where one does.
    """

    requirement: str
    held: bool
    why: str = ""
    exchange: int | None = None


class Ending(StrEnum):
    """How a scenario ended.

    COMPLETE: to its last line. RAISED: by an error that is the subject's. HUNG: the time it was
    given ran out. NOT_DECLARED: the subject does not declare what it needs. NO_EVIDENCE: neither a
    simulator nor a recording to run it on. NO_WIRE: it is about bytes, and the subject has none.
    BROKEN: by an error of the kit or its evidence.
    """

    COMPLETE = "COMPLETE"
    RAISED = "RAISED"
    HUNG = "HUNG"
    NOT_DECLARED = "NOT_DECLARED"
    NO_EVIDENCE = "NO_EVIDENCE"
    NO_WIRE = "NO_WIRE"
    BROKEN = "BROKEN"


@attrs.frozen(kw_only=True)
class ScenarioResult:
    """What one run of one scenario showed.

    `proves` are the requirements it set out to look at. `exchanges` are the redacted exchanges on
    the wire, for the report. `seconds` is wall time and no part of any verdict.
    """

    scenario: str
    ending: Ending
    basis: Basis
    proves: tuple[str, ...]
    checks: tuple[Check, ...] = ()
    message: str = ""
    exchanges: tuple[str, ...] = attrs.field(default=(), repr=False)
    seconds: float = attrs.field(default=0.0, eq=False)


@attrs.frozen(kw_only=True)
class Outcome:
    """The word on one requirement, and where it comes from.

    `message` is the cause in one line; `scenarios` those that looked, the deciding one first;
    `basis` the strongest basis among the checks that held.
    """

    requirement: str
    verdict: Verdict
    message: str = ""
    scenarios: tuple[str, ...] = ()
    basis: Basis | None = None


_NO_WORD: Final[dict[Ending, Verdict]] = {
    Ending.NOT_DECLARED: Verdict.NA,
    Ending.NO_WIRE: Verdict.NA,
    Ending.NO_EVIDENCE: Verdict.UNTESTED,
    Ending.BROKEN: Verdict.HARNESS,
}


def merge(requirement: str, results: Iterable[ScenarioResult], *, is_must: bool = True) -> Outcome:
    """Return the word on a requirement from everything that set out to look at it.

    One check that did not hold decides. A scenario that ended too early fails what it had not yet
    looked at; one that ended well without looking is the kit's fault. What nothing looked at
    because the subject does not declare it is N/A.
    """
    told = [_word(requirement, result) for result in results if requirement in _named(result)]
    for verdict in (Verdict.FAIL, Verdict.HARNESS, Verdict.PASS, Verdict.UNTESTED, Verdict.NA):
        deciding = [(result, why) for word, result, why in told if word is verdict]
        if deciding:
            break
    else:
        return Outcome(
            requirement=requirement, verdict=Verdict.UNTESTED, message="no scenario looks at it"
        )
    first, why = deciding[0]
    if verdict is Verdict.FAIL and not is_must:
        verdict = Verdict.WARN
    names = [first.scenario, *[result.scenario for _, result, _ in told]]
    bases = [result.basis for word, result, _ in told if word is Verdict.PASS]
    return Outcome(
        requirement=requirement,
        verdict=verdict,
        message=why,
        scenarios=tuple(dict.fromkeys(names)),
        basis=max(bases, key=list(Basis).index, default=None),
    )


def _named(result: ScenarioResult) -> frozenset[str]:
    return frozenset(result.proves) | {check.requirement for check in result.checks}


def _word(requirement: str, result: ScenarioResult) -> tuple[Verdict, ScenarioResult, str]:
    """Return what one result says of a requirement."""
    checks = [check for check in result.checks if check.requirement == requirement]
    failed = next((check for check in checks if not check.held), None)
    if failed is not None:
        return Verdict.FAIL, result, failed.why
    if result.ending in _NO_WORD:
        return _NO_WORD[result.ending], result, result.message
    if checks:
        return Verdict.PASS, result, ""
    if result.ending in (Ending.RAISED, Ending.HUNG):
        return Verdict.FAIL, result, result.message
    message = f"scenario {result.scenario} ended without a look at {requirement}"
    return Verdict.HARNESS, result, message
