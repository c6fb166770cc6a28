"""What a gateway says of itself."""

import pytest
from tests.broker.fake_adapter import FakeVenue
from tests.gateway.standing import CAPTAIN, brokers, gateway

import dragoman
from dragoman import __version__
from dragoman.models.enums import ConnectionState, HealthState, StalenessState
from dragoman.models.events import ConnectionEvent, Staleness
from dragoman_gateway.lookout import BrokerSight


async def told(client, path):
    answer = await client.get(path)
    return answer.status, await answer.json()


async def test_a_gateway_in_step_is_alive_ready_and_well():
    async with brokers("east:one", "east:two", "west:one") as served, gateway(served) as client:
        assert (200, {"status": "ok"}) == await told(client, "/livez")
        ready = {"ready": True, "draining": False, "providers": ["east", "west"], "problems": []}
        assert (200, ready) == await told(client, "/readyz")
        status, health = await told(client, "/health")

    one = {
        "provider": "east",
        "environment": "SIMULATED",
        "connected": True,
        "state": "LIVE",
        "causes": [],
        "stale_symbols": [],
    }
    assert 200 == status
    assert {
        "status": "connected",
        "version": __version__,
        "draining": False,
        "providers": [one, one, {**one, "provider": "west"}],
    } == health


async def test_a_provider_that_is_gone_is_named_with_its_causes():
    async with brokers("east:one", "west:one") as served, gateway(served) as client:
        await served[1].aclose()

        status, ready = await told(client, "/readyz")
        assert (503, False) == (status, ready["ready"])
        assert [("west", "CLOSED")] == [
            (one["provider"], one["state"]) for one in ready["problems"]
        ]
        assert ready["problems"][0]["causes"]
        status, health = await told(client, "/health")
        assert (200, "degraded") == (status, health["status"])
        assert [True, False] == [one["connected"] for one in health["providers"]]
        assert (200, {"status": "ok"}) == await told(client, "/livez")


async def test_a_halted_account_is_ready_and_says_so(broker):
    async with gateway(broker) as client:
        broker.halt("fat finger")

        assert 200 == (await client.get("/readyz")).status
        (provider,) = (await told(client, "/health"))[1]["providers"]
        assert ("HALTED", True) == (provider["state"], provider["connected"])


async def test_probes_need_no_key_and_name_no_account(broker):
    async with gateway(broker, keys=[CAPTAIN], native=True) as client:
        for path in ("/livez", "/readyz", "/health", "/metrics"):
            for prefix in ("", "/native"):
                answer = await client.get(prefix + path)
                assert 200 == answer.status
                assert '"one"' not in await answer.text()


async def test_probes_are_not_for_other_hosts(broker):
    async with gateway(broker) as client:
        answer = await client.get("/health", headers={"Host": "evil.example"})

    assert 403 == answer.status


@pytest.fixture
async def sight():
    async with dragoman.connect("mock") as broker:
        yield BrokerSight(broker)


def link(state, channel="private"):
    return ConnectionEvent(state=state, channel=channel, received_at_ns=0)


@pytest.mark.parametrize("lost", ["DISCONNECTED", "RECONNECTING", "FAILED", "ENDED"])
def test_a_lost_private_stream_is_no_connection_until_it_is_back(sight, lost):
    sight.take(link(ConnectionState[lost]))
    assert (False, False) == (sight.is_connected, sight.is_ready)

    sight.take(link(ConnectionState.CONNECTING))
    assert not sight.is_ready

    sight.take(link(ConnectionState.RECONNECTED))
    assert (True, True) == (sight.is_connected, sight.is_ready)


def test_a_lost_market_stream_leaves_the_account_ready(sight):
    sight.take(link(ConnectionState.DISCONNECTED, "market"))

    assert (True, True) == (sight.is_connected, sight.is_ready)


def test_symbols_are_stale_until_they_are_fresh(sight):
    def tell(state, *symbols):
        sight.take(
            Staleness(state=state, channel="market", symbols=symbols, since_ns=0, received_at_ns=0)
        )

    tell(StalenessState.STALE, "B", "A")
    tell(StalenessState.STALE, "C")
    tell(StalenessState.FRESH, "B")

    assert ("A", "C") == sight.stale_symbols


async def test_what_is_read_only_is_down_on_purpose():
    async with dragoman.connect("mock", read_only=True) as broker:
        assert HealthState.DOWN is broker.health.state
        async with gateway(broker) as client:
            assert 200 == (await client.get("/readyz")).status
            assert "connected" == (await told(client, "/health"))[1]["status"]


async def test_events_of_the_stream_reach_the_probes():
    venue = FakeVenue()
    async with venue.connect() as broker, gateway(broker) as client:
        venue.stream(
            Staleness(
                state=StalenessState.STALE,
                channel="market",
                symbols=("AAPL",),
                since_ns=0,
                received_at_ns=0,
            )
        )

        async def stale():
            return (await told(client, "/health"))[1]["providers"][0]["stale_symbols"]

        while not await stale():
            pass
        assert ["AAPL"] == await stale()
