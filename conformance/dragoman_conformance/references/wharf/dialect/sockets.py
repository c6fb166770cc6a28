"""The stream: each client a session, from its signed greeting to its end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.dialects import Scope
from dragoman.errors import DecodeError, DragomanError, InvalidValueError
from dragoman.models import Subscription
from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS, format_time
from dragoman.transport.codec import JsonDecoder, encode

from .gate import Proof
from .problems import RefusedError, refusal_of
from .rows import market_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.dialects import Access, ClientSocket, DialectHost
    from dragoman.streaming import EventStream

    from .desk import Desk
    from .feed import Feed
    from .gate import Gate

__all__ = ["Session"]

_AUTH_S: Final = 10.0
_BEAT_NS: Final = 10 * SECOND_NS
_REFUSED: Final = 1008
_FAILED: Final = 1011
_PRIVATE: Final = frozenset({"orders", "positions", "account"})
_TOPICS: Final = frozenset({"quotes", "trades", "bars", "private"})
_BUFFER: Final = 10_000

_log: Final = logging.getLogger(__name__)


class Message(msgspec.Struct):
    """What a client says: "auth" with its proof, or "subscribe" with all that it wants."""

    op: str
    id: int | None = None
    topics: dict[str, list[str]] = {}
    key: str = ""
    timestamp: str = ""
    nonce: str = ""
    signature: str = ""


_READ: Final = JsonDecoder(Message)


class Session:
    """One client of the stream.

    Args:
        socket: Where it is.
        gate: Lets it in.
        open_desk: Returns the desk and the feed of what it may reach.
        host: Gives the time.
    """

    def __init__(
        self,
        socket: ClientSocket,
        gate: Gate,
        open_desk: Callable[[Access], tuple[Desk, Feed]],
        host: DialectHost,
    ) -> None:
        self._socket = socket
        self._gate = gate
        self._open_desk = open_desk
        self._host = host
        self._asked = Subscription()
        self._stop: Callable[[], None] | None = None

    async def run(self) -> None:
        """Serve the client until either side closes."""
        access = await self._let_in()
        if access is None:
            return
        desk, feed = self._open_desk(access)
        scope = TaskScope(self._break_off)
        try:
            async with desk.broker.stream(buffer=_BUFFER) as stream:
                scope.spawn(self._beat(), "wharf heartbeats")
                scope.spawn(self._tell(stream), "wharf market data")
                async for frame in self._socket:
                    await self._obey(frame, desk, feed, stream)
        except DragomanError as error:
            self._say({"type": "error", "code": "unavailable", "message": error.message})
            self._socket.end(_FAILED)
        finally:
            if self._stop is not None:
                self._stop()
            await scope.close()

    async def _let_in(self) -> Access | None:
        """Return what the client may reach; None once it was refused, or has gone."""
        try:
            async with asyncio.timeout(_AUTH_S):
                frame = await self._socket.receive()
            if frame is None:
                return None
            message = _READ.decode(frame)
            proof = Proof(
                key=message.key,
                timestamp=message.timestamp,
                nonce=message.nonce,
                signature=message.signature,
            )
            path = self._socket.request.raw_path
            access = await self._gate.admit_proof(proof, "GET", path, b"", Scope.READ)
        except (TimeoutError, DecodeError):
            self._socket.end(_REFUSED, "no greeting that is understood")
            return None
        except DragomanError as error:
            self._say({"type": "auth", "ok": False, **refusal_of(error).body})
            self._socket.end(_REFUSED, "not let in")
            return None
        self._say({"type": "auth", "ok": True})
        return access

    async def _obey(self, frame: str | bytes, desk: Desk, feed: Feed, stream: EventStream) -> None:
        try:
            message = _READ.decode(frame)
        except DecodeError as error:
            self._say({"type": "error", "code": "invalid_request", "message": error.message})
            return
        try:
            if message.op != "subscribe":
                raise RefusedError(400, "invalid_request", f"{message.op[:40]!r} is nothing to do")
            await self._carry(message, desk, feed, stream)
        except DragomanError as error:
            self._say({"type": "error", "id": message.id, **refusal_of(error).body})

    async def _carry(self, message: Message, desk: Desk, feed: Feed, stream: EventStream) -> None:
        """Have the connection carry what is wanted and nothing else, and confirm it."""
        wanted = await _wanted(message.topics, desk, feed)
        more = wanted - self._asked
        if not more.is_empty:
            await stream.subscribe(more)
        less, self._asked = self._asked - wanted, wanted
        if not less.is_empty:
            await stream.unsubscribe(less)
        has_private = bool(message.topics.get("private"))
        if has_private and self._stop is None:
            self._stop = feed.listen(self._socket.send)
        elif not has_private and self._stop is not None:
            self._stop()
            self._stop = None
        confirmed: dict[str, object] = {
            "type": "subscribed",
            "id": message.id,
            "topics": message.topics,
        }
        self._say({**confirmed, "seq": feed.last} if has_private else confirmed)

    async def _tell(self, stream: EventStream) -> None:
        async for event in stream:
            frame = market_frame(event)
            if frame is not None:
                self._say(frame)

    async def _beat(self) -> None:
        while self._socket.is_open:
            await self._host.clock.sleep_ns(_BEAT_NS)
            self._say({"type": "heartbeat", "time": format_time(self._host.clock.now_ns())})

    def _say(self, frame: dict[str, object]) -> None:
        self._socket.send(encode(frame).decode())

    def _break_off(self, name: str, error: BaseException) -> None:
        """End a session that a defect has silenced: to its client the market would look quiet."""
        _log.error("a stream broke", extra={"task": name}, exc_info=error)
        self._socket.end(_FAILED)


async def _wanted(topics: dict[str, list[str]], desk: Desk, feed: Feed) -> Subscription:
    """Return the market data that is wanted.

    Raises:
        RefusedError: A topic is none, or not to be had here.
    """
    private = set(topics.get("private", ()))
    if set(topics) - _TOPICS or private - _PRIVATE:
        raise RefusedError(400, "invalid_request", "a topic is none of wharf's")
    if private and not feed.is_open:
        raise RefusedError(422, "unsupported", "the account is not streamed here")
    bars = [tuple(reversed(one.split(" ", 1))) for one in topics.get("bars", ())]
    if any(len(one) != 2 for one in bars):
        raise RefusedError(400, "invalid_request", "bars are named as '1m AAPL'")
    for symbol in (*topics.get("quotes", ()), *topics.get("trades", ()), *[one[0] for one in bars]):
        await desk.symbol(symbol)
    try:
        wanted = Subscription(
            quotes=topics.get("quotes", ()),
            trades=topics.get("trades", ()),
            bars=[(one[0], one[1]) for one in bars],
        )
    except InvalidValueError as error:
        raise RefusedError(400, "invalid_request", error.message) from None
    missing = wanted.channels - desk.broker.capabilities.streams
    if missing:
        raise RefusedError(422, "unsupported", f"not streamed here: {', '.join(sorted(missing))}")
    return wanted
