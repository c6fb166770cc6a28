"""Lines of an endless HTTP response: one JSON document each, empty ones to show that it lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import DecodeError

from .base import MAX_MESSAGE_BYTES
from .stream_protocol import Framing

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DelimitedFraming", "LineFraming"]


class DelimitedFraming(Framing[bytes]):
    """Records that end with a delimiter of one byte; empty ones are beats.

    Frames are bytes, because a piece may end within a character. The rest of a record is kept until
    its end comes; nothing is searched twice.

    Args:
        delimiter: The byte that ends a record and is nowhere in it.
        max_bytes: How large a record may be.
    """

    def __init__(self, delimiter: bytes, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self.beats: int = 0
        self._delimiter = delimiter
        self._max_bytes = max_bytes
        self._rest = bytearray()

    def feed(self, piece: str | bytes) -> Iterator[bytes]:
        """Take the next piece and give the records that end in it.

        Raises:
            DecodeError: A record is larger than `max_bytes`.
        """
        data = piece.encode() if isinstance(piece, str) else piece
        *ended, rest = data.split(self._delimiter)
        for end in ended:
            record = self._trimmed(self._complete(end))
            if record:
                yield record
            else:
                self.beats += 1
        self._check_size(rest)
        self._rest += rest

    def _trimmed(self, record: bytes) -> bytes:
        return record

    def _complete(self, end: bytes) -> bytes:
        self._check_size(end)
        if not self._rest:
            return end
        self._rest += end
        record = bytes(self._rest)
        self._rest = bytearray()
        return record

    def _check_size(self, more: bytes) -> None:
        if len(self._rest) + len(more) > self._max_bytes:
            message = f"a record of the stream is larger than {self._max_bytes} bytes"
            raise DecodeError(message)


class LineFraming(DelimitedFraming):
    """Lines that end with LF or CRLF.

    Args:
        max_bytes: How large a line may be.
    """

    def __init__(self, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        super().__init__(b"\n", max_bytes)

    def _trimmed(self, record: bytes) -> bytes:
        return record.removesuffix(b"\r")
