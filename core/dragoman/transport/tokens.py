"""Access tokens: fetched when needed, renewed ahead of their end, by one caller for all.

A token is asked for on each request, never captured: the one that a connection began with is not
the one it ends with. A failed renewal fails everybody who waited for it, and for a short while
everybody who comes after: a hundred callers must not become a hundred attempts to log in.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

from dragoman.credentials import Secret
from dragoman.errors import (
    AuthenticationError,
    BusyError,
    DragomanError,
    Outcome,
    TransportError,
    VenueUnavailableError,
)
from dragoman.times import SECOND_NS

from .endpoint import Auth
from .signing import Signer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.times import Clock

    from .draft import RequestDraft

__all__ = ["BearerToken", "Token", "TokenSource"]


@attrs.frozen(kw_only=True)
class Token:
    """An access token and for how many seconds it is good; None where it has no known end."""

    secret: Secret
    lifetime_s: float | None = None


@attrs.frozen
class _Held:
    token: Token
    wall_ns: int
    monotonic_ns: int


class TokenSource:
    """The current token of one session, renewed by whoever first finds it due.

    Belongs to one event loop. Whoever is canceled while renewing leaves the work to the next.

    Args:
        renew: Fetches a new token; one call at a time.
        clock: Measures ages, by wall and by monotonic time: the older age counts, because one of
            them stands still while a machine sleeps and the other may be set back.
        ahead_s: How long before its end a token is renewed; half its life for short ones.
        pause_s: How long a failure stands for later callers too.
        timeout_s: How long one renewal may take.
    """

    def __init__(
        self,
        renew: Callable[[], Awaitable[Token]],
        clock: Clock,
        *,
        ahead_s: float = 60.0,
        pause_s: float = 1.0,
        timeout_s: float = 30.0,
    ) -> None:
        self._renew = renew
        self._clock = clock
        self._ahead_s = ahead_s
        self._pause_ns = round(pause_s * SECOND_NS)
        self._timeout_s = timeout_s
        self._lock = asyncio.Lock()
        self._held: _Held | None = None
        self._attempts = 0
        self._failure: DragomanError | None = None
        self._failed_at_ns = 0

    async def fresh(self) -> Secret:
        """Return a token that is good, after renewing it if it is due.

        While an old token is still good, a renewal that fails for a passing reason is put off.

        Raises:
            AuthenticationError: The venue refuses to give one (NOT_SENT).
            VenueUnavailableError: None can be fetched now, and the last has ended (NOT_SENT).
        """
        held = self._held
        if held is not None and self._is_good(held, self._ahead_of(held.token)):
            return held.token.secret
        attempts_seen = self._attempts
        async with self._lock:
            return await self._after_waiting(attempts_seen)

    def current(self) -> Secret:
        """Return the last token that `fresh` found good.

        Raises:
            AuthenticationError: There is none: `fresh` was not awaited before (NOT_SENT).
        """
        if self._held is None:
            raise self._refusal()
        return self._held.token.secret

    def discard(self, secret: Secret) -> None:
        """Forget a token that the venue did not accept; nothing if it was renewed meanwhile."""
        if self._held is not None and self._held.token.secret == secret:
            self._held = None

    async def _after_waiting(self, attempts_seen: int) -> Secret:
        held = self._held
        if held is not None and self._is_good(held, self._ahead_of(held.token)):
            return held.token.secret
        if not self._is_failure_standing(attempts_seen):
            await self._attempt()
        held = self._held
        if held is not None and self._is_good(held, 0.0):
            return held.token.secret
        raise self._refusal()

    def _is_failure_standing(self, attempts_seen: int) -> bool:
        if self._failure is None:
            return False
        age_ns = self._clock.monotonic_ns() - self._failed_at_ns
        return self._attempts != attempts_seen or age_ns < self._pause_ns

    async def _attempt(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                token = await self._renew()
        except TimeoutError:
            self._failed(VenueUnavailableError(f"no answer within {self._timeout_s:g} s"))
        except DragomanError as error:
            self._failed(error)
        else:
            self._attempts += 1
            self._failure = None
            self._held = _Held(token, self._clock.now_ns(), self._clock.monotonic_ns())

    def _failed(self, error: DragomanError) -> None:
        self._attempts += 1
        self._failure = error
        self._failed_at_ns = self._clock.monotonic_ns()
        if not _is_passing(error):
            self._held = None

    def _refusal(self) -> DragomanError:
        """Build an error of its own for each caller: one that is raised twice grows its traceback.

        A token that was born dead leaves no failure behind; it is as good as refused.
        """
        failure = self._failure
        if failure is not None and _is_passing(failure):
            return VenueUnavailableError(
                f"no access token could be fetched: {failure.message}; try again later",
                outcome=Outcome.NOT_SENT,
                retry_after=failure.retry_after,
            )
        found = "it had ended already" if failure is None else failure.message
        return AuthenticationError(
            f"no access token could be had: {found}; check the credentials and log in again",
            outcome=Outcome.NOT_SENT,
            code=None if failure is None else failure.code,
        )

    def _ahead_of(self, token: Token) -> float:
        return min(self._ahead_s, (token.lifetime_s or 0.0) / 2)

    def _is_good(self, held: _Held, ahead_s: float) -> bool:
        if held.token.lifetime_s is None:
            return True
        wall_ns = self._clock.now_ns() - held.wall_ns
        age_ns = max(wall_ns, self._clock.monotonic_ns() - held.monotonic_ns)
        return age_ns < (held.token.lifetime_s - ahead_s) * SECOND_NS


def _is_passing(error: DragomanError) -> bool:
    return isinstance(error, (BusyError, TransportError))


@attrs.frozen
class BearerToken(Signer):
    """Sends the current token of `source` in the header Authorization."""

    source: TokenSource

    async def prepare(self, draft: RequestDraft) -> None:
        """Renew the token if it is due."""
        if draft.endpoint.auth is not Auth.NONE:
            await self.source.fresh()

    def sign(self, draft: RequestDraft) -> RequestDraft:
        """Return the draft with the header, unless its endpoint is open to all."""
        if draft.endpoint.auth is Auth.NONE:
            return draft
        bearer = ("Authorization", f"Bearer {self.source.current().reveal()}")
        return draft.signed(headers=(*draft.headers, bearer))
