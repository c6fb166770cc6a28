"""A gateway that is killed while its clients send orders, and comes back to the same folder.

The venue is a gateway too, in a process of its own, and is never killed: what it shows at the end
is what happened.
"""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import aiohttp
import pytest
from tests.effort import effort

ROOT = Path(__file__).parents[3]
LONGEST_S = effort(300, quick=300, soak=3600)
PAUSE_S = 0.02
ORDERS = effort(50, quick=20, soak=1000)
KILLS = effort(2, quick=1, soak=14)
WORKERS = 12
COMMAND = "import sys; from dragoman.cli import main; sys.exit(main(sys.argv[1:]))"
KEYS = {"APCA-API-KEY-ID": "any", "APCA-API-SECRET-KEY": "any-secret"}
AGAIN = frozenset({408, 409, 429})


class Process:
    """`dragoman serve` in a process of its own."""

    def __init__(self, folder, *arguments):
        self.folder = folder
        self.arguments = arguments
        self.process = None
        self.url = None

    async def start(self):
        self.folder.mkdir(exist_ok=True)
        plain = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", COMMAND, "serve", "--json", "--no-page", "--port", "0", *self.arguments),
            cwd=ROOT,
            env={
                **plain,
                "HOME": str(self.folder),
                "DRAGOMAN_STATE_DIR": str(self.folder / "state"),
                "APCA_API_KEY_ID": "PK-of-tests",
                "APCA_API_SECRET_KEY": "secret-of-tests",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        line = await self.process.stdout.readline()
        assert line, (await self.process.stderr.read()).decode()
        self.url = json.loads(line)["url"]

    async def kill(self):
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
        if self.process is not None:
            await self.process.communicate()


class Stage:
    """The venue, the gateway before it, and clients that never give up."""

    def __init__(self, folder, session):
        self.session = session
        self.venue = Process(
            folder / "venue",
            *("--provider", "mock", "--dialect", "alpaca", "--option", "cash=100000000"),
        )
        self.folder = folder
        self.gateway = None
        self.answers = {}

    async def open(self):
        await self.venue.start()
        self.gateway = Process(
            self.folder / "gateway",
            *("--provider", "alpaca-paper", "--dialect", "alpaca"),
            *("--endpoint", f"rest={self.venue.url}"),
        )
        await self.gateway.start()

    async def close(self):
        for process in (self.gateway, self.venue):
            if process is not None:
                await process.kill()

    async def restart(self):
        await self.gateway.kill()
        await self.gateway.start()

    async def post(self, key, order):
        """Ask once; None where nothing was answered."""
        headers = {**KEYS, "Idempotency-Key": key}
        try:
            async with self.session.post(
                f"{self.gateway.url}/v2/orders", json=order, headers=headers
            ) as answer:
                return answer.status, await answer.json()
        except (aiohttp.ClientError, ConnectionError):
            return None

    async def insist(self, key, order):
        """Ask until there is an answer that says what came of it."""
        while True:
            found = await self.post(key, order)
            if found is not None and found[0] < 500 and found[0] not in AGAIN:
                self.answers[key] = found
                return
            await asyncio.sleep(PAUSE_S)

    async def at_venue(self):
        """Return every order that the venue has."""
        found, after = [], "2000-01-01T00:00:00Z"
        while True:
            asked = {"status": "all", "direction": "asc", "limit": "500", "after": after}
            async with self.session.get(
                f"{self.venue.url}/v2/orders", params=asked, headers=KEYS
            ) as answer:
                page = await answer.json()
            found += page
            if len(page) < 500:
                return found
            after = page[-1]["submitted_at"]


def order(number):
    """Return an order told apart by its price; every other one is named by its client."""
    terms = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "day"}
    name = {"client_order_id": f"mine-{number}"} if number % 2 else {}
    return {**terms, "limit_price": f"{1 + number / 100:.2f}", **name}


@pytest.fixture
async def stage(tmp_path):
    async with aiohttp.ClientSession() as session:
        stage = Stage(tmp_path, session)
        try:
            await stage.open()
            yield stage
        finally:
            await stage.close()


async def test_f59_killed_again_and_again_every_order_is_there_once_and_every_answer_true(stage):
    left = iter(range(ORDERS))

    async def work():
        for number in left:
            await stage.insist(f"key-{number}", order(number))

    async def kill():
        for number in range(1, KILLS + 1):
            due = number * ORDERS // (KILLS + 1)
            while len(stage.answers) < due:  # noqa: ASYNC110 - comes from other processes
                await asyncio.sleep(PAUSE_S)
            await stage.restart()

    async with asyncio.timeout(LONGEST_S), asyncio.TaskGroup() as group:
        for _ in range(WORKERS):
            group.create_task(work())
        group.create_task(kill())

    rows = await stage.at_venue()
    by_price = Counter(row["limit_price"] for row in rows)
    assert [] == [found for found in stage.answers.values() if found[0] != 200]
    assert ORDERS == len(stage.answers)
    assert ORDERS == len(rows)
    assert {1} == set(by_price.values())
    told = {body["client_order_id"]: body["limit_price"] for _, body in stage.answers.values()}
    assert {row["client_order_id"]: row["limit_price"] for row in rows} == told
    for number in range(ORDERS):
        body = stage.answers[f"key-{number}"][1]
        assert float(order(number)["limit_price"]) == float(body["limit_price"])


async def test_an_order_that_arrives_after_its_gateway_was_killed_is_found_by_a_repeat(stage):
    stage.venue.process.send_signal(signal.SIGSTOP)
    try:
        both = [asyncio.ensure_future(stage.post("k", order(0))) for _ in range(2)]
        async with asyncio.timeout(LONGEST_S):
            (refused,), _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        await stage.gateway.kill()
    finally:
        stage.venue.process.send_signal(signal.SIGCONT)
    answers = await asyncio.gather(*both)
    await stage.gateway.start()
    async with asyncio.timeout(LONGEST_S):
        await stage.insist("k", order(0))

    (row,) = await stage.at_venue()
    status, body = stage.answers["k"]
    assert 409 == refused.result()[0]
    assert None in answers
    assert (200, row["client_order_id"]) == (status, body["client_order_id"])
