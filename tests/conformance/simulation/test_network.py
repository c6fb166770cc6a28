"""What the simulated network does to requests and frames, kind by kind."""

import asyncio
import json
from random import Random

import pytest

from dragoman.errors import (
    AuthenticationError,
    ConnectFailedError,
    HaltedError,
    OutcomeUnknownError,
    StreamLostError,
    VenueUnavailableError,
)
from dragoman.permits import SendPermit
from dragoman.transport.base import HttpRequest, Lane, StreamRequest
from dragoman_conformance.harbor.settings import FillStyle, HarborSettings
from dragoman_conformance.harbor.venue import HarborVenue
from dragoman_conformance.simulation.history import History
from dragoman_conformance.simulation.loop import VirtualLoop, run_virtual
from dragoman_conformance.simulation.network import Network
from dragoman_conformance.simulation.plan import Fault, Trigger
from dragoman_conformance.simulation.transport import Life, make_transport
from dragoman_conformance.simulation.weather import Weather, triggers_of

BASE = "http://127.0.0.1:8787"
SECOND_NS = 1_000_000_000


class Sea:
    """A venue behind a network with the given faults."""

    def __init__(self, *faults, seed=1, **settings):
        self.loop = VirtualLoop(Random(seed), max_seconds=600)
        self.history = History()
        self.venue = HarborVenue(
            HarborSettings(**{"fills": FillStyle.NONE, "reject_share": 0.0, **settings}),
            now_ns=lambda: self.loop.now_ns,
            schedule=lambda delay_ns, act: self.loop.call_later(delay_ns / 1e9, act),
        )
        self.weather = Weather([Fault.parse(one) for one in faults], self.history, self.loop)
        self.network = Network(
            self.loop, self.venue, self.weather, random=Random(seed), history=self.history
        )
        self.life = Life()
        self.transport = make_transport(self.network, self.life)

    def run(self, main):
        return run_virtual(self.loop, main)

    def submit(self, timeout_s=10.0, permit=None):
        async def main():
            with permit or SendPermit(lambda: None):
                return await self.transport.send(order_request(timeout_s))

        return self.run(main())

    @property
    def taken(self):
        return len(self.venue.orders())


def order_request(timeout_s=10.0, name="a"):
    content = {
        "account": "A1",
        "client_id": name,
        "symbol": "AAPL",
        "side": "buy",
        "type": "limit",
        "quantity": "3",
        "price": "99.50",
    }
    return HttpRequest(
        name="POST /orders",
        method="POST",
        url=f"{BASE}/orders",
        headers=(("harbor-key", "captain"),),
        body=json.dumps(content).encode(),
        lane=Lane.ORDER,
        timeout_s=timeout_s,
    )


def test_a_request_is_served_once_and_its_first_byte_marked():
    sea = Sea()

    response = sea.submit()

    (accepted,) = sea.venue.ledger.of("accepted")
    assert (201, 1) == (response.status, sea.taken)
    assert "first-byte" == sea.history.of("wire")[0]["row"]
    assert 1 == accepted["mark"]


@pytest.mark.parametrize("kind", ["connect_refused", "reset_before"])
def test_what_fails_before_the_first_byte_sends_nothing(kind):
    sea = Sea(f"submit#1:{kind}")

    with pytest.raises(ConnectFailedError):
        sea.submit()

    assert ([], 0) == (sea.history.of("wire"), sea.taken)


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        ("reset_mid", 0),
        ("lost", 0),
        ("reset_after", 1),
        ("reset_response", 1),
        ("truncated", 1),
        ("black_hole", 1),
        ("black_hole:11000", 1),
        ("late_arrival:9990", 1),
    ],
)
def test_what_fails_after_the_first_byte_is_unknown(kind, taken):
    sea = Sea(f"submit#1:{kind}")

    async def main():
        with pytest.raises(OutcomeUnknownError):
            await sea.transport.send(order_request())
        await asyncio.sleep(1)

    sea.run(main())

    assert taken == sea.taken


