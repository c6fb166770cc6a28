"""A gateway's one WebSocket: who is let in is told everything at once, and can ask for nothing.

What a gateway sends was settled when it started. One that says so lets each client say what it
wants; then it is told, and asked to confirm. Otherwise the readers pick out of what comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from dragoman.errors import DecodeError, ProtocolError, UnsupportedError
from dragoman.models import Channel, ConnectionEvent, ConnectionState, Quarantined
from dragoman.streaming.shared import SharedProtocol
from dragoman.streaming.topics import private_channels_of
from dragoman.transport.base import StreamRequest
from dragoman.transport.codec import JsonDecoder, encode
from dragoman.transport.signatures import revealed
from dragoman.transport.stream_protocol import MessageFraming
from dragoman.transport.urls import check_base
from dragoman_tektii.mapping.frames import events_of
from dragoman_tektii.rest import KEY_HEADER
from dragoman_tektii.spec import STREAM_PATH
from dragoman_tektii.wire import Message, MessageHead

from .pacing import COMPLETE

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models import Event, Subscription
    from dragoman.transport.stream_protocol import Framing, StreamSession
    from dragoman_tektii.mapping.reading import Reading

    from .pacing import Pacer
    from .watch import OrderWatch

__all__ = ["GatewayProtocol"]

_PING_S: Final = 10.0
_MAX_BYTES: Final = 1024 * 1024
_LONGEST: Final = 300
_PRIVATE: Final = {
    Channel.ORDERS: ("order", "trade"),
    Channel.POSITIONS: ("position",),
    Channel.ACCOUNT: ("account",),
}
_READ: Final = JsonDecoder(Message)
_READ_HEAD: Final = JsonDecoder(MessageHead)


class GatewayProtocol(SharedProtocol[str | bytes]):
    """All that the readers of a gateway want, over one connection.

    Args:
        context: Gives the address, the key and the clock.
        reading: What messages are read with, as it is known now.
        pacer: Is told of what wants to be acknowledged.
        watch: Is told of what orders the stream tells.
        takes_wishes: Whether the gateway lets a client say what it wants.
    """

    name = "gateway stream"

    def __init__(
        self,
        context: AdapterContext,
        *,
        reading: Callable[[], Reading],
        pacer: Pacer,
        watch: OrderWatch,
        takes_wishes: bool,
    ) -> None:
        super().__init__()
        self._context = context
        self._url = f"{check_base(context.endpoints['stream'])}{STREAM_PATH}"
        self._reading = reading
        self._pacer = pacer
        self._watch = watch
        self._takes_wishes = takes_wishes
        self._asked = 0

    async def request(self) -> StreamRequest:
        """Return the stream's address, with the key if there is one."""
        credentials = self._context.credentials
        has_key = "api_key" in credentials
        return StreamRequest(
            name=self.name,
            url=self._url,
            headers=((KEY_HEADER, revealed(credentials, "api_key")),) if has_key else (),
            heartbeat_s=_PING_S,
            max_bytes=_MAX_BYTES,
        )

    def make_framing(self) -> Framing[str | bytes]:
        """Each message is one frame."""
        return MessageFraming()

    async def authenticate(self, session: StreamSession[str | bytes]) -> None:
        """Nothing is said: the key came with the request, and the connection is live at once."""
        self._pacer.speak_by(session)

    async def subscribe(
        self, session: StreamSession[str | bytes], wanted: Subscription, anew: Subscription
    ) -> None:
        """Have the connection carry `wanted`, where the gateway lets itself be told.

        Raises:
            UnsupportedError: It refuses; the connection carries what it did before.
        """
        del anew
        self._pacer.speak_by(session)
        if not self._takes_wishes:
            return
        self._asked += 1
        number = self._asked
        channels = private_channels_of(wanted)
        wish = {
            "type": "subscribe",
            "id": number,
            "events": [word for one in sorted(channels) for word in _PRIVATE.get(one, ())],
            "quotes": sorted(wanted.quotes),
            "candles": sorted([symbol, str(frame)] for symbol, frame in wanted.bars),
        }

        def answered(frame: str | bytes) -> Message | None:
            found = _READ.decode(frame)
            is_answer = found.type in {"subscribed", "error"} and found.id == number
            return found if is_answer else None

        answer = await session.ask(encode(wish).decode(), answered)
        if answer.type == "error":
            refusal = f"the gateway refuses to stream this: {answer.message or answer.code}"
            raise UnsupportedError(refusal, code=answer.code, provider=self._context.provider)

    def decode(self, frame: str | bytes) -> Sequence[Event] | None:
        """Return the events that a message tells, and behind them what is to be acknowledged.

        Raises:
            ProtocolError: The message can't be understood.
        """
        try:
            message = _READ.decode(frame)
            events = self._events(message)
        except ProtocolError as error:
            event_id = _event_id(frame)
            if event_id is None:
                raise
            events, message = (self._odd(error),), Message(type="", event_id=event_id)
        if message.event_id is not None:
            marker = cast("Event", self._pacer.told(message.event_id))
            return (*events, marker)
        return events or None

    def dedupe_key(self, frame: str | bytes, payload: Sequence[Event]) -> Hashable | None:
        """Return None: there is never a second connection to the same gateway."""
        del frame, payload
        return None

    def _events(self, message: Message) -> Sequence[Event]:
        if message.type == "ping":
            self._pacer.pong()
        if message.type == "backtest_complete":
            return (self._end(),)
        reading = self._reading()
        events = events_of(message, reading)
        if message.order is not None:
            self._follow(message, reading)
        if message.trade is not None:
            row = reading.book.row_of(message.trade.order_id)
            if row is not None and reading.book.untold(row) <= 0:
                self._watch.told(row.id)
        return events

    def _follow(self, message: Message, reading: Reading) -> None:
        """Have an order looked at that filled by more than is told, unless the rest comes soon."""
        row = message.order
        if row is None:
            return
        self._watch.told(row.id)
        if reading.has_executions and reading.book.untold(row) > 0:
            self._watch.suspect(row.id)

    def _end(self) -> ConnectionEvent:
        return ConnectionEvent(
            state=ConnectionState.ENDED,
            channel="private",
            received_at_ns=self._context.clock.now_ns(),
            cause=COMPLETE,
        )

    def _odd(self, error: ProtocolError) -> Quarantined:
        return Quarantined(
            channel="private",
            error=error.message[:_LONGEST],
            received_at_ns=self._context.clock.now_ns(),
        )


def _event_id(frame: str | bytes) -> str | None:
    """Return the id of an event that could not be read: it must be acknowledged all the same."""
    try:
        return _READ_HEAD.decode(frame).event_id
    except DecodeError:
        return None
