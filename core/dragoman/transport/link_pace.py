"""When a link may try again: jittered backoff, a budget of attempts, and no trust in a short calm.

A connection that drops soon after it came back continues the backoff it came from: only a stable
one starts it anew. Otherwise a peer that accepts and hangs up would be called without end.
"""

from __future__ import annotations

import threading
from bisect import insort
from typing import TYPE_CHECKING

from dragoman.errors import BusyError, ConflictError
from dragoman.times import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from random import Random

    from dragoman.errors import DragomanError
    from dragoman.times import Clock

    from .link_terms import LinkTerms

__all__ = ["ConnectBudget", "Pace"]


class ConnectBudget:
    """How many connections a minute may see; links that share one share the venue's patience.

    Callable from any thread and loop. Whoever gives up before its place comes gives it back: places
    that nobody uses would keep everybody else waiting.
    """

    def __init__(self, attempts_per_minute: int, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._most = attempts_per_minute
        self._taken: list[int] = []

    async def turn(self) -> None:
        """Wait for the next place."""
        instant_ns = self.reserve_ns()
        wait_ns = instant_ns - self._clock.monotonic_ns()
        try:
            if wait_ns > 0:
                await self._clock.sleep_ns(wait_ns)
        except BaseException:
            self.give_back(instant_ns)
            raise

    def reserve_ns(self) -> int:
        """Reserve the next place; return its instant, monotonic."""
        with self._lock:
            now_ns = instant_ns = self._clock.monotonic_ns()
            self._taken = [taken_ns for taken_ns in self._taken if taken_ns > now_ns - MINUTE_NS]
            if len(self._taken) >= self._most:
                instant_ns = max(now_ns, self._taken[-self._most] + MINUTE_NS)
            insort(self._taken, instant_ns)
            return instant_ns

    def give_back(self, instant_ns: int) -> None:
        """Free a place that will not be used."""
        with self._lock:
            if instant_ns in self._taken:
                self._taken.remove(instant_ns)


class Pace:
    """How long one link waits after each failure; `attempt` counts since it was stable."""

    def __init__(self, terms: LinkTerms, clock: Clock, random: Random) -> None:
        self.attempt: int = 0
        self.quick_losses: int = 0
        self._terms = terms
        self._clock = clock
        self._random = random
        self._live_since_ns: int | None = None

    @property
    def is_flapping(self) -> bool:
        """Whether it dropped soon after it came back, more than once in a row."""
        return self.quick_losses > 1

    def live(self) -> None:
        """Note that the link is live."""
        self._live_since_ns = self._clock.monotonic_ns()

    def lost(self) -> float | None:
        """Note that the link is down; return how many seconds it lived, None if it did not."""
        if self._live_since_ns is None:
            return None
        lived_ns = self._clock.monotonic_ns() - self._live_since_ns
        self._live_since_ns = None
        is_stable = lived_ns >= self._terms.stable_after_s * SECOND_NS
        self.quick_losses = 0 if is_stable else self.quick_losses + 1
        self.attempt = 0 if is_stable else self.attempt
        return lived_ns / SECOND_NS

    def delay_s(self, error: DragomanError) -> float:
        """Return how long to wait after `error`, and count it."""
        self.attempt += 1
        terms = self._terms
        delay_s = terms.backoff.delay_ns(self.attempt, self._random) / SECOND_NS
        if isinstance(error, (BusyError, ConflictError)):
            delay_s += terms.busy_wait_s
        return max(delay_s, min(error.retry_after or 0.0, terms.longest_retry_after_s))
