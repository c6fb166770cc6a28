"""A wire over a WebSocket of aiohttp, whose session follows redirects unless it is told not to."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

import attrs
from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWSTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
    ThreadedResolver,
    WSMsgType,
    WSServerHandshakeError,
)
from yarl import URL

from dragoman.errors import ConnectFailedError, Outcome, StreamLostError
from dragoman.permits import current_permit

from .base import Lane, Wire
from .refusal import refused_stream

if TYPE_CHECKING:
    import ssl
    from collections.abc import Generator

    from aiohttp import (
        ClientHandlerType,
        ClientRequest,
        ClientResponse,
        ClientWebSocketResponse,
        WSMessage,
    )
    from aiohttp.abc import ResolveResult

    from dragoman.permits import SendPermit
    from dragoman.times import Clock

    from .base import StreamRequest

__all__ = ["WebSocketDoor", "WebSocketWire"]

_CLOSE_S: Final = 2.0
_UPGRADED: Final = 101
_NO_LIMIT: Final = ClientTimeout(total=None, sock_connect=None)
_PATIENCE: Final = ClientWSTimeout(ws_close=_CLOSE_S)  # pyright: ignore[reportCallIssue] - made by attrs


@attrs.define
class _Opening:
    """A WebSocket that is being opened: the connection below, for who opens it."""

    is_tried: bool = False
    transport: asyncio.Transport | None = None


_opening: Final[ContextVar[_Opening | None]] = ContextVar("opening", default=None)


class _RefusedError(Exception):
    """The peer answered the handshake with a status of its own."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


