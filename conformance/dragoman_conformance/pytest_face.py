"""The kit inside a contributor's own pytest: a class with one test for each scenario.

    from dragoman_conformance import conformance
    from acme_broker.conformance import SUBJECT

    TestAcme = conformance(SUBJECT, edition="2026.1")

The tests are plain functions with a loop of their own, so no plugin, marker, fixture or setting is
needed; they can be selected by scenario and by requirement (`-k ORD-AMB-020`). Each looks at one
scenario: which level that makes, and which known failures are stale, `dragoman conform` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from dragoman.times import SystemClock, to_datetime

from .catalogue import EDITION, Keyword, catalogue
from .catalogue import edition as edition_ids
from .declared import declared_names
from .known import read_known
from .levels import lacking
from .runner import declared_by, play_one
from .scenario import all_scenarios
from .verdicts import Ending, Verdict, merge

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from .known import Known
    from .scenario import Scenario
    from .subject import Subject
    from .verdicts import Outcome, ScenarioResult

__all__ = ["conformance"]

_KNOWN: Final = "known.toml"
_NOT_ASKED: Final = frozenset({Ending.NOT_DECLARED, Ending.NO_WIRE})


def conformance(subject: Subject, edition: str = EDITION) -> type:
    """Return a class of tests, to be bound to a name that pytest collects.

    A test fails if a MUST that the edition scores does not hold, is skipped where the subject does
    not declare what it is about, and is an expected failure where `known.toml` lists it. One test
    more fails for a subject that declares too little for any level.

    Raises:
        ConfigurationError: There is no such edition, or the known failures are written wrongly.
    """
    scored = edition_ids(edition)
    known = _known(subject)
    tests: dict[str, object] = {"test_declares_enough": _declaration_test(subject)}
    for scenario in all_scenarios():
        name = f"test_{scenario.name.replace('.', '__')}"
        tests[name] = _test(subject, scenario, scored, known)
    doc = f"The scenarios of edition {edition}, played by {subject.name}."
    return type("Conformance", (), {"__doc__": doc, **tests})


def _known(subject: Subject) -> tuple[Known, ...]:
    file = None if subject.evidence is None else subject.evidence / _KNOWN
    if file is None or not file.is_file():
        return ()
    return tuple(one for one in read_known(file, catalogue(), _today()) if one.expires >= _today())


def _today() -> dt.date:
    return to_datetime(SystemClock().now_ns()).date()


def _declaration_test(subject: Subject) -> Callable[[object], None]:
    def test(_: object) -> None:
        """The subject declares what every level asks for."""
        missing = lacking(frozenset(declared_names(declared_by(subject))))
        if missing:
            pytest.fail(f"{subject.name} declares too little: {'; '.join(missing)}", pytrace=False)

    return test


def _test(
    subject: Subject, scenario: Scenario, scored: frozenset[str], known: Sequence[Known]
) -> Callable[[object], None]:
    def test(_: object) -> None:
        result = play_one(subject, scenario)
        if result.ending in _NOT_ASKED:
            pytest.skip(result.message)
        _judge(result, _failed(result, scored), known)

    test.__doc__ = scenario.act.__doc__
    for requirement in scenario.proves:
        setattr(test, requirement, True)  # pytest's -k looks at the names of attributes
    return test


def _failed(result: ScenarioResult, scored: frozenset[str]) -> list[Outcome]:
    """Return what the scenario says of every scored requirement that is red by it."""
    named = {*result.proves, *(check.requirement for check in result.checks)}
    words = [
        merge(one, [result], is_must=catalogue()[one].keyword is Keyword.MUST)
        for one in sorted(named & scored)
    ]
    return [one for one in words if one.verdict.is_red]


def _judge(result: ScenarioResult, failed: Sequence[Outcome], known: Sequence[Known]) -> None:
    """End the test as the outcomes say."""
    listed = {
        one.requirement: one.issue for one in known if one.scenario in (None, result.scenario)
    }
    lines = [f"{one.requirement} {one.verdict}: {one.message}" for one in failed]
    if all(one.requirement in listed and one.verdict is Verdict.FAIL for one in failed):
        if failed:
            pytest.xfail("; ".join(listed[one.requirement] for one in failed))
        return
    pytest.fail("\n".join(lines), pytrace=False)
