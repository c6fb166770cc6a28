"""Bugs in which orders are known, and by what names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from dragoman.models import OrderEvent

from ...references.wharf import asking, mapping
from ...references.wharf.adapter import WharfAdapter
from ...references.wharf.rest import HISTORY, WharfRest
from ..mutant import mutant
from ..twists import called, read

if TYPE_CHECKING:
    from dragoman.models import Event, OrderRequest

    from ..mutant import Plant


@mutant("M213", of="wharf", kills=("ORD-LIFE-160",))
def repeats_the_last_row_of_a_page(plant: Plant) -> None:
    """Lists every fiftieth order of the history twice, as a page that begins where one ended."""

    def twisted(true: Any) -> Any:
        async def pages(self: Any, endpoint: Any, *args: Any) -> Any:
            number = 0
            async for row in true(self, endpoint, *args):
                number += 1
                yield row
                if endpoint is HISTORY and number % 50 == 0:
                    yield row

        return pages

    plant.replace(WharfRest, "_pages", twisted)


@mutant("M231", of="wharf", kills=("ORD-LIFE-170",))
def finds_only_orders_that_are_open(plant: Plant) -> None:
    """Looks an order up that has ended, and finds nothing."""

    def forgetful(true: Any) -> Any:
        async def fetch_order(self: Any, account_id: str, **ids: Any) -> object:
            found = await true(self, account_id, **ids)
            return None if found is None or found.is_terminal else found

        return fetch_order

    plant.replace(WharfAdapter, "fetch_order", forgetful)


@mutant("M233", of="wharf", kills=("ORD-LIFE-190",))
def cuts_long_names(plant: Plant) -> None:
    """Cuts a client order id to what the venue takes, so that long ones that begin alike meet."""

    def cut(_: Any) -> Any:
        return lambda name: "".join(one if one.isalnum() else "-" for one in name)[:36]

    plant.replace(asking, "token_of", cut)
    plant.replace(mapping, "token_of", cut)


@mutant("M234", of="wharf", kills=("ORD-LIFE-200",))
def tells_other_terms_than_were_asked(plant: Plant) -> None:
    """Tells limit prices rounded to twenty, so that an equal order is taken for another."""
    read(
        plant,
        mapping,
        "order_of",
        lambda order, _: (
            {} if order.limit_price is None else {"limit_price": order.limit_price // 20 * 20}
        ),
    )


@mutant("M235", of="wharf", kills=("ORD-LIFE-210", "ORD-LIFE-220", "ORD-LIFE-230"))
def knows_only_orders_that_it_sent(plant: Plant) -> None:
    """Leaves out every order that was not sent through this adapter."""
    sent: set[str] = set()

    async def remember(true: Any, _: Any, request: OrderRequest) -> object:
        sent.add(mapping.token_of(str(request.client_order_id)))
        return await true(request)

    def own(true: Any) -> Any:
        async def fetch_open_orders(self: Any, *args: Any) -> object:
            return tuple([one for one in await true(self, *args) if one.client_order_id in sent])

        return fetch_open_orders

    def heard(true: Any) -> Any:
        def events_of(frame: Any, reading: Any) -> tuple[Event, ...]:
            return tuple(
                [
                    one
                    for one in true(frame, reading)
                    if not isinstance(one, OrderEvent) or one.order.client_order_id in sent
                ]
            )

        return events_of

    called(plant, WharfAdapter, "submit", remember)
    plant.replace(WharfAdapter, "fetch_open_orders", own)
    plant.replace(mapping, "events_of", heard)


@mutant("M241", of="wharf", kills=("ORD-LIFE-260",))
def names_orders_it_finds_by_the_venue_s_id(plant: Plant) -> None:
    """Names every order that is listed by the venue's id instead of the client's."""

    def renamed(true: Any) -> Any:
        async def fetch_open_orders(self: Any, *args: Any) -> object:
            return tuple(
                [
                    attrs.evolve(one, client_order_id=f"ext-{one.venue_order_id}")
                    for one in await true(self, *args)
                ]
            )

        return fetch_open_orders

    plant.replace(WharfAdapter, "fetch_open_orders", renamed)
