"""A client's connection to the venue: calls that go there and back, and streams that come from it.

A call takes its latency on the way there, is done by the venue at one instant, and takes its
latency on the way back; scripted faults strike it in the order of that journey. All durations are
in the venue's time.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from dragoman.errors import ConfigurationError, DragomanError, NotConnectedError, RequestError
from dragoman.paper.faults.plan import FaultKind
from dragoman.paper.faults.script import FaultScript

from .call_faults import (
    Call,
    answer_error,
    departure_error,
    refusal,
    seconds_of,
    timeout_error,
)
from .delivery import Delivery, to_ns
from .errors import is_for_everybody
from .market_view import MarketView
from .mishaps import MISHAPS, Mishaps
from .stream import MockStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
    from decimal import Decimal

    from dragoman.models import Event, Subscription
    from dragoman.paper.faults.plan import Fault, FaultPlan
    from dragoman.times import Clock

    from .venue import MockVenue

__all__ = ["Connection"]

Answer = TypeVar("Answer")


class Connection:
    """One session with a venue, shared by the adapters of its accounts.

    Args:
        venue: The venue.
        clock: The client's clock, which drives a venue that has none yet.
        account_id: Whose account scripted faults concern; None: the venue's first.
        plan: What goes wrong.
        latency_ns: How long each way takes.
    """

    def __init__(
        self,
        venue: MockVenue,
        clock: Clock,
        *,
        account_id: str | None,
        plan: FaultPlan,
        latency_ns: int,
    ) -> None:
        self.venue = venue
        self._provider = venue.settings.provider
        self._clock = clock
        self._plan = plan
        self._latency_ns = latency_ns
        self._mishaps = Mishaps(venue, account_id)
        self._script = FaultScript(plan)
        self._delivery = Delivery(
            venue, self._script, latency_ns=latency_ns, strike=self._strike_later
        )
        self._view = MarketView(venue, self._delivery.tell)
        self._is_open = False
        self._users: list[object] = []

    def join(self, user: object) -> None:
        """Count somebody who shares the connection."""
        if user not in self._users:
            self._users.append(user)

    async def leave(self, user: object) -> None:
        """Let somebody go; the connection ends with the last one. A stranger changes nothing."""
        if user in self._users:
            self._users.remove(user)
            if not self._users:
                await self.aclose()

    async def open(self) -> None:
        """Connect. Idempotent.

        Raises:
            ConnectFailedError: A scripted fault refuses it (NOT_SENT).
            ConfigurationError: The saved venue can't be used, or the plan names an unknown symbol.
        """
        if self._is_open:
            return
        error = departure_error(self._script.on_call("open"), self._provider)
        if error is not None:
            raise error
        await self.venue.attach(self, self._clock)
        self._is_open = True
        try:
            self._check_plan()
        except BaseException:
            await self.aclose()
            raise
        self._script.start(self.venue.engine.now_ns)
        self._strike_on_time()

    async def aclose(self) -> None:
        """Disconnect. Every stream ends, saying so. Idempotent."""
        self._is_open = False
        self._users.clear()
        for stream in tuple(self._delivery.streams):
            stream.end()
        await self.venue.detach(self)

    async def call(self, call: Call, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Let the venue do something for the client, there and back.

        Raises:
            NotConnectedError: The connection is not open (NOT_SENT).
            DragomanError: What the venue answers, or what a scripted fault makes of it.
        """
        faults = await self._go_there(call)
        if not (faults or self._latency_ns):
            return await work()
        error = refusal(call, faults, self._provider)
        answers: list[Answer] = []
        if error is None:
            self._strike_now(faults)
            try:
                answers.append(await work())
            except DragomanError as failure:
                error = failure
            else:
                self._strike_after(call, faults)
        await self._travel(seconds_of(faults, FaultKind.DELAYED_RESPONSE))
        error = answer_error(call, faults, self._provider) or error
        if error is not None:
            raise error
        return answers[0]

    @asynccontextmanager
    async def stream(
        self, subscription: Subscription, account_id: str | None
    ) -> AsyncGenerator[AsyncIterator[Sequence[Event]], None]:
        """Open a stream; entered means subscribed. It begins with how its market stands now.

        Raises:
            NotConnectedError: The connection is not open (NOT_SENT).
            UnknownInstrumentError: It asks for a symbol that the venue does not list (NOT_SENT).
            DragomanError: What a scripted fault makes of it.
        """
        faults = await self._go_there(Call("stream"))
        error = refusal(Call("stream"), faults, self._provider)
        if error is not None:
            raise error
        await self.venue.look(lambda engine: engine.now_ns)
        self._view.open(subscription)
        stream = MockStream(subscription, account_id, self.venue.clock)
        stream.offer(self._view.snapshot(subscription))
        self._delivery.streams.append(stream)
        try:
            yield stream
        finally:
            self._delivery.streams.remove(stream)
            self._view.close(subscription)

    def receive(self, events: Sequence[Event]) -> None:
        """Take in what has happened at the venue."""
        self._delivery.tell(self._view.extend(filter(is_for_everybody, events)))

    def lose(self, cause: str) -> None:
        """End every stream with an error: the venue has broken down."""
        for stream in self._delivery.streams:
            stream.fail(cause)

    async def _go_there(self, call: Call) -> tuple[Fault, ...]:
        """Bring a call to the venue's door; return what will strike it there."""
        if not self._is_open:
            raise NotConnectedError(
                f"{call.name}: the mock connection is not open", provider=self._provider
            )
        faults = self._script.on_call(call.name, call.client_order_id, call.symbol)
        if not (faults or self._latency_ns):
            return faults
        error = departure_error(faults, self._provider)
        if error is not None:
            raise error
        lost_s = seconds_of(faults, FaultKind.LOST_REQUEST)
        await self._travel(lost_s)
        if lost_s is not None:
            raise timeout_error(call, self._provider)
        return faults

    async def _travel(self, delay_s: Decimal | None = None) -> None:
        duration_ns = self._latency_ns + to_ns(delay_s)
        if duration_ns:
            clock = self.venue.clock
            await clock.sleep_until_ns(clock.now_ns() + duration_ns)

    def _strike_now(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            self._strike(fault, None)

    def _strike_after(self, call: Call, faults: Sequence[Fault]) -> None:
        for fault in faults:
            if fault.kind is FaultKind.LATE_FILL and call.client_order_id is not None:
                self._mishaps.late_fill(fault, call.client_order_id)

    def _strike_later(self, fault: Fault, event: Event) -> None:
        """Let an event's fault strike once everybody has been told what is being told.

        A cut strikes at once, because it takes the event with it.
        """
        if fault.kind in MISHAPS:
            now_ns = self.venue.engine.now_ns
            self.venue.schedule(now_ns, lambda: self._strike(fault, event))
        else:
            self._strike(fault, event)

    def _strike(self, fault: Fault, event: Event | None) -> None:
        if fault.kind in MISHAPS:
            self._mishaps.happen(fault, event)
        elif fault.kind is FaultKind.DISCONNECT_STREAM:
            cause = "the stream was cut (scripted)"
            self._delivery.cut(fault.amount("seconds"), cause, is_silent=False)
        elif fault.kind is FaultKind.MUTE_STREAM:
            self._delivery.cut(fault.amount("seconds"), "", is_silent=True)

    def _strike_on_time(self) -> None:
        """Let the plan's instants strike when they come."""
        if not self._is_open:
            return
        for fault in self._script.due(self.venue.engine.now_ns):
            self._strike(fault, None)
        next_ns = self._script.next_ns()
        if next_ns is not None:
            self.venue.schedule(next_ns, self._strike_on_time)

    def _check_plan(self) -> None:
        for fault in self._plan.faults:
            try:
                if fault.symbol is not None:
                    self.venue.engine.find(fault.symbol)
            except RequestError as error:
                raise ConfigurationError(
                    f"mock: faults: {fault}: {error.message}", provider=self._provider
                ) from error
