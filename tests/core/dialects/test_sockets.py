"""A client's socket: in order, bounded, and never in anybody else's way."""

import asyncio
import base64

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import make_mocked_request
from tests.core.dialects.toy import LAST_WORDS, SECRET
from tests.core.transport.raw_server import until

from dragoman.dialects import SimpleHost
from dragoman.dialects.limits import HostLimits
from dragoman.dialects.sockets import ClientSocket, PackedFrame, SocketDesk
from dragoman.tasks import TaskScope

SMALL = 256 * 1024


async def enter(client, **settings):
    socket = await client.ws_connect("/stream", **settings)
    await socket.send_str("k s")
    assert "welcome" == await socket.receive_str()
    return socket


async def connect_raw(url, path):
    """Upgrade to a WebSocket by hand, and read nothing more."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    key = base64.b64encode(bytes(16)).decode()
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    assert b"101" in await reader.readline()
    return reader, writer


async def is_dropped(reader):
    try:
        while await reader.read(1 << 20):
            pass
    except ConnectionError:
        return True
    return reader.at_eof()


async def test_texts_and_bytes_come_back_in_order(serve):
    async with serve() as client:
        socket = await enter(client)
        for number in range(100):
            await socket.send_str(f"text {number}")
            await socket.send_bytes(b"bytes %d" % number)

        for number in range(100):
            assert f"text {number}" == await socket.receive_str()
            assert b"bytes %d" % number == await socket.receive_bytes()
        await socket.close()


async def test_what_has_begun_lasts_longer_than_an_answer_may_take(serve):
    async with serve(limits=HostLimits(request_s=0.05)) as client:
        socket = await enter(client)

        for _ in range(3):
            await asyncio.sleep(0.05)
            await socket.send_str("still here")
            assert "still here" == await socket.receive_str()
        await socket.close()


async def test_a_handlers_close_comes_with_its_code_after_what_waits(serve):
    async with serve(key="", secret="") as client:
        socket = await client.ws_connect("/stream")
        await socket.send_str(" ")

        message = await socket.receive()

        assert (WSMsgType.CLOSE, 4001, "who are you") == (message.type, message.data, message.extra)


async def test_a_handler_that_leaves_at_once_has_its_last_frame_written(serve, toy):
    async with serve() as client:
        socket = await client.ws_connect("/brief")

        frame, closing = await socket.receive(), await socket.receive()

        assert ("bye", WSMsgType.CLOSE, 1000) == (frame.data, closing.type, closing.data)
        await until(lambda: toy.ended)
    assert ["brief"] == toy.ended


async def test_a_client_that_does_not_take_a_last_frame_keeps_no_handler(broker, toy):
    limits = HostLimits(outbox_bytes=64 * 1024 * 1024, farewell_s=0.05)
    async with SimpleHost(broker, toy, limits=limits) as host:
        _, writer = await connect_raw(host.url, f"/brief?size={32 * 1024 * 1024}")

        await until(lambda: toy.ended)

        writer.close()
    assert ["brief"] == toy.ended


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        pytest.param("x" * 200, "x" * 123, id="too-long"),
        pytest.param("é" * 80, "é" * 61, id="too-long-in-bytes"),
        pytest.param("who are you", "who are you", id="short"),
    ],
)
async def test_a_reason_is_told_as_far_as_a_close_frame_has_room(serve, reason, told):
    async with serve() as client:
        socket = await client.ws_connect("/brief", params={"reason": reason})

        frame, closing = await socket.receive(), await socket.receive()

        assert ("bye", WSMsgType.CLOSE) == (frame.data, closing.type)
        assert (4002, told) == (closing.data, closing.extra)


async def test_a_writer_that_never_began_keeps_nobody_waiting():
    """Its scope closes before its first step."""
    scope = TaskScope()
    response, request = web.WebSocketResponse(), make_mocked_request("GET", "/")
    socket = ClientSocket(response, request, HostLimits(), None)
    scope.spawn(socket.write(), "writer").add_done_callback(lambda _: socket.note_written())

    await scope.close()
    async with asyncio.timeout(5):
        await socket.close()

    assert not socket.is_open


async def test_a_client_that_closes_ends_the_handler(serve, toy):
    async with serve() as client:
        socket = await enter(client)
        await socket.close()
        await until(lambda: toy.ended)

        assert ["stream"] == toy.ended
        assert not toy.sockets[0].is_open
        assert not toy.sockets[0].send("more")


async def test_a_client_that_vanishes_ends_the_handler(broker, toy):
    async with SimpleHost(broker, toy) as host:
        _, writer = await connect_raw(host.url, "/flood")
        writer.transport.abort()
        await until(lambda: toy.ended)

        assert ["flood"] == toy.ended


async def test_a_handler_that_fails_closes_its_socket_and_shows_nothing(serve, caplog):
    async with serve() as client:
        socket = await enter(client)
        await socket.send_str("boom")

        message = await socket.receive()

        assert (WSMsgType.CLOSE, 1011, "") == (message.type, message.data, message.extra)
    failed = [record for record in caplog.records if "a handler failed" == record.message]
    assert ["ZeroDivisionError"] == [record.error for record in failed]
    assert failed[0].place.startswith("stream (toy.py:")
    assert SECRET not in caplog.text


async def test_a_client_that_keeps_up_is_sent_any_amount(serve, toy):
    async with serve(limits=HostLimits(outbox_bytes=10_000)) as client:
        socket = await enter(client)
        for number in range(100):
            await socket.send_str(f"{number:1000}")
            assert f"{number:1000}" == await socket.receive_str()

        assert (True, 0) == (toy.sockets[0].is_open, toy.sockets[0].waiting_bytes)
        await socket.close()


async def test_a_slow_client_gets_its_last_words_once_it_reads_and_is_cut(serve, toy):
    limits = HostLimits(outbox_bytes=SMALL, farewell_s=30)
    async with serve(limits=limits) as client:
        socket = await client.ws_connect("/flood", max_msg_size=0)
        await until(lambda: toy.sockets and toy.sockets[0].was_too_slow)
        messages = [message async for message in socket]

        assert LAST_WORDS == messages[-1].data
        assert {b"x" * 65536} == {message.data for message in messages[:-1]}
        assert 1008 == socket.close_code
        await until(lambda: toy.ended)


async def test_a_slow_client_may_be_cut_without_a_word(serve, toy):
    limits = HostLimits(outbox_bytes=SMALL, farewell_s=30)
    async with serve(limits=limits) as client:
        socket = await client.ws_connect("/flood?mute", max_msg_size=0)
        await until(lambda: toy.sockets and toy.sockets[0].was_too_slow)
        messages = [message async for message in socket]

        assert {b"x" * 65536} == {message.data for message in messages}
        assert 1008 == socket.close_code


async def test_a_client_that_never_reads_is_dropped_and_delays_nobody(broker, toy):
    limits = HostLimits(outbox_bytes=SMALL, farewell_s=0.05)
    async with SimpleHost(broker, toy, limits=limits) as host:
        reader, writer = await connect_raw(host.url, "/flood")
        async with aiohttp.ClientSession(host.url) as client:
            good = await enter(client)
            await until(lambda: "flood" in toy.ended)

            await good.send_str("still there")
            assert "still there" == await good.receive_str()
            await good.close()
        flooded = toy.sockets[0]

        assert (True, False, 0) == (flooded.was_too_slow, flooded.is_open, flooded.waiting_bytes)
        assert await is_dropped(reader)
        writer.transport.abort()


async def test_closing_the_host_tells_every_client_and_ends_every_socket(broker, toy):
    async with aiohttp.ClientSession() as client:
        async with SimpleHost(broker, toy) as host:
            sockets = []
            for _ in range(5):
                socket = await client.ws_connect(f"{host.url}/stream")
                await socket.send_str("k s")
                assert "welcome" == await socket.receive_str()
                sockets.append(socket)
            reading = [asyncio.create_task(socket.receive()) for socket in sockets]
        messages = await asyncio.gather(*reading)

        assert {(1001, "going away")} == {(message.data, message.extra) for message in messages}
    assert ["stream"] * 5 == toy.ended


async def test_closing_the_host_does_not_wait_for_a_client_that_says_no_goodbye(broker, toy):
    limits = HostLimits(farewell_s=0.05)
    async with SimpleHost(broker, toy, limits=limits) as host:
        reader, writer = await connect_raw(host.url, "/stream")
        await until(lambda: toy.sockets)

    received = await reader.read(1 << 20)
    assert b"going away" in received
    writer.transport.abort()


async def test_closing_the_host_ends_a_handler_that_listens_to_nobody(broker, toy):
    async with aiohttp.ClientSession() as client:
        async with SimpleHost(broker, toy, limits=HostLimits(farewell_s=0.05)) as host:
            socket = await client.ws_connect(f"{host.url}/deaf")
            await until(lambda: toy.sockets)
            reading = asyncio.create_task(socket.receive())
        message = await reading

    assert (1001, "going away") == (message.data, message.extra)
    assert ["stuck"] == toy.ended


async def test_a_frame_too_large_closes_the_socket(serve):
    async with serve(limits=HostLimits(frame_bytes=1000)) as client:
        socket = await enter(client)
        await socket.send_str("x" * 1001)

        assert WSMsgType.CLOSE == (await socket.receive()).type
        assert 1009 == socket.close_code


async def test_a_client_that_answers_no_ping_is_dropped(broker, toy):
    async with SimpleHost(broker, toy, limits=HostLimits(ping_every_s=0.02)) as host:
        _, writer = await connect_raw(host.url, "/stream")
        await until(lambda: toy.sockets and toy.sockets[0].response.closed)

        assert not toy.sockets[0].send("more")
        writer.transport.abort()


async def test_receiving_gives_up_in_time_and_the_socket_lives_on(serve, toy):
    async with serve() as client:
        socket = await client.ws_connect("/patience")

        assert "nothing yet" == await socket.receive_str()
        await socket.send_str("now")
        assert "now" == await socket.receive_str()
        await socket.close()


@pytest.mark.parametrize(
    ("offered", "expected"), [(("toy.1", "other"), "toy.1"), ((), None)], ids=["known", "none"]
)
async def test_a_subprotocol_both_speak_is_agreed_on(serve, offered, expected):
    async with serve() as client:
        socket = await enter(client, protocols=offered)

        assert expected == socket.protocol
        await socket.close()


async def test_a_client_none_of_whose_subprotocols_is_spoken_is_refused(serve, caplog):
    async with serve() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await client.ws_connect("/stream", protocols=("token", SECRET))

    assert 400 == raised.value.status
    assert SECRET not in caplog.text


async def test_a_request_that_asks_for_no_socket_is_refused_in_the_dialects_words(serve):
    async with serve() as client:
        answer = await client.get("/stream")

        assert (400, {"toy": "Bad Request"}) == (answer.status, await answer.json())


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 200_000])
async def test_a_packed_frame_is_one_whole_frame_whatever_its_size(serve, toy, size):
    async with serve() as client:
        socket = await enter(client)
        toy.sockets[0].send(PackedFrame("x" * size, b"y" * size))

        assert "x" * size == await socket.receive_str()
        assert b"y" * size == await socket.receive_bytes()
        await socket.close()


async def test_frames_packed_together_arrive_as_they_were(serve, toy):
    parts = [PackedFrame(f"{number}") for number in range(300)]
    whole = PackedFrame.joined(parts)
    async with serve() as client:
        socket = await enter(client)
        toy.sockets[0].send(whole)

        found = [await socket.receive_str() for _ in range(300)]
        await socket.close()

    assert (300, [f"{number}" for number in range(300)]) == (whole.count, found)


async def test_what_is_offered_is_written_only_while_nothing_waits(serve, toy):
    async with serve() as client:
        socket = await enter(client)
        server = toy.sockets[0]
        transport = client_transport(socket)
        transport.pause_reading()
        frame = PackedFrame(b"x" * 65536)
        taken = 0
        while server.offer(frame):
            taken += 1
        server.send("last")
        waiting, refused = server.waiting_bytes, server.offer(frame)
        transport.resume_reading()
        found = [await socket.receive_bytes() for _ in range(taken)]
        last = await socket.receive_str()
        await server.drained()

        assert (True, False) == (waiting > 0, refused)
        assert (taken, "last", 0) == (len(found), last, server.waiting_bytes)
        assert server.written_bytes >= len("last")
        await socket.close()


def client_transport(socket):
    return socket._response.connection.transport


async def test_nobody_waits_for_what_a_cut_client_will_never_take(serve, toy):
    async with serve(limits=HostLimits(outbox_bytes=SMALL, farewell_s=30)) as client:
        socket = await enter(client)
        server = toy.sockets[0]
        client_transport(socket).pause_reading()
        while server.send(b"x" * 65536):
            pass
        await until(lambda: server.was_too_slow)

        assert not server.offer(PackedFrame("more"))
        client_transport(socket).resume_reading()
        async with asyncio.timeout(30):
            await server.drained()


async def test_a_desk_counts_its_sockets_their_frames_and_those_it_cut():
    desk = SocketDesk(TaskScope(), HostLimits())

    assert (0, 0, 0) == (desk.open_count, desk.cut_count, desk.frame_count)
