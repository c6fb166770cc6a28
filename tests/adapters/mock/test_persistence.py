"""A venue in a file: what one process did, the next one finds."""

import json
import os
import stat
from decimal import Decimal

import pytest

from dragoman.errors import ConfigurationError
from dragoman.models import OrderStatus, OrderType
from dragoman.times import SECOND_NS, ManualClock
from dragoman_mock import MockAdapter
from dragoman_mock.storage import StateFile

START_NS = 1_767_796_200_000_000_000
LIMIT = OrderType.LIMIT


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "venue.json"


@pytest.fixture
def visit(path, make_context):
    """Run some work on a venue kept in the file, as one process would, and leave it again."""

    async def run(work, *, start_ns=START_NS, **options):
        adapter = MockAdapter(make_context(ManualClock(start_ns), state_file=path, **options))
        await adapter.open()
        try:
            return await work(adapter)
        finally:
            await adapter.aclose()

    return run


async def test_the_next_process_finds_what_the_first_one_did(visit, order):
    async def buy(adapter):
        await adapter.submit(order(client_order_id="a"))
        await adapter.submit(order(LIMIT, limit_price="10", client_order_id="b"))

    async def look(adapter):
        return (
            await adapter.fetch_positions("paper-1"),
            await adapter.fetch_open_orders("paper-1"),
        )

    await visit(buy)

    positions, orders = await visit(look, start_ns=START_NS + SECOND_NS)

    assert [Decimal(10)] == [position.quantity for position in positions]
    assert ["b"] == [each.client_order_id for each in orders]


async def test_two_visits_make_the_history_that_one_would(visit, order, make_context):
    clock = ManualClock(START_NS)
    whole = MockAdapter(make_context(clock))
    await whole.open()
    await whole.submit(order(client_order_id="a"))
    await clock.advance(seconds=20)
    await whole.submit(order(client_order_id="b"))
    expected = whole.venue.engine.history_digest
    await whole.aclose()

    async def send(adapter, name):
        await adapter.submit(order(client_order_id=name))
        return adapter.venue.engine.history_digest

    await visit(lambda adapter: send(adapter, "a"))
    found = await visit(lambda adapter: send(adapter, "b"), start_ns=START_NS + 20 * SECOND_NS)

    assert expected == found


async def test_an_order_expires_while_nobody_is_there(visit, order):
    async def rest(adapter):
        await adapter.submit(order(LIMIT, limit_price="10"))

    async def look(adapter):
        return await adapter.fetch_order("paper-1", client_order_id="order-1")

    await visit(rest)

    found = await visit(look, start_ns=START_NS + 86_400 * SECOND_NS)

    assert OrderStatus.EXPIRED is found.status


async def test_a_dead_man_works_while_nobody_is_there(visit, order):
    async def arm(adapter):
        await adapter.submit(order(LIMIT, limit_price="10"))
        await adapter.arm("paper-1", 30)

    async def look(adapter):
        return await adapter.fetch_order("paper-1", client_order_id="order-1")

    await visit(arm)

    early = await visit(look, start_ns=START_NS + 29 * SECOND_NS)
    late = await visit(look, start_ns=START_NS + 31 * SECOND_NS)

    assert (OrderStatus.OPEN, OrderStatus.CANCELED) == (early.status, late.status)
    assert START_NS + 30 * SECOND_NS == late.updated_at_ns


async def test_a_killed_process_loses_no_command(path, make_context, order, visit):
    adapter = MockAdapter(make_context(ManualClock(START_NS), state_file=path))
    await adapter.open()
    await adapter.submit(order())
    survivor = path.read_bytes()
    await adapter.aclose()
    path.write_bytes(survivor)

    async def look(adapter):
        return await adapter.fetch_order("paper-1", client_order_id="order-1")

    assert OrderStatus.FILLED is (await visit(look)).status


async def test_a_venue_at_another_speed_goes_on_where_it_stopped(visit):
    async def stay(adapter):
        await adapter.context.clock.advance(seconds=1)
        return adapter.venue.engine.now_ns

    first = await visit(stay, speed=60)
    second = await visit(stay, speed=60, start_ns=START_NS + SECOND_NS)

    assert START_NS + 60 * SECOND_NS == first
    assert first + 60 * SECOND_NS == second


