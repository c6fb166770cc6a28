"""The end in good order: what is begun is finished, and what is new goes elsewhere."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from tests.core.dialects.toy import ToyDialect
from tests.core.transport.raw_server import until
from tests.gateway.standing import gateway, listening

from dragoman.dialects import HostLimits
from dragoman.dialects.listening import Listener
from dragoman_gateway import drain, make_app

ANY = {"X-Key": "k"}
HELD = {"symbol": "HELD", "id": "c1"}
LIMITS = HostLimits(drain_s=60, farewell_s=30)


class PoliteToy(ToyDialect):
    """Says goodbye on every socket, in its own words."""

    def __init__(self):
        super().__init__()
        self.farewells = 0

    async def farewell(self):
        self.farewells += 1
        for socket in self.sockets:
            socket.send("DISCONNECTING")
            socket.end(1001, "Toy shutting down")


class RudeToy(ToyDialect):
    async def farewell(self):
        raise ZeroDivisionError


class SlowToy(ToyDialect):
    async def farewell(self):
        await asyncio.get_running_loop().create_future()


class StuckToy(ToyDialect):
    def __init__(self):
        super().__init__()
        self.begun = asyncio.Event()

    async def stuck(self, request):
        self.begun.set()
        await super().stuck(request)


@pytest.fixture
def app(broker, toy):
    return make_app(broker, [toy], limits=LIMITS, native=False, page=False)


async def test_a_command_under_way_is_finished_and_new_ones_go_elsewhere(app, toy, venue):
    async with listening(app, LIMITS) as client:
        begun = asyncio.ensure_future(client.post("/orders", json=HELD, headers=ANY))
        await venue.arrived.wait()
        draining = asyncio.ensure_future(drain(app))
        while 200 == (await client.get("/readyz")).status:
            pass

        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = await client.request(method, "/orders", json=HELD, headers=ANY)
            assert (503, "1") == (answer.status, answer.headers["Retry-After"])
            assert {"toy": "the server is closing"} == await answer.json()
        assert 200 == (await client.get("/account", headers=ANY)).status
        assert 200 == (await client.get("/livez")).status
        assert (await (await client.get("/readyz")).json())["draining"]
        assert (True, False) == (toy.host.is_draining, draining.done())

        venue.released.set()
        assert 200 == (await begun).status
        await draining
    assert ["c1"] == venue.taken


async def test_a_new_socket_is_refused_while_it_closes(app):
    async with listening(app, LIMITS) as client:
        await drain(app)
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await client.ws_connect("/stream")

    assert 503 == raised.value.status


@pytest.mark.parametrize("by", ["drain", "cleanup"])
async def test_sockets_are_told_in_the_dialects_words_before_they_close(broker, by):
    toy = PoliteToy()
    app = make_app(broker, [toy], limits=LIMITS, native=False, page=False)
    listener = Listener(app, ("127.0.0.1", 0), LIMITS)
    await listener.open()
    async with (
        aiohttp.ClientSession(listener.url) as client,
        client.ws_connect("/stream") as socket,
    ):
        await socket.send_str("k ")
        assert "welcome" == await socket.receive_str()
        ending = asyncio.ensure_future(drain(app) if by == "drain" else listener.close())

        assert "DISCONNECTING" == await socket.receive_str()
        closing = await socket.receive()
        await ending
    await listener.close()
    assert (1001, "Toy shutting down") == (closing.data, closing.extra)
    assert (1, ["stream"]) == (toy.farewells, toy.ended)


@pytest.mark.parametrize("rude", [RudeToy, SlowToy], ids=["fails", "takes forever"])
async def test_a_farewell_that_goes_wrong_stops_nobody(broker, rude, caplog):
    limits = HostLimits(farewell_s=0.05)
    app = make_app(broker, [rude()], limits=limits, native=False, page=False)
    async with listening(app, limits) as client, client.ws_connect("/stream") as socket:
        await socket.send_str("k ")
        assert "welcome" == await socket.receive_str()
        await drain(app)
        closing = await socket.receive()

    assert 1001 == closing.data
    assert ["a farewell failed"] == [one.message for one in caplog.records if one.levelno >= 40]


async def test_it_is_drained_once_whoever_asks(app, venue):
    async with listening(app, LIMITS) as client:
        begun = asyncio.ensure_future(client.post("/orders", json=HELD, headers=ANY))
        await venue.arrived.wait()
        both = [asyncio.ensure_future(drain(app)) for _ in range(2)]
        await asyncio.sleep(0)
        both.pop().cancel()
        venue.released.set()

        await both[0]
        assert 200 == (await begun).status


async def test_what_never_ends_is_not_waited_for(broker):
    toy = StuckToy()
    async with gateway(broker, [toy], limits=HostLimits(drain_s=0.05)) as client:
        stuck = asyncio.ensure_future(client.post("/stuck"))
        await toy.begun.wait()
    await asyncio.wait([stuck])
    assert isinstance(stuck.exception(), aiohttp.ClientError | OSError)
    await until(lambda: toy.ended)
    assert ["stuck"] == toy.ended


async def test_part_of_another_application_it_ends_with_that(broker):
    toy, outer = PoliteToy(), web.Application()
    outer.add_subapp("/x", make_app(broker, [toy], limits=LIMITS, native=False, page=False))
    listener = Listener(outer, ("127.0.0.1", 0), LIMITS)
    await listener.open()
    async with (
        aiohttp.ClientSession(listener.url) as client,
        client.ws_connect("/x/stream") as socket,
    ):
        await socket.send_str("k ")
        assert "welcome" == await socket.receive_str()
        ending = asyncio.ensure_future(listener.close())

        assert "DISCONNECTING" == await socket.receive_str()
        assert 1001 == (await socket.receive()).data
        await ending


async def test_what_it_opened_is_closed(broker, toy):
    async with gateway(broker, [toy], native=True):
        assert toy.host.identities(broker) is toy.host.identities(broker)

    assert () == toy.host.scope.names
    assert ["startup", "cleanup"] == toy.lifetime
