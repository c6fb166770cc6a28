"""The stream of trade updates: who may listen, what is told, and that nobody is waited for."""

import base64
import json

import aiohttp
import attrs
import msgspec
import pytest
from tests.broker.conftest import Market
from tests.broker.fake_adapter import FakeVenue, instrument
from tests.dialects.alpaca.trading_rig import (
    AUTH,
    HEADERS,
    KEY,
    LISTEN,
    LONGEST_S,
    SECRET,
    served,
)

from dragoman import OrderEvent, OrderEventKind, OrderRequest, Side
from dragoman.dialects import AccessKey, Scope
from dragoman.errors import UnknownInstrumentError
from dragoman.transport.codec import decode
from dragoman_alpaca.dialect import updates
from dragoman_alpaca.wire.trading import TradeUpdate

OLD_AUTH = {"action": "authenticate", "data": {"key_id": KEY, "secret_key": SECRET}}
AUTHORIZED = {"status": "authorized", "action": "authenticate"}
LEGS = {"take_profit": {"limit_price": "120"}, "stop_loss": {"stop_price": "80"}}
KEYS = [AccessKey(key_id=KEY, secret=SECRET)]


@pytest.fixture
async def market():
    one = Market()
    yield one
    await one.aclose()


@pytest.fixture
async def client(market):
    async with served(await market.connect(), keys=KEYS) as client:
        yield client


def unauthorized(action):
    return {"stream": "authorization", "data": {"status": "unauthorized", "action": action}}


async def test_a_client_says_who_it_is_and_listens(client):
    async with client.updates(AUTH, LISTEN) as stream:
        assert [
            {"stream": "authorization", "data": AUTHORIZED},
            {"stream": "listening", "data": {"streams": ["trade_updates"]}},
        ] == stream.answers


async def test_the_older_form_of_authentication_is_taken_and_said_to_be_old(client):
    async with client.updates(OLD_AUTH) as stream:
        (answer,) = stream.answers

        assert AUTHORIZED.items() <= answer["data"].items()
        assert "deprecated" in answer["data"]["message"]


@pytest.mark.parametrize(
    "message",
    [
        {**AUTH, "secret": "wrong-secret"},
        {**AUTH, "key": "nobody"},
        {"action": "auth"},
        {"action": "authenticate", "data": {}},
    ],
    ids=["wrong secret", "unknown key", "no key", "no key in the older form"],
)
async def test_who_is_not_known_is_not_authorized_and_may_try_again(client, message):
    async with client.updates(message, AUTH) as stream:
        assert [unauthorized("authenticate"), {"stream": "authorization", "data": AUTHORIZED}] == (
            stream.answers
        )


async def test_who_listens_before_saying_who_it_is_is_not_authorized(client):
    async with client.updates(LISTEN) as stream:
        assert [unauthorized("listen")] == stream.answers


async def test_a_client_that_can_not_say_who_it_is_is_cut_in_the_end(client):
    wrong = {**AUTH, "secret": "wrong-secret"}
    async with client.updates(wrong, wrong, wrong) as stream:
        ended = await stream.socket.receive(LONGEST_S)

        assert (aiohttp.WSMsgType.CLOSE, 1008) == (ended.type, ended.data)


async def test_a_client_that_says_nothing_is_cut_in_time(client, monkeypatch):
    monkeypatch.setattr(updates, "_AUTH_S", 0.01)
    async with client.session.ws_connect(f"{client.url}/stream") as socket:
        ended = await socket.receive(LONGEST_S)

        assert (aiohttp.WSMsgType.CLOSE, 1008) == (ended.type, ended.data)


@pytest.mark.parametrize("frame", ["{no", "[]", '{"action": 5}', b"\xc1"], ids=repr)
async def test_what_is_no_message_ends_the_connection(client, frame):
    async with client.updates() as stream:
        send = stream.socket.send_str if isinstance(frame, str) else stream.socket.send_bytes
        await send(frame)
        ended = await stream.socket.receive(LONGEST_S)

        assert (aiohttp.WSMsgType.CLOSE, 1008) == (ended.type, ended.data)


async def test_each_listen_is_answered_with_all_that_is_listened_to(client):
    async with client.updates(AUTH) as stream:
        for asked in (["trade_updates", "account_updates"], ["x"], [], ["trade_updates"]):
            await stream.say({"action": "listen", "data": {"streams": asked}})
        await stream.say({"action": "listen"})

        assert [["trade_updates"], [], [], ["trade_updates"], []] == [
            answer["data"]["streams"] for answer in stream.answers[1:]
        ]


async def test_who_listens_no_more_is_told_nothing(client):
    nothing = {"action": "listen", "data": {"streams": []}}
    async with client.updates(AUTH, LISTEN, nothing) as quiet, client.updates() as stream:
        await client.submit(client_order_id="c1")
        await stream.until("fill")
        await quiet.say(LISTEN)

        assert "listening" == quiet.answers[-1]["stream"]


