"""Time that stands still while the machine does.

A busy machine lets a process wait for its turn, or stops it for a second, and whatever was due by
then is late all at once: heartbeats are missed, time limits pass, peers look dead. None of that is
what a test on real sockets is about. Here an event loop's time goes on by what the loop itself
needs: the processor's time that its callbacks take, and of a wait for sockets and timers no more
than it meant to wait. How long the machine kept it from running does not count.

A callback that sleeps, instead of computing, stands outside of this time as well: what blocks a
loop on purpose is tested with clocks of another kind.
"""

import asyncio
import contextlib
import math
import threading
import time

SECOND_NS = 1_000_000_000
WORK_SHARE = 20  # so much work takes as long as a wait of one


class PatientTime:
    """The time of one event loop: no stall of the machine is a part of it, and work a small one."""

    def __init__(self, now_s, select):
        self._now_ns = round(now_s * SECOND_NS)
        self._worked_ns = time.thread_time_ns()
        self._select = select
        self._thread = threading.get_ident()

    def time(self):
        """Return seconds; from another thread, those as of the loop's last look."""
        if self._thread == threading.get_ident():
            worked_ns = time.thread_time_ns()
            spent_ns = max(0, worked_ns - self._worked_ns)  # it starts anew after a fork
            share_ns = spent_ns // WORK_SHARE
            self._now_ns += share_ns
            self._worked_ns = worked_ns - (spent_ns - share_ns * WORK_SHARE)
        return self._now_ns / SECOND_NS

    def select(self, timeout=None):
        """Wait for sockets; what that took beyond `timeout` has not been."""
        self.time()
        begun_ns = time.monotonic_ns()
        found = self._select(timeout)
        waited_ns = time.monotonic_ns() - begun_ns
        if timeout is not None:
            waited_ns = min(waited_ns, math.ceil(max(0.0, timeout) * SECOND_NS))
        self._now_ns += waited_ns
        self._worked_ns = time.thread_time_ns()
        return found


@contextlib.contextmanager
def patient(loop):
    """Have a running loop go by `PatientTime`: its timers, its timeouts, and `loop.time()`."""
    selector = loop._selector
    own = PatientTime(loop.time(), selector.select)
    loop.time, selector.select = own.time, own.select
    try:
        yield
    finally:
        del loop.time, selector.select


class PatientClock:
    """A clock for everything within one loop, by the loop's time; `speed` times as fast."""

    def __init__(self, loop, speed=1.0):
        self._loop = loop
        self._speed = speed
        self._start = loop.time()
        self._wall_start_ns = time.time_ns()

    def now_ns(self):
        return self._wall_start_ns + self.monotonic_ns()

    def monotonic_ns(self):
        return round((self._loop.time() - self._start) * self._speed * SECOND_NS)

    async def sleep_until_ns(self, instant_ns):
        await self.sleep_ns(instant_ns - self.now_ns())

    async def sleep_ns(self, duration_ns):
        due_ns = self.monotonic_ns() + duration_ns
        await asyncio.sleep(max(0.0, duration_ns / SECOND_NS / self._speed))
        while self.monotonic_ns() < due_ns:  # noqa: ASYNC110 - by a rounding
            await asyncio.sleep(0)
