"""What a hostile venue, adapter or moment would try: no order is lied about for it."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import attrs
import pytest

from dragoman import (
    Broker,
    CommandResult,
    ConnectFailedError,
    ConnectionState,
    Contingency,
    Event,
    HealthState,
    InvalidValueError,
    Order,
    OrderEventKind,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    Outcome,
    OutcomeUnknownError,
    RejectReason,
    Staleness,
    StalenessState,
    VenueUnavailableError,
)
from dragoman.adapter import AdapterContext
from dragoman.orders.reconcile import Reconciler
from dragoman.orders.tracker import OrderTracker

from .bare_desk import bare_desk
from .fake_adapter import (
    BUY,
    SELL,
    FakeAdapter,
    FakeVenue,
    connection,
    event,
    fill_of,
    history,
    position,
    settle,
)

D = Decimal
Kind = OrderEventKind
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low", account_id="one")
PAIR = [
    attrs.evolve(LOW, client_order_id="a"),
    attrs.evolve(LOW, client_order_id="b", side=SELL, limit_price=D(9)),
]
LOST = VenueUnavailableError("503", outcome=Outcome.UNKNOWN)


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect(timeout_s=1) as broker:
        yield broker


def waiting() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def now(broker: Broker, name: str = "low") -> Order:
    order = broker.state.order(name)
    assert order is not None
    return order


def by_venue_id(order: Order, quantity: int) -> Any:
    """Return a fill as those venues show it that do not know client order ids."""
    return fill_of(order, 1, quantity, client_order_id=f"ext-{order.venue_order_id}")


@pytest.mark.parametrize(
    ("status", "quantity"), [(OrderStatus.FILLED, 10), (OrderStatus.PARTIALLY_FILLED, 4)]
)
async def test_f43_fills_of_the_first_order_ever_are_told_after_a_crash(
    venue: FakeVenue, tmp_path: Path, status: OrderStatus, quantity: int
) -> None:
    """They name the order by the venue's id, which the dead process never learned."""
    broker = await venue.connect(state_dir=tmp_path)
    venue.script("submit", waiting())
    with pytest.raises(OutcomeUnknownError):
        await broker.submit(LOW, timeout_s=0.05)
    await broker.aclose()
    order = venue.order_of(LOW, 1, status=status, filled_quantity=D(quantity), updated_at_ns=101)
    venue.shown["low"] = order
    venue.fills = [by_venue_id(order, quantity)]

    async with venue.connect(state_dir=tmp_path) as broker:
        await venue.clock.advance(seconds=80)

        fills = [one.fill and one.fill.quantity for one in history(broker) if one.fill is not None]
        assert (D(quantity), [D(quantity)]) == (now(broker).filled_quantity, fills)


def answers_nothing(_: OrderRequest) -> None:
    """Answer as an adapter with a bug does."""


class Windowed(FakeAdapter):
    """Keeps since when fills were asked for."""

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context)
        self.starts: list[int] = []

    def fetch_fills(self, account_id: str, window: Any, symbol: str | None = None) -> Any:
        self.starts.append(window.start_ns)
        return super().fetch_fills(account_id, window, symbol)


async def test_f46_one_venue_time_from_the_far_future_hides_no_later_fill(
    venue: FakeVenue,
) -> None:
    async with bare_desk(venue) as bare:
        adapter = Windowed(bare.blotter.adapter.context)
        reconciler = Reconciler(adapter, "one", OrderTracker("one", "fake"))
        reconciler.proved(10**19)

        await reconciler.compare()

        assert adapter.starts[0] < venue.clock.now_ns()


async def test_f13_a_list_of_which_the_ids_are_taken_is_looked_up(
    venue: FakeVenue, broker: Broker
) -> None:
    for number, one in enumerate(PAIR):
        venue.shown[str(number)] = venue.order_of(one, number)
    taken = OrderRejectedError("taken", reason=RejectReason.DUPLICATE_CLIENT_ORDER_ID)
    venue.script("submit_list", taken)

    rows = await broker.submit_list(PAIR, Contingency.OCO)

    assert [OrderStatus.OPEN] * 2 == [row.order and row.order.status for row in rows]


