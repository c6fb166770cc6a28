"""A venue in this process, and clients in others, which die and come back.

Each goes by a time in which no stall of the machine shows, but for those clients that are to notice
one. Where an account is in doubt all the same, whoever submits waits until it is not.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.patience import PatientClock

import dragoman
from dragoman_conformance.harbor.server import HarborServer
from dragoman_conformance.harbor.settings import FillStyle, HarborSettings
from dragoman_conformance.harbor.spec import REGISTRY

VICTIM = Path(__file__).with_name("victim.py")
LONGEST_S = 60.0


class Victim:
    """A client in a process of its own."""

    def __init__(self, process):
        self.process = process
        self.said = []

    async def tell(self, **facts):
        self.process.stdin.write(json.dumps(facts).encode() + b"\n")
        await self.process.stdin.drain()

    async def hear(self, until):
        """Read lines until one has that key, and return it; all are kept in `said`."""
        async with asyncio.timeout(LONGEST_S):
            while line := await self.process.stdout.readline():
                facts = json.loads(line)
                self.said.append(facts)
                if until in facts:
                    return facts
                assert "ended" not in facts, f"the act ended early: {facts}"
        raise AssertionError(f"it ended without {until!r}: {(await self.complaint()).decode()}")

    async def complaint(self):
        return await self.process.stderr.read()

    def signal(self, number):
        self.process.send_signal(number)

    async def ended(self):
        """Wait for its end; the exit code and what it wrote to standard error."""
        async with asyncio.timeout(LONGEST_S):
            _, complaint = await self.process.communicate()
        return self.process.returncode, complaint.decode()


class Dock:
    """The venue, the folder that the clients' journals are in, and the clients."""

    def __init__(self, server, state_dir, clock):
        self.server = server
        self.clock = clock
        self.state_dir = state_dir
        self._victims = []

    @property
    def ledger(self):
        return self.server.venue.ledger

    def facts(self, act, account="A1", **more):
        return {
            "act": act,
            "endpoints": self.server.endpoints(),
            "account": account,
            "state_dir": str(self.state_dir),
            **more,
        }

    async def start(self, act, account="A1", **more):
        return await self._spawn(json.dumps(self.facts(act, account, **more)))

    async def forker(self):
        victim = await self._spawn("--forker")
        await victim.hear("ready")
        return victim

    async def _spawn(self, argument):
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(VICTIM), argument, limit=2**24, **pipes
        )
        self._victims.append(Victim(process))
        return self._victims[-1]

    def connect(self, account="A1", **more):
        return dragoman.connect(
            "harbor",
            registry=REGISTRY,
            endpoints=self.server.endpoints(),
            account_id=account,
            state_dir=self.state_dir,
            clock=self.clock,
            key="captain",
            reconciling_wait_s=LONGEST_S,
            **more,
        )

    async def eventually(self, condition):
        """Wait for what comes over a socket or from another process, neither of which says so."""
        async with asyncio.timeout(LONGEST_S):
            while not condition():  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0.005)

    def orders(self, client_order_id=None):
        """Return the orders that the venue took, of one intent or all."""
        found = [row["order"] for row in self.ledger.of("accepted")]
        return [one for one in found if client_order_id in (None, one["client_id"])]

    async def aclose(self):
        for victim in self._victims:
            if victim.process.returncode is None:
                victim.process.kill()
            await victim.process.communicate()


@pytest.fixture
async def open_dock(tmp_path):
    """Open a venue with settings of one's own."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:

        async def open_dock(*, speed=1.0, **settings):
            clock = PatientClock(loop, speed)
            terms = {"fills": FillStyle.NONE, "reject_share": 0.0, "rate_limit": 100_000}
            server = HarborServer(HarborSettings(**{**terms, **settings}), clock=clock)
            dock = Dock(await stack.enter_async_context(server), tmp_path / "state", clock)
            stack.push_async_callback(dock.aclose)
            return dock

        yield open_dock


@pytest.fixture
async def dock(open_dock):
    return await open_dock()
