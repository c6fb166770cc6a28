"""A venue that keeps one connection, and readers of it that tests let in and out."""

import asyncio
import contextlib
import json
import random
from decimal import Decimal

from dragoman.adapter import AdapterContext, Environment
from dragoman.errors import (
    AuthenticationError,
    DecodeError,
    DragomanError,
    PermissionDeniedError,
)
from dragoman.models import (
    Account,
    AccountEvent,
    AccountEventKind,
    Bar,
    ConnectionEvent,
    ConnectionState,
    MarketStatus,
    Position,
    PositionEvent,
    Quote,
    Subscription,
    Timeframe,
    Trade,
    TradingState,
)
from dragoman.streaming.shared import SharedProtocol, SharedStream
from dragoman.transport.base import StreamRequest
from dragoman.transport.link_terms import LinkTerms
from dragoman.transport.stream_protocol import MessageFraming, Rollover

from ..transport.stream_doubles import JumpyClock, ScriptedVenue

C = ConnectionState
A = Subscription(quotes="A")
B = Subscription(quotes="B")
BOTH = Subscription(quotes=("A", "B"))


class Venue(ScriptedVenue):
    """Authenticates whoever asks; acknowledges each subscription by its own name.

    `refused` are symbols that it will not send, `mute` those that it does not answer about.
    """

    def __init__(self):
        super().__init__()
        self.refused = set()
        self.mute = set()
        self.knows_nobody = False
        self.asked = []

    def answer(self, wire, message):
        asked = json.loads(message)
        if "auth" in asked:
            wire.say({"authenticated": not self.knows_nobody})
            return
        self.asked.append((self.wires.index(wire), asked["subscribe"]))
        wanted = set(asked["subscribe"])
        if not self.acks or wanted & self.mute:
            return
        if wanted & self.refused:
            wire.say({"refused": sorted(wanted & self.refused)})
            return
        wire.say({"subscribed": asked["subscribe"]})

    @property
    def last_asked(self):
        return self.asked[-1][1]


class Protocol(SharedProtocol):
    name = "test stream"

    def __init__(self, clock):
        super().__init__()
        self.clock = clock
        self.anews = []

    async def request(self):
        return StreamRequest(name=self.name, url="wss://venue.test/")

    def make_framing(self):
        return MessageFraming()

    async def authenticate(self, session):
        if not await session.ask(
            '{"auth": 1}', lambda frame: json.loads(frame).get("authenticated")
        ):
            raise AuthenticationError("the venue knows nobody of that name")

    async def subscribe(self, session, wanted, anew):
        self.anews.append(anew)
        names = sorted(
            wanted.quotes
            | wanted.trades
            | {str(one) for one in wanted.channels - {"QUOTES", "TRADES"}}
        )
        found = await session.ask(json.dumps({"subscribe": names}), _ack)
        if "refused" in found:
            raise PermissionDeniedError(f"refused: {found['refused']}")

    def decode(self, frame):
        found = json.loads(frame)
        if "bad" in found:
            raise DecodeError("not understood")
        if "dead" in found:
            raise AuthenticationError("the key was withdrawn")
        if "nonsense" in found:
            return found["nonsense"]
        if "leaving" in found:
            return Rollover("the venue announced a shutdown")
        events = [self._event(*one) for one in found.get("events", ())]
        return events or None

    def _event(self, kind, name, number):
        header = {"provider": "test", "received_at_ns": number}
        private = {"account_id": "me", "received_at_ns": number}
        match kind:
            case "quote":
                event = Quote(symbol=name, bid_price=Decimal(number), **header)
            case "trade":
                event = Trade(symbol=name, price=Decimal(number), size=Decimal(1), **header)
            case "status":
                event = MarketStatus(symbol=name, state=TradingState.OPEN, **header)
            case "account":
                account = Account(account_id="me", **header)
                kind = AccountEventKind.UPDATED
                event = AccountEvent(account=account, kind=kind, **private)
            case "position":
                position = Position(
                    position_id=name,
                    account_id="me",
                    symbol=name,
                    quantity=Decimal(number),
                    **header,
                )
                event = PositionEvent(position=position, **private)
            case timeframe:
                prices = dict.fromkeys(("open", "high", "low", "close"), Decimal(1))
                header["timeframe"] = Timeframe.parse(timeframe)
                event = Bar(symbol=name, open_time_ns=0, is_complete=True, **prices, **header)
        return event


def _ack(frame):
    found = json.loads(frame)
    return found if "subscribed" in found or "refused" in found else None


class Reader:
    """A task that reads until it is told to leave."""

    def __init__(self, shared, subscription, *, reads=True):
        self.told = []
        self.failure = None
        self.is_in = False
        self.stream = None
        self.wanted = subscription
        self._leave = asyncio.Event()
        self._reads = reads
        self.task = asyncio.create_task(self._run(shared, subscription))

    async def _run(self, shared, subscription):
        try:
            async with shared.read(subscription) as self.stream:
                self.is_in = True
                reading = asyncio.create_task(self._read())
                try:
                    await self._leave.wait()
                finally:
                    reading.cancel()
                    await asyncio.wait([reading])
        except DragomanError as error:
            self.failure = error
        finally:
            self.is_in = False

    async def _read(self):
        if not self._reads:
            return
        try:
            async for batch in self.stream:
                self.told += batch
        except DragomanError as error:
            self.failure = error

    def leave(self):
        self._leave.set()

    async def left(self):
        self._leave.set()
        await asyncio.wait([self.task])

    def of(self, kind):
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def states(self):
        return [event.state for event in self.of(ConnectionEvent)]

    @property
    def data(self):
        kinds = (Quote, Trade, Bar, MarketStatus, PositionEvent, AccountEvent)
        return [event.received_at_ns for event in self.told if isinstance(event, kinds)]


class Rig:
    def __init__(self, *, most_waiting=10_000, **terms):
        self.clock = JumpyClock()
        self.venue = Venue()
        self.protocols = []
        self.readers = []
        context = AdapterContext(
            provider="test",
            environment=Environment.SIMULATED,
            clock=self.clock,
            random=random.Random(3),
        )
        self.shared = SharedStream(
            self.make_protocol,
            context=context,
            transport=self.venue,
            terms=LinkTerms(**terms),
            most_waiting=most_waiting,
        )

    def make_protocol(self):
        self.protocols.append(Protocol(self.clock))
        return self.protocols[-1]

    def reader(self, subscription, **how):
        self.readers.append(Reader(self.shared, subscription, **how))
        return self.readers[-1]

    async def entered(self, subscription, **how):
        reader = self.reader(subscription, **how)
        await self.clock.settle()
        assert reader.is_in, reader.failure
        return reader

    async def say(self, *events):
        self.venue.wire.say({"events": events})
        await self.clock.settle()


@contextlib.asynccontextmanager
async def rigged(**how):
    rig = Rig(**how)
    yield rig
    for reader in rig.readers:
        await reader.left()
    await rig.shared.aclose()
    assert [] == rig.venue.open_wires
    names = [task.get_name() for task in asyncio.all_tasks()]
    assert [] == [name for name in names if Protocol.name in name]
