"""Each scripted fault does what it says, to the connection that has it, and nothing else."""

import logging
from decimal import Decimal

import pytest

from dragoman.errors import (
    ConfigurationError,
    ConflictError,
    ConnectFailedError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    RateLimitedError,
    RejectReason,
    TransportError,
    UnknownReason,
    VenueUnavailableError,
)
from dragoman.models import (
    ConnectionEvent,
    ConnectionState,
    MarketStatus,
    OrderChange,
    OrderEvent,
    OrderEventKind,
    OrderOrigin,
    OrderStatus,
    OrderType,
    Quote,
    Side,
    TradingState,
    Window,
)
from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS
from dragoman_mock import MockAdapter

LIMIT = OrderType.LIMIT


@pytest.fixture
async def struck(desk):
    """A factory of adapters with a plan, on a venue where AAPL is at 99 to 101."""

    async def make(plan):
        adapter = await desk.connect(faults=plan)
        await desk.quote("99", "101", last="100")
        return adapter

    return make


@pytest.fixture
async def scope():
    scope = TaskScope(lambda *_: None)
    yield scope
    await scope.close()


def kinds(events):
    return [event.kind.name for event in events if isinstance(event, OrderEvent)]


async def at_venue(adapter, client_order_id="order-1"):
    return adapter.venue.engine.order("paper-1", client_order_id)


async def test_a_refused_connection_sends_nothing(struck, order):
    adapter = await struck("submit#1 refuse_connection")

    with pytest.raises(ConnectFailedError) as caught:
        await adapter.submit(order())

    assert Outcome.NOT_SENT is caught.value.outcome
    assert await at_venue(adapter) is None
    assert OrderStatus.FILLED is (await adapter.submit(order())).status


async def test_a_connection_that_is_refused_once_opens_the_second_time(desk, make_context):
    adapter = MockAdapter(
        make_context(desk.clock, venue=desk.venue, faults="open#1 refuse_connection")
    )

    with pytest.raises(ConnectFailedError):
        await adapter.open()
    assert not desk.venue.is_open
    await adapter.open()

    assert desk.venue.is_open
    await adapter.aclose()


async def test_a_lost_request_never_reaches_the_venue_and_times_out(desk, struck, scope, order):
    adapter = await struck("submit lost_request(seconds=3)")
    task = scope.spawn(adapter.submit(order()), "submit")

    await desk.clock.advance(seconds=2.9)
    is_early = task.done()
    await desk.clock.advance(seconds=0.1)

    assert not is_early
    with pytest.raises(OutcomeUnknownError) as caught:
        task.result()
    assert UnknownReason.TIMEOUT is caught.value.reason
    assert await at_venue(adapter) is None


async def test_a_lost_response_leaves_the_order_at_the_venue(desk, struck, order):
    adapter = await struck("submit lost_response")
    reader = await desk.listen(adapter, orders=True)

    with pytest.raises(OutcomeUnknownError) as caught:
        await adapter.submit(order())

    assert (UnknownReason.CONNECTION_LOST, "order-1", Outcome.UNKNOWN) == (
        caught.value.reason,
        caught.value.client_order_id,
        caught.value.outcome,
    )
    assert OrderStatus.FILLED is (await at_venue(adapter)).status
    assert ["ACCEPTED", "FILL"] == kinds(await reader.batch())


async def test_a_lost_refusal_is_as_unknown_as_a_lost_acceptance(struck, order):
    adapter = await struck("submit lost_response")

    with pytest.raises(OutcomeUnknownError):
        await adapter.submit(order(symbol="NOPE"))


async def test_a_delayed_response_comes_later_than_its_events(desk, struck, scope, order):
    adapter = await struck("submit delayed_response(seconds=2)")
    reader = await desk.listen(adapter, orders=True)

    task = scope.spawn(adapter.submit(order()), "submit")
    await desk.clock.advance(seconds=1)
    told, is_early = kinds(await reader.batch()), task.done()
    await desk.clock.advance(seconds=1)

    assert (["ACCEPTED", "FILL"], False) == (told, is_early)
    assert OrderStatus.FILLED is task.result().status


@pytest.mark.parametrize(("applied", "is_there"), [("true", True), ("false", False)])
async def test_a_server_error_tells_nothing(struck, order, applied, is_there):
    adapter = await struck(f"submit server_error(applied={applied})")

    with pytest.raises(OutcomeUnknownError) as caught:
        await adapter.submit(order())

    assert UnknownReason.SERVER_ERROR is caught.value.reason
    assert is_there == (await at_venue(adapter) is not None)


async def test_a_rejection_has_the_reason_of_the_plan(struck, order):
    adapter = await struck("submit reject(reason=INSUFFICIENT_FUNDS)")

    with pytest.raises(OrderRejectedError) as caught:
        await adapter.submit(order())

    assert RejectReason.INSUFFICIENT_FUNDS is caught.value.reason
    assert await at_venue(adapter) is None


