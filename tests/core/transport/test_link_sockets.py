"""Links over real sockets: what a peer does to a wire comes out as one loss, and is healed."""

import asyncio
import base64
import contextlib
import hashlib
import random
import struct

import pytest
from tests.patience import PatientClock

from dragoman.errors import AuthenticationError, DecodeError, RateLimitedError
from dragoman.resilience.backoff import Backoff
from dragoman.transport.base import StreamKind, StreamRequest
from dragoman.transport.http import AiohttpTransport
from dragoman.transport.lines import LineFraming
from dragoman.transport.link import Link
from dragoman.transport.link_report import LinkState, Rolled
from dragoman.transport.link_terms import LinkTerms
from dragoman.transport.sse import SseFraming
from dragoman.transport.stream_protocol import MessageFraming, StreamProtocol

from .raw_server import until

QUICK = LinkTerms(
    open_within_s=5, backoff=Backoff(first_s=0.01, cap_s=0.02), overlap_s=0.05, close_within_s=1
)
CUT = None
WS_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class TextProtocol(StreamProtocol):
    name = "loopback"

    def __init__(self, url, kind=StreamKind.WEBSOCKET, framing=MessageFraming):
        self.url = url
        self.kind = kind
        self.framing = framing

    async def request(self):
        return StreamRequest(name=self.name, url=self.url, kind=self.kind, max_bytes=1000)

    def make_framing(self):
        return self.framing()

    async def greet(self, session):
        if self.kind is StreamKind.WEBSOCKET:
            await session.ask("hello", lambda frame: frame == "welcome" or None)

    def decode(self, frame):
        if frame == "bad":
            raise DecodeError("bad")
        return (frame,)


class Server:
    """Speaks just enough HTTP and WebSocket to break both."""

    def __init__(self):
        self.scripts = []
        self.port = None
        self.heads = []
        self.received = []
        self.is_closed_well = 0
        self.serving = set()

    async def serve(self, reader, writer):
        self.serving.add(asyncio.current_task())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
            await script(self, head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self.serving.discard(asyncio.current_task())

    async def end(self):
        """Wait until every client has left."""
        while self.serving:
            await asyncio.wait(self.serving, timeout=5)

    async def frames(self, reader):
        """Yield the opcode and payload of each frame of the client."""
        while True:
            first, second = await reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", await reader.readexactly(2))
            mask = await reader.readexactly(4)
            data = await reader.readexactly(length)
            yield first & 0x0F, bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))


def frame(payload, opcode=1, flags=0x80):
    head = bytes([flags | opcode])
    size = len(payload)
    return (
        head + (bytes([size]) if size < 126 else bytes([126]) + struct.pack(">H", size)) + payload
    )


def websocket(*says, deflate=False):
    """A peer that accepts, greets, says raw bytes, and then listens until the client leaves."""

    async def script(server, head, reader, writer):
        key = next(
            line.split(b": ")[1]
            for line in head.split(b"\r\n")
            if b"sec-websocket-key" in line.lower()
        )
        accept = base64.b64encode(hashlib.sha1(key + WS_KEY).digest())  # noqa: S324 - the protocol's
        extension = b"Sec-WebSocket-Extensions: permessage-deflate\r\n" if deflate else b""
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + extension
            + b"Sec-WebSocket-Accept: "
            + accept
            + b"\r\n\r\n"
        )
        async for opcode, payload in server.frames(reader):
            server.received.append(payload)
            if payload == b"hello":
                for said in (frame(b"welcome"), *says):
                    if said is CUT:
                        writer.transport.abort()
                        return
                    writer.write(said)
                    await writer.drain()
                    await asyncio.sleep(0.02)
            if opcode == 8:
                server.is_closed_well += 1
                writer.write(frame(payload, 8))
                return

    return script


def answer(raw, *, stays=True):
    async def script(server, head, reader, writer):
        for piece in raw if isinstance(raw, list) else [raw]:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.001)
        if stays:
            await reader.read()

    return script


@pytest.fixture
async def server():
    made = Server()
    listener = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listener.sockets[0].getsockname()[1]
    yield made
    listener.close()
    await made.end()
    await listener.wait_closed()


@contextlib.asynccontextmanager
async def linked(protocol):
    transport = AiohttpTransport()
    try:
        async with asyncio.timeout(30):
            async with Link(
                protocol,
                transport=transport,
                clock=PatientClock(asyncio.get_running_loop()),
                random=random.Random(1),
                terms=QUICK,
            ) as link:
                yield link
    finally:
        await transport.aclose()


