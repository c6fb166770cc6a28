"""One client's view of one account: live while it keeps up, else caught up as fast as it reads.

Private events are never lost: what a slow client can't be sent waits in the journal, not here, and
it is told so. Market data is conflated for it, with exact counts of what it did not get.
"""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from dragoman.dialects.sockets import PackedFrame
from dragoman.errors import ClosedError, DragomanError
from dragoman.models.events import Gap, ReaderLagged
from dragoman.streaming.conflation import conflate
from dragoman.streaming.topics import (
    PRIVATE_CHANNELS,
    subscription_of,
)

from .messages import PRIVATE_EVENTS, CaughtUp, error_frame, packed

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from dragoman.dialects.sockets import ClientSocket
    from dragoman.models.enums import Channel
    from dragoman.models.events import Event, PrivateEvent
    from dragoman.models.subscription import Subscription
    from dragoman.streaming import EventStream
    from dragoman.streaming.topics import (
        Topic,
    )

    from .fan import Fan, Run

__all__ = ["Follower"]

_PRIVATE_BYTES: Final = 1024 * 1024
"""How much may wait for a client before the journal feeds it with private events."""
_MARKET_BYTES: Final = 256 * 1024
"""How much may wait for a client before market data is conflated for it."""
_HELD: Final = 1000
_FLUSHED: Final = 128


class Follower:
    """What one socket follows of one account, and how far it was told.

    `sequence` is that of the last private event it was sent, or is about to be.
    """

    def __init__(self, fan: Fan, socket: ClientSocket) -> None:
        self.fan = fan
        self.socket = socket
        self.topics: frozenset[Topic] = frozenset()
        self.channels: frozenset[Channel] = frozenset()
        self.sequence: int = fan.sequence
        self.is_replaying: bool = False
        self._held: list[Event] = []
        self._lost: Counter[Topic] = Counter()
        self._relief: asyncio.Task[None] | None = None
        self._replay: asyncio.Task[None] | None = None

    @property
    def subscription(self) -> Subscription:
        """All it follows."""
        return subscription_of(self.topics, self.channels)

    @property
    def wants_anything(self) -> bool:
        """Whether anything is followed that could come."""
        return bool(self.topics or self.channels)

    def take(self, run: Run) -> None:
        """Be told a run of events, at once if the client keeps up."""
        is_next = run.first is None or run.first > self.sequence
        if is_next and not self._held and self.socket.offer(run.frame):
            self.sequence = run.last or self.sequence
            return
        for event, frame in zip(run.events, run.frames, strict=True):
            if isinstance(event, PRIVATE_EVENTS):
                self._take_private(event, frame)
            else:
                self._take_market(event, frame)

    def begin_replay(self, stream: EventStream, since: int) -> None:
        """Send what came after `since` out of an opened stream, and then be live again."""
        self.sequence = since
        self.is_replaying = True
        name = f"replay of {self.fan.name}"
        self._replay = self.fan.scope.spawn(self._catch_up(stream), name)

    def say_level(self) -> None:
        """Tell that nothing private is missing."""
        self.socket.send(packed(self._level()))

    def forget(self, topics: frozenset[Topic]) -> None:
        """Send nothing more of these topics, not even what is held."""
        self._held = [event for event in self._held if self.fan.topic_of(event) not in topics]
        for topic in topics:
            self._lost.pop(topic, None)

    def close(self) -> None:
        """End what goes on for this client."""
        for task in (self._relief, self._replay):
            if task is not None:
                task.cancel()
        self._held.clear()

    def _take_private(self, event: PrivateEvent, frame: PackedFrame) -> None:
        if self.is_replaying or event.sequence <= self.sequence:
            return
        if self.socket.waiting_bytes <= _PRIVATE_BYTES:
            self.sequence = event.sequence
            self.socket.send(frame)
            return
        self._lag()

    def _take_market(self, event: Event, frame: PackedFrame) -> None:
        if not self._held and self.socket.waiting_bytes <= _MARKET_BYTES:
            self.socket.send(frame)
            return
        self._held.append(event)
        if len(self._held) > _HELD:
            survivors = conflate(self._held, _HELD // 2)
            self._held = survivors.events
            self._lost.update(survivors.lost)
        if self._relief is None and self.socket.is_open:
            name = f"relief of {self.fan.name}"
            self._relief = self.fan.scope.spawn(self._relieve(), name)

    def _lag(self) -> None:
        """Let the journal feed this client until it is level; it has been told nothing wrong."""
        self.fan.exclude(self)
        self.is_replaying = True
        name = f"replay of {self.fan.name}"
        self._replay = self.fan.scope.spawn(self._read_journal(), name)

    async def _read_journal(self) -> None:
        await self.socket.drained()
        lagged = ReaderLagged(
            from_sequence=self.sequence + 1, received_at_ns=self.fan.clock.now_ns()
        )
        self.socket.send(self.fan.pack(lagged))
        try:
            stream = self.fan.journal_after(self.sequence)
            await stream.__aenter__()
        except DragomanError as error:
            self._fail(error)
            return
        await self._catch_up(stream)

    async def _catch_up(self, stream: EventStream) -> None:
        """Send private events as fast as the client takes them, until what is live comes next."""
        try:
            async with aclosing(stream):
                if self.sequence < self.fan.sequence:
                    async for batch in stream.batches(_FLUSHED):
                        await self._send_missed(batch)
                        if self.sequence >= self.fan.sequence or not self.socket.is_open:
                            break
                self._go_live()
        except DragomanError as error:
            self._fail(error)

    def _go_live(self) -> None:
        if self.sequence < self.fan.sequence and self.socket.is_open:
            message = f"the private events after {self.sequence} can't be read any more"
            raise ClosedError(message, provider=self.fan.broker.provider)
        self.is_replaying = False
        self._replay = None
        self.say_level()
        self.fan.include(self)

    async def _send_missed(self, batch: Sequence[Event]) -> None:
        frames: list[PackedFrame] = []
        for event in batch:
            if not isinstance(event, PRIVATE_EVENTS):
                continue  # what concerns the connection comes live
            self.sequence = event.sequence
            if PRIVATE_CHANNELS[type(event)] in self.channels:
                frames.append(self.fan.pack(event))
        if frames:
            self.socket.send(PackedFrame.joined(frames))
            await self.socket.drained()

    async def _relieve(self) -> None:
        """Send what was held back as fast as the client takes it, until nothing is."""
        while self._held and self.socket.is_open:
            await self.socket.drained()
            now, self._held = self._held[:_FLUSHED], self._held[_FLUSHED:]
            lost, self._lost = self._lost, Counter()
            events: list[Event] = [*map(self._gap, lost, lost.values()), *now]
            self.socket.send(PackedFrame.joined(map(self.fan.pack, events)))
        self._relief = None

    def _gap(self, topic: Topic, lost: int) -> Gap:
        return Gap(
            channel=topic.channel,
            symbol=topic.symbol,
            lost=lost,
            received_at_ns=self.fan.clock.now_ns(),
        )

    def _level(self) -> CaughtUp:
        broker = self.fan.broker
        return CaughtUp(
            provider=broker.provider, account_id=broker.account_id, sequence=self.sequence
        )

    def _fail(self, error: DragomanError) -> None:
        """Tell that private events can't be read on; the client has to look for itself."""
        self.channels = frozenset()
        self.is_replaying = False
        self._replay = None
        self.socket.send(error_frame(error))
        self.fan.tell_left(self)
