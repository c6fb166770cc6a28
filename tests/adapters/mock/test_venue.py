"""The venue and its pump: time, turns, members, and who hears what."""

import asyncio
from decimal import Decimal

import pytest

from dragoman.errors import ClosedError, StreamLostError
from dragoman.models import (
    ConnectionEvent,
    ConnectionState,
    Gap,
    OrderEvent,
    OrderStatus,
    OrderType,
    Quote,
    Side,
    Subscription,
    TimeInForce,
)
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.settings import AccountSettings, VenueSettings
from dragoman.times import SECOND_NS, ManualClock, SystemClock
from dragoman_mock import MockAdapter, MockVenue

TWO = (AccountSettings(account_id="a"), AccountSettings(account_id="b"))


def names():
    return sorted(task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()})


async def test_time_moves_the_market_only_when_told(make_context):
    clock = ManualClock()
    adapter = MockAdapter(make_context(clock))
    await adapter.open()
    before = await adapter.fetch_quotes(["AAPL"])

    same = await adapter.fetch_quotes(["AAPL"])
    await clock.advance(seconds=2)
    after = await adapter.fetch_quotes(["AAPL"])

    assert before["AAPL"].venue_time_ns == same["AAPL"].venue_time_ns
    assert SECOND_NS <= after["AAPL"].venue_time_ns - before["AAPL"].venue_time_ns
    await adapter.aclose()


async def test_every_price_is_known_from_the_start(make_context):
    adapter = MockAdapter(make_context(ManualClock()))
    await adapter.open()

    symbols = [each.symbol for each in await adapter.load_instruments()]
    quotes = await adapter.fetch_quotes(symbols)

    assert all(quote.bid_price is not None for quote in quotes.values())
    await adapter.aclose()


async def test_the_same_seed_gives_the_same_history(make_context, order):
    digests = []
    for _ in range(2):
        clock = ManualClock()
        adapter = MockAdapter(make_context(clock, seed=7))
        await adapter.open()
        await adapter.submit(order(client_order_id="a"))
        await clock.advance(seconds=30)
        await adapter.submit(order(client_order_id="b", side=Side.SELL))
        digests.append(adapter.venue.engine.history_digest)
        await adapter.aclose()

    assert digests[0] == digests[1]


async def test_history_does_not_depend_on_how_time_is_cut(make_context):
    digests = []
    for steps in ([60], [1] * 60):
        clock = ManualClock()
        adapter = MockAdapter(make_context(clock))
        await adapter.open()
        for seconds in steps:
            await clock.advance(seconds=seconds)
        digests.append(adapter.venue.engine.history_digest)
        await adapter.aclose()

    assert digests[0] == digests[1]


async def test_a_command_comes_up_to_now_by_itself(desk, order):
    adapter = await desk.connect()
    await desk.quote("99", "101")
    desk.clock._now_ns += 10 * SECOND_NS  # the pump has not been woken

    done = await adapter.submit(order())

    assert desk.clock.now_ns() <= done.created_at_ns


async def test_two_accounts_trade_with_each_other(desks, order):
    desk = desks(accounts=TWO)
    maker, taker = await desk.connect("a"), await desk.connect("b")
    await desk.quote("90", "110")
    heard = await desk.listen(maker, orders=True)
    await maker.submit(order(OrderType.LIMIT, limit_price="100", account_id="a"))

    done = await taker.submit(order(side=Side.SELL, account_id="b"))

    assert (OrderStatus.FILLED, Decimal(100)) == (done.status, done.average_fill_price)
    kinds = [(event.account_id, event.kind.name) for event in await heard.of(OrderEvent)]
    assert [("a", "ACCEPTED"), ("a", "FILL")] == kinds


async def test_an_adapter_hears_its_own_account_alone(desks, order):
    desk = desks(accounts=TWO)
    one, other = await desk.connect("a"), await desk.connect("b")
    await desk.quote("99", "101")
    heard = await desk.listen(one, orders=True, positions=True, account=True)

    await other.submit(order(account_id="b"))

    assert [ConnectionEvent] == [type(event) for event in await heard.batch()]


async def test_an_adapter_without_an_account_hears_all(desks, order):
    desk = desks(accounts=TWO)
    adapter = await desk.connect(None)
    await desk.quote("99", "101")
    heard = await desk.listen(adapter, orders=True)

    for account_id in "ab":
        await adapter.submit(order(account_id=account_id))

    assert {"a", "b"} == {event.account_id for event in await heard.of(OrderEvent)}


async def test_the_last_account_ends_the_session(desks):
    desk = desks(accounts=TWO)
    first = await desk.connect("a")
    second = first.for_account("b")
    assert first is first.for_account("a")

    await first.aclose()
    accounts = await second.fetch_accounts()
    await second.aclose()

    assert 2 == len(accounts)
    assert not desk.venue.is_open


async def test_an_adapter_without_an_account_passes_its_session_on(desks):
    desk = desks(accounts=TWO)
    first = await desk.connect(None)
    bound = first.for_account("b")

    await bound.aclose()

    assert not desk.venue.is_open


async def test_an_adapter_without_an_account_ends_what_it_passed_on(desks):
    desk = desks(accounts=TWO)
    first = await desk.connect(None)
    first.for_account("b")

    await first.aclose()
    await first.aclose()

    assert not desk.venue.is_open


