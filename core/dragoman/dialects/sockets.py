"""One client's WebSocket: what it sends is read, what it is sent waits in a bounded outbox.

Sending never waits, so a client that reads slowly delays nobody: once more waits for it than its
outbox holds, it gets its last words and is cut. It may come back and ask for what it missed.

A server's frames are not masked, so one that goes to many clients is the same bytes for each: it is
packed once. While a client keeps up, what it is sent goes straight to its transport, without a turn
of the loop; else it waits, and all that waits is written at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import asynccontextmanager
from struct import Struct
from typing import TYPE_CHECKING, Final

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence
    from typing import Self

    from dragoman.tasks import TaskScope

    from .limits import HostLimits

__all__ = ["ClientSocket", "PackedFrame", "SocketDesk"]

_NORMAL: Final = 1000
_GOING_AWAY: Final = 1001
_TOO_SLOW: Final = 1008
_FAILED: Final = 1011
_LONGEST_REASON: Final = 123
"""How many bytes a close frame has room for, beside its code."""
_FRAME_COST: Final = 64
"""What a waiting frame takes besides its bytes; so a flood of empty ones is bounded as well."""

_DIRECT_BYTES: Final = 32 * 1024
"""How much may wait in a transport for more to be handed to it directly."""
_CHUNK_BYTES: Final = 64 * 1024
"""How much of an outbox is written at once."""
_WHOLE: Final = 0x80
_SHORT: Final = Struct("!BB")
_MEDIUM: Final = Struct("!BBH")
_LONG: Final = Struct("!BBQ")

_log: Final = logging.getLogger(__name__)


class PackedFrame:
    """Frames as they go over the wire, packed once for every client that they are sent to.

    A `str` is a text frame, `bytes` are a binary one; several frames are written together.
    """

    __slots__ = ("count", "data")

    def __init__(self, *frames: str | bytes) -> None:
        self.data: bytes = b"".join(map(_packed, frames))
        self.count: int = len(frames)
        """How many frames these are."""

    @classmethod
    def joined(cls, parts: Iterable[PackedFrame]) -> PackedFrame:
        """Return several packed frames as one, to be written together."""
        found = tuple(parts)
        whole = cls()
        whole.data = b"".join([part.data for part in found])
        whole.count = sum(part.count for part in found)
        return whole


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
        self._outbox: deque[tuple[bytes, int]] = deque()
        self._waiting_bytes = 0
        self._written_bytes = 0
        self._transport = request.transport
        self._news = asyncio.Event()
        self._is_level = asyncio.Event()
        self._is_level.set()
        self._ending: tuple[int, str] | None = None
        self._ended = asyncio.Event()
        self._deadline = asyncio.timeout(None)
        self._is_writing = False
        self._was_too_slow = False
        self._frame_count = 0

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

    @property
    def written_bytes(self) -> int:
        """How much of what had to wait was written so far: while that rises, the client reads."""
        return self._written_bytes

    @property
    def frame_count(self) -> int:
        """How many frames its client was sent, or waits for."""
        return self._frame_count

    def send(self, frame: str | bytes | PackedFrame) -> bool:
        """Hand a frame over to be written after those before it, and return at once.

        A `str` is a text frame, `bytes` are a binary one. Returns whether the socket took it: False
        once it is closing, or if this frame was one too many for its client, which is then cut.
        """
        if not self.is_open:
            return False
        packed = frame if isinstance(frame, PackedFrame) else PackedFrame(frame)
        cost = len(packed.data) + packed.count * _FRAME_COST
        if self._waiting_bytes + cost > self._limits.outbox_bytes:
            self.cut()
            return False
        if self._write_directly(packed):
            return True
        self._frame_count += packed.count
        self._put(packed.data, cost)
        return True

    def offer(self, frame: PackedFrame) -> bool:
        """Write a frame now if nothing waits before it and the client keeps up.

        Returns whether it did. If not, the frame is the caller's to send, to keep or to drop.
        """
        return self.is_open and self._write_directly(frame)

    async def drained(self) -> None:
        """Return when nothing waits in the outbox any more; at once if the socket has ended."""
        await self._is_level.wait()

    def cut(self) -> None:
        """End the socket because its client reads too slowly: its last words, then a 1008."""
        _log.warning("a client read too slowly and was cut", extra={"path": self.request.path})
        self._was_too_slow = True
        self._clear()
        if self._last_words is not None:
            words = _packed(self._last_words)
            self._put(words, len(words) + _FRAME_COST)
        self.end(_TOO_SLOW, "read too slowly")

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
            self._clear()

    async def _write_waiting(self) -> None:
        while self._outbox:
            self._write_chunk()
            await self.request.writer.drain()
        self._is_level.set()
        self._news.clear()
        if self._ending is None:
            await self._news.wait()

    def _write_chunk(self) -> None:
        """Write as much of what waits as makes one good write."""
        transport, size, parts = self._transport, 0, list[bytes]()
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        while self._outbox and size < _CHUNK_BYTES:
            data, cost = self._outbox.popleft()
            self._waiting_bytes -= cost
            parts.append(data)
            size += len(data)
        self._written_bytes += size
        transport.write(parts[0] if len(parts) == 1 else b"".join(parts))

    def _write_directly(self, frame: PackedFrame) -> bool:
        transport = self._transport
        if self._outbox or transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > _DIRECT_BYTES:
            return False
        self._frame_count += frame.count
        transport.write(frame.data)
        return True

    async def _say_goodbye(self) -> None:
        code, reason = self._ending or (_NORMAL, "")
        await self.response.close(code=code, message=_shortened(reason))

    def note_written(self) -> None:
        """Let nobody wait for a writer that has ended, or never began."""
        self._ended.set()
        self._is_level.set()

    def _put(self, data: bytes, cost: int) -> None:
        self._waiting_bytes += cost
        self._outbox.append((data, cost))
        self._is_level.clear()
        self._news.set()

    def _clear(self) -> None:
        self._outbox.clear()
        self._waiting_bytes = 0
        self._is_level.set()

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
        self._cut_count = 0
        self._past_frames = 0

    @property
    def open_count(self) -> int:
        """How many sockets are open now."""
        return len(self._open)

    @property
    def cut_count(self) -> int:
        """How many clients were cut because they read too slowly, so far."""
        return self._cut_count + sum(socket.was_too_slow for socket in self._open)

    @property
    def frame_count(self) -> int:
        """How many frames all clients were sent so far."""
        return self._past_frames + sum(socket.frame_count for socket in self._open)

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
            self._cut_count += socket.was_too_slow
            self._past_frames += socket.frame_count

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


def _packed(frame: str | bytes) -> bytes:
    """Return one whole frame of a server, which is not masked."""
    if isinstance(frame, str):
        payload, first = frame.encode(), _WHOLE | WSMsgType.TEXT
    else:
        payload, first = frame, _WHOLE | WSMsgType.BINARY
    size = len(payload)
    if size < 126:
        return _SHORT.pack(first, size) + payload
    if size < 1 << 16:
        return _MEDIUM.pack(first, 126, size) + payload
    return _LONG.pack(first, 127, size) + payload


def _shortened(reason: str) -> bytes:
    """Return as many whole characters of a reason as a close frame has room for."""
    cut = reason.encode(errors="replace")[:_LONGEST_REASON]
    return cut.decode(errors="ignore").encode()