@pytest.mark.parametrize(
    ("kind", "status", "taken"),
    [
        ("status:502", 502, 1),
        ("status_unserved:502", 502, 0),
        ("throttled:3", 429, 0),
        ("redirect", 307, 0),
        ("html", 200, 1),
        ("empty", 200, 1),
        ("other_body", 201, 1),
        ("twice", 409, 1),
        ("black_hole:4000", 201, 1),
    ],
)
def test_what_is_answered_otherwise_is_served_or_not(kind, status, taken):
    sea = Sea(f"submit#1:{kind}")

    response = sea.submit()

    assert (status, taken) == (response.status, sea.taken)


def test_a_fill_comes_just_before_the_request_about_the_order():
    sea = Sea("cancel#1:fill_first")

    async def main():
        await sea.transport.send(order_request())
        cancel = HttpRequest(
            name="DELETE",
            method="DELETE",
            url=f"{BASE}/orders/by-client-id/a",
            headers=(("harbor-key", "captain"),),
            lane=Lane.CANCEL,
        )
        return (await sea.transport.send(cancel)).status

    assert 409 == sea.run(main())
    assert "filled" == sea.venue.orders()[0]["state"]


def test_a_request_goes_on_when_its_sender_is_gone():
    sea = Sea()

    async def main():
        task = sea.loop.create_task(sea.transport.send(order_request()))
        await asyncio.sleep(0.04)
        assert sea.history.of("wire")
        task.cancel()
        await asyncio.sleep(1)

    sea.run(main())

    assert 1 == sea.taken


def test_a_dead_process_sends_nothing():
    sea = Sea()
    sea.life.is_over = True

    async def main():
        task = sea.loop.create_task(sea.transport.send(order_request()))
        await asyncio.sleep(5)
        task.cancel()

    sea.run(main())

    assert ([], 0) == (sea.history.of("wire"), sea.taken)


def test_a_permit_that_is_refused_keeps_the_first_byte_back():
    def refuse():
        raise HaltedError("no")

    sea = Sea()

    with pytest.raises(HaltedError):
        sea.submit(permit=SendPermit(refuse))

    assert ([], 0) == (sea.history.of("wire"), sea.taken)


class Ear:
    """A subscribed client of the stream, which hears a number of orders being placed."""

    def __init__(self, *faults, orders=4, seed=1):
        self.sea = Sea(*faults, seed=seed)
        self.heard = []
        self.end = None
        self.sea.run(self._main(orders))

    async def _main(self, orders):
        request = StreamRequest(name="stream", url="ws://127.0.0.1:8787/stream", heartbeat_s=10)
        wire = await self.sea.transport.open(request)
        await wire.send('{"op": "auth", "key": "captain"}')
        await wire.send('{"op": "subscribe", "account": "A1", "id": 1}')
        reader = self.sea.loop.create_task(self._read(wire))
        await asyncio.sleep(1)
        for _ in range(orders):
            self.sea.venue.place_external("AAPL", "buy", "1", "2")
        await asyncio.sleep(30)
        await wire.aclose()
        await reader

    async def _read(self, wire):
        while True:
            try:
                self.heard.append(str(await wire.receive()))
            except StreamLostError as lost:
                self.end = lost.message
                return

    def ids(self):
        """Return the numbers of the events heard, None for what can't be read."""
        found = []
        for text in self.heard:
            try:
                message = json.loads(text)
            except ValueError:
                found.append(None)
                continue
            if message.get("event_id"):
                found.append(int(message["event_id"].removeprefix("e")))
        return found


def test_frames_come_in_order_however_long_each_trip_takes():
    for seed in range(10):
        assert [1, 2, 3, 4] == Ear(seed=seed).ids()


@pytest.mark.parametrize(
    ("fault", "ids"),
    [
        ("frame#2:drop", [1, 3, 4]),
        ("frame#2:drop:2", [1, 4]),
        ("frame#2:duplicate", [1, 2, 2, 3, 4]),
        ("frame#3:replay:2", [1, 2, 3, 2, 3, 4]),
        ("frame#1:delay:4000", [1, 2, 3, 4]),
        ("frame#2:garbage", [1, None, 3, 4]),
        ("frame#2:missing_field", [1, 2, 3, 4]),
        ("frame#2:bad_enum", [1, 2, 3, 4]),
    ],
)
def test_frames_are_spoiled_as_the_fault_says(fault, ids):
    assert ids == Ear(fault).ids()


