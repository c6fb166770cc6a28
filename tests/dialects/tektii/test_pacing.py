"""A source that waits for each event to be worked on: told by its id, and let go on by it."""

import asyncio
import json

import aiohttp
import attrs
from tests.broker.fake_adapter import CAPABILITIES, FakeVenue, filled
from tests.dialects.tektii.gateway_rig import REST
from tests.shared.rig import eventually

from dragoman.dialects import SimpleHost
from dragoman_tektii.dialect import TektiiDialect


def acknowledge(*event_ids):
    frame = {"type": "event_ack", "correlation_id": "x", "timestamp": 1}
    return json.dumps({**frame, "events_processed": event_ids})


async def test_next_event_comes_once_the_last_is_acknowledged_by_its_id():
    venue = FakeVenue()
    venue.capabilities = attrs.evolve(CAPABILITIES, protocol="tektii")
    heard = []
    async with (
        venue.connect() as broker,
        SimpleHost(broker, TektiiDialect()) as host,
        aiohttp.ClientSession(host.url) as client,
        client.ws_connect("/v1/ws") as socket,
    ):

        async def read():
            while (frame := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                heard.append(json.loads(frame.data))

        def ids():
            return [one["event_id"] for one in heard if "event_id" in one]

        reading = asyncio.get_running_loop().create_task(read())
        body = {**REST, "client_order_id": "c1"}
        async with client.post("/v1/orders", json=body) as answer:
            assert 201 == answer.status
        await eventually(lambda: [one for one in heard if one["type"] == "order"])
        order = broker.state.order("c1")
        venue.stream(filled(order, 1, 2, 2, event_id="e1"))
        await eventually(lambda: ids() == ["e1"])
        venue.stream(filled(order, 2, 2, 4, event_id="e2"))
        await eventually(lambda: broker.state.order("c1").filled_quantity == 4)
        await socket.send_str(acknowledge())
        await socket.send_str(acknowledge("other"))
        assert ["e1"] == ids()

        await socket.send_str(acknowledge("e1"))
        await eventually(lambda: ids() == ["e1", "e2"])

        reading.cancel()
        await asyncio.wait([reading])
    first = [one for one in heard if one["type"] in {"order", "trade"}][1:3]
    assert [("order", None), ("trade", "e1")] == [
        (one["type"], one.get("event_id")) for one in first
    ]
