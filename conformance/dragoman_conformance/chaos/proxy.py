"""The proxy: a TCP listener on loopback that reads what passes through it, and breaks it on demand.

It knows HTTP/1.1 and WebSocket only as far as it must to say "the second POST of an order" or "the
next frame about a fill". It never retries, and everything it breaks is a real socket.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final, Self, overload

import attrs

from dragoman.tasks import TaskScope
from dragoman.times import SystemClock

from .exchange import Exchange, ending_of
from .http_text import read_body, read_head
from .log import Ending, TrafficLog
from .peer import Peer
from .relay import LineRelay, SocketRelay, Stream
from .toxics import HttpFault, HttpToxic, Trap

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from dragoman.times import Clock

    from .http_text import Head
    from .log import ExchangeNote, SeenExchange, SeenFrame
    from .relay import Relay
    from .toxics import FrameToxic

__all__ = ["ChaosProxy", "SeenRequest"]

_HOST: Final = "127.0.0.1"
_BACKLOG: Final = 1024


@attrs.frozen
class SeenRequest:
    """One request as it came in, whatever became of it."""

    method: str
    path: str
    at_ns: int


class ChaosProxy:
    """Listens on a free port of loopback, in front of a venue on another. A context manager.

    Args:
        port: Where the venue listens.
        tls: What to present to clients; None speaks plain HTTP.
        keeps_compression: Let client and venue agree to compress; then frames can't be told apart
            by their text.
        clock: What delays are measured by.
    """

    def __init__(
        self,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        keeps_compression: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.requests: list[SeenRequest] = []
        """Every request whose head came in, oldest first."""
        self.connects: int = 0
        """How many connections came in."""
        self.client_closes: list[int] = []
        """The codes that clients closed their streams with."""
        self._venue_port = port
        self._tls = tls
        self._keeps_compression = keeps_compression
        self._clock = clock or SystemClock()
        self._log = TrafficLog(self._clock)
        self._scope = TaskScope()
        self._server: asyncio.Server | None = None
        self._placeholder: socket.socket | None = None
        self._port = 0
        self._resets = 0
        self._peers: set[Peer] = set()
        self._relays: set[Relay] = set()
        self._http: list[Trap[HttpToxic]] = []
        self._frames: list[Trap[FrameToxic]] = []

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.refuse()
        self._free_port()
        await self._scope.close()
        self.reset_connections()

    @property
    def port(self) -> int:
        """The port it listens on, the same for life."""
        return self._port

    @property
    def exchanges(self) -> list[SeenExchange]:
        """Every exchange, by when its request came in; those under way grow."""
        return self._log.exchanges

    @property
    def frames(self) -> list[SeenFrame]:
        """Every frame of every stream, both ways, oldest first."""
        return self._log.frames

    @property
    def unlogged(self) -> int:
        """How many exchanges and frames were too many to keep: of them, nothing is known."""
        return self._log.dropped

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        return len(self._peers)

    @property
    def open_streams(self) -> int:
        """How many WebSockets and endless answers are open now."""
        return len(self._relays)

    @overload
    def add(self, toxic: HttpToxic) -> Trap[HttpToxic]: ...
    @overload
    def add(self, toxic: FrameToxic) -> Trap[FrameToxic]: ...
    def add(self, toxic: HttpToxic | FrameToxic) -> Trap[HttpToxic] | Trap[FrameToxic]:
        """Set a toxic; of several that match, the first one set strikes."""
        if isinstance(toxic, HttpToxic):
            http = Trap(toxic)
            self._http.append(http)
            return http
        frame = Trap(toxic)
        self._frames.append(frame)
        return frame

    def clear(self) -> None:
        """Remove every toxic; what is broken already stays so."""
        self._http.clear()
        self._frames.clear()
        self._resets = 0

    def count(self, method: str, path: str = "/") -> int:
        """Return how many requests of a method, to a path that begins so, have come in."""
        return sum(one.method == method and one.path.startswith(path) for one in self.requests)

    async def present(self, tls: ssl.SSLContext | None) -> None:
        """Listen again after `refuse`, with another certificate or, for None, without TLS."""
        self._tls = tls
        await self.accept()

    async def accept(self) -> None:
        """Listen, again on the same port after `refuse`."""
        self._free_port()
        self._server = await asyncio.start_server(
            self._connected, _HOST, self._port, ssl=self._tls, backlog=_BACKLOG
        )
        self._port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Stop to listen, so that the system refuses connections; open ones stay."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._hold_port()

    def reset_connects(self, count: int) -> None:
        """Reset the next `count` connections before a byte of them is read."""
        self._resets = count

    def reset_connections(self) -> None:
        """Reset every client that is connected now."""
        for peer in tuple(self._peers):
            peer.reset()

    def reset_streams(self) -> None:
        """Reset every open stream."""
        for relay in tuple(self._relays):
            relay.reset()

    def mute_streams(self) -> None:
        """Drop what the venue says on the open streams; pings are still answered."""
        for relay in tuple(self._relays):
            relay.mute()

    def freeze_streams(self) -> None:
        """Let the open streams fall silent without closing them, as when a peer vanishes."""
        for relay in tuple(self._relays):
            relay.freeze()

    async def close_streams(self, code: int) -> None:
        """End the open streams as a server does, with a code where they have one."""
        for relay in tuple(self._relays):
            await relay.close(code)

    def _hold_port(self) -> None:
        """Keep the port without listening, so that no other program is given it meanwhile."""
        self._placeholder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._placeholder.bind((_HOST, self._port))

    def _free_port(self) -> None:
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects += 1
        client = Peer(reader, writer)
        if self._resets > 0:
            self._resets -= 1
            client.reset()
            return
        self._peers.add(client)
        number = self.connects
        self._scope.spawn(self._serve(client, number), f"proxied connection {number}")

    async def _serve(self, client: Peer, number: int) -> None:
        venue: Peer | None = None
        try:
            venue = Peer(*await asyncio.open_connection(_HOST, self._venue_port))
            while await self._exchange(client, venue, number):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            client.reset()
        finally:
            self._peers.discard(client)
            client.close()
            if venue is not None:
                venue.close()

    async def _exchange(self, client: Peer, venue: Peer, number: int) -> bool:
        head = await read_head(client.reader)
        if head is None:
            return False
        method, path, _ = head.start
        self.requests.append(SeenRequest(method, path, self._clock.now_ns()))
        note = self._log.begin(number, head)
        client.tap = note.told
        try:
            return await self._carry(client, venue, head, note)
        finally:
            client.tap = None
            note.close(Ending.GONE)

    async def _carry(self, client: Peer, venue: Peer, head: Head, note: ExchangeNote) -> bool:
        toxic = self._struck(*head.start[:2])
        fault = None if toxic is None else toxic.fault
        body = b"" if fault is HttpFault.RESET_UNREAD else await read_body(client.reader, head)
        note.asked(head, body, fault)
        stream = Stream(
            client=client,
            venue=venue,
            path=head.start[1],
            traps=self._frames,
            clock=self._clock,
            log=self._log,
            exchange=note.number,
        )
        if toxic is None and head.get("upgrade") is not None:
            return await self._upgrade(stream, head, note)
        exchange = Exchange(
            client=client, venue=venue, head=head, body=body, clock=self._clock, note=note
        )
        is_open = await exchange.run(
            toxic, lambda answer: self._relay(client, LineRelay(stream, answer), note)
        )
        note.close(ending_of(fault))
        return is_open

    def _struck(self, method: str, path: str) -> HttpToxic | None:
        for trap in self._http:
            if trap.toxic.matches(method, path) and trap.springs():
                return trap.toxic
        return None

    async def _upgrade(self, stream: Stream, head: Head, note: ExchangeNote) -> bool:
        client, venue = stream.client, stream.venue
        asked = head.raw if self._keeps_compression else head.without("sec-websocket-extensions")
        await venue.send(asked)
        note.delivered()
        answer = await read_head(venue.reader)
        if answer is None:
            return False
        note.answered(answer.status)
        await client.send(answer.raw)
        if answer.status != 101:
            body = await read_body(venue.reader, answer)
            await client.send(body)
            note.close(Ending.ANSWERED)
            return True
        note.close(Ending.UPGRADED)
        client.tap = None
        return await self._relay(client, SocketRelay(stream), note)

    async def _relay(self, client: Peer, relay: Relay, note: ExchangeNote) -> bool:
        self._relays.add(relay)
        try:
            await relay.run()
        finally:
            self._relays.discard(relay)
            if relay.client_close is not None:
                self.client_closes.append(relay.client_close)
        if relay.last is None:
            note.close(Ending.GONE)
            return False
        await client.send(relay.last)
        return True
