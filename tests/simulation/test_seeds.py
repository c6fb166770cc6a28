"""Thousands of runs that nobody thought of, and none that breaks an invariant."""

import os
import subprocess
import sys

import pytest
from tests.effort import effort

from dragoman_conformance.simulation.plan import FaultKind
from dragoman_conformance.simulation.run import play
from dragoman_conformance.simulation.workload import generate

CHUNK = 100
SEEDS = effort(2_000, quick=100, soak=2_000)  # a soak plays 20,000 more in a row


@pytest.mark.parametrize("start", range(0, SEEDS, CHUNK))
def test_no_seed_breaks_an_invariant(start):
    failed = [run for run in map(play, map(generate, range(start, start + CHUNK))) if run.breaches]

    assert not failed, "\n".join(run.report() for run in failed)


def test_one_line_gives_one_history():
    for seed in range(40):
        plan = generate(seed)
        assert play(plan).hash == play(plan).hash


def test_another_seed_gives_another_history():
    assert 40 == len({play(generate(seed)).hash for seed in range(40)})


@pytest.mark.parametrize("kind", [FaultKind.CRASH, FaultKind.REORDER])
def test_one_line_gives_one_history_in_any_process(kind):
    plan = next(
        plan
        for plan in map(generate, range(1_000))
        if any(fault.kind is kind for fault in plan.faults)
    )

    assert {play(plan).hash} == {replayed(str(plan), salt) for salt in ("0", "1", "4711")}


def replayed(line, salt):
    """Return the digest that a fresh interpreter prints, with its own order of sets."""
    done = subprocess.run(  # noqa: S603 - this very interpreter, with a plan of ours
        [sys.executable, "-m", "dragoman_conformance.simulation", "--quiet", line],
        env={**os.environ, "PYTHONHASHSEED": salt},
        capture_output=True,
        check=True,
        text=True,
    )
    return next(text.split()[1] for text in done.stdout.splitlines() if text.startswith("history"))
