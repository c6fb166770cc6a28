"""A desk on the scripted venue with no session around it: nothing but the desk itself reads."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

from dragoman import PrivateEvent, SeededIds
from dragoman.adapter import AdapterContext, Environment
from dragoman.orders.blotter import Blotter
from dragoman.orders.commands import OrderCommands
from dragoman.orders.desk import OrderDesk
from dragoman.orders.halt import HaltSwitch
from dragoman.orders.journal import MemoryJournal
from dragoman.orders.tracker import OrderTracker

from .fake_adapter import FakeAdapter, FakeVenue


class BareDesk:
    """The orders of one account at a scripted venue; whether its stream is live is a field."""

    def __init__(self, venue: FakeVenue) -> None:
        self.venue = venue
        self.is_live = True
        self.alarms: list[tuple[str, str | None]] = []
        self.told: list[PrivateEvent] = []
        context = AdapterContext(
            provider="fake",
            environment=Environment.SIMULATED,
            account_id="one",
            clock=venue.clock,
            ids=SeededIds(),
            options={"venue": venue},
            random=Random(7),
        )
        self.tracker = OrderTracker("one", "fake")
        self.journal = MemoryJournal()
        self.blotter = Blotter(
            FakeAdapter(context),
            "one",
            journal=self.journal,
            tracker=self.tracker,
            halt=HaltSwitch(),
            tell=lambda events: self.spread(self.journal.append(events)),
            spread=self.spread,
            alarm=lambda kind, _, name: self.alarms.append((kind, name)),
            is_live=lambda: self.is_live,
        )
        self.desk = OrderDesk(self.blotter)
        self.commands = OrderCommands(self.blotter)

    def spread(self, events: Sequence[PrivateEvent]) -> None:
        """Keep what was told."""
        self.told += events


@asynccontextmanager
async def bare_desk(venue: FakeVenue) -> AsyncIterator[BareDesk]:
    """Open a desk, and end its tasks."""
    desk = BareDesk(venue)
    yield desk
    desk.blotter.watch.close()
    await desk.blotter.scope.close()
