"""What the caller of replace, cancel, close and the like learns, whatever comes or does not."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import attrs
import pytest

from dragoman import (
    Broker,
    ConflictError,
    Exit,
    HaltedError,
    InvalidOrderError,
    LifecycleError,
    NotFoundError,
    Offset,
    Order,
    OrderEventKind,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    Outcome,
    OutcomeUnknownError,
    UnknownReason,
    VenueUnavailableError,
)

from .fake_adapter import (
    BUY,
    CANCELING,
    SELL,
    FakeVenue,
    event,
    filled,
    history,
    moved,
    position,
    settle,
)

D = Decimal
Kind = OrderEventKind
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")
LOST = VenueUnavailableError("503", outcome=Outcome.UNKNOWN)


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect() as broker:
        yield broker


@pytest.fixture
async def low(broker: Broker) -> Order:
    return await broker.submit(LOW)


def waiting() -> asyncio.Future[object]:
    return asyncio.get_running_loop().create_future()


async def test_a_lost_cancel_is_settled_by_the_stream(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", LOST)
    caller = asyncio.ensure_future(broker.cancel("low", timeout_s=5))
    await settle()
    unsettled = caller.done()

    ended = attrs.evolve(low, status=OrderStatus.CANCELED, updated_at_ns=20)
    venue.stream(event(Kind.CANCELED, ended))
    await settle()

    assert (False, OrderStatus.CANCELED) == (unsettled, (await caller).status)


async def test_a_lost_cancel_with_nothing_to_prove_it_is_unknown(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", LOST, waiting())

    for reason in (UnknownReason.OTHER, UnknownReason.TIMEOUT):
        with pytest.raises(OutcomeUnknownError) as raised:
            await broker.cancel(low, timeout_s=0.01)
        assert (Outcome.UNKNOWN, reason) == (raised.value.outcome, raised.value.reason)


async def test_a_cancel_that_the_stream_shows_pending_is_accepted(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", waiting())
    caller = asyncio.ensure_future(broker.cancel(low, timeout_s=5))
    await settle()

    venue.stream(event(Kind.PENDING_CANCEL, attrs.evolve(low, pending=CANCELING, updated_at_ns=20)))
    await settle()

    assert CANCELING is (await caller).pending


async def test_a_cancel_refused_of_an_order_that_lives_on_is_a_conflict(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", ConflictError("too late"))
    venue.shown["low"] = low

    with pytest.raises(ConflictError) as raised:
        await broker.cancel(low)

    assert Outcome.REJECTED is raised.value.outcome


async def test_a_cancel_refused_of_an_order_that_has_ended_returns_that(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", NotFoundError("unknown order"))
    full = attrs.evolve(low, status=OrderStatus.FILLED, filled_quantity=D(10), updated_at_ns=30)
    venue.shown["low"] = full

    assert OrderStatus.FILLED is (await broker.cancel(low)).status


@pytest.mark.parametrize("answer", [None, LOST])
async def test_an_order_the_venue_does_not_find_is_not_proved_dead(
    venue: FakeVenue, broker: Broker, low: Order, answer: object
) -> None:
    venue.script("cancel", NotFoundError("unknown order"))
    venue.script("fetch_order", answer)

    with pytest.raises(OutcomeUnknownError):
        await broker.cancel(low)


async def test_closing_during_a_cancel_is_an_unknown_outcome(venue: FakeVenue) -> None:
    broker = await venue.connect()
    low = await broker.submit(LOW)
    venue.script("cancel", waiting())
    caller = asyncio.ensure_future(broker.cancel(low, timeout_s=60))
    await settle()

    await broker.aclose()
    (error,) = await asyncio.gather(caller, return_exceptions=True)

    assert isinstance(error, OutcomeUnknownError)
    assert UnknownReason.CLOSED is error.reason


async def test_what_is_not_known_here_is_not_sent(broker: Broker) -> None:
    for call in (broker.cancel, broker.replace, broker.wait, broker.close):
        with pytest.raises(NotFoundError) as raised:
            await (call("none", limit_price="5") if call == broker.replace else call("none"))  # type: ignore[operator]
        assert Outcome.NOT_SENT is raised.value.outcome


async def test_an_order_of_another_account_is_not_taken(broker: Broker, low: Order) -> None:
    with pytest.raises(InvalidOrderError, match="account_id"):
        await broker.cancel(attrs.evolve(low, client_order_id="x", account_id="two"))


async def test_cancel_all_cancels_what_is_known_even_if_the_list_can_not_be_read(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("fetch_open_orders", LOST)

    with pytest.raises(VenueUnavailableError):
        await broker.cancel_all()

    assert OrderStatus.CANCELED is broker.state.order(low.client_order_id).status  # type: ignore[union-attr]


async def test_cancel_all_reports_each_order_as_it_now_is(venue: FakeVenue, broker: Broker) -> None:
    for name in ("a", "b"):
        await broker.submit(attrs.evolve(LOW, client_order_id=name))
    elsewhere = venue.order_of(attrs.evolve(LOW, client_order_id="c"), 99)
    venue.shown["c"] = elsewhere
    venue.script("cancel", LOST)

    rows = {row.client_order_id: row for row in await broker.cancel_all(timeout_s=0.01)}

    assert {"a", "b", "c"} == set(rows)
    assert isinstance(rows["a"].error, OutcomeUnknownError)
    assert [OrderStatus.OPEN, OrderStatus.CANCELED, OrderStatus.CANCELED] == [
        rows[name].order.status  # type: ignore[union-attr]
        for name in "abc"
    ]


async def test_a_lost_replace_is_settled_by_the_stream(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("replace", LOST)
    caller = asyncio.ensure_future(broker.replace(low, limit_price="6", timeout_s=5))
    await settle()

    venue.stream(
        event(Kind.REPLACED, attrs.evolve(low, revision=1, limit_price=D(6), updated_at_ns=20))
    )
    await settle()

    assert (1, D(6)) == ((await caller).revision, (await caller).limit_price)


async def test_another_replace_does_not_settle_a_lost_one(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("replace", LOST)
    caller = asyncio.ensure_future(broker.replace(low, limit_price="6", timeout_s=0.05))
    await settle()
    venue.stream(
        event(Kind.REPLACED, attrs.evolve(low, revision=1, limit_price=D(7), updated_at_ns=20))
    )

    with pytest.raises(OutcomeUnknownError):
        await caller


async def test_a_replace_while_another_is_on_its_way_is_sent_with_the_newest_order(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    first = waiting()
    venue.script("replace", first)
    one = asyncio.ensure_future(broker.replace(low, limit_price="6", timeout_s=5))
    await settle()
    first.set_result(attrs.evolve(low, revision=1, limit_price=D(6), updated_at_ns=20))
    two = await broker.replace(low, quantity=12)

    assert (2, D(6), D(12)) == (two.revision, two.limit_price, two.quantity)
    assert D(6) == (await one).limit_price


async def test_a_refused_replace_leaves_the_order_as_it_was(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("replace", OrderRejectedError("no"))

    with pytest.raises(OrderRejectedError):
        await broker.replace(low, limit_price="6")

    assert low == broker.state.order("low")


async def test_a_halt_stops_a_replace_that_waits_in_the_checks(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.stream(event(Kind.ACCEPTED, venue.order_of(LOW, 1)))
    await settle()
    answer = waiting()
    venue.script("fetch_instrument", answer)
    caller = asyncio.ensure_future(broker.replace("low", limit_price="6"))
    await settle()

    broker.halt()
    answer.set_result(venue.instruments["AAPL"])

    with pytest.raises(HaltedError):
        await caller
    assert "replace" not in venue.calls


async def test_a_replace_of_an_ended_order_was_not_sent(broker: Broker, low: Order) -> None:
    await broker.cancel(low)

    with pytest.raises(ConflictError) as raised:
        await broker.replace(low, limit_price="6")

    assert Outcome.NOT_SENT is raised.value.outcome


async def test_a_symbol_with_several_positions_is_not_guessed(
    venue: FakeVenue, broker: Broker
) -> None:
    for side, quantity in (("LONG", 5), ("SHORT", -3)):
        venue.stream(moved(position(quantity, position_id=f"AAPL:{side}")))
    await settle()

    with pytest.raises(InvalidOrderError, match="AAPL:LONG, AAPL:SHORT"):
        await broker.close("AAPL")
    order = await broker.close("AAPL:SHORT")

    assert (BUY, D(3), "AAPL:SHORT") == (order.side, order.quantity, order.position_id)


async def test_close_all_goes_on_when_a_position_has_vanished(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.positions = (position(5), position(-3, "MSFT"))
    venue.script("submit", OrderRejectedError("nothing to close"))

    rows = await broker.close_all()

    assert [OrderRejectedError, type(None)] == [type(row.error) for row in rows]
    assert [OrderStatus.REJECTED, OrderStatus.OPEN] == [row.order.status for row in rows]  # type: ignore[union-attr]
    assert [(SELL, D(5)), (BUY, D(3))] == [(one.order.side, one.order.quantity) for one in rows]  # type: ignore[union-attr]


async def test_close_all_waits_once_not_once_for_each(venue: FakeVenue, broker: Broker) -> None:
    venue.positions = tuple(position(1, symbol) for symbol in ("AAPL", "MSFT"))
    venue.script("submit", waiting(), waiting())

    async with asyncio.timeout(1.8):
        rows = await broker.close_all(timeout_s=1)

    assert {OutcomeUnknownError} == {type(row.error) for row in rows}


async def test_wait_returns_an_order_that_ended_otherwise(venue: FakeVenue, low: Order) -> None:
    async with venue.connect() as broker:
        venue.stream(event(Kind.ACCEPTED, low))
        await settle()
        waiters = [
            asyncio.ensure_future(broker.wait("low", until))
            for until in (OrderStatus.FILLED, lambda order: order.filled_quantity > 5, None)
        ]
        await settle()

        canceled = attrs.evolve(low, status=OrderStatus.CANCELED, updated_at_ns=20)
        venue.stream(event(Kind.CANCELED, canceled))
        async with asyncio.timeout(30):
            orders = await asyncio.gather(*waiters)

    assert [OrderStatus.CANCELED] * 3 == [order.status for order in orders]


async def test_an_order_is_looked_up_by_the_venues_id(venue: FakeVenue, broker: Broker) -> None:
    stranger = venue.order_of(LOW, 7, client_order_id="ext-v7")
    venue.shown["x"] = attrs.evolve(stranger, client_order_id="renamed")

    found = await broker.fetch_order("ext-v7")

    assert found is not None
    assert ("v7",) == found.venue_order_ids


async def test_a_lookup_returns_the_order_under_the_name_it_has_here(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.shown["x"] = attrs.evolve(low, client_order_id="ext-v1", updated_at_ns=20)

    found = await broker.fetch_order(low)

    assert found is not None
    assert "low" == found.client_order_id


async def test_two_symbols_may_have_the_same_venue_id(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    other = attrs.evolve(low, symbol="MSFT", client_order_id="ext-MSFT", tag="theirs")

    venue.stream(event(Kind.ACCEPTED, other))
    await settle()

    assert {"low", "ext-MSFT"} == {one.client_order_id for one in broker.state.orders}


async def test_exits_of_unknown_fate_say_so(venue: FakeVenue) -> None:
    leg = Exit(offset=Offset.price(1))
    venue.script("set_exits", LOST, waiting(), OrderRejectedError("no"))
    async with venue.connect(timeout_s=0.05) as broker:
        venue.stream(moved(position(5)))
        await settle()

        for expected in (OutcomeUnknownError, OutcomeUnknownError, OrderRejectedError):
            with pytest.raises(expected):
                await broker.set_exits("AAPL", stop_loss=leg)


async def test_a_read_only_connection_does_not_wait_for_what_it_will_never_hear(
    venue: FakeVenue, low: Order
) -> None:
    async with venue.connect(read_only=True) as broker:
        with pytest.raises(LifecycleError, match="read-only"):
            await broker.wait(low)
        with pytest.raises(LifecycleError, match="read-only"):
            broker.stream(orders=True)
        broker.stream(quotes=["AAPL"])


async def test_late_words_after_the_end_are_not_told(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    await broker.cancel(low)
    late = attrs.evolve(low, limit_price=D(9), revision=1, updated_at_ns=5)

    for kind in (Kind.REPLACED, Kind.EXPIRED, Kind.TRIGGERED, Kind.CANCEL_REJECTED, Kind.ACCEPTED):
        venue.stream(event(kind, late))
    venue.stream(filled(low, 1, 4, 4))
    await settle()

    assert [Kind.SUBMITTED, Kind.ACCEPTED, Kind.CANCELED, Kind.FILL] == [
        one.kind for one in history(broker)
    ]
