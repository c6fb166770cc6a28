"""What one client wants to hear, where it says so itself: an extension that is announced.

`{"type": "subscribe", "id": 1, "events": ["order"], "quotes": ["AAPL"], "candles": [["AAPL",
"1m"]]}` names the whole wish each time. A client that never sends one hears what everybody does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
import msgspec

from dragoman.errors import DecodeError
from dragoman.transport.codec import decode
from dragoman_tektii.mapping.words import TIMEFRAMES

from .problems import invalid_request

if TYPE_CHECKING:
    from .desks import Desk
    from .problems import RefusedError
    from .subscriptions import Topic

__all__ = ["FEATURE", "SubscribeFrame", "Wish", "read_subscribe", "wish_of"]

FEATURE: Final = "client_subscriptions"
"""What the capabilities say where this is offered."""

_EVENTS: Final = frozenset({"order", "trade", "position", "account"})
_MOST_SYMBOLS: Final = 5000


class SubscribeFrame(msgspec.Struct, kw_only=True):
    """What a client sends; `candles` are pairs of symbol and timeframe."""

    type: str
    id: int
    events: list[str] = []
    quotes: list[str] = []
    candles: list[tuple[str, str]] = []


class _Kind(msgspec.Struct):
    """What any frame says it is."""

    type: str = ""


@attrs.frozen(kw_only=True)
class Wish:
    """What a client wants; symbols are the broker's own."""

    events: frozenset[str] = frozenset()
    quotes: frozenset[str] = frozenset()
    candles: frozenset[tuple[str, str]] = frozenset()

    def admits(self, topic: Topic, symbol: str | None, *, is_final: bool) -> bool:
        """Tell whether an event is wanted; of bars only those that change no more."""
        if topic.word == "quote":
            return symbol in self.quotes
        if topic.word == "candle":
            return is_final and (symbol, topic.timeframe) in self.candles
        return topic.word in self.events


def read_subscribe(frame: str | bytes) -> SubscribeFrame | RefusedError | None:
    """Return a client's wish as it is written, why it can't be read, or None for other frames."""
    if isinstance(frame, bytes):
        return None
    try:
        kind = decode(frame, _Kind)
    except DecodeError:
        return None
    if kind.type != "subscribe":
        return None
    try:
        return decode(frame, SubscribeFrame)
    except DecodeError as error:
        return invalid_request(error.message)


async def wish_of(frame: SubscribeFrame, desk: Desk) -> Wish:
    """Return what a client wants.

    Raises:
        RefusedError: A word is unknown, or a symbol is not listed.
    """
    if len(frame.quotes) + len(frame.candles) > _MOST_SYMBOLS:
        raise invalid_request(f"at most {_MOST_SYMBOLS} symbols can be asked for")
    for word in frame.events:
        if word not in _EVENTS:
            raise invalid_request(f"events: found {word[:40]!r}; allowed: {sorted(_EVENTS)}")
    for _, timeframe in frame.candles:
        if timeframe not in TIMEFRAMES:
            raise invalid_request(f"candles: found the timeframe {timeframe[:40]!r}")
    names = {*frame.quotes, *[symbol for symbol, _ in frame.candles]}
    symbols = {name: await desk.symbol_of(name, is_kept=True) for name in sorted(names)}
    for name, symbol in symbols.items():
        desk.naming.stream(name, symbol)
    return Wish(
        events=frozenset(frame.events),
        quotes=frozenset(symbols[name] for name in frame.quotes),
        candles=frozenset((symbols[name], timeframe) for name, timeframe in frame.candles),
    )
