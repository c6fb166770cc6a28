"""How a stream says what a fault makes it say: as frames of a WebSocket, or as chunks of lines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from .frames import CLOSE, CORRUPT, TEXT, Frame, close_frame, fragments, text_frame
from .http_text import chunk

__all__ = ["LineFraming", "StreamFraming", "WebSocketFraming", "pieces_of"]

_NOT_JSON: Final = b'{"\xff\xfe not json\n'


class StreamFraming(ABC):
    """Writes what the proxy itself says on a stream."""

    @abstractmethod
    def text(self, payload: bytes) -> Frame:
        """Return a message."""

    @abstractmethod
    def corrupt(self) -> Frame:
        """Return a message that nobody can read."""

    @abstractmethod
    def close(self, code: int) -> Frame:
        """Return what a server ends the stream with."""

    @abstractmethod
    def split(self, frame: Frame) -> tuple[bytes, ...]:
        """Return the bytes of a frame in pieces that no reader may take for messages."""


class WebSocketFraming(StreamFraming):
    """Frames, which are not compressed."""

    def text(self, payload: bytes) -> Frame:
        """Return a text frame."""
        return Frame(opcode=TEXT, payload=payload, raw=text_frame(payload))

    def corrupt(self) -> Frame:
        """Return a frame that says it is compressed and is not."""
        return Frame(opcode=TEXT, payload=CORRUPT[2:], raw=CORRUPT)

    def close(self, code: int) -> Frame:
        """Return a closing frame."""
        return Frame(opcode=CLOSE, payload=code.to_bytes(2, "big"), raw=close_frame(code))

    def split(self, frame: Frame) -> tuple[bytes, ...]:
        """Return a message in fragments, cut within a character if it has one of several bytes."""
        if not frame.is_final:
            return (frame.raw,)
        return fragments(frame.opcode, pieces_of(frame.payload))


class LineFraming(StreamFraming):
    """Chunks of an endless answer, each a line of it, or an event where `is_events`.

    Args:
        is_events: The answer consists of server-sent events, which an empty line ends.
    """

    def __init__(self, *, is_events: bool = False) -> None:
        self._end = b"\n\n" if is_events else b"\n"

    def frames(self, data: bytes) -> tuple[Frame, ...]:
        """Return the lines of one chunk; one that goes on in the next chunk is a frame for each."""
        *whole, rest = data.split(self._end)
        lines = [part + self._end for part in whole]
        if rest:
            lines.append(rest)
        return tuple([_line(line) for line in lines])

    def text(self, payload: bytes) -> Frame:
        """Return a line; its end is added where it lacks it."""
        return _line(payload if payload.endswith(self._end) else payload + self._end)

    def corrupt(self) -> Frame:
        """Return a line that is neither UTF-8 nor JSON."""
        return _line(_NOT_JSON)

    def close(self, code: int) -> Frame:
        """Return the end of the answer, in which there is no place for a code."""
        del code
        return _line(b"")

    def split(self, frame: Frame) -> tuple[bytes, ...]:
        """Return a line in chunks, cut within a character if it has one of several bytes."""
        return tuple([chunk(piece) for piece in pieces_of(frame.payload)])


def _line(line: bytes) -> Frame:
    return Frame(opcode=TEXT, payload=line, raw=chunk(line), is_chunk=True)


def pieces_of(payload: bytes) -> tuple[bytes, ...]:
    """Return bytes in up to three pieces, none empty, with a cut within the first wide character.

    The cuts lie anywhere in what has none.
    """
    wide = next((index for index, byte in enumerate(payload) if byte >= 0xC0), None)
    middle = len(payload) // 2 if wide is None else wide + 1
    cuts = sorted({cut for cut in (middle, (middle + len(payload)) // 2) if 0 < cut < len(payload)})
    ends = [*cuts, len(payload)]
    return tuple([payload[start:end] for start, end in zip([0, *cuts], ends, strict=True)])
