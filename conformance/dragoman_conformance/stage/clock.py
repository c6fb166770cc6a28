"""The clock of the stage: everybody's time, which begins at an instant of the kit's choice."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from dragoman.errors import ConfigurationError
from dragoman.times import SECOND_NS

from .loop import StageLoop

__all__ = ["NOON_NS", "StageClock", "Timeline"]

NOON_NS: Final = 1_767_787_200_000_000_000
"""2026-01-07T12:00:00Z, a Wednesday: when every scenario begins unless it says otherwise."""


class Timeline(Protocol):
    """What a clock of the stage goes by: a `StageLoop`, or real time where a venue is recorded."""

    @property
    def now_ns(self) -> int:
        """The nanoseconds that have passed."""
        ...


class StageClock:
    """A `Clock` that goes by the stage's loop, never by the machine's.

    Args:
        loop: Whose time it tells; sleeps are the running loop's.
        start_ns: What that loop's present instant is called, in UTC nanoseconds.
    """

    def __init__(self, loop: Timeline, start_ns: int = NOON_NS) -> None:
        self._loop = loop
        self._offset_ns = start_ns - loop.now_ns

    def now_ns(self) -> int:
        """Return the instant in UTC nanoseconds."""
        return self._offset_ns + self._loop.now_ns

    def monotonic_ns(self) -> int:
        """Return nanoseconds that only ever grow."""
        return self._loop.now_ns

    def step(self, nanoseconds: int) -> None:
        """Set the wall clock forward or back, as an operator or a time server does."""
        self._offset_ns += nanoseconds

    def leap(self, nanoseconds: int) -> None:
        """Let time pass in which nobody does anything, as while a machine sleeps.

        Raises:
            ConfigurationError: It goes by real time.
        """
        if not isinstance(self._loop, StageLoop):
            raise ConfigurationError("real time can't be made to pass")
        self._loop.leap(nanoseconds)

    async def sleep_ns(self, duration_ns: int) -> None:
        """Wait for a duration."""
        due_ns = self._loop.now_ns + duration_ns
        while True:
            await asyncio.sleep(max(0, due_ns - self._loop.now_ns) / SECOND_NS)  # noqa: TID251 - this is the clock
            if self._loop.now_ns >= due_ns:
                return

    async def sleep_until_ns(self, instant_ns: int) -> None:
        """Wait until an instant by the wall clock; returns at once if it is past."""
        await self.sleep_ns(instant_ns - self.now_ns())
