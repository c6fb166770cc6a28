"""Bugs that a few acts on any venue show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import attrs

from dragoman.errors import OrderRejectedError
from dragoman.models import Order, OrderStatus

from ...references.wharf import mapping
from ...references.wharf.adapter import WharfAdapter
from ..mutant import mutant

if TYPE_CHECKING:
    from dragoman.models import OrderRequest

    from ..mutant import Plant


@mutant("M450", of="wharf", kills=("FLD-010",))
def spells_the_instrument_in_its_own_way(plant: Plant) -> None:
    """Tells instruments under lower-case symbols."""
    plant.replace(
        mapping,
        "instrument_of",
        lambda true: (
            lambda row, reading: attrs.evolve(
                true(row, reading), symbol=row.symbol.lower(), aliases=(row.symbol,)
            )
        ),
    )


@mutant("M451", of="wharf", kills=("FLD-020",))
def forgets_open_orders(plant: Plant) -> None:
    """Tells no open orders when it is asked for those of one symbol."""

    def forgetful(true: Any) -> Any:
        async def fetch_open_orders(
            self: WharfAdapter, account_id: str, symbol: str | None = None
        ) -> object:
            return await true(self, account_id, None) if symbol is None else ()

        return fetch_open_orders

    plant.replace(WharfAdapter, "fetch_open_orders", forgetful)


@mutant("M452", of="wharf", kills=("FLD-030",))
def tells_half_of_a_fill_in_the_history(plant: Plant) -> None:
    """Reads the quantity of an execution as half of what it is."""
    plant.replace(
        mapping,
        "fill_of",
        lambda true: (
            lambda row, reading: attrs.evolve(true(row, reading), quantity=row.quantity / 2)
        ),
    )


@mutant("M453", of="wharf", kills=("FLD-040",))
def replaces_nothing(plant: Plant) -> None:
    """Answers a replace with the order as it is, without sending it."""

    def idle(_: Any) -> Any:
        async def replace(self: WharfAdapter, order: object, change: object) -> object:
            del self, change
            return order

        return replace

    plant.replace(WharfAdapter, "replace", idle)


@mutant("M454", of="wharf", kills=("FLD-050",))
def takes_refusals_for_orders_that_rest(plant: Plant) -> None:
    """Answers a refused order as if the venue had taken it."""

    def hopeful(true: Any) -> Any:
        async def submit(self: WharfAdapter, request: OrderRequest) -> Order:
            try:
                return cast("Order", await true(self, request))
            except OrderRejectedError:
                return Order(
                    client_order_id=request.client_order_id or "",
                    account_id=request.account_id or "",
                    symbol=request.symbol,
                    side=request.side,
                    order_type=request.order_type,
                    status=OrderStatus.OPEN,
                    quantity=request.quantity,
                    limit_price=request.limit_price,
                    provider=self.context.provider,
                    received_at_ns=self.context.clock.now_ns(),
                )

        return submit

    plant.replace(WharfAdapter, "submit", hopeful)


@mutant("M455", of="wharf", kills=("FLD-060",))
def swaps_the_sides_of_a_quote(plant: Plant) -> None:
    """Reads the bid as the ask, and the ask as the bid."""
    plant.replace(
        mapping,
        "quote_of",
        lambda true: (
            lambda row, reading: attrs.evolve(
                true(row, reading), bid_price=row.ask, ask_price=row.bid
            )
        ),
    )