async def test_a_rejected_cancel_is_a_conflict_and_the_order_lives(struck, order):
    adapter = await struck("cancel reject")
    resting = await adapter.submit(order(LIMIT, limit_price="90"))

    with pytest.raises(ConflictError):
        await adapter.cancel(resting)

    assert OrderStatus.OPEN is (await at_venue(adapter)).status


async def test_a_rate_limit_is_a_definite_refusal(struck, order):
    adapter = await struck("submit rate_limited(retry_after=2.5)")

    with pytest.raises(RateLimitedError) as caught:
        await adapter.submit(order())

    assert (2.5, Outcome.REJECTED) == (caught.value.retry_after, caught.value.outcome)
    assert await at_venue(adapter) is None


@pytest.mark.parametrize(
    ("kind", "error"),
    [("lost_response", TransportError), ("server_error", VenueUnavailableError)],
)
async def test_a_read_that_fails_has_no_fate(struck, kind, error):
    adapter = await struck(f"fetch_accounts {kind}")

    with pytest.raises(error) as caught:
        await adapter.fetch_accounts()

    assert not isinstance(caught.value, OutcomeUnknownError)


async def test_a_dropped_event_is_never_told(desk, struck, order):
    adapter = await struck("event.fill#1 drop_event")
    reader = await desk.listen(adapter, orders=True)

    await adapter.submit(order())
    await adapter.submit(order())

    assert ["ACCEPTED", "ACCEPTED", "FILL"] == kinds(await reader.batch())


async def test_a_duplicated_event_is_told_again_the_same(desk, struck, order):
    adapter = await struck("event.fill duplicate_event(copies=2)")
    reader = await desk.listen(adapter, orders=True)

    await adapter.submit(order())

    fills = [event for event in await reader.of(OrderEvent) if event.fill]
    assert 3 == len(fills)
    assert 1 == len({event.event_id for event in fills})


async def test_a_delayed_event_is_overtaken(desk, struck, order):
    adapter = await struck("event.accepted#1 delay_event(seconds=2)")
    reader = await desk.listen(adapter, orders=True)

    await adapter.submit(order())
    early = kinds(await reader.batch())
    await desk.clock.advance(seconds=2)

    assert ["FILL"] == early
    assert ["ACCEPTED"] == kinds(await reader.batch())


async def test_reordered_events_come_last_first(desk, struck, order):
    adapter = await struck("event.accepted#1 reorder_events(window=3)")
    reader = await desk.listen(adapter, orders=True)

    await adapter.submit(order())
    await adapter.submit(order())

    assert ["ACCEPTED", "FILL", "ACCEPTED", "FILL"] == kinds(await reader.batch())


async def test_events_held_for_reordering_come_in_the_end(desk, struck, order):
    adapter = await struck("event.accepted#1 reorder_events(window=50,seconds=5)")
    reader = await desk.listen(adapter, orders=True)

    await adapter.submit(order())
    early = kinds(await reader.batch())
    await desk.clock.advance(seconds=5)

    assert [] == early
    assert ["FILL", "ACCEPTED"] == kinds(await reader.batch())


async def test_a_later_reordering_is_not_cut_short_by_an_earlier_one(desk, struck, order):
    adapter = await struck("event.accepted reorder_events(window=2,seconds=5)")
    reader = await desk.listen(adapter, orders=True)
    await adapter.submit(order())
    await desk.clock.advance(seconds=4)
    await adapter.submit(order(LIMIT, limit_price="90"))

    await desk.clock.advance(seconds=2)
    early = kinds(await reader.batch())
    await desk.clock.advance(seconds=3)

    assert ["FILL", "ACCEPTED"] == early
    assert ["ACCEPTED"] == kinds(await reader.batch())


async def test_a_cut_stream_says_so_and_loses_what_happens_meanwhile(desk, struck, order):
    adapter = await struck("event.accepted#1 disconnect_stream(seconds=2)")
    reader = await desk.listen(adapter, orders=True)

    await adapter.submit(order())
    await desk.clock.advance(seconds=2)
    await adapter.submit(order())

    batch = await reader.batch()
    states = [event for event in batch if isinstance(event, ConnectionEvent)]
    assert [
        ConnectionState.CONNECTED,
        ConnectionState.DISCONNECTED,
        ConnectionState.RECONNECTED,
    ] == [event.state for event in states]
    assert 2 * SECOND_NS == states[-1].gap_ns
    assert states[-1].cause
    assert ["ACCEPTED", "FILL"] == kinds(batch)
    assert {"order-2"} == {
        event.order.client_order_id for event in batch if isinstance(event, OrderEvent)
    }


