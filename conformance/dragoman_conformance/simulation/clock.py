"""The client's clock in a simulation: wall time may step and drift, monotonic time is the loop's.

The venue goes by the loop itself, so that a wrong clock of the client is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

    from .loop import VirtualLoop

__all__ = ["START_NS", "SimClock", "WallError"]

START_NS: Final = 1_767_796_200_000_000_000
"""The wall time at which every simulation starts: a Wednesday, 14:30 UTC."""


class WallError:
    """By how much the machine's wall clock is wrong; all of its processes share it."""

    def __init__(self) -> None:
        self.offset_ns = 0


class SimClock:
    """The clock of one process over a virtual loop."""

    def __init__(self, loop: VirtualLoop, error: WallError | None = None) -> None:
        self._loop = loop
        self._error = error or WallError()

    def now_ns(self) -> int:
        """Return the wall time in UTC nanoseconds."""
        return START_NS + self._loop.now_ns + self._error.offset_ns

    def monotonic_ns(self) -> int:
        """Return nanoseconds of virtual time."""
        return self._loop.now_ns

    async def sleep_until_ns(self, instant_ns: int) -> None:
        """Sleep until wall time reaches `instant_ns`; a step meanwhile is noticed at the end."""
        await self.sleep_ns(instant_ns - self.now_ns())
        while self.now_ns() < instant_ns:
            await self.sleep_ns(instant_ns - self.now_ns())

    async def sleep_ns(self, duration_ns: int) -> None:
        """Sleep for a duration of virtual time; of none at all, for one turn of the loop."""
        woken: asyncio.Future[None] = self._loop.create_future()
        timer = self._loop.call_later(max(0, duration_ns) / 1e9, _wake, woken)
        try:
            await woken
        finally:
            timer.cancel()


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
