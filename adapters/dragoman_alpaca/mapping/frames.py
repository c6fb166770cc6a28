"""Frames of the streams: which events they tell, or what they answer to the client.

The first byte tells JSON from MessagePack, whose arrays and maps begin with bytes that no text
does. An array is read at once; only if that fails is it read message by message, so that a bad one
does not take the others with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast, get_args

import attrs
import msgspec

from dragoman.errors import DecodeError
from dragoman.models import Quarantined
from dragoman.transport.codec import JsonDecoder
from dragoman.transport.packed import PackedDecoder
from dragoman_alpaca.wire.frames import (
    AnyMessage,
    AuthorizationData,
    BarMessage,
    BookMessage,
    CancelErrorMessage,
    CorrectionMessage,
    DailyBarMessage,
    DataMessage,
    ErrorMessage,
    ImbalanceMessage,
    LuldMessage,
    NewsMessage,
    QuoteMessage,
    StatusMessage,
    SubscriptionMessage,
    SuccessMessage,
    TradeMessage,
    TradeUpdateFrame,
    TradingFrame,
    UpdatedBarMessage,
)
from dragoman_alpaca.wire.mending import PatientDecoder

from .market import ONE_DAY, ONE_MINUTE
from .notices import make_correction, make_limits, make_removal, make_status
from .ticks import make_bar, make_depth, make_quote, make_trade
from .updates import event_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dragoman.models import Depth, Event
    from dragoman_alpaca.wire.frames import AuthorizationFrame, ListeningFrame

    from .reading import Reading

__all__ = ["Control", "ControlKind", "DataFrames", "TradingFrames"]

_LONGEST_WORD: Final = 40
_LONGEST_CAUSE: Final = 300
_TEXT: Final = frozenset({b"[", b"{", b" ", b"\n", b"\r", b"\t", b""})
_NO_STREAMS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})


class ControlKind(StrEnum):
    """What a frame that is no data answers to the client."""

    CONNECTED = "connected"
    AUTHENTICATED = "authenticated"
    UNAUTHENTICATED = "unauthenticated"
    SUBSCRIPTION = "subscription"
    ERROR = "error"
    OTHER = "other"


@attrs.frozen(kw_only=True)
class Control:
    """An answer to the client.

    `code` and `message` are the venue's, verbatim. `streams` is all that is subscribed to now: the
    symbols of each of the venue's channels, or for the trading stream the names of its streams
    under "streams".
    """

    kind: ControlKind
    code: int | None = None
    message: str = ""
    streams: Mapping[str, tuple[str, ...]] = _NO_STREAMS


_ANSWERS: Final = (SuccessMessage, ErrorMessage, SubscriptionMessage)
_SUCCESSES: Final = {
    "connected": ControlKind.CONNECTED,
    "authenticated": ControlKind.AUTHENTICATED,
}
_KINDS: Final = frozenset(
    kind.__struct_config__.tag for kind in cast("tuple[type[Any], ...]", get_args(DataMessage))
)


def _updated_bar(row: UpdatedBarMessage, provider: str, received_at_ns: int) -> Event:
    return make_bar(row, row.symbol, ONE_MINUTE, True, provider, received_at_ns)


def _daily_bar(row: DailyBarMessage, provider: str, received_at_ns: int) -> Event:
    return make_bar(row, row.symbol, ONE_DAY, False, provider, received_at_ns)


def _nothing(row: object, provider: str, received_at_ns: int) -> None:
    """No model says what an imbalance or an article does, and answers are not for the reader."""
    del row, provider, received_at_ns


def _refused(row: ErrorMessage, provider: str, received_at_ns: int) -> None:
    del provider, received_at_ns
    raise ValueError(f"{row.code} {row.msg}")


_MAKERS: Final[Mapping[type, Callable[[Any, str, int], Event | None]]] = {
    UpdatedBarMessage: _updated_bar,
    DailyBarMessage: _daily_bar,
    StatusMessage: make_status,
    LuldMessage: make_limits,
    CancelErrorMessage: make_removal,
    CorrectionMessage: make_correction,
    ImbalanceMessage: _nothing,
    NewsMessage: _nothing,
    SuccessMessage: _nothing,
    SubscriptionMessage: _nothing,
    ErrorMessage: _refused,
}
"""What makes the event of a message that is less frequent."""


def _maker_of(kind: type) -> Callable[[Any, str, int], Event | None]:
    return _MAKERS[kind]


class _Reader:
    """Reads frames of one shape, in whichever encoding they come."""

    __slots__ = ("_packed", "_patient", "_patient_packed", "_plain")

    def __init__(self, shape: object) -> None:
        kind = cast("type[Any]", shape)
        self._plain: Callable[[bytes | str], Any] = JsonDecoder(kind).decode
        self._packed: Callable[[bytes], Any] = PackedDecoder(kind).decode
        self._patient: Callable[[bytes | str], Any] = PatientDecoder(kind).decode
        self._patient_packed: Callable[[bytes], Any] = PatientDecoder(kind, packed=True).decode

    def of(self, frame: bytes | str) -> Callable[[Any], Any]:
        """Return what reads a frame of this encoding, and the messages cut out of it."""
        is_text = type(frame) is str or frame[:1] in _TEXT
        return self._plain if is_text else self._packed

    def patient(self, frame: bytes | str) -> Callable[[Any], Any]:
        """Return what reads what does not quite fit, too."""
        is_text = type(frame) is str or frame[:1] in _TEXT
        return self._patient if is_text else self._patient_packed


_MESSAGES: Final = _Reader(list[DataMessage])
_RAW_MESSAGES: Final = _Reader(list[msgspec.Raw])
_MESSAGE: Final = _Reader(DataMessage)
_ANY_MESSAGE: Final = _Reader(AnyMessage)
_TRADING: Final = _Reader(TradingFrame)


class DataFrames:
    """Reads the frames of one market data stream.

    It remembers which order books have been told whole since the last `restart`, and nothing else.

    Args:
        provider: The provider that events name.
        channel: What `Quarantined` events call the stream.
        keep_raw: Whether a message that can't be understood is kept.
        is_session: Whether the frames follow each other since a subscription, so that the first
            book of each symbol is whole. Of a frame by itself, only a book that says so is.
    """

    def __init__(
        self,
        *,
        provider: str,
        channel: str = "market",
        keep_raw: bool = False,
        is_session: bool = True,
    ) -> None:
        self._provider = provider
        self._channel = channel
        self._keep_raw = keep_raw
        self._is_session = is_session
        self._books: set[str] = set()

    def restart(self, symbols: Iterable[str] | None = None) -> None:
        """Take the next book of each symbol for a whole one: they have been subscribed to anew.

        None: of all symbols, because the connection is new.
        """
        if symbols is None:
            self._books.clear()
        else:
            self._books.difference_update(symbols)

    def decode(self, frame: bytes | str, received_at_ns: int) -> tuple[Event, ...] | Control:
        """Return the events that a frame tells, in its order, or what it answers to the client.

        A message that can't be understood is told as `Quarantined` in its place. An answer stands
        alone in its frame; among data, only an error would be told, in the same way.

        Raises:
            DecodeError: The frame is no array of messages.
        """
        try:
            rows: Sequence[DataMessage | Quarantined] = _MESSAGES.of(frame)(frame)
        except DecodeError:
            rows = [*self._one_by_one(frame, received_at_ns)]
        if len(rows) == 1 and isinstance(rows[0], _ANSWERS):
            return _answer_of(rows[0])
        events: list[Event] = []
        put, provider = events.append, self._provider
        for row in rows:
            try:
                if type(row) is QuoteMessage:
                    put(make_quote(row, row.symbol, provider, received_at_ns))
                elif type(row) is TradeMessage:
                    put(make_trade(row, row.symbol, provider, received_at_ns))
                elif type(row) is BarMessage:
                    put(make_bar(row, row.symbol, ONE_MINUTE, True, provider, received_at_ns))
                elif type(row) is BookMessage:
                    put(self._depth(row, received_at_ns))
                elif type(row) is Quarantined:
                    put(row)
                else:
                    rarer = _maker_of(type(row))(row, provider, received_at_ns)
                    events.extend(() if rarer is None else (rarer,))
            except ValueError as error:
                put(self._quarantined(_cause(row, error), frame, received_at_ns))
        return tuple(events)

    def control(self, frame: bytes | str) -> Control | None:
        """Return what a frame answers to the client; None for one of data. It changes nothing.

        Raises:
            DecodeError: The frame is no array of messages.
        """
        try:
            rows: Sequence[DataMessage | Quarantined] = _MESSAGES.of(frame)(frame)
        except DecodeError:
            rows = [*self._one_by_one(frame, 0)]
        return next((_answer_of(row) for row in rows if isinstance(row, _ANSWERS)), None)

    def _one_by_one(
        self, frame: bytes | str, received_at_ns: int
    ) -> Iterator[DataMessage | Quarantined]:
        """Yield the messages of an array as far as they can be read, and `Quarantined` for others.

        Raises:
            DecodeError: It is no array.
        """
        for item in _RAW_MESSAGES.of(frame)(frame):
            message = bytes(item)
            try:
                yield _MESSAGE.patient(frame)(message)
            except DecodeError as error:
                cause = _unknown_kind(_ANY_MESSAGE.of(frame), message) or error.message
                yield self._quarantined(cause, frame, received_at_ns)

    def _depth(self, row: BookMessage, received_at_ns: int) -> Depth:
        is_first = self._is_session and row.symbol not in self._books
        is_whole = row.r is True or is_first
        depth = make_depth(row, row.symbol, is_whole, self._provider, received_at_ns)
        self._books.add(row.symbol)
        return depth

    def _quarantined(self, cause: str, frame: bytes | str, received_at_ns: int) -> Quarantined:
        raw = frame.encode(errors="replace") if isinstance(frame, str) else bytes(frame)
        return Quarantined(
            channel=self._channel,
            error=cause[:_LONGEST_CAUSE],
            received_at_ns=received_at_ns,
            raw=raw if self._keep_raw else None,
        )


class TradingFrames:
    """Reads the frames of the trading stream.

    Args:
        reading: What rows are read with, for what was received at that time.
    """

    def __init__(self, *, reading: Callable[[int], Reading]) -> None:
        self._reading = reading

    def decode(self, frame: bytes | str, received_at_ns: int) -> tuple[Event, ...] | Control:
        """Return the events that a frame tells, or what it answers to the client.

        Raises:
            ProtocolError: It can't be understood.
        """
        found = _trading_frame(frame)
        if type(found) is TradeUpdateFrame:
            return event_of(found.data, self._reading(received_at_ns))
        return _trading_answer_of(found)

    def control(self, frame: bytes | str) -> Control | None:
        """Return what a frame answers to the client; None for a trade update. It changes nothing.

        Raises:
            DecodeError: The frame can't be read.
        """
        found = _trading_frame(frame)
        return None if type(found) is TradeUpdateFrame else _trading_answer_of(found)


def _trading_frame(frame: bytes | str) -> Any:  # noqa: ANN401 - of whichever kind it is
    try:
        return _TRADING.of(frame)(frame)
    except DecodeError:
        return _TRADING.patient(frame)(frame)


def _answer_of(row: SuccessMessage | ErrorMessage | SubscriptionMessage) -> Control:
    match row:
        case SuccessMessage():
            kind = _SUCCESSES.get(row.msg or "", ControlKind.OTHER)
            return Control(kind=kind, message=row.msg or "")
        case ErrorMessage():
            code = row.code if type(row.code) is int else None
            return Control(kind=ControlKind.ERROR, code=code, message=row.msg or "")
        case SubscriptionMessage():
            names = zip(row.__struct_encode_fields__, row.__struct_fields__, strict=True)
            streams = {word: tuple(getattr(row, name) or ()) for word, name in names}
            return Control(kind=ControlKind.SUBSCRIPTION, streams=MappingProxyType(streams))


def _trading_answer_of(frame: AuthorizationFrame | ListeningFrame) -> Control:
    data = frame.data
    if isinstance(data, AuthorizationData):
        is_in = data.status == "authorized"
        kind = ControlKind.AUTHENTICATED if is_in else ControlKind.UNAUTHENTICATED
        said = filter(None, (data.status, data.action, data.message))
        return Control(kind=kind, message=" ".join(said))
    if data.error:
        return Control(kind=ControlKind.ERROR, message=data.error)
    streams = MappingProxyType({"streams": tuple(data.streams or ())})
    return Control(kind=ControlKind.SUBSCRIPTION, streams=streams)


def _unknown_kind(read: Callable[[bytes], AnyMessage], message: bytes) -> str | None:
    """Return what to say of a message of a kind that is not known here; None if it is known."""
    try:
        kind = read(message).kind
    except DecodeError:
        return None
    return None if kind in _KINDS else f"a message of unknown kind {(kind or '')[:_LONGEST_WORD]!r}"


def _cause(row: object, error: ValueError) -> str:
    return f"{type(row).__name__} of {getattr(row, 'symbol', '?')!r}: {error}"