def test_frames_are_reordered_and_none_is_lost():
    orders = [Ear("frame#1:reorder:4", seed=seed).ids() for seed in range(8)]

    assert {(1, 2, 3, 4)} == {tuple(sorted(one)) for one in orders}
    assert len({tuple(one) for one in orders}) > 3


def test_held_frames_are_let_go_when_too_few_come():
    assert [1, 2] == sorted(Ear("frame#1:reorder:20", orders=2).ids())


def test_an_unknown_word_and_a_missing_field_are_in_the_frame():
    (unknown,) = [text for text in Ear("frame#2:bad_enum").heard if "levitating" in text]
    lacking = [text for text in Ear("frame#2:missing_field").heard if '"order"' in text]

    assert "levitating" == json.loads(unknown)["order"]["state"]
    assert [False] == [
        "quantity" in json.loads(text)["order"] for text in lacking if '"e2"' in text
    ]


@pytest.mark.parametrize(("fault", "end"), [("frame#2:stream_reset", "reset by peer")])
def test_a_reset_ends_the_stream_and_drops_what_was_on_its_way(fault, end):
    ear = Ear(fault)

    assert [] == ear.ids()
    assert ear.end is not None
    assert end in ear.end


def test_a_mute_stream_stays_open_and_says_nothing():
    ear = Ear("frame#1:mute")

    assert [] == ear.ids()
    assert not [text for text in ear.heard if "heartbeat" in text]
    assert ear.end is not None
    assert "closed here" in ear.end


def test_a_vanished_peer_answers_no_ping():
    ear = Ear("frame#1:half_open")

    assert ear.end is not None
    assert "no pong" in ear.end


def test_a_subscription_may_go_unconfirmed():
    ear = Ear("open#1:no_ack", orders=0)

    assert not [text for text in ear.heard if "subscribed" in text]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refuse_opens:2", VenueUnavailableError),
        ("unauthorized:2", AuthenticationError),
        ("connect_refused:2", ConnectFailedError),
    ],
)
def test_streams_are_refused_as_often_as_the_fault_says(kind, error):
    sea = Sea(f"open#1:{kind}")
    request = StreamRequest(name="stream", url="ws://127.0.0.1:8787/stream")

    async def main():
        for _ in range(2):
            with pytest.raises(error):
                await sea.transport.open(request)
        await sea.transport.open(request)

    sea.run(main())

    assert 1 == len(sea.venue.streams)


@pytest.mark.parametrize(
    ("method", "path", "kinds"),
    [
        ("POST", "/orders", (Trigger.HTTP, Trigger.SUBMIT)),
        ("PATCH", "/orders/h1", (Trigger.HTTP, Trigger.REPLACE)),
        ("DELETE", "/orders/by-client-id/a", (Trigger.HTTP, Trigger.CANCEL)),
        ("GET", "/orders/by-client-id/a", (Trigger.HTTP, Trigger.LOOKUP)),
        ("GET", "/orders/open?account=A1", (Trigger.HTTP, Trigger.LIST)),
        ("GET", "/orders/history?account=A1", (Trigger.HTTP, Trigger.LIST)),
        ("GET", "/fills?account=A1", (Trigger.HTTP, Trigger.FILLS)),
        ("GET", "/accounts", (Trigger.HTTP,)),
    ],
)
def test_a_request_counts_as_what_it_asks_for(method, path, kinds):
    request = HttpRequest(name="x", method=method, url=BASE + path)

    assert kinds == triggers_of(request)


def test_a_fault_strikes_at_its_number_and_is_noted():
    sea = Sea("submit#2:lost", "http#3:html")

    found = [
        [str(one) for one in sea.weather.strike(Trigger.HTTP, Trigger.SUBMIT)] for _ in range(4)
    ]

    sea.loop.close()

    assert [[], ["submit#2:lost"], ["http#3:html"], []] == found
    assert ["submit#2:lost", "http#3:html"] == [row["fault"] for row in sea.history.of("plan")]
