"""What passed a proxy, as a record that outlives it: the witness that no adapter can argue with.

What the client was told is kept, not what the venue said: under a fault the two differ, and it is
the former that an adapter must make sense of.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import attrs

from .http_text import parse_head, plain_body
from .toxics import FrameFault, HttpFault

if TYPE_CHECKING:
    from dragoman.times import Clock

    from .frames import Frame
    from .http_text import Head

__all__ = [
    "Ending",
    "ExchangeNote",
    "FrameKind",
    "Origin",
    "SeenExchange",
    "SeenFrame",
    "TrafficLog",
]

_MOST_RECORDS: Final = 50_000
_MOST_BYTES: Final = 256 * 1024
_MOST_HEAD_BYTES: Final = 64 * 1024
_HEAD_END: Final = b"\r\n\r\n"


class Ending(StrEnum):
    """How an exchange ended for the client.

    OPEN: it is under way. ANSWERED: a whole answer was told. UPGRADED: it became a WebSocket.
    RESET and CUT: the connection ended, by a reset or properly, before a whole answer was told.
    SILENT: nothing more was told until the client went away. GONE: the client went away, or the
    venue did, with no fault set.
    """

    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    UPGRADED = "UPGRADED"
    RESET = "RESET"
    CUT = "CUT"
    SILENT = "SILENT"
    GONE = "GONE"


class Origin(StrEnum):
    """Who said a frame."""

    CLIENT = "CLIENT"
    VENUE = "VENUE"
    PROXY = "PROXY"


class FrameKind(StrEnum):
    """What a frame is; a CHUNK is a piece of an endless HTTP answer, mostly a line of it."""

    TEXT = "TEXT"
    BINARY = "BINARY"
    CONTINUATION = "CONTINUATION"
    PING = "PING"
    PONG = "PONG"
    CLOSE = "CLOSE"
    CHUNK = "CHUNK"


_KINDS: Final = {
    0x0: FrameKind.CONTINUATION,
    0x1: FrameKind.TEXT,
    0x2: FrameKind.BINARY,
    0x8: FrameKind.CLOSE,
    0x9: FrameKind.PING,
    0xA: FrameKind.PONG,
}


@attrs.frozen(kw_only=True)
class SeenExchange:
    """One request as it came in, byte for byte, and what the client was told.

    Header names are in lower case, values as sent; a name may come twice. `target` is the path and
    the query as they stand on the wire. Bodies are without their chunked framing, compressed where
    they came compressed, and cut where they are very long; their sizes are whole. `status` is None
    where no whole head was told; `venue_status` is what the venue itself answered, None where it
    did not. `is_delivered` says whether the whole request went on to the venue. Times are UTC
    nanoseconds of the proxy's clock.
    """

    number: int
    connection: int
    method: str
    target: str
    request_headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    request_body: bytes = attrs.field(default=b"", repr=False)
    request_size: int = 0
    started_ns: int
    ended_ns: int | None = None
    status: int | None = None
    response_headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    response_body: bytes = attrs.field(default=b"", repr=False)
    response_size: int = 0
    venue_status: int | None = None
    is_delivered: bool = False
    fault: HttpFault | None = None
    ending: Ending = Ending.OPEN

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        """Return the first header of the request with a name in lower case; None without one."""
        return next((value for known, value in self.request_headers if known == name), None)


@attrs.frozen(kw_only=True)
class SeenFrame:
    """One WebSocket frame, or one piece of an endless answer, as its sender sent it.

    `exchange` is the number of the exchange that opened the stream. `fault` is what struck the
    frame; of a PROXY frame, which the proxy itself said, it is why. `payload` is unmasked and cut
    where it is very long; `size` is whole. `is_final` is False for a part of a message.
    """

    exchange: int
    origin: Origin
    kind: FrameKind
    payload: bytes = attrs.field(repr=False)
    size: int
    at_ns: int
    is_final: bool = True
    fault: FrameFault | None = None


class TrafficLog:
    """Every exchange and every frame, in the order in which they began, up to a bound.

    Args:
        clock: What times are told by.
        most_records: How many exchanges, and how many frames, are kept: the first ones.
    """

    def __init__(self, clock: Clock, most_records: int = _MOST_RECORDS) -> None:
        self.exchanges: list[SeenExchange] = []
        self.frames: list[SeenFrame] = []
        self.dropped: int = 0
        """How many records came after the bound was reached; what they said is lost."""
        self._clock = clock
        self._most_records = most_records

    def begin(self, connection: int, head: Head) -> ExchangeNote:
        """Note that a request came in; the rest of what is known comes through the note."""
        seen = SeenExchange(
            number=len(self.exchanges),
            connection=connection,
            method=head.start[0],
            target=head.start[1],
            request_headers=head.headers,
            started_ns=self._clock.now_ns(),
        )
        if len(self.exchanges) >= self._most_records:
            self.dropped += 1
            return ExchangeNote(self, seen, is_kept=False)
        self.exchanges.append(seen)
        return ExchangeNote(self, seen, is_kept=True)

    def heard(
        self, exchange: int, origin: Origin, frame: Frame, fault: FrameFault | None = None
    ) -> None:
        """Note a frame; what is said in place of another is a frame of its own."""
        if len(self.frames) >= self._most_records:
            self.dropped += 1
            return
        kind = FrameKind.CHUNK if frame.is_chunk else _KINDS.get(frame.opcode, FrameKind.BINARY)
        seen = SeenFrame(
            exchange=exchange,
            origin=origin,
            kind=kind,
            payload=frame.payload[:_MOST_BYTES],
            size=len(frame.payload),
            at_ns=self._clock.now_ns(),
            is_final=frame.is_final,
            fault=fault,
        )
        self.frames.append(seen)

    def now_ns(self) -> int:
        """Return the instant by the log's clock."""
        return self._clock.now_ns()


