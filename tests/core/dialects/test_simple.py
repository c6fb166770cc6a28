"""One dialect on loopback: who gets in, what becomes of commands, and how it ends."""

import asyncio
import logging

import aiohttp
import pytest
from tests.core.dialects.toy import SECRET, ToyDialect
from tests.core.transport.raw_server import until

from dragoman.dialects import AccessKey, Scope, SimpleHost
from dragoman.dialects.limits import HostLimits
from dragoman.errors import ClosedError, ConfigurationError
from dragoman.ids import SeededIds

TRADER = AccessKey(key_id="captain", secret="key-of-tests")
READER = AccessKey(key_id="mate", secret="key-to-look", scopes=frozenset({Scope.READ}))


async def told(answer):
    return answer.status, (await answer.json())["toy"]


@pytest.mark.parametrize(("key", "secret"), [("k", ""), ("", "s"), ("k", "s")])
async def test_without_keys_any_credential_that_is_not_empty_reaches_the_default_account(
    serve, key, secret
):
    async with serve(key=key, secret=secret) as client:
        answer = await client.get("/account")

        assert {"account": "one"} == await answer.json()


async def test_without_keys_nobody_enters_without_any(serve):
    async with serve(key="", secret="") as client:
        answer = await client.get("/account")

        assert (401, "no key was shown; any that is not empty will do here") == await told(answer)


@pytest.mark.parametrize(
    ("key", "secret"),
    [("captain", "wrong-key"), ("nobody", "key-of-tests"), ("", ""), ("mate", "key-of-tests")],
    ids=["wrong secret", "unknown id", "empty", "secret of another"],
)
async def test_with_keys_anything_else_is_refused_and_not_told(serve, caplog, key, secret):
    caplog.set_level(logging.DEBUG)
    async with serve(key=key, secret=secret, keys=[TRADER, READER]) as client:
        answer = await client.get("/account")
        status, message = await told(answer)

    assert 401 == status
    assert "key-of-tests" not in message + caplog.text
    assert "wrong-key" not in message + caplog.text


async def test_a_key_opens_its_own_account(broker, serve):
    other = await broker.for_account("two")
    keys = [TRADER, AccessKey(key_id="second", secret="key-of-two", account_id="two")]
    try:
        async with serve([broker, other], key="second", secret="key-of-two", keys=keys) as client:
            second = await (await client.get("/account")).json()
            shown = {"X-Key": "captain", "X-Secret": "key-of-tests"}
            first = await (await client.get("/account", headers=shown)).json()
    finally:
        await other.aclose()

    assert ({"account": "one"}, {"account": "two"}) == (first, second)


async def test_a_key_without_the_scope_may_not_trade(serve, venue):
    async with serve(key="mate", secret="key-to-look", keys=[READER]) as client:
        looked = await client.get("/account")
        answer = await client.post("/orders", json={"symbol": "AAPL", "id": "c1"})

        assert 200 == looked.status
        message = "this key may not trade; use one with the scope TRADE"
        assert (403, message) == await told(answer)
    assert [] == venue.taken


async def test_an_order_goes_to_the_broker(serve, broker):
    async with serve() as client:
        answer = await client.post("/orders", json={"symbol": "AAPL", "id": "c1"})

        assert {"status": "OPEN"} == await answer.json()
    assert broker.state.order("c1") is not None


async def test_a_client_that_goes_away_does_not_take_its_order_along(serve, broker, venue, toy):
    async with serve() as client:
        posting = asyncio.create_task(client.post("/orders", json={"symbol": "HELD", "id": "c1"}))
        await venue.arrived.wait()
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
    # closing the session has closed the connection; the host is closed too by now
    venue.released.set()
    await until(lambda: "OPEN" == broker.state.order("c1").status)

    assert ["c1"] == venue.taken


async def test_a_handler_goes_on_when_its_client_disconnects(broker, toy, venue):
    async with SimpleHost(broker, toy) as host:
        async with aiohttp.ClientSession(host.url, headers={"X-Key": "k"}) as client:
            body = {"symbol": "HELD", "id": "c1"}
            posting = asyncio.create_task(client.post("/orders", json=body))
            await venue.arrived.wait()
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)
        async with aiohttp.ClientSession(host.url, headers={"X-Key": "k"}) as other:
            assert 200 == (await other.get("/account")).status
        assert [] == toy.ended
        venue.released.set()
        await until(lambda: toy.ended)

        assert "OPEN" == broker.state.order("c1").status


async def test_a_halt_during_a_request_keeps_its_order_from_being_sent(serve, broker, venue):
    async with serve() as client:
        posting = asyncio.create_task(client.post("/orders", json={"symbol": "HELD", "id": "c1"}))
        await venue.arrived.wait()
        broker.halt("enough")
        venue.released.set()
        held = await told(await posting)
        next_one = await told(await client.post("/orders", json={"symbol": "AAPL", "id": "c2"}))

    assert [] == venue.taken
    assert {503} == {held[0], next_one[0]}
    assert "enough" in held[1]
    assert "enough" in next_one[1]


