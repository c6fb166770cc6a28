"""Many time limits of one length, and one timer for them."""

import asyncio

import pytest
from tests.core.transport.raw_server import until

from dragoman.dialects.deadlines import Deadlines


@pytest.fixture
def expired():
    return []


async def test_what_is_not_ended_in_time_expires_once_in_order(expired):
    deadlines = Deadlines(0.01, expired.append)
    for item in "abc":
        deadlines.start(item)
    deadlines.end("b")
    deadlines.end("b")

    await until(lambda: len(expired) == 2)
    assert (["a", "c"], 0) == (expired, len(deadlines))


async def test_what_is_started_again_keeps_its_time(expired):
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(30, expired.append)
    deadlines.start("a")
    due = dict(deadlines._due)
    await until(lambda: loop.time() > due["a"] - 30)
    deadlines.start("a")

    assert due == deadlines._due


async def test_later_ones_have_a_time_of_their_own(expired):
    deadlines = Deadlines(0.01, expired.append)
    for item in range(3):
        deadlines.start(item)
        await until(lambda item=item: item in expired)

    assert [0, 1, 2] == expired


async def test_one_timer_serves_all(expired):
    deadlines = Deadlines(30, expired.append)
    loop = asyncio.get_running_loop()
    before = len(loop._scheduled)
    for item in range(100):
        deadlines.start(item)
    for item in range(100):
        deadlines.end(item)

    assert 1 == len(loop._scheduled) - before
    deadlines._timer.cancel()