async def test_a_mute_stream_says_nothing_at_all(desk, struck, order):
    adapter = await struck("submit#1 mute_stream(seconds=2)")
    reader = await desk.listen(adapter, orders=True)

    await adapter.submit(order())
    await desk.clock.advance(seconds=2)
    await adapter.submit(order())

    batch = await reader.batch()
    assert [ConnectionEvent, OrderEvent, OrderEvent] == [type(event) for event in batch]


async def test_a_fault_strikes_its_own_connection_alone(desk, struck, order):
    adapter = await struck("event.fill drop_event")
    other = await desk.connect()
    reader = await desk.listen(other, orders=True)

    await adapter.submit(order())

    assert ["ACCEPTED", "FILL"] == kinds(await reader.batch())


async def test_a_halt_stops_an_instrument_for_a_while(desk, struck, order):
    adapter = await struck("submit#1 halt_symbol(symbol=AAPL,seconds=5)")
    reader = await desk.listen(adapter, market_status="AAPL")

    with pytest.raises(OrderRejectedError) as caught:
        await adapter.submit(order())
    await desk.clock.advance(seconds=5)
    await desk.quote("99", "101")

    assert RejectReason.NOT_TRADABLE is caught.value.reason
    assert [TradingState.OPEN, TradingState.HALTED, TradingState.OPEN] == [
        event.state for event in await reader.of(MarketStatus)
    ]
    assert OrderStatus.FILLED is (await adapter.submit(order())).status


async def test_a_busted_fill_is_told_and_taken_back(desk, struck, order):
    adapter = await struck("event.fill#1 bust_fill")
    reader = await desk.listen(adapter, orders=True)

    await adapter.submit(order())

    assert ["ACCEPTED", "FILL", "FILL_BUSTED"] == kinds(await reader.batch())
    assert () == await adapter.fetch_positions("paper-1")
    assert [True] == [fill.is_busted async for fill in adapter.fetch_fills("paper-1", Window())]


async def test_an_external_order_appears_on_the_account(desk, struck):
    adapter = await struck(
        "after=2 external_order(symbol=AAPL,side=SELL,quantity=3,limit_price=120)"
    )
    reader = await desk.listen(adapter, orders=True)

    await desk.clock.advance(seconds=2)

    (event,) = await reader.of(OrderEvent)
    assert (OrderEventKind.ACCEPTED, Side.SELL, Decimal(120)) == (
        event.kind,
        event.order.side,
        event.order.limit_price,
    )
    assert event.order.client_order_id.startswith("external-")


async def test_a_late_fill_comes_after_the_cancel(desk, struck, order):
    adapter = await struck("cancel late_fill(quantity=4,seconds=2)")
    resting = await adapter.submit(order(LIMIT, limit_price="90"))
    reader = await desk.listen(adapter, orders=True)

    done = await adapter.cancel(resting)
    await desk.clock.advance(seconds=2)

    assert (OrderStatus.CANCELED, Decimal(0)) == (done.status, done.filled_quantity)
    assert ["CANCELED", "FILL"] == kinds(await reader.batch())
    late = await at_venue(adapter)
    assert (OrderStatus.CANCELED, Decimal(4)) == (late.status, late.filled_quantity)
    (position,) = await adapter.fetch_positions("paper-1")
    assert Decimal(4) == position.quantity


async def test_a_price_jump_moves_every_later_price(desk, struck):
    adapter = await struck("after=1 price_jump(symbol=AAPL,percent=-10)")
    reader = await desk.listen(adapter, quotes="AAPL")
    await desk.clock.advance(seconds=1)

    await desk.quote("100", "101")

    quote = (await reader.of(Quote))[-1]
    assert (Decimal(90), Decimal("90.9")) == (quote.bid_price, quote.ask_price)


async def test_a_liquidation_closes_the_account_out(desk, struck, order):
    adapter = await struck("after=5 liquidate")
    await adapter.submit(order())

    await desk.clock.advance(seconds=6)

    assert () == await adapter.fetch_positions("paper-1")
    origins = [each.origin async for each in adapter.fetch_orders("paper-1", Window())]
    assert OrderOrigin.LIQUIDATION is origins[-1]


async def test_a_fault_that_can_not_be_carried_out_is_logged(desk, struck, caplog):
    adapter = await struck("after=1 bust_fill(fill_id=nonesuch)")

    with caplog.at_level(logging.WARNING):
        await desk.clock.advance(seconds=1)

    assert ["scripted fault not carried out"] == [record.message for record in caplog.records]
    assert await adapter.fetch_accounts()


async def test_a_plan_with_an_unknown_symbol_does_not_open(desk):
    with pytest.raises(ConfigurationError, match="NOPE"):
        await desk.connect(faults="after=1 halt_symbol(symbol=NOPE)")

    assert not desk.venue.is_open


