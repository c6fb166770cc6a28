"""Rate limits that a venue never sees broken, shared by every user of an account in the process.

A call that finds no room plans its use for the first instant that has room after all planned before
it, sleeps until then and looks again. There are no futures to resolve, so callers may live in any
event loop and any thread; a plan that is dropped leaves its room to those behind it. Cancels are
planned before everything else and may use the share that nobody else may touch.
"""

from __future__ import annotations

import itertools
import threading
from bisect import insort
from typing import TYPE_CHECKING, Final

from dragoman.errors import (
    ConfigurationError,
    InvalidValueError,
    Outcome,
    RateLimitedError,
    Violation,
)
from dragoman.times import MILLISECOND_NS, SECOND_NS
from dragoman.transport.base import Lane

from .pools import Window
from .uses import WindowUses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman.times import Clock

    from .pools import Pool
    from .uses import Span, Use

__all__ = ["Grant", "RateLimiter"]

_SHORTEST_NAP_NS: Final = 50 * MILLISECOND_NS
_LONGEST_RESET_S: Final = 86_400.0


_SOON_NS: Final = 10 * MILLISECOND_NS
"""What is written so soon after it was let through has waited for nothing."""


class Grant:
    """Leave to send one request now. A request that was not sent after all gives it back."""

    __slots__ = ("_at_ns", "_lane", "_limiter", "_uses")

    def __init__(
        self,
        limiter: RateLimiter,
        uses: tuple[tuple[WindowUses, Use, int], ...],
        lane: Lane,
        at_ns: int,
    ) -> None:
        self._limiter = limiter
        self._uses = uses
        self._lane = lane
        self._at_ns = at_ns

    def renew(self) -> bool:
        """Count the request from now on, because its first byte is written only now.

        Ask right before that byte: the request may have waited for a connection meanwhile, and the
        venue counts what arrives. False where its use has ended and there is no room now: then it
        must not be sent, and the grant is given back.
        """
        uses = self._limiter.count_anew(self._uses, self._lane, self._at_ns)
        self._uses = uses or ()
        return uses is not None

    def give_back(self) -> None:
        """Say that no byte was sent. Idempotent."""
        uses, self._uses = self._uses, ()
        self._limiter.take_back(uses)


class _Ticket:
    """One call that waits: what it costs, and the instant it is planned for."""

    __slots__ = ("due_ns", "is_waiting", "lane", "rank", "seen", "weights")

    def __init__(self, weights: Mapping[str, int], lane: Lane, sequence: int) -> None:
        self.weights = weights
        self.lane = lane
        self.rank = (lane is not Lane.CANCEL, sequence)
        self.due_ns = 0
        self.seen = -1
        self.is_waiting = False

    def precedes(self, other: _Ticket) -> bool:
        """Tell whether `other` must not overtake this one: same lane, and a pool in common."""
        return self.lane is other.lane and not self.weights.keys().isdisjoint(other.weights)


