"""Bugs that show only after a sequence of things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from dragoman.errors import OutcomeUnknownError
from dragoman.models import OrderEvent, OrderEventKind

from ...references.wharf import mapping
from ...references.wharf.adapter import WharfAdapter
from ..mutant import mutant
from ..twists import called

if TYPE_CHECKING:
    from dragoman.models import Order, OrderRequest

    from ..mutant import Plant


@mutant("M214", of="wharf", kills=("MOD-010",))
def forgets_orders_after_the_third(plant: Plant) -> None:
    """Leaves all but the first three orders out, wherever it tells any."""
    known: list[str] = []

    def is_known(name: str) -> bool:
        if name not in known and len(known) < 3:
            known.append(name)
        return name in known

    def heard(true: Any) -> Any:
        def events_of(frame: Any, reading: Any) -> object:
            return tuple(
                [
                    one
                    for one in true(frame, reading)
                    if not isinstance(one, OrderEvent) or is_known(one.order.client_order_id)
                ]
            )

        return events_of

    def listed(true: Any) -> Any:
        async def fetch_open_orders(self: Any, *args: Any) -> object:
            return tuple([one for one in await true(self, *args) if is_known(one.client_order_id)])

        return fetch_open_orders

    plant.replace(mapping, "events_of", heard)
    plant.replace(WharfAdapter, "fetch_open_orders", listed)


@mutant("M215", of="wharf", kills=("MOD-020",))
def tells_the_last_fill_of_an_order_twice(plant: Plant) -> None:
    """Tells the execution that ends an order twice, by two ids."""

    def twisted(true: Any) -> Any:
        def events_of(frame: Any, reading: Any) -> object:
            told = list(true(frame, reading))
            for one in tuple(told):
                if isinstance(one, OrderEvent) and one.kind is OrderEventKind.FILL and one.fill:
                    again = attrs.evolve(one.fill, fill_id=f"{one.fill.fill_id}-again")
                    told += [attrs.evolve(one, fill=again)] if one.order.is_terminal else []
            return tuple(told)

        return events_of

    plant.replace(mapping, "events_of", twisted)


@mutant("M216", of="wharf", kills=("MOD-030",))
def makes_sure_by_a_second_order(plant: Plant) -> None:
    """Sends an order of unknown fate again under another name."""

    async def twist(true: Any, _: Any, request: OrderRequest) -> object:
        try:
            return await true(request)
        except OutcomeUnknownError:
            again = attrs.evolve(request, client_order_id=f"{request.client_order_id}-b")
            order: Order = await true(again)
            return attrs.evolve(order, client_order_id=str(request.client_order_id))

    called(plant, WharfAdapter, "submit", twist)
