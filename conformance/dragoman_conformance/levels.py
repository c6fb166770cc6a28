"""Which level a subject has reached, on which evidence, and everything that keeps it from the next.

A level is reached twice over: by what the scenarios show, and by what they were shown on. What only
a simulator bears out is written "(simulated)"; without that word, the venue's own documents or
recordings bear it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import attrs

from .catalogue import Keyword, Level
from .verdicts import Basis, Outcome, Verdict

if TYPE_CHECKING:
    from .catalogue import Catalogue

__all__ = ["Decision", "ExitCode", "Grant", "Standing", "Withheld", "decide", "lacking"]


class ExitCode(IntEnum):
    """What `dragoman conform` ends with.

    CONFORMANT: at the level asked for; asked for none, nothing scored is red and a level was
    reached. NOT_CONFORMANT: it is not. USAGE: the command, the declaration or a file is wrong.
    HARNESS: the kit or its evidence is broken, which says nothing about the subject.
    """

    CONFORMANT = 0
    NOT_CONFORMANT = 1
    USAGE = 2
    HARNESS = 3


@attrs.frozen(kw_only=True)
class Standing:
    """What a decision is made from.

    `declared` are the names of what the subject declares (`declared_names`). `coverage` says, for
    each of them that evidence from outside can show, the strongest evidence there is, None for
    none; empty where there is no evidence from outside at all. `is_simulated_venue` marks a venue
    that exists only as a simulation, about which nothing can be documented or recorded.
    """

    outcomes: Sequence[Outcome]
    scored: frozenset[str]
    declared: frozenset[str]
    coverage: Mapping[str, Basis | None] = attrs.field(factory=dict[str, "Basis | None"])
    is_simulated_venue: bool = False


@attrs.frozen(kw_only=True)
class Grant:
    """A level that was reached, and the weakest evidence it rests on."""

    level: Level
    basis: Basis

    @property
    def label(self) -> str:
        """The level as it may be claimed, such as "Silver (simulated)"."""
        name = self.level.value.capitalize()
        return f"{name} (simulated)" if self.basis is Basis.SIMULATED else name


@attrs.frozen(kw_only=True)
class Withheld:
    """A level that may not be claimed without "(simulated)", or not at all.

    `reasons` are those that do not withhold a lower level already: a level includes those below it.
    """

    level: Level
    reasons: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Decision:
    """The levels granted, lowest first; those withheld; and the exit code that says so."""

    grants: tuple[Grant, ...]
    withheld: tuple[Withheld, ...]
    exit_code: ExitCode
    requested: Level | None = None

    @property
    def label(self) -> str:
        """What may be claimed, in one line; "no level" for nothing."""
        return ", ".join(grant.label for grant in self.grants) or "no level"


_LEVELS: Final = tuple(Level)
_SIMULABLE: Final = (Level.BRONZE, Level.SILVER)
_BASES: Final = tuple(Basis)
_MOST_KNOWN: Final = {Level.BRONZE: 5, Level.SILVER: 2, Level.GOLD: 0}
_WEAKEST: Final = {Level.BRONZE: Basis.DERIVED, Level.SILVER: Basis.SANDBOX}
"""What must at least bear a declaration out: for Bronze anything from outside, even with values put
in by the table's author; for Silver a recording."""
_NEEDED: Final = ("account.read", "instruments.read", "orders.cancel")
_ENTRIES: Final = ("orders.limit", "orders.market")
_NO_RUN: Final = (
    "no run against the venue itself or its sandbox stands behind it, and the kit makes none"
)
_NO_VENUE: Final = "its venue is itself a simulation, so nothing else can bear it out"


def decide(standing: Standing, catalogue: Catalogue, requested: Level | None = None) -> Decision:
    """Return which levels a subject has reached, and every reason why not the others.

    Only what the edition scores counts; a scored requirement nothing was said of is UNTESTED.

    Raises:
        ConfigurationError: An id that is scored is not in the catalogue.
    """
    scored = _scored(standing)
    shown = _shown(scored, standing, catalogue)
    proven = {level: _unproven(level, standing) for level in _LEVELS}
    borne_out = [level for level in _LEVELS if not shown[level] and not proven[level]]
    simulated = [level for level in _SIMULABLE if not shown[level] and level not in borne_out]
    grants = [Grant(level=level, basis=_weakest(standing.coverage)) for level in borne_out[-1:]]
    if simulated and simulated[-1] not in _up_to(borne_out):
        grants.append(Grant(level=simulated[-1], basis=Basis.SIMULATED))
    withheld: list[Withheld] = []
    for level in _LEVELS[len(_up_to(borne_out)) :]:
        told = {reason for lower in withheld for reason in lower.reasons}
        reasons = [one for one in (*shown[level], *proven[level]) if one not in told]
        withheld.append(Withheld(level=level, reasons=tuple(reasons)))
    return Decision(
        grants=tuple(grants),
        withheld=tuple(withheld),
        exit_code=_exit_code(scored, grants, requested),
        requested=requested,
    )


