"""Open connections to one origin: reused while they are surely alive, never beyond a number.

A connection is lent to one exchange at a time. Some are kept back for orders and some more for
cancels, so that a thousand orders on their way can't stand in front of one cancel.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import select
import socket
import ssl
from collections import deque
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

import attrs

from dragoman.errors import ClosedError, ConnectFailedError
from dragoman.resilience.deadlines import Deadlines

from .base import Lane
from .response_reader import ResponseReader

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Connection", "ConnectionPool", "Origin"]

_IDLE_S: Final = 15.0
"""Venues close idle connections after some time, and a request on a dying one is lost."""
_LIMIT: Final = 64
_FOR_ORDERS: Final = 16
_FOR_CANCELS: Final = 8
_PATIENCE_S: Final = 3.0
"""For how long to try one of several addresses."""


def _ignore() -> None:
    return


@attrs.frozen
class Origin:
    """Where connections go."""

    host: str
    port: int
    is_tls: bool


class Connection:
    """One open connection."""

    __slots__ = ("__weakref__", "_poll", "idle_since_s", "reader")

    def __init__(self, reader: ResponseReader, now_s: float) -> None:
        self.reader: ResponseReader = reader
        self.idle_since_s: float = now_s
        self._poll = _watch(reader)

    def is_fresh(self, now_s: float) -> bool:
        """Tell whether the connection is open and was used a short while ago."""
        return self.reader.is_open and now_s - self.idle_since_s < _IDLE_S

    def is_usable(self, now_s: float) -> bool:
        """Tell whether a request may be written: open, not idle for too long, nothing unread."""
        return self.is_fresh(now_s) and not self._poll()

    def time_out(self) -> None:
        """Cut the connection; whoever reads from it is told that the time is over."""
        self.reader.fail(TimeoutError())

    def abort(self) -> None:
        """Cut the connection."""
        self.reader.abort()


class ConnectionPool:
    """The connections to one origin, at most `limit` of them and 8 more for cancels.

    Args:
        origin: Where to.
        tls: The context for TLS; None for an origin without, which must be loopback.
        limit: How many connections orders may use; reads may use a quarter less. Who finds none
            waits in order.
    """

    def __init__(self, origin: Origin, tls: ssl.SSLContext | None, *, limit: int = _LIMIT) -> None:
        self._origin = origin
        self._tls = tls
        self._limits = {
            Lane.CANCEL: limit + _FOR_CANCELS,
            Lane.ORDER: limit,
            Lane.READ: max(1, limit - max(1, limit // 4)),
        }
        self._waiting: dict[Lane, deque[asyncio.Future[None]]] = {
            lane: deque() for lane in self._limits
        }
        self._idle: deque[Connection] = deque()
        self._lent: set[Connection] = set()
        self._apart: WeakSet[Connection] = WeakSet()
        self._deadlines: Deadlines[Connection] = Deadlines(Connection.time_out)
        self._count = 0
        self._is_closed = False
        self._address: str | None = None

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called; then no exchange can end well."""
        return self._is_closed

    @property
    def is_tls(self) -> bool:
        """Whether its connections speak TLS."""
        return self._origin.is_tls

    def borrow_idle(self, lane: Lane, due_s: float) -> Connection | None:
        """Lend a connection that is open already, if there is a place; see `borrow`."""
        if self._count >= self._limits[lane]:
            return None
        connection = self._take_idle()
        if connection is not None:
            self._count += 1
            self._lend(connection, due_s)
        return connection

    async def borrow(
        self, lane: Lane, due_s: float | None = None, on_turn: Callable[[], None] = _ignore
    ) -> Connection:
        """Lend a connection that is open now; give it back with `give_back`.

        `on_turn` is told once there is a place, before anything is opened. What is lent is cut at
        `due_s`, in the loop's time, by a `TimeoutError` to whoever reads; None never.

        Raises:
            ConnectFailedError: None could be opened (NOT_SENT).
            ClosedError: The pool is closed (NOT_SENT).
        """
        if self._count < self._limits[lane]:
            self._count += 1
        else:
            await self._wait(lane)
        on_turn()
        try:
            connection = self._take_idle() or await self._open()
        except BaseException:
            self._release()
            raise
        self._lend(connection, due_s)
        return connection

    async def open_apart(self) -> Connection:
        """Open a connection that counts for no limit, as an endless response needs it.

        It is cut with the pool; until then it is its owner's to cut. Raises what `borrow` raises.
        """
        connection = await self._open()
        self._apart.add(connection)
        return connection

    def give_back(self, connection: Connection, *, is_reusable: bool) -> None:
        """Take a connection back, for reuse or to be cut."""
        self._lent.discard(connection)
        self._deadlines.drop(connection)
        if is_reusable and not self._is_closed and connection.reader.is_at_rest:
            connection.idle_since_s = now_s = asyncio.get_running_loop().time()
            self._idle.append(connection)
            while not self._idle[0].is_fresh(now_s):
                self._idle.popleft().abort()
        else:
            connection.abort()
        self._release()

    def close(self) -> None:
        """Cut every connection; who waits for one is told. Idempotent."""
        self._is_closed = True
        for connection in (*self._idle, *self._lent, *self._apart):
            connection.abort()
        self._idle.clear()
        self._deadlines.close()
        for waiting in self._waiting.values():
            while waiting:
                _wake(waiting.popleft())

    def _lend(self, connection: Connection, due_s: float | None) -> None:
        self._lent.add(connection)
        if due_s is not None:
            self._deadlines.add(connection, due_s)

    async def _wait(self, lane: Lane) -> None:
        """Wait until a place is handed on; it is counted already when this returns."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[lane].append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._release()  # the place was handed to a task that was canceled meanwhile
            raise

    def _release(self) -> None:
        """Hand a place on to who may have it, cancels first."""
        for lane, limit in self._limits.items():
            waiting = self._waiting[lane]
            while waiting and self._count <= limit:
                if _wake(waiting.popleft()):
                    return
        self._count -= 1

    def _take_idle(self) -> Connection | None:
        now_s = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable(now_s):
                return connection
            connection.abort()
        return None

    def _check_open(self) -> None:
        if self._is_closed:
            raise ClosedError("the transport is closed; nothing was sent")

    async def _open(self) -> Connection:
        """Try the host's addresses in turn; the one that worked last comes first.

        asyncio's own race of addresses drops a socket unclosed where it is canceled.
        """
        self._check_open()
        failure = ""
        try:
            addresses = await self._addresses()
            for address in addresses[:-1]:
                with contextlib.suppress(OSError):
                    async with asyncio.timeout(_PATIENCE_S):
                        return await self._open_at(address)
            return await self._open_at(addresses[-1])
        except (OSError, ValueError) as error:
            failure = _describe(error)
        self._check_open()
        raise ConnectFailedError(f"no connection could be made: {failure}")

    async def _addresses(self) -> list[str]:
        host = self._origin.host
        if self._address == host or _is_address(host):
            return [host]
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, self._origin.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        addresses.sort(key=lambda address: address != self._address)
        return addresses

    async def _open_at(self, address: str) -> Connection:
        loop = asyncio.get_running_loop()
        origin = self._origin
        if self._tls is None and not ipaddress.ip_address(address).is_loopback:
            raise ConnectFailedError("a plain connection would have left this machine")
        _, reader = await loop.create_connection(
            lambda: ResponseReader(loop),
            address,
            origin.port,
            ssl=self._tls,
            server_hostname=origin.host if self._tls else None,
        )
        if self._is_closed:
            reader.abort()
        self._check_open()
        self._address = address
        return Connection(reader, loop.time())


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _describe(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is refused, {error.verify_message} ({type(error).__name__})"
    return type(error).__name__


def _wake(turn: asyncio.Future[None]) -> bool:
    if turn.done():
        return False
    turn.set_result(None)
    return True


def _watch(reader: ResponseReader) -> Callable[[], bool]:
    """Return a look at the socket that tells whether something waits there unread.

    On a connection without a request that is the peer's end of it, or trouble.
    """
    below = reader.transport.get_extra_info("socket") if reader.transport else None
    if below is None or not hasattr(select, "poll"):
        return lambda: False
    poll = select.poll()
    poll.register(below.fileno(), select.POLLIN)
    return lambda: bool(poll.poll(0))
