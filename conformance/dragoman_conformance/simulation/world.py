"""Everything of one run put together: loop, venue, network, client, and what befalls them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from dragoman_conformance.harbor.settings import MILLISECOND_NS, FillStyle, HarborSettings
from dragoman_conformance.harbor.venue import HarborVenue

from .client import Memory, SimClient
from .clock import START_NS, SimClock, WallError
from .history import History
from .network import Network
from .plan import FaultKind, Trigger, Verb
from .weather import Weather

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .loop import VirtualLoop
    from .plan import Action, Fault, Plan

__all__ = ["CALM_S", "World"]

CALM_S = 100.0
"""How much virtual time there is to get well in after the last action and fault: a breaker may hold
requests back for half a minute, the timer's turn comes every half a minute, and an order of unknown
fate is looked for every half a minute, twice."""
_RESTART_S = 0.5
_BURIALS = 4
_OWN = "simulation"
_OF_THE_VENUE = frozenset(
    {
        FaultKind.LAG,
        FaultKind.MAINTENANCE,
        FaultKind.BAN,
        FaultKind.EXTERNAL,
        FaultKind.FILL,
    }
)


class World:
    """One run of one plan.

    Args:
        folder: Where journals may be written; None keeps them in memory, where nothing can crash.
    """

    def __init__(self, plan: Plan, loop: VirtualLoop, folder: Path | None = None) -> None:
        self.plan = plan
        self.loop = loop
        self.history = History()
        self.clock = SimClock(loop)
        self._wall_error = WallError()
        self.memory = Memory()
        self._folder = folder
        self._processes = 0
        self._folders = 0
        self._is_down = False
        self._dead: list[SimClient] = []
        self._starting: asyncio.Task[None] | None = None
        self.venue = HarborVenue(
            _settings(plan),
            now_ns=lambda: START_NS + loop.now_ns,
            schedule=self._schedule,
            seed=plan.seed,
            copy=self.history.copy,
        )
        self.network = Network(
            loop,
            self.venue,
            Weather(plan.faults, self.history, loop),
            random=_random(plan, "network"),
            history=self.history,
        )
        self.client = self._new_client(None)
        self.network.health = lambda: self.client.health

    async def play(self) -> None:
        """Play the whole plan, wait until all should be well, and take the client's last words."""
        self._name_own()
        self.loop.set_exception_handler(self._failed)
        self._plan_faults()
        await self._within(self.client.start())
        for action in self._actions():
            await self._until(action.at_ms / 1000)
            await self._act(action)
        while self._is_down or self.loop.time() < self._end_s():
            await self.clock.sleep_ns(100 * MILLISECOND_NS)
            await self._until(self._end_s())
        self.client.last_words()
        await self.client.stop()
        for client in self._dead:
            await client.bury()
        self._count_left()

    def _actions(self) -> list[Action]:
        return sorted(self.plan.actions, key=lambda action: action.at_ms)

    async def _act(self, action: Action) -> None:
        self.history.add("plan", "action", action=str(action))
        if action.verb is Verb.RESTART:
            await self._start_anew()
            return
        caller = self.client.act(action)
        for fault in self.network.weather.strike(Trigger.ACTION):
            self._later_in_steps(fault.amount, self._striking(fault, caller))

    def _later_in_steps(self, steps: int, action: Callable[[], None]) -> None:
        self.loop.at_step(self.loop.steps + max(1, steps), action)

    def _plan_faults(self) -> None:
        for fault in self.plan.faults:
            if fault.trigger is Trigger.TIME:
                self.loop.call_at(fault.number / 1000, self._strike_noted, fault)
            elif fault.trigger is Trigger.STEP:
                self.loop.at_step(fault.number, self._striking(fault, None))

    def _striking(self, fault: Fault, caller: asyncio.Task[None] | None) -> Callable[[], None]:
        def strike() -> None:
            if fault.kind is FaultKind.CANCEL_CALLER and caller is not None:
                caller.cancel()
            elif fault.trigger is Trigger.STEP:
                self._strike_noted(fault)
            else:
                self._strike(fault)

        return strike

    def _strike_noted(self, fault: Fault) -> None:
        self.network.weather.note(fault)
        self._strike(fault)

    def _strike(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.CRASH:
                self._crash()
            case FaultKind.HALT:
                self.client.halt("as the weather has it")
            case FaultKind.CLOCK_STEP:
                self._wall_error.offset_ns += fault.amount * MILLISECOND_NS
            case FaultKind.BLOCK:
                self.loop.block(fault.amount / 1000)
            case _ if fault.kind in _OF_THE_VENUE:
                self._strike_venue(fault)
            case _:
                self.network.strike_wires(fault)

    def _strike_venue(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.LAG:
                self.venue.set_visibility_delay(fault.amount * MILLISECOND_NS)
            case FaultKind.MAINTENANCE:
                self.venue.close_for(fault.amount * MILLISECOND_NS)
            case FaultKind.BAN:
                self.venue.ban_for(fault.amount * MILLISECOND_NS)
            case FaultKind.EXTERNAL:
                self.venue.place_external("MSFT", "buy", str(fault.amount or 1), "50.10")
            case _:
                orders = self.venue.orders()
                if len(orders) >= fault.amount > 0:
                    self.venue.fill(orders[fault.amount - 1]["venue_id"])

    def _crash(self) -> None:
        """Take the client's process away: its journal stays as it is at this very moment."""
        if self._is_down or self._folder is None:
            return
        self._is_down = True
        client = self.client
        client.die()
        self._dead.append(client)
        copy = self._next_folder()
        if Path(client.state_dir).is_dir():
            shutil.copytree(client.state_dir, copy)
        for wire in self.network.wires:
            wire.cut("the process is gone")
        self.client = self._new_client(str(copy))
        for turn in range(_BURIALS):
            self.loop.call_later(turn * _RESTART_S / _BURIALS, self._bury)
        self.loop.call_later(_RESTART_S, self._restart)

    def _bury(self) -> None:
        """Cancel what is left of a dead process, and what that starts as it unwinds."""
        for task in asyncio.all_tasks(self.loop):
            if not task.get_name().startswith(_OWN):
                task.cancel()

    def _restart(self) -> None:
        self._starting = self.loop.create_task(self._start_again(), name=f"{_OWN} restart")

    async def _start_again(self) -> None:
        await self._within(self.client.start())
        self._is_down = False

    async def _start_anew(self) -> None:
        """Close in good order and connect again, unless the process dies meanwhile."""
        client = self.client
        if self._is_down:
            return
        await self._within(client.stop())
        if client is self.client:
            self.client = self._new_client(client.state_dir)
            await self._within(self.client.start())

    async def _within(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something as a part of the client's process, which may die before it is done."""
        task = self.loop.create_task(work, name="process")
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()

    def _new_client(self, state_dir: str | None) -> SimClient:
        self._processes += 1
        return SimClient(
            self._processes,
            self.network,
            SimClock(self.loop, self._wall_error),
            state_dir=state_dir or str(self._next_folder()),
            random=_random(self.plan, f"client {self._processes}"),
            memory=self.memory,
        )

    def _next_folder(self) -> Path | str:
        if self._folder is None:
            return ":memory:"
        self._folders += 1
        return self._folder / f"process-{self._folders}"

    async def _until(self, seconds: float) -> None:
        remaining_ns = round(seconds * 1e9) - self.loop.now_ns
        if remaining_ns > 0:
            await self.clock.sleep_ns(remaining_ns)

    def _end_s(self) -> float:
        """Return when all should be well: every fault is over by then, and calm has reigned."""
        latest = max((action.at_ms for action in self.plan.actions), default=0)
        for fault in self.plan.faults:
            if fault.trigger is Trigger.TIME:
                latest = max(latest, fault.number + fault.lasts_ms)
        return max(latest / 1000, self.network.weather.over_s) + CALM_S

    def _failed(self, _: object, context: dict[str, Any]) -> None:
        """Write down what nobody caught: it is a bug, of the library or of the kit."""
        error = context.get("exception")
        task = str(context.get("message"))
        self.history.add("client", "failed", task=task, error=type(error).__name__)

    def _count_left(self) -> None:
        left = [
            task.get_name()
            for task in asyncio.all_tasks(self.loop)
            if not task.get_name().startswith(_OWN)
        ]
        self.history.add("client", "left", tasks=sorted(left))

    def _schedule(self, delay_ns: int, action: Callable[[], None]) -> None:
        self.loop.call_later(delay_ns / 1e9, action)

    def _name_own(self) -> None:
        current = asyncio.current_task()
        if current is not None:
            current.set_name(f"{_OWN} main")


def _settings(plan: Plan) -> HarborSettings:
    return HarborSettings(
        fills=FillStyle(plan.fills),
        visibility_delay_ns=plan.lag * MILLISECOND_NS,
        late_fill_share=plan.late / 100,
        reject_share=plan.rejects / 100,
        has_unique_ids=plan.unique,
    )


def _random(plan: Plan, what: str) -> Random:
    return Random(f"{plan.seed} {what}")  # noqa: S311 - choices to repeat, no secret
