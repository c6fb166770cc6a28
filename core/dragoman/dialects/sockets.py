"""One client's WebSocket: what it sends is read, what it is sent waits in a bounded outbox.

Sending never waits, so a client that reads slowly delays nobody: once more waits for it than its
outbox holds, it gets its last words and is cut. It may come back and ask for what it missed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from typing import Self

    from dragoman.tasks import TaskScope

    from .limits import HostLimits

__all__ = ["ClientSocket", "SocketDesk"]

_NORMAL: Final = 1000
_GOING_AWAY: Final = 1001
_TOO_SLOW: Final = 1008
_FAILED: Final = 1011
_LONGEST_REASON: Final = 123
"""How many bytes a close frame has room for, beside its code."""
_FRAME_COST: Final = 64
"""What a waiting frame takes besides its bytes; so a flood of empty ones is bounded as well."""

_log: Final = logging.getLogger(__name__)


class ClientSocket:
    """An open WebSocket of one client.

    `async for frame in socket` reads texts as `str` and binary frames as `bytes`; it ends when
    either side closes. One task must read, because that also answers pings; any task of the loop
    may send and close. A client that answers no pings is dropped.
    """

    def __init__(
        self,
        response: web.WebSocketResponse,
        request: web.Request,
        limits: HostLimits,
        last_words: str | bytes | None,
    ) -> None:
        self.request: web.Request = request
        self.response: web.WebSocketResponse = response
        """What the handler returns once it is done with the socket."""
        self._limits = limits
        self._last_words = last_words
        self._outbox: deque[tuple[bytes, WSMsgType]] = deque()
        self._waiting_bytes = 0
        self._news = asyncio.Event()
        self._ending: tuple[int, str] | None = None
        self._ended = asyncio.Event()
        self._deadline = asyncio.timeout(None)
        self._is_writing = False
        self._was_too_slow = False

    @property
    def is_open(self) -> bool:
        """Whether what is sent now still goes out."""
        return self._ending is None and not self.response.closed

    @property
    def was_too_slow(self) -> bool:
        """Whether the client was cut because it read too slowly."""
        return self._was_too_slow

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be written, with what each frame costs besides."""
        return self._waiting_bytes

    def send(self, frame: str | bytes) -> bool:
        """Hand a frame over to be written after those before it, and return at once.

        A `str` is a text frame, `bytes` are a binary one. Returns whether the socket took it: False
        once it is closing, or if this frame was one too many for its client, which is then cut.
        """
        if not self.is_open:
            return False
        packed = _packed(frame)
        if self._waiting_bytes + _cost(packed) > self._limits.outbox_bytes:
            self._cut()
            return False
        self._put(packed)
        return True

    async def close(self, code: int = _NORMAL, reason: str = "") -> None:
        """Write what waits, then close with this code; returns when it is closed, within seconds.

        Idempotent: the first call's code counts.
        """
        self.end(code, reason)
        await self._ended.wait()

    def end(self, code: int = _NORMAL, reason: str = "") -> None:
        """Begin what `close` does, without waiting for it."""
        if self._ending is None:
            self._ending = (code, reason)
            self._news.set()
            self._hurry()

    async def receive(self, timeout_s: float | None = None) -> str | bytes | None:
        """Return the client's next frame; None once the socket has closed.

        Raises:
            TimeoutError: None came within `timeout_s`; the socket stays as it is.
        """
        if self.response.closed:
            return None
        async with asyncio.timeout(timeout_s):
            message = await self.response.receive()
        if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
            data: str | bytes = message.data
            return data
        return None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        frame = await self.receive()
        if frame is None:
            raise StopAsyncIteration
        return frame

    async def write(self) -> None:
        """Write what is handed over until the socket ends, then close it: the writer's own task."""
        try:
            async with self._deadline:
                self._is_writing = True
                self._hurry()
                while self._outbox or self._ending is None:
                    await self._write_waiting()
                await self._say_goodbye()
        except (ConnectionError, TimeoutError):
            self._hang_up()
        finally:
            self._is_writing = False
            self._ended.set()
            self.end(_GOING_AWAY)
            self._outbox.clear()
            self._waiting_bytes = 0

    async def _write_waiting(self) -> None:
        while self._outbox:
            frame = self._outbox.popleft()
            self._waiting_bytes -= _cost(frame)
            await self.response.send_frame(*frame)
        self._news.clear()
        if self._ending is None:
            await self._news.wait()

    async def _say_goodbye(self) -> None:
        code, reason = self._ending or (_NORMAL, "")
        await self.response.close(code=code, message=_shortened(reason))

    def note_written(self) -> None:
        """Let nobody wait for a writer that has ended, or never began."""
        self._ended.set()

    def _put(self, frame: tuple[bytes, WSMsgType]) -> None:
        self._waiting_bytes += _cost(frame)
        self._outbox.append(frame)
        self._news.set()

    def _cut(self) -> None:
        _log.warning("a client read too slowly and was cut", extra={"path": self.request.path})
        self._was_too_slow = True
        self._outbox.clear()
        self._waiting_bytes = 0
        if self._last_words is not None:
            self._put(_packed(self._last_words))
        self.end(_TOO_SLOW, "read too slowly")

    def _hurry(self) -> None:
        """Once the socket is ending, give the writer only so long, wherever it stands."""
        if self._ending is not None and self._is_writing:
            now_s = asyncio.get_running_loop().time()
            self._deadline.reschedule(now_s + self._limits.farewell_s)

    def _hang_up(self) -> None:
        """Free the connection at once: its client has not taken what it was sent."""
        if self.request.transport is not None:
            self.request.transport.abort()


