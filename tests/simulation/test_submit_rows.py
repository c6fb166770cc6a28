"""Rows of the fault table about submits: whatever is lost, there is at most one order."""

import pytest

from .scenario import ONE, SEEDS, Story

pytestmark = pytest.mark.parametrize("seed", SEEDS)

WITHOUT_NEWS = "frame#1:drop"


def test_f01_a_refused_connection_sends_nothing_and_the_same_id_may_be_sent_again(seed):
    again = f"{ONE},3000:submit:buy:AAPL:3:99.50:a"
    story = Story(f"fills=NONE actions={again} faults=submit#1:connect_refused", seed)

    assert ["ConnectFailedError", "OK"] == story.outcomes()
    assert 1 == story.sent("POST /orders")
    assert 1 == story.orders()


def test_f03_a_reset_before_the_first_byte_sends_nothing(seed):
    story = Story(f"actions={ONE} faults=submit#1:reset_before", seed)

    assert ["ConnectFailedError"] == story.outcomes()
    assert (0, 0) == (story.sent("POST /orders"), story.orders())


def test_f04_a_reset_amid_the_request_is_unknown_until_its_absence_is_proved(seed):
    story = Story(f"actions={ONE} faults=submit#1:reset_mid", seed)

    assert ["SUBMITTED", "OUTCOME_UNKNOWN", "REJECTED"] == story.kinds()
    assert ("REJECTED", "NEVER_ARRIVED") == (story.status(), story.last()["reason"])
    assert (1, 0) == (story.sent("POST /orders"), story.orders())


def test_f05_a_reset_before_the_response_leaves_one_order(seed):
    story = Story(f"fills=NONE actions={ONE} faults=submit#1:reset_after,{WITHOUT_NEWS}", seed)

    assert ["SUBMITTED", "OUTCOME_UNKNOWN", "ACCEPTED"] == story.kinds()
    assert (1, 1) == (story.sent("POST /orders"), story.orders())


def test_f06_a_response_that_is_cut_proves_nothing(seed):
    story = Story(f"fills=NONE actions={ONE} faults=submit#1:reset_response,{WITHOUT_NEWS}", seed)

    assert ["SUBMITTED", "OUTCOME_UNKNOWN", "ACCEPTED"] == story.kinds()
    assert (1, 1) == (story.sent("POST /orders"), story.orders())


@pytest.mark.parametrize("late_ms", [4_000, 9_990, 12_000])
def test_f07_a_response_after_the_time_out_leaves_one_order(seed, late_ms):
    line = f"fills=NONE actions={ONE} faults=submit#1:black_hole:{late_ms},{WITHOUT_NEWS}"
    story = Story(line, seed)

    assert "OPEN" == story.status()
    assert (1, 1) == (story.sent("POST /orders"), story.orders())


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 429])
def test_f08_an_error_of_the_server_is_unknown_and_never_a_refusal(seed, status):
    served = Story(f"fills=NONE actions={ONE} faults=submit#1:status:{status},{WITHOUT_NEWS}", seed)
    unserved = Story(f"actions={ONE} faults=submit#1:status_unserved:{status}", seed)

    assert ("OPEN", 1, 1) == (served.status(), served.sent("POST /orders"), served.orders())
    assert "REJECTED" not in served.kinds()
    assert "OUTCOME_UNKNOWN" in unserved.kinds()
    assert ("NEVER_ARRIVED", 0) == (unserved.last()["reason"], unserved.orders())


def test_f09_news_by_the_stream_ends_the_search(seed):
    story = Story(f"fills=NONE actions={ONE} faults=submit#1:reset_after", seed)

    assert ["OK"] == story.outcomes()
    assert 0 == story.sent("GET /orders/by-client-id")
    assert (1, 1) == (story.sent("POST /orders"), story.orders())


def test_f10_a_fill_before_the_response_follows_one_acceptance(seed):
    story = Story(f"fills=FULL actions={ONE} faults=submit#1:black_hole:8000", seed)

    assert ["SUBMITTED", "ACCEPTED", "FILL"] == story.kinds()
    assert "FILLED" == story.status()


def test_f11_events_alone_settle_a_submit(seed):
    story = Story(f"fills=NONE actions={ONE} faults=submit#1:black_hole", seed)

    assert ["OK"] == story.outcomes()
    assert ["SUBMITTED", "ACCEPTED"] == [kind for kind in story.kinds() if "UNKN" not in kind]


@pytest.mark.parametrize("lag_ms", [300, 1_500, 1_900])
def test_f12_an_order_that_lookups_do_not_show_yet_is_not_dead(seed, lag_ms):
    line = f"fills=NONE lag={lag_ms} actions={ONE} faults=submit#1:reset_after,{WITHOUT_NEWS}"
    story = Story(line, seed)

    assert "REJECTED" not in story.kinds()
    assert ("OPEN", 1) == (story.status(), story.orders())


def test_a_duplicate_id_reply_means_that_the_first_one_exists(seed):
    story = Story(f"fills=NONE unique=1 actions={ONE} faults=submit#1:twice,{WITHOUT_NEWS}", seed)

    assert ("OPEN", 1) == (story.status(), story.orders())
    assert "REJECTED" not in story.kinds()


def test_f15_a_429_that_the_venue_documents_is_a_refusal_and_makes_no_storm(seed):
    story = Story(f"actions={ONE} faults=submit#1:throttled:2", seed)

    assert ["RateLimitedError"] == story.outcomes()
    assert (1, 0) == (story.sent("POST /orders"), story.orders())


def test_f16_a_redirect_is_not_followed(seed):
    story = Story(f"actions={ONE} faults=submit#1:redirect", seed)

    assert 1 == story.sent("POST /orders")
    assert "NEVER_ARRIVED" == story.last()["reason"]


@pytest.mark.parametrize("kind", ["html", "truncated"])
def test_f17_a_success_that_can_not_be_read_proves_nothing(seed, kind):
    story = Story(f"fills=NONE actions={ONE} faults=submit#1:{kind},{WITHOUT_NEWS}", seed)

    assert ["SUBMITTED", "OUTCOME_UNKNOWN", "ACCEPTED"] == story.kinds()
    assert (1, 1) == (story.sent("POST /orders"), story.orders())


@pytest.mark.parametrize("kind", ["empty", "other_body"])
def test_f18_a_success_about_something_else_proves_nothing(seed, kind):
    story = Story(f"fills=NONE actions={ONE} faults=submit#1:{kind},{WITHOUT_NEWS}", seed)

    assert ["SUBMITTED", "OUTCOME_UNKNOWN", "ACCEPTED"] == story.kinds()
    assert (1, 1) == (story.sent("POST /orders"), story.orders())


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 6, 8, 10, 13, 16, 20])
def test_f19_a_caller_that_is_canceled_at_any_step_leaves_no_second_order(seed, steps):
    story = Story(f"fills=NONE actions={ONE} faults=action#1:cancel_caller:{steps}", seed)

    assert story.orders() <= 1
    assert story.orders() == len([row for row in story.client("order") if row["venue_id"]])


@pytest.mark.parametrize("steps", [1, 2, 4, 6, 8, 10, 13, 16, 20, 25, 30, 40, 60])
def test_f19_a_process_that_dies_at_any_step_finds_its_order_again(seed, steps):
    story = Story(f"actions={ONE} faults=action#1:crash:{steps}", seed)

    assert ["crashed"] == [row["row"] for row in story.client("crashed")]
    assert story.orders() <= 1
    assert story.sent("POST /orders") <= 1
