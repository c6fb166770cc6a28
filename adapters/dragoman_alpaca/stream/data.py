"""Alpaca's streams of market data: one for shares of one feed, one for crypto.

The venue says hello, takes the key, and answers each change of the subscription with all that it
sends now. So what is carried is never assumed: each change is worked out from the last answer.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from dragoman.errors import StreamLostError, UnsupportedError
from dragoman.streaming.shared import SharedProtocol
from dragoman.transport.base import StreamRequest
from dragoman.transport.codec import encode
from dragoman.transport.packed import encode_packed
from dragoman.transport.stream_protocol import MessageFraming
from dragoman_alpaca.mapping.frames import Control, ControlKind, DataFrames
from dragoman_alpaca.mapping.stream_errors import (
    ALREADY_AUTHENTICATED,
    CONNECTION_LIMIT,
    problem_of,
    unasked,
)

from .plan import WORDS, minus, wire_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models.events import Event
    from dragoman.models.subscription import Subscription
    from dragoman.transport.stream_protocol import Framing, StreamSession

    from .plan import Wire

__all__ = ["MarketDataProtocol"]

_PING_S: Final = 10.0
_STALE_S: Final = 30.0
_MOST_SYMBOLS: Final = 500
"""How many symbols one message names: a message of more than 16 kB ends the session."""
_OPTIONAL: Final = frozenset({"updatedBars"})
"""What comes besides where the feed has it; a feed without it does not confirm it."""


class MarketDataProtocol(SharedProtocol[str | bytes]):
    """Quotes, trades, bars, books, limits and halts of one asset class.

    Args:
        context: Gives the key, the encoding and the clock.
        url: The stream's address.
        kind: Alpaca's asset class of what it carries.
    """

    def __init__(self, context: AdapterContext, *, url: str, kind: str) -> None:
        super().__init__()
        self.name: str = f"market data of {kind}"
        self._context = context
        self._url = url
        self._kind = kind
        self._is_packed = context.options.get("encoding") == "msgpack"
        self._frames = DataFrames(provider=context.provider, keep_raw=context.keep_raw)
        self._carried: WeakKeyDictionary[StreamSession[str | bytes], Wire] = WeakKeyDictionary()
        self._ignored: Wire = {}
        self._is_any_carried = False
        self._refused_places = 0

    @property
    def stale_after_s(self) -> float | None:
        """The channel is asked after half of it, since a quiet market says nothing for hours."""
        return _STALE_S

    @property
    def can_probe(self) -> bool:
        """Whether there is something to ask for once more."""
        return self._is_any_carried

    async def request(self) -> StreamRequest:
        """Return the stream's address, in the encoding that was chosen."""
        headers = (("Content-Type", "application/msgpack"),) if self._is_packed else ()
        return StreamRequest(name=self.name, url=self._url, headers=headers, heartbeat_s=_PING_S)

    def make_framing(self) -> Framing[str | bytes]:
        """Each message is one frame."""
        return MessageFraming()

    async def authenticate(self, session: StreamSession[str | bytes]) -> None:
        """Await the hello, then show the key.

        Another session in this one's place is most often the one that was closed right before, so
        it is tried once more soon, and then after the venue must have noticed its end.
        """
        self._frames.restart()
        self._is_any_carried, self._ignored = False, {}
        self._require(await session.expect(self._greeting(ControlKind.CONNECTED)))
        key, secret = (self._context.credentials[name] for name in ("api_key", "secret_key"))
        try:
            answer = await session.ask(
                self._written({"action": "auth", "key": key, "secret": secret}),
                self._greeting(ControlKind.AUTHENTICATED),
            )
        finally:
            key = secret = ""  # whoever renders a traceback renders its locals
        self._require(answer)
        self._refused_places = 0

    async def subscribe(
        self, session: StreamSession[str | bytes], wanted: Subscription, anew: Subscription
    ) -> None:
        """Take off what is not wanted, or must begin anew, then put on what is missing."""
        wire = wire_of(wanted, self._kind)
        carried = self._carried.get(session, {})
        kept = minus(wire, wire_of(anew, self._kind))
        for part in _parts(minus(carried, kept)):
            carried = await self._change(session, "unsubscribe", part)
        for part in _parts(minus(minus(wire, carried), self._ignored)):
            self._frames.restart(part.get("orderbooks", ()))
            carried = await self._change(session, "subscribe", part)
        missing = minus(wire, carried)
        self._ignored = {word: missing[word] for word in _OPTIONAL.intersection(missing)}
        listed = sorted(f"{word} of {', '.join(sorted(missing[word]))}" for word in missing)
        if missing.keys() - _OPTIONAL:
            message = f"Alpaca did not confirm {'; '.join(listed)}"
            raise UnsupportedError(message, provider=self._context.provider)

    async def probe(self, session: StreamSession[str | bytes]) -> None:
        """Ask once more for something that is subscribed to; the answer shows that it lives."""
        for word, symbols in self._carried.get(session, {}).items():
            part = {word: frozenset(islice(symbols, 1))}
            await self._change(session, "subscribe", part)
            return

    def decode(self, frame: str | bytes) -> Sequence[Event] | None:
        """Return the events of a frame."""
        found = self._frames.decode(frame, self._context.clock.now_ns())
        if not isinstance(found, Control):
            return found or None
        if found.kind is ControlKind.ERROR:
            problem = unasked(found.code, found.message, self._context.provider)
            if problem is not None:
                raise problem
        return None

    async def _change(
        self, session: StreamSession[str | bytes], action: str, part: Mapping[str, frozenset[str]]
    ) -> Wire:
        """Ask for one change; return all that is carried after it."""
        message = {"action": action, **{word: sorted(part[word]) for word in sorted(part)}}
        answer = await session.ask(self._written(message), self._change_of)
        if answer.kind is ControlKind.ERROR:
            raise problem_of(answer.code, answer.message, self._context.provider)
        told = {word: frozenset(answer.streams.get(word, ())) for word in WORDS}
        carried = {word: symbols for word, symbols in told.items() if symbols}
        self._carried[session] = carried
        self._is_any_carried = bool(carried)
        return carried

    def _greeting(self, wanted: ControlKind) -> Callable[[str | bytes], Control | None]:
        """Return what finds the answer of that kind, or the error in its place."""

        def match(frame: str | bytes) -> Control | None:
            found = self._frames.control(frame)
            return found if found and found.kind in {wanted, ControlKind.ERROR} else None

        return match

    def _change_of(self, frame: str | bytes) -> Control | None:
        found = self._frames.control(frame)
        is_answer = found and found.kind in {ControlKind.SUBSCRIPTION, ControlKind.ERROR}
        return found if is_answer else None

    def _require(self, answer: Control) -> None:
        if answer.kind is not ControlKind.ERROR or answer.code == ALREADY_AUTHENTICATED:
            return
        if answer.code == CONNECTION_LIMIT:
            self._refused_places += 1
            if self._refused_places == 1:
                raise StreamLostError(
                    f"Alpaca still sees another connection ({answer.code}: {answer.message})",
                    provider=self._context.provider,
                    code=str(answer.code),
                )
        raise problem_of(answer.code, answer.message, self._context.provider)

    def _written(self, message: Mapping[str, object]) -> str | bytes:
        return encode_packed(message) if self._is_packed else encode(message).decode()


def _parts(wire: Wire) -> Iterator[Wire]:
    """Divide a change into messages that are not too long."""
    pairs = iter([(word, symbol) for word in sorted(wire) for symbol in sorted(wire[word])])
    while part := tuple(islice(pairs, _MOST_SYMBOLS)):
        found: dict[str, set[str]] = {}
        for word, symbol in part:
            found.setdefault(word, set()).add(symbol)
        yield {word: frozenset(symbols) for word, symbols in found.items()}
