"""One exchange over real sockets: written once, read whole, and honest about what was written."""

import asyncio
import gzip
import os
import tracemalloc
import zlib

import pytest

from dragoman.errors import (
    ClosedError,
    ConnectFailedError,
    HaltedError,
    Outcome,
    OutcomeUnknownError,
    UnknownReason,
)
from dragoman.permits import SendPermit
from dragoman.transport.base import Lane
from dragoman.transport.http import AiohttpTransport

from .raw_server import RESET, RawServer, get, post, refusing, response, scripted, until

MEBIBYTE = 1024 * 1024


@pytest.fixture
async def transport():
    transport = AiohttpTransport()
    yield transport
    await transport.aclose()


async def fails_unknown(transport, request, reason):
    with pytest.raises(OutcomeUnknownError) as caught:
        await transport.send(request)
    assert (Outcome.UNKNOWN, reason) == (caught.value.outcome, caught.value.reason)
    return caught.value


def silent():
    async def script(request, writer):
        await asyncio.Event().wait()

    return script


async def test_a_request_arrives_as_it_was_given_and_its_answer_comes_back(transport):
    answer = response(b'{"id":1}', 201, [("X-Trace", "t"), ("X-Many", "a"), ("x-many", "b")])
    async with RawServer(scripted(answer)) as server:
        found = await transport.send(post(server, headers=(("X-Key", "k"),)))

        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert b'{"symbol":"AAPL"}' == body
        assert head.startswith(b"POST /orders HTTP/1.1\r\n")
        assert b"X-Key: k" in head
        assert b"Accept-Encoding: gzip" in head
        assert b"User-Agent: dragoman" in head
        assert (201, b'{"id":1}', "t", "a, b") == (
            found.status,
            found.body,
            found.headers["x-trace"],
            found.headers["x-many"],
        )


async def test_f01_nobody_listens(transport):
    async with RawServer() as server:
        gone = post(server)

    with pytest.raises(ConnectFailedError, match=r"place order: .*nothing was sent") as caught:
        await transport.send(gone)

    assert Outcome.NOT_SENT is caught.value.outcome


@pytest.mark.parametrize("size", [MEBIBYTE * 8])
async def test_f04_reset_within_the_request_is_unknown(transport, size):
    async def hang_up(reader, writer):
        await reader.readexactly(100)
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/orders"
        request = post(RawServerAt(url), body=b"x" * size)

        await fails_unknown(transport, request, UnknownReason.CONNECTION_LOST)


class RawServerAt:
    def __init__(self, url):
        self.url = url.removesuffix("/orders")


@pytest.mark.parametrize("ending", [False, RESET])
async def test_f05_reset_before_the_response_is_unknown_and_sent_once(transport, ending):
    async with RawServer(scripted(going_on=ending)) as server:
        await fails_unknown(transport, post(server), UnknownReason.CONNECTION_LOST)
        for method in ("PUT", "DELETE", "GET"):
            await fails_unknown(
                transport, post(server, method=method), UnknownReason.CONNECTION_LOST
            )

        assert 4 == len(server.requests) == server.connections


async def test_f05_what_was_written_with_leave_is_unknown_too(transport):
    async with RawServer(scripted(going_on=RESET)) as server:
        with SendPermit(lambda: None) as permit:
            await fails_unknown(transport, post(server), UnknownReason.CONNECTION_LOST)

        assert (True, 1) == (permit.is_used, len(server.requests))


WHOLE = response(b'{"id":"1"}', headers=[("Content-Type", "application/json")])
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[1,2\r\n1\r\n]\r\n0\r\n\r\n"
GZIPPED = response(gzip.compress(b'{"id":"1"}'), headers=[("Content-Encoding", "gzip")])


@pytest.mark.parametrize("whole", [WHOLE, CHUNKED, GZIPPED], ids=["length", "chunked", "gzip"])
@pytest.mark.parametrize("ending", [False, RESET], ids=["end", "reset"])
async def test_f06_a_response_cut_at_any_byte_is_never_taken_for_whole(transport, whole, ending):
    cuts = iter(range(len(whole)))

    async def script(request, writer):
        writer.write(whole[: next(cuts)])
        return ending

    async with RawServer(script) as server:
        for _ in range(len(whole)):
            with pytest.raises(OutcomeUnknownError):
                await transport.send(post(server))

        assert len(whole) == len(server.requests)


async def test_f06_a_body_that_ends_with_its_connection_is_whole_unless_reset(transport):
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    async with RawServer(scripted(head, b"to the end", going_on=False)) as server:
        assert b"to the end" == (await transport.send(post(server))).body

    async with RawServer(scripted(head, b"to the e", going_on=RESET)) as server:
        with pytest.raises(OutcomeUnknownError):
            await transport.send(post(server))


async def test_f07_a_black_hole_is_unknown_after_the_timeout_and_its_connection_is_cut(transport):
    async with RawServer(silent()) as server:
        await fails_unknown(transport, post(server, timeout_s=0.05), UnknownReason.TIMEOUT)
        server._script = server._answer

        assert 200 == (await transport.send(post(server))).status
        assert 2 == server.connections


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_f16_a_redirect_is_only_an_answer(transport, status):
    async with RawServer() as thief:
        answer = response(b"", status, [("Location", f"{thief.url}/orders")])
        async with RawServer(scripted(answer)) as server:
            found = await transport.send(post(server, headers=(("X-Key", "k"),)))

        assert (status, 0) == (found.status, thief.connections)


