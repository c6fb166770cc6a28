"""A rule machine over the stage: anything may happen next, and in the end everybody must agree.

It runs in a thread of its own, because each run has a loop, a venue and a connection of its own.
The runs are the same every time, on every machine: each is drawn from a seed. Hypothesis would draw
them from the constants of whatever modules happen to be loaded.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any, Final

from dragoman.errors import DragomanError
from dragoman.models import OrderEvent, OrderEventKind, OrderStatus, Side

from ..chaos import HttpFault, HttpToxic
from ..play import Play
from ..stage.clock import StageClock
from ..stage.loop import StageLoop
from .acts import place_there
from .agreement import disagreement
from .orders import as_it_stands, at_venue, token
from .terms import on_tick

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from dragoman.capabilities import Capabilities
    from dragoman.models import Fill, Order

    from ..stage.records import Records
    from ..subject import Subject

__all__ = ["Finding", "explore"]

_RUNS: Final = 10
_STEPS: Final = 16
_TIMEOUT_S: Final = 2.0
_MOST_BREAKS: Final = 3
_LONGEST_S: Final = 60.0
_SIDES: Final = (Side.BUY, Side.SELL)
_PICKS: Final = range(8)


class Finding(AssertionError):  # noqa: N818 - it is what the machine is for
    """What did not hold after a run, by requirement; `steps` led there."""

    def __init__(self, wrong: dict[str, str], steps: list[str]) -> None:
        after = ", ".join(steps) or "nothing"
        super().__init__(f"{'; '.join(wrong.values())}, after {after}")
        self.wrong: dict[str, str] = {name: f"{why}, after {after}" for name, why in wrong.items()}


def explore(subject: Subject, capabilities: Capabilities, records: Records) -> Finding | None:
    """Play every run, and return what the first one found that went wrong; None if none did."""
    for seed in range(_RUNS):
        machine = _Machine(subject, capabilities, records, Random(seed))  # noqa: S311 - no secret
        try:
            machine.run()
        except Finding as finding:
            return finding
    return None


class _Machine:
    """One run: a connection, and what is done to it."""

    def __init__(
        self, subject: Subject, capabilities: Capabilities, records: Records, random: Random
    ) -> None:
        self._random = random
        self._runner = asyncio.Runner(loop_factory=StageLoop)
        loop = self._runner.get_loop()
        assert isinstance(loop, StageLoop)  # noqa: S101 - what the runner was given
        self._play = Play(subject, capabilities, StageClock(loop), records)
        self.names: list[str] = []
        self._others = 0
        self.breaks = 0
        self._steps: list[str] = []
        self._rules: tuple[Callable[[], None], ...] = (
            self._rest,
            self._take,
            self._cancel,
            self._reprice,
            self._fill,
            self._cancel_there,
            self._place_elsewhere,
            self._rest_unheard,
            self._break_connections,
            self._wait,
        )

    def run(self) -> None:
        """Submit two orders, one of which trades; then do anything, and look what became of it."""
        try:
            self._run("connect", self._play.connect(timeout_s=_TIMEOUT_S))
            self._rest()
            self._take()
            for _ in range(_STEPS):
                self._random.choice(self._rules)()
            self._run("look", self._look(), is_step=False)
        finally:
            self._runner.run(self._play.close())
            self._runner.close()

    def _side(self) -> Side:
        return self._random.choice(_SIDES)

    def _rest(self) -> None:
        """Submit an order that rests."""
        side = self._side()
        self._run(f"rest {side}", self._play.rest(side=side, client_order_id=self._name()))

    def _take(self) -> None:
        """Submit an order that trades at once, as a limit through the market."""
        side = self._side()
        price = self._play.away(side.opposite)
        terms = {"side": side, "client_order_id": self._name(), "limit_price": price}
        self._run(f"take {side}", self._play.rest(**terms))

    def _cancel(self) -> None:
        """Cancel an order of ours, whatever has become of it."""
        name = self._random.choice(self.names)
        self._run(f"cancel {name}", self._play.broker.cancel(name))

    def _reprice(self) -> None:
        """Change the limit price of an order of ours."""
        name, percent = self._random.choice(self.names), self._random.choice((97, 98, 99))
        if "limit_price" not in self._play.capabilities.replace.fields:
            return
        price = on_tick(self._play, self._play.away(Side.BUY) * percent / 100)
        self._run(f"reprice {name}", self._play.broker.replace(name, limit_price=price))

    def _fill(self) -> None:
        """Let the venue fill a part of an open order."""
        pick, quarters = self._random.choice(_PICKS), self._random.choice((1, 2, 3))
        self._run(f"fill {pick}", self._fill_there(pick, quarters))

    def _cancel_there(self) -> None:
        """Let the venue cancel an open order."""
        pick = self._random.choice(_PICKS)
        self._run(f"cancel there {pick}", self._end_there(pick))

    def _place_elsewhere(self) -> None:
        """Let somebody else place an order."""
        self._others += 1
        self._run("place elsewhere", place_there(self._play, f"other-{self._others}"))

    def _rest_unheard(self) -> None:
        """Submit an order that rests, and lose the answer."""
        side = self._side()
        if self._play.stage.has_wire:
            self._play.wire.add(HttpToxic(fault=HttpFault.RESET_AFTER_REQUEST))
            work = self._play.rest(side=side, client_order_id=self._name())
            self._run(f"rest {side} unheard", work)

    def _break_connections(self) -> None:
        """Break every connection, and let them be made anew."""
        if self._play.stage.has_wire and self.breaks < _MOST_BREAKS:
            self.breaks += 1
            self._steps.append("break connections")
            self._play.wire.reset_connections()
            self._run("wait", self._play.pause(0.5))

    def _wait(self) -> None:
        """Let a moment pass."""
        self._run("wait", self._play.pause(0.3))

    def _run(self, step: str, work: Coroutine[Any, Any, object], *, is_step: bool = True) -> None:
        if is_step:
            self._steps.append(step)
        try:
            self._runner.run(_just(work))
        except (DragomanError, LookupError):
            return  # a command may fail; what counts is who knows what afterwards
        except Finding:
            raise
        except Exception as error:
            why = f"{step} raised {type(error).__name__}: {error}"
            raise Finding({"MOD-010": why}, self._steps) from error

    def _name(self) -> str:
        self.names.append(f"step-{len(self.names)}")
        return self.names[-1]

    async def _open_there(self, pick: int) -> Order:
        found = await self._play.venue.open_orders()
        if not found:
            raise LookupError("nothing is open")
        return found[pick % len(found)]

    async def _fill_there(self, pick: int, quarters: int) -> None:
        order = await self._open_there(pick)
        part = self._play.subject.sample.quantity * quarters / 4
        part = min(part, order.remaining_quantity or part)
        account = self._play.venue.account_id
        await self._play.venue.act(
            lambda engine: engine.execute(account, order.client_order_id, part)
        )

    async def _end_there(self, pick: int) -> None:
        order = await self._open_there(pick)
        account = self._play.venue.account_id
        await self._play.venue.act(lambda engine: engine.cancel(account, order.client_order_id))

    async def _look(self) -> None:
        play = self._play
        if play.stage.has_wire:
            play.wire.clear()
        await play.pause(1)
        wrong: dict[str, str] = {}
        differing = await disagreement(play, within_s=_LONGEST_S)
        differing = differing or "; ".join(
            [text for name in self.names for text in await self._unlike(name)]
        )
        if differing:
            wrong["MOD-010"] = differing
        fills = await play.venue.fills()
        await play.until(lambda: not self._wrong_fills(fills), within_s=_LONGEST_S)
        if self._wrong_fills(fills):
            wrong["MOD-020"] = self._wrong_fills(fills)
        strangers = await self._strangers()
        if strangers:
            wrong["MOD-030"] = f"orders that nobody meant: {strangers}"
        if wrong:
            raise Finding(wrong, self._steps)

    async def _unlike(self, name: str) -> list[str]:
        """Compare an order that was never replaced with the venue's own, in every field."""
        known = self._play.broker.state.order(name)
        if known is None or known.revision or known.status is OrderStatus.REJECTED:
            return []
        found = as_it_stands(known, await at_venue(self._play, name))
        return [f"{name}: {text}" for text in found]

    def _wrong_fills(self, there: tuple[Fill, ...]) -> str:
        """Return where the fills that were told are not the venue's, each once."""
        told = [
            event.fill
            for event in self._play.heard
            if isinstance(event, OrderEvent)
            and event.kind is OrderEventKind.FILL
            and event.fill is not None
        ]
        here = sorted((one.side, one.quantity, one.price) for one in told)
        true = sorted((one.side, one.quantity, one.price) for one in there)
        ids = len({one.fill_id for one in told})
        is_once = ids == len(told) and here == true
        return "" if is_once else f"{len(told)} fills told, {ids} ids, {len(there)} at the venue"

    async def _strangers(self) -> list[str]:
        """Return the orders at the venue that are neither ours nor anybody else's."""
        play = self._play
        known = {f"other-{number + 1}" for number in range(self._others)}
        for name in self.names:
            known |= {token(play, name, revision) for revision in range(len(self._steps) + 1)}
        there = [one.client_order_id for one in await play.venue.orders()]
        return [one for one in there if one not in known]


async def _just(work: Coroutine[Any, Any, object]) -> None:
    await work