async def test_a_jump_of_the_price_is_kept(visit):
    async def jump(adapter):
        before = await adapter.fetch_quotes(["AAPL"])
        adapter.venue.prices.jump("AAPL", Decimal(50), adapter.venue.engine.now_ns)
        return before["AAPL"].bid_price

    async def look(adapter):
        return (await adapter.fetch_quotes(["AAPL"]))["AAPL"].bid_price

    before = await visit(jump)
    after = await visit(look, start_ns=START_NS + 5 * SECOND_NS)

    assert Decimal("1.4") < after / before < Decimal("1.6")


@pytest.mark.skipif(os.name != "posix", reason="file modes are of posix")
async def test_nobody_else_may_read_the_file(visit, path):
    async def nothing(adapter):
        pass

    os.umask(0)
    await visit(nothing)

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert ["venue.json", "venue.json.lock"] == sorted(each.name for each in path.parent.iterdir())


DAMAGES = {
    "no JSON": "{",
    "no text": b"\xff\xfe",
    "no table": "[]",
    "something else": '{"format": "shopping list"}',
    "another version": '{"format": "dragoman mock venue", "version": 99, "venue": {}}',
    "nothing in it": '{"format": "dragoman mock venue", "version": 1, "venue": {}}',
    "nesting": "[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_named_and_left_alone(visit, path, damage):
    content = DAMAGES[damage]
    content = content if isinstance(content, bytes) else content.encode()
    path.parent.mkdir()
    path.write_bytes(content)

    async def nothing(adapter):
        pass

    with pytest.raises(ConfigurationError, match=path.name):
        await visit(nothing)

    assert content == path.read_bytes()


async def test_a_damaged_engine_is_named_too(visit, path):
    async def nothing(adapter):
        pass

    await visit(nothing)
    document = json.loads(path.read_text())
    del document["venue"]["engine"]["desks"]
    path.write_text(json.dumps(document))

    with pytest.raises(ConfigurationError, match="damaged"):
        await visit(nothing)


async def test_another_recipe_does_not_read_the_file(visit):
    async def nothing(adapter):
        pass

    await visit(nothing)

    with pytest.raises(ConfigurationError, match="seed"):
        await visit(nothing, seed=7)


async def test_a_failed_opening_frees_the_file(visit):
    async def nothing(adapter):
        pass

    await visit(nothing)
    with pytest.raises(ConfigurationError):
        await visit(nothing, seed=7)

    await visit(nothing)


class Waiting:
    """A clock that jumps to whatever is slept for."""

    def __init__(self):
        self.now = 0
        self.on_sleep = None

    def now_ns(self):
        return self.now

    async def sleep_until_ns(self, instant_ns):
        self.now = instant_ns
        if self.on_sleep:
            self.on_sleep()


async def test_a_second_process_gets_a_clear_error(path):
    first, second = StateFile(path), StateFile(path, Waiting())
    await first.acquire()

    with pytest.raises(ConfigurationError, match="in use by another process"):
        await second.acquire()
    first.release()
    await second.acquire()

    second.release()


async def test_a_second_process_waits_a_moment(path):
    clock = Waiting()
    first, second = StateFile(path), StateFile(path, clock)
    await first.acquire()
    clock.on_sleep = first.release

    await second.acquire()

    assert 0 < clock.now < SECOND_NS
    second.release()


@pytest.mark.skipif(os.name != "posix", reason="a folder is no file anywhere else either")
async def test_a_place_that_can_not_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match="file"):
        await StateFile(tmp_path / "file" / "venue.json").acquire()


async def test_a_write_that_fails_keeps_what_was_there(tmp_path):
    file = StateFile(tmp_path / "venue.json")
    file.write({"a": 1})
    (tmp_path / "venue.json.new").mkdir()

    with pytest.raises(ConfigurationError, match="can't be written"):
        file.write({"a": 2})

    assert {"a": 1} == file.read()


async def test_a_copy_starts_from_the_file_and_leaves_it_alone(visit, order, path, make_context):
    async def buy(adapter):
        await adapter.submit(order(client_order_id="a"))

    async def look(adapter):
        return [position.symbol for position in await adapter.fetch_positions("paper-1")]

    await visit(buy)
    before = path.read_bytes()
    owner = MockAdapter(make_context(ManualClock(START_NS), state_file=path))
    await owner.open()
    seen = await visit(look, state_copy=True)
    await visit(lambda adapter: adapter.submit(order(client_order_id="b")), state_copy="true")
    after = path.read_bytes()
    await owner.aclose()

    assert (["AAPL"], before) == (seen, after)


async def test_a_copy_of_nothing_makes_no_file(visit, order, path):
    await visit(lambda adapter: adapter.submit(order()), state_copy=True)

    assert not path.parent.exists()