async def test_an_order_is_told_from_its_beginning_to_its_fill(client):
    async with client.updates() as stream:
        order = await client.submit(client_order_id="c1")
        told = await stream.until("fill")

    assert ["pending_new", "new", "fill"] == [one["event"] for one in told]
    assert ["pending_new", "new", "filled"] == [one["order"]["status"] for one in told]
    assert ["0", "0", "10"] == [one["order"]["filled_qty"] for one in told]
    fill = told[-1]
    assert ("10", "100.02", "10") == (fill["qty"], fill["price"], fill["position_qty"])
    assert order == fill["order"]
    assert "execution_id" not in told[0]
    assert [one["event"] for one in told] == [
        decode(json.dumps(one), TradeUpdate).event for one in told
    ]


async def test_each_part_of_a_fill_is_told_with_the_position_after_it(client, market):
    async with client.updates() as stream:
        await market.tick("100.00", "100.02", size="4")
        await client.rest(limit_price="100.02")
        await market.tick("99.00", "100.00", size="500")
        told = await stream.until("fill")

    assert [("partial_fill", "4", "4"), ("fill", "6", "10")] == [
        (one["event"], one["qty"], one["position_qty"]) for one in told if "price" in one
    ]
    assert ["partially_filled", "filled"] == [
        one["order"]["status"] for one in told if "price" in one
    ]


async def test_a_sale_is_told_with_what_is_left(client):
    await client.submit()
    async with client.updates() as stream:
        await client.submit(side="sell", qty="4")
        told = await stream.until("fill")

    assert "6" == told[-1]["position_qty"]


async def test_a_replace_is_told_by_the_old_order_and_then_by_the_new(client):
    old = await client.rest(client_order_id="c1")
    async with client.updates() as stream:
        new = await client.replace(old, qty=5, client_order_id="c2")
        replaced, begun = [await stream.next(), await stream.next()]

    assert [("replaced", old["id"], new["id"]), ("new", new["id"], None)] == [
        (one["event"], one["order"]["id"], one["order"]["replaced_by"]) for one in (replaced, begun)
    ]
    assert ("c2", old["id"], "5") == tuple(
        begun["order"][name] for name in ("client_order_id", "replaces", "qty")
    )


async def test_the_legs_of_a_bracket_are_told_each_by_itself(client):
    async with client.updates() as stream:
        await client.submit(order_class="bracket", client_order_id="b", **LEGS)
        told = [await stream.next() for _ in range(7)]

    words = [(one["event"], one["order"]["client_order_id"]) for one in told]
    assert [("pending_new", "b"), ("new", "b")] == words[:2]
    assert {
        *[("held", f"b-{role}") for role in ("sl", "tp")],
        ("fill", "b"),
        *[("new", f"b-{role}") for role in ("sl", "tp")],
    } == set(words[2:])


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"order_class": "oco", "limit_price": None, "side": "sell", **LEGS}, 2),
        ({"order_class": "bracket", **LEGS}, 3),
        ({"order_class": "oto", "stop_loss": LEGS["stop_loss"]}, 2),
    ],
    ids=["oco", "bracket", "oto"],
)
async def test_each_order_of_a_group_says_so_from_its_first_update_on(client, fields, count):
    await client.submit()
    async with client.updates() as stream:
        await client.rest(client_order_id="g", **fields)
        told, seen = [], set()
        while len(seen) < count:
            told.append((await stream.next())["order"])
            seen.add(told[-1]["client_order_id"])

    assert {fields["order_class"]} == {order["order_class"] for order in told}


async def test_every_client_is_told_the_same_in_the_order_of_event_ids(client):
    async with client.updates() as one, client.updates() as other:
        for number in range(5):
            order = await client.rest(client_order_id=f"c{number}")
            await client.ask("DELETE", f"/v2/orders/{order['id']}")
        await client.submit(client_order_id="last")
        first, second = await one.until("fill"), await other.until("fill")

    ids = [told["event_id"] for told in first]
    assert first == second
    assert sorted(set(ids)) == ids


async def test_a_client_may_ask_for_msgpack(client):
    headers = {"Content-Type": "application/msgpack"}
    async with client.session.ws_connect(f"{client.url}/stream", headers=headers) as socket:
        await socket.send_bytes(msgspec.msgpack.encode(AUTH))
        answers = [msgspec.msgpack.decode((await socket.receive(LONGEST_S)).data)]
        await socket.send_json(LISTEN)
        answers.append(msgspec.msgpack.decode((await socket.receive(LONGEST_S)).data))
        order = await client.rest()
        told = msgspec.msgpack.decode((await socket.receive(LONGEST_S)).data)

    assert ["authorization", "listening", "trade_updates"] == [
        one["stream"] for one in (*answers, told)
    ]
    assert order["id"] == told["data"]["order"]["id"]


