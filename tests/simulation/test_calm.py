"""Runs in which nothing goes wrong: nothing is said to."""

import attrs
import pytest
from tests.effort import effort

from dragoman_conformance.simulation.plan import Verb
from dragoman_conformance.simulation.run import play
from dragoman_conformance.simulation.workload import generate

CHUNK = 20


@pytest.mark.parametrize("start", range(0, effort(200), CHUNK))
def test_without_a_fault_there_is_no_alarm_and_no_doubt(start):
    for seed in range(start, start + CHUNK):
        plan = generate(seed)
        run = play(attrs.evolve(plan, faults=(), late=0, lag=0))
        rows = run.history.of("client")

        assert not run.breaches, run.report()
        assert [] == [row for row in rows if row["row"] == "alarm"], run.report()
        outcomes = {row["outcome"] for row in rows if row["row"] == "call"}
        health = {row["state"] for row in rows if row["row"] == "health"}
        if any(one.verb is Verb.RESTART for one in plan.actions):  # it cuts calls off
            outcomes.discard("UNKNOWN")
            health.discard("DEGRADED")
        assert "UNKNOWN" not in outcomes, run.report()
        assert health <= {"LIVE", "HALTED", "CLOSED"}, run.report()
