"""Bugs in what is declared, and in what becomes of what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

import dragoman.broker as brokers
import dragoman.intake as intakes
from dragoman.capabilities import ExitPart, ReadFeature, order_cells
from dragoman.models import Channel, InstrumentKind, OrderType, PriceSource, Support, TimeInForce

from ...references.beacon import adapter as beacon
from ...references.beacon import capabilities as declared_by_beacon
from ...references.ferry import adapter as ferry
from ...references.ferry import capabilities as declared_by_ferry
from ...references.wharf import adapter as wharf
from ...references.wharf import capabilities as declared_by_wharf
from ...references.wharf import mapping
from ..grafts import around, declares, rewrites
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant


@mutant("M23", of="wharf", kills=("CAP-020",))
def forwards_what_is_not_declared(plant: Plant) -> None:
    """Sends every order as it is, whether or not it is declared."""
    plant.replace(intakes, "refuse_unsupported", lambda _: lambda *_: None)


@mutant("M24", of="wharf", kills=("CAP-030",))
def declares_lists_and_has_none(plant: Plant) -> None:
    """Declares lists of which one order cancels the other, and raises NotImplementedError."""

    async def submit_list(_: Any, __: object, *___: Any, **____: Any) -> object:
        raise NotImplementedError

    around(plant, wharf.WharfAdapter, "submit_list", submit_list)


@mutant("M110", of="ferry", kills=("CAP-020",))
def reads_what_is_not_declared(plant: Plant) -> None:
    """Asks for quotes to answer for tickers, which are not declared."""

    async def fetch_tickers(_: Any, self: ferry.FerryAdapter, symbols: Any) -> object:
        return await self.fetch_quotes(symbols)

    around(plant, ferry.FerryAdapter, "fetch_tickers", fetch_tickers)


@mutant("M111", of="wharf", kills=("CAP-020",))
def streams_what_is_not_declared(plant: Plant) -> None:
    """Opens a stream of anything, and leaves it to the venue."""
    plant.replace(
        wharf.WharfAdapter,
        "stream",
        lambda _: lambda self, subscription: self._stream.read(subscription),
    )


@mutant("M112", of="beacon", kills=("CAP-030",))
def declares_a_read_it_has_not(plant: Plant) -> None:
    """Declares bars, of which it has none."""
    declares(plant, beacon, reads=declared_by_beacon.CAPABILITIES.reads | {ReadFeature.BARS})


@mutant("M113", of="ferry", kills=("CAP-040",))
def declares_a_time_that_the_venue_refuses(plant: Plant) -> None:
    """Declares orders that trade at once or not at all, which the venue has no word for."""
    cells = order_cells([InstrumentKind.SPOT], [OrderType.LIMIT], [TimeInForce.IOC])
    declares(plant, ferry, orders=(*declared_by_ferry.CAPABILITIES.orders, *cells))


@mutant("M114", of="wharf", kills=("CAP-060",))
def has_another_default(plant: Plant) -> None:
    """Takes no time in force for until canceled, though a day is declared."""

    def make(true: Any) -> Any:
        def order_body(request: Any) -> Any:
            if request.time_in_force is None:
                request = attrs.evolve(request, time_in_force=TimeInForce.GTC)
            return true(request)

        return order_body

    plant.replace(mapping, "order_body", make)


@mutant("M115", of="wharf", kills=("CAP-010",))
def declares_more_once_it_is_connected(plant: Plant) -> None:
    """Declares more list entries where it is bound to an account."""

    def make(_: Any) -> Any:
        def capabilities(self: wharf.WharfAdapter) -> object:
            most = 2 if self.context.account_id is None else 3
            return attrs.evolve(declared_by_wharf.CAPABILITIES, max_list_size=most)

        return property(capabilities)

    plant.replace(wharf.WharfAdapter, "capabilities", make)


@mutant("M116", of="ferry", kills=("CAP-050",))
def names_another_protocol(plant: Plant) -> None:
    """Declares a protocol whose name is not its own."""
    declares(plant, ferry, protocol="ferries")


@mutant("M117", of="ferry", kills=("CAP-070",))
def declares_bars_it_has_not(plant: Plant) -> None:
    """Declares bars of four hours, which the venue does not make."""
    declares(plant, ferry, bar_timeframes=frozenset({"1m", "5m", "1h", "4h"}))


@mutant("M118", of="wharf", kills=("CAP-080",))
def takes_lists_of_any_length(plant: Plant) -> None:
    """Sends lists that are longer than it declares."""
    plant.replace(brokers, "list_violations", lambda _: lambda *_: [])


@mutant("M119", of="beacon", kills=("CAP-020",))
def makes_up_what_is_not_declared(plant: Plant) -> None:
    """Answers for hours, which are not declared, with none at all."""

    async def fetch_hours(_: Any, __: object, *___: Any) -> object:
        return ()

    around(plant, beacon.BeaconAdapter, "fetch_hours", fetch_hours)


@mutant("M199", of="wharf", kills=("CAP-030",))
def drops_what_it_declares(plant: Plant) -> None:
    """Declares tags, and sends none."""
    rewrites(
        plant,
        mapping,
        "order_body",
        lambda body, _: {name: value for name, value in body.items() if name != "tag"},
    )


@mutant("M198", of="beacon", kills=("CAP-030",))
def declares_a_stream_that_never_speaks(plant: Plant) -> None:
    """Declares prints, opens the stream, and tells none."""
    declares(plant, beacon, streams=declared_by_beacon.CAPABILITIES.streams | {Channel.TRADES})


@mutant("M197", of="beacon", kills=("CAP-030",))
def declares_triggers_and_drops_them(plant: Plant) -> None:
    """Declares a trigger by the middle of the market, and does not send it."""
    declares(plant, beacon, triggers=frozenset({PriceSource.MID}))


@mutant("M196", of="beacon", kills=("CAP-030",))
def declares_changes_it_does_not_make(plant: Plant) -> None:
    """Declares that the stop loss of an order can be changed, and does not send it."""
    rule = declared_by_beacon.CAPABILITIES.replace
    declares(plant, beacon, replace=attrs.evolve(rule, fields=rule.fields | {"stop_loss"}))


@mutant("M195", of="beacon", kills=("CAP-030",))
def drops_the_limit_of_an_exit(plant: Plant) -> None:
    """Declares stop losses with a limit, and sends them without."""
    true = declared_by_beacon.CAPABILITIES
    declares(plant, beacon, exits={**true.exits, ExitPart.STOP_LIMIT: Support.NATIVE})
