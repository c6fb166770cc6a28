"""Time on the stage: it passes only while nobody has anything to do."""

import asyncio
import threading
import time

import pytest

from dragoman.times import SECOND_NS
from dragoman_conformance.stage.clock import NOON_NS, StageClock
from dragoman_conformance.stage.loop import StageLoop, StuckError, run_on_stage

HOUR_S = 3600


def test_an_hour_of_sleep_takes_no_time():
    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(HOUR_S)
        return loop.now_ns

    started = time.monotonic()
    passed_ns = run_on_stage(main())

    assert HOUR_S * SECOND_NS <= passed_ns < (HOUR_S + 1) * SECOND_NS
    assert time.monotonic() - started < HOUR_S / 100


def test_no_time_passes_while_sockets_are_busy():
    async def answer(reader, writer):
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    async def main():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            async with asyncio.timeout(0.001):
                for _ in range(500):
                    writer.write(b"ping")
                    assert b"ping" == await reader.readexactly(4)
            writer.close()
            await writer.wait_closed()
        return asyncio.get_running_loop().now_ns

    assert 0 == run_on_stage(main())


def test_timers_do_not_overtake_a_thread():
    gate = threading.Event()

    async def main():
        loop = asyncio.get_running_loop()
        late = asyncio.create_task(asyncio.sleep(HOUR_S))
        work = loop.run_in_executor(None, gate.wait, 10)
        threading.Timer(0.05, gate.set).start()
        await work
        passed_ns = loop.now_ns
        late.cancel()
        return passed_ns

    assert 0 == run_on_stage(main())


def test_timers_come_in_their_order():
    async def main():
        told = []
        loop = asyncio.get_running_loop()
        for delay in (3, 1, 2):
            loop.call_later(delay, told.append, delay)
        await asyncio.sleep(4)
        return told

    assert [1, 2, 3] == run_on_stage(main())


def test_who_waits_for_what_can_never_come_is_stuck(monkeypatch):
    monkeypatch.setattr("dragoman_conformance.stage.loop._REAL_LIMIT_S", 0.05)

    async def main():
        await asyncio.get_running_loop().create_future()

    with pytest.raises(StuckError, match="nothing can go on"):
        run_on_stage(main())


class TestClock:
    def test_begins_where_it_is_told_to(self):
        async def main():
            return StageClock(asyncio.get_running_loop()).now_ns()

        assert NOON_NS == run_on_stage(main())

    def test_sleeps_to_the_nanosecond_or_longer(self):
        async def main():
            clock = StageClock(asyncio.get_running_loop())
            await clock.sleep_ns(1)
            first = clock.monotonic_ns()
            await clock.sleep_until_ns(clock.now_ns() + 7)
            return first, clock.monotonic_ns()

        first, second = run_on_stage(main())
        assert first >= 1
        assert second >= first + 7

    def test_a_step_moves_the_wall_and_not_the_stopwatch(self):
        async def main():
            clock = StageClock(asyncio.get_running_loop())
            clock.step(-SECOND_NS)
            return clock.now_ns(), clock.monotonic_ns()

        assert (NOON_NS - SECOND_NS, 0) == run_on_stage(main())


def test_a_loop_is_a_loop_of_the_platform():
    loop = StageLoop()
    try:
        assert isinstance(loop, asyncio.SelectorEventLoop)
    finally:
        loop.close()
