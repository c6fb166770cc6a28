"""One run: a plan played on a loop of its own, and judged."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

import attrs

from .checker import Breach, check
from .history import History
from .loop import VirtualLoop, run_virtual
from .plan import FaultKind, Plan, Verb
from .world import World

__all__ = ["Run", "play"]

_MAX_SECONDS = 6 * 3600.0
_MAX_STEPS = 2_000_000
_FAST = Path("/dev/shm")  # noqa: S108 - only where it exists, and in a folder made for the run


@attrs.frozen
class Run:
    """What came of a plan: its history, and every invariant that was broken."""

    plan: Plan
    history: History
    breaches: tuple[Breach, ...]

    @property
    def hash(self) -> str:
        """The digest of the history: equal for equal runs."""
        return self.history.hash()

    def report(self) -> str:
        """Return what to print of a run that failed: the breaches and the line that repeats it."""
        found = "\n".join(f"  {breach}" for breach in self.breaches)
        return f'{found}\nrepeat with: python -m dragoman_conformance.simulation "{self.plan}"'


def play(plan: Plan) -> Run:
    """Play a plan and judge what came of it. Nothing of it touches the network."""
    if not needs_files(plan):
        return _played(plan, None)
    place = _FAST if _FAST.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        return _played(plan, Path(folder))


def needs_files(plan: Plan) -> bool:
    """Tell whether a process starts again in a plan, so that its journal must outlive it."""
    is_restarted = any(action.verb is Verb.RESTART for action in plan.actions)
    return is_restarted or any(fault.kind is FaultKind.CRASH for fault in plan.faults)


def _played(plan: Plan, folder: Path | None) -> Run:
    random = Random(f"{plan.seed} schedule")  # noqa: S311 - choices to repeat, no secret
    loop = VirtualLoop(random, max_seconds=_MAX_SECONDS, max_steps=_MAX_STEPS)
    world = World(plan, loop, folder)
    breaches: list[Breach] = []
    try:
        run_virtual(loop, world.play())
    except Exception as error:  # noqa: BLE001 - told as what broke the run, with its line
        breaches.append(Breach("run", type(error).__name__, str(error)))
    history = world.history
    breaches += check(history.of("venue"), history.of("client"))
    return Run(plan, history, tuple(breaches))
