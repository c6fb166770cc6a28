"""Bugs in looking an order up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.errors import DragomanError

from ...references.ferry.adapter import FerryAdapter
from ...references.wharf.adapter import WharfAdapter
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant


def _hopeless(true: Any) -> Any:
    async def fetch_order(self: Any, account_id: str, **ids: Any) -> Any:
        try:
            return await true(self, account_id, **ids)
        except DragomanError:
            return None

    return fetch_order


@mutant("M515", of="ferry", kills=("ERR-070",))
def takes_a_senseless_answer_for_an_absence(plant: Plant) -> None:
    """Tells an order as not there when the answer to its look-up makes no sense."""
    plant.replace(FerryAdapter, "fetch_order", _hopeless)


@mutant("M516", of="wharf", kills=("ERR-070",))
def takes_an_outage_for_an_absence(plant: Plant) -> None:
    """Tells an order as not there when its look-up fails."""
    plant.replace(WharfAdapter, "fetch_order", _hopeless)