def _up_to(levels: Sequence[Level]) -> tuple[Level, ...]:
    """Return the last of some levels and all below it."""
    return _LEVELS[: _LEVELS.index(levels[-1]) + 1] if levels else ()


def _scored(standing: Standing) -> tuple[Outcome, ...]:
    told = {outcome.requirement: outcome for outcome in standing.outcomes}
    return tuple(
        told.get(one)
        or Outcome(requirement=one, verdict=Verdict.UNTESTED, message="no scenario looks at it")
        for one in sorted(standing.scored)
    )


def _shown(
    scored: Sequence[Outcome], standing: Standing, catalogue: Catalogue
) -> dict[Level, tuple[str, ...]]:
    """Return what in the verdicts keeps the subject from each level."""
    found: dict[Level, tuple[str, ...]] = {}
    for place, level in enumerate(_LEVELS):
        below = _LEVELS[: place + 1]
        rows = [one for one in scored if catalogue[one.requirement].level in below]
        found[level] = (
            *lacking(standing.declared),
            *_red(rows, level),
            *_too_much_known(rows, level, catalogue),
            *([] if any(one.verdict is Verdict.PASS for one in rows) else ["nothing was shown"]),
        )
    return found


def lacking(declared: frozenset[str]) -> list[str]:
    """Return, in words, what must be declared for any level and is not."""
    reasons = [f"{name} is not declared" for name in _NEEDED if name not in declared]
    if not declared.intersection(_ENTRIES):
        reasons.append(f"neither {' nor '.join(_ENTRIES)} is declared")
    return reasons


def _red(rows: Sequence[Outcome], level: Level) -> list[str]:
    return [
        f"{one.requirement} {one.verdict}: {one.message}"
        for one in rows
        if one.verdict.is_red or (level is Level.GOLD and one.verdict is Verdict.WARN)
    ]


def _too_much_known(rows: Sequence[Outcome], level: Level, catalogue: Catalogue) -> list[str]:
    known = [one.requirement for one in rows if one.verdict is Verdict.KNOWN]
    most = _MOST_KNOWN[level]
    reasons: list[str] = []
    if len(known) > most:
        reasons.append(f"{len(known)} known failures, at most {most}: {', '.join(known)}")
    if level is Level.SILVER:
        core = [one for one in known if _is_core(one, catalogue)]
        reasons += [f"{one} is a known failure of what Bronze must have" for one in core]
    return reasons


def _is_core(requirement: str, catalogue: Catalogue) -> bool:
    found = catalogue[requirement]
    return found.level is Level.BRONZE and found.keyword is Keyword.MUST


def _unproven(level: Level, standing: Standing) -> tuple[str, ...]:
    """Return what in the evidence keeps the level from being more than simulated."""
    if standing.is_simulated_venue:
        return (_NO_VENUE,)
    if level is Level.GOLD:
        return (_NO_RUN,)
    weakest = _WEAKEST[level]
    kind = "recording from the venue's sandbox" if level is Level.SILVER else "documented payload"
    if not standing.coverage:
        return (f"no {kind} bears it out",)
    thin = sorted(
        name
        for name, basis in standing.coverage.items()
        if basis is None or _BASES.index(basis) < _BASES.index(weakest)
    )
    return (f"no {kind} of {', '.join(thin)}",) if thin else ()


def _weakest(coverage: Mapping[str, Basis | None]) -> Basis:
    known = [basis for basis in coverage.values() if basis is not None]
    return min(known, key=_BASES.index, default=Basis.SIMULATED)


def _exit_code(
    scored: Sequence[Outcome], grants: Sequence[Grant], requested: Level | None
) -> ExitCode:
    if any(one.verdict is Verdict.HARNESS for one in scored):
        return ExitCode.HARNESS
    if requested is None:
        is_conformant = bool(grants) and not any(one.verdict.is_red for one in scored)
    else:
        least = _LEVELS.index(requested)
        is_conformant = any(_LEVELS.index(grant.level) >= least for grant in grants)
    return ExitCode.CONFORMANT if is_conformant else ExitCode.NOT_CONFORMANT
