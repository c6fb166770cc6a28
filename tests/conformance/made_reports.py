"""A small catalogue, results as scenarios would give them, and the reports made of them."""

import datetime as dt

from dragoman_conformance.catalogue import Catalogue, Keyword, Level, Requirement, Suite
from dragoman_conformance.report.build import Facts, Terms, make_exchanges, make_report
from dragoman_conformance.report.html import Column
from dragoman_conformance.verdicts import Basis, Check, Ending, ScenarioResult

TODAY = dt.date(2026, 11, 20)
ENOUGH = ("account.read", "instruments.read", "orders.cancel", "orders.limit")
DOCUMENTED = dict.fromkeys(ENOUGH, Basis.DOCUMENTED)
SUITES = (
    Suite(prefix="ACC", title="The account", level=Level.BRONZE),
    Suite(prefix="REC", title="Reconnection", level=Level.SILVER),
)


def requirement(name, level=Level.BRONZE, keyword=Keyword.MUST, *, is_waivable=True):
    return Requirement(
        id=name,
        suite=name.rpartition("-")[0],
        keyword=keyword,
        level=level,
        text=f"What {name} asks.",
        is_waivable=is_waivable,
    )


CATALOGUE = Catalogue(
    SUITES,
    (
        requirement("ACC-010"),
        requirement("ACC-020", keyword=Keyword.SHOULD),
        requirement("ACC-030", is_waivable=False),
        requirement("REC-010", Level.SILVER),
        requirement("REC-020", Level.SILVER, Keyword.SHOULD),
        requirement("REC-030", Level.SILVER),
    ),
)
SCORED = frozenset({"ACC-010", "ACC-020", "ACC-030", "REC-010", "REC-020"})


def played(requirement, *, why=None, ending=Ending.COMPLETE, scenario=None, **facts):
    """The result of a scenario about one requirement, which held unless `why` says otherwise."""
    is_seen = ending is Ending.COMPLETE or why is not None
    checks = (Check(requirement=requirement, held=why is None, why=why or ""),) if is_seen else ()
    given = {"basis": Basis.SIMULATED, "checks": checks, **facts}
    name = scenario or f"suite.{requirement.lower().replace('-', '_')}"
    return ScenarioResult(scenario=name, ending=ending, proves=(requirement,), **given)


def all_played(**instead):
    """Every requirement held, but for those given as `ACC_010=ScenarioResult | None`."""
    others = {name.replace("_", "-"): result for name, result in instead.items()}
    results = [others.get(one.id, played(one.id)) for one in CATALOGUE.requirements]
    return [result for result in results if result is not None]


def facts(**changes):
    given = {
        "name": "acme",
        "provider": "acme-paper",
        "version": "1.4.0",
        "declared": ENOUGH,
        "digest": "ab" * 32,
        "evidence": "cd" * 32,
    }
    return Facts(**{**given, **changes})


def report_of(results, *, catalogue=CATALOGUE, about=None, **terms):
    given = {"today": TODAY, "scored": SCORED, **terms}
    return make_report(about or facts(), results, catalogue, Terms(**given))


def column_of(results, **terms):
    return Column(report=report_of(results, **terms), exchanges=make_exchanges("acme", results))
