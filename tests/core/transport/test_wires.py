"""Wires over real sockets: WebSockets and endless responses."""

import asyncio
import gzip
import socket
import tracemalloc
import zlib

import pytest
from aiohttp import WSMsgType, web

from dragoman.errors import (
    AuthenticationError,
    ClosedError,
    ConnectFailedError,
    HaltedError,
    Outcome,
    PermissionDeniedError,
    RateLimitedError,
    StreamLostError,
    UnsupportedError,
    VenueUnavailableError,
)
from dragoman.permits import SendPermit
from dragoman.transport.base import Lane, StreamKind, StreamRequest
from dragoman.transport.http import AiohttpTransport

from .raw_server import RESET, RawServer, refusing, response, scripted, until


@pytest.fixture
async def transport():
    transport = AiohttpTransport()
    yield transport
    await transport.aclose()


def stream(url, kind=StreamKind.HTTP, **changes):
    scheme = "ws" if kind is StreamKind.WEBSOCKET else "http"
    given = {"name": "prices", "url": f"{scheme}{url.removeprefix('http')}/s", "kind": kind}
    return StreamRequest(**given | {"timeout_s": 5.0} | changes)


class SocketServer:
    """A WebSocket server of aiohttp that runs `play(socket)`."""

    def __init__(self, play, **options):
        self._play = play
        self._options = options
        self.requests = []

    async def __aenter__(self):
        app = web.Application()
        app.router.add_get("/s", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        await self._runner.cleanup()

    async def _serve(self, request):
        self.requests.append(request)
        socket = web.WebSocketResponse(**self._options)
        await socket.prepare(request)
        await self._play(socket)
        return socket


async def echo(socket):
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        else:
            await socket.send_bytes(message.data)


def playing(*messages, then=None):
    async def play(socket):
        for message in messages:
            send = socket.send_str if isinstance(message, str) else socket.send_bytes
            await send(message)
        if then is not None:
            await then(socket)

    return play


async def lost(wire, match):
    with pytest.raises(StreamLostError, match=match) as caught:
        await wire.receive()
    assert caught.value.__context__ is None
    return caught.value


async def test_a_websocket_carries_text_and_bytes_both_ways(transport):
    async with SocketServer(echo, protocols=("v2",)) as server:
        request = stream(
            server.url,
            StreamKind.WEBSOCKET,
            headers=(("X-Key", "k"),),
            subprotocols=("v2", "v1"),
        )
        wire = await transport.open(request)
        for message in ("text", b"bytes", "ü" * 40_000):
            await wire.send(message)
            assert message == await wire.receive()
        await wire.aclose()
        await wire.aclose()

        headers = server.requests[0].headers
        assert ("v2", "k") == (wire.subprotocol, headers["X-Key"])
        assert headers["User-Agent"].startswith("dragoman")
        await lost(wire, "it is closed")


async def test_a_websocket_that_the_peer_closes_says_why(transport):
    async with SocketServer(playing("last", then=lambda socket: socket.close(code=4001))) as server:
        wire = await transport.open(stream(server.url, StreamKind.WEBSOCKET))
        assert "last" == await wire.receive()

        error = await lost(wire, "the peer closed it")
        with pytest.raises(StreamLostError) as caught:
            await wire.send("more")

        assert ("4001", Outcome.NOT_SENT) == (error.code, caught.value.outcome)


async def test_s10_a_message_too_large_ends_a_websocket(transport):
    async with SocketServer(playing("x" * 1001, then=echo)) as server:
        wire = await transport.open(stream(server.url, StreamKind.WEBSOCKET, max_bytes=1000))

        await lost(wire, "failed|closed")
        await wire.aclose()


async def test_f78_a_peer_that_answers_no_ping_is_given_up(transport):
    async def mute(socket):
        await asyncio.Event().wait()

    async def deaf(request, writer):
        writer.write(handshake(request))
        await asyncio.Event().wait()

    async with RawServer(deaf) as server:
        wire = await transport.open(stream(server.url, StreamKind.WEBSOCKET, heartbeat_s=0.1))
        async with asyncio.timeout(30):
            await lost(wire, "failed")
        await wire.aclose()


def handshake(request):
    import base64  # noqa: PLC0415 - only here
    import hashlib  # noqa: PLC0415 - only here

    (line,) = [
        line for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
    ]
    key = line.partition(b":")[2].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


async def test_what_comes_with_the_handshake_is_not_lost(transport):
    async def eager(request, writer):
        writer.write(handshake(request) + b"\x81\x05hello")
        await asyncio.Event().wait()

    async with RawServer(eager) as server:
        wire = await transport.open(stream(server.url, StreamKind.WEBSOCKET))

        assert "hello" == await wire.receive()
        await wire.aclose()


@pytest.mark.parametrize("frame", [b"\xc1\x01x", b"\x81\x02\xff\xfe", b"\x83\x00", b"\x88\x01\x00"])
async def test_c07_frames_that_break_the_rules_end_a_websocket(transport, frame):
    async def broken(request, writer):
        writer.write(handshake(request) + frame)
        await asyncio.Event().wait()

    async with RawServer(broken) as server:
        wire = await transport.open(stream(server.url, StreamKind.WEBSOCKET))

        await lost(wire, "failed|closed")
        await wire.aclose()


async def test_i09_an_order_over_a_websocket_needs_leave(transport):
    async with SocketServer(echo) as server:
        wire = await transport.open(stream(server.url, StreamKind.WEBSOCKET))
        with refusing() as permit, pytest.raises(HaltedError):
            await wire.send("order", Lane.ORDER)
        assert not permit.is_used
        with refusing():
            await wire.send("cancel", Lane.CANCEL)
        with SendPermit(lambda: None) as permit:
            await wire.send("order", Lane.ORDER)
            await wire.send(b"order", Lane.ORDER)

        assert ["cancel", "order", b"order"] == [await wire.receive() for _ in range(3)]
        assert (True, False) == (permit.is_used, permit._lock.locked())
        await wire.aclose()


async def test_i09_an_order_does_not_queue_behind_bytes_that_the_peer_does_not_read(transport):
    async def deaf(request, writer):
        writer.write(handshake(request))
        writer.transport.pause_reading()
        await asyncio.Event().wait()

    async with RawServer(deaf) as server:
        wire = await transport.open(stream(server.url, StreamKind.WEBSOCKET, timeout_s=0.2))
        with pytest.raises(StreamLostError, match="does not read") as stalled:
            await send_for_ever(wire)
        assert Outcome.UNKNOWN is stalled.value.outcome
        await wire.aclose()

        wire = await transport.open(stream(server.url, StreamKind.WEBSOCKET, timeout_s=5.0))
        wire._transport.set_write_buffer_limits(high=10**9)
        for _ in range(20):
            await wire.send(b"x" * 1_000_000)
        with SendPermit(lambda: None) as permit, pytest.raises(StreamLostError) as caught:
            await wire.send("order", Lane.ORDER)
        assert (Outcome.NOT_SENT, False) == (caught.value.outcome, permit.is_used)
        wire._transport.abort()
        await wire.aclose()


@pytest.mark.parametrize("closes", ["wire", "transport"])
async def test_f78_closing_waits_for_no_peer_that_does_not_read(transport, closes):
    async def deaf(request, writer):
        writer.write(handshake(request))
        writer.transport.pause_reading()
        await asyncio.Event().wait()

    async with RawServer(deaf) as server:
        wire = await transport.open(stream(server.url, StreamKind.WEBSOCKET, timeout_s=5.0))
        wire._transport.set_write_buffer_limits(high=10**9)
        for _ in range(20):
            await wire.send(b"x" * 1_000_000)

        async with asyncio.timeout(8):
            await (wire if closes == "wire" else transport).aclose()
            await until(lambda: 0 == wire._transport.get_write_buffer_size())

        assert wire._transport.is_closing()


@pytest.mark.parametrize("kind", list(StreamKind))
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (429, RateLimitedError),
        (418, RateLimitedError),
        (404, VenueUnavailableError),
        (503, VenueUnavailableError),
        (307, VenueUnavailableError),
    ],
)
async def test_a_stream_that_is_refused_says_how_and_is_asked_for_once(
    transport, status, error, kind
):
    async with RawServer() as thief:
        headers = [("Retry-After", "7"), ("Location", f"{thief.url}/s")]
        async with RawServer(scripted(response(status=status, headers=headers))) as server:
            with pytest.raises(error) as caught:
                await transport.open(stream(server.url, kind))

            assert (1, 0) == (len(server.requests), thief.connections)
            await until(lambda: server.open == 0)
            assert str(status) == caught.value.code
            if status in (429, 418, 503):
                assert 7.0 == caught.value.retry_after