class SocketDesk:
    """The open sockets of a host, each with a writer of its own in the host's scope."""

    def __init__(self, scope: TaskScope, limits: HostLimits) -> None:
        self._scope = scope
        self._limits = limits
        self._open: set[ClientSocket] = set()
        self._count = 0

    @asynccontextmanager
    async def open(
        self, request: web.Request, protocols: Sequence[str], last_words: str | bytes | None
    ) -> AsyncGenerator[ClientSocket]:
        """See `DialectHost.open_socket`."""
        _check_protocols(request, protocols)
        limits = self._limits
        response = web.WebSocketResponse(
            timeout=limits.farewell_s,
            heartbeat=limits.ping_every_s,
            protocols=protocols,
            compress=False,  # it would take longer than loopback saves
            max_msg_size=limits.frame_bytes,
        )
        await response.prepare(request)
        socket = ClientSocket(response, request, limits, last_words)
        self._count += 1
        writer = self._scope.spawn(socket.write(), f"writer of socket {self._count}")
        writer.add_done_callback(lambda _: socket.note_written())
        self._open.add(socket)
        try:
            yield socket
        except asyncio.CancelledError:
            socket.end(_GOING_AWAY)
            raise
        except BaseException:
            socket.end(_FAILED)
            raise
        finally:
            await socket.close()
            self._open.discard(socket)

    async def close(self) -> None:
        """Tell every client that the server goes away, and wait until each socket has ended."""
        sockets = tuple(self._open)
        await asyncio.gather(*[socket.close(_GOING_AWAY, "going away") for socket in sockets])


def _check_protocols(request: web.Request, spoken: Sequence[str]) -> None:
    """Refuse a client none of whose subprotocols is spoken; it could not go on anyway."""
    offered = request.headers.get("Sec-WebSocket-Protocol")
    if offered is None:
        return
    if not {name.strip() for name in offered.split(",")} & set(spoken):
        raise web.HTTPBadRequest


def _packed(frame: str | bytes) -> tuple[bytes, WSMsgType]:
    if isinstance(frame, str):
        return frame.encode(), WSMsgType.TEXT
    return frame, WSMsgType.BINARY


def _shortened(reason: str) -> bytes:
    """Return as many whole characters of a reason as a close frame has room for."""
    cut = reason.encode(errors="replace")[:_LONGEST_REASON]
    return cut.decode(errors="ignore").encode()


def _cost(frame: tuple[bytes, WSMsgType]) -> int:
    return len(frame[0]) + _FRAME_COST
