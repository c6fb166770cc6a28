"""One life of a shared connection, from its first reader to its last.

Two tasks: one asks the venue for what is wanted, a change at a time, so that a refusal has one
author; the other hands out what the venue says. A change that a loss interrupts is asked for again
on the next connection, which is greeted without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from dragoman.errors import ClosedError, DragomanError, StreamLostError, WaitTimeoutError
from dragoman.models.enums import Channel
from dragoman.models.subscription import Subscription
from dragoman.tasks import TaskScope
from dragoman.transport.link import Link
from dragoman.transport.link_deadline import deadline
from dragoman.transport.link_errors import bare, report, where
from dragoman.transport.link_report import LinkChange, LinkState, LoopLag, Rolled, Undecoded

from .shared_reader import Audiences, Wishes
from .topics import subscription_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models.events import Event
    from dragoman.transport.base import Transport
    from dragoman.transport.link_pace import ConnectBudget
    from dragoman.transport.link_report import LinkReport
    from dragoman.transport.link_terms import LinkTerms

    from .shared import SharedProtocol
    from .shared_reader import SharedReader

__all__ = ["SharedLine"]

Frame = TypeVar("Frame")

_REPORTS: Final = (LinkChange, Undecoded, Rolled, LoopLag)
_LONGEST_STALL_S: Final = 5.0
_TURN: Final = 256


class SharedLine(Generic[Frame]):
    """Runs one link for the readers that are on it.

    Args:
        protocol: What the venue wants said; made for this life alone.
        context: Gives clock and random.
        transport: What opens connections.
        terms: How patient it is.
        budget: The attempts that all lives share.
        most_waiting: How many events may wait for one reader.
    """

    def __init__(
        self,
        protocol: SharedProtocol[Frame],
        *,
        context: AdapterContext,
        transport: Transport,
        terms: LinkTerms,
        budget: ConnectBudget,
        most_waiting: int,
    ) -> None:
        self.last_failure: DragomanError | None = None
        self._protocol = protocol
        self._clock = context.clock
        self._link: Link[Frame, Sequence[Event]] = Link(
            protocol,
            transport=transport,
            clock=context.clock,
            random=context.random,
            terms=terms,
            budget=budget,
        )
        self._audiences = Audiences()
        self._wishes = Wishes()
        self._pending: dict[SharedReader, None] = {}
        self._has_surplus = False
        self._lives = 0
        self._turn = min(_TURN, most_waiting)
        self._since_turn = 0
        self._is_over = False
        self._ending: DragomanError | None = None
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_joinable(self) -> bool:
        """Whether it can still take readers."""
        return not self._is_over

    def start(self, scope: TaskScope, on_end: Callable[[SharedLine[Frame]], None]) -> None:
        """Connect; `on_end` is called when the connection is closed and may be opened anew."""
        self._task = scope.spawn(self._run(), f"shared {self._protocol.name}")
        self._task.add_done_callback(lambda task: self._ended(task, on_end))

    def join(self, reader: SharedReader) -> None:
        """Take a reader on; its `admission` tells when the venue has confirmed, or why not."""
        self._audiences.add(reader)
        self._pending[reader] = None
        self._news.set()

    async def leave(self, reader: SharedReader) -> None:
        """Let a reader go; returns after the connection is closed, if it was the last."""
        if reader not in self._audiences.readers:
            return
        self._audiences.remove(reader)
        self._pending.pop(reader, None)
        if reader.is_admitted:
            self._wishes.remove(reader)
            self._protocol.wanted = self._wishes.union()
        self._has_surplus = True
        self._news.set()
        if not self._audiences.readers:
            await self.aclose()

    async def aclose(self) -> None:
        """End every reader and close the connection; goes on where the caller is canceled."""
        if not self._is_over and self._task is not None:
            self._task.cancel()
        self._is_over = True
        await self.wait_closed()

    async def wait_closed(self) -> None:
        """Return when the connection is closed."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        pump = TaskScope(report)
        try:
            async with self._link as link:
                pump.spawn(self._pump(link), f"readers of {self._protocol.name}")
                await self._serve(link)
        except DragomanError as error:
            self._fail(error)
        finally:
            self._is_over = True
            await pump.close()

    async def _serve(self, link: Link[Frame, Sequence[Event]]) -> None:
        """Keep what the venue sends equal to what is wanted, until the link ends."""
        try:
            while not self._is_over:
                self._news.clear()
                if not await self._settle(link):
                    await self._news.wait()
        except Exception as error:
            self._fail(_mistake(error))
            raise

    async def _settle(self, link: Link[Frame, Sequence[Event]]) -> bool:
        """Make one change, if one is due; False if nothing can be done now."""
        if self._pending:
            return await self._admit(link, tuple(self._pending))
        return self._has_surplus and await self._shrink(link)

    async def _admit(
        self, link: Link[Frame, Sequence[Event]], readers: Sequence[SharedReader]
    ) -> bool:
        """Ask for what readers wish besides; False if that must wait for the connection."""
        self._has_surplus = False
        try:
            await self._ask(link, self._wishes.union(readers), _states_of(readers))
        except WaitTimeoutError as error:
            self._refuse(readers, error)  # the connection is given up: what it carries is not known
            return True
        except StreamLostError:
            self._has_surplus = True
            return False
        if self._protocol.refusal is None:
            self._welcome(link, readers)
            return True
        self._has_surplus = True
        if len(readers) > 1:
            return await self._admit_each(link, readers)
        self._refuse(readers, self._protocol.refusal)
        return True

    async def _admit_each(
        self, link: Link[Frame, Sequence[Event]], readers: Sequence[SharedReader]
    ) -> bool:
        """Find whose wish is refused."""
        for reader in readers:
            if reader in self._pending and not await self._admit(link, (reader,)):
                return False
        return True

    async def _shrink(self, link: Link[Frame, Sequence[Event]]) -> bool:
        self._has_surplus = False
        try:
            await self._ask(link, self._wishes.union(), Subscription())
        except StreamLostError:
            self._has_surplus = True  # what is being greeted now may have been asked for more
            return False
        except WaitTimeoutError as error:
            self.last_failure = error
        return True

    async def _ask(
        self, link: Link[Frame, Sequence[Event]], wanted: Subscription, anew: Subscription
    ) -> None:
        """Propose what is wanted; whether it is refused is in the protocol's `refusal`.

        Raises:
            StreamLostError: The connection was lost, so nothing is known to be confirmed.
            WaitTimeoutError: The venue said nothing, and the connection was given up.
        """
        session = link.session
        self._protocol.proposed, self._protocol.anew = wanted, anew
        try:
            await link.resubscribe()
        except (StreamLostError, WaitTimeoutError):
            raise
        except DragomanError as error:
            self.last_failure = bare(error)
            raise StreamLostError(error.message) from None
        if link.session is not session:
            raise StreamLostError("another connection took over")

    def _welcome(self, link: Link[Frame, Sequence[Event]], readers: Sequence[SharedReader]) -> None:
        for reader in readers:
            if reader in self._pending:
                del self._pending[reader]
                self._wishes.add(reader)
                reader.admit(link.losses + 1)
            else:
                self._has_surplus = True  # it left while the venue was asked
        self._protocol.wanted = self._wishes.union()

    def _refuse(self, readers: Sequence[SharedReader], error: DragomanError) -> None:
        for reader in readers:
            self._pending.pop(reader, None)
            reader.refuse(error)

    async def _pump(self, link: Link[Frame, Sequence[Event]]) -> None:
        """Hand out what the link gives."""
        try:
            async for batch in link:
                for item in batch:
                    if isinstance(item, _REPORTS):
                        self._report(item)
                    else:
                        self._audiences.deliver(item)
                    await self._give_turn(item)
                await self._wait_for_readers()
        except DragomanError as error:
            self._fail(error)
        except Exception as error:
            self._fail(_mistake(error))
            raise
        finally:
            self._is_over = True
            self._news.set()

    def _report(self, told: LinkReport) -> None:
        if isinstance(told, LinkChange):
            self.last_failure = told.error
            self._lives += told.state is LinkState.LIVE
        self._news.set()  # another connection may lead, which can be asked
        readers = self._audiences.readers
        for reader in readers[:1] if isinstance(told, LoopLag) else readers:  # it is only logged
            reader.report(told, self._lives)

    async def _give_turn(self, item: object) -> None:
        """Let the readers run between the parts of a burst: who is quick must miss nothing."""
        self._since_turn += len(item) if isinstance(item, Sized) else 1
        if self._since_turn >= self._turn:
            self._since_turn = 0
            await self._clock.sleep_until_ns(0)

    async def _wait_for_readers(self) -> None:
        """Hold the connection back for readers that must miss nothing, but others not forever."""
        for reader in self._audiences.readers:
            while reader.channels and not await self._has_room(reader):
                if len(self._audiences.readers) > 1:
                    message = f"a reader held others back for {_LONGEST_STALL_S:g} s"
                    reader.end(StreamLostError(message))

    async def _has_room(self, reader: SharedReader) -> bool:
        if reader.is_full:
            try:
                async with deadline(self._clock, _LONGEST_STALL_S, "waiting for a reader"):
                    await reader.room()
            except WaitTimeoutError:
                return False
        return True

    def _fail(self, error: DragomanError) -> None:
        self._is_over = True
        self._ending = bare(error)
        for reader in self._audiences.readers:
            reader.end(self._ending)

    def _ended(self, task: asyncio.Task[None], on_end: Callable[[SharedLine[Frame]], None]) -> None:
        self._is_over = True
        mistake = None if task.cancelled() else task.exception()
        failure = self._ending or ClosedError("the stream was closed")
        if mistake is not None:
            failure = self._ending or _mistake(mistake)
        for reader in self._audiences.readers:
            reader.refuse(failure)
            if mistake is not None:
                reader.end(failure)
            reader.finish()
        on_end(self)


def _states_of(readers: Sequence[SharedReader]) -> Subscription:
    """Return what must begin with its whole state for readers that come: books."""
    topics = {topic for reader in readers for topic in reader.topics}
    return subscription_of(topic for topic in topics if topic.channel is Channel.DEPTH)


def _mistake(error: BaseException) -> StreamLostError:
    return StreamLostError(f"the stream ended by a mistake: {where(error)}")