@pytest.mark.parametrize("kind", list(StreamKind))
async def test_a_stream_is_asked_for_once_where_the_peer_hangs_up(transport, kind):
    async with RawServer(scripted(going_on=RESET)) as server:
        with pytest.raises(ConnectFailedError):
            await transport.open(stream(server.url, kind))

        assert 1 == len(server.requests)


@pytest.mark.parametrize("kind", list(StreamKind))
async def test_a_stream_that_nobody_answers_is_given_up_in_time(transport, kind):
    async def silent(request, writer):
        await asyncio.Event().wait()

    async with RawServer(silent) as server:
        with pytest.raises(ConnectFailedError, match="in time"):
            await transport.open(stream(server.url, kind, timeout_s=0.05))
        gone = stream(server.url, kind)
    with pytest.raises(ConnectFailedError):
        await transport.open(gone)


async def test_a_handshake_with_a_wrong_proof_opens_nothing(transport):
    async def wrong(request, writer):
        writer.write(handshake(request).replace(b"Accept: ", b"Accept: x"))

    async with RawServer(wrong) as server:
        with pytest.raises(VenueUnavailableError):
            await transport.open(stream(server.url, StreamKind.WEBSOCKET))


async def send_for_ever(wire):
    while True:
        await wire.send(b"x" * 1_000_000)


HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


async def test_an_endless_response_is_read_piece_by_piece_as_it_comes(transport):
    gates = [asyncio.Event() for _ in range(3)]

    async def slow(request, writer):
        writer.write(HEAD + b"\r\n")
        for number, gate in enumerate(gates):
            await gate.wait()
            writer.write(chunk(b'{"n":%d}\n' % number))
        await asyncio.Event().wait()

    async with RawServer(slow) as server:
        wire = await transport.open(stream(server.url))
        for number, gate in enumerate(gates):
            gate.set()
            assert b'{"n":%d}\n' % number == await wire.receive()
        with pytest.raises(UnsupportedError):
            await wire.send("x")
        await wire.aclose()
        await wire.aclose()

        await lost(wire, "lost|ended")
        assert server.requests[0].startswith(b"GET /s HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("tail", "going_on", "match"),
    [
        (b"0\r\n\r\n", True, "the peer ended it"),
        (b"", False, "lost"),
        (b"", RESET, "lost"),
        (b"zz\r\n", True, "lost"),
    ],
)
async def test_an_endless_response_that_ends_says_how(transport, tail, going_on, match):
    is_read = asyncio.Event()

    async def script(request, writer):
        writer.write(HEAD + b"\r\n" + chunk(b"first"))
        await is_read.wait()
        writer.write(tail)
        return going_on

    async with RawServer(script) as server:
        wire = await transport.open(stream(server.url))
        assert b"first" == await wire.receive()
        is_read.set()

        await lost(wire, match)


async def test_an_endless_response_may_be_compressed_and_is_inflated_as_it_comes(transport):
    engine = zlib.compressobj(wbits=31)
    pieces = [engine.compress(b"a" * 1000) + engine.flush(zlib.Z_SYNC_FLUSH) for _ in range(3)]
    head = HEAD + b"Content-Encoding: gzip\r\n\r\n"
    async with RawServer(scripted(head, *map(chunk, pieces))) as server:
        wire = await transport.open(stream(server.url))
        found = b""
        while len(found) < 3000:
            found += await wire.receive()
        await wire.aclose()

    assert b"a" * 3000 == found


