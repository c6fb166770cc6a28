"""A machine's stalls are no part of a patient loop's time, its speed hardly; what is waited is."""

import asyncio
import os
import threading
import time

import pytest
from tests.patience import PatientClock, PatientTime, patient

SECOND_NS = 10**9
pytestmark = pytest.mark.wall_time


@pytest.fixture
async def loop():
    loop = asyncio.get_running_loop()
    with patient(loop):
        yield loop


def stall(seconds):
    """Keep this process from running, as far as its loop can tell."""
    time.sleep(seconds)


def work(seconds):
    """Use the processor for so long."""
    end_s = time.thread_time() + seconds
    while time.thread_time() < end_s:
        pass


async def test_a_stall_takes_no_time(loop):
    before_s = loop.time()

    stall(0.3)
    await asyncio.sleep(0)

    assert loop.time() - before_s < 0.1


async def test_work_takes_a_twentieth_of_its_time(loop):
    before_s = loop.time()

    work(0.4)

    assert 0.019 <= loop.time() - before_s < 0.2


async def test_work_in_small_steps_takes_no_less(loop):
    before_s, end_s = loop.time(), time.thread_time() + 0.4

    while time.thread_time() < end_s:
        loop.time()

    assert 0.019 <= loop.time() - before_s < 0.2


async def test_what_turns_in_circles_times_out(loop):
    def turn():
        loop.call_soon(turn)

    turn()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(loop.create_future(), 0.01)


async def test_a_wait_takes_what_it_was_to_take(loop):
    before_s = loop.time()

    await asyncio.sleep(0.1)

    assert 0.1 <= loop.time() - before_s < 0.15


async def test_a_stall_makes_no_timeout_pass(loop):
    reader, writer = os.pipe()
    told = asyncio.Event()
    loop.add_reader(reader, told.set)
    os.write(writer, b"x")

    async with asyncio.timeout(0.1):
        stall(0.3)
        await told.wait()

    loop.remove_reader(reader)
    os.close(reader)
    os.close(writer)
    assert told.is_set()


async def test_what_never_comes_still_times_out(loop):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await asyncio.Event().wait()


async def test_a_wait_that_is_cut_short_by_a_thread_takes_as_long_as_it_took(loop):
    before_s = loop.time()

    await asyncio.to_thread(time.sleep, 0.1)

    assert loop.time() - before_s >= 0.09


async def test_another_thread_reads_the_time_and_does_not_move_it(loop):
    work(0.05)
    now_s = loop.time()
    seen = []

    thread = threading.Thread(target=lambda: (work(0.05), seen.append(loop.time())))
    thread.start()
    thread.join()

    assert [now_s] == seen


async def test_after_it_the_loop_goes_by_the_machine_again():
    loop = asyncio.get_running_loop()
    with patient(loop):
        stall(0.2)
        patiently_s = loop.time()

    assert loop.time() - patiently_s > 0.15


def test_no_stall_within_a_wait_counts():
    own = PatientTime(100.0, lambda _: stall(0.2))
    before_s = own.time()

    own.select(0.01)

    assert 0.01 <= own.time() - before_s < 0.1


async def test_a_clock_goes_as_much_faster_as_it_says(loop):
    clock = PatientClock(loop, 20.0)
    wall_ns, before_s = clock.now_ns(), loop.time()

    await clock.sleep_ns(2 * SECOND_NS)

    assert clock.monotonic_ns() >= 2 * SECOND_NS
    assert clock.now_ns() - wall_ns >= 2 * SECOND_NS
    assert 0.1 <= loop.time() - before_s < 0.2


async def test_a_clock_wakes_nobody_early(loop):
    clock = PatientClock(loop, 20.0)
    due_ns = clock.now_ns() + SECOND_NS

    await clock.sleep_until_ns(due_ns)

    assert clock.now_ns() >= due_ns
