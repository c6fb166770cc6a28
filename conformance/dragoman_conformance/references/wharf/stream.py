"""Wharf's one WebSocket: a signed greeting, topics that are told anew whole, numbered frames.

What is told of the account is numbered, each frame one more than the one before, from the number
that the confirmation names. Wharf repeats nothing: where a number is missing, the connection is
given up, and what it lost is found by asking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import AuthenticationError, StreamLostError, UnsupportedError
from dragoman.streaming.shared import SharedProtocol
from dragoman.transport.base import StreamRequest
from dragoman.transport.codec import JsonDecoder, encode
from dragoman.transport.stream_protocol import MessageFraming
from dragoman.transport.urls import check_base

from . import errors, mapping, wire
from .signing import KEY, NONCE, SIGNATURE, TIMESTAMP, target_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models import Event, Subscription
    from dragoman.transport.stream_protocol import Framing, StreamSession

    from .rest import WharfRest

__all__ = ["READ_FRAME", "STREAM_PATH", "WharfStreamProtocol"]

STREAM_PATH: Final = "/v1/stream"
READ_FRAME: Final = JsonDecoder(wire.Frame)
_BEAT_S: Final = 10.0
_PING_S: Final = 10.0
_PRIVATE: Final = "private"


class WharfStreamProtocol(SharedProtocol[str | bytes]):
    """All that one account's readers want, over one connection.

    Args:
        context: Gives the address and the clock.
        rest: Signs the greeting, and asks for wharf's time should that be wrong.
    """

    name = "wharf stream"
    heartbeat_s = _BEAT_S

    def __init__(self, context: AdapterContext, rest: WharfRest) -> None:
        super().__init__()
        self._context = context
        self._rest = rest
        self._url = f"{check_base(context.endpoints['stream'])}{STREAM_PATH}"
        self._asked = 0
        self._last: int | None = None
        self._is_skewed = False

    async def request(self) -> StreamRequest:
        """Return the stream's address."""
        return StreamRequest(name=self.name, url=self._url, heartbeat_s=_PING_S)

    def make_framing(self) -> Framing[str | bytes]:
        """Each message is one frame."""
        return MessageFraming()

    async def authenticate(self, session: StreamSession[str | bytes]) -> None:
        """Show who this is by a signature over the path, as a request would.

        Raises:
            AuthenticationError: Wharf takes neither key nor signature.
        """
        self._last = None
        await self._rest.check_time()
        proof = dict(self._rest.signer.proof("GET", target_of(self._url)))
        greeting = {
            "op": "auth",
            "key": proof[KEY],
            "timestamp": proof[TIMESTAMP],
            "nonce": proof[NONCE],
            "signature": proof[SIGNATURE],
        }
        answer = await session.ask(encode(greeting).decode(), _auth)
        self._is_skewed = answer.code in errors.SKEW_CODES
        if not answer.ok:
            message = f"wharf does not let this stream in: {answer.message or answer.code}"
            raise AuthenticationError(message, code=answer.code, provider=self._context.provider)

    async def refresh(self) -> bool:
        """Ask for wharf's time after it refused ours; nothing else can be renewed."""
        if self._is_skewed:
            await self._rest.learn_time()
        return self._is_skewed

    async def subscribe(
        self, session: StreamSession[str | bytes], wanted: Subscription, anew: Subscription
    ) -> None:
        """Have the connection carry `wanted`; wharf is told all of it each time.

        Raises:
            UnsupportedError: Wharf refuses a topic; the connection carries what it did before.
            StreamLostError: Wharf confirms less than it was asked for.
        """
        del anew
        self._asked += 1
        number, topics = self._asked, mapping.topics_of(wanted)
        message = {"op": "subscribe", "id": number, "topics": topics}

        def answered(frame: str | bytes) -> wire.Frame | None:
            found = READ_FRAME.decode(frame)
            if found.id != number:
                return None
            if found.type == "subscribed" and _PRIVATE in topics and self._last is None:
                self._last = found.seq  # now: the frame behind this one is counted from it
            return found

        answer = await session.ask(encode(message).decode(), answered)
        if answer.type == "error":
            refusal = f"wharf refuses to stream this: {answer.message or answer.code}"
            raise UnsupportedError(refusal, code=answer.code, provider=self._context.provider)
        confirmed = answer.topics or {}
        if any(set(words) - set(confirmed.get(name, ())) for name, words in topics.items()):
            raise StreamLostError("wharf does not confirm all that it was asked to stream")
        if _PRIVATE not in topics:
            self._last = None
        elif self._last is None:
            raise StreamLostError("wharf does not say from which number on it counts")

    def decode(self, frame: str | bytes) -> Sequence[Event] | None:
        """Return the events that a frame tells; one that was told before tells nothing.

        Raises:
            StreamLostError: A number is missing.
            ProtocolError: The frame can't be understood.
        """
        found = READ_FRAME.decode(frame)
        if found.seq is not None and not self._is_next(found.seq):
            return None
        reading = mapping.Reading(
            provider=self._context.provider, received_at_ns=self._context.clock.now_ns()
        )
        return mapping.events_of(found, reading) or None

    def dedupe_key(self, frame: str | bytes, payload: Sequence[Event]) -> Hashable | None:
        """Return None: numbers tell what was told before."""
        del frame, payload
        return None

    def _is_next(self, number: int) -> bool:
        """Count a numbered frame; False for one that was told before, or is not wanted any more.

        Raises:
            StreamLostError: One before it is missing.
        """
        if self._last is None or number <= self._last:
            return False
        expected, self._last = self._last + 1, number
        if number != expected:
            raise StreamLostError(f"frame {expected} is missing: {number} came in its place")
        return True


def _auth(frame: str | bytes) -> wire.Frame | None:
    found = READ_FRAME.decode(frame)
    return found if found.type == "auth" else None
