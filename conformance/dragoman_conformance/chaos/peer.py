"""One side of a connection, with the ways to end it that well-behaved programs do not use."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = ["Peer"]

_NO_LINGER: Final = struct.pack("ii", 1, 0)


class Peer:
    """A reader and a writer that belong together."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.tap: Callable[[bytes], None] | None = None
        """Who is shown every byte that is sent; None for nobody."""
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Write bytes and wait until they may be followed by more.

        Raises:
            ConnectionError: The peer is gone.
        """
        if self.tap is not None:
            self.tap(data)
        self._writer.write(data)
        await self._writer.drain()

    def reset(self) -> None:
        """End with a reset, so that the other side loses what it has not read yet."""
        found = self._writer.get_extra_info("socket")
        if found is not None and found.fileno() >= 0:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._writer.transport.abort()

    def close(self) -> None:
        """End properly: what was written still arrives."""
        self._writer.close()

    async def gone(self) -> None:
        """Wait until the other side ends; what it says before that is thrown away."""
        try:
            while await self.reader.read(1024):
                pass
        except ConnectionError:
            return
