"""What the stream lost is found, what it says meanwhile is kept, and nothing is made up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

import dragoman
from dragoman import (
    Alarm,
    AlarmKind,
    Broker,
    ConnectionState,
    EventSource,
    Fill,
    HealthState,
    Money,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderRequest,
    OrderStatus,
    PositionEvent,
    RateLimitedError,
    ReconcilingError,
    VenueUnavailableError,
)
from dragoman.adapter import AdapterContext, Environment
from dragoman.capabilities import ReadFeature
from dragoman.models import Quarantined
from dragoman.orders.reconcile import Reconciler
from dragoman.orders.tracker import OrderTracker
from dragoman.registry import OptionField, Protocol, Provider, Registry

from .fake_adapter import (
    BUY,
    CAPABILITIES,
    FakeAdapter,
    FakeVenue,
    connection,
    event,
    fill_of,
    filled,
    history,
    moved,
    position,
    settle,
)
from .listening import alarms, listen, states

D = Decimal
Kind = OrderEventKind
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")
CUT = connection(ConnectionState.DISCONNECTED)
BACK = connection(ConnectionState.RECONNECTED)
OVERLAP_NS = 300 * 10**9
FIRST_SPAN_NS = 26 * 3600 * 10**9 + OVERLAP_NS
GARBLED = Quarantined(channel="private", error="unknown status", received_at_ns=99)


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect() as broker:
        yield broker


def kinds(broker: Broker) -> list[OrderEventKind]:
    return [one.kind for one in history(broker)]


async def until_compared(venue: FakeVenue) -> None:
    before = venue.calls.count("fetch_account")
    while venue.calls.count("fetch_account") == before:
        await venue.clock.advance(seconds=1)


async def test_a_comparison_that_is_asked_for_tells_at_once_what_was_missed(
    venue: FakeVenue, broker: Broker
) -> None:
    low = await broker.submit(LOW)
    venue.fills = [fill_of(low, 1, 4)]
    venue.positions = (position(4),)

    await broker.reconcile()

    assert Kind.FILL is kinds(broker)[-1]
    assert EventSource.RECONCILED is history(broker)[-1].source


async def test_a_comparison_that_is_asked_for_tells_why_it_failed(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("fetch_open_orders", VenueUnavailableError("503"))

    with pytest.raises(VenueUnavailableError):
        await broker.reconcile()


async def test_f20_fills_missed_during_a_cut_are_applied_once(
    venue: FakeVenue, broker: Broker
) -> None:
    low = await broker.submit(LOW)
    venue.stream(CUT)
    venue.fills = [fill_of(low, 1, 4), fill_of(low, 2, 6)]
    venue.shown["low"] = attrs.evolve(
        low, status=OrderStatus.FILLED, filled_quantity=D(10), updated_at_ns=300
    )
    venue.positions = (position(10),)
    venue.stream(BACK)
    await settle(50)
    venue.stream(filled(low, 1, 4, 4), filled(low, 2, 6, 10))
    await settle()

    assert [Kind.SUBMITTED, Kind.ACCEPTED, Kind.FILL, Kind.FILL] == kinds(broker)
    assert OrderStatus.FILLED is broker._session.tracker.order("low").status  # type: ignore[union-attr]
    assert D(10) == broker.state.position("AAPL").quantity  # type: ignore[union-attr]


async def test_f22_a_dropped_frame_is_found_by_the_timer_though_all_looks_well(
    venue: FakeVenue, broker: Broker
) -> None:
    heard = await listen(broker)
    low = await broker.submit(LOW)
    venue.fills = [fill_of(low, 1, 10)]
    venue.shown["low"] = attrs.evolve(
        low, status=OrderStatus.FILLED, filled_quantity=D(10), updated_at_ns=300
    )
    venue.positions = (position(10),)

    await venue.clock.advance(seconds=35)
    found = [one for one in history(broker) if one.source is EventSource.RECONCILED]

    assert [Kind.FILL] == [one.kind for one in found]
    assert [D(10)] == [one.quantity for one in broker.state.positions]
    assert [] == states(heard)
    assert [] == alarms(heard)


async def test_the_timer_keeps_its_pace_and_lets_orders_pass(
    venue: FakeVenue, broker: Broker
) -> None:
    compared = venue.calls.count("fetch_account")
    await venue.clock.advance(seconds=26)
    early = venue.calls.count("fetch_account") - compared
    held: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    venue.script("fetch_positions", held)
    await venue.clock.advance(seconds=10)
    late = venue.calls.count("fetch_account") - compared

    order = await broker.submit(LOW)
    held.set_result(())

    assert (0, 1) == (early, late)
    assert OrderStatus.OPEN is order.status


async def test_f25_what_is_streamed_during_the_snapshot_follows_it_once_and_in_order(
    venue: FakeVenue, broker: Broker
) -> None:
    low = await broker.submit(LOW)
    venue.fills = [fill_of(low, 1, 4), fill_of(low, 2, 2)]
    venue.shown["low"] = attrs.evolve(
        low, status=OrderStatus.PARTIALLY_FILLED, filled_quantity=D(6), updated_at_ns=102
    )
    venue.positions = (position(6),)
    snapshot: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    venue.stream(CUT)
    venue.script("fetch_account", snapshot)
    venue.stream(BACK)
    await settle()

    venue.stream(filled(low, 2, 2, 6), filled(low, 3, 4, 10))
    await settle()
    snapshot.set_result(await broker._adapter.fetch_accounts())
    await settle(50)

    fills = [one.fill.fill_id for one in history(broker) if one.fill is not None]
    assert ["f1", "f2", "f3"] == fills
    assert OrderStatus.FILLED is broker.state.order("low").status  # type: ignore[union-attr]
    assert [D(4), D(6), D(10)] == [one.order.filled_quantity for one in history(broker)[2:]]
    every = broker._session.journal.since(0, 100)
    assert list(range(1, 7)) == [one.sequence for one in every]


@pytest.mark.parametrize(
    "failure", [VenueUnavailableError("503"), RateLimitedError("429", retry_after=7.0)]
)
async def test_f26_a_snapshot_that_fails_leaves_all_as_it_was_and_is_tried_again(
    venue: FakeVenue, broker: Broker, failure: Exception
) -> None:
    venue.stream(moved(position(5)))
    await broker.submit(LOW)
    await settle()
    venue.script("fetch_positions", failure)
    venue.positions = (position(5),)
    venue.stream(CUT)
    venue.stream(BACK)
    await settle(40)

    during = broker.health
    with pytest.raises(ReconcilingError):
        await broker.submit(attrs.evolve(LOW, client_order_id="next"))
    held = [one.quantity for one in broker.state.positions]
    await venue.clock.advance(seconds=6)
    asked = venue.calls.count("fetch_positions")
    await venue.clock.advance(seconds=3)

    assert HealthState.RECONCILING is during.state
    assert [D(5)] == held
    assert OrderStatus.OPEN is broker.state.order("low").status  # type: ignore[union-attr]
    assert HealthState.LIVE is broker.health.state
    is_told_to_wait = isinstance(failure, RateLimitedError)
    assert is_told_to_wait is (asked < venue.calls.count("fetch_positions"))


async def test_f26_an_order_that_is_not_shown_is_no_dead_order(
    venue: FakeVenue, broker: Broker
) -> None:
    await broker.submit(LOW)
    venue.stream(CUT)
    venue.stream(BACK)
    await settle(40)

    assert OrderStatus.OPEN is broker.state.order("low").status  # type: ignore[union-attr]
    assert "fetch_order" in venue.calls


async def test_f26_a_snapshot_that_never_ends_is_given_up(venue: FakeVenue) -> None:
    """The wait is real time, so only the cut is tested: a second demand is not forgotten."""
    async with venue.connect() as broker:
        first: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        venue.script("fetch_positions", first)
        venue.stream(CUT)
        venue.stream(BACK)
        await settle()
        compared = venue.calls.count("fetch_positions")
        venue.stream(CUT)
        venue.stream(BACK)
        await settle()
        first.set_result(())
        await settle(60)

        assert compared + 1 == venue.calls.count("fetch_positions")
        assert HealthState.LIVE is broker.health.state


async def test_f66_a_frame_that_is_not_understood_leads_to_one_comparison_soon(
    venue: FakeVenue, broker: Broker
) -> None:
    compared = venue.calls.count("fetch_account")
    venue.stream(*[GARBLED] * 50)
    await settle()
    during = broker.health
    order = await broker.submit(LOW)
    await venue.clock.advance(seconds=3)

    assert HealthState.DEGRADED is during.state
    assert "unknown status" in during.causes[0]
    assert OrderStatus.OPEN is order.status
    assert compared + 1 == venue.calls.count("fetch_account")
    assert HealthState.LIVE is broker.health.state


async def test_f66_frames_that_are_never_understood_do_not_flood_the_venue(
    venue: FakeVenue, broker: Broker
) -> None:
    compared = venue.calls.count("fetch_account")
    for _ in range(120):
        venue.stream(GARBLED)
        await venue.clock.advance(seconds=1)

    assert 4 <= venue.calls.count("fetch_account") - compared <= 9


async def test_i7_a_position_that_no_fill_explains_is_looked_at_twice_then_told(
    venue: FakeVenue, broker: Broker
) -> None:
    heard = await listen(broker)
    venue.positions = (position(3),)
    await until_compared(venue)
    at_first = list(broker.state.positions)
    await venue.clock.advance(seconds=9)

    assert [] == at_first
    assert [AlarmKind.POSITION_MISMATCH] == alarms(heard)
    assert ["AAPL"] == [one.symbol for one in heard if isinstance(one, Alarm)]
    assert [(D(0), D(3), EventSource.RECONCILED)] == [
        (one.previous_quantity, one.position.quantity, one.source)
        for one in heard
        if isinstance(one, PositionEvent)
    ]
    assert HealthState.LIVE is broker.health.state


async def test_i7_a_position_that_was_only_late_is_no_alarm(
    venue: FakeVenue, broker: Broker
) -> None:
    heard = await listen(broker)
    low = await broker.submit(LOW)
    venue.stream(filled(low, 1, 10, 10), moved(position(10)))
    await until_compared(venue)
    await venue.clock.advance(seconds=3)
    held = [one.quantity for one in broker.state.positions]
    venue.positions = (position(10),)
    await venue.clock.advance(seconds=10)

    assert [D(10)] == held
    assert [] == alarms(heard)


async def test_i7_a_fee_taken_out_of_the_position_is_no_mismatch(
    venue: FakeVenue, broker: Broker
) -> None:
    heard = await listen(broker)
    low = await broker.submit(LOW)
    fee = Money(D("0.01"), "AAPL")
    told = filled(low, 1, 10, 10)
    venue.stream(attrs.evolve(told, fill=fill_of(low, 1, 10, commission=fee)))
    venue.positions = (position("9.99"),)
    await venue.clock.advance(seconds=40)

    assert [] == alarms(heard)
    assert [D("9.99")] == [one.quantity for one in broker.state.positions]


async def test_an_order_without_an_answer_for_ten_seconds_is_compared_before_the_timer(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", lambda request: venue.order_of(request, 1, status=OrderStatus.PENDING))
    await broker.submit(LOW)
    compared = venue.calls.count("fetch_account")
    await venue.clock.advance(seconds=13)

    assert compared + 1 == venue.calls.count("fetch_account")


async def test_a_bug_while_comparing_is_reported_and_tried_again(
    venue: FakeVenue, broker: Broker
) -> None:
    reported: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    venue.script("fetch_positions", KeyError("qty"))
    venue.stream(CUT)
    venue.stream(BACK)
    await settle(40)
    during = broker.health
    await venue.clock.advance(seconds=3)

    assert 1 == len(reported)
    assert "KeyError" in during.causes[0]
    assert HealthState.LIVE is broker.health.state


class Counting(FakeAdapter):
    """Counts how many look-ups run side by side."""

    most = 0
    now = 0
    windows: int = 0
    keeps_history = False

    @property
    def capabilities(self) -> Any:
        reads = frozenset({ReadFeature.ORDER_HISTORY} if self.keeps_history else ())
        return attrs.evolve(CAPABILITIES, reads=reads)

    async def fetch_order(self, account_id: str, **ids: Any) -> Order | None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        return await super().fetch_order(account_id, **ids)

    async def fetch_orders(self, *_: Any) -> AsyncIterator[Order]:
        self.windows += 1
        for order in self.venue.shown.values():
            yield order


def tracked(venue: FakeVenue, count: int) -> tuple[Counting, OrderTracker, Sequence[Order]]:
    context = venue.connect()._settings
    assert context is not None
    tracker = OrderTracker("one", "fake")
    orders = [
        venue.order_of(attrs.evolve(LOW, client_order_id=f"n{number}"), number)
        for number in range(count)
    ]
    for order in orders:
        tracker.answer(order, EventSource.RECONCILED, 1)
    return counting(venue), tracker, orders


def counting(venue: FakeVenue) -> Counting:
    return Counting(
        AdapterContext(
            provider="fake",
            environment=Environment.SIMULATED,
            account_id="one",
            clock=venue.clock,
            options={"venue": venue},
        )
    )


async def test_orders_gone_are_looked_up_a_few_at_a_time(venue: FakeVenue) -> None:
    adapter, tracker, orders = tracked(venue, 200)
    venue.shown = {
        one.client_order_id: attrs.evolve(one, status=OrderStatus.CANCELED, updated_at_ns=99)
        for one in orders
    }

    found = await Reconciler(adapter, "one", tracker).compare()

    assert [one.client_order_id for one in orders] == [one.client_order_id for one in found.orders]
    assert 8 == adapter.most


async def test_many_orders_gone_are_found_in_one_reading_where_there_is_a_history(
    venue: FakeVenue,
) -> None:
    adapter, tracker, orders = tracked(venue, 200)
    adapter.keeps_history = True
    venue.shown = {
        one.client_order_id: attrs.evolve(one, status=OrderStatus.CANCELED, updated_at_ns=99)
        for one in orders[:-1]
    }

    found = await Reconciler(adapter, "one", tracker).compare()

    assert 199 == len(found.orders)
    assert (1, 1) == (adapter.windows, venue.calls.count("fetch_order"))


async def test_a_look_up_that_fails_proves_nothing_and_leaves_no_task(venue: FakeVenue) -> None:
    adapter, tracker, _ = tracked(venue, 60)
    venue.script("fetch_order", *[None] * 30, RateLimitedError("429", retry_after=3.0))

    with pytest.raises(RateLimitedError) as raised:
        await Reconciler(adapter, "one", tracker).compare()

    assert 3.0 == raised.value.retry_after


async def test_orders_that_somebody_looks_for_already_are_left_alone(venue: FakeVenue) -> None:
    adapter, tracker, orders = tracked(venue, 3)
    names = [one.client_order_id for one in orders[:2]]

    await Reconciler(adapter, "one", tracker, lambda: names).compare()

    assert 1 == venue.calls.count("fetch_order")


class WindowedVenue(FakeVenue):
    """Notes from when on fills were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[int | None] = []


