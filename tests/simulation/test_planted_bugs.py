"""The judge judged: bugs that order libraries really have are caught, and nothing else is."""

import pytest

from dragoman_conformance.simulation.plan import Plan
from dragoman_conformance.simulation.run import play

from .planted import BUGS

# a reader that resumes where its journal no longer reaches is ended by an error: I-10
EXPECTED = {
    "resends_what_got_no_answer": "I-1",
    "resends_after_504_within_the_client": "I-1",
    "takes_504_for_a_refusal": "I-3",
    "takes_not_found_for_absent": "I-3",
    "takes_any_answer_for_success": "I-1",
    "takes_a_lost_replace_for_done": "I-13",
    "ignores_a_halt": "I-9",
    "checks_the_halt_before_the_wait_alone": "I-9",
    "trades_while_it_is_blind": "I-8",
    "compares_with_the_venue_at_reconnects_alone": "I-4",
    "swallows_what_it_can_not_read": "I-4",
    "takes_no_snapshot_after_a_gap": "I-4",
    "tells_events_as_they_come": "I-5",
    "counts_fills_by_arrival": "I-4",
    "reads_prices_through_float": "I-13",
    "cuts_times_to_microseconds": "I-13",
    "sees_its_own_orders_alone": "I-2",
    "sends_without_counting": "I-12",
    "takes_a_cancel_for_done_when_it_is_taken": "I-3",
    "keeps_its_journal_in_memory": "I-10",
    "forgets_at_a_restart_what_was_unfinished": "I-6",
    "writes_events_after_telling_them": "I-10",
    "takes_fills_before_its_start_for_history": "I-4",
    "changes_its_health_in_silence": "I-11",
    "loses_the_sign_of_a_position": "I-7",
    "gives_a_stream_up": "I-16",
    "finds_nothing_by_client_id": "I-3",
    "leaves_a_task_behind": "I-10",
    "never_doubts_a_mute_stream": "I-4",
}


def broken(plans):
    """Return every invariant that some of the plans break."""
    return {breach.invariant for line in plans for breach in play(Plan.parse(line)).breaches}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_caught(name):
    plant, plans = BUGS[name]

    with plant():
        found = broken(plans)

    assert EXPECTED[name] in found


@pytest.mark.parametrize("name", BUGS)
def test_the_same_plans_without_the_bug_break_nothing(name):
    _, plans = BUGS[name]

    assert set() == broken(plans)


def test_every_bug_has_its_verdict():
    assert set(EXPECTED) == set(BUGS)
