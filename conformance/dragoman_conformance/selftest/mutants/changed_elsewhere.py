"""Bugs in what becomes of an order that somebody else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from ...references.beacon import mapping
from ..grafts import rewrites
from ..mutant import mutant

if TYPE_CHECKING:
    from dragoman.models import Order

    from ...references.beacon import wire
    from ..mutant import Plant


@mutant("M500", of="beacon", kills=("ORD-LIFE-120", "ORD-LIFE-140"))
def counts_only_what_is_left_after_a_replace(plant: Plant) -> None:
    """Tells the quantity of the newest of an order's orders, without what had filled before."""

    def newest(told: Order, row: wire.OrderRow, *_: object) -> Order:
        return attrs.evolve(told, quantity=row.units.copy_abs())

    rewrites(plant, mapping, "order_of", newest)


@mutant("M501", of="beacon", kills=("ORD-LIFE-140",))
def averages_only_what_has_filled_last(plant: Plant) -> None:
    """Tells the limit as the average price, once an order has taken another's place."""

    def newest(told: Order, row: wire.OrderRow, *_: object) -> Order:
        is_second = row.prior_order_ids and told.filled_quantity
        return attrs.evolve(told, average_fill_price=told.limit_price) if is_second else told

    rewrites(plant, mapping, "order_of", newest)
