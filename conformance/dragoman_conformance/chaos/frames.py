"""WebSocket frames as far as a proxy must read them: where one ends, and what it holds."""

from __future__ import annotations

import asyncio
import struct
from typing import Final

import attrs

__all__ = [
    "CLOSE",
    "CORRUPT",
    "TEXT",
    "Frame",
    "close_frame",
    "fragments",
    "read_frame",
    "text_frame",
]

_FINAL: Final = 0x80
_MASKED: Final = 0x80
_CONTROL: Final = 0x8
_COMPRESSED_TEXT: Final = 0xC1
_GARBAGE: Final = b"\xff\xfe\xfd\xfc not deflate"

TEXT: Final = 0x1
"""The opcode of a text."""
CLOSE: Final = 0x8
"""The opcode of the frame that begins the closing handshake."""
CORRUPT: Final = bytes([_COMPRESSED_TEXT, len(_GARBAGE)]) + _GARBAGE
"""A frame that says it is compressed and is not."""


@attrs.frozen(kw_only=True)
class Frame:
    """One frame, or one piece of an endless answer: what it says, and the bytes it came in."""

    opcode: int
    payload: bytes = attrs.field(repr=False)
    raw: bytes = attrs.field(repr=False)
    is_final: bool = True
    is_chunk: bool = False

    @property
    def is_control(self) -> bool:
        """Whether it is a ping, a pong or a close."""
        return bool(self.opcode & _CONTROL)

    @property
    def is_close(self) -> bool:
        """Whether it begins the closing handshake."""
        return self.opcode == CLOSE


def text_frame(payload: bytes) -> bytes:
    """Return the frame by which a server says a text, be it one or not."""
    return _server_frame(_FINAL | TEXT, payload)


def fragments(opcode: int, pieces: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the frames by which a server says one message in pieces, the first of an opcode."""
    starts = [opcode, *[0] * (len(pieces) - 1)]
    starts[-1] |= _FINAL
    return tuple([_server_frame(start, one) for start, one in zip(starts, pieces, strict=True)])


def _server_frame(start: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        size = bytes([length])
    else:
        size = (
            struct.pack("!BH", 126, length) if length < 65536 else struct.pack("!BQ", 127, length)
        )
    return bytes([start]) + size + payload


def close_frame(code: int) -> bytes:
    """Return the frame by which a server closes."""
    return bytes([_FINAL | CLOSE, 2]) + struct.pack("!H", code)


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """Read one frame; None where the peer is gone."""
    try:
        return await _read_frame(reader)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _read_frame(reader: asyncio.StreamReader) -> Frame:
    raw = await reader.readexactly(2)
    length = raw[1] & 0x7F
    if length >= 126:
        extra = await reader.readexactly(2 if length == 126 else 8)
        raw += extra
        length = int.from_bytes(extra, "big")
    mask = await reader.readexactly(4) if raw[1] & _MASKED else b""
    payload = await reader.readexactly(length)
    return Frame(
        opcode=raw[0] & 0x0F,
        payload=_unmasked(payload, mask),
        raw=raw + mask + payload,
        is_final=bool(raw[0] & _FINAL),
    )


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    if not mask:
        return payload
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    plain = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return plain.to_bytes(size, "big")
