"""Rows of the fault table about streams: what was missed is found, and told once."""

import pytest

from dragoman_conformance.simulation.plan import Plan
from dragoman_conformance.simulation.run import play

from .scenario import ONE, SEEDS, Story

pytestmark = pytest.mark.parametrize("seed", SEEDS)

TWO = f"{ONE},1500:submit:sell:MSFT:4:50.10:b"
BLINDING = {"STALE", "DOWN", "RECONCILING"}


def test_f20_fills_while_the_stream_is_down_are_told_once(seed):
    faults = "time#3000:stream_reset,open#2:refuse_opens:3,time#3500:fill:1,time#4000:fill:2"
    story = Story(f"fills=NONE actions={TWO} faults={faults}", seed)

    assert ("FILLED", "FILLED") == (story.status("a"), story.status("b"))
    assert {"RECONCILED"} == {row["source"] for row in story.client("event") if row["fill"]}
    assert {"DISCONNECTED", "RECONNECTED"} <= set(story.connection())


def test_f21_a_mute_stream_is_found_and_nothing_new_is_sent_meanwhile(seed):
    line = f"fills=NONE actions={ONE},20000:submit:buy:AAPL:1:99.00:b"
    story = Story(f"{line} faults=time#4000:mute,open#2:refuse_opens:2", seed)

    assert ["OK", "ReconcilingError"] == story.outcomes()
    assert {"STALE", "DOWN"} & set(story.health())
    assert "LIVE" == story.health()[-2]
    assert 1 == story.orders()


def test_f22_one_lost_frame_on_a_healthy_stream_is_found_by_the_timer(seed):
    story = Story(f"fills=FULL actions={ONE} faults=frame#2:drop:2", seed)
    (fill,) = [row for row in story.events() if row["kind"] == "FILL"]
    (traded,) = story.venue("fill")

    assert "RECONCILED" == fill["source"]
    assert 0 < fill["at_ns"] - traded["at_ns"] < 40_000_000_000
    assert not set(story.health()) & BLINDING


@pytest.mark.parametrize("frames", [2, 50])
def test_f23_frames_that_come_again_are_told_once(seed, frames):
    story = Story(f"fills=PARTIAL actions={TWO} faults=frame#3:replay:{frames}", seed)

    told = [(row["client_id"], row["kind"]) for name in "ab" for row in story.events(name)]
    assert [one for one in told if one[1] == "ACCEPTED"] == [("a", "ACCEPTED"), ("b", "ACCEPTED")]


def test_f23_a_duplicated_frame_is_told_once(seed):
    story = Story(f"fills=FULL actions={ONE} faults=frame#2:duplicate", seed)

    assert ["SUBMITTED", "ACCEPTED", "FILL"] == story.kinds()


@pytest.mark.parametrize("window", [2, 5, 20, 50])
def test_f24_frames_out_of_order_lead_to_the_same_order(seed, window):
    cancel = "2500:cancel:a"
    faulty = Story(f"fills=PARTIAL actions={TWO},{cancel} faults=frame#1:reorder:{window}", seed)

    assert faulty.status("a") in {"CANCELED", "FILLED"}
    assert faulty.kinds().count("ACCEPTED") <= 1


def test_f25_events_while_the_snapshot_is_read_are_told_once(seed):
    fills = "time#4200:fill:1,time#5000:fill:2"
    slow = "list#3:black_hole:900,fills#2:black_hole:900"
    story = Story(f"fills=NONE actions={TWO} faults=time#3000:stream_reset,{slow},{fills}", seed)

    assert ("FILLED", "FILLED") == (story.status("a"), story.status("b"))
    assert "RECONCILING" in story.health()


@pytest.mark.parametrize(
    "fault", ["status:500", "status:503", "throttled:3", "html", "empty", "truncated", "black_hole"]
)
def test_f26_a_snapshot_that_fails_is_tried_again_and_nothing_is_taken_for_flat(seed, fault):
    line = f"fills=FULL actions={TWO} faults=time#6000:stream_reset,list#3:{fault}"
    story = Story(line, seed)

    assert ("FILLED", "FILLED") == (story.status("a"), story.status("b"))
    quantities = {row["symbol"]: row["quantity"] for row in story.client("position")}
    assert {"AAPL": "3", "MSFT": "-4"} == quantities


def test_f27_a_subscription_that_is_not_confirmed_is_not_live(seed):
    story = Story(f"fills=FULL actions={ONE} faults=time#1600:stream_reset,open#2:no_ack", seed)

    assert 3 == story.opened()
    assert "FILLED" == story.status()


@pytest.mark.parametrize("times", [1, 6])
def test_f28_a_refused_connection_is_waited_out_within_its_budget(seed, times):
    story = Story(f"actions={ONE} faults=time#3000:stream_reset,open#2:refuse_opens:{times}", seed)

    assert times + 2 == story.opened()
    assert "RECONNECTED" == story.connection()[-1]


@pytest.mark.parametrize("kind", ["bad_enum", "missing_field", "garbage"])
def test_f66_a_frame_that_makes_no_sense_is_set_aside_and_the_stream_lives(seed, kind):
    story = Story(f"fills=FULL actions={ONE} faults=frame#2:{kind}", seed)

    assert "FILLED" == story.status()
    assert "Quarantined" in [row["kind"] for row in story.client("session")]
    assert not {"DISCONNECTED", "FAILED"} & set(story.connection())


def test_a_refused_key_asks_for_a_human_and_is_not_tried_again(seed):
    faults = "time#3000:stream_reset,open#2:unauthorized:99"
    run = play(Plan.parse(f"seed={seed} rejects=0 actions={ONE} faults={faults}"))

    health = [row["state"] for row in run.history.of("client") if row["row"] == "health"]
    assert {"I-16"} == {breach.invariant for breach in run.breaches}
    assert "AUTH_REQUIRED" == health[-2]


def test_f78_a_peer_that_vanished_is_found_by_its_silence(seed):
    story = Story(f"fills=FULL actions={ONE} faults=time#1050:half_open", seed)

    assert "FILLED" == story.status()
    assert {"DISCONNECTED", "RECONNECTED"} <= set(story.connection())


def test_a_delayed_stream_is_no_gap(seed):
    story = Story(f"fills=FULL actions={ONE} faults=frame#1:delay:4000", seed)

    assert ["SUBMITTED", "ACCEPTED", "FILL"] == story.kinds()
    assert "DISCONNECTED" not in story.connection()
