"""Beacon's streams: endless answers of JSON lines, one of transactions and one of prices.

Each opens with a line OPENED and beats with HEARTBEAT lines. Transactions are numbered, and a
stream may begin behind any of them: so what a lost connection missed is told again by the next.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Final

from dragoman.errors import ProtocolError, StreamLostError
from dragoman.transport.base import StreamKind, StreamRequest
from dragoman.transport.codec import JsonDecoder
from dragoman.transport.lines import LineFraming
from dragoman.transport.stream_protocol import StreamProtocol
from dragoman.transport.urls import build_url, encode_query, fill_path

from . import mapping, wire
from .rest import bearer

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models import Event
    from dragoman.transport.stream_protocol import Framing, StreamSession

    from .rest import BeaconRest

__all__ = ["BeaconStream", "PriceStream", "TransactionStream"]

_BEAT_S: Final = 5.0
_OPENED: Final = "OPENED"
_HEARTBEAT: Final = "HEARTBEAT"
_MOST_DIGITS: Final = 18
_READ_LINE: Final = JsonDecoder(wire.Line)
_READ_TRANSACTION: Final = JsonDecoder(wire.TransactionRow)
_READ_PRICE: Final = JsonDecoder(wire.PriceRow)


class BeaconStream(StreamProtocol[bytes, "Sequence[Event]"]):
    """What beacon's streams have in common: how they are opened, framed and greeted.

    Args:
        context: Gives address, token, account and clock.
    """

    heartbeat_s = _BEAT_S
    path: str
    """Where the stream is, under its endpoint."""

    def __init__(self, context: AdapterContext) -> None:
        self.context: AdapterContext = context
        self.account_id: str = context.account_id or ""

    @abstractmethod
    def query(self) -> Sequence[tuple[str, str]]:
        """Return what the next connection asks for."""

    async def request(self) -> StreamRequest:
        """Return the address, which says where to begin."""
        path = fill_path(self.path, {"account": self.account_id})
        base = self.context.endpoints["stream"]
        return StreamRequest(
            name=self.name,
            url=build_url(base.rstrip("/"), path, encode_query(self.query())),
            kind=StreamKind.HTTP,
            headers=bearer(self.context.credentials),
        )

    def make_framing(self) -> Framing[bytes]:
        """Each line is a frame, wherever the pieces of the body are cut."""
        return LineFraming()

    async def greet(self, session: StreamSession[bytes]) -> None:
        """Await the first line: from then on nothing is missed."""
        self.opened(await session.expect(_opening))

    def opened(self, line: wire.Line) -> None:
        """Take note of what the first line says."""

    def dedupe_key(self, frame: bytes, payload: Sequence[Event]) -> Hashable | None:
        """Name a line by its transaction; lines without one are never told twice."""
        del payload
        return _READ_LINE.decode(frame).id

    @property
    def reading(self) -> mapping.Reading:
        """What a row is read with that comes now."""
        return mapping.Reading(
            provider=self.context.provider,
            account_id=self.account_id,
            received_at_ns=self.context.clock.now_ns(),
        )


class TransactionStream(BeaconStream):
    """All that happens in one account, each transaction once and in its order.

    Numbers rise by one. One that comes again is left out. Where some are missing, the connection is
    given up for one that begins behind the last that came.
    """

    name = "beacon transactions"
    path = "/v1/accounts/{account}/transactions/stream"

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context)
        self._last: int | None = None
        self._unread = 0

    def query(self) -> Sequence[tuple[str, str]]:
        """Begin behind the last transaction that came; at first, with the next one."""
        return () if self._last is None else (("sinceId", str(self._last)),)

    def opened(self, line: wire.Line) -> None:
        """Count from the newest transaction there is, unless some were read before.

        One that is older than what was read belongs to a venue that began anew.
        """
        newest = _number(line.last_transaction_id)
        self._last = newest if self._last is None else min(self._last, newest)
        self._unread = 0

    def decode(self, frame: bytes) -> Sequence[Event] | None:
        """Return the events of a line.

        Raises:
            StreamLostError: Transactions before it are missing.
            ProtocolError: It makes no sense; it counts as one transaction.
        """
        try:
            line = _READ_LINE.decode(frame)
            if line.type == _HEARTBEAT:
                self._take_beat(_number(line.last_transaction_id))
                return None
            if line.type == _OPENED or not self._is_next(_number(line.id)):
                return None
        except ProtocolError:
            self._unread += 1
            raise
        return mapping.events_of(_READ_TRANSACTION.decode(frame), self.reading) or None

    def _is_next(self, number: int) -> bool:
        """Take the number of a transaction; returns whether it is new."""
        last = number - 1 if self._last is None else self._last
        if number <= last:
            return False
        self._refuse_gap(number - last - 1)
        self._last = number
        return True

    def _take_beat(self, newest: int) -> None:
        if self._last is not None and newest > self._last:
            self._refuse_gap(newest - self._last)
            self._last = newest

    def _refuse_gap(self, missing: int) -> None:
        """Let nothing be missing but what came in lines that could not be read."""
        if missing > self._unread:
            raise StreamLostError(f"{missing} transactions behind number {self._last} are missing")
        self._unread = 0


class PriceStream(BeaconStream):
    """The prices of some instruments.

    Args:
        context: Gives address, token, account and clock.
        rest: Asked whether there are such instruments.
        names: The instruments.
    """

    name = "beacon prices"
    path = "/v1/accounts/{account}/pricing/stream"

    def __init__(self, context: AdapterContext, rest: BeaconRest, names: Sequence[str]) -> None:
        super().__init__(context)
        self._rest = rest
        self._names = tuple(sorted(names))

    def query(self) -> Sequence[tuple[str, str]]:
        """Ask for the instruments."""
        return (("instruments", ",".join(self._names)),)

    async def request(self) -> StreamRequest:
        """Return the address.

        Raises:
            UnknownInstrumentError: Beacon lists none of such a name: no attempt can help.
        """
        await self._rest.prices(self.account_id, self._names)
        return await super().request()

    def decode(self, frame: bytes) -> Sequence[Event] | None:
        """Return the quote of a line."""
        if _READ_LINE.decode(frame).type != "PRICE":
            return None
        return (mapping.quote_of(_READ_PRICE.decode(frame), self.reading),)


def _opening(frame: bytes) -> wire.Line | None:
    line = _READ_LINE.decode(frame)
    return line if line.type == _OPENED else None


def _number(text: str | None) -> int:
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise ProtocolError("a line of transactions has no number")
    return int(text)
