"""A beat a second, by which an account notices what nobody tells it.

A loop that was blocked, a machine that slept, a clock that was set: each shows in how late the beat
comes. Whatever is to be looked at now and then is looked at on the beat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.times import Clock

__all__ = ["Heartbeat"]

_BEAT_NS: Final = SECOND_NS
_LATE_NS: Final = SECOND_NS
_LEAP_NS: Final = 5 * SECOND_NS


class Heartbeat:
    """Beats until it is canceled.

    A beat is late when both the clock and the event loop say so: a clock that runs at another
    speed, or by hand, is late by itself.

    Args:
        clock: Gives the beat.
        loop_time: The event loop's own time, in seconds.
        on_beat: Called on every beat.
        on_gap: Called with what happened and for how many nanoseconds when time was lost.
    """

    def __init__(
        self,
        clock: Clock,
        loop_time: Callable[[], float],
        *,
        on_beat: Callable[[], None],
        on_gap: Callable[[str, int], None],
    ) -> None:
        self._clock = clock
        self._loop_time = loop_time
        self._on_beat = on_beat
        self._on_gap = on_gap

    async def run(self) -> None:
        """Beat."""
        while True:
            started, wall_ns = self._loop_time(), self._clock.now_ns()
            monotonic_ns = self._clock.monotonic_ns()
            await self._clock.sleep_ns(_BEAT_NS)
            slept_ns = self._clock.monotonic_ns() - monotonic_ns
            looped_ns = round((self._loop_time() - started) * SECOND_NS)
            self._judge(
                min(slept_ns - _BEAT_NS, looped_ns), self._clock.now_ns() - wall_ns - slept_ns
            )
            self._on_beat()

    def _judge(self, late_ns: int, leap_ns: int) -> None:
        """Tell of lost time: the monotonic clock stands still while some machines sleep."""
        if leap_ns > _LEAP_NS:
            self._on_gap("the machine slept, or its clock was set forward", leap_ns)
        elif late_ns > _LATE_NS:
            self._on_gap("the event loop was blocked", late_ns)
