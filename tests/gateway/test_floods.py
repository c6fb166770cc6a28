"""Clients that are slow on purpose, and the one beside them that is not."""

import asyncio

import pytest
from tests.core.dialects.toy import ToyDialect
from tests.core.transport.raw_server import until
from tests.gateway.standing import gateway, listening

from dragoman.dialects import HostLimits
from dragoman_gateway import make_app

ANY = {"X-Key": "k"}
HEAD = b"GET /account HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Key: k\r\n"
SLOW = 500


async def dial(client):
    return await asyncio.open_connection("127.0.0.1", client._base_url.port)


async def is_ended(reader):
    try:
        async with asyncio.timeout(30):
            while await reader.read(65536):
                pass
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize(
    "sent",
    [
        HEAD,
        b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nx",
        HEAD + b"\r\n" + HEAD,
    ],
    ids=["half a head", "half a body", "half a second head"],
)
async def test_a_good_client_is_answered_beside_500_slow_ones(broker, toy, sent):
    limits = HostLimits(header_s=2, body_s=2, idle_s=2)
    async with gateway(broker, [toy], limits=limits) as client:
        slow = [await dial(client) for _ in range(SLOW)]
        for _, writer in slow:
            writer.write(sent)

        answers = [await client.get("/account", headers=ANY) for _ in range(20)]

        assert {200} == {answer.status for answer in answers}
        assert all([await is_ended(reader) for reader, _ in slow])
        assert 200 == (await client.get("/account", headers=ANY)).status
        for _, writer in slow:
            writer.close()


async def test_a_slow_body_is_refused_in_the_dialects_words(broker, toy):
    limits = HostLimits(body_s=0.05)
    async with gateway(broker, [toy], limits=limits) as client:
        reader, writer = await dial(client)
        writer.write(b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx")
        answer = await reader.readuntil(b"}")
        writer.close()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'{"toy": "Request Timeout"}' in answer


async def test_a_frame_too_large_ends_its_socket(broker, toy):
    limits = HostLimits(frame_bytes=1000)
    async with (
        gateway(broker, [toy], limits=limits) as client,
        client.ws_connect("/stream") as socket,
    ):
        await socket.send_str("k ")
        await socket.receive_str()
        await socket.send_str("x" * 1001)

        assert 1009 == (await socket.receive()).data


async def test_without_limits_named_idle_connections_end_within_a_minute(broker):
    toy = ToyDialect()
    make_app(broker, [toy], native=False, page=False)

    limits = toy.host.limits
    assert (5.0, 10.0, 60.0) == (limits.header_s, limits.body_s, limits.idle_s)
    assert (2000, 1000) == (limits.connections, limits.connections_per_peer)


async def test_memory_of_a_host_is_given_back(broker, toy):
    app = make_app(broker, [toy], native=False, page=False)
    async with listening(app) as client:
        for _ in range(50):
            await client.get("/account", headers=ANY)
            async with client.ws_connect("/stream") as socket:
                await socket.send_str("k ")
                await socket.receive_str()
        await until(lambda: not toy.host.scope.names)

    assert 0 == toy.host.sockets.open_count
