"""Bugs at the edges of windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...references.ferry import mapping as ferry_mapping
from ..grafts import rewrites
from ..mutant import mutant

if TYPE_CHECKING:
    from dragoman.models import Window

    from ..mutant import Plant


@mutant("M509", of="ferry", kills=("TIM-070",))
def asks_up_to_a_thousandth_too_early(plant: Plant) -> None:
    """Asks for what came before the thousandth that a window ends in."""

    def earlier(told: list[tuple[str, str]], window: Window) -> list[tuple[str, str]]:
        end = {"to": str(ferry_mapping.millis_of(window.end_ns or 0) - 1)}
        return [(name, end.get(name, text)) for name, text in told]

    rewrites(plant, ferry_mapping, "span_of", earlier)
