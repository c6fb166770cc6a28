"""From what the scenarios showed to the report: facts of the subject, the words, the level."""

from __future__ import annotations

import datetime as dt
import hashlib
import platform
import re
from collections.abc import Mapping
from importlib.metadata import entry_points, version
from typing import TYPE_CHECKING, Final

import attrs

from dragoman import __version__
from dragoman.adapter import Environment

from ..catalogue import EDITION, Keyword, Level
from ..declared import capability_digest, declared_names
from ..known import Known, apply_known
from ..levels import Standing, decide
from ..verdicts import Basis, merge
from .model import (
    VERSION,
    CapabilitiesRead,
    ExchangeLog,
    Exchanges,
    GrantRow,
    LevelDecision,
    Report,
    RequirementRow,
    RunEnvironment,
    ScenarioRow,
    SubjectRow,
    WithheldRow,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dragoman.capabilities import Capabilities

    from ..catalogue import Catalogue
    from ..levels import Decision
    from ..subject import Subject
    from ..verdicts import Outcome, ScenarioResult

__all__ = ["Facts", "Terms", "facts_of", "folder_digest", "make_exchanges", "make_report"]

_GROUPS: Final = ("dragoman.protocols", "dragoman.subjects", "dragoman.commands")
_UNKNOWN_VERSION: Final = "unknown"
_KNOWN: Final = "known.toml"
_NOT_SAID: Final = "not said"
_FLEETING: Final = (
    (re.compile(r"(127\.0\.0\.1|localhost|\[::1\]):\d+"), r"\1:*"),
    (re.compile(r"\bat 0x[0-9a-fA-F]+"), "at 0x*"),
    (re.compile(r"(?im)^(\s*date:) .*$"), r"\1 *"),
)
"""What differs from run to run in a text: ports of loopback, addresses in memory, and the date that
a server puts on its answer by the machine's clock."""


@attrs.frozen(kw_only=True)
class Facts:
    """What a report says of a subject before anything is played.

    `digest` is that of its declaration, `evidence` that of its evidence, None if it has none.
    `known` is the file of its known failures, None if it has none.
    `coverage` and `is_simulated_venue` are as `Standing` has them.
    """

    name: str
    provider: str
    version: str
    declared: tuple[str, ...]
    digest: str
    evidence: str | None = None
    known: str | None = None
    coverage: Mapping[str, Basis | None] = attrs.field(factory=dict[str, "Basis | None"])
    is_simulated_venue: bool = False


@attrs.frozen(kw_only=True)
class Terms:
    """What a run is judged by.

    `scored` are the ids that the edition scores. `today` is the day of the run, for the expiry of
    `known`. `requested` is the level asked for, None for the highest there is. `selection` is what
    the scenarios were chosen by; with one, only what they look at is told, and no level is decided.
    """

    today: dt.date
    scored: frozenset[str]
    edition: str = EDITION
    known: tuple[Known, ...] = ()
    requested: Level | None = None
    selection: str | None = None


def facts_of(
    subject: Subject,
    capabilities: Capabilities | None,
    coverage: Mapping[str, Basis | None] | None = None,
) -> Facts:
    """Return the facts of a subject that declares these capabilities; None: it could not say.

    Raises:
        UnknownProviderError: The subject's provider is not installed.
        OSError: Its evidence can't be read.
    """
    provider = subject.declared
    is_simulated = subject.in_process is not None or provider.environment is Environment.SIMULATED
    return Facts(
        name=subject.name,
        provider=provider.name,
        version=subject.version or _installed_version(subject.package),
        declared=() if capabilities is None else declared_names(capabilities),
        digest=_NOT_SAID if capabilities is None else capability_digest(capabilities),
        evidence=None if subject.evidence is None else folder_digest(subject.evidence),
        known=_known_file(subject.evidence),
        coverage=coverage or {},
        is_simulated_venue=is_simulated,
    )


def _known_file(evidence: Path | None) -> str | None:
    if evidence is None or not (evidence / _KNOWN).is_file():
        return None
    return str(evidence / _KNOWN)


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 over all files below a folder, names and bytes, in hex.

    Raises:
        OSError: One can't be read.
    """
    digest = hashlib.sha256()
    files = [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    for file in sorted(files, key=lambda file: file.relative_to(folder).as_posix()):
        data = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()}\n{len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def make_report(
    facts: Facts, results: Sequence[ScenarioResult], catalogue: Catalogue, terms: Terms
) -> Report:
    """Return the report on a subject from everything that was played.

    Raises:
        ConfigurationError: What is scored is not in the catalogue.
    """
    ordered = sorted(results, key=lambda result: result.scenario)
    outcomes = _outcomes(ordered, catalogue, terms)
    return Report(
        version=VERSION,
        kit=__version__,
        edition=terms.edition,
        subject=SubjectRow(name=facts.name, provider=facts.provider, version=facts.version),
        capabilities=CapabilitiesRead(digest=facts.digest, names=facts.declared),
        requirements=tuple(
            _requirement_row(outcome, catalogue, is_scored=outcome.requirement in terms.scored)
            for outcome in outcomes
        ),
        scenarios=tuple(_scenario_row(result) for result in ordered),
        suites={suite.prefix: suite.title for suite in catalogue.suites},
        environment=RunEnvironment(python=platform.python_version(), aiohttp=version("aiohttp")),
        decision=None
        if terms.selection is not None
        else _decision(facts, outcomes, catalogue, terms),
        evidence=facts.evidence,
        selection=terms.selection,
    )


def make_exchanges(subject: str, results: Sequence[ScenarioResult]) -> Exchanges:
    """Return what went over the wire in every scenario that kept it, by name."""
    logs = [
        ExchangeLog(scenario=result.scenario, exchanges=tuple(map(_lasting, result.exchanges)))
        for result in sorted(results, key=lambda result: result.scenario)
        if result.exchanges
    ]
    return Exchanges(version=VERSION, subject=subject, logs=tuple(logs))


def _outcomes(
    results: Sequence[ScenarioResult], catalogue: Catalogue, terms: Terms
) -> tuple[Outcome, ...]:
    told = {name for result in results for name in _named(result)}
    outcomes: list[Outcome] = []
    for requirement in catalogue.requirements:
        if terms.selection is not None and requirement.id not in told:
            continue
        is_must = requirement.keyword is Keyword.MUST
        outcome = merge(requirement.id, results, is_must=is_must)
        outcomes.append(
            apply_known(outcome, results, terms.known, requirement=requirement, today=terms.today)
        )
    return tuple(outcomes)


def _named(result: ScenarioResult) -> set[str]:
    return {*result.proves, *(check.requirement for check in result.checks)}


def _decision(
    facts: Facts,
    outcomes: Sequence[Outcome],
    catalogue: Catalogue,
    terms: Terms,
) -> LevelDecision:
    standing = Standing(
        outcomes=outcomes,
        scored=terms.scored,
        declared=frozenset(facts.declared),
        coverage=facts.coverage,
        is_simulated_venue=facts.is_simulated_venue,
    )
    return _decision_row(decide(standing, catalogue, terms.requested))


def _decision_row(decision: Decision) -> LevelDecision:
    return LevelDecision(
        label=decision.label,
        grants=tuple(
            GrantRow(level=grant.level.value, basis=grant.basis.value, label=grant.label)
            for grant in decision.grants
        ),
        withheld=tuple(
            WithheldRow(level=one.level.value, reasons=tuple(map(_lasting, one.reasons)))
            for one in decision.withheld
        ),
        exit_code=int(decision.exit_code),
        requested=None if decision.requested is None else decision.requested.value,
    )


def _requirement_row(outcome: Outcome, catalogue: Catalogue, *, is_scored: bool) -> RequirementRow:
    requirement = catalogue[outcome.requirement]
    return RequirementRow(
        id=requirement.id,
        suite=requirement.suite,
        keyword=requirement.keyword.value,
        level=requirement.level.value,
        text=requirement.text,
        verdict=outcome.verdict.value,
        is_scored=is_scored,
        message=_lasting(outcome.message),
        scenarios=outcome.scenarios,
        basis=None if outcome.basis is None else outcome.basis.value,
    )


def _scenario_row(result: ScenarioResult) -> ScenarioRow:
    return ScenarioRow(
        name=result.scenario,
        ending=result.ending.value,
        basis=result.basis.value,
        message=_lasting(result.message),
        exchanges=len(result.exchanges),
    )


def _lasting(text: str) -> str:
    """Return a text without what differs from run to run."""
    for pattern, replacement in _FLEETING:
        text = pattern.sub(replacement, text)
    return text


def _installed_version(package: str) -> str:
    """Return the version of the distribution that brought a package, by its entry points."""
    for group in _GROUPS:
        for point in entry_points(group=group):
            if point.module.partition(".")[0] == package and point.dist is not None:
                return point.dist.version
    return _UNKNOWN_VERSION
