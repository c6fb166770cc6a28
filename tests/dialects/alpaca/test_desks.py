"""What a desk keeps: level with its broker, names that outlive the process, gaps in the journal."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import aiohttp
import pytest
from tests.broker.conftest import Market
from tests.broker.fake_adapter import FakeVenue
from tests.dialects.alpaca.test_ledger import Kind, Story, order
from tests.dialects.alpaca.trading_rig import REST, eventually, served

import dragoman
from dragoman import (
    Capabilities,
    ManualClock,
    OrderRequest,
    SeededIds,
    SequenceGapError,
    Side,
    TimeInForce,
)
from dragoman.capabilities import Source
from dragoman.dialects import AccessKey, MemoryIdentities
from dragoman.errors import ClosedError, DragomanError, VenueUnavailableError
from dragoman.tasks import TaskScope
from dragoman_alpaca.dialect import desks
from dragoman_alpaca.dialect.desks import Desk

ONE = AccessKey(key_id="one", secret="key-of-tests")
TWO = AccessKey(key_id="two", secret="key-of-two", account_id="two")


@pytest.fixture
async def market():
    one = Market()
    yield one
    await one.aclose()


@asynccontextmanager
async def process(market, name, **settings):
    """One process at the market, as a server has it: connected, and serving."""
    connection = dragoman.connect(
        "mock", venue=market.venue, clock=market.clock, ids=SeededIds(name), **settings
    )
    async with connection as broker:
        await market.clock.advance(seconds=2)
        async with served(broker) as client:
            yield client


async def test_all_is_as_it_was_after_a_restart(market, tmp_path):
    async with process(market, "a", state_dir=tmp_path) as client:
        old = await client.rest(client_order_id="c1")
        new = await client.replace(old, qty=5, client_order_id="c2")
        await client.submit(client_order_id="c3")
        before = (
            await client.get("/v2/orders", status="all"),
            await client.get("/v2/account/activities"),
        )
    async with process(market, "b", state_dir=tmp_path) as client:
        assert before == (
            await client.get("/v2/orders", status="all"),
            await client.get("/v2/account/activities"),
        )
        assert new == await client.get("/v2/orders:by_client_order_id", client_order_id="c2")
        again = await client.replace(new, qty=4)
        assert ("c1~2", new["id"]) == (again["client_order_id"], again["replaces"])


async def test_without_a_journal_the_venue_tells_what_there_is(market):
    async with process(market, "a") as client:
        order = await client.rest(client_order_id="c1")
        filled = await client.submit(client_order_id="c2")
        old = await client.rest(client_order_id="c3")
        new = await client.replace(old, qty=5)
        (execution,) = await client.get("/v2/account/activities")
    async with process(market, "b") as client:
        found = {one["id"]: one for one in await client.get("/v2/orders", status="all")}

        assert {order["id"], filled["id"], new["id"]} == found.keys()
        assert ("filled", "10") == tuple(
            found[filled["id"]][key] for key in ("status", "filled_qty")
        )
        assert [execution] == await client.get("/v2/account/activities")
        assert found[order["id"]] == await client.order(order)
        assert (204, None) == await client.ask("DELETE", f"/v2/orders/{new['id']}")


async def test_an_order_that_only_the_venue_knows_is_found_by_its_name(market):
    async with process(market, "a") as one, process(market, "b") as other:
        order = await one.rest(client_order_id="c1")
        await one.ask("DELETE", f"/v2/orders/{order['id']}")

        found = await other.get("/v2/orders:by_client_order_id", client_order_id="c1")

        assert (order["id"], "canceled") == (found["id"], found["status"])


async def test_each_key_reaches_its_own_account():
    async with FakeVenue().connect() as broker:
        other = await broker.for_account("two")
        try:
            async with served([broker, other], keys=[ONE, TWO], headers={}) as client:
                ids = {}
                for key in (ONE, TWO):
                    shown = {
                        "APCA-API-KEY-ID": key.key_id,
                        "APCA-API-SECRET-KEY": key.secret.reveal(),
                    }
                    body = {**REST, "client_order_id": "c1"}
                    status, made = await client.ask("POST", "/v2/orders", json=body, headers=shown)
                    _, account = await client.ask("GET", "/v2/account", headers=shown)
                    _, listed = await client.ask("GET", "/v2/orders", headers=shown)
                    assert (200, [made]) == (status, listed)
                    ids[key.key_id] = (made["id"], account["id"], account["account_number"])
        finally:
            await other.aclose()

    assert ("one", "two") == (ids["one"][2], ids["two"][2])
    assert 4 == len({*ids["one"][:2], *ids["two"][:2]})


async def test_a_request_is_refused_once_the_broker_is_closed():
    async with FakeVenue().connect() as broker, served(broker) as client:
        await broker.submit(OrderRequest.limit("AAPL", Side.BUY, 1, 90))
        await broker.aclose()

        status, code, _ = await client.refused("GET", "/v2/account")

        assert (503, 50310000) == (status, code)


class Log:
    """A broker that is nothing but a journal, which begins at a sequence of the test's choice."""

    provider = "mock"
    account_id = "paper-1"
    capabilities = Capabilities(
        protocol="mock",
        source=Source("tests", "2026-01-01"),
        orders=(),
        default_time_in_force=TimeInForce.DAY,
    )

    def __init__(self, events, *, oldest=0, gaps=()):
        self.events = list(events)
        self.oldest = oldest
        self.gaps = set(gaps)
        self.opened = []
        self.orders = ()
        self.listed = ()
        self.news = asyncio.Event()
        self.failure = None

    @property
    def state(self):
        return SimpleNamespace(sequence=len(self.events), orders=self.orders)

    async def fetch_open_orders(self):
        return self.listed

    def append(self, event):
        self.events.append(event)
        self.news.set()

    @asynccontextmanager
    async def stream(self, *, since, **wanted):
        self.opened.append(since)
        if since < self.oldest:
            raise SequenceGapError("gone")
        yield SimpleNamespace(batches=lambda: self._read(since))

    async def _read(self, since):
        while True:
            while since < len(self.events):
                if since + 1 in self.gaps:
                    raise SequenceGapError("skipped")
                yield (self.events[since],)
                since += 1
            if self.failure is not None:
                raise self.failure
            self.news.clear()
            await self.news.wait()


