"""The venue on real sockets, in this process and in its own."""

import asyncio
import json
import signal
import sys

import aiohttp
import pytest

from dragoman_conformance.harbor.server import HarborServer
from dragoman_conformance.harbor.settings import FillStyle, HarborSettings

ORDER = {
    "account": "A1",
    "client_id": "c1",
    "symbol": "AAPL",
    "side": "buy",
    "type": "limit",
    "quantity": "1",
    "price": "100",
}
KEY = {"harbor-key": "captain"}


@pytest.fixture
async def session():
    async with aiohttp.ClientSession(headers=KEY) as session:
        yield session


async def test_an_order_taken_over_http_is_told_on_the_stream(session):
    settings = HarborSettings(fills=FillStyle.FULL, fill_delay_ns=(0, 0), reject_share=0.0)
    async with HarborServer(settings) as server:
        urls = server.endpoints()
        async with session.ws_connect(f"{urls['stream']}/stream") as socket:
            await socket.send_json({"op": "auth", "key": "captain"})
            await socket.send_json({"op": "subscribe", "account": "A1", "id": "s"})
            async with session.post(f"{urls['rest']}/orders", json=ORDER) as answer:
                order = await answer.json()
            told = [await socket.receive_json() for _ in range(5)]

    assert (201, "open") == (answer.status, order["state"])
    kinds = [message.get("what", message["type"]) for message in told]
    assert ["auth", "subscribed", "accepted", "fill", "position"] == kinds
    assert 1 == len(server.venue.ledger.of("fill"))


async def test_refusals_keep_their_status_and_headers(session):
    async with HarborServer(HarborSettings(rate_limit=1)) as server:
        url = server.endpoints()["rest"]
        async with session.get(f"{url}/nowhere") as missing:
            pass
        async with session.get(f"{url}/time") as busy:
            pass

    assert (404, 429, "1") == (missing.status, busy.status, busy.headers["Retry-After"])


async def test_leaving_the_server_leaves_no_stream_and_no_timer(session):
    settings = HarborSettings(fills=FillStyle.FULL, fill_delay_ns=(10**12, 10**12))
    async with (
        HarborServer(settings) as server,
        session.ws_connect(f"{server.endpoints()['stream']}/stream") as socket,
    ):
        server.venue.place_external("AAPL", "buy", "1", "1")
        assert not socket.closed

    assert () == server.venue.streams
    assert () == server._timers.names


async def test_it_serves_from_its_own_process_and_ends_when_told(session):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dragoman_conformance.harbor.server", "--fills", "NONE"),
        stdout=asyncio.subprocess.PIPE,
    )
    first = json.loads(await process.stdout.readline())
    async with session.post(f"http://127.0.0.1:{first['port']}/orders", json=ORDER) as answer:
        status = answer.status
    rows = [json.loads(await process.stdout.readline())["row"] for _ in range(2)]

    process.send_signal(signal.SIGTERM)
    ended = await asyncio.wait_for(process.wait(), 60)

    assert "listening" == first["row"]
    assert {201: ["accepted", "request"], 422: ["refused", "request"]}[status] == rows
    assert 0 == ended