async def test_the_same_plan_gives_the_same_story(desks, order):
    stories = []
    for _ in range(2):
        desk = desks()
        adapter = await desk.connect(
            faults="event.fill#1 delay_event(seconds=1); event.accepted#2 duplicate_event"
        )
        await desk.quote("99", "101")
        reader = await desk.listen(adapter, orders=True)
        for number in range(3):
            await adapter.submit(order(client_order_id=f"x-{number}"))
        await desk.clock.advance(seconds=2)
        stories.append(await reader.batch())

    assert stories[0] == stories[1]


EVENTS = {
    "position": {"positions": True},
    "account": {"account": True},
    "fill": {"orders": True},
    "quote": {"quotes": "AAPL"},
    "trade": {"trades": "AAPL"},
    "depth": {"depth": "AAPL"},
    "bar": {"bars": [("AAPL", "1m")]},
    "ledger": {"ledger": True},
}


@pytest.mark.parametrize("event", EVENTS)
async def test_every_kind_of_event_can_be_dropped(desk, struck, order, event):
    adapter = await struck(f"event.{event} drop_event")
    reader = await desk.listen(adapter, **EVENTS[event])
    await reader.batch()

    await adapter.submit(order())
    await desk.venue.act(lambda engine: engine.deposit("paper-1", Decimal(5)))
    await desk.quote("98", "100", last="99")
    await desk.clock.advance(seconds=60)
    desk.venue._members[0].lose("enough")

    left = {type(each).__name__ for each in await reader.batch()}
    assert left <= {"ConnectionEvent", "OrderEvent"}
    assert "ConnectionEvent" in left


async def test_a_second_cut_during_a_first_one_lasts_from_then(desk, struck, order):
    adapter = await struck(
        "after=1 disconnect_stream(seconds=3); after=3 disconnect_stream(seconds=3)"
    )
    reader = await desk.listen(adapter, orders=True)

    await desk.clock.advance(seconds=5)
    await adapter.submit(order())
    await desk.clock.advance(seconds=1)

    batch = await reader.batch()
    assert [] == kinds(batch)
    assert ["CONNECTED", "DISCONNECTED", "DISCONNECTED", "RECONNECTED"] == [
        event.state.name for event in batch
    ]
    assert 5 * SECOND_NS == pytest.approx(batch[-1].gap_ns, abs=SECOND_NS // 100)


async def test_the_last_fill_is_busted_when_none_is_named(desk, struck, order):
    adapter = await struck("after=5 bust_fill")
    await adapter.submit(order(quantity=3))
    await adapter.submit(order(quantity=4))

    await desk.clock.advance(seconds=6)

    busted = [fill.is_busted async for fill in adapter.fetch_fills("paper-1", Window())]
    assert [False, True] == busted


async def test_a_halt_without_an_end_lasts(desk, struck, order):
    adapter = await struck("submit#1 halt_symbol(symbol=AAPL)")

    for _ in range(2):
        with pytest.raises(OrderRejectedError):
            await adapter.submit(order())
        await desk.clock.advance(seconds=3600)


async def test_a_stranger_may_take_the_market(desk, struck):
    adapter = await struck("after=1 external_order(symbol=AAPL,quantity=3)")

    await desk.clock.advance(seconds=1)

    (position,) = await adapter.fetch_positions("paper-1")
    assert Decimal(3) == position.quantity


async def test_a_replace_is_refused_by_the_plan(struck, order):
    adapter = await struck("replace reject(reason=INVALID_PRICE)")
    resting = await adapter.submit(order(LIMIT, limit_price="90"))

    with pytest.raises(OrderRejectedError) as caught:
        await adapter.replace(resting, OrderChange(quantity=5))

    assert RejectReason.INVALID_PRICE is caught.value.reason


async def test_a_refused_stream_is_not_opened(desk, struck):
    adapter = await struck("stream#1 server_error")

    with pytest.raises(VenueUnavailableError):
        await desk.listen(adapter, quotes="AAPL")

    assert await desk.listen(adapter, quotes="AAPL")


@pytest.mark.parametrize(
    ("command", "expected"),
    [("cancel", (OrderStatus.CANCELED, 0)), ("replace", (OrderStatus.OPEN, 1))],
)
async def test_an_ambiguous_change_was_made_all_the_same(struck, order, command, expected):
    adapter = await struck(f"{command} lost_response")
    resting = await adapter.submit(order(LIMIT, limit_price="90"))
    change = (OrderChange(quantity=5),) if command == "replace" else ()

    with pytest.raises(OutcomeUnknownError):
        await getattr(adapter, command)(resting, *change)

    found = await at_venue(adapter)
    assert expected == (found.status, found.revision)
