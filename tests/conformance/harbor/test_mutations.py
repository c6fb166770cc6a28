"""C-1: whatever one field of a frame or a response becomes, the stream lives and nothing lies."""

import asyncio
import contextlib
import copy
import json
import random
from decimal import Decimal

import attrs
import pytest

from dragoman.adapter import AdapterContext, Environment
from dragoman.credentials import Credentials
from dragoman.errors import DragomanError, Outcome
from dragoman.models import OrderEvent, OrderRequest, PositionEvent, Side
from dragoman.permits import SendPermit
from dragoman.times import ManualClock
from dragoman.transport.base import HttpResponse
from dragoman.transport.link import Link
from dragoman.transport.link_report import LinkState, Undecoded
from dragoman.transport.memory import MemoryTransport
from dragoman.transport.memory_wire import MemoryWire
from dragoman_conformance.harbor.adapter import HarborAdapter
from dragoman_conformance.harbor.stream import HarborStreamProtocol

from .test_adapter import ENDPOINTS, Quay

D = Decimal
NUMBERS = ["NaN", "-Infinity", "1e9999999", "-1", "-0", "0", "9" * 50, "0." + "9" * 50, " 1", "١٢"]
WORDS = ["", "x" * 3000, "\u0000", "\ud800", "../..", "a\r\nb", "'; --", "\u202e", "OPEN", "filled"]
SHAPES = [None, True, [], {}, [[]], {"a": {}}, 0, -1, 1.5, 10**30, 1e300]
TIMES = ["-1", "9" * 25, "9" * 4000, "1e18", "0", "²", "1767796200.5"]
VALUES = [*NUMBERS, *WORDS, *SHAPES, *TIMES]


def paths_of(value, path=()):
    """Yield the path of every field and item within a document."""
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*path, key)
            yield from paths_of(value[key], (*path, key))


def turned(value):
    """Return a value as the other of number and text."""
    if isinstance(value, str) and value.replace(".", "", 1).isdigit():
        return float(value) if "." in value else int(value)
    return str(value)


def mutations_of(document):
    """Yield the documents in which one field is dropped, renamed, doubled, or something else."""
    for path in paths_of(document):
        for change in ("drop", "rename", "turn", *VALUES):
            mutant = copy.deepcopy(document)
            place = mutant
            for key in path[:-1]:
                place = place[key]
            last = path[-1]
            if change in ("drop", "rename"):
                value = place.pop(last)
                if change == "rename" and isinstance(place, dict):
                    place[f"{last}_"] = value
            else:
                place[last] = turned(place[last]) if change == "turn" else change
            yield path, mutant


def text_of(document):
    return json.dumps(document, separators=(",", ":"))


ORDER = {
    "venue_id": "h1",
    "client_id": "a",
    "account": "A1",
    "symbol": "AAPL",
    "side": "buy",
    "type": "limit",
    "quantity": "3.10",
    "price": "99.50",
    "state": "partially-filled",
    "filled": "1.00",
    "revision": 0,
    "canceling": False,
    "created_ns": "1767796200000000000",
    "updated_ns": "1767796201000000000",
}
FILL = {
    "fill_id": "x1",
    "venue_id": "h1",
    "client_id": "a",
    "account": "A1",
    "symbol": "AAPL",
    "side": "buy",
    "quantity": "1.00",
    "price": "99.50",
    "time_ns": "1767796201000000000",
}
FRAMES = [
    {
        "type": "order",
        "event_id": "e1",
        "time_ns": "1767796201000000000",
        "what": "fill",
        "order": ORDER,
        "fill": FILL,
    },
    {
        "type": "order",
        "event_id": "e2",
        "time_ns": "1767796201000000000",
        "what": "accepted",
        "order": ORDER | {"state": "open", "filled": "0"},
    },
    {
        "type": "position",
        "event_id": "e3",
        "time_ns": "1767796201000000000",
        "position": {"account": "A1", "symbol": "AAPL", "quantity": "-1.5"},
    },
    {"type": "heartbeat", "time_ns": "1767796201000000000"},
    {"type": "error", "code": "bad-message"},
]


