"""The stream: who may listen, what is told in which order, and what a slow client gets."""

import asyncio
import json
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp
import pytest
from tests.core.dialects.toy import HeldVenue
from tests.core.sync.venue import LOST
from tests.core.transport.raw_server import until

import dragoman
from dragoman.dialects import SimpleHost
from dragoman.models import Quote
from dragoman_gateway.native import NativeDialect

ORDER = {"symbol": "AAPL", "side": dragoman.Side.BUY, "order_type": dragoman.OrderType.MARKET}
LONG_S = 30


class Listener:
    """One client of the stream; reads what it is told."""

    def __init__(self, socket):
        self.socket = socket
        self.told = []

    async def next(self, *kinds):
        """Return the next message of these types; the others are kept in `told`."""
        async with asyncio.timeout(LONG_S):
            while True:
                message = json.loads(await self.socket.receive_str())
                self.told.append(message)
                if not kinds or message["type"] in kinds:
                    return message

    async def ask(self, kind, **fields):
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def subscribe(self, since=None, **channels):
        extra = {} if since is None else {"since": since}
        await self.ask("subscribe", id="s", channels=channels, **extra)
        return await self.next("subscribed", "error")

    async def sequences_until(self, last):
        """Return the sequences of private events up to one."""
        found = []
        while not found or found[-1] < last:
            event = (await self.next("event"))["event"]
            if "sequence" in event:
                found.append(event["sequence"])
        return found


@pytest.fixture
async def venue():
    return HeldVenue()


@pytest.fixture
async def held(venue):
    async with venue.connect() as broker:
        yield broker


@pytest.fixture
def stream(held):
    """Connects to the stream: `async with stream(**settings) as connect`."""

    @asynccontextmanager
    async def serving(brokers=None, **settings):
        async with (
            SimpleHost(brokers or held, NativeDialect(), **settings) as host,
            aiohttp.ClientSession(host.url) as client,
        ):

            async def connect(**more):
                return Listener(await client.ws_connect("/v1/stream", max_msg_size=0, **more))

            yield connect

    return serving


@pytest.fixture
async def listener(stream):
    async with stream() as connect:
        found = await connect()
        await found.next("authenticated")
        yield found


async def place(broker, count):
    for _ in range(count):
        await broker.submit(**ORDER, quantity=1)


def quote(bid, symbol="AAPL"):
    return Quote(symbol=symbol, bid_price=Decimal(bid), provider="fake", received_at_ns=bid)


async def test_the_first_words_say_who_speaks_and_what_the_client_may_do(stream):
    async with stream() as connect:
        client = await connect()

        hello, known = await client.next(), await client.next()

    assert ("hello", "dragoman.native", 1) == (hello["type"], hello["protocol"], hello["version"])
    assert ("authenticated", ["READ", "TRADE", "HALT"]) == (known["type"], known["scopes"])
    assert [{"provider": "fake", "account_id": "one", "environment": "SIMULATED"}] == known[
        "accounts"
    ]


async def test_a_key_is_shown_by_header_or_by_the_first_message(stream, keys, shown):
    async with stream(keys=keys) as connect:
        by_header = await connect(headers=shown("reader"))
        by_message = await connect()
        await by_message.ask("authenticate", id=7, token="the-key-of-the-reader")

        first = await by_header.next("authenticated")
        second = await by_message.next("authenticated")

    assert (None, 7) == (first["id"], second["id"])
    assert ["READ"] == first["scopes"] == second["scopes"]


@pytest.mark.parametrize(
    "first",
    [
        {"type": "authenticate", "token": "a-wrong-token"},
        {"type": "subscribe", "channels": {}},
        {"type": "authenticate"},
    ],
    ids=["wrong", "something-else", "nothing"],
)
async def test_who_shows_no_key_is_told_so_and_let_go(stream, keys, first):
    async with stream(keys=keys) as connect:
        client = await connect()
        await client.socket.send_str(json.dumps(first))

        problem = await client.next("error")
        closing = await client.socket.receive()

    assert problem["error"]["status"] in {401, 422}
    assert (aiohttp.WSMsgType.CLOSE, 4401) == (closing.type, closing.data)


async def test_a_wrong_header_is_refused_before_the_upgrade(stream, keys):
    async with stream(keys=keys) as connect:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect(headers={"X-API-Key": "wrong-key"})

    assert 401 == refused.value.status


