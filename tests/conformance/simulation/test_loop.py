"""The virtual loop: time that jumps, a schedule that follows from a seed, and no outside world."""

import asyncio
import socket
from random import Random

import pytest

from dragoman_conformance.simulation.clock import START_NS, SimClock, WallError
from dragoman_conformance.simulation.loop import (
    LoopLimitError,
    RealWorldError,
    StuckError,
    VirtualLoop,
    run_virtual,
)

SECOND_NS = 1_000_000_000


def order_of_turns(seed):
    """Return in which order four tasks that can always run took their turns."""
    random = None if seed is None else Random(seed)
    loop, turns = VirtualLoop(random), []

    async def worker(name):
        for _ in range(3):
            turns.append(name)
            await asyncio.sleep(0)

    async def main():
        await asyncio.gather(*[worker(name) for name in "abcd"])

    run_virtual(loop, main())
    return "".join(turns)


def test_a_day_passes_at_once_and_to_the_nanosecond():
    loop = VirtualLoop(max_seconds=2 * 86_400)
    clock = SimClock(loop)

    async def main():
        await clock.sleep_ns(86_400 * SECOND_NS + 1)
        return loop.now_ns, clock.now_ns() - START_NS, clock.monotonic_ns()

    day_ns = 86_400 * SECOND_NS + 1
    assert (day_ns, day_ns, day_ns) == run_virtual(loop, main())


def test_timers_strike_at_their_own_instants_in_order():
    loop, struck = VirtualLoop(Random(1)), []

    async def main():
        for delay in (3, 1, 2, 1):
            loop.call_later(delay, lambda: struck.append(loop.time()))
        await asyncio.sleep(5)

    run_virtual(loop, main())

    assert [1.0, 1.0, 2.0, 3.0] == struck


def test_one_seed_gives_one_schedule():
    assert order_of_turns(7) == order_of_turns(7)


def test_seeds_give_many_schedules():
    assert len({order_of_turns(seed) for seed in range(20)}) > 10


def test_without_a_seed_tasks_run_as_asyncio_has_them():
    assert "abcdabcdabcd" == order_of_turns(None)


def test_callbacks_keep_their_order_whatever_the_seed():
    for seed in range(20):
        loop, called = VirtualLoop(Random(seed)), []

        async def main(loop=loop, called=called):
            for number in range(10):
                loop.call_soon(called.append, number)
            await asyncio.sleep(1)

        run_virtual(loop, main())
        assert list(range(10)) == called


def test_a_deadlock_is_an_error_that_names_who_waits():
    loop = VirtualLoop()

    async def main():
        task = asyncio.current_task()
        assert task is not None
        task.set_name("the one who waits")
        await asyncio.Event().wait()

    with pytest.raises(StuckError, match="the one who waits"):
        run_virtual(loop, main())


def test_a_run_that_takes_too_long_is_ended():
    loop = VirtualLoop(max_seconds=10)

    with pytest.raises(LoopLimitError, match=r"10\.0 s"):
        run_virtual(loop, SimClock(loop).sleep_ns(11 * SECOND_NS))


def test_a_run_that_spins_is_ended():
    loop = VirtualLoop(max_steps=1_000)

    async def spin():
        while True:  # noqa: ASYNC110 - to spin is the point
            await asyncio.sleep(0)

    with pytest.raises(LoopLimitError, match="1000 steps"):
        run_virtual(loop, spin())


async def connect():
    await asyncio.open_connection("127.0.0.1", 9)


async def serve():
    await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0)


async def use_a_thread():
    await asyncio.to_thread(print)


async def start_a_process():
    await asyncio.create_subprocess_exec("true")


async def look_up_a_name():
    await asyncio.get_running_loop().getaddrinfo("localhost", 80)


async def read_a_socket():
    with socket.socket() as sock:
        await asyncio.get_running_loop().sock_recv(sock, 1)


@pytest.mark.parametrize(
    "reach", [connect, serve, use_a_thread, start_a_process, look_up_a_name, read_a_socket]
)
def test_the_outside_world_is_refused(reach):
    with pytest.raises(RealWorldError, match="nothing outside"):
        run_virtual(VirtualLoop(), reach())


def test_a_hook_strikes_after_its_step_and_between_callbacks():
    loop, seen = VirtualLoop(), []

    async def main():
        loop.at_step(loop.steps + 3, lambda: seen.append(loop.steps))
        for _ in range(10):
            await asyncio.sleep(0)

    run_virtual(loop, main())

    assert [4] == seen


def test_a_hook_can_cancel_a_task_at_any_step():
    loop = VirtualLoop()

    async def main():
        async def work():
            for step in range(100):
                progress.append(step)
                await asyncio.sleep(0)

        progress: list[int] = []
        task = loop.create_task(work())
        loop.at_step(loop.steps + 10, task.cancel)
        await asyncio.wait({task})
        return task.cancelled(), len(progress)

    is_cancelled, steps = run_virtual(loop, main())

    assert is_cancelled
    assert 0 < steps < 100


def test_a_blocked_loop_lets_timers_strike_late():
    loop = VirtualLoop()

    async def main():
        loop.call_later(0.5, loop.block, 5)
        loop.call_later(1, lambda: late.append(loop.time()))
        late: list[float] = []
        await asyncio.sleep(10)
        return late

    assert [5.5] == run_virtual(loop, main())


def test_a_wrong_wall_clock_is_wrong_for_wall_time_alone():
    loop, error = VirtualLoop(), WallError()
    clock = SimClock(loop, error)

    async def main():
        error.offset_ns = -3_600 * SECOND_NS
        await clock.sleep_ns(SECOND_NS)
        return clock.now_ns() - START_NS, clock.monotonic_ns()

    assert (-3_599 * SECOND_NS, SECOND_NS) == run_virtual(loop, main())


def test_sleeping_until_an_instant_outlasts_a_step_back():
    loop, error = VirtualLoop(), WallError()
    clock = SimClock(loop, error)

    async def main():
        def step_back():
            error.offset_ns = -10 * SECOND_NS

        loop.call_later(1, step_back)
        await clock.sleep_until_ns(START_NS + 2 * SECOND_NS)
        return loop.time()

    assert 12.0 == run_virtual(loop, main())


def test_tasks_that_are_left_are_canceled_at_the_end():
    loop, ended = VirtualLoop(), []

    async def sleeper():
        try:
            await asyncio.sleep(1_000)
        finally:
            ended.append(loop.time())

    async def main():
        main.task = loop.create_task(sleeper())
        await asyncio.sleep(1)

    run_virtual(loop, main())

    assert [1.0] == ended
    assert loop.is_closed()
