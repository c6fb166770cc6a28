"""A clock that goes wrong by a fixed time: what a client has whose machine is set badly."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dragoman.times import Clock

__all__ = ["SkewedClock"]


class SkewedClock:
    """Another clock, ahead by so much; behind, if that is below 0. A `Clock`."""

    def __init__(self, true: Clock, ahead_ns: int) -> None:
        self._true = true
        self._ahead_ns = ahead_ns

    def now_ns(self) -> int:
        """Return the wrong instant in UTC nanoseconds."""
        return self._true.now_ns() + self._ahead_ns

    def monotonic_ns(self) -> int:
        """Return nanoseconds that only ever grow; these are right."""
        return self._true.monotonic_ns()

    async def sleep_ns(self, duration_ns: int) -> None:
        """Wait for a duration."""
        await self._true.sleep_ns(duration_ns)

    async def sleep_until_ns(self, instant_ns: int) -> None:
        """Wait until an instant by the wrong clock."""
        await self._true.sleep_ns(instant_ns - self.now_ns())
