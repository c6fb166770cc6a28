"""The venue's time, estimated: what a signature is dated with when clocks disagree.

Once it was measured, the venue's time runs on with this machine's monotonic clock, so no step of
the wall clock moves it. A machine that slept is noticed by the two clocks drifting apart; then the
estimate is void until it is measured again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import ProtocolError
from dragoman.times import EARLIEST_NS, LATEST_NS, MILLISECOND_NS, MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.times import Clock

__all__ = ["ServerClock"]

_DRIFT_PER_NS: Final = 200e-6
"""How fast two clocks may run apart: twice what a bad quartz does."""


@attrs.frozen
class _Estimate:
    server_ns: int
    monotonic_ns: int
    wall_ns: int
    error_ns: int

    def error_at(self, monotonic_ns: int) -> float:
        return self.error_ns + (monotonic_ns - self.monotonic_ns) * _DRIFT_PER_NS


class ServerClock:
    """One venue's time. Until it was measured, the machine's wall time stands in.

    Args:
        clock: The machine's clocks.
        oldest_ns: After how long a measurement is due again.
        step_ns: By how much wall and monotonic time may part before the estimate is void.
    """

    def __init__(
        self, clock: Clock, *, oldest_ns: int = 10 * MINUTE_NS, step_ns: int = 500 * MILLISECOND_NS
    ) -> None:
        self._clock = clock
        self._oldest_ns = oldest_ns
        self._step_ns = step_ns
        self._estimate: _Estimate | None = None

    def now_ns(self) -> int:
        """Return the venue's time in UTC nanoseconds, as far as it is known."""
        estimate = self._estimate
        if estimate is None:
            return self._clock.now_ns()
        return estimate.server_ns + self._clock.monotonic_ns() - estimate.monotonic_ns

    @property
    def offset_ns(self) -> int:
        """How far the venue's time is ahead of this machine's wall time; 0 until measured."""
        return self.now_ns() - self._clock.now_ns() if self._estimate is not None else 0

    @property
    def error_ns(self) -> int | None:
        """How far off the estimate may be by now; None until measured."""
        estimate = self._estimate
        return None if estimate is None else round(estimate.error_at(self._clock.monotonic_ns()))

    @property
    def is_due(self) -> bool:
        """Whether to measure: never done, done long ago, or one of the machine's clocks jumped."""
        estimate = self._estimate
        if estimate is None:
            return True
        age_ns = self._clock.monotonic_ns() - estimate.monotonic_ns
        drift_ns = self._clock.now_ns() - estimate.wall_ns - age_ns
        return age_ns >= self._oldest_ns or abs(drift_ns) >= self._step_ns

    async def measure(self, fetch: Callable[[], Awaitable[int]]) -> None:
        """Ask the venue for its time with `fetch` (UTC nanoseconds) and learn from the answer.

        What `fetch` raises passes through, and the old estimate stands; `fetch` bounds its own
        time.

        Raises:
            ProtocolError: The answer is no time.
        """
        sent_ns = self._clock.monotonic_ns()
        server_ns = await fetch()
        self.observe(server_ns, sent_ns)

    def observe(self, server_ns: int, sent_ns: int) -> None:
        """Learn from an answer that came just now to a question sent at `sent_ns` (monotonic).

        The answer was true at some moment of the exchange; halfway is the best guess, and half the
        exchange the error. A worse measurement does not replace a better one that is still sound.

        Raises:
            ProtocolError: The answer is no time.
        """
        if not EARLIEST_NS <= server_ns <= LATEST_NS:
            raise ProtocolError("the venue's time is out of the years 1 to 9999; ask it again")
        received_ns = self._clock.monotonic_ns()
        half_ns = (received_ns - sent_ns) // 2
        if not self.is_due and self._knows_better(half_ns, received_ns):
            return
        now_ns = self._clock.now_ns()
        self._estimate = _Estimate(server_ns + half_ns, received_ns, now_ns, half_ns)

    def _knows_better(self, error_ns: int, monotonic_ns: int) -> bool:
        return self._estimate is not None and self._estimate.error_at(monotonic_ns) < error_ns

    def forget(self) -> None:
        """Void the estimate, because the venue said that a signature was dated wrongly."""
        self._estimate = None
