"""The private stream read, cut, mended and compared: nothing is lost, told twice or made up."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest

from dragoman import (
    Alarm,
    AlarmKind,
    Broker,
    ConfigurationError,
    ConnectFailedError,
    ConnectionState,
    EventSource,
    JournalUnavailableError,
    OrderEventKind,
    OrderRequest,
    OrderStatus,
    PositionEvent,
    ReconcilingError,
    StreamLostError,
    VenueUnavailableError,
)

from .fake_adapter import (
    BUY,
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

if TYPE_CHECKING:
    from dragoman import (
        Event,
    )

D = Decimal
Kind = OrderEventKind
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")
CUT = connection(ConnectionState.DISCONNECTED)
BACK = connection(ConnectionState.RECONNECTED)


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect() as broker:
        yield broker


async def test_a_reader_that_dies_of_a_bug_stops_new_exposure(
    venue: FakeVenue, broker: Broker
) -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    venue.stream(KeyError("status"))
    await settle()

    with pytest.raises(ReconcilingError, match="KeyError"):
        await broker.submit(LOW)
    assert 1 == len(reported)


async def test_a_stream_lost_for_good_stops_new_exposure(venue: FakeVenue, broker: Broker) -> None:
    await broker.submit(LOW)
    venue.stream(StreamLostError("gone"))
    await settle()

    with pytest.raises(ReconcilingError, match="gone"):
        await broker.replace("low", limit_price="6")
    assert OrderStatus.CANCELED is (await broker.cancel("low")).status


async def test_a_snapshot_that_fails_is_tried_again_while_the_stream_is_read(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("fetch_positions", *[VenueUnavailableError("503")] * 3)
    venue.stream(CUT)
    venue.stream(BACK)
    await settle()
    with pytest.raises(ReconcilingError, match="503"):
        await broker.submit(LOW)

    venue.stream(event(Kind.ACCEPTED, venue.order_of(LOW, 1, client_order_id="theirs")))
    await settle()
    heard = broker.state.order("theirs")
    for _ in range(4):
        await venue.clock.advance(seconds=4)
        await settle()

    assert heard is not None
    assert OrderStatus.OPEN is (await broker.submit(LOW)).status


async def test_a_cut_during_the_snapshot_is_not_forgotten(venue: FakeVenue, broker: Broker) -> None:
    answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    venue.script("fetch_positions", VenueUnavailableError("503"), answer)
    venue.stream(BACK)
    await settle()
    await venue.clock.advance(seconds=1)
    await settle()

    venue.stream(CUT)
    await settle()
    answer.set_result(())
    await settle()

    with pytest.raises(ReconcilingError, match="cut"):
        await broker.submit(LOW)


async def test_what_was_missed_is_told_in_the_order_it_happened(
    venue: FakeVenue, broker: Broker
) -> None:
    low = await broker.submit(LOW)
    venue.fills = [fill_of(low, 1, 4), fill_of(low, 2, 3)]
    venue.shown["low"] = attrs.evolve(
        low, status=OrderStatus.CANCELED, filled_quantity=D(7), updated_at_ns=300
    )

    venue.stream(CUT)
    venue.stream(BACK)
    venue.stream(filled(low, 1, 4, 4), filled(low, 2, 3, 7))
    await settle()

    assert [Kind.SUBMITTED, Kind.ACCEPTED, Kind.FILL, Kind.FILL, Kind.CANCELED] == [
        one.kind for one in history(broker)
    ]
    assert [D(4), D(7), D(7)] == [one.order.filled_quantity for one in history(broker)[2:]]


async def test_an_order_that_lived_and_died_elsewhere_while_cut_off_is_adopted_for_its_fill(
    venue: FakeVenue, broker: Broker
) -> None:
    theirs = venue.order_of(LOW, 9, client_order_id="theirs")
    done = attrs.evolve(theirs, status=OrderStatus.FILLED, filled_quantity=D(10), updated_at_ns=200)
    venue.shown["theirs"] = done
    venue.fills = [fill_of(theirs, 1, 10)]

    venue.stream(CUT)
    venue.stream(BACK)
    await settle()

    assert [Kind.ADOPTED, Kind.FILL] == [one.kind for one in history(broker)]
    assert ("v9",) == history(broker)[0].order.venue_order_ids


async def test_positions_that_moved_while_cut_off_are_told(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.stream(moved(position(5)), moved(position(2, "MSFT")))
    await settle()
    venue.positions = (position(8),)

    told: list[Event] = []
    broker.listen(told.append, positions=True)
    await settle()
    venue.stream(CUT)
    venue.stream(BACK)
    await settle()
    await venue.clock.advance(seconds=1)

    assert {AlarmKind.POSITION_MISMATCH} == {one.kind for one in told if isinstance(one, Alarm)}
    assert [("AAPL", D(5), D(8)), ("MSFT", D(2), D(0))] == [
        (one.position.symbol, one.previous_quantity, one.position.quantity)
        for one in told
        if isinstance(one, PositionEvent) and one.source is EventSource.RECONCILED
    ]
    assert [D(8)] == [one.quantity for one in broker.state.positions]


async def test_a_position_streamed_during_the_snapshot_outweighs_it(
    venue: FakeVenue, broker: Broker
) -> None:
    answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    venue.script("fetch_positions", VenueUnavailableError("503"), answer)
    venue.stream(BACK)
    await settle()
    await venue.clock.advance(seconds=1)
    await settle()

    venue.stream(moved(position(9)))
    await settle()
    venue.positions = (position(5),)
    answer.set_result(venue.positions)
    await settle()
    await venue.clock.advance(seconds=1)

    assert [D(9)] == [one.quantity for one in broker.state.positions]


async def test_a_fill_before_its_order_was_adopted_by_snapshot_is_told_once(
    venue: FakeVenue,
) -> None:
    theirs = venue.order_of(
        LOW, 9, client_order_id="theirs", filled_quantity=D(4), updated_at_ns=150
    )
    venue.shown["theirs"] = attrs.evolve(theirs, status=OrderStatus.PARTIALLY_FILLED)
    async with venue.connect() as broker:
        venue.stream(filled(theirs, 1, 4, 4), filled(theirs, 1, 4, 4))
        await settle()

        assert [Kind.ADOPTED, Kind.FILL] == [one.kind for one in history(broker)]
        assert [D(4), D(4)] == [one.order.filled_quantity for one in history(broker)]


async def test_a_failed_connection_leaves_nothing_open(venue: FakeVenue) -> None:
    for call in ("open", "stream", "fetch_positions"):
        venue.script(call, ConnectFailedError("refused"))
        with pytest.raises(ConnectFailedError):
            await venue.connect()
    with pytest.raises(ConfigurationError):
        await venue.connect(account_id="none")
    with pytest.raises(ConfigurationError, match="one, two"):
        await venue.connect(account_id=None)

    assert (0, []) == (venue.open_adapters, venue.streams)


async def test_a_failed_second_account_leaves_the_first_alone(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("stream", ConnectFailedError("refused"))

    with pytest.raises(ConnectFailedError):
        await broker.for_account("two")

    assert (1, 1) == (venue.open_adapters, len(venue.streams))
    assert OrderStatus.OPEN is (await broker.submit(LOW)).status


async def test_closing_one_account_leaves_the_other_in_either_order(venue: FakeVenue) -> None:
    for first_to_close in (0, 1):
        one = await venue.connect()
        brokers = [one, await one.for_account("two")]
        await brokers[first_to_close].aclose()
        other = brokers[1 - first_to_close]

        order = await other.submit(attrs.evolve(LOW, client_order_id=f"n{first_to_close}"))

        assert OrderStatus.OPEN is order.status
        await other.aclose()
    assert (0, []) == (venue.open_adapters, venue.streams)


async def test_one_connection_may_be_entered_twice(venue: FakeVenue) -> None:
    connecting = venue.connect()
    async with connecting as first, connecting as second:
        assert first is not second

    assert (0, []) == (venue.open_adapters, venue.streams)


async def test_closing_that_is_canceled_still_closes(venue: FakeVenue) -> None:
    broker = await venue.connect()
    closing = asyncio.ensure_future(broker.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    await settle()

    assert (0, []) == (venue.open_adapters, venue.streams)


async def test_halts_of_accounts_with_like_names_are_apart(
    venue: FakeVenue, tmp_path: Path
) -> None:
    venue.accounts = ("a-1", "a_1", "../a")
    brokers = [await venue.connect(account_id=name, state_dir=tmp_path) for name in venue.accounts]

    brokers[0].halt()

    assert [True, False, False] == [broker.is_halted for broker in brokers]
    for broker in brokers:
        await broker.aclose()


async def test_a_halt_that_can_not_be_written_down_holds_here_and_says_so(
    venue: FakeVenue, tmp_path: Path
) -> None:
    (tmp_path / "halts").write_text("in the way")
    async with venue.connect(state_dir=tmp_path) as broker:
        with pytest.raises(JournalUnavailableError, match="in this process only"):
            broker.halt()

        assert broker.is_halted
