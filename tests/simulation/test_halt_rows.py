"""Rows of the fault table about halts, limits and bans."""

import pytest

from .scenario import ONE, SEEDS, Story, seconds

pytestmark = pytest.mark.parametrize("seed", SEEDS)


def many(count, at_ms=1_000):
    return ",".join(f"{at_ms}:submit:buy:AAPL:1:99:o{number}" for number in range(count))


@pytest.mark.parametrize("steps", [1, 5, 10, 20, 40, 80])
def test_f50_no_order_leaves_after_a_halt_and_each_is_in_the_report(seed, steps):
    story = Story(f"fills=NONE actions={many(20)} faults=action#20:halt:{steps}", seed)
    (halt,) = story.client("halt")

    at_the_venue = {row["order"]["client_id"] for row in story.venue("accepted")}
    assert not at_the_venue & set(halt["unsent"])
    assert all(row["mark"] <= halt["mark"] for row in story.venue("accepted"))


def test_f51_a_halt_while_blind_cancels_and_claims_nothing(seed):
    line = f"fills=NONE actions={ONE},5000:halt_and_cancel"
    faults = "time#4000:stream_reset,open#2:refuse_opens:3,cancel#1:black_hole:2500"
    story = Story(f"{line} faults={faults}", seed)

    assert "CANCELED" == story.status()
    assert ["OK"] == story.outcomes("halt_and_cancel")


def test_f52_a_foreign_fill_after_the_account_was_flat_is_an_alarm(seed):
    line = f"fills=FULL actions={ONE},9000:flatten"
    story = Story(f"{line} faults=time#15000:external:2,time#18000:fill:3", seed)

    assert [True] == [row["is_flat"] for row in story.client("report")]
    assert "NOT_FLAT" in story.alarms()


def test_f53_a_cancel_finds_room_while_orders_wait_for_the_limit(seed):
    story = Story(f"fills=NONE actions=500:submit:buy:AAPL:1:99:a,{many(90)},1010:cancel:a", seed)

    (canceling,) = story.venue("canceling")
    assert seconds(canceling) < 1.2
    waited = [row for row in story.venue("accepted") if seconds(row) > 2]
    assert waited


def test_f55_nothing_is_sent_while_a_ban_lasts(seed):
    line = f"fills=NONE actions={ONE},6000:submit:buy:AAPL:1:99:b,7000:submit:buy:AAPL:1:99:c"
    story = Story(f"{line} faults=time#5000:ban:20000", seed)

    during = [row for row in story.venue("request") if 5 <= seconds(row) < 25]
    assert len(during) <= 1
    assert "CircuitOpenError" in story.outcomes()


def test_f55_a_retry_after_is_kept_by_every_lane(seed):
    line = f"fills=NONE actions={ONE},3000:submit:buy:AAPL:1:99:b,3500:submit:buy:AAPL:1:99:c"
    story = Story(f"{line} faults=submit#2:throttled:5", seed)

    assert ["OK", "RateLimitedError", "CircuitOpenError"] == story.outcomes()
    assert [] == [row for row in story.venue("request") if 3.2 < seconds(row) < 8]


def test_flattening_closes_what_is_held_in_spite_of_the_halt(seed):
    story = Story(f"fills=FULL actions={ONE},9000:flatten", seed)

    assert [True] == [row["is_flat"] for row in story.client("report")]
    assert [True] == [row["closes"] for row in story.venue("accepted")][1:]
