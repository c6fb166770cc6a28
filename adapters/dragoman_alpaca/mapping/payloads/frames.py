"""Frames of the streams: trade updates, market data, and what the venue answers to the client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from dragoman.decoding import PayloadKind, Shape
from dragoman.errors import AuthenticationError, StreamLostError
from dragoman.models import Subscription
from dragoman_alpaca.mapping.frames import Control, ControlKind, DataFrames, TradingFrames
from dragoman_alpaca.mapping.stream_errors import problem_of
from dragoman_alpaca.mapping.updates import event_of
from dragoman_alpaca.wire.trading import TradeUpdate

from .documents import fields_of, is_packed, read_as, read_document, reading_of
from .requests import subscription_of
from .unmapped import codes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.decoding import Likeness, PayloadContext

__all__ = ["FRAMES"]

_ARRAY_OF_ONE: Final = b"\x91"
_ANSWERS: Final = frozenset({"success", "error", "subscription"})
_UPDATES: Final = "trade_updates"


def _data(data: bytes, context: PayloadContext) -> Sequence[object]:
    """Read a frame of a data stream; a message cut out of its array counts as one."""
    frame = data
    if isinstance(read_document(data), Mapping):
        frame = _ARRAY_OF_ONE + data if is_packed(data) else b"[" + data + b"]"
    frames = DataFrames(provider=context.provider, is_session=False)
    found = frames.decode(frame, context.received_at_ns)
    if not isinstance(found, Control):
        return found
    if found.kind is ControlKind.ERROR:
        raise problem_of(found.code, found.message, context.provider)
    if found.kind is ControlKind.SUBSCRIPTION:
        return (subscription_of(found.streams),)
    return ()


def _trading(data: bytes, context: PayloadContext) -> Sequence[object]:
    """Read a frame of the trading stream."""
    reading = reading_of(context)
    found = TradingFrames(reading=reading.at).decode(data, context.received_at_ns)
    if not isinstance(found, Control):
        return found
    if found.kind is ControlKind.UNAUTHENTICATED:
        message = f"Alpaca does not accept the key for its stream ({found.message})"
        raise AuthenticationError(message, provider=context.provider)
    if found.kind is ControlKind.ERROR:
        raise StreamLostError(f"Alpaca's stream failed ({found.message})")
    if found.kind is ControlKind.SUBSCRIPTION:
        is_heard = _UPDATES in found.streams.get("streams", ())
        return (Subscription(orders=is_heard, positions=is_heard),)
    return ()


def _update(data: bytes, context: PayloadContext) -> Sequence[object]:
    """Read a trade update without the frame around it."""
    return event_of(read_as(data, TradeUpdate), reading_of(context))


def _messages(document: object, *, is_answer: bool) -> float:
    """Return how much a document looks like messages that say their kind in `T`."""
    if codes(document):
        return 0.0
    rows = cast("list[object]", document) if isinstance(document, list) else [document]
    kinds = [_kind_of(row) for row in rows]
    if not any(kinds):
        return 0.0
    if (kinds[0] in _ANSWERS and len(kinds) == 1) is not is_answer:
        return 0.0
    return sum(1 for kind in kinds if kind) / len(kinds)


def _kind_of(row: object) -> str | None:
    kind = cast("Mapping[str, object]", row).get("T") if isinstance(row, Mapping) else None
    return kind if isinstance(kind, str) else None


def _answer(document: object) -> float:
    return _messages(document, is_answer=True)


def _tells(document: object) -> float:
    return _messages(document, is_answer=False)


def _says(stream: str) -> Likeness:
    return Shape.of(
        *("stream data", "stream"), lacks="T", where=lambda fields: fields["stream"] == stream
    )


FRAMES: Final = (
    PayloadKind(
        name="trade_update",
        title="Something happened to an order: a frame of the trading stream",
        likeness=_says(_UPDATES),
        decode=_trading,
    ),
    PayloadKind(
        name="trade_update_data",
        title="Something happened to an order, without the frame around it",
        likeness=Shape.of("event order", names=fields_of(TradeUpdate), lacks="stream T"),
        decode=_update,
    ),
    PayloadKind(
        name="authorization",
        title="The trading stream answers to a key",
        likeness=_says("authorization"),
        decode=_trading,
    ),
    PayloadKind(
        name="listening",
        title="The trading stream answers to a wish to listen",
        likeness=_says("listening"),
        decode=_trading,
    ),
    PayloadKind(
        name="market_data",
        title="Messages of a market data stream, in an array or alone",
        likeness=_tells,
        decode=_data,
    ),
    PayloadKind(
        name="market_data_answer",
        title="A market data stream answers: success, the subscription, or an error",
        likeness=_answer,
        decode=_data,
    ),
)
"""Frames that the venue sends."""
