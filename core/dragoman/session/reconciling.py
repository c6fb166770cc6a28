"""When an account is compared with the venue: on demand, soon after a doubt, and now and then.

One comparison runs at a time. One that fails is tried again, ever more slowly, until it succeeds.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from dragoman.errors import DragomanError, VenueUnavailableError
from dragoman.resilience.backoff import Backoff
from dragoman.times import SECOND_NS

from .health import Trouble

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from dragoman.times import Clock

    from .health import HealthMonitor

__all__ = ["Reconciling"]

_BACKOFF: Final = Backoff(first_s=1.0, cap_s=10.0)
_LONGEST_S: Final = 60.0
_MOST_DOUBLINGS: Final = 16
_SPREAD: Final = 0.1


class Reconciling:
    """Runs the comparisons of one account and says in its health what is not proved.

    Args:
        work: Compares and takes in what was found; raises what could not be read. It is told
            whether state is unproved until it is done.
        health: Where what is unproved is put.
        clock: Times the pauses; `tick` must be called about once a second.
        random: Spreads the comparisons of many accounts.
        every_s: How long state may go uncompared while all looks well.
    """

    def __init__(
        self,
        work: Callable[[bool], Awaitable[None]],
        health: HealthMonitor,
        clock: Clock,
        random: Random,
        every_s: float,
    ) -> None:
        self._work = work
        self._health = health
        self._clock = clock
        self._random = random
        self._every_s = every_s
        self._wake = asyncio.Event()
        self._demands = 0
        self._doubt: str | None = None
        self._doubts_in_a_row = 0
        self._failures = 0
        self._is_running = False
        self._turn = asyncio.Lock()
        self._due_ns = clock.monotonic_ns()
        self._not_before_ns = 0

    def demand(self, cause: str, *ended: Trouble) -> None:
        """Have state proved anew; until then there is no new exposure.

        Args:
            cause: Why.
            ended: The troubles that this takes the place of.
        """
        self._demands += 1
        self._health.change({Trouble.UNPROVED: cause, **dict.fromkeys(ended)})
        self._hurry(self._clock.monotonic_ns())

    def suggest(self, cause: str) -> None:
        """Have state compared soon; many doubts lead to one comparison, and ever fewer of them."""
        if self._doubt is None:
            self._doubt = cause
            self._health.put(Trouble.CHECK, cause)
            self._hurry(self._clock.monotonic_ns() + self._pause_ns())

    def tick(self) -> None:
        """Let a comparison begin if one is due."""
        if not self._is_running and self._clock.monotonic_ns() >= max(
            self._due_ns, self._not_before_ns
        ):
            self._wake.set()

    async def now(self) -> None:
        """Compare now: the first time, and whenever somebody asks for it.

        Raises:
            DragomanError: Something could not be read.
        """
        async with self._turn:
            await self._compare()

    async def run(self) -> None:
        """Compare whenever it is due, until canceled."""
        while True:
            await self._wake.wait()
            try:
                await self.now()
            except DragomanError as error:
                self._failed(error.message, error.retry_after)
            except Exception as error:  # noqa: BLE001 - a bug in an adapter must not end the watch
                context = {"message": "a comparison met a bug", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)
                self._failed(type(error).__name__, None)

    async def _compare(self) -> None:
        demands, doubt = self._demands, self._doubt
        self._doubt = None
        self._wake.clear()
        self._is_running = True
        try:
            async with asyncio.timeout(_LONGEST_S):
                await self._work(self._health.has(Trouble.UNPROVED))
        except TimeoutError:
            message = f"no comparison within {_LONGEST_S:.0f} s"
            raise VenueUnavailableError(message) from None
        finally:
            self._is_running = False
        self._failures = 0
        self._doubts_in_a_row = 0 if doubt is None else self._doubts_in_a_row + 1
        self._settle(demands)

    def _settle(self, demands: int) -> None:
        """Say what is proved now: not what was demanded while the venue was being read."""
        now_ns = self._clock.monotonic_ns()
        spread = 1 + self._random.uniform(-_SPREAD, _SPREAD)
        self._due_ns = now_ns + round(self._every_s * spread * SECOND_NS)
        proved: dict[Trouble, str | None] = {}
        if self._doubt is None:
            proved[Trouble.CHECK] = None
        else:
            self._due_ns = min(self._due_ns, now_ns + self._pause_ns())
        if self._demands == demands:
            proved |= {Trouble.UNPROVED: None, Trouble.LAG: None}
        else:
            self._due_ns = now_ns
        self._health.change(proved)
        self.tick()

    def _pause_ns(self) -> int:
        """Return how long to wait before a doubt is looked into."""
        doublings = min(self._doubts_in_a_row, _MOST_DOUBLINGS)
        return round(min(2.0**doublings, self._every_s) * SECOND_NS)

    def _failed(self, cause: str, asked_s: float | None) -> None:
        self._failures += 1
        is_blind = self._health.has(Trouble.UNPROVED)
        trouble = Trouble.UNPROVED if is_blind else Trouble.CHECK
        self._health.put(trouble, f"reconciling failed: {cause}")
        delay_ns = _BACKOFF.delay_ns(self._failures, self._random)
        delay_ns = max(delay_ns, round((asked_s or 0) * SECOND_NS))
        self._due_ns = self._not_before_ns = self._clock.monotonic_ns() + delay_ns

    def _hurry(self, at_ns: int) -> None:
        self._due_ns = min(self._due_ns, at_ns)
        self.tick()