async def test_a_key_that_does_not_read_hears_nothing(stream, keys, shown):
    async with stream(keys=keys) as connect:
        client = await connect(headers=shown("halter"))

        refused = await client.subscribe(quotes=["AAPL"])

    assert ("error", "PermissionDeniedError") == (refused["type"], refused["error"]["type"])


async def test_quotes_come_after_the_word_that_they_will(listener, venue):
    answer = await listener.subscribe(quotes=["AAPL"])
    venue.push("AAPL", quote(1), quote(2))

    events = [await listener.next() for _ in range(2)]

    assert ("subscribed", "s", ["AAPL"]) == (
        answer["type"],
        answer["id"],
        answer["channels"]["quotes"],
    )
    assert [("event", "1"), ("event", "2")] == [
        (one["type"], one["event"]["bid_price"]) for one in events
    ]


async def test_each_client_is_told_what_it_asked_for_over_one_upstream(stream, venue):
    async with stream() as connect:
        both, one = await connect(), await connect()
        await both.subscribe(quotes=["AAPL", "MSFT"])
        await one.subscribe(quotes=["AAPL"])
        streams = venue.calls["stream AAPL"] + venue.calls["stream MSFT"]
        key = "AAPL" if "AAPL" in venue.queues else "MSFT"
        venue.push(key, quote(1, "MSFT"), quote(2, "AAPL"))

        first = [(await both.next("event"))["event"]["symbol"] for _ in range(2)]
        second = (await one.next("event"))["event"]["symbol"]

    assert (1, ["MSFT", "AAPL"], "AAPL") == (streams, first, second)


async def test_a_late_client_is_told_how_things_stand(stream, venue):
    async with stream() as connect:
        early, late = await connect(), await connect()
        await early.subscribe(quotes=["AAPL"])
        venue.push("AAPL", quote(5))
        await early.next("event")

        await late.subscribe(quotes=["AAPL"])
        known = await late.next("event")

    assert "5" == known["event"]["bid_price"]


async def test_what_is_unsubscribed_comes_no_more_and_ends_upstream(listener, venue):
    await listener.subscribe(quotes=["AAPL"], orders=True)
    await listener.ask("unsubscribe", id=2, channels={"quotes": ["AAPL", "MSFT"]})

    answer = await listener.next("unsubscribed")
    again = await listener.subscribe(quotes=["AAPL"])
    venue.push("AAPL", quote(9))

    assert (2, [], True) == (
        answer["id"],
        answer["channels"]["quotes"],
        answer["channels"]["orders"],
    )
    assert ["AAPL"] == again["channels"]["quotes"]
    assert "9" == (await listener.next("event"))["event"]["bid_price"]


async def test_private_events_come_numbered_and_all_of_them(listener, held):
    answer = await listener.subscribe(orders=True, positions=True, account=True, ledger=True)
    await place(held, 5)

    found = await listener.sequences_until(held.state.sequence)

    assert [*range(answer["sequence"] + 1, held.state.sequence + 1)] == found


@pytest.mark.parametrize("behind", [0, 3, 10])
async def test_a_resumed_client_misses_nothing_and_gets_nothing_twice(stream, held, behind):
    await place(held, 5)
    async with stream() as connect:
        client = await connect()
        await client.subscribe(since=behind, orders=True, positions=True, account=True, ledger=True)
        await place(held, 5)

        found = await client.sequences_until(held.state.sequence)

    assert [*range(behind + 1, held.state.sequence + 1)] == found
    if not any("level" == one["type"] for one in client.told):
        assert "level" == (await client.next("level"))["type"]


