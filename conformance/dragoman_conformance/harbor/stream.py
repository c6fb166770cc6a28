"""Harbor's private stream: authenticate, subscribe, await both answers, then listen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import AuthenticationError, PermissionDeniedError
from dragoman.transport.base import StreamRequest
from dragoman.transport.codec import JsonDecoder, encode
from dragoman.transport.stream_protocol import MessageFraming, StreamProtocol

from .mapping import events_of
from .wire import Frame, FrameKind

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models import Event
    from dragoman.transport.stream_protocol import Framing, StreamSession

__all__ = ["HarborStreamProtocol"]

_DECODER: Final = JsonDecoder(Frame)
_SUBSCRIPTION: Final = 1
_BEAT_S: Final = 5.0
_PING_S: Final = 10.0


class HarborStreamProtocol(StreamProtocol[str | bytes, "Sequence[Event]"]):
    """One account's orders and positions."""

    name = "private"
    heartbeat_s = _BEAT_S

    def __init__(self, context: AdapterContext, account_id: str) -> None:
        self._context = context
        self._account_id = account_id

    async def request(self) -> StreamRequest:
        """Return the stream's address."""
        url = f"{self._context.endpoints['stream']}/stream"
        return StreamRequest(name="harbor stream", url=url, heartbeat_s=_PING_S)

    def make_framing(self) -> Framing[str | bytes]:
        """Each message is one frame."""
        return MessageFraming()

    async def greet(self, session: StreamSession[str | bytes]) -> None:
        """Say who this is, then what is wanted; harbor answers each."""
        key = self._context.credentials["key"]
        if not await session.ask(encode({"op": "auth", "key": key}).decode(), _auth):
            raise AuthenticationError("harbor refuses the key", provider=self._context.provider)
        wish = {"op": "subscribe", "account": self._account_id, "id": _SUBSCRIPTION}
        if not await session.ask(encode(wish).decode(), _subscribed):
            message = f"harbor refuses to stream account {self._account_id}"
            raise PermissionDeniedError(message, provider=self._context.provider)

    def decode(self, frame: str | bytes) -> Sequence[Event] | None:
        """Return the events that a frame tells."""
        return events_of(_DECODER.decode(frame), self._context.clock.now_ns()) or None

    def dedupe_key(self, frame: str | bytes, payload: Sequence[Event]) -> Hashable | None:
        """Name a frame by harbor's event id."""
        del payload
        return _DECODER.decode(frame).event_id


def _auth(frame: str | bytes) -> bool | None:
    found = _DECODER.decode(frame)
    return bool(found.ok) if found.type is FrameKind.AUTH else None


def _subscribed(frame: str | bytes) -> bool | None:
    found = _DECODER.decode(frame)
    is_answer = found.type is FrameKind.SUBSCRIBED and found.id == _SUBSCRIPTION
    return bool(found.ok) if is_answer else None
