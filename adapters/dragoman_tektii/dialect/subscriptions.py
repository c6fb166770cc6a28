"""What is streamed, and what is kept back: entries of platform, instrument and events.

One entry asks for market data and lets events through. Without any entry everything passes.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

import attrs
import msgspec

from dragoman.errors import ConfigurationError, DecodeError
from dragoman.registry import installed
from dragoman.transport.codec import decode, encode
from dragoman_tektii.mapping.words import PLATFORMS, TIMEFRAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["ANY", "Entry", "Topic", "entries_of", "parse_subscriptions"]

ANY: Final = "*"
"""Any instrument; any event."""

_LONGEST_INSTRUMENT: Final = 50
_MOST_EVENTS: Final = 100
_WILD_BARS: Final = frozenset({"candle_*", "bars", "bar"})
_BARS: Final = ("candle_", "candles.")
_PLAIN: Final = {
    "quote": "quote",
    "quotes": "quote",
    "order_update": "order",
    "orders": "order",
    "position_update": "position",
    "positions": "position",
    "trade_update": "trade",
    "trades": "trade",
    "account_update": "account",
}
_WITHOUT_MEANING: Final = frozenset({"trade", "candle", "option_greeks"})
"""Words that others take and let nothing through for; taken here as well, with the same effect."""
_USUAL_TIMEFRAME: Final = "1m"


@attrs.frozen
class Topic:
    """What an event is about, for the filter: "quote", "candle" (with its timeframe), "order"..."""

    word: str
    timeframe: str | None = None


@attrs.frozen(kw_only=True)
class Entry:
    """One entry: for a platform and an instrument (or `*`), which events."""

    platform: str
    instrument: str
    events: tuple[str, ...]

    @property
    def wants_quotes(self) -> bool:
        """Whether quotes are asked for."""
        return any(_PLAIN.get(one) == "quote" or one == ANY for one in self.events)

    @property
    def timeframes(self) -> frozenset[str]:
        """The lengths of the bars that are asked for; the usual one where any will do."""
        found = {_timeframe(one) for one in self.events} - {None}
        if not found.isdisjoint({ANY}):
            found = (found - {ANY}) | {_USUAL_TIMEFRAME}
        return frozenset(one for one in found if one is not None)

    def admits(self, topic: Topic) -> bool:
        """Tell whether this entry lets events of a topic through."""
        for event in self.events:
            if event == ANY or _PLAIN.get(event) == topic.word:
                return True
            if topic.word == "candle" and _timeframe(event) in {ANY, topic.timeframe}:
                return True
        return False


def _timeframe(event: str) -> str | None:
    """Return the timeframe that an event word names; `*` for any, None for no bars at all."""
    if event in _WILD_BARS or event == ANY:
        return ANY
    for prefix in _BARS:
        if event.startswith(prefix) and event.removeprefix(prefix) in TIMEFRAMES:
            return event.removeprefix(prefix)
    return None


class _Row(msgspec.Struct, kw_only=True):
    """One entry as it is written."""

    platform: str
    instrument: str
    events: list[str]


def parse_subscriptions(text: str) -> tuple[Entry, ...]:
    """Read a JSON array of `{"platform", "instrument", "events"}`; an empty text is none.

    A platform is one of the protocol's own words or the name of an installed provider.

    Raises:
        ConfigurationError: It is no such array, or names a platform or an event that does not
            exist; the message says which (NOT_SENT).
    """
    if not text.strip():
        return ()
    try:
        rows = decode(text, list[_Row])
    except DecodeError as error:
        message = f"subscriptions are no JSON array of platform, instrument, events: {error}"
        raise ConfigurationError(message) from None
    entries = tuple(
        Entry(platform=row.platform, instrument=row.instrument, events=tuple(row.events))
        for row in rows
    )
    _check(entries)
    return entries


def entries_of(value: object) -> tuple[Entry, ...]:
    """Return entries out of a setting: JSON text, or a list of the same rows as tables.

    Raises:
        ConfigurationError: As `parse_subscriptions` (NOT_SENT).
    """
    if isinstance(value, str):
        return parse_subscriptions(value)
    try:
        text = encode(value).decode()
    except TypeError:
        message = "subscriptions are a list of platform, instrument, events"
        raise ConfigurationError(message) from None
    return parse_subscriptions(text)


def _check(entries: Iterable[Entry]) -> None:
    platforms = {*PLATFORMS, *[one.name for one in installed().providers]}
    words = {ANY, *_WILD_BARS, *_PLAIN, *_WITHOUT_MEANING}
    words |= {f"{prefix}{one}" for prefix in _BARS for one in TIMEFRAMES}
    for entry in entries:
        if entry.platform not in platforms:
            raise _no_such("platform", entry.platform, platforms)
        if not 1 <= len(entry.instrument) <= _LONGEST_INSTRUMENT:
            message = f"an instrument has 1 to {_LONGEST_INSTRUMENT} characters"
            raise ConfigurationError(f"{message}, found {entry.instrument[:80]!r}")
        if not 1 <= len(entry.events) <= _MOST_EVENTS:
            message = f"a subscription of {entry.instrument!r} has 1 to {_MOST_EVENTS} events"
            raise ConfigurationError(f"{message}, found {len(entry.events)}")
        for event in entry.events:
            if event not in words:
                raise _no_such("event", event, words)


def _no_such(what: str, found: str, known: Collection[str]) -> ConfigurationError:
    near = difflib.get_close_matches(found[:80], sorted(known), n=3)
    hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(sorted(known))}"
    return ConfigurationError(f"subscriptions name an unknown {what}: {found[:80]!r}; {hint}")
