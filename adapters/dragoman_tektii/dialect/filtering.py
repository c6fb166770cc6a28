"""Which events of an account pass its entries; without any, all do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .subscriptions import ANY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .subscriptions import Entry, Topic

__all__ = ["Filter"]


class Filter:
    """Decides by entries; those that name a symbol decide for it.

    Args:
        entries: Those of the platform.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = tuple(entries)
        self._symbols: dict[str, str] = {}

    def learn(self, instrument: str, symbol: str) -> None:
        """Know which symbol an entry's instrument means."""
        self._symbols[instrument] = symbol

    def admits(self, topic: Topic | None, symbol: str | None) -> bool:
        """Tell whether an event passes; what is about no topic always does.

        Account totals pass if any entry lets them, all else if one that names its symbol does.
        """
        if topic is None or not self._entries:
            return True
        if symbol is None:
            return any(one.admits(topic) for one in self._entries)
        return any(one.admits(topic) for one in self._entries if self._means(one, symbol))

    def _means(self, entry: Entry, symbol: str) -> bool:
        named = entry.instrument
        return named in (ANY, symbol) or self._symbols.get(named) == symbol
