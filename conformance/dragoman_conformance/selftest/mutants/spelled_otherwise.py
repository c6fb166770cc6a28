"""Bugs in which names an instrument is found by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...references.beacon.adapter import BeaconAdapter
from ...references.ferry.adapter import FerryAdapter
from ..grafts import around
from ..mutant import mutant

if TYPE_CHECKING:
    from dragoman.models import Instrument

    from ..mutant import Plant


@mutant("M504", of="beacon", kills=("INS-040",))
def finds_symbols_in_any_case(plant: Plant) -> None:
    """Looks a symbol up in capitals, however it was written."""

    async def capitals(true: Any, self: Any, name: str) -> object:
        return await true(self, name.upper())

    around(plant, BeaconAdapter, "fetch_instrument", capitals)


@mutant("M505", of="ferry", kills=("INS-040",))
def finds_symbols_by_their_begin(plant: Plant) -> None:
    """Takes the first instrument whose symbol begins with what was asked for."""

    async def beginning(true: Any, self: Any, name: str) -> object:
        listed: tuple[Instrument, ...] = await self.load_instruments()
        found = [one for one in listed if one.symbol.startswith(name)]
        return found[0] if found else await true(self, name)

    around(plant, FerryAdapter, "fetch_instrument", beginning)
