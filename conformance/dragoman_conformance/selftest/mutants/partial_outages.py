"""Bugs in what becomes of an order while one kind of read fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dragoman.errors import DragomanError

from ...references.ferry.polling import AccountWatch
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant


@mutant("M514", of="ferry", kills=("REC-040",))
def forgets_an_order_that_cannot_be_looked_up(plant: Plant) -> None:
    """Forgets an order that is not listed any more if looking it up fails, for whatever reason."""

    def forgetful(_: Any) -> Any:
        async def gone(self: Any, shown: Any) -> list[Any]:
            found: list[Any] = []
            for order_id in self._known.missing(shown):
                try:
                    found.append(await self._rest.order(self._account_id, order_id=order_id))
                except DragomanError:
                    self._known.drop(order_id)
            return found

        return gone

    plant.replace(AccountWatch, "_gone", forgetful)
