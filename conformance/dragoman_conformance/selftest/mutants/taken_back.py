"""Bugs in what is told of fills that the venue takes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...references.ferry.polling import AccountWatch
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant


@mutant("M512", of="ferry", kills=("FIL-090",))
def takes_no_fill_for_news_twice(plant: Plant) -> None:
    """Knows a fill by its id alone, and so never tells that it was taken back."""

    def known(_: Any) -> Any:
        def is_news(self: Any, row: Any) -> bool:
            return row.id not in self._fills

        return is_news

    plant.replace(AccountWatch, "_is_news", known)
