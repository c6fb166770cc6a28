"""Bugs in why an order was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import RejectReason

from ...references.wharf import errors
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant


@mutant("M502", of="wharf", kills=("ORD-LIFE-250",))
def takes_one_reason_for_another(plant: Plant) -> None:
    """Tells of an order that would have taken liquidity that its price was invalid."""
    wrong = {"would_take": RejectReason.INVALID_PRICE}
    plant.replace(errors, "REASONS", lambda true: {**true, **wrong})


@mutant("M503", of="wharf", kills=("ORD-LIFE-250",))
def swaps_two_reasons(plant: Plant) -> None:
    """Takes below the minimum for above the maximum, and the other way round."""
    low, high = "below_minimum", "above_maximum"
    plant.replace(errors, "REASONS", lambda true: {**true, low: true[high], high: true[low]})
