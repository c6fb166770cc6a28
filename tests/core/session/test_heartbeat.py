"""Lost time is noticed when the clock and the loop agree on it, and only then."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dragoman import ManualClock
from dragoman.session.heartbeat import Heartbeat
from dragoman.times import SECOND_NS


class Machine(ManualClock):
    """A clock, and a loop's time, that a test lets lag or leap."""

    def __init__(self) -> None:
        super().__init__()
        self.late_ns = 0
        self.leap_ns = 0
        self.lost_by_loop_s = 0.0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.late_ns

    def now_ns(self) -> int:
        return super().now_ns() + self.late_ns + self.leap_ns

    def loop_time(self) -> float:
        return super().monotonic_ns() / SECOND_NS + self.lost_by_loop_s


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def gaps() -> list[tuple[str, int]]:
    return []


@pytest.fixture
async def beats(machine: Machine, gaps: list[tuple[str, int]]) -> AsyncIterator[list[int]]:
    counted: list[int] = []
    heartbeat = Heartbeat(
        machine,
        machine.loop_time,
        on_beat=lambda: counted.append(machine.now_ns()),
        on_gap=lambda cause, lost_ns: gaps.append((cause, lost_ns)),
    )
    task = asyncio.ensure_future(heartbeat.run())
    await asyncio.sleep(0)
    yield counted
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_beats_once_a_second(
    machine: Machine, beats: list[int], gaps: list[tuple[str, int]]
) -> None:
    await machine.advance(seconds=5)

    assert (5, []) == (len(beats), gaps)


async def test_f81_a_blocked_loop_is_told_once(
    machine: Machine, beats: list[int], gaps: list[tuple[str, int]]
) -> None:
    machine.late_ns += 5 * SECOND_NS
    machine.lost_by_loop_s += 5
    await machine.advance(seconds=3)

    assert [("the event loop was blocked", 5 * SECOND_NS)] == gaps
    assert 3 == len(beats)


async def test_f81_half_a_second_is_no_gap(
    machine: Machine, beats: list[int], gaps: list[tuple[str, int]]
) -> None:
    machine.late_ns += SECOND_NS // 2
    machine.lost_by_loop_s += 0.5
    await machine.advance(seconds=3)

    assert [] == gaps


async def test_a_clock_that_runs_fast_is_no_blocked_loop(
    machine: Machine, beats: list[int], gaps: list[tuple[str, int]]
) -> None:
    machine.late_ns += 5 * SECOND_NS
    machine.lost_by_loop_s -= 0.999
    await machine.advance(seconds=3)

    assert [] == gaps


async def test_f45_a_stopped_process_is_told_like_a_blocked_loop(
    machine: Machine, beats: list[int], gaps: list[tuple[str, int]]
) -> None:
    machine.late_ns += 60 * SECOND_NS
    machine.lost_by_loop_s += 60
    await machine.advance(seconds=1)

    assert [60 * SECOND_NS] == [lost_ns for _, lost_ns in gaps]


async def test_f80_a_machine_that_slept_shows_in_its_wall_clock(
    machine: Machine, beats: list[int], gaps: list[tuple[str, int]]
) -> None:
    machine.leap_ns += 1800 * SECOND_NS
    await machine.advance(seconds=1)

    assert [1800 * SECOND_NS] == [lost_ns for _, lost_ns in gaps]
    assert "slept" in gaps[0][0]


async def test_f47_a_wall_clock_set_back_is_no_gap(
    machine: Machine, beats: list[int], gaps: list[tuple[str, int]]
) -> None:
    machine.leap_ns -= 3600 * SECOND_NS
    await machine.advance(seconds=2)

    assert ([], 2) == (gaps, len(beats))
