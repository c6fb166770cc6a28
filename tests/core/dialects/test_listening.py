"""Connections that send nothing, too much, or come in too large a number."""

import asyncio
import itertools
import logging
import ssl

import aiohttp
import pytest
import trustme
from aiohttp import web
from tests.core.dialects.toy import SECRET
from tests.core.transport.raw_server import until

from dragoman.dialects import SimpleHost
from dragoman.dialects.limits import HostLimits
from dragoman.dialects.listening import KEYED, Listener
from dragoman.errors import ConfigurationError

REQUEST = b"GET /account HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Key: k\r\n"


async def dial(host):
    name, port = host.url.removeprefix("http://").split(":")
    return await asyncio.open_connection(name, int(port))


async def is_dropped(reader):
    try:
        async with asyncio.timeout(30):
            return not await reader.read()
    except ConnectionError:
        return True


@pytest.mark.parametrize("head", [b"", REQUEST], ids=["nothing", "half a head"])
async def test_a_connection_that_never_sends_a_whole_head_is_dropped(broker, toy, head):
    async with SimpleHost(broker, toy, limits=HostLimits(header_s=0.01)) as host:
        reader, writer = await dial(host)
        writer.write(head)

        assert await is_dropped(reader)
        writer.close()


async def test_a_connection_that_sent_a_head_in_time_may_stay(broker, toy):
    async with SimpleHost(broker, toy) as host:
        reader, writer = await dial(host)
        for _ in range(3):
            writer.write(REQUEST + b"\r\n")
            assert b"200" in await reader.readline()
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(b'{"account": "one"}'))

            assert not host._listener._unheard
        writer.close()


async def test_a_later_head_has_no_more_time_than_the_first(broker, toy):
    """However it is cut up: each byte begins no new time."""
    async with SimpleHost(broker, toy, limits=HostLimits(header_s=0.05)) as host:
        reader, writer = await dial(host)
        writer.write(REQUEST + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(b'{"account": "one"}'))

        async def trickle():
            for byte in itertools.cycle(b"X: y\r\n"):
                writer.write(bytes([byte]))
                await asyncio.sleep(0.005)

        writer.write(REQUEST)
        trickling = asyncio.ensure_future(trickle())
        assert await is_dropped(reader)
        trickling.cancel()
        writer.close()


async def test_what_comes_while_an_answer_is_made_is_no_late_head(broker, toy):
    """What a socket receives may take as long as the socket lasts."""
    async with (
        SimpleHost(broker, toy) as host,
        aiohttp.ClientSession(host.url, headers={"X-Key": "k"}) as client,
        client.ws_connect("/stream") as socket,
    ):
        await socket.send_str("k ")
        await socket.receive_str()
        for _ in range(3):
            await socket.send_str("still here")
            assert "still here" == await socket.receive_str()
            assert not host._listener._unheard


async def test_one_address_has_only_so_many_connections(broker, toy):
    limits = HostLimits(connections_per_peer=2)
    async with SimpleHost(broker, toy, limits=limits) as host:
        kept = [await dial(host) for _ in range(2)]
        await until(lambda: 2 == len(host._listener._ears))
        unwanted, closing = await dial(host)

        assert await is_dropped(unwanted)
        closing.close()
        for _, writer in kept:
            writer.close()
        await until(lambda: not host._listener._ears)
        assert not host._listener._peers


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "", "192.168.1.2", "desk.example"])  # noqa: S104 - refused
async def test_nobody_listens_for_other_machines_without_keys(address):
    with pytest.raises(ConfigurationError, match="can be reached from other machines"):
        Listener(web.Application(), (address, 0), HostLimits())


async def test_an_application_with_keys_may_be_listened_to_from_elsewhere():
    app = web.Application()
    app[KEYED] = True
    listener = Listener(app, ("0.0.0.0", 0), HostLimits())  # noqa: S104 - with keys it may
    await listener.open()
    try:
        assert listener.url.startswith("http://0.0.0.0:")
    finally:
        await listener.close()


async def test_tls_is_spoken_where_it_is_asked_for(broker, toy):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def hello(request):
        return web.Response(text=request.scheme)

    app = web.Application()
    app.router.add_get("/", hello)
    listener = Listener(app, ("127.0.0.1", 0), HostLimits(), ssl=context)
    await listener.open()
    try:
        async with aiohttp.ClientSession() as client:
            answer = await client.get(listener.url, ssl=trusting)
            assert ("https", True) == (await answer.text(), listener.url.startswith("https://"))
    finally:
        await listener.close()


async def test_a_connection_that_sits_idle_is_dropped(broker, toy):
    async with SimpleHost(broker, toy, limits=HostLimits(idle_s=0.05)) as host:
        reader, writer = await dial(host)
        writer.write(REQUEST + b"\r\n")
        assert b"200" in await reader.readline()

        async with asyncio.timeout(30):
            await reader.read()
        assert reader.at_eof()
        writer.close()


async def test_connections_beyond_the_limit_are_dropped_and_the_others_go_on(broker, toy):
    async with SimpleHost(broker, toy, limits=HostLimits(connections=2)) as host:
        kept = [await dial(host) for _ in range(2)]
        for _, writer in kept:
            writer.write(REQUEST + b"\r\n")
        for reader, _ in kept:
            assert b"200" in await reader.readline()
        unwanted, closing = await dial(host)

        assert await is_dropped(unwanted)
        closing.close()
        kept[0][1].close()
        await until(lambda: 1 == len(host._listener._runner.server.connections))
        reader, writer = await dial(host)
        writer.write(REQUEST + b"\r\n")
        assert b"200" in await reader.readline()
        for _, each in (*kept, (None, writer)):
            each.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        REQUEST + b"X-Long: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        REQUEST + b"X-Secret\x00: " + SECRET.encode() + b"\r\n\r\n",
        b"\x16\x03\x01" + SECRET.encode() + b"\r\n\r\n",
    ],
    ids=["long header", "long target", "control character", "not http"],
)
async def test_what_is_no_request_is_refused_and_not_logged(broker, toy, caplog, request_bytes):
    caplog.set_level(logging.DEBUG)
    async with SimpleHost(broker, toy) as host:
        reader, writer = await dial(host)
        writer.write(request_bytes)
        assert b"400" in await reader.readline()
        writer.close()

    assert SECRET not in caplog.text
    assert [] == [record for record in caplog.records if record.levelno > logging.INFO]


async def test_no_request_is_logged(serve, caplog):
    caplog.set_level(logging.DEBUG)
    async with serve(key="canary-key", secret="canary-secret") as client:
        await client.get("/account?name=canary-query")

    assert "canary" not in caplog.text
