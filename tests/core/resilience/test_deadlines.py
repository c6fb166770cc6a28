import asyncio

from dragoman.resilience.deadlines import Deadlines
from dragoman_conformance.simulation.loop import VirtualLoop, run_virtual


def expired_in(seconds, script):
    """Run `script(deadlines, loop)` and return when each wait expired within that time."""
    loop, expired = VirtualLoop(), []

    async def main():
        deadlines = Deadlines(lambda wait: expired.append((wait, loop.time())))
        script(deadlines, loop)
        await asyncio.sleep(seconds)
        deadlines.close()

    run_virtual(loop, main())
    return expired


def test_each_wait_expires_at_its_own_deadline_whatever_the_order_they_came_in():
    def script(deadlines, loop):
        for name, due_s in (("b", 2.0), ("a", 1.0), ("d", 4.0), ("c", 3.0)):
            deadlines.add(name, due_s)

    assert [("a", 1.0), ("b", 2.0), ("c", 3.0)] == expired_in(3.5, script)


def test_a_wait_that_was_dropped_does_not_expire_and_holds_up_no_other():
    def script(deadlines, loop):
        deadlines.add("early", 1.0)
        deadlines.add("late", 2.0)
        deadlines.drop("early")

    assert [("late", 2.0)] == expired_in(3.0, script)


def test_waits_of_one_instant_expire_together():
    def script(deadlines, loop):
        deadlines.add("a", 1.0)
        deadlines.add("b", 1.0)

    assert [("a", 1.0), ("b", 1.0)] == expired_in(1.0, script)


def test_a_deadline_that_has_passed_comes_at_once():
    def script(deadlines, loop):
        loop.block(5.0)
        deadlines.add("a", 1.0)

    assert [("a", 5.0)] == expired_in(1.0, script)


def test_one_timer_stands_for_a_thousand_waits_that_end_in_time():
    loop = VirtualLoop()

    async def main():
        deadlines = Deadlines(lambda _: None)
        for number in range(1000):
            deadlines.add(number, loop.time() + 10)
            deadlines.drop(number)
        timers = len(loop._scheduled)
        deadlines.close()
        return timers

    assert 1 == run_virtual(loop, main())


def test_a_wait_may_be_added_while_another_expires():
    loop, expired = VirtualLoop(), []

    def expire(wait):
        expired.append((wait, loop.time()))
        if wait == "a":
            deadlines.add("soon", 1.5)

    deadlines = Deadlines(expire)

    async def main():
        deadlines.add("a", 1.0)
        deadlines.add("z", 3.0)
        await asyncio.sleep(4)

    run_virtual(loop, main())

    assert [("a", 1.0), ("soon", 1.5), ("z", 3.0)] == expired


def test_nothing_expires_after_the_end():
    def script(deadlines, loop):
        deadlines.add("a", 1.0)
        deadlines.close()
        deadlines.close()

    assert [] == expired_in(2.0, script)
