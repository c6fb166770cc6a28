"""What becomes of frames: decoded, told once, in order, and none of a connection that is over."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from dragoman.errors import DragomanError, ProtocolError, RequestError

from .link_errors import bare, where
from .link_report import Undecoded
from .stream_protocol import Rollover

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from dragoman.times import Clock

    from .link_connection import LinkConnection
    from .link_outbox import Outbox
    from .link_overlap import Overlap
    from .stream_protocol import StreamProtocol

__all__ = ["LinkFlow"]

Frame = TypeVar("Frame")
Payload = TypeVar("Payload")

_logger: Final = logging.getLogger(__name__)


class LinkFlow(Generic[Frame, Payload]):
    """Decodes the frames of the leading connection, and during an overlap of the one before.

    Args:
        protocol: Says what frames mean.
        outbox: Where payloads go.
        clock: The time of reports.
        on_loss: Called when some connection is lost.
        on_rollover: Called with the cause when the leading connection announces its end.
    """

    def __init__(
        self,
        protocol: StreamProtocol[Frame, Payload],
        outbox: Outbox[Payload],
        clock: Clock,
        *,
        on_loss: Callable[[], None],
        on_rollover: Callable[[str], None],
    ) -> None:
        self.leader: LinkConnection[Frame] | None = None
        self.overlap: Overlap | None = None
        self.undecoded: int = 0
        self.is_alive_sign: Callable[[Frame], bool] = protocol.is_alive_sign
        self.room: Callable[[], Coroutine[Any, Any, None]] = outbox.room
        self.lost: Callable[[], None] = on_loss
        self._protocol = protocol
        self._outbox = outbox
        self._clock = clock
        self._on_rollover = on_rollover

    @property
    def is_full(self) -> bool:
        """Whether the reader of the link is behind."""
        return self._outbox.is_full

    def lead(self, connection: LinkConnection[Frame] | None) -> None:
        """Let a connection lead; what it held is delivered at once."""
        self.leader = connection
        if connection is not None:
            connection.release()

    def take(self, generation: int, frame: Frame) -> None:
        """Decode a frame and put what it means, if its connection is in charge."""
        leader = self.leader
        if leader is None:
            return
        if generation != leader.generation and (
            self.overlap is None or generation != self.overlap.old
        ):
            return
        try:
            payload = self._protocol.decode(frame)
        except (ProtocolError, RequestError) as error:  # a model refuses values with the latter
            self._put_undecoded(frame, f"{type(error).__name__}: {error.message}")
        except DragomanError as error:
            if generation == leader.generation:
                leader.lose(bare(error))
        except Exception as error:  # noqa: BLE001 - one frame must not end a private stream
            _logger.error("Decoding failed", extra={"where": where(error)})  # noqa: TRY400 - its text may print the frame
            self._put_undecoded(frame, where(error))
        else:
            self._put(generation, frame, payload)

    def _put(self, generation: int, frame: Frame, payload: Payload | Rollover | None) -> None:
        if payload is None:
            return
        if isinstance(payload, Rollover):
            if self.leader is not None and generation == self.leader.generation:
                self._on_rollover(payload.cause)
            return
        if self.overlap is not None and self._is_told(self.overlap, generation, frame, payload):
            return
        self._outbox.put(payload)

    def _is_told(self, overlap: Overlap, generation: int, frame: Frame, payload: Payload) -> bool:
        is_told = overlap.is_duplicate(generation, self._protocol.dedupe_key(frame, payload))
        if overlap.is_full:
            self.overlap = None
        return is_told

    def _put_undecoded(self, frame: Frame, error: str) -> None:
        self.undecoded += 1
        self._outbox.put(Undecoded(error=error, at_ns=self._clock.now_ns(), raw=frame))