async def test_a_list_that_is_half_answered_is_half_unknown(venue: FakeVenue) -> None:
    async with venue.connect(timeout_s=0.05) as broker:
        answered = CommandResult(client_order_id="b", order=venue.order_of(PAIR[1], 2))
        venue.script("submit_list", (answered,))

        rows = await broker.submit_list(PAIR, Contingency.OCO)
        fates = [row.order and row.order.status for row in rows]
        await venue.clock.advance(seconds=10)

        assert [OrderStatus.UNKNOWN, OrderStatus.OPEN] == fates
        assert isinstance(rows[0].error, OutcomeUnknownError)
        assert RejectReason.NEVER_ARRIVED is now(broker, "a").reject_reason


async def test_one_connection_that_is_back_does_not_stand_for_another(
    venue: FakeVenue, broker: Broker
) -> None:
    down, back = ConnectionState.DISCONNECTED, ConnectionState.RECONNECTED
    venue.stream(
        *[attrs.evolve(connection(down), channel=one) for one in ("orders", "fills")],
        attrs.evolve(connection(back), channel="fills"),
    )
    await venue.clock.advance(seconds=3)
    half = broker.health.state
    venue.stream(attrs.evolve(connection(back), channel="orders"))
    await venue.clock.advance(seconds=3)

    assert (HealthState.DOWN, HealthState.LIVE) == (half, broker.health.state)


async def test_one_channel_that_speaks_again_does_not_stand_for_another(
    venue: FakeVenue, broker: Broker
) -> None:
    def told(state: StalenessState, channel: str) -> Event:
        return Staleness(state=state, channel=channel, symbols=(), since_ns=0, received_at_ns=99)

    stale, fresh = StalenessState.STALE, StalenessState.FRESH
    venue.stream(told(stale, "orders"), told(stale, "fills"), told(fresh, "fills"))
    await venue.clock.advance(seconds=3)
    half = broker.health.state
    venue.stream(told(fresh, "orders"))
    await venue.clock.advance(seconds=3)

    assert (HealthState.STALE, HealthState.LIVE) == (half, broker.health.state)


async def test_a_time_to_wait_that_is_no_number_is_refused(broker: Broker) -> None:
    with pytest.raises(InvalidValueError):
        await broker.submit(LOW, timeout_s=float("nan"))


async def test_other_commands_that_deny_a_byte_that_was_written_are_of_unknown_fate(
    venue: FakeVenue,
) -> None:
    venue.asks_permits = True
    venue.positions = (position(5),)
    async with venue.connect(timeout_s=1) as broker:
        venue.script("set_exits", ConnectFailedError("refused"))

        with pytest.raises(OutcomeUnknownError):
            await broker.set_exits("AAPL")


async def test_a_bug_in_another_command_is_an_unknown_outcome(venue: FakeVenue) -> None:
    venue.positions = (position(5),)
    async with venue.connect(timeout_s=1) as broker:
        venue.script("set_exits", KeyError("a bug"))

        with pytest.raises(OutcomeUnknownError, match="KeyError"):
            await broker.set_exits("AAPL")


@pytest.mark.parametrize("call", ["fetch_positions", "fetch_instrument"])
async def test_what_is_never_read_keeps_nobody(venue: FakeVenue, call: str) -> None:
    async with venue.connect(timeout_s=0.05) as broker:
        venue.script(call, waiting())
        command = broker.close_all() if call == "fetch_positions" else broker.submit(LOW)

        with pytest.raises(VenueUnavailableError):
            await command

        assert "submit" not in venue.calls