async def test_closing_leaves_no_task(desk, adapter):
    await desk.listen(adapter, quotes="AAPL", bars=[("AAPL", "1m")])
    before = names()

    await desk.stack.aclose()

    assert ["mock venue"] == before
    assert [] == names()


async def test_the_market_stands_still_while_nobody_is_connected(desk, order):
    first = await desk.connect()
    await desk.quote("99", "101")
    await first.submit(
        order(
            OrderType.LIMIT,
            limit_price="90",
            time_in_force=TimeInForce.GTD,
            expires_at_ns=desk.clock.now_ns() + SECOND_NS,
        )
    )
    await first.aclose()

    await desk.clock.advance(seconds=5)
    before = desk.venue.engine.order("paper-1", "order-1").status
    second = await desk.connect()

    assert OrderStatus.OPEN is before
    found = await second.fetch_order("paper-1", client_order_id="order-1")
    assert OrderStatus.EXPIRED is found.status


def test_a_venue_goes_on_in_another_loop_and_never_back_in_time(make_context):
    venue = MockVenue(VenueSettings())

    async def visit(start_ns):
        adapter = MockAdapter(make_context(ManualClock(start_ns), venue=venue))
        await adapter.open()
        now_ns = venue.engine.now_ns
        await adapter.aclose()
        return now_ns

    earlier = asyncio.run(visit(1_767_796_200_000_000_000))
    later = asyncio.run(visit(1_767_796_200_000_000_000 - SECOND_NS))

    assert earlier == later


async def test_a_closed_venue_refuses(desk, adapter):
    venue = desk.venue
    await adapter.aclose()

    with pytest.raises(ClosedError):
        await venue.look(lambda engine: engine.now_ns)


async def test_a_fast_market_does_not_keep_the_loop_to_itself(make_context):
    adapter = MockAdapter(make_context(SystemClock(), speed=1_000_000))
    await adapter.open()

    async with asyncio.timeout(60):
        answers = [await adapter.fetch_quotes(["AAPL"]) for _ in range(50)]

    times = [answer["AAPL"].venue_time_ns for answer in answers]
    lag_ns = adapter.venue.clock.now_ns() - adapter.venue.engine.now_ns
    assert sorted(times) == times
    assert lag_ns < 100_000 * SECOND_NS
    await adapter.aclose()


async def test_a_fast_market_streams_with_the_system_clock(make_context):
    adapter = MockAdapter(make_context(SystemClock(), speed=600))
    await adapter.open()

    times = []
    async with adapter.stream(Subscription(quotes="AAPL")) as batches:
        async for batch in batches:
            times += [event.venue_time_ns for event in batch if isinstance(event, Quote)]
            if len(times) >= 20:
                break

    assert sorted(times) == times
    assert 10 * SECOND_NS <= times[-1] - times[0]
    await adapter.aclose()


async def test_a_long_pause_that_concerned_nobody_costs_nothing(make_context):
    clock = ManualClock()
    venue = MockVenue(VenueSettings(max_idle_steps=10**12))
    first = MockAdapter(make_context(clock, venue=venue))
    await first.open()
    await first.aclose()
    await clock.advance(seconds=30 * 86_400)

    async with asyncio.timeout(60):
        await first.open()

    quotes = await first.fetch_quotes(["AAPL", "EUR/USD"])
    assert all(clock.now_ns() - 2 * SECOND_NS <= each.venue_time_ns for each in quotes.values())
    await first.aclose()


async def test_a_long_pause_is_skipped(desks, order):
    desk = desks(max_idle_steps=3)
    adapter = await desk.connect()
    await desk.quote(99, 101)
    await adapter.submit(order(OrderType.LIMIT, limit_price="150", side=Side.SELL, quantity=1))
    await adapter.aclose()
    for number in range(10):
        await desk.quote(199 + number, 201 + number)

    again = await desk.connect()

    quote = (await again.fetch_quotes(["AAPL"]))["AAPL"]
    done = await again.fetch_order("paper-1", client_order_id="order-1")
    assert Decimal(201) == quote.bid_price
    assert OrderStatus.FILLED is done.status


async def test_a_machine_that_slept_tells_what_it_left_out(desks):
    desk = desks(max_idle_steps=3)
    adapter = await desk.connect()
    reader = await desk.listen(adapter, quotes="AAPL")
    private = await desk.listen(adapter, orders=True)
    for number in range(10):
        desk.feed.push(
            MarketTick(
                desk.clock.now_ns() + number + 1,
                "AAPL",
                Decimal(99 + number),
                Decimal(1),
                Decimal(101 + number),
                Decimal(1),
            )
        )
    desk.clock._now_ns += SECOND_NS  # the pump slept through it

    await adapter.fetch_quotes(["AAPL"])

    assert [Quote] * 4 + [Gap] == [type(each) for each in await reader.batch()][1:]
    assert 1 == len(await private.batch())


async def test_a_broken_venue_ends_every_stream_with_an_error(desk, adapter):
    problems = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: problems.append(context["exception"])
    )
    reader = await desk.listen(adapter, quotes="AAPL")

    def explode():
        raise ZeroDivisionError

    desk.venue.schedule(desk.clock.now_ns() + 1, explode)
    await desk.clock.advance(nanoseconds=1)

    states = [event.state for event in await reader.of(ConnectionEvent)]
    assert [ConnectionState.CONNECTED, ConnectionState.FAILED] == states
    with pytest.raises(StreamLostError):
        await reader.batch()
    assert [ZeroDivisionError] == [type(each) for each in problems]
