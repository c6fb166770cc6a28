"""A client that is stopped, continued, told to end, or interrupted."""

import signal
from random import Random

import pytest
from tests.effort import effort

POINTS = effort(4, quick=2, soak=200)
NORMAL = 1000
QUICKLY_S = 5.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["sigterm", "ctrl-c"])
async def test_f44_told_to_end_it_ends_quickly_quietly_and_says_goodbye(dock, number):
    random = Random(number)
    for _ in range(POINTS):
        dock.server.close_codes.clear()
        victim = await dock.start("trade")
        await victim.hear("ready")
        await dock.clock.sleep_ns(random.randrange(300_000_000))
        victim.signal(number)

        took_s = (await victim.hear("took_s"))["took_s"]
        code, complaint = await victim.ended()

        assert (0, "") == (code, complaint)
        assert took_s < QUICKLY_S
        assert [NORMAL] == dock.server.close_codes


async def test_f45_stopped_and_continued_it_doubts_its_state_and_counts_fills_once(dock):
    victim = await dock.start("follow", is_patient=False)
    await victim.hear("ready")
    await victim.tell(submit="c1")
    assert "OPEN" == (await victim.hear("status"))["status"]
    victim.signal(signal.SIGSTOP)
    venue_id = dock.server.venue.venue_id_of("c1")
    dock.server.venue.fill(venue_id, "0.5")
    dock.server.venue.fill(venue_id)

    await dock.clock.sleep_ns(3_000_000_000)
    victim.signal(signal.SIGCONT)
    for _ in range(2):
        while (await victim.hear("event"))["fill_id"] is None:
            pass
    await victim.tell(submit="c2")
    while "status" not in (told := await victim.hear("submitted")):
        assert "ReconcilingError" == told["error"]
        await victim.tell(submit="c2")

    fills = [one["fill_id"] for one in victim.said if one.get("fill_id")]
    assert ["x1", "x2"] == sorted(fills)
    assert "STALE" in {one.get("state") for one in victim.said}
    assert 1 == len(dock.orders("c2"))