@pytest.mark.parametrize(
    "answer",
    [
        response(gzip.compress(b"{}" * 100)[:-9], headers=[("Content-Encoding", "gzip")]),
        response(b"no gzip at all", headers=[("Content-Encoding", "gzip")]),
        response(b"{}", headers=[("Content-Encoding", "br")]),
        response(gzip.compress(gzip.compress(b"{}")), headers=[("Content-Encoding", "gzip, gzip")]),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"<html>not HTTP</html>\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
    ],
    ids=[
        "gzip cut",
        "gzip corrupt",
        "unasked encoding",
        "two encodings",
        "chunk size",
        "smuggling",
        "two lengths",
        "switch",
        "html",
        "long line",
        "many headers",
    ],
)
async def test_f17_a_response_that_makes_no_sense_is_unknown(transport, answer):
    async with RawServer(scripted(answer)) as server:
        await fails_unknown(transport, post(server, timeout_s=2.0), UnknownReason.BAD_RESPONSE)


async def test_s10_a_bomb_is_given_up_early_with_bounded_memory(transport):
    engine = zlib.compressobj(9, wbits=31)
    bomb = b"".join(engine.compress(bytes(MEBIBYTE)) for _ in range(200)) + engine.flush()
    assert 190_000 < len(bomb) < 220_000
    answer = response(bomb, headers=[("Content-Encoding", "gzip")])
    async with RawServer(scripted(answer)) as server:
        tracemalloc.start()
        try:
            error = await fails_unknown(transport, get(server), UnknownReason.BAD_RESPONSE)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert "more than 100 times its size" in error.message
    assert peak < 4 * MEBIBYTE


@pytest.mark.parametrize("headers", [[], [("Content-Encoding", "gzip")]], ids=["plain", "gzip"])
async def test_s10_what_is_larger_than_allowed_is_refused_by_name(transport, headers):
    body = os.urandom(40_000)
    sent = gzip.compress(body) if headers else body
    async with RawServer(scripted(response(sent, headers=headers))) as server:
        error = await fails_unknown(
            transport, post(server, max_bytes=39_999), UnknownReason.BAD_RESPONSE
        )
        assert "39999 bytes" in error.message

        assert body == (await transport.send(post(server, max_bytes=40_000))).body


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 3_000_000])
async def test_bodies_of_all_sizes_come_back_whole(transport, size):
    body = os.urandom(size)
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part)
        for part in (body[at : at + 70_001] for at in range(0, size, 70_001))
    )
    answers = [
        response(body),
        response(gzip.compress(body), headers=[("Content-Encoding", "gzip")]),
        response(zlib.compress(body), headers=[("Content-Encoding", "deflate")]),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n",
    ]
    for answer in answers:
        async with RawServer(scripted(answer)) as server:
            assert body == (await transport.send(post(server))).body


async def test_responses_that_only_inform_are_passed_over(transport):
    early = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 50
    async with RawServer(scripted(b"HTTP/1.1 100 Continue\r\n\r\n", early, WHOLE)) as server:
        assert 200 == (await transport.send(post(server))).status
        assert 200 == (await transport.send(post(server))).status
        assert 1 == server.connections


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
        ("POST", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"),
        ("POST", b"HTTP/1.1 202 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"),
    ],
)
async def test_answers_without_a_body_leave_the_connection_usable(transport, method, answer):
    async with RawServer(scripted(answer)) as server:
        request = post(server, method=method, body=b"")
        for _ in range(2):
            assert b"" == (await transport.send(request)).body

        assert 1 == server.connections


async def test_i09_a_refusing_permit_lets_no_byte_leave(transport):
    async with RawServer() as server:
        await transport.send(post(server))
        for request in (post(server), post(server, body=b""), post(server, method="DELETE")):
            with refusing() as permit, pytest.raises(HaltedError):
                await transport.send(request)
            assert not permit.is_used
        with refusing():
            assert 200 == (await transport.send(post(server, lane=Lane.CANCEL))).status

        assert 2 == len(server.requests)


async def test_i09_the_permit_is_asked_after_connecting_and_right_before_the_bytes(transport):
    seen = []
    async with RawServer() as server:

        def check():
            (connection,) = transport._routes[server.url].pool._lent
            seen.append((connection.reader.is_open, len(server.requests)))

        with SendPermit(check) as permit:
            await transport.send(post(server))

        assert ([(True, 0)], True) == (seen, permit.is_used)
        assert not permit._lock.locked()


async def test_i09_leave_given_before_a_halt_does_not_help_a_request_that_waits_to_connect():
    transport = AiohttpTransport(connections=1)
    is_halted = False

    def check():
        if is_halted:
            raise HaltedError("trading is halted")

    async with RawServer(silent()) as server:
        with SendPermit(check):
            first = asyncio.ensure_future(transport.send(post(server)))
            second = asyncio.ensure_future(transport.send(post(server)))
        await until(lambda: server.requests)
        is_halted = True
        first.cancel()
        with pytest.raises(HaltedError):
            await second

        assert 1 == len(server.requests)
    await transport.aclose()


async def test_a_canceled_exchange_is_canceled_and_its_connection_never_used_again(transport):
    async with RawServer(silent()) as server:
        task = asyncio.ensure_future(transport.send(post(server)))
        await until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server._script = server._answer

        await transport.send(post(server))

        assert 2 == server.connections


async def test_closing_ends_what_is_on_its_way_and_everything_after(transport):
    async with RawServer(silent()) as server:
        task = asyncio.ensure_future(transport.send(post(server)))
        await until(lambda: server.requests)
        await transport.aclose()
        with pytest.raises(OutcomeUnknownError) as caught:
            await task
        with pytest.raises(ClosedError):
            await transport.send(post(server))
        await transport.aclose()

        assert UnknownReason.CLOSED is caught.value.reason