class ExchangeNote:
    """What is learned about one exchange while it goes on."""

    def __init__(self, log: TrafficLog, seen: SeenExchange, *, is_kept: bool) -> None:
        self._log = log
        self._seen = seen
        self._is_kept = is_kept
        self._told = bytearray()
        self._told_size = 0

    @property
    def number(self) -> int:
        """The number of the exchange in the log."""
        return self._seen.number

    def asked(self, head: Head, body: bytes, fault: HttpFault | None) -> None:
        """Note the body as it stands on the wire, and the fault that strikes."""
        plain = plain_body(head, body)
        self._become(
            attrs.evolve(
                self._seen, request_body=plain[:_MOST_BYTES], request_size=len(plain), fault=fault
            )
        )

    def delivered(self) -> None:
        """Note that the whole request went on to the venue."""
        self._become(attrs.evolve(self._seen, is_delivered=True))

    def answered(self, status: int) -> None:
        """Note the status by which the venue answered."""
        self._become(attrs.evolve(self._seen, venue_status=status))

    def told(self, data: bytes) -> None:
        """Note bytes that go to the client."""
        self._told_size += len(data)
        if len(self._told) < _MOST_BYTES + _MOST_HEAD_BYTES:
            self._told += data
        if self._seen.status is None and _HEAD_END in self._told:
            head = parse_head(bytes(self._told[: self._told.index(_HEAD_END) + 4]))
            self._become(
                attrs.evolve(self._seen, status=head.status, response_headers=head.headers)
            )

    def close(self, ending: Ending) -> None:
        """Note how it ended; nothing is learned afterwards."""
        if self._seen.ending is not Ending.OPEN:
            return
        body = b""
        size = 0
        if self._seen.status is not None:
            start = self._told.index(_HEAD_END) + 4
            raw = bytes(self._told[start:])
            body = plain_body(parse_head(bytes(self._told[:start])), raw)
            size = max(self._told_size - start - len(raw) + len(body), 0)
        self._become(
            attrs.evolve(
                self._seen,
                response_body=body[:_MOST_BYTES],
                response_size=size,
                ended_ns=self._log.now_ns(),
                ending=ending,
            )
        )

    def _become(self, seen: SeenExchange) -> None:
        self._seen = seen
        if self._is_kept:
            self._log.exchanges[seen.number] = seen
