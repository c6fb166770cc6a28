"""A server with the layer for repeated requests in front of a handler in the test's hands."""

import asyncio
from types import SimpleNamespace

import aiohttp
from aiohttp import web

from dragoman.dialects import Access
from dragoman.errors import Outcome
from dragoman.ids import SeededIds
from dragoman.repeats import is_repeat
from dragoman.tasks import TaskScope
from dragoman.times import ManualClock
from dragoman_gateway.idempotency import HEADER, Idempotency

LONGEST_S = 60


class Toy:
    name = "toy"

    def refuse(self, status, message):
        return web.json_response({"toy": message}, status=status)


class Mount:
    """A host of one mount; `act` is what its handler does with the ids it is given."""

    dialect = Toy()

    def __init__(self, gateway, name="toy@/"):
        self.name = name
        self.gateway = gateway
        self.scope = TaskScope()
        self.calls = 0
        self.act = self.say_count
        self.arrived = asyncio.Event()
        self.released = asyncio.Event()
        self.requests = []

    def recognize(self, request):
        client = request.headers.get("X-Client")
        if client == "nobody":
            return None
        return Access(broker=self.gateway.broker, client=client)

    def answer_of(self, error):
        return self.dialect.refuse(504 if error.outcome is Outcome.UNKNOWN else 409, error.message)

    async def handle(self, request):
        self.calls += 1
        self.requests.append(request)
        return await self.act(request)

    async def say_count(self, request):
        return web.json_response({"calls": self.calls}, status=201, headers={"X-Own": "yes"})

    async def say_ids(self, request):
        ids = self.gateway.layer.ids
        return web.json_response({"ids": [ids.next_id(), ids.next_id()], "repeat": is_repeat()})

    async def wait(self, request):
        self.arrived.set()
        await self.released.wait()
        return await self.say_ids(request)


class Gateway:
    """A server, in front of it the layer, that can die and come back."""

    def __init__(self, state_dir):
        self.clock = ManualClock(0)
        self.broker = SimpleNamespace(provider="mock", account_id="paper-1", state_dir=state_dir)
        self.replays = 0
        self.served = 0
        self.mounts = {}
        self.unwritten = False

    async def open(self):
        def replayed():
            self.replays += 1

        self.layer = Idempotency([self.broker], SeededIds(), self.clock, on_replay=replayed)
        await self.layer.open()
        self.mounts = {name: Mount(self, f"{name}@/") for name in ("toy", "other")}
        app = web.Application()
        app.router.add_route("*", "/{mount}{rest:.*}", self.serve)
        self.server = web.AppRunner(app)  # which cancels no handler when its client goes away
        await self.server.setup()
        await web.TCPSite(self.server, "127.0.0.1", 0).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.addresses[0][1]}{path}"

    @property
    def toy(self):
        return self.mounts["toy"]

    async def serve(self, request):
        mount = self.mounts[request.match_info["mount"].split("/")[0]]
        await request.read()
        self.served += 1
        answer = await self.layer(request, mount, mount.handle)
        if self.unwritten:
            self.layer.lost(request)
        return answer

    async def die(self):
        """End as a process does that is killed: nothing more is written."""
        self.layer._settle = lambda *_: None
        await asyncio.gather(*[mount.scope.close() for mount in self.mounts.values()])
        await self.layer.close()
        await self.server.cleanup()

    async def restart(self):
        await self.die()
        await self.open()


def asking(gateway, session):
    """Return what asks a gateway: `ask(key, body, **headers)` gives status, body and headers."""

    async def ask(key=None, body=b"{}", *, method="POST", path="/toy/orders", **headers):
        if key is not None:
            headers[HEADER] = key
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        url = gateway.url(path)
        async with session.request(method, url, data=body, headers=shown) as answer:
            return answer.status, await answer.read(), answer.headers

    return ask


async def eventually(condition):
    async with asyncio.timeout(LONGEST_S):
        while not condition():  # noqa: ASYNC110 - comes over a socket, which does not say so
            await asyncio.sleep(0.002)


async def hang_up(gateway, **headers):
    """Ask with a connection of its own, and end that while the handler waits."""
    async with aiohttp.ClientSession() as session:
        url = gateway.url("/toy/orders")
        asking = asyncio.ensure_future(session.post(url, data=b"{}", headers=headers))
        await gateway.toy.arrived.wait()
        asking.cancel()
        await asyncio.wait([asking])
    await eventually(lambda: gateway.toy.requests[-1].transport is None)


async def begin_and_wait(gateway):
    """Ask with a connection of its own; return it and the task, once the handler waits."""
    calls = gateway.toy.calls
    session = aiohttp.ClientSession()
    asking = asyncio.ensure_future(session.post(gateway.url("/toy/orders"), data=b"{}"))
    await eventually(lambda: gateway.toy.calls > calls)
    return session, asking


async def hang_up_both(gateway, *begun):
    for session, asking in begun:
        asking.cancel()
        await asyncio.wait([asking])
        await session.close()
    await eventually(lambda: all(one.transport is None for one in gateway.toy.requests))