class Windowed(FakeAdapter):
    """Tells from when on fills are asked for."""

    async def fetch_fills(
        self, account_id: str, window: Any, symbol: str | None = None
    ) -> AsyncIterator[Fill]:
        assert isinstance(self.venue, WindowedVenue)
        self.venue.starts.append(window.start_ns)
        async for fill in super().fetch_fills(account_id, window, symbol):
            yield fill


WINDOWED = Registry(
    [
        Protocol(
            name="windowed",
            title="Windowed",
            adapter=f"{__name__}:Windowed",
            providers=(
                Provider(
                    name="windowed",
                    environment=Environment.SIMULATED,
                    title="Windowed",
                    options=(OptionField(name="venue", types=(WindowedVenue,)),),
                ),
            ),
        )
    ]
)


async def test_fills_are_asked_for_since_the_last_proof_not_since_the_last_event() -> None:
    venue = WindowedVenue()
    adapter = Windowed(counting(venue).context)
    reconciler = Reconciler(adapter, "one", OrderTracker("one", "fake"))
    began_ns = venue.clock.now_ns()
    reconciler.taken_in(await reconciler.compare())
    venue.script("fetch_positions", VenueUnavailableError("503"))
    late_ns = began_ns + 3600 * 10**9
    reconciler.seen(late_ns)
    with pytest.raises(VenueUnavailableError):
        await reconciler.compare()

    found = await reconciler.compare()
    reconciler.seen(late_ns + 3600 * 10**9)
    reconciler.taken_in(found)
    await venue.clock.advance(seconds=3 * 3600)
    reconciler.taken_in(await reconciler.compare())

    wide_ns = began_ns - FIRST_SPAN_NS
    assert [wide_ns] * 3 + [late_ns - OVERLAP_NS] == venue.starts