async def test_an_outcome_that_is_not_known_is_a_504(serve, venue):
    async with venue.connect(account_id="two", timeout_s=0.01) as hasty, serve(hasty) as client:
        answer = await client.post("/orders", json={"symbol": "SILENT", "id": "c1"})

        assert 504 == answer.status


async def test_the_address_is_loopback_only(broker, toy):
    for address in ("0.0.0.0", "192.168.1.2", "example.com", "::", ""):  # noqa: S104 - refused
        with pytest.raises(ConfigurationError, match="loopback only"):
            SimpleHost(broker, toy, host=address)


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost"])
async def test_it_listens_on_a_free_port_by_default(broker, toy, address):
    host = SimpleHost(broker, toy, host=address)
    with pytest.raises(ClosedError):
        _ = host.url

    async with host:
        name, _, port = host.url.rpartition(":")

    assert "http://127.0.0.1" == name
    assert 0 < int(port) < 65536


async def test_a_port_in_use_is_a_configuration_error(broker, toy):
    async with SimpleHost(broker, toy) as first:
        port = int(first.url.rpartition(":")[2])
        other = ToyDialect()
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port} can't be listened on"):
            async with SimpleHost(broker, other, port=port):
                pytest.fail("two listen on one port")

    assert ["startup", "cleanup"] == other.lifetime


async def test_a_host_is_entered_once(broker, toy):
    host = SimpleHost(broker, toy)
    async with host:
        pass

    with pytest.raises(ClosedError):
        async with host:
            pytest.fail("it was entered again")


async def test_wrong_settings_are_refused_before_anything_is_opened(broker, toy):
    stray = AccessKey(key_id="captain", secret="key-of-tests", account_id="three")
    for brokers, settings, words in (
        ([], {}, "needs a broker"),
        ([broker, broker], {}, "same account"),
        (broker, {"port": 70000}, "65535"),
        (broker, {"keys": []}, "nobody could enter"),
        (broker, {"keys": [stray]}, "'three'"),
        (broker, {"keys": [TRADER, TRADER]}, "two access keys"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            SimpleHost(brokers, toy, **settings)


async def test_the_dialect_is_given_the_brokers_their_clock_and_ids(broker, toy, venue):
    limits = HostLimits(body_bytes=7)
    ids = SeededIds("toy")
    async with SimpleHost(broker, toy, ids=ids, limits=limits) as host:
        seen = toy.host

        assert (host, (broker,)) == (seen, seen.brokers)
        assert (venue, ids, limits) == (seen.clock, seen.ids, seen.limits)
        assert ["startup"] == toy.lifetime
    assert ["startup", "cleanup"] == toy.lifetime


async def test_the_hosts_tasks_end_with_it_and_a_failed_one_is_told_without_its_text(
    broker, toy, caplog
):
    ended = []

    async def forever():
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append("forever")

    async def fail():
        raise ZeroDivisionError(SECRET)

    async with SimpleHost(broker, toy) as host:
        host.scope.spawn(forever(), "forever")
        await asyncio.gather(host.scope.spawn(fail(), "fail"), return_exceptions=True)

    assert ["forever"] == ended
    assert ["a task of a dialect failed"] == [record.message for record in caplog.records]
    assert SECRET not in caplog.text


async def test_ids_outlive_the_process_where_the_journal_does(venue, toy, tmp_path):
    for dialect in (toy, ToyDialect()):
        async with venue.connect(state_dir=tmp_path) as broker, SimpleHost(broker, dialect) as host:
            found = host.identities(broker).allocate("order", "c1")

            assert host.identities(broker) is host.identities(broker)
            assert ("1", tmp_path) == (found.foreign_id, broker.state_dir)


async def test_ids_of_accounts_are_apart(broker, toy):
    other = await broker.for_account("two")
    try:
        async with SimpleHost([broker, other], toy) as host:
            host.identities(broker).put("order", "7", "c1")

            assert host.identities(other).get("order", "7") is None
    finally:
        await other.aclose()


async def test_closing_waits_for_answers_that_are_on_their_way(broker, toy, venue):
    host = SimpleHost(broker, toy, limits=HostLimits(drain_s=30))
    async with aiohttp.ClientSession(headers={"X-Key": "k"}) as client:
        async with host:
            body = {"symbol": "HELD", "id": "c1"}
            posting = asyncio.create_task(client.post(f"{host.url}/orders", json=body))
            await venue.arrived.wait()
            asyncio.get_running_loop().call_later(0.01, venue.released.set)
        answer = await posting

        assert {"status": "OPEN"} == await answer.json()


async def test_closing_cuts_off_what_never_answers(broker, toy, caplog):
    async with aiohttp.ClientSession(headers={"X-Key": "k"}) as client:
        async with SimpleHost(broker, toy, limits=HostLimits(drain_s=0.01)) as host:
            asking = asyncio.create_task(client.get(f"{host.url}/stuck"))
            await until(lambda: host._guard.in_progress)

        with pytest.raises(aiohttp.ClientError):
            await asking
    assert ["stuck"] == toy.ended
    assert ["requests were cut off"] == [record.message for record in caplog.records]


async def test_the_broker_stays_open(broker, toy):
    async with SimpleHost(broker, toy):
        pass

    assert "one" == (await broker.fetch_account()).account_id
