"""A journal whose writer was killed, or had no space, is whole for the next one."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.journalled import accepted, numbers, opened, request

from dragoman.errors import SequenceGapError
from dragoman.orders.journal.sqlite import SqliteJournal

VICTIM = Path(__file__).with_name("journal_victim.py")
STATEMENTS = 60
NAMES = ("n0", "n1", "n2")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")


def run(*words):
    return subprocess.run(  # noqa: S603 - runs the script beside this file
        [sys.executable, str(VICTIM), *map(str, words)], capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def graves(tmp_path_factory):
    """What each writer was heard to say before it was killed, and what its journal then has."""
    folder = tmp_path_factory.mktemp("graves")
    done = run(folder, "kill", 1, STATEMENTS)
    assert (0, b"") == (done.returncode, done.stderr)
    return [found_in(folder / str(statement)) for statement in range(1, STATEMENTS + 1)]


def found_in(grave):
    journal = opened(grave)
    assert isinstance(journal, SqliteJournal)
    events = journal.since(0, 100)
    intents = {name for name in NAMES if journal.intent(name) == request(name)}
    assert [len(events) + 1] == numbers(journal.append([accepted("later")]))
    journal.close()
    return (grave / "heard").read_text().splitlines(), events, intents


def test_f43_killed_at_any_statement_a_journal_has_all_that_was_handed_out(graves) -> None:
    for lines, events, intents in graves:
        heard = [int(line.split()[1]) for line in lines if line.startswith("event")]
        promised = {line.split()[1] for line in lines if line.startswith("intent")}

        assert [*range(1, len(events) + 1)] == numbers(events)
        assert max(heard, default=0) <= len(events)
        assert promised <= intents


def test_f43_an_intent_is_there_with_its_event_or_not_at_all(graves) -> None:
    for _, events, intents in graves:
        assert intents == {event.order.client_order_id for event in events}


def test_f43_the_deaths_cover_the_play_from_its_first_statement_to_its_end(graves) -> None:
    counts = [len(events) for _, events, _ in graves]
    ends = ["end" in lines for lines, _, _ in graves]

    assert sorted(counts) == counts
    assert {*range(10)} == {*counts}
    assert (False, True) == (ends[0], ends[-1])


def test_f73_out_of_space_nothing_is_begun_and_nothing_told_is_lost(tmp_path) -> None:
    done = run(tmp_path, "starve")

    facts = json.loads(done.stdout)
    journal = opened(tmp_path)
    kept = journal.since(0, 100)
    journal.close()
    wanted = {"trouble": True, "handed_out": 6, "refused": True, "recovered": True}
    said = [b"the journal can't be written", b"the journal can be written again"]
    assert (wanted, said) == (facts, done.stderr.splitlines())
    assert [1, 2, 3, 4, 5, 6] == numbers(kept)


def test_f73_killed_out_of_space_the_numbers_it_handed_out_are_not_given_again(tmp_path) -> None:
    (tmp_path / "die").touch()

    done = run(tmp_path, "starve")

    journal = opened(tmp_path)
    last = journal.last_sequence
    with pytest.raises(SequenceGapError):
        journal.since(1, 10)
    again = journal.append([accepted()])
    journal.close()
    assert -signal.SIGKILL == done.returncode
    assert (6, [7]) == (last, numbers(again))
