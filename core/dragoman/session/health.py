"""Whether an account can be traded with: every cause that says no, in one place.

Whoever notices a trouble puts it here and takes it back here; the state follows from what is there,
and each change is an event with its causes.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import JournalUnavailableError, ReconcilingError
from dragoman.models.enums import HealthState
from dragoman.models.events import HealthEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dragoman.times import Clock

__all__ = ["Health", "HealthMonitor", "Trouble"]


@attrs.frozen(kw_only=True)
class Health:
    """An account's health at one moment: worst cause first, none while LIVE.

    `since_ns` is when the state began; its causes may have changed since.
    """

    state: HealthState
    causes: tuple[str, ...]
    since_ns: int


class Trouble(StrEnum):
    """What can be wrong, worst first; each keeps the account from LIVE."""

    CLOSED = "CLOSED"
    HALT = "HALT"
    CREDENTIALS = "CREDENTIALS"
    STREAM = "STREAM"
    SILENCE = "SILENCE"
    LAG = "LAG"
    UNPROVED = "UNPROVED"
    JOURNAL = "JOURNAL"
    UNKNOWN_ORDERS = "UNKNOWN_ORDERS"
    FLAPPING = "FLAPPING"
    CHECK = "CHECK"


_STATES: Final[Mapping[Trouble, HealthState]] = {
    Trouble.CLOSED: HealthState.CLOSED,
    Trouble.HALT: HealthState.HALTED,
    Trouble.CREDENTIALS: HealthState.AUTH_REQUIRED,
    Trouble.STREAM: HealthState.DOWN,
    Trouble.SILENCE: HealthState.STALE,
    Trouble.LAG: HealthState.STALE,
    Trouble.UNPROVED: HealthState.RECONCILING,
    Trouble.JOURNAL: HealthState.DEGRADED,
    Trouble.UNKNOWN_ORDERS: HealthState.DEGRADED,
    Trouble.FLAPPING: HealthState.DEGRADED,
    Trouble.CHECK: HealthState.DEGRADED,
}
_BLINDING: Final = (
    Trouble.CREDENTIALS,
    Trouble.STREAM,
    Trouble.SILENCE,
    Trouble.LAG,
    Trouble.UNPROVED,
)
_CLOSED: Final = {Trouble.CLOSED: "the connection is closed"}


class HealthMonitor:
    """The troubles of one account.

    It is changed in its event loop only; `now` may be read from any thread.

    Args:
        clock: Dates the changes.
        tell: Is given each change.
        on_sighted: Called when local state is proved again.
        cause: What the account suffers from before anything was done for it.
    """

    def __init__(
        self,
        clock: Clock,
        tell: Callable[[HealthEvent], None],
        on_sighted: Callable[[], None],
        cause: str,
    ) -> None:
        self._clock = clock
        self._tell = tell
        self._on_sighted = on_sighted
        self._troubles: dict[Trouble, str] = {Trouble.STREAM: cause}
        self._now = Health(state=HealthState.DOWN, causes=(cause,), since_ns=clock.now_ns())
        self._sighted = asyncio.Event()

    @property
    def now(self) -> Health:
        """The health as last told."""
        return self._now

    @property
    def blindness(self) -> str | None:
        """Why what is known here is not proved against the venue; None while it is."""
        return next((self._troubles[one] for one in _BLINDING if one in self._troubles), None)

    def has(self, trouble: Trouble) -> bool:
        """Tell whether something is wrong."""
        return trouble in self._troubles

    def put(self, trouble: Trouble, cause: str) -> None:
        """Note that something is wrong, and why."""
        self.change({trouble: cause})

    def end(self, *troubles: Trouble) -> None:
        """Note that something is well again."""
        self.change(dict.fromkeys(troubles))

    def change(self, causes: Mapping[Trouble, str | None]) -> None:
        """Put and end troubles in one step, so that no state between them is ever told.

        After the end of the account nothing changes any more.
        """
        if Trouble.CLOSED in self._troubles:
            return
        was_blind = self.blindness is not None
        for trouble, cause in causes.items():
            if cause is None:
                self._troubles.pop(trouble, None)
            else:
                self._troubles[trouble] = cause
        self._derive()
        if was_blind and self.blindness is None:
            self._on_sighted()

    def close(self) -> None:
        """Note the end; whoever waits for better days is let go."""
        self.change(_CLOSED)
        self._sighted.set()

    async def sighted(self, wait_s: float) -> None:
        """Wait until local state is proved, or the account's end, at most so many seconds."""
        try:
            async with asyncio.timeout(wait_s):
                await self._sighted.wait()
        except TimeoutError:
            return

    def check(self, account_id: str, provider: str) -> None:
        """Refuse new exposure while local state is not proved against the venue.

        Raises:
            ReconcilingError: The private stream is down, mute or being reconciled (NOT_SENT).
        """
        cause = self.blindness
        if cause is not None:
            message = (
                f"account {account_id} is {self._state_of_blindness()}, not in step with the "
                f"venue: {cause}; cancels go, new orders wait for a LIVE health"
            )
            raise ReconcilingError(message, provider=provider)

    def check_journal(self, account_id: str, provider: str) -> None:
        """Refuse what can't be written down.

        Raises:
            JournalUnavailableError: The journal is in trouble (NOT_SENT).
        """
        cause = self._troubles.get(Trouble.JOURNAL)
        if cause is not None:
            message = f"account {account_id} sends nothing: {cause}"
            raise JournalUnavailableError(message, provider=provider)

    def _state_of_blindness(self) -> HealthState:
        return _STATES[next(one for one in _BLINDING if one in self._troubles)]

    def _derive(self) -> None:
        found = [one for one in Trouble if one in self._troubles]
        state = _STATES[found[0]] if found else HealthState.LIVE
        causes = tuple(self._troubles[one] for one in found)
        if self.blindness is None:
            self._sighted.set()
        else:
            self._sighted.clear()
        before = self._now
        if (before.state, before.causes) == (state, causes):
            return
        now_ns = self._clock.now_ns()
        since_ns = before.since_ns if before.state is state else now_ns
        self._now = Health(state=state, causes=causes, since_ns=since_ns)
        self._tell(
            HealthEvent(state=state, previous=before.state, causes=causes, received_at_ns=now_ns)
        )
