"""What moves a venue: a task that sleeps until something is due, and lets it happen in turns.

Commands use the same turns to come up to now first. A turn is bounded, so that a fast market never
keeps the loop to itself; after a long pause the feed skips; and when the machine can't keep the
speed asked for, the venue's clock is held back to what it can.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from dragoman.models import Channel, Gap
from dragoman.paper.deadlines import earlier
from dragoman.times import MINUTE_NS, SECOND_NS

from .agenda import Agenda

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.models import Event
    from dragoman.tasks import TaskScope

    from .agenda import Entry
    from .world import World

__all__ = ["Pump"]

_STEPS_A_TURN: Final = 50
_TURNS_BEHIND: Final = 8
_AWAKE: Final = -1
_PRICED: Final = (
    Channel.QUOTES,
    Channel.TRADES,
    Channel.BARS,
    Channel.DEPTH,
    Channel.TICKERS,
)
_LONG_NS: Final = MINUTE_NS
_KEPT_NS: Final = 2 * SECOND_NS


class Pump:
    """Moves a world and tells what happens.

    Args:
        world: What is moved.
        tell: Is given the events, in order.
        scope: Owns the task.
    """

    def __init__(
        self, world: World, tell: Callable[[Sequence[Event]], None], scope: TaskScope
    ) -> None:
        self._world = world
        self._tell = tell
        self._scope = scope
        self._agenda = Agenda()
        self._task: asyncio.Task[None] | None = None
        self._wakes_at_ns: int | None = _AWAKE
        self._steps_behind = 0

    async def start(self) -> None:
        """Come up to now, then move by itself until the scope ends. Once is enough."""
        if self._task is None:
            self._skip_absence()
        await self.catch_up()
        if self._task is None:
            self._spawn()

    def _spawn(self) -> None:
        self._wakes_at_ns = _AWAKE
        self._task = self._scope.spawn(self._run(), "mock venue")

    def schedule(self, at_ns: int, act: Callable[[], None]) -> Entry:
        """Let something happen at an instant, or with the next turn if that has passed."""
        entry = self._agenda.add(at_ns, act)
        self.hasten()
        return entry

    def unschedule(self, entry: Entry) -> None:
        """Take back what was to happen."""
        self._agenda.cancel(entry)

    def hasten(self) -> None:
        """Wake the task up if something is due before it meant to wake."""
        due_ns = self._next_ns()
        if self._task is None or due_ns is None:
            return
        if self._wakes_at_ns is None or due_ns < self._wakes_at_ns:
            self._task.cancel()
            self._spawn()

    def settle(self) -> None:
        """Do what is due at this very instant, and see to it that the task wakes for the rest."""
        self._do_due(self._world.engine.now_ns)
        self.hasten()

    async def catch_up(self) -> None:
        """Bring the venue up to now, giving other tasks their turns meanwhile."""
        clock = self._world.clock
        target_ns = clock.now_ns()
        turns = 0
        while not self._turn(min(target_ns, clock.now_ns())):
            turns += 1
            if clock.speed > 1 and turns >= _TURNS_BEHIND:
                clock.hold(self._world.engine.now_ns)
                return
            await clock.sleep_until_ns(0)

    async def _run(self) -> None:
        while True:
            await self.catch_up()
            due_ns = self._next_ns()
            self._wakes_at_ns = due_ns
            if due_ns is None:
                await asyncio.get_running_loop().create_future()
            else:
                await self._world.clock.sleep_until_ns(due_ns)
            self._wakes_at_ns = _AWAKE

    def _turn(self, target_ns: int) -> bool:
        """Let a few things happen; return whether the venue has reached the instant."""
        engine = self._world.engine
        target_ns = max(target_ns, engine.now_ns)
        for _ in range(_STEPS_A_TURN):
            due_ns = self._next_ns()
            if due_ns is None or due_ns > target_ns:
                self._tell(engine.advance(target_ns))
                self._steps_behind = 0
                return True
            self._tell(engine.advance(max(due_ns, engine.now_ns)))
            self._do_due(engine.now_ns)
            self._skip_long_pause(target_ns)
        return False

    def _skip_absence(self) -> None:
        """Leave out prices that came while nobody was connected and that mattered to nobody."""
        now_ns = self._world.clock.now_ns()
        if now_ns - self._world.engine.now_ns > _LONG_NS and self._world.is_idle:
            self._world.prices.skip_to(now_ns - _KEPT_NS)

    def _skip_long_pause(self, target_ns: int) -> None:
        """After very many steps at one go (a machine that slept) leave the rest out, and say so."""
        self._steps_behind += 1
        if self._steps_behind >= self._world.engine.settings.max_idle_steps:
            self._world.prices.skip_to(target_ns)
            self._steps_behind = 0
            now_ns = self._world.engine.now_ns
            self._tell([Gap(channel=channel, received_at_ns=now_ns) for channel in _PRICED])

    def _do_due(self, now_ns: int) -> None:
        while (entry := self._agenda.take(now_ns)) is not None:
            entry.act()

    def _next_ns(self) -> int | None:
        return earlier(self._world.engine.next_event_ns(), self._agenda.next_ns())
