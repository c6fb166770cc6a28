"""Whether the peer still lives: heartbeats sent, silence measured, and doubt before a verdict.

A pong of the WebSocket proves a socket, not a channel: only what the protocol calls a sign of life
counts. A silence is judged only when this side was reading: a blocked loop, a full reader and a
suspended machine look like a dead peer, and only the last of them is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from dragoman.errors import DragomanError, StreamLostError, VenueError
from dragoman.times import SECOND_NS

from .link_deadline import deadline

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.times import Clock

    from .link_connection import LinkConnection
    from .link_terms import LinkTerms
    from .stream_protocol import StreamProtocol

__all__ = ["Watch", "beat", "keep_alive"]

Frame = TypeVar("Frame")

_LONGEST_NAP_NS: Final = 5 * SECOND_NS
_PROBED_AT: Final = 0.5
_KEPT_ALIVE_AGAIN: Final = 10
_MOST_FAILURES: Final = 5


async def beat(
    connection: LinkConnection[Frame], protocol: StreamProtocol[Frame, Any], clock: Clock
) -> None:
    """Send the protocol's heartbeat in its interval for as long as the connection lives."""
    if protocol.heartbeat_s is None:
        return
    interval_ns = round(protocol.heartbeat_s * SECOND_NS)
    while connection.loss is None:
        await clock.sleep_ns(interval_ns)
        message = protocol.heartbeat()
        if message is None:
            return
        try:
            await connection.send(message)
        except StreamLostError:
            return  # whoever lost it has said so


async def keep_alive(
    connection: LinkConnection[Frame],
    protocol: StreamProtocol[Frame, Any],
    clock: Clock,
    within_s: float,
) -> None:
    """Have the protocol extend its session in its interval; give the connection up with it.

    A failure is repeated ten times as fast, and five in a row are the end, before the session is.
    """
    if protocol.keep_alive_s is None:
        return
    interval_ns = round(protocol.keep_alive_s * SECOND_NS)
    failures = 0
    while connection.loss is None:
        await clock.sleep_ns(interval_ns // _KEPT_ALIVE_AGAIN if failures else interval_ns)
        try:
            async with deadline(clock, within_s, "extending the session"):
                await protocol.keep_alive()
        except VenueError as error:
            connection.lose(StreamLostError(f"the session is over: {error.message}"))
        except DragomanError as error:
            failures += 1
            if failures >= _MOST_FAILURES:
                message = f"the session could not be extended: {error.message}"
                connection.lose(StreamLostError(message))
        else:
            failures = 0


class Watch(Generic[Frame]):
    """Watches one live connection and says when it must be doubted.

    Args:
        connection: The connection; a probe or a frame shows that it lives.
        protocol: How long it may be silent, and whether it can be probed.
        clock: Both of its times are compared: a suspended machine shows in the difference.
        terms: What counts as late.
        on_stale: Called with the cause, once; the watch ends with it.
        on_lag: Called with the nanoseconds that the loop was blocked.
    """

    def __init__(
        self,
        connection: LinkConnection[Frame],
        protocol: StreamProtocol[Frame, Any],
        clock: Clock,
        *,
        terms: LinkTerms,
        on_stale: Callable[[str], None],
        on_lag: Callable[[int], None],
    ) -> None:
        self._connection = connection
        self._protocol = protocol
        self._clock = clock
        self._terms = terms
        self._on_stale = on_stale
        self._on_lag = on_lag
        stale_s = protocol.stale_after_s
        self._stale_ns = None if stale_s is None else round(stale_s * SECOND_NS)
        self._probed_ns = -1

    async def run(self) -> None:
        """Watch until the connection is lost or stale."""
        while self._connection.loss is None:
            cause = await self._nap() or await self._judge()
            if cause is not None and self._connection.loss is None:
                self._on_stale(cause)
                return

    async def _nap(self) -> str | None:
        """Sleep until something may be due; return why the time slept can't be trusted, if so."""
        nap_ns = self._nap_ns()
        wall_ns, monotonic_ns = self._clock.now_ns(), self._clock.monotonic_ns()
        await self._clock.sleep_ns(nap_ns)
        slept_ns = self._clock.monotonic_ns() - monotonic_ns
        jump_ns = self._clock.now_ns() - wall_ns - slept_ns
        lag_ns = slept_ns - nap_ns
        suspend_ns = self._terms.suspend_s * SECOND_NS
        if max(lag_ns, jump_ns) >= suspend_ns:
            away_s = max(lag_ns, jump_ns) / SECOND_NS
            return f"this machine was suspended, or its clock was set, for {away_s:.0f} s"
        if lag_ns >= self._terms.lag_s * SECOND_NS:
            self._on_lag(lag_ns)
            await self._clock.sleep_ns(round(self._terms.grace_s * SECOND_NS))
        return None

    def _nap_ns(self) -> int:
        if self._stale_ns is None or self._connection.is_held_back:
            return _LONGEST_NAP_NS
        silence_ns = self._silence_ns()
        due_ns = self._stale_ns
        if self._wants_probe():
            due_ns = int(due_ns * _PROBED_AT)
        return max(1, min(due_ns - silence_ns, _LONGEST_NAP_NS))

    def _wants_probe(self) -> bool:
        return self._protocol.can_probe and self._probed_ns < self._connection.last_sign_ns

    def _silence_ns(self) -> int:
        return self._clock.monotonic_ns() - self._connection.last_sign_ns

    async def _judge(self) -> str | None:
        if self._stale_ns is None or self._connection.is_held_back:
            return None
        if self._wants_probe() and self._silence_ns() >= self._stale_ns * _PROBED_AT:
            await self._probe(self._stale_ns)
        if self._silence_ns() < self._stale_ns:
            return None
        await self._clock.sleep_ns(0)  # what has come in this turn of the loop still counts
        if self._silence_ns() < self._stale_ns:
            return None
        return f"no sign of life for {self._silence_ns() / SECOND_NS:.1f} s"

    async def _probe(self, stale_ns: int) -> None:
        self._probed_ns = self._clock.monotonic_ns()
        left_s = max(1, stale_ns - self._silence_ns()) / SECOND_NS
        within_s = min(self._terms.probe_within_s, left_s)
        try:
            async with deadline(self._clock, within_s, "probing"):
                await self._protocol.probe(self._connection)
        except DragomanError:
            return  # the deadline of the channel decides
        self._connection.show_life()
        self._probed_ns = -1
