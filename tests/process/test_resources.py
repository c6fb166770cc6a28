"""Disks that fill up, processes that fork, and a thousand connections."""

import asyncio
import gc
import threading
from pathlib import Path

from tests.effort import effort

FOLDER = Path("/proc/self/fd")
MANY = effort(200, quick=50, soak=1000)
AT_ONCE = 10
STILL = 20
POOLED = "asyncio_"  # the loop's own pool keeps its threads, of a bounded number


async def test_f73_with_no_room_to_write_nothing_is_sent_and_room_makes_it_well(dock):
    victim = await dock.start("starve")

    code, complaint = await ended_with_words(victim)

    assert (0, False) == (code, "Traceback" in complaint)
    assert complaint.startswith("the journal can't be written")
    told = {one["submitted"]: one for one in victim.said if "submitted" in one}
    assert ["OPEN", "OPEN"] == [told[name]["status"] for name in ("before", "after")]
    starved = [told[f"starved-{index}"] for index in range(3)]
    assert {("JournalUnavailableError", "NOT_SENT")} == {
        (one["error"], one["outcome"]) for one in starved
    }
    assert ["before", "after"] == [one["client_id"] for one in dock.orders()]


async def test_f67_a_forked_child_is_told_what_to_do_and_sends_nothing(dock):
    victim = await dock.start("fork")

    code, complaint = await ended_with_words(victim)

    assert (0, "") == (code, complaint)
    child = next(one for one in victim.said if "submitted" not in one)
    assert ("NOT_SENT", True) == (child["outcome"], "fork" in child["text"])
    assert ["parent"] == [one["client_id"] for one in dock.orders()]


async def test_f68_connections_made_and_ended_side_by_side_leave_nothing_behind(open_dock):
    dock = await open_dock(speed=100.0)  # the adapter's rate limit takes its time

    async def visit(number):
        async with dock.connect("A1", read_only=bool(number % 2)):
            pass

    await asyncio.gather(*[visit(number) for number in range(AT_ONCE)])
    before = await at_rest()
    for _ in range(MANY // AT_ONCE):
        await asyncio.gather(*[visit(number) for number in range(AT_ONCE)])

    await dock.eventually(lambda: before == held())
    assert () == dock.server.venue.streams


async def at_rest():
    """Return what is held once that has not changed for a while."""
    seen = [held()]
    while len(seen) < STILL or len({*seen[-STILL:]}) > 1:
        await asyncio.sleep(0.05)
        seen.append(held())
    return seen[-1]


def held():
    """Return how many descriptors, which threads and how many tasks there are."""
    gc.collect()
    own = {one.name for one in threading.enumerate() if not one.name.startswith(POOLED)}
    return open_descriptors(), frozenset(own), len(asyncio.all_tasks())


def open_descriptors():
    return len([*FOLDER.iterdir()])


async def ended_with_words(victim):
    """Hear all that it says to its end."""
    await victim.hear("threads")
    return await victim.ended()
