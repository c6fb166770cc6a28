"""A scripted venue for streams: wires in memory, a clock that can jump, and a small protocol."""

import asyncio
import contextlib
import json
import random
from functools import partial

from dragoman.errors import (
    AuthenticationError,
    ConnectFailedError,
    DecodeError,
    DragomanError,
    StreamLostError,
)
from dragoman.times import SECOND_NS, ManualClock
from dragoman.transport.base import Lane, StreamRequest, Transport, Wire
from dragoman.transport.link import Link
from dragoman.transport.link_report import LinkChange
from dragoman.transport.link_terms import LinkTerms
from dragoman.transport.stream_protocol import MessageFraming, Rollover, StreamProtocol


class JumpyClock(ManualClock):
    """A manual clock whose loop can be blocked and whose machine can be suspended."""

    wall_offset_ns = 0

    def now_ns(self):
        return super().now_ns() + self.wall_offset_ns

    async def block(self, seconds):
        """Let time pass in which no task runs."""
        self._now_ns += round(seconds * SECOND_NS)
        await self.advance()

    async def settle(self):
        await self.advance()


class ScriptedWire(Wire):
    """The client's end; the test is the venue."""

    def __init__(self, venue):
        self.venue = venue
        self.sent = []
        self.pieces = asyncio.Queue()
        self.is_closed = False
        self.is_stuck = False
        self.readers = 0
        self.writers = 0

    async def receive(self):
        assert self.readers == 0
        self.readers += 1
        try:
            piece = await self.pieces.get()
        finally:
            self.readers -= 1
        if isinstance(piece, Exception):
            raise piece
        return piece

    async def send(self, message, lane=Lane.READ):
        if self.is_closed:
            raise StreamLostError("closed")
        assert self.writers == 0
        self.writers += 1
        try:
            await (asyncio.Event().wait() if self.is_stuck else asyncio.sleep(0))
        finally:
            self.writers -= 1
        self.sent.append(message)
        self.venue.answer(self, message)

    async def aclose(self):
        self.is_closed = True

    def say(self, *frames):
        for frame in frames:
            self.pieces.put_nowait(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))

    def cut(self, error=None):
        self.pieces.put_nowait(error or StreamLostError("the peer reset the connection"))


class ScriptedVenue(Transport):
    """Accepts streams, unless `refusals` says otherwise; acknowledges unless told to be silent."""

    def __init__(self):
        self.wires = []
        self.requests = []
        self.refusals = []
        self.refuses_always = None
        self.acks = True
        self.is_closed = False
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def wire(self):
        return self.wires[-1]

    @property
    def open_wires(self):
        return [wire for wire in self.wires if not wire.is_closed]

    async def open(self, request):
        self.requests.append(request)
        refusal = self.refuses_always or (self.refusals.pop(0) if self.refusals else None)
        if refusal is not None:
            raise refusal
        await self.gate.wait()
        self.wires.append(ScriptedWire(self))
        return self.wire

    async def send(self, request):
        raise ConnectFailedError("no requests here")

    async def aclose(self):
        self.is_closed = True

    def answer(self, wire, message):
        if not self.acks or not message.startswith("subscribe"):
            return
        wire.say({"ack": message.removeprefix("subscribe ")})


class ScriptedProtocol(StreamProtocol):
    """Subscribes to each topic and awaits each ack; frames are JSON texts, payloads tuples."""

    name = "test stream"

    def __init__(self, topics=("orders",)):
        self.topics = list(topics)
        self.tokens = 0
        self.refreshes = 0
        self.can_refresh = False
        self.probes = 0
        self.answers_probes = True
        self.probes_at_all = False
        self.beats = None
        self.heartbeat_s = 4.0
        self.expiry_ns = None
        self.alive = bool
        self.kept_alive = 0
        self.keep_alive_failures = []

    @property
    def expires_at_ns(self):
        return self.expiry_ns

    @property
    def can_probe(self):
        return self.probes_at_all

    async def request(self):
        self.tokens += 1
        return StreamRequest(name=self.name, url=f"wss://venue.test/?token={self.tokens}")

    def make_framing(self):
        return MessageFraming()

    async def greet(self, session):
        for topic in self.topics:
            await session.ask(f"subscribe {topic}", partial(ack_of, topic))

    def decode(self, frame):
        found = json.loads(frame)
        if "bad" in found:
            raise DecodeError("not understood")
        if "bug" in found:
            return found["missing"]
        if "expired" in found:
            raise StreamLostError("the listen key expired")
        if "refused" in found:
            raise AuthenticationError("the token died")
        if "leaving" in found:
            return Rollover("the venue announced a shutdown")
        return None if "ack" in found or "beat" in found else (found["event"],)

    def heartbeat(self):
        return self.beats

    def is_alive_sign(self, frame):
        return self.alive(frame)

    async def probe(self, session):
        self.probes += 1
        if not self.answers_probes:
            await asyncio.Event().wait()

    async def keep_alive(self):
        self.kept_alive += 1
        if self.keep_alive_failures:
            raise self.keep_alive_failures.pop(0)

    async def refresh(self):
        self.refreshes += 1
        return self.can_refresh


def ack_of(topic, frame):
    found = json.loads(frame)
    if found.get("refused") == topic:
        raise AuthenticationError("subscription refused")
    return found.get("ack") == topic or None


class Rig:
    def __init__(self, **terms):
        self.clock = JumpyClock()
        self.venue = ScriptedVenue()
        self.protocol = ScriptedProtocol()
        self.terms = LinkTerms(**terms)
        self.told = []
        self.ending = None
        self.link = None

    def make(self, budget=None):
        self.link = Link(
            self.protocol,
            transport=self.venue,
            clock=self.clock,
            random=random.Random(7),
            terms=self.terms,
            budget=budget,
        )
        return self.link

    async def read(self):
        """Take what the link tells from now on, until it ends."""
        try:
            async for batch in self.link:
                self.told += batch
        except DragomanError as error:
            self.ending = error

    @contextlib.asynccontextmanager
    async def live(self):
        async with self.make():
            reader = asyncio.create_task(self.read())
            try:
                await self.clock.settle()
                yield self
            finally:
                reader.cancel()
                await asyncio.wait([reader])

    @property
    def states(self):
        return [told.state for told in self.told if isinstance(told, LinkChange)]

    @property
    def changes(self):
        return [told for told in self.told if isinstance(told, LinkChange)]

    @property
    def events(self):
        return [told[0] for told in self.told if isinstance(told, tuple)]

    def of(self, kind):
        return [told for told in self.told if isinstance(told, kind)]

    async def beat(self, seconds, every=2):
        """Let time pass in which the venue shows that it lives."""
        for _ in range(round(seconds / every)):
            await self.clock.advance(seconds=every)
            self.venue.wire.say({"beat": 1})
        await self.clock.settle()
