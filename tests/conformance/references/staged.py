"""A reference on the kit's stage: real sockets, time that passes only while nobody is busy."""

import asyncio
import functools
import inspect
from contextlib import AsyncExitStack

from dragoman import OrderEvent, PositionEvent
from dragoman.paper.settings import FeeSchedule, VenueSettings
from dragoman_conformance.stage.clock import StageClock
from dragoman_conformance.stage.loop import run_on_stage
from dragoman_conformance.stage.stage import Stage

SECOND_NS = 1_000_000_000


class Scene:
    """A stage, a broker connected to it, and what it has told."""

    def __init__(self, stage, clock):
        self.stage = stage
        self.venue = stage.venue
        self.clock = clock
        self.broker = None
        self.told = []
        self._stack = AsyncExitStack()

    async def connect(self, **options):
        self.broker = await self.stage.connect(**options)
        hears = self.broker.listen(self.told.append, orders=True, positions=True, account=True)
        await self._stack.enter_async_context(hears)
        return self.broker

    async def close(self):
        await self._stack.aclose()

    async def settle(self, seconds=1.0):
        """Let time pass, so that what is on its way arrives."""
        await self.clock.sleep_ns(round(seconds * SECOND_NS))

    def of(self, kind):
        return [event for event in self.told if isinstance(event, kind)]

    def kinds(self, client_order_id):
        events = [
            one for one in self.of(OrderEvent) if one.order.client_order_id == client_order_id
        ]
        return [str(one.kind) for one in events if not one.kind.startswith("PENDING_")]

    def fills(self, client_order_id):
        events = [
            one for one in self.of(OrderEvent) if one.order.client_order_id == client_order_id
        ]
        return [(str(e.fill.quantity), str(e.fill.price)) for e in events if e.fill is not None]

    def held(self):
        return {one.position.symbol: one.position.quantity for one in self.of(PositionEvent)}


def staged(subject, **settings):
    """Run an async test on a stage of its own; it is given a scene with a connected broker."""

    def decorate(test):
        async def play(**given):
            clock = StageClock(asyncio.get_running_loop())
            made = VenueSettings(**{"fees": FeeSchedule.free(), **settings})
            async with Stage(subject, clock, made) as stage:
                scene = Scene(stage, clock)
                await scene.connect()
                await test(scene, **given)
                await scene.close()

        @functools.wraps(test)
        def run(**given):
            run_on_stage(play(**given))

        parameters = list(inspect.signature(test).parameters.values())[1:]
        run.__signature__ = inspect.Signature(parameters)
        del run.__wrapped__
        return run

    return decorate
