"""Another origin that no request may ever reach, and that counts those which do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Thief"]

_HOST: Final = "127.0.0.1"


class Thief:
    """Listens on a free port of loopback and hangs up on whoever connects. A context manager."""

    def __init__(self) -> None:
        self.connects: int = 0
        """How many connections came in."""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, _HOST, 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where it waits."""
        if self._server is None:
            message = "the thief listens only while it is entered"
            raise RuntimeError(message)
        return f"http://{_HOST}:{self._server.sockets[0].getsockname()[1]}"

    def _connected(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects += 1
        writer.close()
