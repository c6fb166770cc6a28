"""Claims of `dragoman_conformance.guard`. A nested guard keeps the suite's own from counting."""

import asyncio
import contextlib
import errno
import socket
import threading

import aiohttp
import pytest
from aiohttp import web

from dragoman_conformance.guard import NetworkForbidden, NetworkGuard

# Reserved for documentation (RFC 5737, RFC 3849, RFC 2606): nothing answers there.
OUTSIDE_IPV4 = "192.0.2.1"
OUTSIDE_IPV6 = "2001:db8::1"
OUTSIDE_NAME = "venue.example"


@pytest.fixture
def guard():
    with NetworkGuard() as active:
        yield active


@pytest.mark.parametrize(
    ("family", "address"),
    [(socket.AF_INET, (OUTSIDE_IPV4, 443)), (socket.AF_INET6, (OUTSIDE_IPV6, 443, 0, 0))],
)
@pytest.mark.parametrize("call", ["connect", "connect_ex"])
def test_connection_off_loopback_is_refused_and_counted(guard, call, family, address):
    with socket.socket(family) as client, pytest.raises(NetworkForbidden, match=call):
        getattr(client, call)(address)

    assert (f"{call} {address!r}",) == guard.attempts


@pytest.mark.parametrize("host", [OUTSIDE_NAME, OUTSIDE_NAME.encode(), OUTSIDE_IPV4, "0.0.0.0"])  # noqa: S104 - nothing is bound
def test_lookup_of_another_host_is_refused_and_counted(guard, host):
    with pytest.raises(NetworkForbidden, match="getaddrinfo"):
        socket.getaddrinfo(host, 443)

    assert (f"getaddrinfo {host!r}",) == guard.attempts


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", b"localhost", None])
def test_lookup_of_this_machine_passes(guard, host):
    found = socket.getaddrinfo(host=host, port=80, type=socket.SOCK_STREAM)

    assert found
    assert () == guard.attempts


def test_connection_over_loopback_passes(guard):
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            peer = client.getpeername()

        assert server.getsockname() == peer
    assert () == guard.attempts


def test_refused_loopback_port_stays_an_ordinary_error(guard):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()

    with socket.socket() as client:
        assert errno.ECONNREFUSED == client.connect_ex(address)
    assert () == guard.attempts


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")
def test_connection_to_unix_socket_passes(guard, tmp_path):
    path = str(tmp_path / "socket")

    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)

    assert () == guard.attempts


@pytest.mark.parametrize("host", [OUTSIDE_IPV4, OUTSIDE_NAME])
async def test_refusal_escapes_a_broad_except_through_aiohttp(guard, host):
    async def careless_adapter():
        async with aiohttp.ClientSession() as session:
            with contextlib.suppress(Exception):
                await session.get(f"http://{host}/")

    with pytest.raises(NetworkForbidden):
        await careless_adapter()

    assert 1 == len(guard.attempts)


async def test_server_on_loopback_serves_through_aiohttp(guard):
    async def answer(_request):
        return web.Response(text="here")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]

    async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}/") as found:
        text = await found.text()
    await runner.cleanup()

    assert "here" == text
    assert () == guard.attempts


def test_other_threads_are_guarded_too(guard):
    def reach_out():
        with contextlib.suppress(NetworkForbidden):
            socket.create_connection((OUTSIDE_IPV4, 443))

    thread = threading.Thread(target=reach_out)
    thread.start()
    thread.join()

    assert 1 == len(guard.attempts)


async def test_lookup_from_the_event_loop_is_refused(guard):
    with pytest.raises(NetworkForbidden):
        await asyncio.get_running_loop().getaddrinfo(OUTSIDE_NAME, 443)

    assert 1 == len(guard.attempts)


def test_leaving_restores_what_was_there():
    before = (socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo)

    with NetworkGuard():
        assert before != (socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo)

    assert before == (socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo)