async def test_f46_a_clock_that_is_ahead_hides_no_fill() -> None:
    """Fills are asked for by the venue's time, as soon as any is known, never by this machine's."""
    venue, tracker = WindowedVenue(), OrderTracker("one", "fake")
    order = venue.order_of(LOW, 1)
    venue.fills = [fill_of(order, 1, 4)]
    reconciler = Reconciler(Windowed(counting(venue).context), "one", tracker)
    history = await reconciler.compare()
    reconciler.taken_in(history)
    tracker.answer(order, EventSource.RECONCILED, 1)
    venue.fills = [*venue.fills, fill_of(order, 2, 6)]

    found = await reconciler.compare()

    assert () == history.fills
    assert ["f2"] == [fill.fill_id for fill in found.fills]
    assert 101 - OVERLAP_NS == venue.starts[1]


async def test_i4_fills_of_orders_that_an_earlier_process_left_are_never_history(
    venue: FakeVenue,
) -> None:
    adapter, tracker, orders = tracked(venue, 1)
    stranger = venue.order_of(LOW, 7, client_order_id="theirs")
    venue.fills = [fill_of(orders[0], 1, 4), fill_of(stranger, 2, 6)]

    found = await Reconciler(adapter, "one", tracker).compare()

    assert ["f1"] == [fill.fill_id for fill in found.fills]