async def test_f12_a_look_that_began_before_the_exchange_ended_is_no_miss(
    venue: FakeVenue,
) -> None:
    rule = attrs.evolve(venue.capabilities.client_ids, visibility_delay_s=2.0)
    venue.capabilities = attrs.evolve(venue.capabilities, client_ids=rule)
    async with venue.connect(timeout_s=0.05, reconcile_every_s=1e6) as broker:
        answer, look = waiting(), waiting()
        venue.script("submit", answer)
        with pytest.raises(OutcomeUnknownError):
            await broker.submit(LOW)
        venue.script("fetch_order", look)
        await venue.clock.advance(seconds=3)
        answer.set_exception(LOST)
        await settle()

        look.set_result(None)
        await settle()
        looks = venue.calls.count("fetch_order")
        while venue.calls.count("fetch_order") == looks:
            await venue.clock.advance(seconds=0.5)
        after_one = now(broker).status
        await venue.clock.advance(seconds=30)

        assert (OrderStatus.UNKNOWN, OrderStatus.REJECTED) == (after_one, now(broker).status)


async def test_an_adapter_that_answers_with_nothing_proves_nothing(
    venue: FakeVenue, broker: Broker
) -> None:
    bugs: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: bugs.append(context))
    venue.script("submit", answers_nothing)

    with pytest.raises(OutcomeUnknownError):
        await broker.submit(LOW, timeout_s=0.05)

    assert 1 == len(bugs)


@pytest.mark.parametrize("times", [(20, 10), (None, None), (20, None)])
async def test_f24_a_word_that_is_late_takes_no_order_back(
    venue: FakeVenue, broker: Broker, times: tuple[int | None, int | None]
) -> None:
    low = venue.order_of(LOW, 1, updated_at_ns=times[0])
    venue.script("submit", low)
    await broker.submit(LOW)

    late = attrs.evolve(low, status=OrderStatus.PENDING, updated_at_ns=times[1])
    venue.shown["low"] = late
    await broker.fetch_order("low")

    assert OrderStatus.OPEN is now(broker).status


@pytest.mark.parametrize("kinds", [(Kind.EXPIRED, Kind.CANCELED), (Kind.CANCELED, Kind.EXPIRED)])
async def test_f24_of_two_ends_the_same_one_stands_whichever_comes_first(
    venue: FakeVenue, broker: Broker, kinds: tuple[OrderEventKind, OrderEventKind]
) -> None:
    low = await broker.submit(LOW)

    for kind in kinds:
        venue.stream(event(kind, attrs.evolve(low, status=OrderStatus(kind), updated_at_ns=500)))
    await settle()

    assert OrderStatus.CANCELED is now(broker).status
    assert [kinds[0]] == [one.kind for one in history(broker) if one.kind in kinds]


async def test_f43_an_order_that_never_left_the_dead_process_is_proved_absent_after_its_restart(
    venue: FakeVenue, tmp_path: Path
) -> None:
    broker = await venue.connect(state_dir=tmp_path)
    venue.script("submit", waiting())
    with pytest.raises(OutcomeUnknownError):
        await broker.submit(LOW, timeout_s=0.05)
    await broker.aclose()

    async with venue.connect(state_dir=tmp_path) as broker:
        at_first = now(broker).status
        await venue.clock.advance(seconds=10)

        assert OrderStatus.UNKNOWN is at_first
        assert RejectReason.NEVER_ARRIVED is now(broker).reject_reason
        assert 1 == venue.calls.count("submit")


async def test_i6_an_order_of_unknown_fate_is_looked_for_at_once_when_the_stream_is_back(
    venue: FakeVenue,
) -> None:
    async with venue.connect(timeout_s=0.05, reconcile_every_s=1e6, random=Random(7)) as broker:
        venue.script("submit", waiting())
        with pytest.raises(OutcomeUnknownError):
            await broker.submit(LOW)
        await venue.clock.advance(seconds=300)
        looks = venue.calls.count("fetch_order")

        venue.stream(connection(ConnectionState.DISCONNECTED))
        venue.stream(connection(ConnectionState.RECONNECTED))
        await venue.clock.advance(seconds=0.1)

        assert looks + 1 == venue.calls.count("fetch_order")
