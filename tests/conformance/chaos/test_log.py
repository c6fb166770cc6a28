"""What the proxy's log tells of exchanges and streams, broken ones included."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from dragoman.times import ManualClock
from dragoman_conformance.chaos import (
    ChaosProxy,
    Ending,
    FrameFault,
    FrameKind,
    FrameToxic,
    HttpFault,
    HttpToxic,
    Origin,
    Reply,
)
from dragoman_conformance.chaos.log import TrafficLog

LINES = ["one", "zwei €uro", "three"]


class Origins:
    """A venue of one route for each way to answer."""

    def __init__(self):
        self.bodies = []
        self.wait = asyncio.Event()
        self.url = None

    async def echo(self, request):
        self.bodies.append(await request.read())
        return web.json_response({"a": 1}, status=201, headers={"X-Once": "yes"})

    async def lines(self, request):
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for line in LINES:
            await response.write(f"{line}\n".encode())
        if "endless" in request.query:
            await self.wait.wait()
        return response

    async def events(self, request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for line in LINES:
            await response.write(f"event: x\ndata: {line}\n\n".encode())
        return response

    async def socket(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(message.data.upper())
                await socket.send_bytes(b"\x00\x01")
        return socket


@pytest.fixture
async def venue():
    origins = Origins()
    app = web.Application()
    app.router.add_route("*", "/lines", origins.lines)
    app.router.add_get("/events", origins.events)
    app.router.add_get("/socket", origins.socket)
    app.router.add_route("*", "/{path:.*}", origins.echo)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    origins.port = site._server.sockets[0].getsockname()[1]
    yield origins
    origins.wait.set()
    await runner.cleanup()


@pytest.fixture
async def clock():
    return ManualClock(1_000_000_000)


@pytest.fixture
async def proxy(venue):
    async with ChaosProxy(venue.port) as proxy:
        proxy.url = f"http://127.0.0.1:{proxy.port}"
        yield proxy


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_request_is_kept_byte_for_byte(proxy, session):
    data = b'{"q":  1.10, "n": "\xc3\xa9"}'
    headers = {"X-Sign": "Ab=", "Content-Type": "application/json"}
    await session.post(
        URL(f"{proxy.url}/orders?b=2&a=%41", encoded=True), data=data, headers=headers
    )

    (seen,) = proxy.exchanges
    assert ("POST", "/orders?b=2&a=%41", "/orders") == (seen.method, seen.target, seen.path)
    assert (data, len(data), "Ab=") == (seen.request_body, seen.request_size, seen.header("x-sign"))
    assert seen.header("nowhere") is None


async def test_a_chunked_request_is_kept_without_the_chunks(proxy, venue, session):
    async def pieces():
        yield b"ab"
        yield b"cde"

    await session.post(f"{proxy.url}/orders", data=pieces())

    assert ([b"abcde"], b"abcde") == (venue.bodies, proxy.exchanges[0].request_body)


async def test_an_answer_is_kept_as_it_was_told(proxy, session):
    answer = await session.get(f"{proxy.url}/time")
    text = await answer.read()

    (seen,) = proxy.exchanges
    assert (201, 201, Ending.ANSWERED) == (seen.status, seen.venue_status, seen.ending)
    assert (text, len(text)) == (seen.response_body, seen.response_size)
    assert ("x-once", "yes") in seen.response_headers
    assert (True, None) == (seen.is_delivered, seen.fault)
    assert seen.ended_ns >= seen.started_ns


@pytest.mark.parametrize(
    ("fault", "ending", "is_delivered", "status", "venue_status"),
    [
        (HttpFault.RESET_UNREAD, Ending.RESET, False, None, None),
        (HttpFault.RESET_MID_REQUEST, Ending.RESET, False, None, None),
        (HttpFault.RESET_AFTER_REQUEST, Ending.RESET, True, None, 201),
        (HttpFault.RESET_AFTER_HEAD, Ending.RESET, True, 201, 201),
        (HttpFault.RESET_MID_RESPONSE, Ending.RESET, True, 201, 201),
        (HttpFault.TRUNCATE, Ending.CUT, True, 201, 201),
        (HttpFault.STALL, Ending.SILENT, True, 201, 201),
        (HttpFault.LOST, Ending.SILENT, False, None, None),
        (HttpFault.BLACK_HOLE, Ending.ANSWERED, True, 201, 201),
        (HttpFault.REPLY, Ending.ANSWERED, True, 503, 201),
    ],
)
async def test_a_broken_exchange_tells_how_it_ended(
    proxy, session, fault, ending, is_delivered, status, venue_status
):
    proxy.add(HttpToxic(fault=fault, seconds=0.01 if fault is HttpFault.BLACK_HOLE else None))

    try:
        async with asyncio.timeout(0.2):
            answer = await session.post(f"{proxy.url}/orders", data=b"12345678")
            await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        pass
    await asyncio.sleep(0.05)

    (seen,) = proxy.exchanges
    assert (fault, ending, is_delivered) == (seen.fault, seen.ending, seen.is_delivered)
    assert (status, venue_status) == (seen.status, seen.venue_status)


async def test_what_nobody_waited_for_was_not_told(proxy, session):
    for seconds in (None, 5.0):
        proxy.add(HttpToxic(fault=HttpFault.BLACK_HOLE, seconds=seconds))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await session.post(f"{proxy.url}/orders", data=b"1")
    await asyncio.sleep(0.05)

    seen = [(one.status, one.venue_status, one.ending) for one in proxy.exchanges]
    assert [(None, 201, Ending.SILENT)] * 2 == seen


async def test_what_the_client_was_told_is_kept_and_not_what_the_venue_said(proxy, session):
    toxic = HttpToxic(fault=HttpFault.CHANGE, change=lambda body: body.replace(b"1", b"2") + b" ")
    proxy.add(toxic)
    answer = await session.post(f"{proxy.url}/orders", headers={"Accept-Encoding": "gzip"})

    assert b'{"a": 2} ' == await answer.read()
    assert ("yes", b'{"a": 2} ') == (answer.headers["X-Once"], proxy.exchanges[0].response_body)


async def test_a_reply_may_tell_the_time_at_which_it_strikes(venue, session, clock):
    async with ChaosProxy(venue.port, clock=clock) as proxy:
        proxy.add(HttpToxic(fault=HttpFault.REPLY, reply=lambda at_ns: Reply.busy(429, str(at_ns))))
        await clock.advance(seconds=5)
        answer = await session.post(f"http://127.0.0.1:{proxy.port}/orders")

    assert (429, "6000000000") == (answer.status, answer.headers["Retry-After"])
    assert [6_000_000_000] == [one.started_ns for one in proxy.exchanges]


async def test_lines_of_an_endless_answer_are_frames(proxy, session):
    answer = await session.get(f"{proxy.url}/lines?endless=1")
    got = [await answer.content.readline() for _ in LINES]

    assert [f"{line}\n".encode() for line in LINES] == got
    assert got == [one.payload for one in proxy.frames]
    assert {FrameKind.CHUNK} == {one.kind for one in proxy.frames}
    assert (Ending.OPEN, 200, 1) == (
        proxy.exchanges[0].ending,
        proxy.exchanges[0].status,
        proxy.open_streams,
    )
    answer.close()
    async with asyncio.timeout(5):
        while proxy.open_streams:  # noqa: ASYNC110 - sockets set no event
            await asyncio.sleep(0.01)
    assert Ending.GONE is proxy.exchanges[0].ending


async def test_a_stream_that_ends_leaves_the_connection_for_more(proxy, session):
    for _ in range(3):
        answer = await session.get(f"{proxy.url}/lines")
        await answer.read()

    assert (1, 3) == (proxy.connects, len(proxy.exchanges))
    assert {Ending.ANSWERED} == {one.ending for one in proxy.exchanges}
    assert "".join(f"{line}\n" for line in LINES).encode() == proxy.exchanges[0].response_body


@pytest.mark.parametrize(
    ("fault", "told", "ending"),
    [
        (FrameFault.DROP, ["one", "three"], "end"),
        (FrameFault.DUPLICATE, ["one", "zwei €uro", "zwei €uro", "three"], "end"),
        (FrameFault.SWAP, ["one", "three", "zwei €uro"], "end"),
        (FrameFault.SPLIT, LINES, "end"),
        (FrameFault.MUTE, ["one"], "end"),
        (FrameFault.REPLACE, ["one", "other", "three"], "end"),
        (FrameFault.CHANGE, ["one", "ZWEI €URO", "three"], "end"),
        (FrameFault.CLOSE, ["one"], "end"),
        (FrameFault.CUT, ["one"], "broken"),
        (FrameFault.RESET, ["one"], "broken"),
        (FrameFault.HALF_OPEN, ["one"], "silence"),
    ],
)
@pytest.mark.parametrize("path", ["/lines", "/events"])
async def test_a_fault_strikes_a_line(proxy, session, path, fault, told, ending):
    trap = proxy.add(
        FrameToxic(
            fault=fault,
            text=b"zwei",
            path=path,
            payload=b"other" if path == "/lines" else b"event: x\ndata: other\n\n",
            change=upper if fault is FrameFault.CHANGE else None,
        )
    )

    found, how = await heard(session, proxy.url + path)

    assert (ending, 1) == (how, trap.hits)
    assert told == [line for line in found if line in {*told, *LINES}]
    assert fault in {one.fault for one in proxy.frames}


def upper(line):
    return line.decode().replace("zwei €uro", "ZWEI €URO").encode()


async def test_a_corrupt_line_is_no_text(proxy, session):
    proxy.add(FrameToxic(fault=FrameFault.CORRUPT, text=b"zwei"))
    answer = await session.get(f"{proxy.url}/lines")

    with pytest.raises(UnicodeDecodeError):
        (await answer.read()).decode()
    assert [Origin.PROXY] == [one.origin for one in proxy.frames if one.fault is not None][1:]


async def test_a_line_split_within_a_character_comes_in_pieces(proxy, session):
    proxy.add(FrameToxic(fault=FrameFault.SPLIT, text="€".encode()))
    answer = await session.get(f"{proxy.url}/lines")

    pieces = [piece async for piece, _ in answer.content.iter_chunks()]

    assert "".join(f"{line}\n" for line in LINES).encode() == b"".join(pieces)
    assert not any("€".encode() in piece for piece in pieces)


async def test_a_stream_of_another_path_is_spared(proxy, session):
    trap = proxy.add(FrameToxic(fault=FrameFault.DROP, path="/elsewhere", times=None))

    found, _ = await heard(session, f"{proxy.url}/lines")

    assert (LINES, 0) == (found, trap.seen)


async def test_frames_of_a_socket_are_kept_both_ways(proxy, session):
    async with session.ws_connect(f"{proxy.url}/socket") as socket:
        await socket.send_str("héllo")
        await socket.ping(b"p")
        assert "HÉLLO" == await socket.receive_str()
        assert b"\x00\x01" == await socket.receive_bytes()

    await asyncio.sleep(0.02)
    seen = [(one.origin, one.kind, one.payload) for one in proxy.frames]
    assert seen[:2] == [
        (Origin.CLIENT, FrameKind.TEXT, "héllo".encode()),
        (Origin.CLIENT, FrameKind.PING, b"p"),
    ]
    assert (Origin.VENUE, FrameKind.TEXT, "HÉLLO".encode()) in seen
    assert (Origin.VENUE, FrameKind.BINARY, b"\x00\x01") in seen
    assert (Origin.CLIENT, FrameKind.CLOSE) in [one[:2] for one in seen]
    assert (Ending.UPGRADED, 101) == (proxy.exchanges[0].ending, proxy.exchanges[0].status)


async def test_a_message_split_into_fragments_is_one_message(proxy, session):
    proxy.add(FrameToxic(fault=FrameFault.SPLIT, text="É".encode()))
    async with session.ws_connect(f"{proxy.url}/socket") as socket:
        await socket.send_str("héllo")

        assert "HÉLLO" == await socket.receive_str()


async def test_what_is_said_in_place_of_a_frame_is_kept_besides_it(proxy, session):
    proxy.add(FrameToxic(fault=FrameFault.REPLACE, text=b"A", payload=b"other"))
    async with session.ws_connect(f"{proxy.url}/socket") as socket:
        await socket.send_str("a")
        assert "other" == await socket.receive_str()

    struck = [(one.origin, one.payload) for one in proxy.frames if one.fault is not None]
    assert [(Origin.VENUE, b"A"), (Origin.PROXY, b"other")] == struck


async def test_long_bodies_are_cut_and_their_size_is_whole(proxy, session):
    data = json.dumps("x" * 300_000).encode()
    await session.post(f"{proxy.url}/orders", data=data)

    (seen,) = proxy.exchanges
    assert (len(data), 256 * 1024) == (seen.request_size, len(seen.request_body))


async def test_what_is_too_much_to_keep_is_counted(venue, session):
    async with ChaosProxy(venue.port) as proxy:
        proxy._log = TrafficLog(proxy._clock, most_records=2)
        for _ in range(3):
            await session.get(f"http://127.0.0.1:{proxy.port}/time")

        assert (2, 1) == (len(proxy.exchanges), proxy.unlogged)


async def heard(session, url):
    """Return the lines that come, without what frames them, and how the answer ended."""
    found = []
    try:
        async with asyncio.timeout(0.2), session.get(url) as answer:
            async for line in answer.content:
                found += [line.decode().removeprefix("data: ").strip()]
        how = "end"
    except aiohttp.ClientError:
        how = "broken"
    except TimeoutError:
        how = "silence"
    return found, how
