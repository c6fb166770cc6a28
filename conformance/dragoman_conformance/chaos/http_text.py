"""HTTP/1.1 as far as a proxy must read it: heads, and where bodies end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Head", "body_pieces", "chunk", "parse_head", "plain_body", "read_body", "read_head"]

_PIECE: Final = 64 * 1024
_EMPTY: Final = frozenset({204, 304})


@attrs.frozen(kw_only=True)
class Head:
    """The start line and the headers of a message, and the bytes they came in."""

    raw: bytes = attrs.field(repr=False)
    start: tuple[str, ...]
    headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)

    def get(self, name: str) -> str | None:
        """Return the first header of a name, in lower case; None if there is none."""
        return next((value for known, value in self.headers if known == name), None)

    @property
    def status(self) -> int:
        """The status of a response."""
        return int(self.start[1])

    @property
    def has_body(self) -> bool:
        """Whether a body may follow a response head."""
        return self.status >= 200 and self.status not in _EMPTY

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks, each with its size."""
        return (self.get("transfer-encoding") or "").lower() == "chunked"

    def without(self, *names: str) -> bytes:
        """Return the bytes of the head without the lines of some headers."""
        lines = self.raw.split(b"\r\n")
        prefixes = tuple(name.encode() + b":" for name in names)
        return b"\r\n".join(line for line in lines if not line.lower().startswith(prefixes))


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """Read one head; None where the peer closed before it was complete, or speaks no HTTP."""
    try:
        raw = await reader.readexactly(1)
        if not raw.isalpha():
            return None
        raw += await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return parse_head(raw)


def parse_head(raw: bytes) -> Head:
    """Read the bytes of a whole head, the empty line included."""
    first, *lines = raw.decode("latin-1").split("\r\n")
    fields = [line.partition(":") for line in lines if line]
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in fields)
    return Head(raw=raw, start=tuple(first.split(" ", 2)), headers=headers)


async def read_body(reader: asyncio.StreamReader, head: Head) -> bytes:
    """Read the whole body of a request, as it stands on the wire."""
    if head.get("content-length") is None and head.get("transfer-encoding") is None:
        return b""
    return b"".join([piece async for piece in body_pieces(reader, head)])


async def body_pieces(reader: asyncio.StreamReader, head: Head) -> AsyncIterator[bytes]:
    """Yield the body as it stands on the wire, piece by piece, until it ends."""
    if head.is_chunked:
        async for piece in _chunks(reader):
            yield piece
        return
    length = head.get("content-length")
    left = None if length is None else int(length)
    while left is None or left > 0:
        piece = await reader.read(_PIECE if left is None else min(left, _PIECE))
        if not piece:
            return
        left = None if left is None else left - len(piece)
        yield piece


def chunk(data: bytes) -> bytes:
    """Return some bytes as a chunk; none are the chunk that ends a body."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def plain_body(head: Head, body: bytes) -> bytes:
    """Return a body, or what there is of it, without the sizes of its chunks."""
    if not head.is_chunked:
        return body
    found = bytearray()
    start = 0
    while (end := body.find(b"\r\n", start)) >= 0:
        try:
            size = int(body[start:end].split(b";")[0], 16)
        except ValueError:
            break
        start = end + 2 + size + 2
        found += body[end + 2 : end + 2 + size]
    return bytes(found)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        yield line + await reader.readexactly(size + 2)
        if size == 0:
            return
