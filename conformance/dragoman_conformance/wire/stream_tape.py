"""What is said on streams while it is recorded, kept as the transcripts that a replay plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.times import SECOND_NS

from .transcript import Operation, Sender, Transcript, TranscriptEvent, TranscriptKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.times import Clock

    from .cassette import CassetteMetadata
    from .transcript import Turn

__all__ = ["StreamTape", "Track"]

_RECORD_END: Final = "\x1e"


class Track:
    """One connection of a stream that is recorded."""

    def __init__(self, tape: StreamTape, connection: int) -> None:
        self._tape = tape
        self._connection = connection

    def note(self, sender: Sender, operation: Operation, data: bytes = b"") -> None:
        """Note what was said, or how the connection ended."""
        text = _decoded(data)
        if operation is Operation.BIN and text is not None and not _is_readable(text):
            text = None
        is_said = operation in {Operation.TEXT, Operation.CHUNK, Operation.BIN}
        self._tape.add(
            TranscriptEvent(
                line=0,
                connection=self._connection,
                sender=sender,
                operation=operation,
                data=text if is_said else None,
                raw=data if is_said and text is None else None,
            )
        )

    def note_close(self, code: int | None, reason: str) -> None:
        """Note that the venue closed."""
        self._tape.add(
            TranscriptEvent(
                line=0,
                connection=self._connection,
                sender=Sender.SERVER,
                operation=Operation.CLOSE,
                code=code,
                reason=reason,
            )
        )


class StreamTape:
    """What is said on the streams of one path.

    Args:
        path: The target they are opened by.
        kind: What kind they are; a WebSocket on which all texts are records becomes a hub.
        clock: What times are told by, from its present instant on.
        turn: Tells how far the exchanges over HTTP have come.
    """

    def __init__(
        self, path: str, kind: TranscriptKind, clock: Clock, start_ns: int, turn: Callable[[], Turn]
    ) -> None:
        self.path: str = path
        self.kind: TranscriptKind = kind
        self.content_type: str | None = None
        self._clock = clock
        self._start_ns = start_ns
        self._turn = turn
        self._connections = 0
        self._events: list[TranscriptEvent] = []

    def open(self) -> Track:
        """Begin one more connection."""
        self._connections += 1
        return Track(self, self._connections)

    def add(self, event: TranscriptEvent) -> None:
        """Add an event at the present instant; what a venue says waits for the exchanges so far."""
        at_s = (self._clock.monotonic_ns() - self._start_ns) / SECOND_NS
        is_said = event.sender is Sender.SERVER and event.operation is not Operation.CLOSE
        after = self._turn() if is_said else None
        at_s = max(round(at_s, 6), self._events[-1].at_s if self._events else 0.0)
        self._events.append(attrs.evolve(event, at_s=at_s, after=after))

    def transcript(self, metadata: CassetteMetadata, place: str) -> Transcript:
        """Return what was said so far."""
        is_hub = self.kind is TranscriptKind.WS and self._is_hub()
        events = [part for one in self._events for part in (_records(one) if is_hub else (one,))]
        return Transcript(
            metadata=metadata,
            kind=TranscriptKind.SIGNALR if is_hub else self.kind,
            path=self.path,
            content_type=self.content_type,
            events=tuple([attrs.evolve(one, line=at) for at, one in enumerate(events, 2)]),
            place=place,
        )

    def _is_hub(self) -> bool:
        texts = [one.data for one in self._events if one.operation is Operation.TEXT]
        return bool(texts) and all(
            text is not None and text.endswith(_RECORD_END) for text in texts
        )


def _records(event: TranscriptEvent) -> tuple[TranscriptEvent, ...]:
    if event.data is None:
        return (event,)
    records = event.data.removesuffix(_RECORD_END).split(_RECORD_END)
    return tuple([attrs.evolve(event, data=record) for record in records])


def _is_readable(text: str) -> bool:
    return bool(text) and all(one.isprintable() or one in "\n\t" for one in text)


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
