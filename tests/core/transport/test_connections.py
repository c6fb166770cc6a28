"""Connections: reused while alive, never stale, never too many, and always one for a cancel."""

import asyncio
import gc
from pathlib import Path
from types import SimpleNamespace

import pytest

from dragoman.errors import (
    ClosedError,
    ConnectFailedError,
    Outcome,
    OutcomeUnknownError,
    RateLimitedError,
)
from dragoman.transport.base import Lane
from dragoman.transport.connections import ConnectionPool, Origin
from dragoman.transport.http import AiohttpTransport

from .raw_server import RESET, RawServer, get, post, reset, response, scripted, until


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
async def transport():
    transport = AiohttpTransport(connections=4)
    yield transport
    await transport.aclose()


@pytest.fixture
def held():
    """A script that holds every answer until told."""
    gate = asyncio.Event()

    async def script(request, writer):
        await gate.wait()
        writer.write(response())
        return True

    return script, gate


async def test_a_connection_is_used_again(transport):
    async with RawServer() as server:
        for _ in range(5):
            await transport.send(post(server))

        assert (5, 1) == (len(server.requests), server.connections)


async def test_a_connection_is_not_used_after_close_was_announced(transport):
    async with RawServer(scripted(response(headers=[("Connection", "close")]))) as server:
        for _ in range(3):
            await transport.send(post(server))

        assert 3 == server.connections


async def test_an_answer_nobody_asked_for_spoils_the_connection(transport):
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    async with RawServer(scripted(response(b"mine") + forged)) as server:
        for _ in range(3):
            assert b"mine" == (await transport.send(post(server))).body

        assert 3 == server.connections


async def test_junk_behind_an_answer_makes_it_doubtful(transport):
    async with RawServer(scripted(response(b"mine") + b"junk")) as server:
        for _ in range(3):
            with pytest.raises(OutcomeUnknownError):
                await transport.send(post(server))

        assert 3 == server.connections


async def test_what_comes_between_two_exchanges_spoils_the_connection(transport):
    writers = []

    async def script(request, writer):
        writers.append(writer)
        writer.write(response(b"mine"))
        return True

    async with RawServer(script) as server:
        await transport.send(post(server))
        writers[0].write(response(b"forged"))
        await writers[0].drain()

        assert b"mine" == (await transport.send(post(server))).body
        assert 2 == server.connections


async def test_half_an_answer_between_two_exchanges_spoils_the_connection(transport):
    writers = []

    async def script(request, writer):
        writers.append(writer)
        writer.write(response(b"mine"))
        return True

    async with RawServer(script) as server:
        await transport.send(post(server))
        (connection,) = transport._routes[server.url].pool._idle
        writers[0].write(b"HTTP/1.1 200 OK\r\nContent-Le")
        await until(lambda: not connection.reader.is_open)

        assert b"mine" == (await transport.send(post(server))).body
        assert 2 == server.connections


@pytest.mark.parametrize("end", [lambda writer: writer.transport.abort(), reset])
async def test_an_order_is_not_lost_on_a_connection_that_has_just_died(transport, end):
    writers = []

    async def script(request, writer):
        writers.append(writer)
        writer.write(response())
        return True

    async with RawServer(script) as server:
        for _ in range(20):
            await transport.send(post(server))
            end(writers[-1])
            await asyncio.sleep(0)  # the kernel knows of the end before the loop does

        assert (20, 20) == (len(server.requests), server.connections)