async def test_an_earlier_process_says_from_when_on_fills_are_news() -> None:
    venue = WindowedVenue()
    adapter = Windowed(counting(venue).context)
    reconciler = Reconciler(adapter, "one", OrderTracker("one", "fake"))
    reconciler.proved(10**18)

    await reconciler.compare()

    assert [10**18 - OVERLAP_NS] == venue.starts


async def test_ten_thousand_open_orders_are_compared_without_a_look_up(venue: FakeVenue) -> None:
    orders = [
        venue.order_of(attrs.evolve(LOW, client_order_id=f"n{number}"), number)
        for number in range(10_000)
    ]
    venue.shown = {one.client_order_id: one for one in orders}
    async with venue.connect() as broker:
        await venue.clock.advance(seconds=34)
        await settle(200)
        events = broker.state.sequence

        assert 10_000 == len(broker.state.open_orders)
        assert 10_000 == events
        assert 0 == venue.calls.count("fetch_order")
        assert 2 == venue.calls.count("fetch_open_orders")


async def test_a_fill_streamed_while_comparing_on_the_timer_is_not_held_up(
    venue: FakeVenue, broker: Broker
) -> None:
    low = await broker.submit(LOW)
    held: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    venue.script("fetch_open_orders", held)
    await venue.clock.advance(seconds=34)
    venue.stream(filled(low, 1, 4, 4))
    await settle()
    heard = kinds(broker)
    held.set_result((low,))
    await settle(40)

    assert [Kind.SUBMITTED, Kind.ACCEPTED, Kind.FILL] == heard
    assert heard == kinds(broker)
    assert D(4) == broker.state.order("low").filled_quantity  # type: ignore[union-attr]