async def test_clients_are_cut_rather_than_told_less_than_all(client, monkeypatch):
    monkeypatch.setattr(updates, "_MOST_WAITING", 1)
    old = await client.rest()
    async with client.updates() as stream:
        await client.replace(old, qty=5)  # two updates at once
        ended = await stream.socket.receive(LONGEST_S)
        while ended.type is not aiohttp.WSMsgType.CLOSE:
            ended = await stream.socket.receive(LONGEST_S)

        assert (1008, "updates were lost") == (ended.data, ended.extra)
    async with client.updates() as stream:
        await client.rest(client_order_id="c2")
        assert "c2" == (await stream.next())["order"]["client_order_id"]


async def test_a_key_that_may_only_look_listens_and_sends_nothing(market):
    keys = [AccessKey(key_id=KEY, secret=SECRET, scopes=frozenset({Scope.READ}))]
    async with served(await market.connect(), keys=keys) as client, client.updates() as stream:
        assert AUTHORIZED == stream.answers[0]["data"]
        found = await client.refused("POST", "/v2/orders", json={})

        assert (403, 40310000, "not permitted with this key") == found


BASIC = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (HEADERS, 200),
        ({"Authorization": f"Basic {BASIC}"}, 200),
        ({"Authorization": f"Bearer {SECRET}"}, 200),
        ({}, 401),
        ({**HEADERS, "APCA-API-SECRET-KEY": "wrong-secret"}, 401),
        ({"APCA-API-KEY-ID": KEY}, 401),
        ({"Authorization": "Basic nonsense"}, 401),
        ({"Authorization": "Bearer wrong-secret"}, 401),
    ],
    ids=["own", "basic", "bearer", "none", "wrong", "half", "no basic", "wrong bearer"],
)
async def test_a_request_says_who_asks_in_any_of_three_ways(market, headers, status):
    async with served(await market.connect(), keys=KEYS, headers=headers) as client:
        found, body = await client.ask("GET", "/v2/account")

    assert status == found
    if status == 401:
        assert {"code": 40110000, "message": "request is not authorized"}.items() <= body.items()
        assert SECRET not in json.dumps(body)


async def test_a_client_is_asked_to_come_again_where_the_account_can_not_be_read():
    async with FakeVenue().connect() as broker, served(broker) as client:
        await broker.submit(OrderRequest.limit("AAPL", Side.BUY, 1, 90))
        await broker.aclose()
        async with client.session.ws_connect(f"{client.url}/stream") as socket:
            await socket.send_json(AUTH)
            ended = await socket.receive(LONGEST_S)

    assert (aiohttp.WSMsgType.CLOSE, 1013) == (ended.type, ended.data)


async def test_an_order_of_an_instrument_nobody_lists_is_told_without_its_asset():
    venue = FakeVenue()
    async with venue.connect() as broker, served(broker) as client:
        known = await broker.submit(OrderRequest.limit("AAPL", Side.BUY, 1, 90))
        venue.script("fetch_instrument", UnknownInstrumentError("gone"))
        venue.instruments["GONE"] = instrument("GONE")
        async with client.updates() as stream:
            facts = {"client_order_id": "c9", "symbol": "GONE", "venue_order_ids": ("v9",)}
            event = OrderEvent(
                kind=OrderEventKind.ACCEPTED,
                order=attrs.evolve(known, **facts),
                account_id="one",
                received_at_ns=1,
            )
            venue.stream(event)
            told = await stream.next()

    assert ("new", "GONE", "", "") == (
        told["event"],
        *(told["order"][name] for name in ("symbol", "asset_id", "asset_class")),
    )


async def test_who_listens_is_cut_once_nothing_more_will_be_told():
    async with (
        FakeVenue().connect() as broker,
        served(broker) as client,
        client.updates() as stream,
    ):
        await broker.aclose()
        ended = await stream.socket.receive(LONGEST_S)

    assert (aiohttp.WSMsgType.CLOSE, "updates were lost") == (ended.type, ended.extra)


async def test_a_connection_that_only_reads_has_no_updates():
    venue = FakeVenue()
    async with (
        venue.connect(read_only=True) as broker,
        served(broker) as client,
        client.updates() as stream,
    ):
        assert [] == stream.answers[-1]["data"]["streams"]


async def test_clients_are_cut_if_an_update_can_not_be_written(client, monkeypatch, caplog):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(updates, "shown_rows", fail)
    async with client.updates() as stream:
        await client.rest()
        ended = await stream.socket.receive(LONGEST_S)

    assert (aiohttp.WSMsgType.CLOSE, "updates were lost") == (ended.type, ended.extra)
    assert "could not be told" in caplog.text
