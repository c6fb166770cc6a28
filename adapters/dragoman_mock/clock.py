"""The venue's time: another clock's, at another speed and from another start.

Venue time never runs backwards, so a venue that was saved ahead of the clock goes on from where it
stood. When the machine can't keep the speed, `hold` lets time pass more slowly instead of piling
up.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dragoman.times import Clock

__all__ = ["VenueClock"]


class VenueClock:
    """A clock that runs at `speed` times the pace of `clock`.

    Args:
        clock: What drives it.
        speed: Its seconds per second of `clock`.
        start_ns: Its time now; None: the time of `clock`.
    """

    def __init__(
        self, clock: Clock, speed: Fraction = Fraction(1), start_ns: int | None = None
    ) -> None:
        self._clock = clock
        self._speed = speed
        self._is_even = speed == 1
        self._source_ns = clock.now_ns()
        self._start_ns = self._source_ns if start_ns is None else start_ns

    @property
    def speed(self) -> Fraction:
        """Its seconds per second of the clock that drives it."""
        return self._speed

    def now_ns(self) -> int:
        """Return the venue's time in UTC nanoseconds."""
        passed_ns = self._clock.now_ns() - self._source_ns
        return self._start_ns + (passed_ns if self._is_even else int(passed_ns * self._speed))

    def monotonic_ns(self) -> int:
        """Return a time for measuring durations, in nanoseconds of venue time."""
        return int(self._clock.monotonic_ns() * self._speed)

    async def sleep_until_ns(self, instant_ns: int) -> None:
        """Sleep until the venue's time reaches `instant_ns`; at once if it has."""
        ahead = Fraction(instant_ns - self._start_ns) / self._speed
        await self._clock.sleep_until_ns(self._source_ns + -(-ahead.numerator // ahead.denominator))

    async def sleep_ns(self, duration_ns: int) -> None:
        """Sleep for a duration of the venue's time."""
        ahead = Fraction(duration_ns) / self._speed
        await self._clock.sleep_ns(-(-ahead.numerator // ahead.denominator))

    def hold(self, instant_ns: int) -> None:
        """Let it be `instant_ns` now, which is not after `now_ns`."""
        self._source_ns = self._clock.now_ns()
        self._start_ns = instant_ns
