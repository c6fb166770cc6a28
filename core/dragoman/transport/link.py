"""The supervisor of one stream: connects, greets, watches, comes back while it is wanted.

It knows no model and no venue. Everything that happens is told, in order, with its cause. The one
decision to question: only its reader, a refusal of the credentials or a mistake in the set-up ends
a link; a venue that is away for a weekend is tried all weekend, as the terms pace it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from dragoman.errors import (
    AuthenticationError,
    ClosedError,
    ConfigurationError,
    DragomanError,
    LifecycleError,
    PermissionDeniedError,
    RequestError,
    StreamLostError,
)
from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS

from .link_deadline import deadline
from .link_dialer import Dialer
from .link_errors import bare, report, where
from .link_flow import LinkFlow
from .link_outbox import Outbox
from .link_pace import ConnectBudget, Pace
from .link_report import LinkChange, LinkState, LoopLag, Rolled
from .link_succession import Succession
from .link_terms import LinkTerms
from .link_watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random
    from types import TracebackType

    from dragoman.times import Clock

    from .base import Transport
    from .link_connection import LinkConnection
    from .link_report import LinkReport
    from .stream_protocol import StreamProtocol, StreamSession

__all__ = ["Link"]

Frame = TypeVar("Frame")
Payload = TypeVar("Payload")

_REFUSED: Final = (AuthenticationError, PermissionDeniedError)
_HOPELESS: Final = (ConfigurationError, LifecycleError, RequestError)
_UP: Final = frozenset({LinkState.LIVE, LinkState.STALE})

_SHORTEST_LIFE_NS: Final = 10 * SECOND_NS
"""A clock that runs ahead makes sessions look short; this bounds how often they are rolled over."""


class Link(Generic[Frame, Payload]):
    """Runs one stream for as long as it is wanted; entered means live.

    Iterating gives batches of payloads and reports, in the order in which they came about. It ends
    when the link is closed, and by the error that no attempt can help. A reader that falls behind
    holds the socket back; nothing is dropped. Of the many refusals that come while nobody reads,
    only the last is told.

    Args:
        protocol: What the venue wants said; used by this link alone.
        transport: What opens connections; it is not closed here.
        clock: Every wait is its; durations are monotonic.
        random: Spreads the attempts.
        terms: How patient it is.
        budget: The attempts that it shares with other links; its own where None.
    """

    def __init__(
        self,
        protocol: StreamProtocol[Frame, Payload],
        *,
        transport: Transport,
        clock: Clock,
        random: Random,
        terms: LinkTerms | None = None,
        budget: ConnectBudget | None = None,
    ) -> None:
        self.state: LinkState = LinkState.IDLE
        self.losses: int = 0
        self._protocol = protocol
        self._clock = clock
        self._terms = terms or LinkTerms()
        self._random = random
        self._budget = budget or ConnectBudget(self._terms.attempts_per_minute, clock)
        self._pace = self._make_pace()
        self._outbox: Outbox[Payload] = Outbox(self._terms.max_waiting)
        self._wake = asyncio.Event()
        self._flow: LinkFlow[Frame, Payload] = LinkFlow(
            protocol, self._outbox, clock, on_loss=self._wake.set, on_rollover=self.rollover
        )
        self._dialer: Dialer[Frame] = Dialer(protocol, transport, clock, self._terms)
        self._succession: Succession[Frame] = Succession(
            self._flow,
            self._dialer,
            clock,
            terms=self._terms,
            make_pace=self._make_pace,
            turn=self._budget.turn,
            on_change=self._rolled,
        )
        self._scope = TaskScope(report)
        self._settled = asyncio.Event()
        self._failure: DragomanError | None = None
        self._open_until_ns: int | None = None
        self._sign_ns: tuple[int, int] | None = None
        self._has_refreshed = False
        self._cause = "wanted"

    @property
    def undecoded(self) -> int:
        """How many frames could not be understood."""
        return self._flow.undecoded

    @property
    def session(self) -> StreamSession[Frame]:
        """The live connection, to ask the venue something.

        Raises:
            StreamLostError: The link is not live.
        """
        return self._leader()

    async def open(self) -> None:
        """Connect for the first time; live when this returns.

        Raises:
            DragomanError: The last failure, if it can't be helped, or not within `open_within_s`.
        """
        self._open_until_ns = self._clock.monotonic_ns() + _nanoseconds(self._terms.open_within_s)
        self._scope.spawn(self._run(), f"link of {self._protocol.name}")
        try:
            async with deadline(self._clock, self._terms.open_within_s, self._protocol.name):
                await self._settled.wait()
            if self._failure is not None:
                raise self._failure  # noqa: TRY301 - the link is closed below
        except BaseException:
            await self.aclose()
            raise
        self._open_until_ns = None

    async def aclose(self) -> None:
        """End the link and close its connections, with close frames; bounded. Idempotent."""
        if self.state is LinkState.CLOSED:
            return
        if self.state is not LinkState.FAILED:
            self._enter(LinkState.CLOSED, "closed here")
        self.state = LinkState.CLOSED
        self._flow.lead(None)
        self._outbox.end(StopAsyncIteration())
        try:
            await self._scope.close()
        finally:
            await self._dialer.drop_all()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Sequence[Payload | LinkReport]:
        """Return everything that has come since the last batch, waiting for something.

        Raises:
            DragomanError: What ended the link, after all that was told before.
        """
        return await self._outbox.take()

    def rollover(self, cause: str) -> None:
        """Greet a second connection, then leave the first; nothing to do while one is under way."""
        if self.state in _UP:
            self._succession.start(cause, self._scope)

    async def resubscribe(self) -> None:
        """Have the live connection confirm what the protocol wants now.

        Raises:
            StreamLostError: The link is not live; its next greeting subscribes to what is wanted.
            DragomanError: It was not confirmed: the connection is given up and greeted anew.
        """
        async with self._succession.changing:
            leader = self._leader()
            is_confirmed = False
            try:
                async with deadline(self._clock, self._terms.attempt_within_s, "resubscribing"):
                    await self._protocol.resubscribe(leader)
                is_confirmed = True
            finally:
                if not is_confirmed:
                    leader.lose(StreamLostError("a change of subscriptions was not confirmed"))

    async def _run(self) -> None:
        try:
            while True:
                try:
                    await self._go_live()
                    await self._until_lost()
                except DragomanError as error:
                    await self._recover(error)
        except DragomanError as error:
            await self._fail(error)
        except Exception as error:
            message = f"{self._protocol.name} ended by a mistake: {where(error)}"
            await self._fail(StreamLostError(message))
            raise

    async def _go_live(self) -> None:
        await self._outbox.room()
        await self._budget.turn()
        self._enter(LinkState.CONNECTING, self._cause)
        connection = await self._dialer.dial(
            self._flow, lambda: self._enter(LinkState.GREETING, "connected")
        )
        self._pace.live()
        self._enter(LinkState.LIVE, "every subscription is confirmed", gap_ns=self._gap_ns())
        self._sign_ns = self._open_until_ns = None
        self._lead(connection)
        self._settled.set()

    async def _until_lost(self) -> None:
        while True:
            leader = self._flow.leader
            if leader is None:
                raise ClosedError("the link is closed")
            if leader.loss is not None:
                self._sign_ns = (leader.last_sign_ns, leader.last_sign_wall_ns)
                self.losses += 1
                raise leader.loss
            self._wake.clear()
            await self._wake.wait()

    async def _recover(self, error: DragomanError) -> None:
        """Wait until another attempt makes sense.

        Raises:
            DragomanError: None ever will.
        """
        lived_s = self._pace.lost()
        if lived_s is not None and lived_s >= self._terms.stable_after_s:
            self._has_refreshed = False
        self._cause = self._cause_of(error, lived_s)
        self._flow.lead(None)
        self._enter(LinkState.WAITING, self._cause, error=error)
        await self._succession.stop()
        await self._dialer.drop_all()
        if isinstance(error, _HOPELESS) or (isinstance(error, _REFUSED) and self._has_refreshed):
            raise error
        if isinstance(error, _REFUSED):
            await self._refresh(error)
        else:
            await self._pause(error)

    async def _refresh(self, refusal: DragomanError) -> None:
        """Let the protocol renew its credentials, once until the link was stable again."""
        self._has_refreshed = True
        try:
            async with deadline(self._clock, self._terms.attempt_within_s, "renewing credentials"):
                can_try = await self._protocol.refresh()
        except (*_REFUSED, *_HOPELESS):
            raise
        except DragomanError as error:
            self._has_refreshed = False  # nothing was renewed, and nothing was refused
            await self._pause(error)
            return
        if not can_try:
            raise refusal

    async def _pause(self, error: DragomanError) -> None:
        delay_ns = _nanoseconds(self._pace.delay_s(error))
        until_ns = self._open_until_ns
        if until_ns is not None and self._clock.monotonic_ns() + delay_ns > until_ns:
            raise error
        await self._clock.sleep_ns(delay_ns)

    async def _fail(self, error: DragomanError) -> None:
        await self._dialer.drop_all()
        self._enter(LinkState.FAILED, error.message, error=error)
        self._failure = bare(error)
        self._outbox.end(error)
        self._settled.set()

    def _lead(self, connection: LinkConnection[Frame]) -> None:
        self._flow.lead(connection)
        watch = Watch(
            connection,
            self._protocol,
            self._clock,
            terms=self._terms,
            on_stale=lambda cause: self._stale(connection, cause),
            on_lag=lambda lag_ns: self._lagged(connection, lag_ns),
        )
        number = f"{connection.generation} of {self._protocol.name}"
        connection.scope.spawn(watch.run(), f"watch {number}")
        expires_at_ns = self._protocol.expires_at_ns
        if expires_at_ns is not None:
            connection.scope.spawn(self._expire(expires_at_ns), f"expiry {number}")
        self._wake.set()

    async def _expire(self, expires_at_ns: int) -> None:
        """Roll over ahead of the expiry, by durations: the wall clock may step meanwhile."""
        life_ns = expires_at_ns - self._clock.now_ns()
        if life_ns <= 0:
            return  # the venue has just taken it, so it is this clock that runs ahead
        lead_ns = min(_nanoseconds(self._terms.rollover_lead_s), life_ns // 10)
        await self._clock.sleep_ns(max(life_ns - lead_ns, _SHORTEST_LIFE_NS))
        self.rollover("the session is about to expire")

    def _rolled(self, connection: LinkConnection[Frame], cause: str) -> None:
        self._outbox.put(Rolled(cause=cause, at_ns=self._clock.now_ns()))
        self._lead(connection)

    def _stale(self, connection: LinkConnection[Frame], cause: str) -> None:
        if connection is self._flow.leader:
            self._enter(LinkState.STALE, cause, last_sign_ns=connection.last_sign_wall_ns)
            connection.lose(StreamLostError(cause))

    def _lagged(self, connection: LinkConnection[Frame], lag_ns: int) -> None:
        if connection is self._flow.leader:
            self._outbox.put(LoopLag(lag_ns=lag_ns, at_ns=self._clock.now_ns()))

    def _enter(
        self,
        state: LinkState,
        cause: str,
        *,
        gap_ns: int | None = None,
        last_sign_ns: int | None = None,
        error: DragomanError | None = None,
    ) -> None:
        if self.state is LinkState.CLOSED:
            return
        previous, self.state = self.state, state
        change = LinkChange(
            state=state,
            previous=previous,
            at_ns=self._clock.now_ns(),
            cause=cause,
            gap_ns=gap_ns,
            last_sign_ns=last_sign_ns,
            attempt=self._pace.attempt,
            is_flapping=self._pace.is_flapping,
            error=error,
        )
        self._outbox.change(change)

    def _gap_ns(self) -> int | None:
        """Return the time since the last sign of life, by the clock that shows more of it."""
        if self._sign_ns is None:
            return None
        monotonic_ns, wall_ns = self._sign_ns
        return max(self._clock.monotonic_ns() - monotonic_ns, self._clock.now_ns() - wall_ns)

    def _cause_of(self, error: DragomanError, lived_s: float | None) -> str:
        if lived_s is None or lived_s >= self._terms.stable_after_s:
            return error.message
        return f"{error.message} (it had lived {lived_s:.1f} s)"

    def _leader(self) -> LinkConnection[Frame]:
        leader = self._flow.leader
        if leader is None or leader.loss is not None:
            message = f"{self._protocol.name} is not live, it is {self.state}"
            raise StreamLostError(message)
        return leader

    def _make_pace(self) -> Pace:
        return Pace(self._terms, self._clock, self._random)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * SECOND_NS)