class RateLimiter:
    """The pools of one account at one venue.

    READ and ORDER are served in the order in which they came, each lane by itself, as far as they
    cost the same pools; CANCEL passes both. At any moment after a read or an order was let through,
    the whole reserve is free.

    Args:
        pools: What the venue allows.
        clock: Only its monotonic time is used.
    """

    def __init__(self, pools: Iterable[Pool], clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._declared = {pool.name: pool for pool in pools}
        self._pools = {
            pool.name: {
                window.seconds: WindowUses(
                    window.limit, pool.general_limit(window), window.counted_ns
                )
                for window in pool.windows
            }
            for pool in self._declared.values()
        }
        self._sequence = itertools.count()
        self._waiting: list[_Ticket] = []
        self._changes = 0
        self._changes_swept = 0

    @property
    def waiting(self) -> int:
        """How many calls wait for room."""
        return sum(ticket.is_waiting for ticket in tuple(self._waiting))

    def acquire_now(self, weights: Mapping[str, int], lane: Lane) -> Grant | None:
        """Count a request as sent if it may be sent at once, as it nearly always may.

        None where it would have to wait, and where `acquire` refuses it: ask that then.
        """
        with self._lock:
            self._sweep()
            if self._waiting:
                return None
            now_ns = self._clock.monotonic_ns()
            found: list[tuple[WindowUses, int]] = []
            for name, weight in weights.items():
                windows = self._pools.get(name)
                if windows is None or weight < 0:
                    return None
                for window in windows.values():
                    if window.used(now_ns) + weight > _limit(window, lane):
                        return None
                    found.append((window, weight))
            uses = tuple([(window, window.add(weight, now_ns), weight) for window, weight in found])
            return Grant(self, uses, lane, now_ns)

    async def acquire(
        self, weights: Mapping[str, int], lane: Lane, *, timeout_ns: int | None = None
    ) -> Grant:
        """Wait until the request may be sent, and count it as sent.

        Canceling the wait gives its place up. With `timeout_ns`, a wait that would be longer is
        refused at once instead of being waited out.

        Raises:
            RateLimitedError: There is no room within `timeout_ns` (NOT_SENT, with `retry_after`).
            InvalidValueError: The request costs more than a pool ever has (NOT_SENT).
            ConfigurationError: A pool of that name was not declared (NOT_SENT).
        """
        grant = self.acquire_now(weights, lane)
        if grant is not None:
            return grant
        ticket = _Ticket(weights, lane, next(self._sequence))
        self._check(ticket)
        until_ns = None if timeout_ns is None else self._clock.monotonic_ns() + timeout_ns
        try:
            while True:
                turn = self._turn(ticket)
                if isinstance(turn, Grant):
                    return turn
                if until_ns is not None and ticket.due_ns > until_ns:
                    raise _refusal(weights, turn)
                # Waking halfway lets a call move up when others before it gave up.
                await self._clock.sleep_ns(min(turn, max(turn // 2, _SHORTEST_NAP_NS)))
        finally:
            self._leave(ticket)

    def observe(
        self,
        pool: str,
        *,
        used: int | None = None,
        remaining: int | None = None,
        seconds: float | None = None,
        resets_in_s: float | None = None,
    ) -> None:
        """Learn from what a response says of a pool. This only ever takes room away.

        What the venue counted beyond what is known here was used by others, another process say,
        and counts from now on like a use of our own, or until the venue starts to count anew.

        Args:
            pool: The name of the pool; one that was not declared is ignored.
            used: What the venue has counted.
            remaining: What the venue has left.
            seconds: Which window is meant; the first of the pool by default.
            resets_in_s: When the venue starts to count anew; within a day.
        """
        uses = self._window(pool, seconds)
        if uses is None:
            return
        counted = max(used or 0, 0 if remaining is None else uses.limit - remaining)
        with self._lock:
            now_ns = self._clock.monotonic_ns()
            excess = min(counted, uses.limit) - uses.used(now_ns)
            if excess > 0:
                uses.add(excess, now_ns, _reset_ns(now_ns, resets_in_s))

    def allow(self, pool: str, limit: int, *, seconds: float | None = None) -> None:
        """Hold to what the venue says it allows, be it more or less than was declared.

        Args:
            pool: The name of the pool; one that was not declared is ignored.
            limit: The most weight in the window; below 1 it says nothing.
            seconds: Which window is meant; the first of the pool by default.
        """
        uses = self._window(pool, seconds)
        if uses is None or limit < 1 or limit == uses.limit:
            return
        with self._lock:
            uses.limit = limit
            uses.general_limit = self._declared[pool].general_limit(Window(limit, 1.0))
            self._changes += 1

    def _window(self, pool: str, seconds: float | None) -> WindowUses | None:
        windows = self._pools.get(pool, {})
        return windows.get(next(iter(windows), 0.0) if seconds is None else seconds)

    def take_back(self, uses: Iterable[tuple[WindowUses, Use, int]]) -> None:
        """Free what a grant had counted; `Grant.give_back` calls it."""
        with self._lock:
            now_ns = self._clock.monotonic_ns()
            for window, use, weight in uses:
                window.give_back(use, weight, now_ns)
            self._changes += 1

    def count_anew(
        self, uses: tuple[tuple[WindowUses, Use, int], ...], lane: Lane, at_ns: int
    ) -> tuple[tuple[WindowUses, Use, int], ...] | None:
        """Move what a grant had counted at `at_ns` to now; `Grant.renew` calls it."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - at_ns <= _SOON_NS:
            return uses
        with self._lock:
            self._changes += 1
            for window, use, weight in uses:
                window.give_back(use, weight, now_ns)
            if any(
                window.used(now_ns) + weight > _limit(window, lane) for window, _, weight in uses
            ):
                return None
            return tuple((window, window.add(weight, now_ns), weight) for window, _, weight in uses)

    def _check(self, ticket: _Ticket) -> None:
        for name, weight in ticket.weights.items():
            if name not in self._pools:
                raise ConfigurationError(
                    f"a request costs the rate limit pool {name!r}, which is not declared; "
                    f"declared: {', '.join(sorted(self._pools)) or 'none'}"
                )
            most = min(_limit(window, ticket.lane) for window in self._pools[name].values())
            if not 0 <= weight <= most:
                allowed = f"0 to {most}, which is all that the pool ever has for {ticket.lane}"
                raise InvalidValueError.of("weight", [Violation.of(name, weight, allowed)])

    def _turn(self, ticket: _Ticket) -> Grant | int:
        """Return the grant, or for how many nanoseconds to wait before looking again."""
        with self._lock:
            now_ns = self._clock.monotonic_ns()
            if ticket.seen == self._changes and ticket.due_ns > now_ns:
                return ticket.due_ns - now_ns
            self._sweep()
            ticket.seen = self._changes
            ticket.due_ns = self._earliest(ticket, now_ns)
            if ticket.due_ns > now_ns:
                self._enter(ticket)
                return ticket.due_ns - now_ns
            if ticket.is_waiting:
                ticket.is_waiting = False
                self._waiting.remove(ticket)
            return self._grant(ticket, now_ns)

    def _earliest(self, ticket: _Ticket, now_ns: int) -> int:
        """Plan `ticket` behind all that rank before it."""
        ahead = [other for other in self._waiting if other.rank < ticket.rank]
        from_ns = max((other.due_ns for other in ahead if other.precedes(ticket)), default=now_ns)
        from_ns = max(from_ns, now_ns)
        while True:
            instant_ns = from_ns
            for name, weight in ticket.weights.items():
                for window in self._pools[name].values():
                    limit = _limit(window, ticket.lane)
                    planned = _planned(ahead, name, window.counted_ns)
                    instant_ns = window.earliest(weight, limit, instant_ns, now_ns, planned)
            if instant_ns == from_ns:
                return instant_ns
            from_ns = instant_ns

    def _grant(self, ticket: _Ticket, now_ns: int) -> Grant:
        return Grant(
            self,
            tuple(
                (window, window.add(weight, now_ns), weight)
                for name, weight in ticket.weights.items()
                for window in self._pools[name].values()
            ),
            ticket.lane,
            now_ns,
        )

    def _enter(self, ticket: _Ticket) -> None:
        if not ticket.is_waiting:
            ticket.is_waiting = True
            insort(self._waiting, ticket, key=_rank)

    def _leave(self, ticket: _Ticket) -> None:
        """Give up a place. Takes no lock: it may run in a finalizer, within this very lock."""
        if ticket.is_waiting:
            ticket.is_waiting = False
            self._changes += 1

    def _sweep(self) -> None:
        if self._changes != self._changes_swept:
            self._changes_swept = self._changes
            self._waiting = [ticket for ticket in self._waiting if ticket.is_waiting]


def _rank(ticket: _Ticket) -> tuple[bool, int]:
    return ticket.rank


def _limit(window: WindowUses, lane: Lane) -> int:
    return window.limit if lane is Lane.CANCEL else window.general_limit


def _planned(ahead: Iterable[_Ticket], pool: str, counted_ns: int) -> list[Span]:
    return [
        (other.due_ns, other.due_ns + counted_ns, other.weights[pool])
        for other in ahead
        if pool in other.weights
    ]


def _reset_ns(now_ns: int, resets_in_s: float | None) -> int | None:
    if resets_in_s is None:
        return None
    return now_ns + round(min(max(resets_in_s, 0.0), _LONGEST_RESET_S) * SECOND_NS)


def _refusal(weights: Mapping[str, int], wait_ns: int) -> RateLimitedError:
    seconds = wait_ns / SECOND_NS
    return RateLimitedError(
        f"no room in the rate limit {', '.join(weights)} for {seconds:.2f} s, which is longer than "
        "this call may take; nothing was sent: ask less often or allow more time",
        outcome=Outcome.NOT_SENT,
        retry_after=seconds,
    )
