"""Where scenarios are played: one process, one loop, virtual time, and a venue under control."""

from __future__ import annotations

from .clock import NOON_NS, StageClock
from .loop import StageLoop, StuckError, run_on_stage
from .stage import Stage
from .venue import StageVenue

__all__ = [
    "NOON_NS",
    "Stage",
    "StageClock",
    "StageLoop",
    "StageVenue",
    "StuckError",
    "run_on_stage",
]