async def _watch_handshake(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """End a handshake that is not answered by 101, before a redirect is followed with its keys.

    aiohttp asks twice where a peer hangs up; who opens streams decides that here.
    """
    opening = _opening.get()
    if opening is not None and opening.is_tried:
        raise ServerDisconnectedError
    if opening is not None:
        opening.is_tried = True
    response = await handler(request)
    if response.status != _UPGRADED:
        headers = {name.lower(): value for name, value in response.headers.items()}
        response.close()
        raise _RefusedError(response.status, headers)
    if opening is not None and response.connection is not None:
        opening.transport = response.connection.transport
    return response


class _LoopbackResolver(ThreadedResolver):
    """Finds only this machine: what a name service says must not lead a plain connection away."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        if not all(ipaddress.ip_address(each["host"]).is_loopback for each in found):
            raise OSError
        return found


class WebSocketDoor:
    """Opens WebSockets, and closes what is left of them.

    Args:
        tls: The context for wss; None for a door that only opens ws.
        user_agent: What to call ourselves.
        clock: Reads the dates of refusals.
    """

    def __init__(self, tls: ssl.SSLContext | None, user_agent: str, clock: Clock) -> None:
        self._clock = clock
        self._wires: WeakSet[WebSocketWire] = WeakSet()
        resolver = _LoopbackResolver() if tls is None else None
        self._session = ClientSession(
            connector=TCPConnector(
                ssl=tls or True, limit=0, force_close=True, resolver=resolver, use_dns_cache=False
            ),
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": user_agent},
            trust_env=False,
            timeout=_NO_LIMIT,
            middlewares=(_watch_handshake,),
        )

    async def open(self, request: StreamRequest) -> WebSocketWire:
        """Open one WebSocket. Raises what `Transport.open` raises."""
        refusal: _RefusedError | None = None
        opening = _Opening()
        token = _opening.set(opening)
        try:
            async with asyncio.timeout(request.timeout_s):
                socket = await self._connect(request)
                wire = WebSocketWire(request, socket, opening.transport)
                self._wires.add(wire)
                return wire
        except TimeoutError:
            cause = "no answer in time"
        except _RefusedError as error:
            refusal, cause = error, ""
        except WSServerHandshakeError as error:
            refusal, cause = _RefusedError(error.status, {}), ""
        except (ClientError, OSError, ValueError, RuntimeError) as error:
            cause = f"no connection came about ({type(error).__name__})"
        finally:
            _opening.reset(token)
        if refusal is not None:
            now_ns = self._clock.now_ns()
            raise refused_stream(request.name, refusal.status, refusal.headers, now_ns)
        raise ConnectFailedError(f"{request.name}: {cause}; the stream is not open")

    async def _connect(self, request: StreamRequest) -> ClientWebSocketResponse:
        return await self._session.ws_connect(
            URL(request.url, encoded=True),
            headers=list(request.headers),
            protocols=request.subprotocols,
            heartbeat=request.heartbeat_s,
            max_msg_size=request.max_bytes,
            timeout=_PATIENCE,
        )

    async def aclose(self) -> None:
        """Cut what is still open, without waiting for peers that read no more. Raises nothing."""
        for wire in tuple(self._wires):
            wire.cut()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._session.close()


class WebSocketWire(Wire):
    """One open WebSocket."""

    def __init__(
        self,
        request: StreamRequest,
        socket: ClientWebSocketResponse,
        transport: asyncio.Transport | None,
    ) -> None:
        self._name = request.name
        self._timeout_s = request.timeout_s
        self._socket = socket
        self._transport = transport

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the peer chose among those offered."""
        return self._socket.protocol

    async def receive(self) -> str | bytes:
        """Return the next message.

        Raises:
            StreamLostError: The stream ended; the message holds the close code where there is one.
        """
        message = await self._socket.receive()
        if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
            data: str | bytes = message.data
            return data
        raise self._lost(message)

    async def send(self, message: str | bytes, lane: Lane = Lane.READ) -> None:
        """Send one message; in the lane ORDER only with leave.

        Raises:
            StreamLostError: The stream is not open any more; its outcome says whether a byte left.
            LifecycleError: The permit refused (NOT_SENT).
        """
        permit = current_permit() if lane is Lane.ORDER else None
        progress = _Sending(self._socket, message, permit)
        if permit is not None and self._transport is not None:
            self._check_flow(self._transport)
        try:
            async with asyncio.timeout(self._timeout_s):
                await progress
                return
        except TimeoutError:
            cause = "the peer does not read"
            if self._transport is not None:
                self._transport.abort()
        except (ClientError, OSError, RuntimeError) as error:
            cause = f"the connection is closed ({type(error).__name__})"
        outcome = Outcome.UNKNOWN if progress.is_written else Outcome.NOT_SENT
        raise StreamLostError(f"{self._name}: {cause}", outcome=outcome)

    async def aclose(self) -> None:
        """Close with a close frame, within seconds."""
        try:
            async with asyncio.timeout(_CLOSE_S + 1.0):
                await self._socket.close()
        except (TimeoutError, ClientError, OSError, RuntimeError):
            self.cut()
        else:
            # a peer that reads no more would keep the connection open until it does
            if self._transport is not None and self._transport.get_write_buffer_size():
                self.cut()

    def cut(self) -> None:
        """Cut the connection, whatever has not left yet."""
        if self._transport is not None:
            self._transport.abort()

    def _check_flow(self, transport: asyncio.Transport) -> None:
        """Refuse while older bytes wait: a message behind them would leave later than its leave."""
        if transport.get_write_buffer_size():
            cause = "the peer does not read; nothing was sent"
            raise StreamLostError(f"{self._name}: {cause}", outcome=Outcome.NOT_SENT)

    def _lost(self, message: WSMessage) -> StreamLostError:
        code = self._socket.close_code
        match message.type:
            case WSMsgType.ERROR:
                cause = f"the connection failed ({type(message.data).__name__}, {code})"
            case WSMsgType.CLOSE:
                cause = f"the peer closed it ({message.data})"
            case _:
                cause = f"it is closed ({code})"
        return StreamLostError(f"{self._name}: {cause}", code=None if code is None else str(code))


class _Sending:
    """Sends one message; what it writes before it first waits is written under the permit.

    Without compression aiohttp writes a whole message at once and waits only for the peer to read.
    """

    def __init__(
        self, socket: ClientWebSocketResponse, message: str | bytes, permit: SendPermit | None
    ) -> None:
        self._socket = socket
        self._message = message
        self._permit = permit
        self.is_written = False

    def __await__(self) -> Generator[object, None, None]:
        if isinstance(self._message, str):
            sending = self._socket.send_str(self._message)
        else:
            sending = self._socket.send_bytes(self._message)
        try:
            if self._permit is not None:
                self._permit.begin()
            try:
                waiting = sending.send(None)
                self.is_written = True
            except StopIteration:
                return
            finally:
                if self._permit is not None:
                    self._permit.end()
            yield waiting
            yield from sending.__await__()
        finally:
            sending.close()
