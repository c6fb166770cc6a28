"""WebSocket frames as far as a proxy must read them: where one ends, and what it holds."""

from __future__ import annotations

import asyncio
import struct
from typing import Final

import attrs

__all__ = ["CORRUPT", "Frame", "close_frame", "read_frame", "text_frame"]

_MASKED: Final = 0x80
_CONTROL: Final = 0x8
_TEXT: Final = 0x1
_CLOSE: Final = 0x8
_COMPRESSED_TEXT: Final = 0xC1
_GARBAGE: Final = b"\xff\xfe\xfd\xfc not deflate"

CORRUPT: Final = bytes([_COMPRESSED_TEXT, len(_GARBAGE)]) + _GARBAGE
"""A frame that says it is compressed and is not."""


@attrs.frozen(kw_only=True)
class Frame:
    """One frame: what it says, and the bytes it came in."""

    opcode: int
    payload: bytes = attrs.field(repr=False)
    raw: bytes = attrs.field(repr=False)

    @property
    def is_control(self) -> bool:
        """Whether it is a ping, a pong or a close."""
        return bool(self.opcode & _CONTROL)

    @property
    def is_close(self) -> bool:
        """Whether it begins the closing handshake."""
        return self.opcode == _CLOSE


def text_frame(payload: bytes) -> bytes:
    """Return the frame by which a server says a text, be it one or not."""
    length = len(payload)
    if length < 126:
        size = bytes([length])
    else:
        size = (
            struct.pack("!BH", 126, length) if length < 65536 else struct.pack("!BQ", 127, length)
        )
    return bytes([_MASKED | _TEXT]) + size + payload


def close_frame(code: int) -> bytes:
    """Return the frame by which a server closes."""
    return bytes([_MASKED | _CLOSE, 2]) + struct.pack("!H", code)


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
    return Frame(opcode=raw[0] & 0x0F, payload=_unmasked(payload, mask), raw=raw + mask + payload)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    if not mask:
        return payload
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
