"""One connection of a transcript, played: what the server says is said, what must be heard awaited.

It knows neither sockets nor HTTP, only a channel to the client.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS, Clock

from .exact_json import read_json, write_json
from .findings import Finding, FindingKind
from .matching import binds, same_text, substituted
from .secret_forms import restore
from .transcript import Operation, Sender, Turn

if TYPE_CHECKING:
    from .exact_json import Tree
    from .transcript import Transcript, TranscriptEvent

__all__ = ["Channel", "Heard", "Pace", "Player", "Stage"]

_SHOWN: Final = 400


class Pace(StrEnum):
    """When the server says what it says.

    ASAP: in order, each as soon as all before it was said and heard. CLOCK: at its time by the
    replay's clock. REAL: at its time by the machine's.
    """

    ASAP = "asap"
    CLOCK = "clock"
    REAL = "real"


@attrs.frozen(kw_only=True)
class Heard:
    """What a client said on a stream."""

    operation: Operation
    payload: bytes = attrs.field(default=b"", repr=False)
    code: int | None = None

    @property
    def shown(self) -> str:
        """What was said, for messages."""
        text = self.payload.decode("utf-8", "backslashreplace")[:_SHOWN]
        return f"{self.operation} {text if self.code is None else self.code}"


class Channel(ABC):
    """The way to one client, and from it."""

    @abstractmethod
    async def say(self, operation: Operation, payload: bytes) -> None:
        """Say something.

        Raises:
            ConnectionError: The client is gone.
        """

    @abstractmethod
    async def end(self, event: TranscriptEvent) -> None:
        """End as an event says: CLOSE, EOF, RESET, or STALL until the client ends."""

    @abstractmethod
    async def hear(self) -> Heard | None:
        """Wait for what the client says next; None where it is gone."""


@attrs.frozen(kw_only=True)
class Stage:
    """What all players of one replay share.

    `clock` is what times and deadlines go by; `start_ns` when it began, by its monotonic time.
    `reached` waits until the exchanges over HTTP have come to a turn.
    """

    clock: Clock
    start_ns: int
    pace: Pace
    deadline_s: float
    secrets: Mapping[str, str] = attrs.field(repr=False)
    volatile: frozenset[str] = frozenset()
    reached: Callable[[Turn], asyncio.Future[None]]
    report: Callable[[Finding], None]


class Player:
    """Plays one connection of a transcript.

    Args:
        transcript: What is played.
        connection: Which connection of it.
        bound: What the client's frames have bound so far, on all connections of the transcript.
        stage: What all players share.
    """

    def __init__(
        self, transcript: Transcript, connection: int, bound: dict[str, Tree], stage: Stage
    ) -> None:
        self._transcript = transcript
        self._events = transcript.of(connection)
        self._bound = bound
        self._stage = stage
        self._at = 0
        self._is_missed = False

    @property
    def unplayed(self) -> tuple[str, ...]:
        """The places of the events that were not come to."""
        return tuple([self._place(event) for event in self._events[self._at :]])

    async def play(self, channel: Channel) -> None:
        """Play every event, then hear the client out until it is gone."""
        try:
            while self._at < len(self._events):
                event = self._events[self._at]
                await self._due(event)
                if not await self._act(channel, event):
                    return
                self._at += 1
            while (heard := await self._next(channel)) is not None:
                if heard.operation is not Operation.CLOSE:
                    self._tell(
                        FindingKind.FRAME_UNEXPECTED, f"nothing more was awaited: {heard.shown}"
                    )
        except ConnectionError:
            self.miss()

    def miss(self) -> None:
        """Tell, once, of what the client should have said and can't any more."""
        left = () if self._is_missed else self._events[self._at :]
        self._is_missed = True
        for event in left:
            if event.sender is Sender.CLIENT and event.operation is not Operation.CLOSE:
                message = f"the client never said {self._shown(event)}"
                self._tell(FindingKind.FRAME_MISSING, message, event)
                return

    async def _act(self, channel: Channel, event: TranscriptEvent) -> bool:
        if event.sender is Sender.CLIENT:
            return await self._await(channel, event)
        if event.sender is Sender.CONNECTION or event.operation is Operation.CLOSE:
            self._at += 1
            await channel.end(event)
            self.miss()
            return False
        await channel.say(event.operation, self._spoken(event))
        return True

    async def _await(self, channel: Channel, event: TranscriptEvent) -> bool:
        heard = await self._within_deadline(channel)
        is_over = heard is not None and heard.operation is Operation.CLOSE is not event.operation
        if heard is None or is_over:
            self.miss()
            return False
        if not self._is_awaited(event, heard):
            message = f"awaited {self._shown(event)}; heard {heard.shown}"
            self._tell(FindingKind.FRAME_DIFFERENT, message, event)
        return True

    async def _within_deadline(self, channel: Channel) -> Heard | None:
        scope = TaskScope()
        hearing = scope.spawn(self._next(channel), "what the client says")
        deadline_ns = round(self._stage.deadline_s * SECOND_NS)
        waiting = scope.spawn(self._stage.clock.sleep_ns(deadline_ns), "deadline of a frame")
        try:
            await asyncio.wait([hearing, waiting], return_when=asyncio.FIRST_COMPLETED)
            return hearing.result() if hearing.done() else None
        finally:
            await scope.close()

    async def _next(self, channel: Channel) -> Heard | None:
        while (heard := await channel.hear()) is not None:
            if heard.payload.decode("utf-8", "replace") not in self._transcript.idle:
                return heard
        return None

    async def _due(self, event: TranscriptEvent) -> None:
        if event.sender is Sender.CLIENT:
            return
        if event.after is not None:
            await self._stage.reached(event.after)
        if self._stage.pace is not Pace.ASAP:
            due_ns = self._stage.start_ns + round(event.at_s * SECOND_NS)
            await self._stage.clock.sleep_ns(max(0, due_ns - self._stage.clock.monotonic_ns()))

    def _spoken(self, event: TranscriptEvent) -> bytes:
        if event.has_tree:
            return write_json(substituted(event.tree, self._bound)).encode()
        if event.raw is not None:
            return event.raw
        return restore(event.data or "", self._stage.secrets).encode()

    def _is_awaited(self, event: TranscriptEvent, heard: Heard) -> bool:
        if event.operation is not heard.operation:
            return False
        if event.code is not None or heard.operation is Operation.CLOSE:
            return event.code in {None, heard.code}
        if event.raw is not None:
            return event.raw == heard.payload
        text = heard.payload.decode("utf-8", "backslashreplace")
        if not event.has_tree:
            awaited = restore(event.data or "", self._stage.secrets)
            return event.data is None or same_text(awaited, text, self._stage.volatile)
        pattern = read_json(restore(write_json(event.tree), self._stage.secrets))
        try:
            return binds(pattern, read_json(text), self._bound, is_subset=event.is_subset)
        except ValueError:
            return False

    def _shown(self, event: TranscriptEvent) -> str:
        return f"{event.operation} {event.text[:_SHOWN]}".strip()

    def _place(self, event: TranscriptEvent) -> str:
        return f"{self._transcript.place}:{event.line}"

    def _tell(self, kind: FindingKind, message: str, event: TranscriptEvent | None = None) -> None:
        place = self._transcript.place if event is None else self._place(event)
        self._stage.report(Finding(kind=kind, message=message, place=place))
