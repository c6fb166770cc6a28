"""A dialect of a few routes, and a venue whose answers wait for the test."""

import asyncio
import json

import attrs
from aiohttp import web
from tests.core.sync.venue import PROTOCOL, Venue, VenueAdapter

import dragoman
from dragoman import Registry, Side
from dragoman.dialects import Dialect, Scope
from dragoman.permits import current_permit

SECRET = "canary-of-the-toy"
LAST_WORDS = "too slow"
HELD = attrs.evolve(PROTOCOL, adapter="tests.core.dialects.toy:HeldAdapter", dialect="no.such:One")


class HeldVenue(Venue):
    """HELD is answered, and its first byte written, once the test lets go."""

    def __init__(self):
        super().__init__()
        self.arrived = asyncio.Event()
        self.released = asyncio.Event()
        self.taken = []

    def connect(self, **settings):
        settings = {"account_id": "one", **settings}
        return dragoman.connect("fake", registry=Registry([HELD]), clock=self, **settings)


class HeldAdapter(VenueAdapter):
    def for_account(self, account_id):
        return HeldAdapter(attrs.evolve(self.context, account_id=account_id))

    async def submit(self, request):
        if request.symbol == "HELD":
            self.venue.arrived.set()
            await self.venue.released.wait()
        with current_permit().writing():
            self.venue.taken.append(request.client_order_id)
        return await super().submit(request)


class ToyDialect(Dialect):
    """Keys in X-Key and X-Secret; a socket shows them in its first frame, apart by a space."""

    name = "toy"

    def __init__(self):
        self.host = None
        self.ended = []
        self.sockets = []
        self.lifetime = []

    def mount(self, app, host):
        self.host = host
        app.on_startup.append(self._note("startup"))
        app.on_cleanup.append(self._note("cleanup"))
        app.router.add_get("/account", self.account)
        app.router.add_post("/orders", self.submit)
        app.router.add_post("/echo", self.echo)
        app.router.add_route("*", "/stuck", self.stuck)
        app.router.add_get("/boom", self.boom)
        app.router.add_get("/lines", self.lines)
        app.router.add_get("/large", self.large)
        app.router.add_get("/nothing-said", self.say_nothing)
        app.router.add_get("/stream", self.stream)
        app.router.add_get("/flood", self.flood)
        app.router.add_get("/patience", self.patience)
        app.router.add_get("/deaf", self.deaf)
        app.router.add_get("/moved", self.moved)
        app.router.add_get("/brief", self.brief)

    def refuse(self, status, message):
        return web.Response(
            status=status, text=json.dumps({"toy": message}), content_type="application/json"
        )

    def hints(self, url):
        return (f"TOY_URL={url}", "TOY_KEY=anything")

    def _note(self, word):
        async def note(app):
            self.lifetime.append(word)

        return note

    async def access(self, request, scope):
        shown = request.headers
        found = await self.host.authenticate(shown.get("X-Key"), shown.get("X-Secret"))
        found.require(scope)
        return found

    async def account(self, request):
        broker = (await self.access(request, Scope.READ)).broker
        return web.json_response({"account": (await broker.fetch_account()).account_id})

    async def submit(self, request):
        try:
            broker = (await self.access(request, Scope.TRADE)).broker
            asked = json.loads(await request.read())
            order = await broker.submit(
                symbol=asked["symbol"],
                side=Side.BUY,
                order_type=dragoman.OrderType.MARKET,
                quantity=1,
                client_order_id=asked["id"],
            )
            return web.json_response({"status": order.status})
        finally:
            self.ended.append("submit")

    async def echo(self, request):
        return web.Response(body=await request.read())

    async def stuck(self, request):
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.ended.append("stuck")

    async def boom(self, request):
        raise ZeroDivisionError(SECRET)

    async def lines(self, request):
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"one\n")
        raise ZeroDivisionError(SECRET)

    async def large(self, request):
        self.ended.append("large")
        return web.Response(body=bytes(64 * 1024 * 1024))

    async def say_nothing(self, request):
        return None

    async def stream(self, request):
        async with self.host.open_socket(request, protocols=("toy.1",)) as socket:
            self.sockets.append(socket)
            key, _, secret = (await socket.receive(30) or "").partition(" ")
            try:
                await self.host.authenticate(key, secret)
            except dragoman.AuthenticationError:
                await socket.close(4001, "who are you")
                return socket.response
            socket.send("welcome")
            async for frame in socket:
                if frame == "boom":
                    raise ZeroDivisionError(SECRET)
                socket.send(frame)
            assert None is await socket.receive()
        self.ended.append("stream")
        return socket.response

    async def flood(self, request):
        async with self.host.open_socket(
            request, last_words=None if "mute" in request.query else LAST_WORDS
        ) as socket:
            self.sockets.append(socket)
            while socket.send(b"x" * 65536):  # noqa: ASYNC110 - the writer takes its turns
                await asyncio.sleep(0)
            await socket.close()
        self.ended.append("flood")
        return socket.response

    async def deaf(self, request):
        async with self.host.open_socket(request) as socket:
            self.sockets.append(socket)
            await self.stuck(request)

    async def moved(self, request):
        raise web.HTTPFound("/account")

    async def brief(self, request):
        async with self.host.open_socket(request) as socket:
            self.sockets.append(socket)
            socket.send("bye" + "x" * int(request.query.get("size", 0)))
            if "reason" in request.query:
                socket.end(4002, request.query["reason"])
        self.ended.append("brief")
        return socket.response

    async def patience(self, request):
        async with self.host.open_socket(request) as socket:
            try:
                await socket.receive(0.01)
            except TimeoutError:
                socket.send("nothing yet")
            socket.send(await socket.receive())
            await socket.receive()
        return socket.response