async def read(link, count):
    """Return so many payloads and the causes of all losses until then."""
    payloads, causes = [], []
    while len(payloads) < count:
        for item in await anext(link):
            if isinstance(item, tuple):
                payloads.append(item[0])
            elif getattr(item, "state", None) is LinkState.WAITING:
                causes.append(item.cause)
    return payloads, causes


async def test_a_greeted_stream_delivers_and_says_goodbye(server):
    server.scripts = [websocket(frame(b"one"), frame(b"two"))]

    async with linked(TextProtocol(f"ws://127.0.0.1:{server.port}/")) as link:
        payloads, causes = await read(link, 2)

    assert (["one", "two"], []) == (payloads, causes)
    await server.end()
    assert 1 == server.is_closed_well


@pytest.mark.parametrize(
    ("name", "bad", "deflate"),
    [
        ("corrupt deflate", frame(b"\xff\xff\xff\xff", flags=0xC0), True),
        ("over the bound", frame(b"x" * 2000), False),
        ("not UTF-8", frame(b"\xff\xfe"), False),
        ("reserved bits", frame(b"x", flags=0xF0), False),
        ("unknown opcode", frame(b"x", opcode=5), False),
        ("close frame", frame(struct.pack(">H", 1012), opcode=8), False),
    ],
)
async def test_f79_what_breaks_the_rules_is_one_loss_and_a_reconnect(server, name, bad, deflate):
    server.scripts = [
        websocket(frame(b"before"), bad, deflate=deflate),
        websocket(frame(b"after")),
    ]

    async with linked(TextProtocol(f"ws://127.0.0.1:{server.port}/")) as link:
        payloads, causes = await read(link, 2)
        assert 1 == link.losses

    assert ["before", "after"] == payloads
    assert 1 == len(causes)


async def test_f20_a_reset_is_one_loss_and_a_reconnect(server):
    server.scripts = [websocket(frame(b"before"), CUT), websocket(frame(b"after"))]

    async with linked(TextProtocol(f"ws://127.0.0.1:{server.port}/")) as link:
        payloads, causes = await read(link, 2)

    assert (["before", "after"], 1) == (payloads, len(causes))


async def test_f77_a_rollover_over_real_sockets_has_no_gap(server):
    server.scripts = [websocket(frame(b"a")), websocket(frame(b"a"), frame(b"b"))]

    async with linked(TextProtocol(f"ws://127.0.0.1:{server.port}/")) as link:
        first, _ = await read(link, 1)
        link.rollover("planned")
        told = []
        while "b" not in [item[0] for item in told if isinstance(item, tuple)]:
            told += await anext(link)
        await until(lambda: server.is_closed_well)  # the first one is left with a close frame

        assert (0, 1) == (link.losses, server.is_closed_well)

    assert ["a"] == first
    assert any(isinstance(item, Rolled) for item in told)


async def test_lines_of_a_chunked_response_are_read_wherever_they_are_cut(server):
    lines = '{"p":"1.10","n":"币安"}\r\n\n{"b":2}\n'.encode()
    chunks = [b"1\r\n" + lines[n : n + 1] + b"\r\n" for n in range(len(lines))]
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.scripts = [answer([head, *chunks])]
    url = f"http://127.0.0.1:{server.port}/"

    async with linked(TextProtocol(url, StreamKind.HTTP, LineFraming)) as link:
        payloads, _ = await read(link, 2)

    assert ['{"p":"1.10","n":"币安"}'.encode(), b'{"b":2}'] == payloads


async def test_the_end_of_an_endless_response_is_a_loss(server):
    body = b"data: 1\n\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole = head + b"9\r\n" + body + b"\r\n0\r\n\r\n"
    server.scripts = [answer(whole, stays=False)]
    url = f"http://127.0.0.1:{server.port}/"

    async with linked(TextProtocol(url, StreamKind.HTTP, SseFraming)) as link:
        payloads, causes = await read(link, 3)

    assert ["1", "1", "1"] == [event.data for event in payloads]
    assert 2 <= len(causes)


@pytest.mark.parametrize("kind", list(StreamKind))
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (b"401 Unauthorized\r\n", AuthenticationError),
        (b"429 Slow\r\nRetry-After: 60\r\n", RateLimitedError),
    ],
)
async def test_a_refused_stream_is_not_tried_again_in_vain(server, status, error, kind):
    server.scripts = [answer(b"HTTP/1.1 " + status + b"Content-Length: 0\r\n\r\n", stays=False)]
    scheme = "ws" if kind is StreamKind.WEBSOCKET else "http"

    with pytest.raises(error):
        async with linked(TextProtocol(f"{scheme}://127.0.0.1:{server.port}/", kind)):
            pass

    assert 1 == len(server.heads)
