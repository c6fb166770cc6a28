"""Which symbols nothing was heard of for too long, though their market is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.capabilities import ReadFeature
from dragoman.errors import DragomanError
from dragoman.models import TradingState
from dragoman.times import MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Collection

    from dragoman import Broker

__all__ = ["LONGEST_SILENCE_NS", "Silence"]

LONGEST_SILENCE_NS: Final = 15 * MINUTE_NS
"""How long a symbol may be silent: less would call quiet instruments stale."""


class Silence:
    """Knows when each symbol was last heard of.

    Args:
        broker: Says whether a market is open; one that can't is believed to be silent for a reason.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._heard: dict[str, int] = {}

    def heard(self, symbol: str, at_ns: int) -> None:
        """Note that a symbol was heard of."""
        self._heard[symbol] = at_ns

    def forget(self) -> None:
        """Begin anew, as after a connection was lost."""
        self._heard.clear()

    async def broken(self, symbols: Collection[str], now_ns: int) -> dict[str, int]:
        """Return those of the symbols that have gone silent, and when each was last heard of."""
        found: dict[str, int] = {}
        for symbol in sorted(symbols):
            last_ns = self._heard.get(symbol)
            if last_ns is None or now_ns - last_ns < LONGEST_SILENCE_NS:
                continue
            if await self._is_open(symbol):
                found[symbol] = last_ns
        return found

    async def _is_open(self, symbol: str) -> bool:
        if ReadFeature.MARKET_STATUS not in self._broker.capabilities.reads:
            return False
        try:
            return (await self._broker.fetch_market_status(symbol)).state is TradingState.OPEN
        except DragomanError:
            return False
