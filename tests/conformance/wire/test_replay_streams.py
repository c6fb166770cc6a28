"""Streams that are played again: what the client is told, and what is found of what it says."""

import asyncio
import json

import aiohttp
import pytest

from dragoman.times import SECOND_NS, ManualClock
from dragoman_conformance.verdicts import Basis
from dragoman_conformance.wire.cassette import (
    AskedRequest,
    Cassette,
    CassetteMetadata,
    Interaction,
    ToldResponse,
)
from dragoman_conformance.wire.findings import FindingKind
from dragoman_conformance.wire.playing import Pace
from dragoman_conformance.wire.replay import ReplayServer
from dragoman_conformance.wire.transcript import parse_transcript

HEAD = {
    "v": 1,
    "kind": "ws",
    "path": "/stream",
    "provenance": "documented",
    "protocol": "acme",
    "read": "2026-11-20",
}
SUBSCRIBE = {"d": ">", "op": "text", "json": {"op": "subscribe", "id": {"$bind": "sub"}}}
ACKNOWLEDGE = {"d": "<", "op": "text", "json": {"id": {"$ref": "sub"}, "result": None}}
PRICE = {"d": "<", "op": "text", "data": '{"px": 1.10}'}


def transcript(*events, **head):
    lines = [json.dumps(one) for one in ({**HEAD, **head}, *events)]
    return parse_transcript("\n".join(lines), "t.ndjson")


def playing(*events, deadline_s=30.0, clock=None, pace=Pace.ASAP, tape=(), **head):
    cassettes = [Cassette(metadata=CassetteMetadata(provenance=Basis.LIVE), interactions=tape)]
    return ReplayServer(
        cassettes,
        [transcript(*events, **head)],
        deadline_s=deadline_s,
        clock=clock,
        pace=pace,
        secrets={"api_key": "KITCANARY-1"},
    )


