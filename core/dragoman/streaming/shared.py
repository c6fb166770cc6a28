"""One venue connection for many readers: where a venue allows one, or each costs a place.

What all readers want together is what the venue is asked for, on one connection that lives from the
first reader to the last. A wish that the venue refuses fails who wished it, and nobody else.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from dragoman.errors import (
    ClosedError,
    PermissionDeniedError,
    RequestError,
    StreamLostError,
    WaitTimeoutError,
)
from dragoman.models.subscription import Subscription
from dragoman.tasks import TaskScope
from dragoman.transport.link_deadline import deadline
from dragoman.transport.link_errors import bare, report
from dragoman.transport.link_pace import ConnectBudget
from dragoman.transport.link_terms import LinkTerms
from dragoman.transport.stream_protocol import StreamProtocol

from .shared_line import SharedLine
from .shared_reader import SharedReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.errors import DragomanError
    from dragoman.models.events import Event
    from dragoman.transport.base import Transport
    from dragoman.transport.stream_protocol import StreamSession

__all__ = ["SharedProtocol", "SharedStream"]

Frame = TypeVar("Frame")

_MOST_WAITING: Final = 10_000


class SharedProtocol(StreamProtocol[Frame, "Sequence[Event]"], Generic[Frame]):
    """A stream of a venue whose connection changes what it carries while it lives.

    An adapter writes `authenticate` and `subscribe`. `wanted` is what the next greeting subscribes
    to, `proposed` and `anew` what the next change does; `refusal` is why the venue did not take the
    change.
    """

    def __init__(self) -> None:
        self.wanted: Subscription = Subscription()
        self.proposed: Subscription = Subscription()
        self.anew: Subscription = Subscription()
        self.refusal: DragomanError | None = None

    @abstractmethod
    async def authenticate(self, session: StreamSession[Frame]) -> None:
        """Greet the venue and await that it knows who this is; nothing is subscribed to.

        Raises what `StreamProtocol.greet` raises.
        """

    @abstractmethod
    async def subscribe(
        self, session: StreamSession[Frame], wanted: Subscription, anew: Subscription
    ) -> None:
        """Have the connection carry `wanted` and nothing else; await the venue's confirmation.

        It may carry anything already: what an earlier call, or one that was interrupted, asked for.

        Args:
            session: The connection.
            wanted: All that it shall carry.
            anew: The part that must begin with its whole state, though it may be carried already:
                the books of readers that have not heard them yet.

        Raises:
            RequestError: The venue refuses; the connection carries what it did before.
            PermissionDeniedError: Likewise: the credentials do not allow it.
            DragomanError: Anything else: the connection is given up.
        """

    async def greet(self, session: StreamSession[Frame]) -> None:
        """Authenticate, then subscribe to what is wanted.

        All of it was confirmed before, so a refusal now is taken for the venue's trouble.

        Raises:
            StreamLostError: What was confirmed before is refused now: tried again.
            DragomanError: What `authenticate` and `subscribe` raise besides.
        """
        await self.authenticate(session)
        if self.wanted.is_empty:
            return
        try:
            await self.subscribe(session, self.wanted, Subscription())
        except (RequestError, PermissionDeniedError) as error:
            message = f"what was subscribed to is refused now: {error.message}"
            raise StreamLostError(message, code=error.code) from None

    async def resubscribe(self, session: StreamSession[Frame]) -> None:
        """Try what is proposed; a refusal is kept, and costs no connection."""
        self.refusal = None
        try:
            await self.subscribe(session, self.proposed, self.anew)
        except (RequestError, PermissionDeniedError) as error:
            self.refusal = bare(error)


class SharedStream(Generic[Frame]):
    """Readers of one connection. Use it in one event loop; `aclose` it with the adapter.

    Args:
        make_protocol: Makes the protocol of one life of the connection.
        context: Gives clock, random and whether raw frames are kept.
        transport: What opens connections; it stays open.
        terms: How patient the connection is; a reader waits `open_within_s` for the connection and
            as long as an attempt may take for its topics.
        most_waiting: How many events may wait for one reader.
    """

    def __init__(
        self,
        make_protocol: Callable[[], SharedProtocol[Frame]],
        *,
        context: AdapterContext,
        transport: Transport,
        terms: LinkTerms | None = None,
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        self._make_protocol = make_protocol
        self._context = context
        self._transport = transport
        self._terms = terms or LinkTerms()
        self._most = most_waiting
        self._budget = ConnectBudget(self._terms.attempts_per_minute, context.clock)
        self._scope = TaskScope(report)
        self._line: SharedLine[Frame] | None = None
        self._is_closed = False

    @asynccontextmanager
    async def read(
        self, subscription: Subscription
    ) -> AsyncGenerator[AsyncIterator[Sequence[Event]]]:
        """Read what a subscription asks for; entered means that the venue confirmed all of it.

        The first batch begins with CONNECTED; losses, returns and what is missing are told as
        `venue_stream` tells them, for these topics. Market data that finds no place, because the
        reader is behind, is told by a Gap with its count. Private events hold the connection back;
        a reader that so holds others back, or that is far behind, ends by StreamLostError.

        Raises:
            AuthenticationError: The venue refuses the credentials: on entry, or from the iterator
                after a ConnectionEvent FAILED; so does PermissionDeniedError.
            UnsupportedError: The venue refuses these topics.
            DragomanError: On entry: the last failure, if the stream did not come about in time.
            ClosedError: This was closed.
        """
        reader = SharedReader(
            subscription,
            clock=self._context.clock,
            keep_raw=self._context.keep_raw,
            most_waiting=self._most,
        )
        line = await self._joined(reader)
        try:
            await self._admitted(line, reader)
            yield reader
        finally:
            reader.finish()
            await line.leave(reader)

    async def aclose(self) -> None:
        """End every reader and close the connection. Idempotent; raises nothing."""
        self._is_closed = True
        if self._line is not None:
            await self._line.aclose()
        await self._scope.close()

    async def _joined(self, reader: SharedReader) -> SharedLine[Frame]:
        """Put a reader on the connection; one that is closing is waited for, not overlapped."""
        while self._line is not None and not self._line.is_joinable:
            await self._line.wait_closed()
        if self._is_closed:
            raise ClosedError("the stream is closed")
        line = self._line
        if line is None:
            line = self._line = SharedLine(
                self._make_protocol(),
                context=self._context,
                transport=self._transport,
                terms=self._terms,
                budget=self._budget,
                most_waiting=self._most,
            )
            line.start(self._scope, self._ended)
        line.join(reader)
        return line

    async def _admitted(self, line: SharedLine[Frame], reader: SharedReader) -> None:
        seconds = self._terms.open_within_s + self._terms.attempt_within_s
        failure: DragomanError | None
        try:
            async with deadline(self._context.clock, seconds, "subscribing"):
                failure = await reader.admission
        except WaitTimeoutError as error:
            failure = line.last_failure or error
        if failure is not None:
            raise failure

    def _ended(self, line: SharedLine[Frame]) -> None:
        if self._line is line:
            self._line = None
