"""Rows of the fault table about cancels and replaces."""

import pytest

from .scenario import ONE, SEEDS, Story

pytestmark = pytest.mark.parametrize("seed", SEEDS)

CANCELED = f"{ONE},3000:cancel:a"
REPLACED = f"{ONE},3000:replace:a:5:98.00"


def test_f30_a_fill_that_wins_against_a_cancel_is_returned(seed):
    story = Story(f"fills=NONE actions={CANCELED} faults=cancel#1:fill_first", seed)

    assert ["OK"] == story.outcomes("cancel")
    assert ("FILLED", 1) == (story.status(), story.orders())


@pytest.mark.parametrize(
    "fault", ["reset_after", "reset_mid", "lost", "black_hole", "status:503", "html", "empty"]
)
def test_f31_a_cancel_whose_response_is_lost_ends_in_what_the_venue_did(seed, fault):
    story = Story(f"fills=NONE actions={CANCELED} faults=cancel#1:{fault}", seed)

    there = [row["state"] for row in story.venue("ended")]
    assert (["canceled"] if story.status() == "CANCELED" else []) == there
    assert set(story.outcomes("cancel")) <= {"OK", "OutcomeUnknownError"}


def test_f32_a_fill_while_a_cancel_is_pending_is_kept(seed):
    story = Story(f"fills=PARTIAL actions={ONE},1800:cancel:a", seed)

    assert story.status() in {"CANCELED", "FILLED"}
    assert story.last()["filled"] == story.events()[-1]["filled"]


def test_f33_a_fill_after_a_cancel_is_counted_with_an_alarm(seed):
    story = Story(f"fills=NONE late=100 actions={CANCELED}", seed)

    assert "LATE_FILL" in story.alarms()
    assert "3" == story.last()["filled"]
    assert ["3"] == [row["quantity"] for row in story.client("position")]


@pytest.mark.parametrize("after_ms", [1, 20, 60])
def test_f34_a_cancel_of_an_order_not_acknowledged_yet_is_not_dropped(seed, after_ms):
    line = f"fills=NONE actions={ONE},{1_200 + after_ms}:cancel:a"
    story = Story(f"{line} faults=submit#1:black_hole:2000,frame#1:delay:1500", seed)

    assert "CANCELED" == story.status()
    assert ["canceled"] == [row["state"] for row in story.venue("ended")]


def test_f35_a_change_below_what_is_filled_is_refused_before_it_is_sent(seed):
    line = f"fills=NONE actions={ONE},6000:replace:a:2:-,7000:replace:a:3.00:98.00"
    story = Story(f"{line} faults=time#4000:fill:1", seed)

    assert 0 == story.sent("PATCH")
    assert not {"OK"} & set(story.outcomes("replace"))


@pytest.mark.parametrize(
    "fault", ["reset_after", "reset_mid", "lost", "black_hole", "status:502", "html", "other_body"]
)
def test_f36_a_replace_whose_response_is_lost_leaves_one_order_with_the_venues_terms(seed, fault):
    story = Story(f"fills=NONE actions={REPLACED} faults=replace#1:{fault}", seed)

    changed = bool(story.venue("replaced"))
    assert ("5" if changed else "3") == story.last()["quantity"]
    assert (1, 1) == (story.orders(), story.sent("PATCH"))


def test_a_fill_that_wins_against_a_replace_leaves_the_filled_order(seed):
    story = Story(f"fills=NONE actions={REPLACED} faults=replace#1:fill_first", seed)

    assert ["ConflictError"] == story.outcomes("replace")
    assert ("FILLED", 1) == (story.status(), story.orders())


def test_cancel_all_takes_orders_along_that_others_placed(seed):
    line = f"fills=NONE actions={ONE},6000:cancel_all"
    story = Story(f"{line} faults=time#3000:external:2", seed)

    assert 2 == len([row for row in story.venue("ended") if row["state"] == "canceled"])
    assert "CANCELED" == story.status("ext-h2")


def test_closing_a_position_takes_it_back_to_nothing(seed):
    story = Story(f"fills=FULL actions={ONE},9000:close:AAPL", seed)

    assert [] == [row for row in story.client("position") if row["quantity"] not in {"0", "0.00"}]
    assert 2 == story.orders()