async def test_orders_flow_on_while_a_client_resumes(stream, held):
    await place(held, 50)
    async with stream() as connect:
        clients = [await connect() for _ in range(5)]
        placing = asyncio.create_task(place(held, 50))
        for since, client in enumerate(clients):
            await client.subscribe(since=since, orders=True)
        await placing

        found = [await client.sequences_until(held.state.sequence) for client in clients]

    assert [[*range(since + 1, held.state.sequence + 1)] for since in range(5)] == found


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"since": 1_000_000, "channels": {"orders": True}}, "since"),
        ({"since": -1, "channels": {"orders": True}}, "since"),
        ({"since": 0, "channels": {"quotes": ["AAPL"]}}, "since"),
        ({"since": "0", "channels": {"orders": True}}, "since"),
        ({"channels": {"quotes": "AAPL"}}, "channels.quotes"),
        ({"channels": {"bars": [["AAPL", "x"]]}}, "channels.bars[0][1].timeframe"),
        ({"channels": {"quotesx": ["AAPL"]}}, "channels.quotesx"),
        ({"channels": {"orders": 1}}, "channels.orders"),
        ({}, "channels"),
        ({"provider": "fake", "channels": {}}, "account_id"),
        ({"id": 1.5, "channels": {}}, "id"),
        ({"id": "x" * 200, "channels": {}}, "id"),
    ],
)
async def test_a_wrong_subscription_is_refused_by_name(listener, fields, wrong):
    await listener.ask("subscribe", **fields)

    problem = (await listener.next("error"))["error"]

    assert [wrong] == [one["field"] for one in problem["violations"]]


@pytest.mark.parametrize(
    "frame",
    ["", "{", "[]", "null", '{"type":"sing"}', '{"type":1}', "[" * 60_000, "x" * 70_000, b"{}"],
    ids=["empty", "cut", "list", "null", "unknown", "number", "deep", "long", "binary"],
)
async def test_a_malformed_frame_is_answered_and_ends_nothing(listener, frame):
    send = listener.socket.send_bytes if isinstance(frame, bytes) else listener.socket.send_str
    await send(frame)
    await listener.ask("ping", id="still here")

    problem, pong = await listener.next(), await listener.next()

    assert ("error", 422) == (problem["type"], problem["error"]["status"])
    assert ("pong", "still here") == (pong["type"], pong["id"])


async def test_an_account_that_is_not_served_is_not_found(listener):
    await listener.ask("subscribe", provider="fake", account_id="two", channels={})

    assert 404 == (await listener.next("error"))["error"]["status"]


async def test_too_many_topics_are_refused_and_the_rest_stays(listener, venue):
    await listener.subscribe(quotes=["AAPL"])

    refused = await listener.subscribe(quotes=[f"S{number}" for number in range(1000)])
    venue.push("AAPL", quote(1))

    assert ("error", "LimitExceededError") == (refused["type"], refused["error"]["type"])
    assert "1" == (await listener.next("event"))["event"]["bid_price"]


async def test_market_data_lost_upstream_is_told_and_may_be_asked_for_again(listener, venue):
    await listener.subscribe(quotes=["AAPL"], orders=True)
    venue.push("AAPL", LOST)
    left = await listener.next("unsubscribed")

    again = await listener.subscribe(quotes=["AAPL"])

    assert (None, [], True) == (left["id"], left["channels"]["quotes"], left["channels"]["orders"])
    assert "subscribed" == again["type"]


async def test_a_closed_account_is_told_to_who_followed_it(stream, venue):
    async with venue.connect() as broker, stream(broker) as connect:
        client = await connect()
        await client.subscribe(orders=True)
        await broker.aclose()

        ended = await client.next("error")

    assert "ClosedError" == ended["error"]["type"]


async def test_a_host_that_closes_says_goodbye(held):
    async with aiohttp.ClientSession() as client:
        async with SimpleHost(held, NativeDialect()) as host:
            listener = Listener(await client.ws_connect(f"{host.url}/v1/stream"))
            await listener.next("authenticated")
        goodbye, closing = await listener.next("goodbye"), await listener.socket.receive()

    assert ("going away", 1001) == (goodbye["reason"], closing.data)


async def test_a_slow_client_gets_the_newest_market_data_and_the_count_of_the_rest(stream, venue):
    count = 10_000
    async with stream() as connect:
        client = await connect()
        await client.subscribe(quotes=["AAPL"])
        transport = client.socket._response.connection.transport
        transport.pause_reading()
        for start in range(1, count + 1, 100):
            venue.push("AAPL", *[quote(number) for number in range(start, start + 100)])
            await asyncio.sleep(0)
        await until(lambda: not venue.queues["AAPL"].qsize())
        transport.resume_reading()

        bids, lost = [], 0
        while not bids or bids[-1] < count:
            event = (await client.next("event"))["event"]
            if "Gap" == event["type"]:
                lost += event["lost"]
            elif "Quote" == event["type"]:
                bids.append(int(event["bid_price"]))

    assert sorted(bids) == bids
    assert count == len(bids) + lost
