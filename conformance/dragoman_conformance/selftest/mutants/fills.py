"""Bugs in how executions are told."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.models import Liquidity, Money, OrderEvent, OrderEventKind, OrderStatus

from ...references.wharf import adapter as wharf
from ...references.wharf import mapping
from ...references.wharf.adapter import WharfAdapter
from ...references.wharf.rest import FILLS, WharfRest
from ...references.wharf.stream import WharfStreamProtocol
from ..mutant import mutant
from ..twists import looked_up, read

if TYPE_CHECKING:
    from dragoman.models import Event, Fill

    from ..mutant import Plant


_NO_FILLS: Final[tuple[Fill, ...]] = ()


@mutant("M25", of="wharf", kills=("FIL-010",))
def tells_a_fill_from_the_answer_and_from_the_stream(plant: Plant) -> None:
    """Tells each execution twice, the second time by an id of its own."""

    def twice(event: Event) -> list[Event]:
        if not isinstance(event, OrderEvent) or event.fill is None:
            return [event]
        again = attrs.evolve(event.fill, fill_id=f"{event.fill.fill_id}-stream")
        return [event, attrs.evolve(event, fill=again)]

    def twisted(true: Any) -> Any:
        return lambda frame, reading: tuple(
            itertools.chain.from_iterable(map(twice, true(frame, reading)))
        )

    plant.replace(mapping, "events_of", twisted)


@mutant("M26", of="wharf", kills=("FIL-020",))
def loses_what_filled_while_the_stream_was_down(plant: Plant) -> None:
    """Lists only fills from after the last answer that it had, so those of a break are lost."""

    def twisted(_: Any) -> Any:
        async def fetch_fills(self: Any, account_id: str, *args: Any, **kwargs: Any) -> Any:
            del self, account_id, args, kwargs
            for nothing in _NO_FILLS:
                yield nothing

        return fetch_fills

    def unlisted(true: Any) -> Any:
        async def fetch_order(self: Any, account_id: str, **ids: Any) -> object:
            found = await true(self, account_id, **ids)
            return None if found is None or found.is_terminal else found

        return fetch_order

    plant.replace(WharfAdapter, "fetch_fills", twisted)
    plant.replace(WharfAdapter, "fetch_order", unlisted)


@mutant("M27", of="wharf", kills=("FIL-040",))
def turns_the_sign_of_commissions(plant: Plant) -> None:
    """Tells commissions that were paid as received."""

    def twist(fill: Any, _: Any) -> dict[str, object]:
        paid = fill.commission
        return {"commission": None if paid is None else Money(-paid.amount, paid.currency)}

    read(plant, mapping, "fill_of", twist)


@mutant("M277", of="wharf", kills=("FIL-040",))
def tells_commissions_in_another_currency(plant: Plant) -> None:
    """Tells commissions in euro, whatever they were charged in."""

    def twist(fill: Any, _: Any) -> dict[str, object]:
        paid = fill.commission
        return {"commission": None if paid is None else Money(paid.amount, "EUR")}

    read(plant, mapping, "fill_of", twist)


@mutant("M278", of="wharf", kills=("FIL-030",))
def rounds_the_price_of_a_fill(plant: Plant) -> None:
    """Tells the price of an execution rounded down to a whole number."""
    read(plant, mapping, "fill_of", lambda fill, _: {"price": fill.price // 1})


@mutant("M279", of="wharf", kills=("FIL-050",))
def takes_makers_for_takers(plant: Plant) -> None:
    """Tells every execution as one that took."""
    read(plant, mapping, "fill_of", lambda *_: {"liquidity": Liquidity.TAKER})


@mutant("M280", of="wharf", kills=("FIL-060",))
def names_fills_by_when_they_were_read(plant: Plant) -> None:
    """Gives a fill another id each time that it is read."""

    def named(true: Any) -> Any:
        def fill_of(row: Any, reading: Any) -> object:
            fill = true(row, reading)
            return attrs.evolve(fill, fill_id=f"{fill.fill_id}-{reading.received_at_ns}")

        return fill_of

    plant.replace(mapping, "fill_of", named)


@mutant("M281", of="wharf", kills=("FIL-070",))
def leaves_out_fills_of_canceled_orders(plant: Plant) -> None:
    """Tells nothing of a fill that comes after its order was canceled."""

    def twisted(true: Any) -> Any:
        def events_of(frame: Any, reading: Any) -> object:
            return tuple(
                [
                    one
                    for one in true(frame, reading)
                    if not (
                        isinstance(one, OrderEvent)
                        and one.kind is OrderEventKind.FILL
                        and one.order.status is OrderStatus.CANCELED
                    )
                ]
            )

        return events_of

    def unlisted(_: Any) -> Any:
        async def fetch_fills(self: Any, account_id: str, *args: Any, **kwargs: Any) -> Any:
            del self, account_id, args, kwargs
            for nothing in _NO_FILLS:
                yield nothing

        return fetch_fills

    plant.replace(mapping, "events_of", twisted)
    plant.replace(WharfAdapter, "fetch_fills", unlisted)


@mutant("M282", of="wharf", kills=("FIL-080",))
def counts_every_frame(plant: Plant) -> None:
    """Takes frames as they come, and names each fill by a count of its own."""
    numbers = itertools.count(1)

    def numbered(true: Any) -> Any:
        def events_of(frame: Any, reading: Any) -> object:
            return tuple(
                [
                    attrs.evolve(one, fill=attrs.evolve(one.fill, fill_id=f"f{next(numbers)}"))
                    if isinstance(one, OrderEvent) and one.fill is not None
                    else one
                    for one in true(frame, reading)
                ]
            )

        return events_of

    plant.replace(WharfStreamProtocol, "_is_next", lambda _: lambda *__: True)
    plant.replace(mapping, "events_of", numbered)


@mutant("M283", of="wharf", kills=("FIL-090",))
def counts_what_was_taken_back(plant: Plant) -> None:
    """Tells an execution that is taken back as another one, and positions with it counted."""
    looked_up(plant, mapping, "EVENTS", {"fill_busted": OrderEventKind.RESTATED})
    read(plant, mapping, "position_of", lambda one, _: {"quantity": one.quantity * 2})


@mutant("M284", of="wharf", kills=("FIL-100",))
def names_no_order_of_a_fill(plant: Plant) -> None:
    """Tells fills under an order of their own."""

    def twist(fill: Any, _: Any) -> dict[str, object]:
        return {"client_order_id": f"fill-{fill.fill_id}", "venue_order_id": None}

    read(plant, mapping, "fill_of", twist)


@mutant("M285", of="wharf", kills=("FIL-110",))
def leaves_out_the_last_fill_of_a_page(plant: Plant) -> None:
    """Leaves out every fiftieth fill of the list, as a page that ends one row early."""

    def twisted(true: Any) -> Any:
        async def pages(self: Any, endpoint: Any, *args: Any) -> Any:
            number = 0
            async for row in true(self, endpoint, *args):
                number += 1
                if endpoint is not FILLS or number % 50:
                    yield row

        return pages

    plant.replace(WharfRest, "_pages", twisted)


@mutant("M286", of="wharf", kills=("FIL-120",))
def asks_for_no_end(plant: Plant) -> None:
    """Leaves the end of a window out of the request."""

    def twisted(true: Any) -> Any:
        return lambda window, **words: true(attrs.evolve(window, end_ns=None), **words)

    plant.replace(wharf, "_query", twisted)


@mutant("M219", of="wharf", kills=("FIL-130",))
def keeps_the_order_of_a_fill_to_itself(plant: Plant) -> None:
    """Tells fills without the venue's id of their order."""
    read(plant, mapping, "fill_of", lambda *_: {"venue_order_id": None})
