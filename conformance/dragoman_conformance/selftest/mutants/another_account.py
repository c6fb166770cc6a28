"""Bugs in whose account is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ...references.beacon.adapter import BeaconAdapter
from ...references.ferry.adapter import FerryAdapter
from ..grafts import around
from ..mutant import mutant

if TYPE_CHECKING:
    from dragoman.models import Order, OrderRequest

    from ..mutant import Plant


@mutant("M506", of="beacon", kills=("ERR-120",))
def lists_its_own_orders_for_anybody(plant: Plant) -> None:
    """Lists the open orders of the first account, whichever was asked about."""

    async def first(true: Any, self: Any, account_id: str, symbol: str | None = None) -> object:
        del account_id
        (account, *_) = await self.fetch_accounts()
        return await true(self, account.account_id, symbol)

    around(plant, BeaconAdapter, "fetch_open_orders", first)


@mutant("M507", of="ferry", kills=("ERR-120",))
def orders_for_its_own_account(plant: Plant) -> None:
    """Sends every order for the first account, whichever it was meant for."""

    async def first(true: Any, self: Any, request: OrderRequest) -> object:
        (account, *_) = await self.fetch_accounts()
        return await true(self, attrs.evolve(request, account_id=account.account_id))

    around(plant, FerryAdapter, "submit", first)


@mutant("M508", of="ferry", kills=("ERR-120",))
def cancels_on_its_own_account(plant: Plant) -> None:
    """Cancels on the first account, whichever the order is of."""

    async def first(true: Any, self: Any, order: Order) -> object:
        (account, *_) = await self.fetch_accounts()
        return await true(self, attrs.evolve(order, account_id=account.account_id))

    around(plant, FerryAdapter, "cancel", first)
