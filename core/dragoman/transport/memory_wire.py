"""Two ends of one stream in memory: what is sent into one is received from the other, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Self

from dragoman.errors import Outcome, StreamLostError
from dragoman.permits import current_permit

from .base import MAX_MESSAGE_BYTES, Lane, Wire

__all__ = ["MemoryWire"]

_CAPACITY: Final = 1024


class _Pipe:
    """One direction: what was sent and not received yet."""

    def __init__(self, capacity: int, max_bytes: int) -> None:
        self.messages: deque[str | bytes] = deque()
        self.end: str | None = None
        self.max_bytes = max_bytes
        self._capacity = capacity
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def is_full(self) -> bool:
        return self.end is None and len(self.messages) >= self._capacity

    def finish(self, end: str) -> None:
        self.end = self.end or end
        self.wake()

    async def wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(turn)
        try:
            await turn
        finally:
            self._waiting.discard(turn)

    def wake(self) -> None:
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)


class MemoryWire(Wire):
    """One end. Make both with `pair`; either can be closed, and either can be cut."""

    def __init__(self, name: str, inbound: _Pipe, outbound: _Pipe) -> None:
        self._name = name
        self._inbound = inbound
        self._outbound = outbound

    @classmethod
    def pair(
        cls, name: str = "stream", *, capacity: int = _CAPACITY, max_bytes: int = MAX_MESSAGE_BYTES
    ) -> tuple[Self, Self]:
        """Return two connected ends.

        Args:
            name: What errors call the stream.
            capacity: How many unread messages an end holds before who sends more must wait.
            max_bytes: How large a message may be; a larger one cuts the stream.
        """
        there, back = _Pipe(capacity, max_bytes), _Pipe(capacity, max_bytes)
        return cls(name, back, there), cls(name, there, back)

    @property
    def is_open(self) -> bool:
        """Whether this end can still send."""
        return self._inbound.end is None

    async def receive(self) -> str | bytes:
        """Return the next message; what came before the end is still handed out.

        Raises:
            StreamLostError: The stream ended or was cut.
        """
        pipe = self._inbound
        while not pipe.messages:
            if pipe.end is not None:
                raise StreamLostError(f"{self._name}: {pipe.end}")
            await pipe.wait()
        message = pipe.messages.popleft()
        pipe.wake()
        return message

    async def send(self, message: str | bytes, lane: Lane = Lane.READ) -> None:
        """Send one message; waits while the other end holds too many; in ORDER only with leave.

        Raises:
            StreamLostError: The stream is not open any more (NOT_SENT).
            LifecycleError: The permit refused (NOT_SENT).
        """
        while self._outbound.is_full:
            await self._outbound.wait()
        if self._inbound.end is not None:
            text = f"{self._name}: {self._inbound.end}"
            raise StreamLostError(text, outcome=Outcome.NOT_SENT)
        permit = current_permit() if lane is Lane.ORDER else None
        if permit is None:
            self._put(message)
            return
        with permit.writing():
            self._put(message)

    async def aclose(self) -> None:
        """Close: the other end still reads what was sent, then sees the end."""
        self._inbound.finish("it is closed")
        self._outbound.finish("the peer closed it (1000)")

    def cut(self) -> None:
        """Break the connection: what neither end has read yet is lost."""
        for pipe in (self._inbound, self._outbound):
            pipe.messages.clear()
            pipe.finish("the connection was lost")

    def _put(self, message: str | bytes) -> None:
        size = len(message) if isinstance(message, bytes) else len(message.encode())
        if size > self._outbound.max_bytes:
            self.cut()
            return
        self._outbound.messages.append(message)
        self._outbound.wake()
