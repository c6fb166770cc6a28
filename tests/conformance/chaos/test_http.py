"""Each HTTP fault, as a client on a raw socket feels it, and as the venue's ledger tells it."""

import asyncio
import gzip
import json
import re

import pytest

from dragoman_conformance.chaos import ChaosProxy, HttpFault, HttpToxic, Reply
from dragoman_conformance.chaos.replies import gzip_bomb
from dragoman_conformance.chaos.thief import Thief
from dragoman_conformance.harbor.server import HarborServer
from dragoman_conformance.harbor.settings import FillStyle, HarborSettings

ORDER = json.dumps(
    {
        "account": "A1",
        "client_id": "c1",
        "symbol": "AAPL",
        "side": "buy",
        "type": "limit",
        "quantity": "1",
        "price": "100",
    }
).encode()


@pytest.fixture
async def harbor():
    settings = HarborSettings(fills=FillStyle.NONE, reject_share=0.0)
    async with HarborServer(settings) as server:
        yield server


@pytest.fixture
async def proxy(harbor):
    async with ChaosProxy(harbor.port) as proxy:
        yield proxy


def request_of(method, path, body=b""):
    head = f"{method} {path} HTTP/1.1\r\nHost: h\r\nharbor-key: captain\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def talk(proxy, data, seconds=5.0):
    """Send bytes and read until the other side ends or stays silent; what came, and how."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    got = b""
    try:
        writer.write(data)
        async with asyncio.timeout(seconds):
            while piece := await reader.read(65536):
                got += piece
        ending = "end"
    except ConnectionError:
        ending = "reset"
    except TimeoutError:
        ending = "silence"
    finally:
        writer.close()
    return got, ending


async def taken(harbor):
    await asyncio.sleep(0.01)
    return len(harbor.venue.ledger.of("accepted"))


async def test_without_a_toxic_the_exchange_passes_and_the_connection_carries_on(harbor, proxy):
    twice = request_of("POST", "/orders", ORDER) + request_of("GET", "/time")

    got, ending = await talk(proxy, twice, 0.2)

    assert ("silence", 1) == (ending, await taken(harbor))
    assert (1, 1) == (got.count(b" 201 "), got.count(b" 200 "))
    assert (1, 1) == (proxy.count("POST", "/orders"), proxy.count("GET"))


@pytest.mark.parametrize(
    ("fault", "ending", "orders", "answered"),
    [
        (HttpFault.RESET_UNREAD, "reset", 0, "nothing"),
        (HttpFault.RESET_MID_REQUEST, "reset", 0, "nothing"),
        (HttpFault.RESET_AFTER_REQUEST, "reset", 1, "nothing"),
        (HttpFault.RESET_MID_RESPONSE, "reset", 1, "half"),
        (HttpFault.TRUNCATE, "end", 1, "half"),
        (HttpFault.STALL, "silence", 1, "half"),
        (HttpFault.BLACK_HOLE, "silence", 1, "nothing"),
        (HttpFault.LOST, "silence", 0, "nothing"),
        (HttpFault.DRIP, "silence", 1, "all"),
    ],
)
async def test_a_fault_strikes_where_it_says(harbor, proxy, fault, ending, orders, answered):
    trap = proxy.add(HttpToxic(fault=fault))

    got, found = await talk(proxy, request_of("POST", "/orders", ORDER), 0.3)

    assert (ending, orders, 1) == (found, await taken(harbor), trap.hits)
    head, _, body = got.partition(b"\r\n\r\n")
    parts = {"nothing": (False, False), "half": (True, False), "all": (True, True)}
    assert parts[answered] == (b" 201 " in head, body.endswith(b"}"))


async def test_a_late_answer_comes_when_it_is_due(harbor, proxy):
    proxy.add(HttpToxic(fault=HttpFault.BLACK_HOLE, seconds=0.1))

    got, ending = await talk(proxy, request_of("POST", "/orders", ORDER))

    assert ("end", 1) == (ending, got.count(b" 201 "))


@pytest.mark.parametrize(
    ("fault", "felt"), [(HttpFault.LATE_DELIVERY, "silence"), (HttpFault.LATE_GHOST, "reset")]
)
async def test_a_late_delivery_reaches_the_venue_after_the_client_left(harbor, proxy, fault, felt):
    proxy.add(HttpToxic(fault=fault, seconds=0.2))

    _, ending = await talk(proxy, request_of("POST", "/orders", ORDER), 0.05)
    before = await taken(harbor)
    await asyncio.sleep(0.3)

    assert (felt, 0, 1) == (ending, before, await taken(harbor))


@pytest.mark.parametrize("is_delivered", [True, False])
@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (Reply.busy(503), b"HTTP/1.1 503 "),
        (Reply.busy(429, "7"), b"Retry-After: 7\r\n"),
        (Reply.html(), b"text/html"),
        (Reply.redirect(307, "http://127.0.0.1:1/"), b"Location: http://127.0.0.1:1/\r\n"),
        (Reply.json(b"{}"), b"\r\n\r\n{}"),
        (Reply.other_order(), b'"another"'),
    ],
    ids=["503", "429", "html", "307", "empty", "other"],
)
async def test_a_reply_stands_in_for_the_venues(harbor, proxy, reply, shown, is_delivered):
    proxy.add(HttpToxic(fault=HttpFault.REPLY, reply=reply, is_delivered=is_delivered))

    got, _ = await talk(proxy, request_of("POST", "/orders", ORDER), 0.2)

    assert shown in got
    assert int(is_delivered) == await taken(harbor)


async def test_a_toxic_spares_and_counts(harbor, proxy):
    trap = proxy.add(HttpToxic(fault=HttpFault.REPLY, method="GET", path="/time", skip=1, times=2))

    got, _ = await talk(proxy, request_of("GET", "/time") * 4 + request_of("GET", "/accounts"), 0.2)

    statuses = re.findall(rb"HTTP/1\.1 (\d+) ", got)
    assert [b"200", b"503", b"503", b"200", b"200"] == statuses
    assert (4, 2) == (trap.seen, trap.hits)


async def test_refused_is_the_systems_own_refusal_and_ends_on_the_same_port(proxy):
    port = proxy.port
    proxy.refuse()

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)

    await proxy.accept()
    got, _ = await talk(proxy, request_of("GET", "/accounts"), 0.2)
    assert (port, True) == (proxy.port, b" 200 " in got)


async def test_the_next_connections_are_reset_before_a_byte_is_read(proxy):
    proxy.reset_connects(2)

    endings = [(await talk(proxy, request_of("GET", "/accounts"), 0.2))[1] for _ in range(3)]

    assert ["reset", "reset", "silence"] == endings
    assert (3, 1) == (proxy.connects, len(proxy.requests))


async def test_a_thief_counts_whoever_comes():
    async with Thief() as thief:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(thief.url.split(":")[-1]))
        await reader.read()
        writer.close()

        assert 1 == thief.connects


def test_a_bomb_is_small_and_inflates_to_what_it_says():
    packed = gzip_bomb(3_500_000)

    assert len(packed) < 5_000
    assert 3_500_000 == len(gzip.decompress(packed))


async def test_nothing_stays_open(harbor):
    async with ChaosProxy(harbor.port) as proxy:
        proxy.add(HttpToxic(fault=HttpFault.LOST, method="GET"))
        await talk(proxy, request_of("GET", "/time"), 0.05)

    assert 0 == proxy.open_connections