async def test_a_position_streamed_while_comparing_on_the_timer_has_the_last_word(
    venue: FakeVenue,
) -> None:
    venue.positions = (position(5),)
    async with venue.connect() as broker:
        heard = await listen(broker)
        held: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        venue.script("fetch_positions", held)
        await venue.clock.advance(seconds=34)
        venue.stream(moved(position(9)))
        await settle()
        held.set_result(venue.positions)
        await settle(40)

        told = [one.position.quantity for one in heard if isinstance(one, PositionEvent)]
        assert [D(9)] == told
        assert [D(9)] == [one.quantity for one in broker.state.positions]


async def test_i7_after_a_cut_a_position_that_was_only_late_is_no_alarm(
    venue: FakeVenue, broker: Broker
) -> None:
    heard = await listen(broker)
    low = await broker.submit(LOW)
    venue.stream(filled(low, 1, 10, 10), moved(position(10)))
    venue.stream(CUT)
    venue.stream(BACK)
    await settle(40)
    blind = broker.health.state
    venue.positions = (position(10),)
    await venue.clock.advance(seconds=1)

    assert (HealthState.RECONCILING, HealthState.LIVE) == (blind, broker.health.state)
    assert [] == alarms(heard)
    assert [D(10)] == [one.quantity for one in broker.state.positions]


