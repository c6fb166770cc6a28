"""What keeps an account from LIVE is told with its cause, and no order is sent while blind."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from dragoman import (
    AlarmKind,
    AuthenticationError,
    Broker,
    ConnectionState,
    HaltedError,
    HealthEvent,
    HealthState,
    JournalUnavailableError,
    ManualClock,
    OrderRequest,
    OrderStatus,
    OutcomeUnknownError,
    ReconcilingError,
    SeededIds,
    StreamLostError,
    VenueUnavailableError,
)
from dragoman.adapter import AdapterContext, Environment
from dragoman.models import Staleness, StalenessState
from dragoman.orders.halt import HaltSwitch, halt_marker
from dragoman.orders.journal import MemoryJournal
from dragoman.session import AccountSession
from dragoman.times import SECOND_NS

from .fake_adapter import BUY, FakeAdapter, FakeVenue, connection, settle
from .listening import alarms, listen, states

LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")
NEXT = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="next")
CUT = connection(ConnectionState.DISCONNECTED)
BACK = connection(ConnectionState.RECONNECTED)


def silence(state: StalenessState) -> Staleness:
    return Staleness(state=state, channel="private", symbols=(), since_ns=1, received_at_ns=99)


class SteppingClock(ManualClock):
    """A clock whose wall time can be set, as by a user or a machine that slept."""

    def __init__(self) -> None:
        super().__init__()
        self.offset_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.offset_ns


class TroubledJournal(MemoryJournal):
    """A journal whose disk a test fills and frees."""

    found: str | None = None

    @property
    def trouble(self) -> str | None:
        return self.found


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect() as broker:
        yield broker


async def test_a_connected_account_is_live_without_a_cause(broker: Broker) -> None:
    health = broker.health

    assert (HealthState.LIVE, ()) == (health.state, health.causes)


async def test_i11_every_change_is_an_event_that_continues_the_one_before(
    venue: FakeVenue, broker: Broker
) -> None:
    heard = await listen(broker)

    venue.stream(CUT)
    venue.stream(BACK)
    await settle(50)
    venue.stream(silence(StalenessState.STALE), silence(StalenessState.FRESH))
    await settle(50)
    told = [one for one in heard if isinstance(one, HealthEvent)]

    assert [
        HealthState.DOWN,
        HealthState.RECONCILING,
        HealthState.LIVE,
        HealthState.STALE,
        HealthState.RECONCILING,
        HealthState.LIVE,
    ] == states(heard)
    assert [HealthState.LIVE, *states(heard)[:-1]] == [one.previous for one in told]
    assert all(one.causes for one in told if one.state is not HealthState.LIVE)
    assert ("cut",) == told[0].causes


def cut(venue: FakeVenue) -> None:
    venue.stream(CUT)


def mute(venue: FakeVenue) -> None:
    venue.stream(silence(StalenessState.STALE))


def unproved(venue: FakeVenue) -> None:
    venue.script("fetch_positions", *[VenueUnavailableError("503")] * 9)
    venue.stream(BACK)


def logged_out(venue: FakeVenue) -> None:
    venue.stream(AuthenticationError("key revoked"))


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (cut, HealthState.DOWN),
        (mute, HealthState.STALE),
        (unproved, HealthState.RECONCILING),
        (logged_out, HealthState.AUTH_REQUIRED),
    ],
)
async def test_i8_no_new_exposure_while_blind_and_cancels_go(
    venue: FakeVenue, broker: Broker, trouble: Callable[[FakeVenue], None], state: HealthState
) -> None:
    await broker.submit(LOW)
    trouble(venue)
    await settle()

    with pytest.raises(ReconcilingError, match=state):
        await broker.submit(NEXT)
    with pytest.raises(ReconcilingError, match=state):
        await broker.replace("low", limit_price="6")
    canceled = await broker.cancel("low")

    assert state is broker.health.state
    assert OrderStatus.CANCELED is canceled.status
    assert 1 == venue.calls.count("submit")


async def test_credentials_refused_for_good_are_not_tried_again(
    venue: FakeVenue, broker: Broker
) -> None:
    logged_out(venue)
    await settle()
    await venue.clock.advance(seconds=300)

    assert 1 == venue.calls.count("stream")
    assert "key revoked" in broker.health.causes[0]


async def test_a_stream_that_ended_is_opened_again_with_growing_pauses(
    venue: FakeVenue, broker: Broker
) -> None:
    heard = await listen(broker)
    venue.script("stream", *[VenueUnavailableError("503")] * 3)
    venue.stream(StreamLostError("gone"))
    await settle()
    first = broker.health
    await venue.clock.advance(seconds=60)

    assert (HealthState.DOWN, 5) == (first.state, venue.calls.count("stream"))
    assert "gone" in first.causes[0]
    assert HealthState.LIVE is broker.health.state
    assert [HealthState.RECONCILING, HealthState.LIVE] == states(heard)[-2:]


async def test_a_stream_that_asks_for_time_gets_it(venue: FakeVenue, broker: Broker) -> None:
    venue.stream(VenueUnavailableError("busy", retry_after=40.0))
    await settle()
    await venue.clock.advance(seconds=39)
    before = venue.calls.count("stream")
    await venue.clock.advance(seconds=3)

    assert (1, 2) == (before, venue.calls.count("stream"))
    assert HealthState.LIVE is broker.health.state


async def test_f76_flapping_is_degraded_until_it_has_been_calm_for_a_minute(
    venue: FakeVenue, broker: Broker
) -> None:
    for _ in range(3):
        venue.stream(CUT)
        venue.stream(BACK)
        await settle(40)
    during = broker.health
    order = await broker.submit(LOW)
    await venue.clock.advance(seconds=62)

    assert HealthState.DEGRADED is during.state
    assert "within a minute" in during.causes[0]
    assert OrderStatus.OPEN is order.status
    assert HealthState.LIVE is broker.health.state


async def test_i6_an_order_of_unknown_fate_degrades_until_it_is_known(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", OutcomeUnknownError("504"))
    venue.script("fetch_order", *[VenueUnavailableError("503")] * 20)
    venue.script("fetch_open_orders", *[VenueUnavailableError("503")] * 20)
    with pytest.raises(OutcomeUnknownError):
        await broker.submit(LOW, timeout_s=0.05)
    await venue.clock.advance(seconds=1)
    during = broker.health

    venue.answers.clear()
    venue.shown["low"] = venue.order_of(LOW, 1)
    await venue.clock.advance(seconds=40)

    assert HealthState.DEGRADED is during.state
    assert any("low" in cause for cause in during.causes)
    assert HealthState.LIVE is broker.health.state


async def test_a_new_order_waits_for_live_as_long_as_agreed(venue: FakeVenue) -> None:
    async with venue.connect(reconciling_wait_s=5.0) as broker:
        venue.stream(CUT)
        await settle()
        submitting = asyncio.ensure_future(broker.submit(LOW))
        await settle()
        before = venue.calls.count("submit")
        venue.stream(BACK)
        order = await submitting

    assert (0, OrderStatus.OPEN) == (before, order.status)


async def test_a_new_order_is_refused_when_live_does_not_come_in_time(venue: FakeVenue) -> None:
    async with venue.connect(reconciling_wait_s=0.01) as broker:
        venue.stream(CUT)
        await settle()

        with pytest.raises(ReconcilingError, match="cut"):
            await broker.submit(LOW)
    assert 0 == venue.calls.count("submit")


async def test_a_halt_shows_at_once_and_its_end_too(venue: FakeVenue, broker: Broker) -> None:
    heard = await listen(broker)
    broker.halt("enough")
    at_once = broker.health
    await settle()
    broker.resume()
    await settle()

    assert HealthState.HALTED is at_once.state
    assert "enough" in at_once.causes[0]
    assert [HealthState.HALTED, HealthState.LIVE] == states(heard)


async def test_f54_a_halt_of_another_process_is_told_within_a_second(
    venue: FakeVenue, tmp_path: Path
) -> None:
    async with venue.connect(state_dir=tmp_path) as broker:
        heard = await listen(broker)
        HaltSwitch(halt_marker(tmp_path, "fake", "one")).set("from elsewhere", 0)
        with pytest.raises(HaltedError, match="from elsewhere"):
            await broker.submit(LOW)
        await venue.clock.advance(seconds=1)

        assert [HealthState.HALTED] == states(heard)
        assert "from elsewhere" in broker.health.causes[0]


async def test_f80_a_wall_clock_that_leaps_means_stale_until_compared_anew() -> None:
    venue = FakeVenue()
    clock = venue.clock = SteppingClock()
    async with venue.connect() as broker:
        heard = await listen(broker)
        compared = venue.calls.count("fetch_positions")
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        venue.script("fetch_positions", answer)
        clock.offset_ns += 1800 * SECOND_NS
        await clock.advance(seconds=1)

        with pytest.raises(ReconcilingError, match="slept"):
            await broker.submit(LOW)
        answer.set_result(())
        await settle()
        order = await broker.submit(LOW)

    assert [HealthState.STALE, HealthState.LIVE] == states(heard)
    assert [AlarmKind.LOOP_LAG] == alarms(heard)
    assert compared + 1 == venue.calls.count("fetch_positions")
    assert OrderStatus.OPEN is order.status


async def test_f47_a_wall_clock_set_back_changes_nothing() -> None:
    venue = FakeVenue()
    clock = venue.clock = SteppingClock()
    async with venue.connect() as broker:
        heard = await listen(broker)
        clock.offset_ns -= 3600 * SECOND_NS
        await clock.advance(seconds=3)

        assert [] == heard
        assert HealthState.LIVE is broker.health.state


async def test_f73_a_journal_in_trouble_is_told_refused_and_recovers(venue: FakeVenue) -> None:
    journal = TroubledJournal()
    options = {"venue": venue}
    context = AdapterContext(
        provider="fake",
        environment=Environment.SIMULATED,
        account_id="one",
        clock=venue.clock,
        ids=SeededIds(),
        options=options,
    )
    session = AccountSession(FakeAdapter(context), "one", journal, HaltSwitch())
    await session.open()
    journal.found = "no space left"
    await venue.clock.advance(seconds=1)
    during = session.health
    with pytest.raises(JournalUnavailableError, match="no space left"):
        session.monitor.check_journal("one", "fake")
    journal.found = None
    await venue.clock.advance(seconds=1)

    assert HealthState.DEGRADED is during.state
    assert HealthState.LIVE is session.health.state
    await session.aclose()


async def test_a_closed_account_says_so_and_stays_so(venue: FakeVenue) -> None:
    broker = await venue.connect()
    async with broker.stream(orders=True) as events:
        await broker.aclose()
        heard = [event async for event in events]

    assert [HealthState.CLOSED] == states(heard)
    assert HealthState.CLOSED is broker.health.state


async def test_a_read_only_connection_says_why_it_is_blind(venue: FakeVenue) -> None:
    async with venue.connect(read_only=True) as broker:
        assert (HealthState.DOWN, ("read-only: the private stream is not read",)) == (
            broker.health.state,
            broker.health.causes,
        )
