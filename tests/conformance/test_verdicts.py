"""How many looks at a requirement become one word."""

import pytest

from dragoman_conformance.verdicts import Basis, Check, Ending, ScenarioResult, Verdict, merge

ID = "ORD-AMB-020"


def played(*held, ending=Ending.COMPLETE, basis=Basis.SIMULATED, name="one", message=""):
    checks = tuple(Check(requirement=ID, held=one, why="" if one else "sent twice") for one in held)
    return ScenarioResult(
        scenario=name, ending=ending, basis=basis, proves=(ID,), checks=checks, message=message
    )


def word(*results, **options):
    return merge(ID, results, **options).verdict


def test_what_held_everywhere_passes():
    assert Verdict.PASS is word(played(True, True), played(True, name="two"))


def test_one_look_that_did_not_hold_decides():
    outcome = merge(ID, [played(True), played(True, False, name="two")])

    assert (Verdict.FAIL, "sent twice") == (outcome.verdict, outcome.message)
    assert ("two", "one") == outcome.scenarios


def test_a_should_that_did_not_hold_is_a_warning():
    assert Verdict.WARN is word(played(False), is_must=False)


@pytest.mark.parametrize("ending", [Ending.RAISED, Ending.HUNG])
def test_what_ended_before_it_was_looked_at_fails(ending):
    outcome = merge(ID, [played(ending=ending, message="ValueError: no")])

    assert (Verdict.FAIL, "ValueError: no") == (outcome.verdict, outcome.message)


@pytest.mark.parametrize("ending", [Ending.RAISED, Ending.HUNG])
def test_what_was_looked_at_before_the_end_still_counts(ending):
    assert Verdict.PASS is word(played(True, ending=ending))


def test_a_complete_scenario_without_a_look_is_the_kits_fault():
    assert Verdict.HARNESS is word(played())


def test_a_fault_of_the_kit_outweighs_what_held():
    assert Verdict.HARNESS is word(played(True), played(ending=Ending.BROKEN))


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [
        (Ending.NOT_DECLARED, Verdict.NA),
        (Ending.NO_WIRE, Verdict.NA),
        (Ending.NO_EVIDENCE, Verdict.UNTESTED),
        (Ending.BROKEN, Verdict.HARNESS),
    ],
)
def test_what_was_not_played_has_a_word_of_its_own(ending, verdict):
    assert verdict is word(played(ending=ending))


def test_what_held_once_is_not_undone_by_what_was_not_played():
    assert Verdict.PASS is word(played(ending=Ending.NOT_DECLARED), played(True))


def test_nothing_looked_at_it_is_untested():
    assert Verdict.UNTESTED is merge("CFG-010", [played(True)]).verdict


def test_the_strongest_basis_of_what_held_counts():
    results = [played(True), played(True, basis=Basis.DOCUMENTED, name="two")]

    assert Basis.DOCUMENTED is merge(ID, results).basis


def test_a_failure_nobody_set_out_to_look_for_counts():
    stray = ScenarioResult(
        scenario="one",
        ending=Ending.COMPLETE,
        basis=Basis.SIMULATED,
        proves=(),
        checks=(Check(requirement=ID, held=False, why="seen by the way"),),
    )

    assert Verdict.FAIL is word(stray, played(True, name="two"))
