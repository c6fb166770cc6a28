"""Rows of the fault table about readers, accounts and sessions, with brokers of one's own."""

import asyncio
import shutil
from decimal import Decimal
from random import Random

import pytest

from dragoman import connect
from dragoman.errors import AccountLockedError
from dragoman.ids import SeededIds
from dragoman.models import OrderRequest, Side
from dragoman_conformance.harbor.settings import FillStyle, HarborSettings
from dragoman_conformance.harbor.spec import REGISTRY
from dragoman_conformance.harbor.venue import HarborVenue
from dragoman_conformance.simulation.clock import START_NS, SimClock
from dragoman_conformance.simulation.history import History
from dragoman_conformance.simulation.loop import VirtualLoop, run_virtual
from dragoman_conformance.simulation.network import Network
from dragoman_conformance.simulation.transport import Life, make_transport
from dragoman_conformance.simulation.weather import Weather

D = Decimal
SEEDS = range(5)
SECOND_NS = 1_000_000_000

pytestmark = pytest.mark.parametrize("seed", SEEDS)


class Bay:
    """A venue on a virtual loop, and as many brokers as a test wants."""

    def __init__(self, seed, **settings):
        usual = {"reject_share": 0.0, "fills": FillStyle.NONE, "rate_limit": 10_000}
        self.loop = VirtualLoop(Random(seed), max_seconds=3_600)
        self.clock = SimClock(self.loop)
        self.history = History()
        self.venue = HarborVenue(
            HarborSettings(**{**usual, **settings}),
            now_ns=lambda: START_NS + self.loop.now_ns,
            schedule=lambda delay_ns, act: self.loop.call_later(delay_ns / 1e9, act),
            seed=seed,
        )
        self.network = Network(
            self.loop,
            self.venue,
            Weather((), self.history, self.loop),
            random=Random(seed),
            history=self.history,
        )
        self._random = Random(seed)
        self._brokers = 0

    def connect(self, **settings):
        self._brokers += 1
        usual = {
            "registry": REGISTRY,
            "account_id": "A1",
            "clock": SimClock(self.loop),
            "ids": SeededIds(f"b{self._brokers}"),
            "random": self._random,
            "transport": lambda: make_transport(self.network, Life()),
            "key": "captain",
        }
        return connect("harbor", **{**usual, **settings})

    def run(self, main):
        return run_virtual(self.loop, main)


def buy(name, quantity="1"):
    return OrderRequest.limit(
        "AAPL", Side.BUY, D(quantity), limit_price=D(99), client_order_id=name
    )


def test_f48_a_second_owner_of_an_account_may_not_submit(seed, tmp_path):
    bay = Bay(seed)

    async def main():
        async with (
            bay.connect(state_dir=tmp_path) as owner,
            bay.connect(state_dir=tmp_path) as guest,
        ):
            await owner.submit(buy("a"))
            with pytest.raises(AccountLockedError):
                await guest.submit(buy("b"))
            await guest.cancel("a")
            await bay.clock.sleep_ns(2 * SECOND_NS)
        async with bay.connect(state_dir=tmp_path) as heir:
            await heir.submit(buy("c"))

    bay.run(main())
    shutil.rmtree(tmp_path)

    placed = [row["order"]["client_id"] for row in bay.venue.ledger.of("accepted")]
    assert ["a", "c"] == placed
    assert ["canceled"] == [row["state"] for row in bay.venue.ledger.of("ended")]


def test_f57_a_reader_that_stands_still_loses_no_private_event(seed):
    bay = Bay(seed, fills=FillStyle.FULL)
    wanted = {"orders": True, "positions": True, "buffer": 8}

    async def main():
        async with bay.connect() as broker, broker.stream(**wanted) as events:
            for number in range(30):
                await broker.submit(buy(f"o{number}"))
            await bay.clock.sleep_ns(60 * SECOND_NS)
            heard = []
            async for event in events:
                if getattr(event, "sequence", None):
                    heard.append(event.sequence)
                if heard and heard[-1] == broker.state.sequence:
                    return heard
        return None

    heard = bay.run(main())

    told = sorted(heard)
    assert heard == told
    assert len(set(told)) == len(told) >= 120


def test_f58_a_callback_that_raises_or_hangs_stops_nobody_else(seed):
    bay = Bay(seed)
    heard = []

    def raises(event):
        raise ValueError(type(event).__name__)

    async def hangs(_):
        await asyncio.Event().wait()

    async def main():
        bay.loop.set_exception_handler(lambda *_: None)
        async with bay.connect() as broker:
            wanted = {"orders": True}
            listeners = [
                broker.listen(raises, **wanted),
                broker.listen(hangs, **wanted),
                broker.listen(lambda event: heard.append(getattr(event, "kind", None)), **wanted),
            ]
            async with listeners[0], listeners[1], listeners[2]:
                await broker.submit(buy("a"))
                await broker.submit(buy("b"))
                await bay.clock.sleep_ns(90 * SECOND_NS)
            return broker.health.state

    assert "LIVE" == bay.run(main())
    assert ["SUBMITTED", "ACCEPTED"] * 2 == [kind for kind in heard if kind]


def test_f68_a_hundred_connections_at_once_leave_nothing_behind(seed):
    bay = Bay(seed)

    async def once():
        async with bay.connect() as broker:
            await broker.fetch_positions()

    async def main():
        await asyncio.gather(*[once() for _ in range(100)])
        await bay.clock.sleep_ns(SECOND_NS)
        return {task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}}

    assert set() == bay.run(main())
    assert () == bay.venue.streams