@pytest.fixture
async def host():
    identities = MemoryIdentities()
    one = SimpleNamespace(
        scope=TaskScope(),
        clock=ManualClock(),
        ids=SeededIds(),
        identities=lambda _: identities,
    )
    yield one
    await one.scope.close()


def lives(count):
    """Events of as many orders, two of each."""
    story = Story()
    for number in range(count):
        story.tell(Kind.ADOPTED, order(f"o{number}"))
        story.tell(Kind.RESTATED, order(f"o{number}"))
    return story.events


@pytest.mark.parametrize("oldest", [0, 1, 7, 39, 40])
async def test_the_ledger_begins_where_the_journal_does(host, oldest):
    log = Log(lives(20), oldest=oldest)
    desk = Desk(log, host)

    await desk.start()

    assert (40, 20 - oldest // 2) == (desk.ledger.sequence, len(desk.ledger))
    assert len(log.opened) < 20


async def test_the_ledger_begins_anew_behind_a_gap(host):
    desk = Desk(Log(lives(20), gaps={3, 12}), host)

    await desk.start()

    assert 40 == desk.ledger.sequence
    assert desk.ledger.newest("o6") is not None
    assert desk.ledger.newest("o0") is None


async def test_orders_that_are_known_from_before_a_gap_are_not_lost(host):
    events = lives(3)
    log = Log(events[:4])
    log.orders = (order("o0"), order("o1"))
    log.listed = (order("o0"), order("foreign"))
    desk = Desk(log, host)
    await desk.start()
    await desk.learn_history()
    log.gaps = {5}
    log.append(events[4])
    log.append(events[5])

    await desk.level()
    rows = list(desk.ledger.open_rows(newest_first=False))
    assert ["o0", "o1", "o2"] == sorted(row.intent for row in rows)
    await desk.learn_history()
    assert desk.ledger.newest("foreign") is not None


async def test_what_was_told_is_not_told_again_when_the_journal_is_read_anew(host):
    events = lives(4)
    log = Log(events[:4])
    desk = Desk(log, host)
    await desk.start()
    told = []
    stop = desk.listen(told.extend, lambda: told.append(None))
    log.gaps = {6}
    log.append(events[4])
    log.append(events[5])
    log.append(events[6])
    await desk.level()

    assert ["o2", "o3"] == [one.row.intent for one in told]
    stop()
    log.append(events[7])
    await desk.level()
    assert 2 == len(told)


async def test_a_journal_that_can_not_be_read_is_told_to_every_request(host):
    log = Log(lives(1))
    desk = Desk(log, host)
    await desk.start()
    log.failure = VenueUnavailableError("the disk is gone")
    log.news.set()
    await eventually(lambda: desk._failure is not None)
    log.append(lives(2)[2])

    with pytest.raises(VenueUnavailableError, match="the disk is gone"):
        await desk.level()


async def test_a_ledger_that_does_not_come_level_is_told(host, monkeypatch):
    monkeypatch.setattr(desks, "_LONGEST_PAUSE_S", 0.01)
    log = Log(lives(1))
    desk = Desk(log, host)
    await desk.start()
    log.events += lives(2)[2:]

    with pytest.raises(VenueUnavailableError, match="could not be read in time"):
        await desk.level()


async def test_an_unknown_order_is_not_found_where_the_venue_can_not_be_asked():
    venue = FakeVenue()
    async with venue.connect() as broker, served(broker) as client:
        venue.script("fetch_order", VenueUnavailableError("down"))

        status, code, _ = await client.refused(
            "GET", "/v2/orders:by_client_order_id", params={"client_order_id": "x"}
        )

        assert (503, 50310000) == (status, code)


async def test_the_end_of_a_stream_is_no_failure_of_what_is_known(host):
    log = Log(lives(1))
    log.failure = ClosedError("the end")
    desk = Desk(log, host)
    await desk.start()

    await eventually(lambda: desk._failure is not None)

    assert isinstance(desk._failure, DragomanError)
    await desk.level()
    assert 1 == len(desk.ledger)


async def test_the_dialect_tells_how_to_point_a_client_at_it():
    async with FakeVenue().connect() as broker, served(broker) as client:
        hints = client.host._dialect.hints(client.url)

        assert any(client.url in line for line in hints)
        async with aiohttp.ClientSession() as session, session.get(client.url) as answer:
            assert 404 == answer.status
