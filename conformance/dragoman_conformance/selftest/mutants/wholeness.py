"""Bugs that leave a model with something in it that is none of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from ...references.wharf import mapping
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant


@mutant("M460", of="wharf", kills=("CAP-090",))
def tells_an_instant_for_a_name(plant: Plant) -> None:
    """Puts the time of receipt where the provider's name is due, in prints."""
    plant.replace(
        mapping,
        "trade_of",
        lambda true: (
            lambda row, reading: attrs.evolve(true(row, reading), provider=reading.received_at_ns)
        ),
    )


@mutant("M461", of="wharf", kills=("CAP-090",))
def tells_models_under_another_name(plant: Plant) -> None:
    """Names the protocol where the provider's name is due."""
    plant.replace(
        mapping,
        "position_of",
        lambda true: lambda row, reading: attrs.evolve(true(row, reading), provider="wharf-api"),
    )


@mutant("M462", of="wharf", kills=("CAP-100",))
def forgets_whether_an_order_was_triggered(plant: Plant) -> None:
    """Leaves out a field that wharf tells of every order."""
    plant.replace(
        mapping,
        "order_of",
        lambda true: lambda row, reading: attrs.evolve(true(row, reading), is_triggered=None),
    )


@mutant("M463", of="wharf", kills=("CAP-100",))
def forgets_the_cash_of_an_account(plant: Plant) -> None:
    """Leaves out the cash of an account."""
    plant.replace(
        mapping,
        "account_of",
        lambda true: lambda row, reading: attrs.evolve(true(row, reading), cash=None),
    )
