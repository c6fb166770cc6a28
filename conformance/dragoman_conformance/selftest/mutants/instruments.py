"""Bugs in what is told of instruments."""

from __future__ import annotations

import importlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import attrs

from dragoman.errors import UnknownInstrumentError
from dragoman.times import HOUR_NS

from ...references.beacon import mapping as beacon
from ...references.beacon.adapter import BeaconAdapter
from ...references.ferry import mapping as ferry
from ...references.ferry.adapter import FerryAdapter
from ...references.ferry.rest import FerryRest
from ...references.wharf import mapping as wharf
from ...references.wharf.adapter import WharfAdapter
from ...references.wharf.rest import WharfRest
from ..grafts import around, retells
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant

_MOCK = "dragoman_mock.adapter"
_STEP = Decimal("0.25")


@mutant("M60", of="wharf", kills=("INS-050", "ORD-LIFE-160"))
def reads_one_page(plant: Plant) -> None:
    """Stops at the end of the first page of every list."""

    def make(true: Any) -> Any:
        async def _pages(self: WharfRest, endpoint: Any, read: Any, query: Any) -> Any:
            def first(data: bytes) -> Any:
                page = read(data)
                page.next = None
                return page

            async for row in true(self, endpoint, first, query):
                yield row

        return _pages

    plant.replace(WharfRest, "_pages", make)


@mutant("M130", of="ferry", kills=("INS-050",))
def repeats_the_last_row_of_a_page(plant: Plant) -> None:
    """Tells the last row of every page twice."""

    def make(true: Any) -> Any:
        async def _pages(self: FerryRest, exchange: Any, query: Any = ()) -> Any:
            count = 0
            async for row in true(self, exchange, query):
                count += 1
                yield row
                if count % 25 == 0:
                    yield row

        return _pages

    plant.replace(FerryRest, "_pages", make)


@mutant("M131", of="ferry", kills=("INS-010",))
def swaps_tick_and_lot(plant: Plant) -> None:
    """Takes the step of a price for that of a quantity, and the other way round."""
    retells(
        plant,
        ferry,
        "instrument_of",
        lambda told: {"tick_size": told.lot_size, "lot_size": told.tick_size, "tick_bands": ()},
    )


@mutant("M132", of="beacon", kills=("INS-010",))
def takes_a_pip_for_the_tick(plant: Plant) -> None:
    """Takes the last digit but one for the smallest step of a price."""
    retells(plant, beacon, "instrument_of", lambda told: {"tick_size": told.tick_size * 10})


@mutant("M133", of="wharf", kills=("INS-020",))
def forgets_the_multiplier(plant: Plant) -> None:
    """Takes every contract to be of one unit."""
    retells(plant, wharf, "instrument_of", lambda _: {"multiplier": Decimal(1)})


@mutant("M134", of="beacon", kills=("INS-030",))
def calls_things_as_they_were_asked_for(plant: Plant) -> None:
    """Tells an instrument under the alias that it was looked up by."""

    async def fetch_instrument(true: Any, self: BeaconAdapter, symbol: str) -> object:
        return attrs.evolve(await true(self, symbol), symbol=symbol)

    around(plant, BeaconAdapter, "fetch_instrument", fetch_instrument)


@mutant("M135", of="ferry", kills=("INS-040",))
def makes_up_what_is_not_listed(plant: Plant) -> None:
    """Tells an unknown symbol as an instrument like the first one."""

    async def fetch_instrument(true: Any, self: FerryAdapter, symbol: str) -> object:
        try:
            return await true(self, symbol)
        except UnknownInstrumentError:
            return attrs.evolve((await self.load_instruments())[0], symbol=symbol)

    around(plant, FerryAdapter, "fetch_instrument", fetch_instrument)


@mutant("M136", of="ferry", kills=("INS-060",))
def takes_everything_to_be_tradable(plant: Plant) -> None:
    """Tells whatever is listed as tradable."""
    retells(plant, ferry, "instrument_of", lambda _: {"is_tradable": True})


@mutant("M137", of="wharf", kills=("INS-070",))
def decodes_symbols_once_more(plant: Plant) -> None:
    """Takes the symbol of an order for a text from a URL, and decodes it."""

    def make(true: Any) -> Any:
        def order_body(request: Any) -> Any:
            return {**true(request), "symbol": unquote_plus(request.symbol)}

        return order_body

    plant.replace(wharf, "order_body", make)


@mutant("M138", of="wharf", kills=("INS-090",))
def reads_every_kind(plant: Plant) -> None:
    """Tells the whole catalogue, whatever kinds were asked for."""

    async def load_instruments(true: Any, self: object, *_: Any) -> object:
        return await true(self)

    around(plant, WharfAdapter, "load_instruments", load_instruments)


@mutant("M139", of="ferry", kills=("INS-100",))
def cuts_quantities_to_fit(plant: Plant) -> None:
    """Knows no bounds, and orders the next smaller quantity that fits."""
    unbounded = {"lot_size": None, "min_quantity": None, "max_quantity": None}
    retells(plant, ferry, "instrument_of", lambda _: unbounded)

    def make(true: Any) -> Any:
        def order_form(request: Any, token: str) -> Any:
            cut = max(request.quantity // _STEP * _STEP, 3 * _STEP)
            return true(attrs.evolve(request, quantity=cut), token)

        return order_form

    plant.replace(ferry, "order_form", make)


@mutant("M140", of="mock", kills=("INS-080",))
def opens_an_hour_late(plant: Plant) -> None:
    """Tells hours as if summer were not over."""
    adapter = importlib.import_module(_MOCK).MockAdapter

    async def fetch_hours(true: Any, self: object, *args: Any) -> object:
        return tuple(
            [
                attrs.evolve(
                    one,
                    opens_at_ns=one.opens_at_ns + HOUR_NS,
                    closes_at_ns=one.closes_at_ns + HOUR_NS,
                )
                for one in await true(self, *args)
            ]
        )

    around(plant, adapter, "fetch_hours", fetch_hours)


@mutant("M146", of="wharf", kills=("INS-110",))
def tells_the_positions_of_every_symbol(plant: Plant) -> None:
    """Passes over the symbol that positions are asked of."""

    async def fetch_positions(true: Any, self: WharfAdapter, account_id: str, *_: Any) -> object:
        return await true(self, account_id)

    around(plant, WharfAdapter, "fetch_positions", fetch_positions)


@mutant("M147", of="ferry", kills=("INS-110",))
def tells_no_fills_of_one_symbol(plant: Plant) -> None:
    """Tells no fills where those of one symbol are asked for."""

    def make(true: Any) -> Any:
        async def fetch_fills(self: FerryAdapter, account_id: str, window: Any, symbol: Any) -> Any:
            async for fill in true(self, account_id, window, symbol):
                if symbol is None:
                    yield fill

        return fetch_fills

    plant.replace(FerryAdapter, "fetch_fills", make)
