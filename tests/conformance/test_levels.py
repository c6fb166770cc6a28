"""The decision: which level, on what evidence, why not the next, and the exit code."""

import pytest
from tests.conformance.made_reports import (
    CATALOGUE,
    DOCUMENTED,
    ENOUGH,
    SCORED,
)

from dragoman_conformance.catalogue import Level
from dragoman_conformance.levels import ExitCode, Standing, decide
from dragoman_conformance.verdicts import Basis, Outcome, Verdict

SANDBOX = dict.fromkeys(ENOUGH, Basis.SANDBOX)


def decided(words=None, *, requested=None, **changes):
    verdicts = {**dict.fromkeys(SCORED, Verdict.PASS), **(words or {})}
    outcomes = [Outcome(requirement=one, verdict=told) for one, told in verdicts.items()]
    given = {"outcomes": outcomes, "scored": SCORED, "declared": frozenset(ENOUGH), **changes}
    return decide(Standing(**given), CATALOGUE, requested)


def reasons(decision, level):
    return next(one.reasons for one in decision.withheld if one.level is level)


def test_all_green_over_a_simulator_is_silver_simulated_and_says_so():
    decision = decided()

    assert "Silver (simulated)" == decision.label
    assert ExitCode.CONFORMANT is decision.exit_code
    assert ("no documented payload bears it out",) == reasons(decision, Level.BRONZE)


def test_documents_for_all_that_is_declared_bear_bronze_out():
    decision = decided(coverage=DOCUMENTED)

    assert "Bronze, Silver (simulated)" == decision.label
    assert [Basis.DOCUMENTED, Basis.SIMULATED] == [grant.basis for grant in decision.grants]


@pytest.mark.parametrize("basis", [None, Basis.SIMULATED])
def test_one_capability_without_a_document_keeps_bronze_simulated(basis):
    decision = decided(coverage={**DOCUMENTED, "orders.limit": basis})

    assert "Silver (simulated)" == decision.label
    assert ("no documented payload of orders.limit",) == reasons(decision, Level.BRONZE)


def test_recordings_from_the_sandbox_bear_silver_out():
    decision = decided(coverage=SANDBOX)

    assert "Silver" == decision.label
    assert [Level.GOLD] == [one.level for one in decision.withheld]


def test_one_recording_too_few_leaves_silver_simulated():
    decision = decided(coverage={**SANDBOX, "account.read": Basis.DOCUMENTED})

    assert "Bronze, Silver (simulated)" == decision.label
    (reason,) = reasons(decision, Level.SILVER)
    assert "no recording from the venue's sandbox of account.read" == reason


def test_a_level_rests_on_the_weakest_of_its_evidence():
    decision = decided(coverage={**SANDBOX, "account.read": Basis.THIRD_PARTY})

    assert Basis.THIRD_PARTY is decision.grants[0].basis


def test_gold_is_never_granted_without_a_run_against_the_venue():
    decision = decided(coverage=dict.fromkeys(ENOUGH, Basis.LIVE), requested=Level.GOLD)

    assert Level.GOLD not in [grant.level for grant in decision.grants]
    assert "no run against the venue itself" in reasons(decision, Level.GOLD)[0]
    assert ExitCode.NOT_CONFORMANT is decision.exit_code


def test_a_simulated_venue_is_never_borne_out_by_anything():
    decision = decided(coverage=SANDBOX, is_simulated_venue=True)

    assert "Silver (simulated)" == decision.label
    assert "its venue is itself a simulation" in reasons(decision, Level.BRONZE)[0]


@pytest.mark.parametrize("word", [Verdict.FAIL, Verdict.STALE, Verdict.UNTESTED])
def test_what_is_red_in_silver_leaves_bronze_and_is_not_conformant(word):
    decision = decided({"REC-010": word}, coverage=DOCUMENTED)

    assert "Bronze" == decision.label
    assert ExitCode.NOT_CONFORMANT is decision.exit_code
    assert any(one.startswith(f"REC-010 {word}") for one in reasons(decision, Level.SILVER))


@pytest.mark.parametrize("word", [Verdict.FAIL, Verdict.STALE, Verdict.UNTESTED])
def test_what_is_red_in_bronze_leaves_nothing(word):
    decision = decided({"ACC-010": word})

    assert "no level" == decision.label
    assert ExitCode.NOT_CONFORMANT is decision.exit_code


def test_bronze_can_be_asked_for_though_silver_is_red():
    red = {"REC-010": Verdict.FAIL}

    assert ExitCode.CONFORMANT is decided(red, requested=Level.BRONZE).exit_code
    assert ExitCode.NOT_CONFORMANT is decided(red, requested=Level.SILVER).exit_code


def test_a_should_that_does_not_hold_costs_gold_only():
    decision = decided({"ACC-020": Verdict.WARN})

    assert "Silver (simulated)" == decision.label
    assert ExitCode.CONFORMANT is decision.exit_code
    assert any(one.startswith("ACC-020 WARN") for one in reasons(decision, Level.GOLD))


def test_what_bronze_must_have_may_be_a_known_failure_of_bronze_but_not_of_silver():
    decision = decided({"ACC-010": Verdict.KNOWN})

    assert "Bronze (simulated)" == decision.label
    told = "ACC-010 is a known failure of what Bronze must have"
    assert told in reasons(decision, Level.SILVER)


def test_silver_bears_two_known_failures_and_bronze_no_less():
    two = {"ACC-020": Verdict.KNOWN, "REC-020": Verdict.KNOWN}

    assert "Silver (simulated)" == decided(two).label
    three = decided({**two, "REC-010": Verdict.KNOWN})
    assert "Bronze (simulated)" == three.label
    assert any(
        one.startswith("3 known failures, at most 2") for one in reasons(three, Level.SILVER)
    )


def test_a_broken_kit_is_a_word_on_nobody():
    decision = decided({"ACC-010": Verdict.HARNESS, "REC-010": Verdict.FAIL})

    assert ExitCode.HARNESS is decision.exit_code
    assert () == decision.grants


@pytest.mark.parametrize("missing", ["account.read", "instruments.read", "orders.cancel"])
def test_who_declares_too_little_gets_nothing(missing):
    decision = decided(declared=frozenset(ENOUGH) - {missing})

    assert "no level" == decision.label
    assert ExitCode.NOT_CONFORMANT is decision.exit_code
    assert f"{missing} is not declared" in reasons(decision, Level.BRONZE)


def test_who_takes_neither_market_nor_limit_orders_gets_nothing():
    assert "no level" == decided(declared=frozenset(ENOUGH) - {"orders.limit"}).label


def test_who_declares_nothing_and_fails_nothing_gets_nothing():
    empty = dict.fromkeys(SCORED, Verdict.NA)

    decision = decided(empty, declared=frozenset())

    assert ExitCode.NOT_CONFORMANT is decision.exit_code
    assert "nothing was shown" in reasons(decision, Level.BRONZE)


def test_what_is_scored_and_was_not_told_is_untested():
    decision = decided(outcomes=[])

    assert "no level" == decision.label
    assert any(one.startswith("ACC-010 UNTESTED") for one in reasons(decision, Level.BRONZE))


def test_what_the_edition_does_not_score_counts_for_nothing():
    assert "Silver (simulated)" == decided({"REC-030": Verdict.FAIL}).label


def test_a_reason_is_given_for_the_lowest_level_it_withholds():
    decision = decided({"ACC-010": Verdict.FAIL})

    told = [reason for one in decision.withheld for reason in one.reasons]
    assert len(told) == len(set(told))