class Pier:
    """One open stream of harbor's; the test is the venue."""

    def __init__(self):
        self.clock = ManualClock()
        self.opened = 0
        self.far = None
        self.greeting = None

    async def open(self, request):
        self.opened += 1
        near, self.far = MemoryWire.pair(request.name)
        self.greeting = asyncio.create_task(self.greet())
        return near

    async def greet(self):
        for answer in ({"type": "auth", "ok": True}, {"type": "subscribed", "ok": True, "id": 1}):
            await self.far.receive()
            await self.far.send(text_of(answer))

    async def refuse(self, request):
        raise NotImplementedError

    @contextlib.asynccontextmanager
    async def live(self):
        transport = MemoryTransport(self.refuse, stream=self.open)
        context = AdapterContext(
            provider="harbor",
            environment=Environment.SIMULATED,
            endpoints=ENDPOINTS,
            credentials=Credentials({"key": "captain"}),
            account_id="A1",
            make_transport=lambda: transport,
            clock=self.clock,
        )
        link = Link(
            HarborStreamProtocol(context, "A1"),
            transport=transport,
            clock=self.clock,
            random=random.Random(1),
        )
        async with link:
            yield link

    async def hear(self, link, text):
        """Say one text and return what the link tells of it."""
        await self.far.send(text)
        await self.far.send(text_of(FRAMES[1] | {"event_id": "end"}))
        told = []
        async with asyncio.timeout(10):
            while not any(is_end(item) for item in told):
                told += await anext(link)
        return [item for item in told if not is_end(item)]


def is_end(item):
    return isinstance(item, tuple) and "end" == item[0].event_id


def is_sound(event, frame):
    """Tell whether an event says nothing that its frame does not say."""
    if isinstance(event, PositionEvent):
        return event.position.quantity == D(str(frame["position"]["quantity"]))
    order, said = event.order, frame["order"]
    amounts = [(order.quantity, said["quantity"]), (order.filled_quantity, said["filled"])]
    if event.fill is not None:
        fill = frame["fill"]
        amounts += [(event.fill.quantity, fill["quantity"]), (event.fill.price, fill["price"])]
    return all(ours == D(str(theirs)) for ours, theirs in amounts) and (
        order.side == said["side"].upper() and order.symbol == said["symbol"]
    )


@pytest.mark.parametrize("frame", FRAMES, ids=["fill", "accepted", "position", "beat", "error"])
async def test_c1_no_change_of_one_field_ends_the_stream_or_makes_it_lie(frame):
    pier = Pier()
    async with pier.live() as link:
        await anext(link)
        for path, mutant in mutations_of(frame):
            told = await pier.hear(link, text_of(mutant))

            assert (LinkState.LIVE, 1) == (link.state, pier.opened), (path, mutant)
            for item in told:
                if not isinstance(item, Undecoded):
                    (event,) = item
                    assert isinstance(event, (OrderEvent, PositionEvent)), (path, mutant)
                    assert is_sound(event, mutant), (path, mutant, event)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "0",
        '"order"',
        "{",
        "\ufeff{}",
        "NaN",
        "[" * 400,
        '{"type":' * 40,
        b"\xff\xfe",
        b"{}",
    ],
)
async def test_c1_what_is_no_frame_at_all_is_told_and_the_stream_lives(text):
    pier = Pier()
    async with pier.live() as link:
        await anext(link)
        told = await pier.hear(link, text)

        assert [Undecoded] == [type(item) for item in told]
        assert (LinkState.LIVE, 1) == (link.state, pier.opened)


class Changed(Quay):
    """A venue whose answers are changed on their way; it does what it is told all the same."""

    change = None

    async def _answer(self, request):
        reply = await super()._answer(request)
        if self.change is None or request.method == "GET":
            return reply
        return HttpResponse(status=reply.status, headers=reply.headers, body=self.change)


def request(name):
    return OrderRequest.limit(
        "AAPL",
        Side.BUY,
        D("3.10"),
        limit_price=D("99.50"),
        client_order_id=name,
        account_id="A1",
    )


async def outcome_of(adapter):
    """Submit one order; return what is known of it, and the order where there is one."""
    with SendPermit(lambda: None) as permit:
        try:
            return None, await adapter.submit(request("a"))
        except DragomanError as error:
            # that nothing was sent is not believed where the permit was used
            is_unknown = error.outcome is Outcome.NOT_SENT and permit.is_used
            return (Outcome.UNKNOWN if is_unknown else error.outcome), None


async def test_c1_no_change_of_an_answer_to_an_order_proves_what_is_not_so():
    for path, mutant in mutations_of(ORDER | {"state": "open"}):
        quay = Changed()
        quay.change = text_of(mutant).encode()
        context = attrs.evolve(quay.adapter().context, clock=ManualClock())  # limits of its own
        adapter = HarborAdapter(context)
        outcome, order = await outcome_of(adapter)
        await adapter.aclose()

        assert 1 == len(quay.venue.orders())
        if order is None:
            assert outcome in (Outcome.UNKNOWN, None), (path, mutant)
        else:
            said = (mutant["client_id"], mutant["symbol"], D(str(mutant["quantity"])))
            assert said == (order.client_order_id, order.symbol, order.quantity), (path, mutant)
            assert "a" == order.client_order_id