async def test_a_late_event_while_blind_does_not_shorten_the_look_back() -> None:
    venue = WindowedVenue()
    connecting = dragoman.connect(
        "windowed", registry=WINDOWED, venue=venue, clock=venue.clock, account_id="one"
    )
    async with connecting:
        began_ns = venue.clock.now_ns()
        venue.stream(CUT)
        venue.script("fetch_open_orders", VenueUnavailableError("503"))
        venue.stream(BACK)
        await settle()
        late = venue.order_of(LOW, 1, client_order_id="x", updated_at_ns=began_ns + 10**13)
        venue.stream(event(Kind.ACCEPTED, late))
        await settle()
        late_start = began_ns + 10**13 - 300 * 10**9
        await venue.clock.advance(seconds=2)

        assert 2 == len(venue.starts)
        assert late_start not in venue.starts


async def test_a_stream_of_orders_placed_elsewhere_is_adopted_while_blind(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("fetch_positions", *[VenueUnavailableError("503")] * 3)
    venue.stream(BACK)
    theirs = venue.order_of(LOW, 1, client_order_id="theirs")
    venue.stream(event(Kind.ACCEPTED, theirs))
    await settle(40)

    assert isinstance(history(broker)[0], OrderEvent)
    assert OrderStatus.OPEN is broker.state.order("theirs").status  # type: ignore[union-attr]


async def test_i4_a_restart_asks_for_fills_since_the_last_proof_not_since_the_last_event(
    tmp_path: Path,
) -> None:
    """What the stream told after a cut says nothing of the fills within it."""
    venue = WindowedVenue()
    settings: dict[str, Any] = {
        "registry": WINDOWED,
        "venue": venue,
        "clock": venue.clock,
        "account_id": "one",
        "state_dir": tmp_path,
    }
    async with dragoman.connect("windowed", **settings) as broker:
        low = await broker.submit(LOW)
        venue.stream(filled(low, 1, 1, 1))
        await settle()
        await broker.reconcile()
        proved = venue.starts[-1]
        venue.script("fetch_open_orders", *[VenueUnavailableError("503")] * 9)
        venue.stream(CUT)
        venue.stream(BACK)
        much_later = attrs.evolve(fill_of(low, 9, 1), venue_time_ns=10**15)
        venue.stream(attrs.evolve(filled(low, 9, 1, 2), fill=much_later, venue_time_ns=10**15))
        await settle()

    venue.answers.clear()
    async with dragoman.connect("windowed", **settings):
        assert proved is not None
        assert venue.starts[-1] is not None
        assert venue.starts[-1] < 10**15 - OVERLAP_NS
