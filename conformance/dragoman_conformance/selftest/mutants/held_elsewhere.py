"""Bugs in how held orders of somebody else are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.models import OrderStatus

from ...references.ferry import mapping
from ...references.ferry.adapter import FerryAdapter
from ..grafts import around
from ..mutant import mutant

if TYPE_CHECKING:
    from dragoman.models import Order

    from ..mutant import Plant


@mutant("M510", of="ferry", kills=("ORD-LIFE-230",))
def takes_held_orders_for_open(plant: Plant) -> None:
    """Tells orders that wait for another one as if they were at work."""
    plant.replace(mapping, "STATES", lambda true: {**true, "held": OrderStatus.OPEN})


@mutant("M511", of="ferry", kills=("ORD-LIFE-230",))
def leaves_held_orders_out(plant: Plant) -> None:
    """Lists only those open orders that are at work."""

    async def working(true: Any, self: Any, *args: Any) -> object:
        found: tuple[Order, ...] = await true(self, *args)
        return tuple([one for one in found if one.status is not OrderStatus.HELD])

    around(plant, FerryAdapter, "fetch_open_orders", working)
