"""The transport as a whole: where it goes, where it does not, and what it never shows."""

import asyncio
import gc
import threading
import traceback
import warnings
from pathlib import Path

import pytest

from dragoman.errors import (
    ConfigurationError,
    DragomanError,
    HaltedError,
    InvalidValueError,
    LifecycleError,
    Outcome,
)
from dragoman.transport.base import Lane, StreamKind, StreamRequest
from dragoman.transport.http import AiohttpTransport

from .raw_server import RESET, RawServer, get, post, refusing, response, scripted, until

CANARY = "c4n4ry" + "Zx9" * 8


@pytest.fixture
async def transport():
    transport = AiohttpTransport()
    yield transport
    await transport.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "http://venue.example/orders",
        "ws://venue.example/orders",
        "http://127.0.0.1.venue.example/orders",
        "http://127.1/orders",
        "http://2130706433/orders",
        "http://0.0.0.0/orders",
        "http://[::ffff:127.0.0.1]/orders",
        "https://key@venue.example/orders",
        "http://127.0.0.1@venue.example/orders",
        "ftp://127.0.0.1/orders",
        "file:///etc/passwd",
        "https:///orders",
        "https://venue.example:99999/orders",
        "https://venue example/orders",
        "orders",
        "",
    ],
)
async def test_s07_where_nothing_may_be_sent(transport, url):
    async with RawServer() as server:
        with pytest.raises(ConfigurationError) as caught:
            await transport.send(post(server, url=url))
        with pytest.raises(ConfigurationError):
            await transport.open(StreamRequest(name="stream", url=url))

    assert Outcome.NOT_SENT is caught.value.outcome


@pytest.mark.parametrize(
    "path", ["", "?x=1", "/a b", "/a#b", "/a\r\nX: y", "/a\0", "/币安人生", "/a\x7f"]
)
async def test_c09_a_path_that_is_no_text_of_a_url_is_refused(transport, path):
    async with RawServer() as server:
        with pytest.raises((InvalidValueError, ConfigurationError)) as caught:
            await transport.send(post(server, url=server.url + path))

        assert (0, Outcome.NOT_SENT) == (server.connections, caught.value.outcome)


@pytest.mark.parametrize("path", ["/a/../b", "/%2e%2e/b", "/a%2Fb", "//evil/x", "/a?b=%0D%0A&c=/"])
async def test_s13_what_stands_in_the_url_is_sent_byte_by_byte(transport, path):
    async with RawServer() as server:
        await transport.send(post(server, url=server.url + path))

        assert server.requests[0].startswith(b"POST " + path.encode() + b" HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Key", f"{CANARY}\r\nX-Evil: 1"),
        ("X-Key", f"{CANARY}\n"),
        ("X-Key", f"{CANARY}\0"),
        ("X-Key", f"{CANARY}ü"),
        ("X-Key", f"{CANARY}\t"),
        ("X Key", "v"),
        ("X-Key:", "v"),
        ("", "v"),
        ("Host", "evil.example"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("Expect", "100-continue"),
        ("Accept-Encoding", "br"),
    ],
)
async def test_s12_a_header_that_would_break_out_is_refused_and_not_shown(transport, name, value):
    async with RawServer() as server:
        with pytest.raises(InvalidValueError) as caught:
            await transport.send(post(server, headers=((name, value),)))
        stream = StreamRequest(
            name="s", url=f"ws{server.url.removeprefix('http')}/s", headers=((name, value),)
        )
        with pytest.raises(InvalidValueError):
            await transport.open(stream)

        assert 0 == server.connections
    assert CANARY not in rendered(caught.value)


@pytest.mark.parametrize("method", ["", "PO ST", "GET\r\n", "GÉT"])
async def test_s12_a_method_that_would_break_out_is_refused(transport, method):
    async with RawServer() as server:
        with pytest.raises(InvalidValueError):
            await transport.send(post(server, method=method))


async def test_s09_proxies_and_netrc_of_the_environment_are_not_used(
    transport, tmp_path, monkeypatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password " + CANARY)
    async with RawServer() as proxy, RawServer() as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.upper(), proxy.url)
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("no_proxy", "")
        await transport.send(post(server))
        with pytest.raises(DragomanError):
            await transport.open(
                StreamRequest(name="s", url=f"ws{server.url.removeprefix('http')}/s")
            )

        assert (0, 2) == (proxy.connections, len(server.requests))
        assert b"Authorization" not in b"".join(server.requests)


