"""Circuit breakers: three failures within five minutes stop what they guard, until a reset."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from dragoman.times import MINUTE_NS, SECOND_NS

from .problems import RefusedError

if TYPE_CHECKING:
    from dragoman.times import Clock

__all__ = ["Breaker", "Breakers"]

_MOST_FAILURES: Final = 3
_SPAN_NS: Final = 5 * MINUTE_NS
_COOLDOWN_NS: Final = 60 * SECOND_NS


class Breaker:
    """Counts failures; once open it stays so until it is reset.

    Args:
        clock: Only its monotonic time is used.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed_at_ns: deque[int] = deque(maxlen=1000)
        self._is_open = False

    @property
    def is_open(self) -> bool:
        """Whether what it guards is stopped."""
        return self._is_open

    def failed(self) -> None:
        """Note a failure."""
        self._failed_at_ns.append(self._clock.monotonic_ns())
        if self._recent() >= _MOST_FAILURES:
            self._is_open = True

    def reset(self) -> None:
        """Close, and forget all failures."""
        self._is_open = False
        self._failed_at_ns.clear()

    def row(self) -> dict[str, object]:
        """Return how it stands."""
        state = "open" if self._is_open else "closed"
        return {"state": state, "failure_count": self._recent()}

    def _recent(self) -> int:
        since_ns = self._clock.monotonic_ns() - _SPAN_NS
        return sum(1 for at_ns in self._failed_at_ns if at_ns >= since_ns)


class Breakers:
    """The two breakers of an account: one guards submits, the other entries that carry exits.

    Cancels, changes and closes pass whatever happened: they take exposure away.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reset_at_ns: int | None = None
        self.adapter: Breaker = Breaker(clock)
        self.exits: Breaker = Breaker(clock)

    def check(self, *, has_exits: bool) -> None:
        """Refuse to submit an order while a breaker is open.

        Raises:
            RefusedError: One is (503); nothing was sent.
        """
        if self.adapter.is_open:
            raise _open("the broker failed repeatedly; reset the circuit breaker to go on")
        if has_exits and self.exits.is_open:
            raise _open("exits could not be placed repeatedly; reset the circuit breaker to go on")

    def reset(self) -> None:
        """Close both.

        Raises:
            RefusedError: The last reset was less than a minute ago (409); both stand as they were.
        """
        now_ns = self._clock.monotonic_ns()
        if self._reset_at_ns is not None and now_ns - self._reset_at_ns < _COOLDOWN_NS:
            left_s = -(-(_COOLDOWN_NS - (now_ns - self._reset_at_ns)) // SECOND_NS)
            message = f"Reset cooldown: the last reset was just now; wait {left_s} s"
            raise RefusedError(409, "RESET_COOLDOWN", message)
        self._reset_at_ns = now_ns
        self.adapter.reset()
        self.exits.reset()

    def row(self) -> dict[str, object]:
        """Return how both stand."""
        return {"adapter": self.adapter.row(), "exit_order": self.exits.row()}


def _open(why: str) -> RefusedError:
    return RefusedError(503, "PROVIDER_UNAVAILABLE", f"Provider unavailable: {why}")
