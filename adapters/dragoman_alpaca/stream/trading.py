"""Alpaca's stream of what happens to the account's orders: `trade_updates`.

It replays nothing and numbers nothing; after a loss, orders and fills are compared by requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from dragoman.errors import AuthenticationError, StreamLostError
from dragoman.streaming.shared import SharedProtocol
from dragoman.transport.base import StreamRequest
from dragoman.transport.codec import encode
from dragoman.transport.stream_protocol import MessageFraming
from dragoman_alpaca.mapping.frames import Control, ControlKind, TradingFrames

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models.events import Event
    from dragoman.models.subscription import Subscription
    from dragoman.transport.stream_protocol import Framing, StreamSession
    from dragoman_alpaca.mapping.reading import Reading

__all__ = ["TradeUpdatesProtocol"]

_PING_S: Final = 10.0
_STALE_S: Final = 30.0
_UPDATES: Final = "trade_updates"


class TradeUpdatesProtocol(SharedProtocol[str | bytes]):
    """The account's orders, and its positions as fills change them.

    Frames are JSON, in binary messages as in text ones.

    Args:
        context: Gives the key and the clock.
        url: The stream's address.
        reading: What rows are read with, as it is known now.
    """

    name = "trade updates"

    def __init__(
        self, context: AdapterContext, *, url: str, reading: Callable[[], Reading]
    ) -> None:
        super().__init__()
        self._context = context
        self._url = url
        self._frames = TradingFrames(reading=lambda at_ns: reading().at(at_ns))
        self._listening: WeakKeyDictionary[StreamSession[str | bytes], frozenset[str]] = (
            WeakKeyDictionary()
        )

    @property
    def stale_after_s(self) -> float | None:
        """The channel is asked after half of it, since an idle account says nothing for days."""
        return _STALE_S

    @property
    def can_probe(self) -> bool:
        """A pong proves a socket; an answer to `listen` proves the channel."""
        return True

    async def request(self) -> StreamRequest:
        """Return the stream's address."""
        return StreamRequest(name=self.name, url=self._url, heartbeat_s=_PING_S)

    def make_framing(self) -> Framing[str | bytes]:
        """Each message is one frame."""
        return MessageFraming()

    async def authenticate(self, session: StreamSession[str | bytes]) -> None:
        """Show the key; the venue answers."""
        key, secret = (self._context.credentials[name] for name in ("api_key", "secret_key"))
        try:
            answer = await session.ask(
                encode({"action": "auth", "key": key, "secret": secret}).decode(), self._authorized
            )
        finally:
            key = secret = ""  # whoever renders a traceback renders its locals
        self._require(answer)

    async def subscribe(
        self, session: StreamSession[str | bytes], wanted: Subscription, anew: Subscription
    ) -> None:
        """Listen, or cease to; what is listened to is told anew in each message."""
        del anew
        streams = frozenset((_UPDATES,) if wanted.channels else ())
        if self._listening.get(session, frozenset()) == streams:
            return
        await self._listen(session, streams)

    async def probe(self, session: StreamSession[str | bytes]) -> None:
        """Ask for the same once more; the answer shows that the channel lives."""
        await self._listen(session, self._listening.get(session, frozenset()))

    def decode(self, frame: str | bytes) -> Sequence[Event] | None:
        """Return the events of a frame."""
        found = self._frames.decode(frame, self._context.clock.now_ns())
        if not isinstance(found, Control):
            return found or None
        if found.kind is ControlKind.UNAUTHENTICATED:
            raise StreamLostError("Alpaca does not know this session any more")
        return None

    def dedupe_key(self, frame: str | bytes, payload: Sequence[Event]) -> Hashable | None:
        """Name a frame by Alpaca's event id, where it has one."""
        del frame
        return next((one for event in payload if (one := getattr(event, "event_id", None))), None)

    async def _listen(self, session: StreamSession[str | bytes], streams: frozenset[str]) -> None:
        message = {"action": "listen", "data": {"streams": sorted(streams)}}
        answer = await session.ask(encode(message).decode(), self._listened)
        self._require(answer)
        listening = frozenset(answer.streams.get("streams", ()))
        self._listening[session] = listening
        if not streams <= listening:
            unconfirmed = "Alpaca does not confirm trade updates"
            raise StreamLostError(unconfirmed, provider=self._context.provider)

    def _authorized(self, frame: str | bytes) -> Control | None:
        found = self._frames.control(frame)
        answers = {ControlKind.AUTHENTICATED, ControlKind.UNAUTHENTICATED, ControlKind.ERROR}
        return found if found and found.kind in answers else None

    def _listened(self, frame: str | bytes) -> Control | None:
        found = self._frames.control(frame)
        answers = {ControlKind.SUBSCRIPTION, ControlKind.UNAUTHENTICATED, ControlKind.ERROR}
        return found if found and found.kind in answers else None

    def _require(self, answer: Control) -> None:
        provider = self._context.provider
        if answer.kind is ControlKind.UNAUTHENTICATED:
            message = f"Alpaca does not accept the key for its stream ({answer.message})"
            raise AuthenticationError(message, provider=provider)
        if answer.kind is ControlKind.ERROR:
            raise StreamLostError(f"Alpaca's stream failed ({answer.message})", provider=provider)