async def test_s10_a_bomb_in_an_endless_response_comes_in_bounded_pieces(transport):
    bomb = gzip.compress(bytes(10_000_000))
    head = HEAD + b"Content-Encoding: gzip\r\n\r\n"
    async with RawServer(scripted(head, chunk(bomb))) as server:
        wire = await transport.open(stream(server.url))

        assert max([len(await wire.receive()) for _ in range(20)]) <= 65_536
        await wire.aclose()


async def test_s10_a_bomb_in_an_endless_response_is_inflated_only_as_it_is_read(transport):
    bomb = gzip.compress(b"\n" * 60_000_000)
    head = HEAD + b"Content-Encoding: gzip\r\n\r\n"
    async with RawServer(scripted(head, chunk(bomb))) as server:
        wire = await transport.open(stream(server.url))
        tracemalloc.start()
        try:
            await wire.receive()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

        assert peak < 4_000_000
        await wire.aclose()


async def test_s10_a_bomb_in_an_endless_response_lets_others_go_on(transport):
    bomb = gzip.compress(b"\n" * 10_000_000)
    head = HEAD + b"Content-Encoding: gzip\r\n\r\n"
    async with RawServer(scripted(head, chunk(bomb))) as server:
        wire = await transport.open(stream(server.url))
        await wire.receive()
        turns = 0

        async def others():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(others())
        for _ in range(100):
            await wire.receive()
        task.cancel()

        assert turns >= 100
        await wire.aclose()


@pytest.mark.parametrize(
    ("encoding", "error"), [(b"br", ConnectFailedError), (b"gzip", StreamLostError)]
)
async def test_an_endless_response_that_can_not_be_inflated(transport, encoding, error):
    head = HEAD + b"Content-Encoding: " + encoding + b"\r\n\r\n"
    async with RawServer(scripted(head, chunk(b"no gzip"))) as server:
        with pytest.raises(error):
            await (await transport.open(stream(server.url))).receive()


async def at_rest(count):
    """Return what a count has come to once it stands still for a while."""
    async with asyncio.timeout(30):
        while True:
            before = count()
            await asyncio.sleep(0.2)
            if before == count():
                return before


async def test_a_peer_that_sends_faster_than_it_is_read_has_to_wait(transport):
    sent = 0

    async def flood(request, writer):
        nonlocal sent
        writer.write(HEAD + b"\r\n")
        while True:
            writer.write(chunk(b"x" * 65_536))
            await writer.drain()
            sent += 65_536

    async with RawServer(flood) as server:
        wire = await transport.open(stream(server.url))
        stalled = await at_rest(lambda: sent)
        assert stalled < 32 * 1024 * 1024

        found = 0
        while found <= stalled + 2**20:
            found += len(await wire.receive())
        assert sent > stalled
        await wire.aclose()


@pytest.mark.parametrize("kind", list(StreamKind))
async def test_closing_the_transport_ends_its_streams(kind):
    transport = AiohttpTransport()

    async def wait(request, writer):
        is_socket = b"upgrade" in request.lower()
        writer.write(handshake(request) if is_socket else HEAD + b"\r\n")
        await asyncio.Event().wait()

    async with RawServer(wait) as server:
        wire = await transport.open(stream(server.url, kind))
        reading = asyncio.ensure_future(wire.receive())
        await asyncio.sleep(0)
        await transport.aclose()
        with pytest.raises(StreamLostError):
            await reading
        with pytest.raises(ClosedError):
            await transport.open(stream(server.url, kind))
        await wire.aclose()
        await until(lambda: server.connections)


async def test_s07_a_name_that_leads_elsewhere_gets_no_plain_websocket(transport, monkeypatch):
    asked = []

    async def resolve(host, port, **_):
        asked.append(host)
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (address, port)) for address in ("127.0.0.1", "192.0.2.1")]

    async with RawServer() as server:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        with pytest.raises(ConnectFailedError):
            await transport.open(
                StreamRequest(name="private", url=f"ws://localhost:{server.port}/", timeout_s=3.0)
            )

        assert (["localhost"], 0) == (asked, server.connections)
