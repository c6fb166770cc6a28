"""Rows of the fault table about streams that fail for hours."""

import pytest

from .scenario import ONE, Story, seconds

pytestmark = pytest.mark.parametrize("seed", range(2))


def test_f75_hundreds_of_refused_connections_are_outlasted(seed):
    story = Story(f"actions={ONE} faults=time#3000:stream_reset,open#2:refuse_opens:300", seed)

    assert 302 == story.opened()
    assert "RECONNECTED" == story.connection()[-1]


def test_f76_a_flapping_stream_is_degraded_and_keeps_to_its_budget(seed):
    cuts = ",".join(f"time#{at_ms}:stream_reset" for at_ms in range(3_000, 603_000, 2_000))
    story = Story(f"actions={ONE} faults={cuts}", seed)

    assert story.opened() <= 10 * 20 + 20
    assert {"DEGRADED", "DOWN"} & set(story.health())


def test_f63_two_hours_of_maintenance_are_polled_at_a_capped_rate_and_end_well(seed):
    story = Story(f"fills=FULL actions={ONE} faults=time#3000:maintenance:7200000", seed)

    polls = [row for row in story.venue("request") if 10 < seconds(row) < 7_200]
    assert len(polls) < 7_200 / 5
    assert "FILLED" == story.status()
    assert set(story.health()) & {"DEGRADED", "RECONCILING", "DOWN"}
