"""Rows of the fault table about processes that end, machines that sleep and clocks that lie."""

import pytest

from dragoman_conformance.simulation.plan import Plan
from dragoman_conformance.simulation.run import play

from .scenario import ONE, SEEDS, Story, seconds

pytestmark = pytest.mark.parametrize("seed", SEEDS)

TWO = f"{ONE},1500:submit:sell:MSFT:4:50.10:b,2500:cancel:b"


@pytest.mark.parametrize("at_ms", [5, 300, 1_030, 1_080, 1_540, 2_530, 4_000])
def test_f43_a_process_that_dies_goes_on_from_its_journal(seed, at_ms):
    story = Story(f"actions={TWO} faults=time#{at_ms}:crash", seed)

    assert story.sent("POST /orders") <= 2
    assert 2 == len({row["process"] for row in story.client("connected") + story.client("crashed")})


def test_f43_a_process_that_dies_again_and_again_goes_on_each_time(seed):
    crashes = ",".join(f"time#{at_ms}:crash" for at_ms in (1_060, 2_700, 4_100, 5_500))
    story = Story(f"actions={TWO},6500:submit:buy:AAPL:1:99:c faults={crashes}", seed)

    assert 4 == len(story.client("crashed"))


def test_f43_fills_while_there_is_no_process_are_told_once(seed):
    line = f"fills=NONE actions={ONE}"
    story = Story(f"{line} faults=time#3000:crash,time#3200:fill:1", seed)

    assert ("FILLED", 1) == (story.status(), story.kinds().count("FILL"))


def test_f43_an_order_lost_on_its_way_with_its_process_is_proved_absent(seed):
    story = Story(f"actions={ONE} faults=submit#1:lost,time#1500:crash", seed)

    assert ("REJECTED", "NEVER_ARRIVED") == (story.status(), story.last()["reason"])
    assert (1, 0) == (story.sent("POST /orders"), story.orders())


@pytest.mark.parametrize("at_ms", [0, 1_020, 1_090, 2_510, 5_000])
def test_f44_a_process_that_is_closed_at_any_moment_goes_on_when_it_is_back(seed, at_ms):
    story = Story(f"actions={TWO},{at_ms}:restart", seed)

    assert 2 == len(story.client("connected"))
    assert [[]] == [row["tasks"] for row in story.client("left")]


def test_f80_a_machine_that_slept_reconciles_before_it_trades_on(seed):
    line = f"fills=FULL actions={ONE},63100:submit:buy:AAPL:1:99:b"
    story = Story(f"{line} faults=time#3000:block:60000", seed)

    assert "LOOP_LAG" in story.alarms()
    assert {"STALE", "RECONCILING", "DOWN"} & set(story.health())
    assert "FILLED" == story.status("a")


@pytest.mark.parametrize("hours", [-1, 1])
def test_f46_a_wall_clock_that_steps_changes_nothing_that_counts(seed, hours):
    line = f"fills=FULL actions={TWO} faults=time#2000:clock_step:{hours * 3_600_000}"
    story = Story(line, seed)

    assert "FILLED" == story.status("a")
    assert 2 == story.orders()


@pytest.mark.parametrize("hours", [-24, -1, 1, 20])
def test_f46_a_clock_that_is_wrong_from_the_start_hides_no_fill(seed, hours):
    wrong = f"time#0:clock_step:{hours * 3_600_000}"
    story = Story(f"fills=FULL actions={ONE} faults={wrong},frame#2:drop:2", seed)

    assert ("FILLED", "RECONCILED") == (story.status(), story.events()[-1]["source"])


def test_f47_a_clock_that_runs_backwards_makes_no_burst(seed):
    many = ",".join(f"{1_000 + 5 * n}:submit:buy:AAPL:1:99:o{n}" for n in range(40))
    back = ",".join(f"time#{1_000 + 50 * n}:clock_step:-2000" for n in range(8))
    story = Story(f"fills=NONE actions={many} faults={back}", seed)

    assert 40 == story.orders()


def test_f81_a_blocked_loop_is_told_and_the_peer_is_not_blamed(seed):
    story = Story(f"fills=FULL actions={ONE} faults=time#3000:block:5000", seed)

    assert "LOOP_LAG" in story.alarms()
    assert "DISCONNECTED" not in story.connection()
    assert "FILLED" == story.status()


def test_an_order_that_arrives_after_its_absence_was_proved_lives_again_with_an_alarm(seed):
    line = f"seed={seed} rejects=0 fills=NONE actions={ONE}"
    run = play(Plan.parse(f"{line} faults=submit#1:late_arrival:9000,time#1500:crash"))

    alarms = [row["kind"] for row in run.history.of("client") if row["row"] == "alarm"]
    assert "RESURRECTED" in alarms
    assert {"I-5", "I-3"} >= {breach.invariant for breach in run.breaches}


def test_nothing_is_asked_without_need_while_all_is_well(seed):
    story = Story(f"fills=FULL actions={ONE}", seed)

    assert len([row for row in story.venue("request") if seconds(row) > 6]) <= 4 * 3
