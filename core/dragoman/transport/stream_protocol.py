"""What an adapter says about one stream of its venue, and what it is given to say it with.

The protocol knows the venue: its address, its greeting, its frames, its heartbeats. The `Link` that
runs it knows time: when to connect, to wait, to doubt and to give up. So an adapter holds no timer,
no task and no retry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import attrs

from .base import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from .base import StreamRequest

__all__ = ["Framing", "MessageFraming", "Rollover", "StreamProtocol", "StreamSession"]

Frame = TypeVar("Frame")
Payload = TypeVar("Payload")
Found = TypeVar("Found")

SILENT_BEATS: Final = 2.5


@attrs.frozen
class Rollover:
    """What `StreamProtocol.decode` returns for a frame that announces the end of the connection.

    The link then greets a second connection before it leaves the first, and nothing is missed.
    """

    cause: str


class Framing(ABC, Generic[Frame]):
    """How pieces from the wire become frames. No I/O; one instance serves one connection."""

    beats: int = 0
    """How many signs of life have come that are no frame: empty lines, comments."""

    @abstractmethod
    def feed(self, piece: str | bytes) -> Iterable[Frame]:
        """Take the next piece and give the frames that are complete now, in order.

        What is given must be used up before the next piece is fed.

        Raises:
            ProtocolError: What came can't be framed, or is too large; the connection is of no use.
        """


class MessageFraming(Framing[str | bytes]):
    """Each message of a WebSocket is a frame."""

    def feed(self, piece: str | bytes) -> Iterable[str | bytes]:
        """Give the piece as the only frame."""
        return (piece,)


class StreamSession(ABC, Generic[Frame]):
    """One open connection, as the protocol's greeting, probe and changes see it."""

    @abstractmethod
    async def send(self, message: str | bytes, lane: Lane = Lane.READ) -> None:
        """Send one message; concurrent calls are written one after the other.

        Raises:
            StreamLostError: The connection is lost, or the peer takes nothing any more.
        """

    @abstractmethod
    async def expect(
        self, match: Callable[[Frame], Found | None], timeout_s: float | None = None
    ) -> Found:
        """Return what `match` finds in the first frame in which it finds something.

        None is nothing; False is found. The frame it was found in is used up; all others are
        delivered as usual. `match` may raise an error of this library, which ends the wait, except
        for a ProtocolError: such a frame is no answer. Time does not count while the reader is
        behind.

        Raises:
            WaitTimeoutError: Nothing came within `timeout_s`, by default the link's `ack_within_s`.
            StreamLostError: The connection is lost.
        """

    @abstractmethod
    async def ask(
        self,
        message: str | bytes,
        match: Callable[[Frame], Found | None],
        timeout_s: float | None = None,
    ) -> Found:
        """Send `message` and return what `match` finds, looked for from before it was sent.

        Raises:
            WaitTimeoutError: No answer came within `timeout_s`.
            StreamLostError: The connection is lost.
        """


class StreamProtocol(ABC, Generic[Frame, Payload]):
    """One stream of a venue: how to reach it, to greet it and to understand it.

    A payload is whatever a frame means to the reader; for `venue_stream`, a sequence of events. One
    instance serves one link, over all of its connections; what is wanted may change meanwhile.
    """

    name: str = "stream"
    """What causes and tasks call the stream."""
    heartbeat_s: float | None = None
    """How often each side shows that it lives, in seconds; None where the venue has no such rule.
    `heartbeat()` is sent in this interval."""
    keep_alive_s: float | None = None
    """How often `keep_alive` must be called for the session to last, in seconds; None: never."""

    @property
    def stale_after_s(self) -> float | None:
        """After how many seconds without a sign of life the peer is taken for dead; None never."""
        return None if self.heartbeat_s is None else SILENT_BEATS * self.heartbeat_s

    @property
    def expires_at_ns(self) -> int | None:
        """When the session made by the last `request` ends (token, listen key, planned cut), UTC.

        A second connection is greeted ahead of it. None: not known.
        """
        return None

    @abstractmethod
    async def request(self) -> StreamRequest:
        """Return what to open; asked for each connection anew, so that tokens are fresh.

        Raises:
            AuthenticationError: There are no credentials that the venue takes; terminal.
        """

    @abstractmethod
    def make_framing(self) -> Framing[Frame]:
        """Return the framing of one connection."""

    @abstractmethod
    async def greet(self, session: StreamSession[Frame]) -> None:
        """Authenticate, subscribe to all that is wanted now, and await every confirmation.

        The stream is live when this returns. Frames that nobody expects are delivered after that.

        Raises:
            AuthenticationError: Terminal, unless `refresh` offers a second try.
            PermissionDeniedError: Terminal likewise.
            BusyError: The venue has no place now: waited out longer than other failures.
            ConflictError: Another session holds the place: waited out likewise.
            DragomanError: Anything else: tried again.
        """

    @abstractmethod
    def decode(self, frame: Frame) -> Payload | Rollover | None:
        """Return what a frame means; None where it means nothing to a reader.

        Raises:
            ProtocolError: The frame can't be understood: told as undecoded, and the stream lives.
            AuthenticationError: The venue ends the session over its credentials.
            StreamLostError: The frame says that the session is over: connected anew.
        """

    def heartbeat(self) -> str | bytes | None:
        """Return what to send every `heartbeat_s`; None where only the venue's side beats."""
        return None

    def is_alive_sign(self, frame: Frame) -> bool:  # noqa: ARG002 - for the override
        """Tell whether a frame proves that the channel lives; by default every frame does."""
        return True

    async def keep_alive(self) -> None:
        """Extend what the last `request` made, such as a listen key, by whatever means.

        Raises:
            VenueError: It exists no more: the stream is connected anew at once.
            DragomanError: Anything else is repeated, and given up in time.
        """
        return

    @property
    def can_probe(self) -> bool:
        """Whether `probe` asks the venue; then a quiet channel is probed before it is doubted."""
        return False

    async def probe(self, session: StreamSession[Frame]) -> None:  # noqa: ARG002 - for the override
        """Ask the venue whether a quiet channel lives; returning is a sign of life.

        Raises:
            DragomanError: No sign; the channel is taken for dead at its deadline.
        """
        return

    async def resubscribe(self, session: StreamSession[Frame]) -> None:
        """Bring a live connection up to what is wanted now and await every confirmation.

        By default that is what `greet` does. Failing, the connection is dropped and greeted anew.
        """
        await self.greet(session)

    async def refresh(self) -> bool:
        """Renew the credentials after the venue refused them; True if trying again makes sense.

        Raises:
            AuthenticationError: They can't be renewed; terminal.
            DragomanError: Renewing failed for now: tried again.
        """
        return False

    def dedupe_key(self, frame: Frame, payload: Payload) -> Hashable | None:  # noqa: ARG002 - for the override
        """Name a payload, so that it is given once when two connections overlap.

        By default the frame itself, where the venue writes the same event in the same bytes on each
        connection. None: never taken for a duplicate.
        """
        return frame
