import asyncio

import pytest

from dragoman.orders.watch import Watch
from dragoman_conformance.simulation.loop import VirtualLoop, run_virtual


def in_virtual_time(work):
    """Run `work(watch, loop)`; returns its result and when it came."""
    loop, watch = VirtualLoop(), Watch()

    async def main():
        return await work(watch, loop), loop.time()

    return run_virtual(loop, main())


def test_who_waits_in_vain_is_let_go_at_the_deadline_and_not_before():
    async def work(watch, loop):
        for at_s in (1, 2):
            loop.call_at(at_s, watch.wake, "a")
        return await watch.until("a", lambda: False, 3.0)

    assert (False, 3.0) == in_virtual_time(work)


def test_what_is_reached_at_some_news_ends_the_wait():
    async def work(watch, loop):
        for at_s in (1, 2):
            loop.call_at(at_s, watch.wake, "a")
        return await watch.until("a", lambda: loop.time() >= 2, 3.0)

    assert (True, 2.0) == in_virtual_time(work)


def test_news_of_another_order_wakes_nobody():
    async def work(watch, loop):
        loop.call_at(1, watch.wake, "b")
        return await watch.until("a", lambda: loop.time() >= 1, 3.0)

    assert (True, 3.0) == in_virtual_time(work)


def test_each_of_several_who_wait_for_one_order_has_a_deadline_of_its_own():
    async def work(watch, loop):
        async def one(timeout_s):
            return await watch.until("a", lambda: False, timeout_s), loop.time()

        return await asyncio.gather(one(2.0), one(1.0), one(3.0))

    assert ([(False, 2.0), (False, 1.0), (False, 3.0)], 3.0) == in_virtual_time(work)


def test_without_a_deadline_only_the_end_lets_go():
    async def work(watch, loop):
        loop.call_at(9_000, watch.close)
        return await watch.until("a", lambda: False, None)

    assert (False, 9_000.0) == in_virtual_time(work)


def test_a_wait_that_is_canceled_leaves_nothing_behind():
    async def work(watch, loop):
        others = asyncio.ensure_future(watch.until("a", lambda: loop.time() >= 2, 5.0))
        waiting = asyncio.ensure_future(watch.until("a", lambda: False, 5.0))
        await asyncio.sleep(1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        loop.call_at(2, watch.wake, "a")
        return await others, watch._waiting

    assert ((True, {}), 2.0) == in_virtual_time(work)
