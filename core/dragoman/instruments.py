"""The instruments of one connection: each fetched once, found by symbol or alias, never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .models import Instrument, InstrumentKind
    from .ports import InstrumentPort

__all__ = ["InstrumentCache"]


class InstrumentCache:
    """A cache over an instrument port. An alias is resolved by the venue once, then remembered."""

    def __init__(self, port: InstrumentPort) -> None:
        self._port = port
        self._known: dict[str, Instrument] = {}

    async def get(self, symbol_or_alias: str) -> Instrument:
        """Return one instrument.

        Raises:
            UnknownInstrumentError: The provider lists none of that name (NOT_SENT).
            AmbiguousInstrumentError: An alias names several (NOT_SENT).
        """
        known = self._known.get(symbol_or_alias)
        if known is None:
            known = await self._port.fetch_instrument(symbol_or_alias)
            self._known[known.symbol] = known
            self._known[symbol_or_alias] = known
        return known

    def cached(self, symbol: str) -> Instrument | None:
        """Return an instrument if it is known already, without asking the venue."""
        return self._known.get(symbol)

    async def load(self, kinds: Sequence[InstrumentKind] = ()) -> tuple[Instrument, ...]:
        """Read the catalogue anew, or the kinds named, and remember it."""
        instruments = await self._port.load_instruments(kinds)
        fresh = {instrument.symbol: instrument for instrument in instruments}
        for name, known in self._known.items():
            fresh.setdefault(name, fresh.get(known.symbol, known))
        self._known = fresh
        return instruments
