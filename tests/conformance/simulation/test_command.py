"""The command line: one plan replayed, many seeds played."""

import pytest

from dragoman_conformance.simulation import __main__ as command
from dragoman_conformance.simulation.evidence import Breach
from dragoman_conformance.simulation.plan import Plan
from dragoman_conformance.simulation.run import Run, needs_files, play

LINE = "seed=5 actions=1000:submit:buy:AAPL:3:99.50:a"


def test_a_line_is_replayed_with_its_history_and_hash(capsys):
    status = command.main([LINE])
    shown = capsys.readouterr().out

    run = play(Plan.parse(LINE))
    assert 0 == status
    assert f"plan    {run.plan}" in shown
    assert f"history {run.hash}" in shown
    assert all(line in shown for line in run.history.lines())


def test_a_line_may_come_in_pieces_and_without_its_history(capsys):
    status = command.main([*LINE.split(), "--quiet"])

    assert 0 == status
    assert "first-byte" not in capsys.readouterr().out


def test_a_number_is_a_seed(capsys):
    command.main(["7", "--quiet"])

    assert "seed=7 " in capsys.readouterr().out


def test_many_seeds_are_counted(capsys):
    assert 0 == command.main(["--seeds", "5", "--start", "40"])
    assert "5 seeds from 40, 0 broke an invariant" in capsys.readouterr().out


def test_a_run_that_fails_prints_its_line_and_fails(capsys):
    line = "seed=1 rejects=0 faults=time#3000:stream_reset,open#2:unauthorized:99"

    status = command.main([line, "--quiet"])
    shown = capsys.readouterr().out

    assert 1 == status
    assert "I-16" in shown
    assert f'repeat with: python -m dragoman_conformance.simulation "{Plan.parse(line)}"' in shown


def test_a_report_names_every_breach():
    run = play(Plan.parse("seed=1"))
    failed = Run(run.plan, run.history, (Breach("I-1", "a", "two"), Breach("I-3", "b", "dead")))

    assert failed.report().startswith("  I-1 a: two\n  I-3 b: dead\nrepeat with:")


def test_a_run_that_can_not_go_on_is_a_breach_and_not_the_end_of_all_runs():
    run = play(Plan.parse("seed=1 faults=time#1:block:99999999"))

    assert "LoopLimitError" in {breach.subject for breach in run.breaches}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("seed=1", False),
        ("seed=1 actions=10:restart", True),
        ("seed=1 faults=time#1:crash", True),
        ("seed=1 faults=time#1:mute", False),
    ],
)
def test_a_journal_is_kept_in_files_where_a_process_starts_again(line, expected):
    assert expected is needs_files(Plan.parse(line))
