"""Stops sending after a ban or repeated failure, and finds out by itself when it may go on.

A ban stops everything, cancels too: each further request would prolong it. Mere failures stop reads
and orders only, because a cancel takes exposure away and costs nobody anything if it fails.
Whatever it was, after a bounded time one request is let through to see.
"""

from __future__ import annotations

import threading
from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import CircuitOpenError
from dragoman.times import SECOND_NS
from dragoman.transport.base import Lane

from .retry_after import LONGEST_WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.times import Clock

__all__ = ["Breaker", "BreakerChange", "BreakerState", "BreakerTerms"]

_NOTABLE_NS: Final = SECOND_NS
_MOST_DOUBLINGS: Final = 32


class BreakerState(StrEnum):
    """CLOSED lets all pass, OPEN nothing (but cancels, unless banned), HALF_OPEN one to see."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


@attrs.frozen(kw_only=True)
class BreakerTerms:
    """When a breaker opens, and for how long.

    It opens after `failures` in a row within `span_s`, for `first_open_s`; each failed look doubles
    that, up to `longest_open_s`. A ban without a time lasts `ban_s`. A look that nobody reports on
    is forgotten after `probe_s`.
    """

    failures: int = 5
    span_s: float = 30.0
    first_open_s: float = 2.0
    longest_open_s: float = 120.0
    ban_s: float = 120.0
    probe_s: float = 15.0


@attrs.frozen(kw_only=True)
class BreakerChange:
    """One change of state with its cause; `retry_after` are the seconds until the next look."""

    scope: str
    state: BreakerState
    cause: str
    retry_after: float | None = None


class Breaker:
    """One scope of sending, an account at a venue say. Any thread may use it.

    Args:
        scope: What the scope is called in errors and changes.
        clock: Only its monotonic time is used.
        terms: When it opens, and for how long.
    """

    def __init__(self, scope: str, clock: Clock, terms: BreakerTerms | None = None) -> None:
        self._scope = scope
        self._clock = clock
        self._terms = terms or BreakerTerms()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[BreakerChange], None]] = []
        self._state = BreakerState.CLOSED
        self._cause = ""
        self._failed_at_ns: deque[int] = deque(maxlen=self._terms.failures)
        self._openings = 0
        self._until_ns = 0
        self._banned_until_ns = 0
        self._probe_until_ns = 0

    @property
    def state(self) -> BreakerState:
        """The state now; a time that is over shows as HALF_OPEN before anybody has looked."""
        with self._lock:
            is_over = self._state is BreakerState.OPEN and self._left_ns() <= 0
            return BreakerState.HALF_OPEN if is_over else self._state

    def listen(self, listener: Callable[[BreakerChange], None]) -> Callable[[], None]:
        """Tell every change to `listener`, in the thread that caused it; return how to stop that.

        The listener must not raise.
        """
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def check(self, lane: Lane) -> None:
        """Let a request pass, or raise; ask right before each one, and report how it went.

        Raises:
            CircuitOpenError: Nothing of this lane may be sent now (NOT_SENT, with `retry_after`).
        """
        if self._state is BreakerState.CLOSED:
            return
        with self._lock:
            change, wait_ns = self._look(lane)
        self._tell(change)
        if wait_ns > 0:
            raise self._refusal(wait_ns)

    def look(self, lane: Lane) -> None:
        """Raise what `check` would raise, and take no place; ask early, to waste no effort.

        Raises:
            CircuitOpenError: Nothing of this lane may be sent now (NOT_SENT, with `retry_after`).
        """
        if self._state is BreakerState.CLOSED:
            return
        with self._lock:
            wait_ns = self._wait_ns(lane)
        if wait_ns > 0:
            raise self._refusal(wait_ns)

    def succeeded(self) -> None:
        """Report a whole answer, refusals of the venue's included: the venue is well.

        An answer that arrives during a ban was asked for before it and ends nothing.
        """
        if self._state is BreakerState.CLOSED and not self._failed_at_ns:
            return
        with self._lock:
            self._failed_at_ns.clear()
            change = self._close() if self._banned_left_ns() <= 0 else None
        self._tell(change)

    def failed(self, cause: str) -> None:
        """Report that no sound answer came: a lost connection, a time-out, a server error.

        `cause` is a short phrase without payload.
        """
        with self._lock:
            now_ns = self._clock.monotonic_ns()
            self._failed_at_ns.append(now_ns)
            change = None
            if self._state is BreakerState.HALF_OPEN or (
                self._state is BreakerState.CLOSED and self._has_failed_enough(now_ns)
            ):
                change = self._open(cause)
        self._tell(change)

    def throttled(
        self, cause: str, retry_after: float | None = None, *, is_ban: bool = False
    ) -> None:
        """Report that the venue asked to stop.

        With a time, or as a ban, nothing at all is sent until it is over; without either, it counts
        as a failure that opens at once.
        """
        with self._lock:
            if retry_after is None and not is_ban:
                change = self._open(cause) if self._state is not BreakerState.OPEN else None
            else:
                change = self._ban(cause, self._terms.ban_s if retry_after is None else retry_after)
        self._tell(change)

    def _look(self, lane: Lane) -> tuple[BreakerChange | None, int]:
        """Return the change that looking makes, and for how long `lane` must wait; 0 to pass."""
        wait_ns = self._wait_ns(lane)
        if self._state is BreakerState.CLOSED or self._left_ns() > 0:
            return None, wait_ns
        change = None
        if self._state is BreakerState.OPEN:
            self._probe_until_ns = 0
            change = self._become(BreakerState.HALF_OPEN, "the time is over")
        if lane is not Lane.CANCEL and wait_ns <= 0:
            self._probe_until_ns = self._clock.monotonic_ns() + round(
                self._terms.probe_s * SECOND_NS
            )
        return change, wait_ns

    def _wait_ns(self, lane: Lane) -> int:
        """Return for how long `lane` must wait, at most; 0 or less to pass."""
        if self._state is BreakerState.CLOSED:
            return 0
        if lane is Lane.CANCEL:
            return self._banned_left_ns()
        left_ns = self._left_ns()
        if self._state is BreakerState.HALF_OPEN and left_ns <= 0:
            return self._probe_until_ns - self._clock.monotonic_ns()
        return left_ns

    def _has_failed_enough(self, now_ns: int) -> bool:
        is_full = len(self._failed_at_ns) == self._terms.failures
        return is_full and now_ns - self._failed_at_ns[0] <= self._terms.span_s * SECOND_NS

    def _open(self, cause: str) -> BreakerChange:
        doublings = min(self._openings, _MOST_DOUBLINGS)
        seconds = min(self._terms.longest_open_s, self._terms.first_open_s * 2**doublings)
        self._openings += 1
        self._until_ns = self._clock.monotonic_ns() + round(seconds * SECOND_NS)
        return self._become(BreakerState.OPEN, cause)

    def _ban(self, cause: str, seconds: float) -> BreakerChange | None:
        bounded_s = min(max(seconds, 0.0), LONGEST_WAIT_S)
        until_ns = self._clock.monotonic_ns() + round(bounded_s * SECOND_NS)
        is_news = until_ns - self._banned_until_ns > _NOTABLE_NS
        self._banned_until_ns = max(self._banned_until_ns, until_ns)
        if self._state is BreakerState.OPEN and not is_news:
            return None
        return self._become(BreakerState.OPEN, cause)

    def _close(self) -> BreakerChange | None:
        self._openings = 0
        if self._state is BreakerState.CLOSED:
            return None
        return self._become(BreakerState.CLOSED, "the venue answers")

    def _become(self, state: BreakerState, cause: str) -> BreakerChange:
        self._state = state
        if state is BreakerState.OPEN:
            self._cause = cause
        left_s = max(self._left_ns(), 0) / SECOND_NS
        return BreakerChange(
            scope=self._scope, state=state, cause=cause, retry_after=left_s or None
        )

    def _left_ns(self) -> int:
        until_ns = max(self._until_ns, self._banned_until_ns)
        return until_ns - self._clock.monotonic_ns()

    def _banned_left_ns(self) -> int:
        return self._banned_until_ns - self._clock.monotonic_ns()

    def _tell(self, change: BreakerChange | None) -> None:
        if change is not None:
            for listener in tuple(self._listeners):
                listener(change)

    def _refusal(self, wait_ns: int) -> CircuitOpenError:
        seconds = wait_ns / SECOND_NS
        return CircuitOpenError(
            f"{self._scope}: sending is suspended for {seconds:.1f} s after: {self._cause}; "
            "nothing was sent",
            retry_after=seconds,
        )