async def test_cookies_are_neither_kept_nor_sent(transport):
    async with RawServer(scripted(response(headers=[("Set-Cookie", "a=b")]))) as server:
        for _ in range(2):
            await transport.send(post(server))

        assert b"ookie" not in server.requests[1]


async def test_a_transport_belongs_to_one_loop(transport):
    async with RawServer() as server:
        await transport.send(post(server))
        failures = []

        def elsewhere():
            try:
                asyncio.run(transport.send(post(server)))
            except LifecycleError as error:
                failures.append(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        await asyncio.to_thread(thread.join)

        assert [Outcome.NOT_SENT] == [failure.outcome for failure in failures]


async def test_one_transport_serves_a_bounded_number_of_origins(transport):
    async with RawServer() as server:
        transport._routes.update({str(number): None for number in range(64)})

        with pytest.raises(ConfigurationError, match="at most 64"):
            await transport.send(post(server))
        transport._routes.clear()


async def test_a_transport_that_was_never_used_closes_and_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transport = AiohttpTransport()
        await transport.aclose()
        del transport
        gc.collect()


def rendered(error):
    """Show an error in every way there is, with the local variables of every frame."""
    seen, parts = set(), []
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        lines = traceback.TracebackException.from_exception(error, capture_locals=True)
        parts += [str(error), repr(error), repr(vars(error)), *own_frames(lines)]
        error = error.__cause__ or error.__context__
    return "\n".join(parts)


def own_frames(lines):
    tests = str(Path(__file__).parent)
    for frame in lines.stack:
        if not frame.filename.startswith(tests):
            yield f"{frame.filename} {frame.name} {frame.locals}"


SECRET = (("X-Key", CANARY), ("Authorization", f"Bearer {CANARY}"))


@pytest.mark.parametrize(
    "script",
    [
        scripted(going_on=False),
        scripted(going_on=RESET),
        scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", going_on=False),
        scripted(b"what?\r\n\r\n"),
        scripted(response(b"x" * 100)),
        scripted(response(b"no", headers=[("Content-Encoding", "gzip")])),
    ],
)
@pytest.mark.parametrize("lane", list(Lane))
async def test_s03_no_failure_shows_a_secret(transport, script, lane, caplog):
    asyncio.get_running_loop().set_debug(True)
    caplog.set_level(1)
    for name in ("aiohttp.client", "aiohttp.internal", "asyncio"):
        caplog.set_level(1, name)
    async with RawServer(script) as server:
        secret = post(
            server,
            url=f"{server.url}/orders?signature={CANARY}",
            headers=SECRET,
            body=CANARY.encode(),
            lane=lane,
            timeout_s=1.0,
            max_bytes=50,
        )
        with pytest.raises(DragomanError) as caught:
            await transport.send(secret)
        with refusing(), pytest.raises(HaltedError) as halted:
            await transport.send(post(server, headers=SECRET))

    for error in (caught.value, halted.value):
        assert CANARY not in rendered(error)
    assert caught.value.__context__ is None
    assert CANARY not in caplog.text
    assert CANARY not in repr(secret)


@pytest.mark.parametrize("kind", list(StreamKind))
@pytest.mark.parametrize(
    "script",
    [scripted(going_on=RESET), scripted(response(status=403)), scripted(b"what?\r\n\r\n")],
)
async def test_s03_no_stream_that_fails_to_open_shows_a_secret(transport, script, kind, caplog):
    caplog.set_level(1)
    async with RawServer(script) as server:
        scheme = "ws" if kind is StreamKind.WEBSOCKET else "http"
        secret = StreamRequest(
            name="stream",
            url=f"{scheme}{server.url.removeprefix('http')}/s?key={CANARY}",
            kind=kind,
            headers=SECRET,
            timeout_s=1.0,
        )
        with pytest.raises(DragomanError) as caught:
            await transport.open(secret)

    assert CANARY not in rendered(caught.value)
    assert CANARY not in caplog.text


async def test_s03_a_canceled_exchange_shows_no_secret(transport):
    async def wait(request, writer):
        await asyncio.Event().wait()

    async with RawServer(wait) as server:
        request = post(server, headers=SECRET, url=f"{server.url}/o?s={CANARY}")
        task = asyncio.ensure_future(transport.send(request))
        await until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task

    assert CANARY not in rendered(caught.value)


async def test_c06_a_flood_of_informing_answers_ends_with_the_timeout(transport):
    async def flood(request, writer):
        while True:
            writer.write(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)
            await writer.drain()
            await asyncio.sleep(0)

    async with RawServer(flood) as server:
        with pytest.raises(DragomanError, match="no whole response in time"):
            await transport.send(get(server, timeout_s=0.1))
