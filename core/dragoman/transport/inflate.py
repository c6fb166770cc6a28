"""Decompression that stops in time: a small body that inflates without end costs little."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, Protocol

from dragoman.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LARGEST_RATIO", "Inflater"]

LARGEST_RATIO: Final = 100
"""How many bytes one compressed byte may become, once the body is larger than `_FREE`."""
_FREE: Final = 256 * 1024
_STEP: Final = 64 * 1024
_GZIP_BITS: Final = 16 + zlib.MAX_WBITS
_ZLIB_METHOD: Final = 8


class _Engine(Protocol):
    """What zlib's decompressor offers; its own type has no public name."""

    @property
    def eof(self) -> bool: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Inflater:
    """Inflates one body piece by piece.

    Args:
        encoding: The content encoding: gzip or deflate.
        max_bytes: How large the result may be; None for a stream without end, which has no largest
            ratio either.

    Raises:
        DecodeError: The encoding is another.
    """

    def __init__(self, encoding: str, max_bytes: int | None) -> None:
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise DecodeError("the body is compressed in a way that was not asked for")
        self._is_gzip = encoding != "deflate"
        self._max_bytes = max_bytes
        self._inside = 0
        self._outside = 0
        self._engine: _Engine | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what a piece inflates to, in steps of bounded size.

        Raises:
            DecodeError: The data is corrupt, or becomes larger than allowed.
        """
        is_pending = False
        while data or is_pending:
            engine = self._engine = self._engine or self._start(data)
            piece = _step(engine, data)
            rest = engine.unconsumed_tail
            self._inside += len(data) - len(rest)
            self._count(len(piece))
            if piece:
                yield piece
            data = rest
            is_pending = len(piece) == _STEP and not engine.eof
            if engine.eof and (data := engine.unused_data.lstrip(b"\0")):  # may be padded
                self._engine = None

    def finish(self) -> None:
        """Make sure that the body was whole; an empty one is.

        Raises:
            DecodeError: It was cut.
        """
        if self._engine is not None and not self._engine.eof:
            raise DecodeError("the compressed body is cut")

    def _start(self, data: bytes) -> _Engine:
        if self._is_gzip:
            return zlib.decompressobj(_GZIP_BITS)
        # "deflate" means zlib by the letter, and a bare stream by habit
        is_zlib = data[0] & 0x0F == _ZLIB_METHOD
        return zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)

    def _count(self, size: int) -> None:
        self._outside += size
        if self._max_bytes is None:
            return
        if self._outside > self._max_bytes:
            raise DecodeError(f"the body inflates to more than {self._max_bytes} bytes")
        if self._outside > max(_FREE, self._inside * LARGEST_RATIO):
            raise DecodeError(f"the body inflates to more than {LARGEST_RATIO} times its size")


def _step(engine: _Engine, data: bytes) -> bytes:
    is_corrupt = False
    piece = b""
    try:
        piece = engine.decompress(data, _STEP)
    except zlib.error:
        is_corrupt = True
    if is_corrupt:
        raise DecodeError("the compressed body is corrupt")
    return piece
