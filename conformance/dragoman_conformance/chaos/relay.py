"""A stream through the proxy, frame by frame or line by line, until either side ends."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.tasks import TaskScope
from dragoman.times import Clock

from .downstream import Downstream
from .frames import read_frame
from .framing import LineFraming, WebSocketFraming
from .http_text import body_pieces, plain_body
from .log import Origin, TrafficLog
from .peer import Peer
from .toxics import FrameToxic, Trap

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from .framing import StreamFraming
    from .http_text import Head

__all__ = ["LineRelay", "Relay", "SocketRelay", "Stream", "is_line_stream"]

_EVENTS: Final = "text/event-stream"
_JSON: Final = "application/json"


@attrs.frozen(kw_only=True)
class Stream:
    """What a relay is given: two sides, the toxics that are set, and where to note what passes.

    `traps` is the proxy's own list, which it changes as it likes.
    """

    client: Peer
    venue: Peer
    path: str
    traps: Sequence[Trap[FrameToxic]]
    clock: Clock
    log: TrafficLog
    exchange: int

    def downstream(self, framing: StreamFraming) -> Downstream:
        """Return the way to the client."""
        return Downstream(
            self.client,
            self.path,
            self.traps,
            framing,
            clock=self.clock,
            log=self.log,
            exchange=self.exchange,
        )


class Relay(ABC):
    """One open stream between a client and the venue."""

    def __init__(self, stream: Stream, framing: StreamFraming) -> None:
        self._stream = stream
        self._client = stream.client
        self._venue = stream.venue
        self._down = stream.downstream(framing)
        self.client_close: int | None = None
        """The code that the client closed with; None before it did, and where there is none."""
        self.last: bytes | None = None
        """What is left to tell the client where the venue ended it so that they can carry on."""

    async def run(self) -> None:
        """Pass on what is said until either side ends."""
        scope = TaskScope()
        tasks = [scope.spawn(work, name) for name, work in self._pumps()]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await scope.close()
            if self.last is None:
                self._client.close()
                self._venue.close()

    def reset(self) -> None:
        """Reset the client."""
        self._client.reset()

    def freeze(self) -> None:
        """Let both directions fall silent, with nothing closed."""
        self._down.freeze()

    def mute(self) -> None:
        """Drop every message of the venue from now on; pings are still answered."""
        self._down.mute()

    async def close(self, code: int) -> None:
        """Close towards the client as a server does."""
        await self._down.close(code)

    @abstractmethod
    def _pumps(self) -> tuple[tuple[str, Coroutine[None, None, None]], ...]:
        """Return what moves the stream on, by name; the first to end ends it."""


class SocketRelay(Relay):
    """A WebSocket."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream, WebSocketFraming())

    def _pumps(self) -> tuple[tuple[str, Coroutine[None, None, None]], ...]:
        return (
            ("frames to the client", self._pump_down()),
            ("frames to the venue", self._pump_up()),
        )

    async def _pump_up(self) -> None:
        while (frame := await read_frame(self._client.reader)) is not None:
            await self._down.thaw()
            if frame.is_close:
                self.client_close = int.from_bytes(frame.payload[:2], "big") or 1005
            self._stream.log.heard(self._stream.exchange, Origin.CLIENT, frame)
            try:
                await self._venue.send(frame.raw)
            except ConnectionError:
                return

    async def _pump_down(self) -> None:
        try:
            while (frame := await read_frame(self._venue.reader)) is not None:
                await self._down.take(frame)
        except ConnectionError:
            return


class LineRelay(Relay):
    """An endless answer in chunks; a line that comes in two chunks counts as two frames."""

    def __init__(self, stream: Stream, head: Head) -> None:
        self._framing = LineFraming(is_events=(head.get("content-type") or "").startswith(_EVENTS))
        super().__init__(stream, self._framing)
        self._head = head

    def _pumps(self) -> tuple[tuple[str, Coroutine[None, None, None]], ...]:
        return (("lines to the client", self._pump_down()), ("client", self._client.gone()))

    async def _pump_down(self) -> None:
        try:
            async for piece in body_pieces(self._venue.reader, self._head):
                data = plain_body(self._head, piece)
                await self._pass_on(piece, data)
                self.last = None if data else piece
        except (ConnectionError, asyncio.IncompleteReadError):
            return

    async def _pass_on(self, piece: bytes, data: bytes) -> None:
        if not data:
            await self._down.thaw()
            return
        frames = self._framing.frames(data)
        if self._down.spares(frames):  # then its bounds stay as they are, too
            for frame in frames:
                self._stream.log.heard(self._stream.exchange, Origin.VENUE, frame)
            await self._client.send(piece)
            return
        for frame in frames:
            await self._down.take(frame)


def is_line_stream(head: Head) -> bool:
    """Tell whether an answer is one that may never end, by its head: in chunks, and no document."""
    kind = (head.get("content-type") or "").partition(";")[0].strip().lower()
    return head.is_chunked and kind not in {"", _JSON, "text/html"}
