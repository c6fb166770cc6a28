"""The least of a venue, in a process of its own: takes every order and says that it is open."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH = b"content-length:"


class Venue(asyncio.Protocol):
    """One connection: answers each request as soon as it is whole."""

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            start = head.find(_LENGTH)
            length = int(head[start + len(_LENGTH) :].split(b"\r\n", 1)[0]) if start >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = (
                self._buffer[end + 4 : end + 4 + length],
                self._buffer[end + 4 + length :],
            )
            self._answer(json.loads(body))

    def _answer(self, order: dict[str, str]) -> None:
        shown = json.dumps({"id": f"v-{order['client_order_id']}", "status": "open", **order})
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: 1\r\n"
        text = f"{head}Content-Length: {len(shown)}\r\n\r\n{shown}"
        self._transport.write(text.encode())  # type: ignore[attr-defined]


async def serve() -> None:
    """Serve on a free port of loopback and print it."""
    server = await asyncio.get_running_loop().create_server(Venue, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def echo_venue() -> Iterator[str]:
    """Run the venue in another process; yields its base URL."""
    command = [sys.executable, "-m", "benchmarks._echo_venue"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
