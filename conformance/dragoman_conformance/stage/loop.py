"""An event loop over real sockets whose time passes only while nobody has anything to do.

Adapter, venue and whatever lies between run in one process on loopback, where a byte that was
written is there to be read at once. So when no callback is due and no socket is ready, everybody
waits for a timer, and time may jump to it: ten seconds of backing off take milliseconds, and a
machine that stalls lets nothing time out. A jump comes only after sockets have stayed silent for a
grace of real time, a longer one before a long jump, because a jump too early would look like a
peer too slow.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dragoman.errors import DragomanError
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Executor, Future

__all__ = ["StageLoop", "StuckError", "run_on_stage"]

Result = TypeVar("Result")

_SHORT_GRACE_S: Final = 0.0005
_LONG_GRACE_S: Final = 0.004
_LONG_JUMP_S: Final = 0.25
_REAL_LIMIT_S: Final = 30.0


class StuckError(DragomanError):
    """Nothing can go on: no timer is set, no socket speaks, and real time runs out."""


class _Selector(selectors.DefaultSelector):
    """Waits for sockets; a wait for a timer ends early, with the time told to have passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 0
        self.jobs = 0
        """How many calls are out on threads, which no timer may overtake."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; if nothing is, jump by `timeout`, the time to the next timer."""
        found = super().select(0)
        if found or timeout is None or timeout > 0:
            return found or self._wait(timeout)
        return found

    def _wait(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or self.jobs:
            return self._wait_really()
        found = super().select(_LONG_GRACE_S if timeout > _LONG_JUMP_S else _SHORT_GRACE_S)
        if not found:
            self.now_ns += max(1, round(timeout * SECOND_NS))
        return found

    def _wait_really(self) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(_REAL_LIMIT_S)
        if not found:
            raise StuckError("nothing can go on: nobody set a timer, and no socket is ready")
        return found


class StageLoop(asyncio.SelectorEventLoop):
    """A loop of real sockets and virtual time. Threads are waited for before time goes on."""

    def __init__(self) -> None:
        self._stage_selector = _Selector()
        super().__init__(self._stage_selector)
        self._clock_resolution = 1e-9

    @property
    def now_ns(self) -> int:
        """The nanoseconds of virtual time that have passed."""
        return self._stage_selector.now_ns

    def leap(self, nanoseconds: int) -> None:
        """Let time pass in which nobody does anything, as while a machine sleeps."""
        self._stage_selector.now_ns += nanoseconds

    def time(self) -> float:
        """Return the seconds of virtual time that have passed."""
        return self._stage_selector.now_ns / SECOND_NS

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., Result], *args: object
    ) -> asyncio.Future[Result]:
        """Run a call on a thread; time stands still until it is done."""
        self._stage_selector.jobs += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._job_done)
        return future

    def _job_done(self, _: asyncio.Future[Any] | Future[Any]) -> None:
        self._stage_selector.jobs -= 1


def run_on_stage(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on a loop of its own to its end, and close the loop.

    Raises:
        StuckError: It waits for what can never come.
    """
    with asyncio.Runner(loop_factory=StageLoop) as runner:
        return runner.run(main)
