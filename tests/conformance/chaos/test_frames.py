"""Each fault of a WebSocket, as a client of the venue's stream feels it."""

import asyncio
import json

import aiohttp
import pytest

from dragoman_conformance.chaos import ChaosProxy, FrameFault, FrameToxic
from dragoman_conformance.harbor.server import HarborServer
from dragoman_conformance.harbor.settings import FillStyle, HarborSettings


@pytest.fixture
async def harbor():
    settings = HarborSettings(fills=FillStyle.NONE, reject_share=0.0)
    async with HarborServer(settings) as server:
        yield server


@pytest.fixture
async def proxy(harbor):
    async with ChaosProxy(harbor.port) as proxy:
        yield proxy


@pytest.fixture
async def socket(proxy):
    async with subscribed(proxy) as socket:
        yield socket


def subscribed(proxy, **options):
    return Subscribed(f"ws://127.0.0.1:{proxy.port}/stream", options)


class Subscribed:
    def __init__(self, url, options):
        self.url, self.options = url, options

    async def __aenter__(self):
        self.session = await aiohttp.ClientSession().__aenter__()
        self.socket = await self.session.ws_connect(self.url, **self.options)
        await self.socket.send_str(json.dumps({"op": "auth", "key": "captain"}))
        await self.socket.send_str(json.dumps({"op": "subscribe", "account": "A1", "id": 1}))
        assert (await self.socket.receive_json())["ok"]
        assert (await self.socket.receive_json())["ok"]
        return self.socket

    async def __aexit__(self, *_):
        await self.socket.close()
        await self.session.close()


def orders(harbor, *prices):
    for price in prices:
        harbor.venue.place_external("AAPL", "buy", "1", str(price))


async def heard(socket, count, seconds=0.3):
    """Return what comes: prices, and how it ended if it did."""
    found = []
    try:
        async with asyncio.timeout(seconds):
            while len(found) < count:
                message = await socket.receive()
                if message.type is aiohttp.WSMsgType.TEXT:
                    found.append(json.loads(message.data)["order"]["price"])
                else:
                    return [*found, message.type.name]
    except TimeoutError:
        found.append("silence")
    return found


async def test_without_a_toxic_frames_pass(harbor, socket):
    orders(harbor, 1, 2, 3)

    assert ["1", "2", "3"] == await heard(socket, 3)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (FrameFault.DROP, ["1", "3", "silence"]),
        (FrameFault.DUPLICATE, ["1", "2", "2", "3", "silence"]),
        (FrameFault.DELAY, ["1", "2", "3", "silence"]),
        (FrameFault.SWAP, ["1", "3", "2", "silence"]),
        (FrameFault.MUTE, ["1", "silence"]),
        (FrameFault.HALF_OPEN, ["1", "silence"]),
        (FrameFault.CLOSE, ["1", "CLOSE"]),
        (FrameFault.CORRUPT, ["1", "ERROR"]),
        (FrameFault.CUT, ["1", "CLOSED"]),
        (FrameFault.RESET, ["1", "CLOSED"]),
    ],
)
async def test_a_fault_strikes_the_second_frame(harbor, proxy, socket, fault, expected):
    proxy.add(FrameToxic(fault=fault, text=b'"order"', skip=1, seconds=0.05))

    orders(harbor, 1, 2, 3)

    assert expected == await heard(socket, 5)


@pytest.mark.parametrize("size", [10, 1_000, 100_000])
async def test_a_frame_is_replaced_by_a_text_of_any_size(harbor, proxy, socket, size):
    payload = json.dumps({"order": {"price": "9" * size}}).encode()
    trap = proxy.add(FrameToxic(fault=FrameFault.REPLACE, payload=payload))

    orders(harbor, 1)

    assert (["9" * size], 1) == (await heard(socket, 1), trap.hits)


async def test_a_mute_stream_still_answers_pings(harbor, proxy):
    async with subscribed(proxy, heartbeat=0.05) as socket:
        proxy.mute_streams()
        orders(harbor, 1)

        assert ["silence"] == await heard(socket, 1)
        assert not socket.closed


async def test_a_frozen_stream_answers_no_ping(harbor, proxy):
    async with subscribed(proxy, heartbeat=0.1) as socket:
        proxy.freeze_streams()

        found = await heard(socket, 1, 2.0)

    assert found in (["CLOSED"], ["ERROR"])


async def test_a_close_carries_its_code_and_the_clients_own_is_noted(proxy, socket):
    await proxy.close_streams(4001)

    message = await socket.receive()

    assert (aiohttp.WSMsgType.CLOSE, 4001) == (message.type, message.data)


async def test_the_clients_close_is_noted_and_reaches_the_venue(harbor, proxy):
    async with subscribed(proxy) as socket:
        await socket.close(code=1000)

    await asyncio.sleep(0.05)
    assert ([1000], [1000]) == (proxy.client_closes, harbor.close_codes)


async def test_compression_is_agreed_on_only_where_allowed(harbor, proxy):
    async with (
        ChaosProxy(harbor.port, keeps_compression=True) as open_proxy,
        subscribed(proxy, compress=15) as plain,
        subscribed(open_proxy, compress=15) as packed,
    ):
        assert (0, 15) == (plain.compress, packed.compress)

        open_proxy.add(FrameToxic(fault=FrameFault.CORRUPT))
        orders(harbor, 1)

        assert ["ERROR"] == await heard(packed, 1)
