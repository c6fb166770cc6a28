"""What each planted bug fails, exactly, in `kill_matrix.toml`, and how that is measured.

A bug is played through the scenarios that prove what it must fail. What it fails in them is in the
matrix, no more and no less; `--full` tells what it fails besides, in all the others.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..catalogue import catalogue
from ..runner import play_all
from ..scenario import all_scenarios
from ..verdicts import Verdict, merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..scenario import Scenario
    from ..subject import Subject
    from ..verdicts import Outcome
    from .mutant import Mutant

__all__ = ["failing", "not_green", "read_matrix", "write_matrix"]

_FILE: Final = Path(__file__).parent / "kill_matrix.toml"
_HEAD: Final = (
    "# What each planted bug fails: made by `python -m dragoman_conformance.selftest --write`.\n"
)


def failing(mutant: Mutant, *, is_full: bool = False) -> frozenset[str]:
    """Return the requirements that a planted bug fails.

    Args:
        mutant: The planted bug.
        is_full: Whether every scenario is played, and not only those that prove what it must fail.
    """
    wanted = set(mutant.kills)
    scenarios = [one for one in all_scenarios() if is_full or wanted.intersection(one.proves)]
    with mutant.grown() as subject:
        outcomes = _outcomes(subject, scenarios)
    return frozenset(
        one.requirement for one in outcomes if one.verdict in (Verdict.FAIL, Verdict.WARN)
    )


def not_green(subject: Subject) -> tuple[Outcome, ...]:
    """Return everything that is not green of a subject that should be: none, if it is correct."""
    outcomes = _outcomes(subject, all_scenarios())
    return tuple([one for one in outcomes if one.verdict not in (Verdict.PASS, Verdict.NA)])


def read_matrix() -> dict[str, frozenset[str]]:
    """Return the requirements that each mutant fails, as they are kept."""
    if not _FILE.is_file():
        return {}
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {name: frozenset(found) for name, found in table.items()}


def write_matrix(matrix: Mapping[str, Iterable[str]]) -> None:
    """Keep what each mutant fails."""
    lines = [f"{name} = [{_quoted(matrix[name])}]\n" for name in sorted(matrix)]
    _FILE.write_text(_HEAD + "".join(lines), encoding="utf-8")


def _outcomes(subject: Subject, scenarios: Iterable[Scenario]) -> tuple[Outcome, ...]:
    results = play_all(subject, scenarios)
    proved = {one for result in results for one in result.proves}
    proved |= {check.requirement for result in results for check in result.checks}
    return tuple([merge(one, results) for one in sorted(proved & _known())])


def _known() -> frozenset[str]:
    return frozenset(one.id for one in catalogue().requirements)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names))