def kinds(server):
    return [one.kind for one in server.findings]


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_session_is_played_and_what_is_bound_told_again(session):
    async with (
        playing(SUBSCRIBE, ACKNOWLEDGE, PRICE) as server,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        await socket.send_json({"id": "mine", "op": "subscribe"})

        assert '{"id":"mine","result":null}' == await socket.receive_str()
        assert '{"px": 1.10}' == await socket.receive_str()

    assert ((), ()) == (server.findings, server.unused)


async def test_nothing_is_said_before_what_must_be_heard(session):
    async with (
        playing(SUBSCRIBE, PRICE) as server,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.05)

    assert ([FindingKind.FRAME_MISSING], 2) == (kinds(server), len(server.unused))
    assert "t.ndjson:2" == server.findings[0].place


async def test_another_frame_than_the_awaited_is_found_and_the_play_goes_on(session):
    async with (
        playing(SUBSCRIBE, PRICE) as server,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        await socket.send_json({"op": "sub"})
        assert '{"px": 1.10}' == await socket.receive_str()

    assert [FindingKind.FRAME_DIFFERENT] == kinds(server)
    assert 'heard text {"op": "sub"}' in server.findings[0].message


@pytest.mark.parametrize(
    ("awaited", "is_like"),
    [
        ({"op": "bin", "bin": "YQ=="}, True),
        ({"op": "bin", "data": "a"}, True),
        ({"op": "bin", "bin": "Yg=="}, False),
        ({"op": "text", "data": "a"}, False),
        ({"op": "bin", "json": {"a": 1}}, False),
    ],
)
async def test_a_frame_must_be_of_the_awaited_kind_and_content(session, awaited, is_like):
    async with (
        playing({"d": ">", **awaited}, PRICE) as server,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        await socket.send_bytes(b"a")
        await socket.receive_str()

    assert ([] if is_like else [FindingKind.FRAME_DIFFERENT]) == kinds(server)


@pytest.mark.parametrize(("code", "is_like"), [(4000, True), (4001, False)])
async def test_a_clients_close_is_awaited_with_its_code(session, code, is_like):
    async with (
        playing(PRICE, {"d": ">", "op": "close", "code": 4000}) as server,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        await socket.receive_str()
        await socket.close(code=code)

    assert ([] if is_like else [FindingKind.FRAME_DIFFERENT]) == kinds(server)


async def test_a_frame_that_nobody_awaits_is_found(session):
    async with (
        playing(PRICE) as server,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        await socket.receive_str()
        await socket.send_str("hello?")
        await socket.close()

    assert [FindingKind.FRAME_UNEXPECTED] == kinds(server)


async def test_heartbeats_may_come_at_any_time(session):
    async with (
        playing(SUBSCRIBE, PRICE, idle=["beat"]) as server,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        await socket.send_str("beat")
        await socket.send_json({"op": "subscribe", "id": 1})
        await socket.receive_str()
        await socket.send_str("beat")
        await socket.close()

    assert () == server.findings


async def test_a_frame_that_does_not_come_in_time_is_found():
    clock = ManualClock()
    async with (
        aiohttp.ClientSession() as session,
        playing(SUBSCRIBE, deadline_s=5.0, clock=clock) as server,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        await asyncio.sleep(0.05)
        await clock.advance(seconds=4.9)
        before = kinds(server)
        await clock.advance(seconds=0.2)
        message = await socket.receive()

    assert ([], [FindingKind.FRAME_MISSING]) == (before, kinds(server))
    assert aiohttp.WSMsgType.CLOSE is message.type


@pytest.mark.parametrize(
    ("event", "felt", "data"),
    [
        ({"d": "<", "op": "close", "code": 1012, "reason": "x"}, aiohttp.WSMsgType.CLOSE, 1012),
        ({"d": "!", "op": "reset"}, aiohttp.WSMsgType.CLOSED, None),
        ({"d": "!", "op": "eof"}, aiohttp.WSMsgType.CLOSED, None),
        ({"d": "<", "op": "bin", "bin": "AAE="}, aiohttp.WSMsgType.BINARY, b"\x00\x01"),
        ({"d": "<", "op": "ping", "data": "p"}, aiohttp.WSMsgType.PING, b"p"),
        ({"d": "<", "op": "pong"}, aiohttp.WSMsgType.PONG, b""),
    ],
)
async def test_every_operation_is_felt(session, event, felt, data):
    async with (
        playing(event) as server,
        session.ws_connect(f"{server.ws_url}/stream", autoping=False) as socket,
    ):
        message = await socket.receive()

        assert (felt, data) == (message.type, message.data)

    assert ((), ()) == (server.findings, server.unused)


async def test_pings_are_answered(session):
    async with (
        playing(PRICE) as server,
        session.ws_connect(f"{server.ws_url}/stream", heartbeat=0.04) as socket,
    ):
        await socket.receive_str()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await socket.receive()
        assert not socket.closed


async def test_no_ping_is_answered_where_the_stream_stalled(session):
    async with (
        playing({"d": "!", "op": "stall"}) as server,
        session.ws_connect(f"{server.ws_url}/stream", heartbeat=0.04) as socket,
    ):
        async with asyncio.timeout(5):
            message = await socket.receive()

    assert message.type in {aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSED}


async def test_pings_of_the_client_are_awaited_where_the_transcript_says(session):
    async with (
        playing({"d": ">", "op": "ping"}, PRICE) as server,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        await socket.ping(b"anything")
        assert '{"px": 1.10}' == await socket.receive_str()

    assert () == server.findings


async def test_each_opening_gets_the_next_connection(session):
    first, second = ({**PRICE, "data": str(n), "c": n} for n in (1, 2))
    async with playing(first, {"d": "!", "op": "reset", "c": 1}, second) as server:
        found = []
        for _ in range(2):
            async with session.ws_connect(f"{server.ws_url}/stream") as socket:
                found.append(await socket.receive_str())
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{server.ws_url}/stream")

    assert (["1", "2"], 599) == (found, refused.value.status)
    assert [FindingKind.STREAM_UNKNOWN] == kinds(server)
    assert kinds(server) == [one.kind for one in server.unmatched]


async def test_a_connection_that_is_never_opened_is_unused():
    async with playing(PRICE, {**PRICE, "c": 2}) as server:
        pass

    assert ("t.ndjson:2", "t.ndjson:3") == server.unused


async def test_secrets_are_awaited_as_the_replays_own(session):
    login = {"d": ">", "op": "text", "data": '{"key":"<API_KEY>","op":"login"}'}
    again = {"d": ">", "op": "text", "json": {"key": "<API_KEY>", "op": {"$any": True}}}
    async with (
        playing(login, again, PRICE) as server,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        await socket.send_json({"op": "login", "key": "KITCANARY-1"})
        await socket.send_json({"op": "login", "key": "KITCANARY-1"})
        await socket.receive_str()

    assert () == server.findings


@pytest.mark.parametrize(
    ("said", "is_like"),
    [
        ({"sign": "abc", "t": 2, "op": "login"}, True),
        ({"sign": "abc", "op": "login"}, False),
        ({"sign": "abc", "t": 2, "op": "logout"}, False),
    ],
)
async def test_signatures_and_volatile_fields_of_a_frame_do_not_count(session, said, is_like):
    login = {"d": ">", "op": "text", "data": '{"op":"login","sign":"<SIG>","t":1}'}
    server = ReplayServer([], [transcript(login, PRICE)], volatile=["t"])
    async with server, session.ws_connect(f"{server.ws_url}/stream") as socket:
        await socket.send_json(said)
        await socket.receive_str()

    assert ([] if is_like else [FindingKind.FRAME_DIFFERENT]) == kinds(server)


async def test_examples_are_no_session(session):
    async with playing(PRICE, order="as documented") as server:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{server.ws_url}/stream")

    assert () == server.unused


async def test_the_pace_of_a_clock_is_kept():
    clock = ManualClock()
    late = {**PRICE, "t": 3.0}
    async with (
        playing(PRICE, late, clock=clock, pace=Pace.CLOCK) as server,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        await socket.receive_str()
        await asyncio.sleep(0.02)
        begun_ns = clock.now_ns()
        hearing = asyncio.create_task(socket.receive_str())
        await clock.advance(seconds=2.5)
        await asyncio.sleep(0.02)
        is_early = hearing.done()
        await clock.advance(seconds=0.5)
        await hearing

    assert (False, 3 * SECOND_NS) == (is_early, clock.now_ns() - begun_ns)


async def test_what_followed_an_order_is_said_after_it(session):
    order = Interaction(
        request=AskedRequest(method="POST", uri="https://a.example/orders"),
        response=ToldResponse(status=201, body=b"{}"),
    )
    async with (
        playing({**PRICE, "after": [1, 1]}, tape=(order,)) as server,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.05)
        await session.post(f"{server.http_url}/orders")

        assert '{"px": 1.10}' == await socket.receive_str()


async def test_lines_are_told_in_the_recorded_chunks(session):
    events = [
        {"d": "<", "op": "text", "data": "one"},
        {"d": "<", "op": "chunk", "bin": "eiDi"},
        {"d": "<", "op": "chunk", "bin": "gqwK"},
        {"d": "!", "op": "eof"},
    ]
    async with playing(*events, kind="lines", path="/stream?account=1") as server:
        answer = await session.get(f"{server.http_url}/stream?account=1")
        chunks = [piece async for piece, _ in answer.content.iter_chunks()]

    assert "one\nz €\n".encode() == b"".join(chunks)
    assert ("application/octet-stream", ()) == (answer.content_type, server.unused)
    assert "Date" not in answer.headers


@pytest.mark.parametrize(
    ("end", "felt"), [("reset", "broken"), ("eof", "end"), ("stall", "silence"), (None, "silence")]
)
async def test_an_endless_answer_ends_as_it_did(session, end, felt):
    events = [{"d": "<", "op": "text", "data": "a"}, *([{"d": "!", "op": end}] if end else [])]
    async with playing(*events, kind="lines") as server:
        found = b""
        try:
            async with asyncio.timeout(0.1), session.get(f"{server.http_url}/stream") as answer:
                async for line in answer.content:
                    found += line
            how = "end"
        except aiohttp.ClientError:
            how = "broken"
        except TimeoutError:
            how = "silence"

    assert (b"a\n", felt) == (found, how)


async def test_events_of_a_server_end_with_an_empty_line(session):
    events = [{"d": "<", "op": "text", "data": "data: 1"}, {"d": "!", "op": "eof"}]
    async with playing(*events, kind="sse") as server:
        answer = await session.get(f"{server.http_url}/stream")
        text = await answer.text()

    assert ("text/event-stream", "data: 1\n\n") == (answer.content_type, text)


async def test_a_hub_speaks_in_records(session):
    hello = {"protocol": "json", "version": 1}
    events = [
        {"d": ">", "op": "text", "json": hello},
        {"d": "<", "op": "text", "json": {}},
        {
            "d": ">",
            "op": "text",
            "json": {"type": 1, "invocationId": {"$bind": "i"}, "target": "S"},
        },
        {"d": "<", "op": "text", "json": {"type": 3, "invocationId": {"$ref": "i"}}},
    ]
    async with (
        playing(*events, kind="signalr") as server,
        session.ws_connect(f"{server.ws_url}/stream") as socket,
    ):
        call = {"type": 1, "target": "S", "invocationId": "7"}
        await socket.send_str(f"{json.dumps(hello)}\x1e{json.dumps(call)}\x1e")

        assert "{}\x1e" == await socket.receive_str()
        assert '{"type":3,"invocationId":"7"}\x1e' == await socket.receive_str()

    assert ((), ()) == (server.findings, server.unused)
