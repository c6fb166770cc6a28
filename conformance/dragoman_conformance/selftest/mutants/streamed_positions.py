"""Bugs in which positions the stream tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...references.ferry.polling import AccountWatch
from ..grafts import rewrites
from ..mutant import mutant

if TYPE_CHECKING:
    from dragoman.models import PositionEvent

    from ..mutant import Plant


@mutant("M513", of="ferry", kills=("POS-110",))
def never_tells_that_a_position_is_gone(plant: Plant) -> None:
    """Tells the positions that the venue lists; one that it lists no more is told no more."""

    def still_there(told: list[PositionEvent], *_: Any) -> list[PositionEvent]:
        return [one for one in told if one.position.quantity]

    rewrites(plant, AccountWatch, "_told_positions", still_there)