async def test_i09_an_order_does_not_queue_behind_a_request_that_the_peer_never_read(transport):
    opened = []
    over = asyncio.Event()

    async def hasty(reader, writer):
        opened.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response())  # without reading the body
        await over.wait()
        writer.transport.abort()

    server = await asyncio.start_server(hasty, "127.0.0.1", 0)
    venue = SimpleNamespace(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await transport.send(get(venue, method="POST", body=bytes(16_000_000)))
    await transport.send(post(venue, timeout_s=2.0))

    assert 2 == len(opened)
    over.set()
    await until(lambda: all(writer.is_closing() for writer in opened))
    server.close()


async def test_a_connection_that_was_idle_for_long_is_not_trusted(transport, monkeypatch):
    async with RawServer() as server:
        await transport.send(post(server))
        (connection,) = transport._routes[server.url].pool._idle
        connection.idle_since_s -= 15.0
        await transport.send(post(server))

        assert 2 == server.connections


async def test_reads_leave_room_for_orders_and_both_for_cancels(transport, held):
    script, gate = held
    async with RawServer(script) as server:
        reads = [asyncio.ensure_future(transport.send(get(server))) for _ in range(9)]
        await until(lambda: len(server.requests) == 3)
        orders = [asyncio.ensure_future(transport.send(post(server))) for _ in range(9)]
        await until(lambda: len(server.requests) == 4)
        cancel = post(server, lane=Lane.CANCEL, method="DELETE")
        cancels = [asyncio.ensure_future(transport.send(cancel)) for _ in range(9)]
        await until(lambda: len(server.requests) == 12)
        await asyncio.sleep(0.02)
        assert 12 == len(server.requests) == server.connections

        gate.set()
        await asyncio.gather(*reads, *orders, *cancels)

        assert (27, 12) == (len(server.requests), server.connections)


async def test_a_thousand_orders_on_their_way_do_not_stand_before_a_cancel(transport, held):
    script, gate = held

    async def only_orders_wait(request, writer):
        if not request.startswith(b"DELETE"):
            return await script(request, writer)
        writer.write(response(b"canceled"))
        return True

    async with RawServer(only_orders_wait) as server:
        orders = [asyncio.ensure_future(transport.send(post(server))) for _ in range(1000)]
        await until(lambda: len(server.requests) == 4)
        cancel = post(server, lane=Lane.CANCEL, method="DELETE", timeout_s=1.0)

        assert b"canceled" == (await transport.send(cancel)).body

        gate.set()
        answers = await asyncio.gather(*orders)
        assert (1000, 1001) == (len(answers), len(server.requests))


async def test_who_waits_for_a_connection_in_vain_has_sent_nothing(transport, held):
    script, gate = held
    async with RawServer(script) as server:
        orders = [asyncio.ensure_future(transport.send(post(server))) for _ in range(4)]
        await until(lambda: len(server.requests) == 4)

        with pytest.raises(RateLimitedError, match="nothing was sent") as caught:
            await transport.send(post(server, timeout_s=0.02))
        assert Outcome.NOT_SENT is caught.value.outcome

        gate.set()
        await asyncio.gather(*orders)
        await transport.send(post(server))
        assert 5 == len(server.requests)


async def test_places_are_handed_on_in_order_and_survive_those_who_give_up():
    async with RawServer() as server:
        pool = ConnectionPool(Origin("127.0.0.1", server.port, False), None, limit=1)
        first = await pool.borrow(Lane.ORDER)
        order = []

        async def take(name):
            connection = await pool.borrow(Lane.ORDER)
            order.append(name)
            pool.give_back(connection, is_reusable=True)

        tasks = [asyncio.ensure_future(take(name)) for name in "abcd"]
        await asyncio.sleep(0)
        tasks[1].cancel()
        pool.give_back(first, is_reusable=True)
        tasks[0].cancel()  # after its place was handed to it
        await asyncio.gather(*tasks, return_exceptions=True)

        assert ["c", "d"] == order
        assert 0 == pool._count
        pool.close()


async def test_closing_tells_those_who_wait():
    async with RawServer() as server:
        pool = ConnectionPool(Origin("127.0.0.1", server.port, False), None, limit=1)
        await pool.borrow(Lane.ORDER)
        waiting = asyncio.ensure_future(pool.borrow(Lane.ORDER))
        await asyncio.sleep(0)
        pool.close()

        with pytest.raises(ClosedError):
            await waiting


async def test_connects_that_are_canceled_close_their_sockets():
    async with RawServer() as server:
        for turns in range(12):
            transport = AiohttpTransport()
            tasks = [asyncio.ensure_future(transport.send(post(server))) for _ in range(8)]
            for _ in range(turns):
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await transport.aclose()
        gc.collect()  # an unclosed socket would warn, and a warning is a failure


class Names:
    """Resolves every name to the addresses given, as a loop would."""

    def __init__(self, monkeypatch, *addresses):
        self.asked = 0
        self._addresses = addresses
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self.resolve)

    async def resolve(self, host, port, **_):
        self.asked += 1
        return [(2, 1, 6, "", (address, port)) for address in self._addresses]


async def test_the_next_address_of_a_host_is_tried_and_remembered(monkeypatch):
    async with RawServer() as server:
        pool = ConnectionPool(Origin("localhost", server.port, False), None)
        names = Names(monkeypatch, "127.0.0.3", "127.0.0.1")
        opened = await pool.borrow(Lane.ORDER)

        assert (True, 1) == (opened.reader.is_open, names.asked)
        assert ["127.0.0.1", "127.0.0.3"] == await pool._addresses()
        pool.close()


async def test_s07_a_name_that_leads_elsewhere_gets_no_plain_connection(monkeypatch):
    pool = ConnectionPool(Origin("localhost", 80, False), None)
    Names(monkeypatch, "192.0.2.1")

    with pytest.raises(ConnectFailedError, match="would have left this machine"):
        await pool.borrow(Lane.ORDER)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
async def test_descriptors_return_to_where_they_were():
    async with RawServer() as server, RawServer(scripted(going_on=RESET)) as broken:
        gc.collect()
        before = descriptors()
        for _ in range(20):
            transport = AiohttpTransport()
            answers = [transport.send(post(server)) for _ in range(10)]
            failures = [transport.send(post(broken)) for _ in range(5)]
            await asyncio.gather(*answers, *failures, return_exceptions=True)
            await transport.aclose()
        await until(lambda: descriptors() <= before)

        assert 300 == len(server.requests) + len(broken.requests)
