"""Getting out: no cancel, halt or end is kept up, and nothing is called flat that is not."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from dragoman import (
    AccountLockedError,
    AlarmKind,
    Broker,
    ConflictError,
    ConnectionState,
    HealthState,
    NotFoundError,
    Order,
    OrderEventKind,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    Outcome,
    OutcomeUnknownError,
    ReconcilingError,
    VenueUnavailableError,
)
from dragoman.orders.halt import HaltSwitch
from dragoman.orders.sendings import Flight, Sendings

from .alarms import Ear
from .fake_adapter import (
    BUY,
    FakeVenue,
    connection,
    filled,
    history,
    instrument,
    position,
    settle,
)
from .writing_adapter import WritingVenue

D = Decimal
Kind = OrderEventKind
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low", account_id="one")
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


@pytest.mark.parametrize("waited_s", [0, 100])
async def test_f52_a_fill_that_the_positions_do_not_show_yet_is_not_flat(
    venue: FakeVenue, waited_s: int
) -> None:
    async with venue.connect(reconcile_every_s=1e6, timeout_s=1) as broker:
        await venue.clock.advance(seconds=waited_s)
        low = await broker.submit(LOW)
        fill = filled(low, 1, 10, 10)
        venue.stream(attrs.evolve(fill, received_at_ns=venue.clock.now_ns()))
        await settle()

        report = await broker.halt_and_cancel()

        assert not report.is_flat


async def test_a_bug_in_a_read_does_not_end_a_flatten(venue: FakeVenue) -> None:
    venue.positions = (position(5),)
    async with venue.connect(reconcile_every_s=1e6, timeout_s=1) as broker:
        venue.script("fetch_open_orders", KeyError("a bug"))

        def close(request: OrderRequest) -> Order:
            venue.positions = ()
            closed = {"status": OrderStatus.FILLED, "filled_quantity": request.quantity}
            return venue.order_of(request, 3, **closed)

        venue.script("submit", close)
        flattening = asyncio.ensure_future(broker.flatten())
        await settle()
        await venue.clock.advance(seconds=2)
        await flattening

        assert 1 == venue.calls.count("submit")


async def test_a_bug_in_a_look_keeps_no_other_order_from_being_canceled(
    venue: FakeVenue, broker: Broker
) -> None:
    await broker.submit(LOW)
    venue.shown["other"] = venue.order_of(attrs.evolve(LOW, client_order_id="other"), 9)
    venue.script("cancel", ConflictError("no"))
    venue.script("fetch_order", KeyError("a bug"))

    rows = await broker.cancel_all()

    assert ["low", "other"] == [row.client_order_id for row in rows]
    assert (Outcome.UNKNOWN, None) == (rows[0].error and rows[0].error.outcome, rows[1].error)


@pytest.mark.parametrize("answer", [None, ConflictError("it ended"), LOST])
async def test_an_ended_order_that_works_by_the_venues_later_word_is_told_and_canceled(
    venue: FakeVenue, answer: Any
) -> None:
    async with venue.connect(timeout_s=1) as broker:
        ear = Ear(broker)
        low = await broker.submit(LOW)
        venue.script("cancel", attrs.evolve(low, status=OrderStatus.CANCELED, updated_at_ns=500))
        await broker.cancel("low")
        venue.shown["low"] = attrs.evolve(low, updated_at_ns=900)
        await venue.clock.advance(seconds=80)
        venue.script("cancel", *([] if answer is None else [answer]))

        rows = await broker.cancel_all()

        assert [(AlarmKind.RESURRECTED, "low")] == ear.heard()
        assert (["low"], 2) == (
            [row.client_order_id for row in rows],
            venue.calls.count("cancel"),
        )
        assert (answer is LOST) is (rows[0].error is not None)
        assert OrderStatus.CANCELED is now(broker).status


async def test_a_late_picture_of_an_order_that_was_canceled_meanwhile_is_no_alarm(
    venue: FakeVenue,
) -> None:
    async with venue.connect(timeout_s=1) as broker:
        ear = Ear(broker)
        low = await broker.submit(LOW)
        venue.shown["low"] = low
        await broker.cancel("low")
        await venue.clock.advance(seconds=80)

        rows = await broker.cancel_all()

        assert ([], (), 1) == (ear.heard(), rows, venue.calls.count("cancel"))


@pytest.mark.parametrize("name", ["AAPL", "apple", "MSFT"])
async def test_an_alias_names_the_orders_to_cancel(
    venue: FakeVenue, broker: Broker, name: str
) -> None:
    venue.instruments["AAPL"] = instrument(aliases=("apple",))
    await broker.submit(LOW)

    rows = await broker.cancel_all(name)

    assert ([] if name == "MSFT" else ["low"]) == [row.client_order_id for row in rows]


async def test_an_instrument_that_can_not_be_read_keeps_no_cancel(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.shown["other"] = venue.order_of(
        attrs.evolve(LOW, client_order_id="other", symbol="MSFT"), 9
    )
    venue.script("fetch_instrument", VenueUnavailableError("503"))

    rows = await broker.cancel_all("MSFT")

    assert ["other"] == [row.client_order_id for row in rows]


def test_f54_a_signal_that_halts_right_after_the_check_counts_the_order_as_sent() -> None:
    switch, sendings, seen = HaltSwitch(), Sendings(), list[Flight]()

    def interrupt() -> None:
        switch.set("a signal", 0)
        seen.append(sendings.flights()["low"])

    first, permit = switch.permit("fake"), switch.permit("fake", interrupt)
    sendings.begin(["first", "low"])
    sendings.send_under(["first"], first)
    sendings.send_under(["low"], permit)
    with first.writing():
        pass
    with permit.writing():
        pass

    assert [Flight.SENT] == seen


async def test_f44_an_adapter_that_never_closes_keeps_nobody(venue: FakeVenue) -> None:
    broker = await venue.connect()
    never = waiting()
    broker._adapter.aclose = lambda: never  # type: ignore[method-assign,assignment,return-value]

    async with asyncio.timeout(30):
        await broker.aclose()

    assert HealthState.CLOSED is broker.health.state


async def test_a_resume_ends_a_flatten_that_is_under_way(venue: FakeVenue) -> None:
    venue.positions = (position(5),)
    async with venue.connect(reconcile_every_s=1e6, timeout_s=30) as broker:
        venue.script("submit", OrderRejectedError("no"))
        flattening = asyncio.ensure_future(broker.flatten())
        await settle()

        broker.resume()
        await venue.clock.advance(seconds=1)
        report = await flattening

        assert (False, 1) == (report.is_flat, venue.calls.count("submit"))
        assert "resumed" in report.problems[-1]


async def test_f34_a_cancel_of_a_lost_order_waits_for_it_and_reaches_it(venue: FakeVenue) -> None:
    async with venue.connect(timeout_s=0.05) as broker:
        venue.script("submit", LOST)
        with pytest.raises(OutcomeUnknownError):
            await broker.submit(LOW)
        venue.script("cancel", NotFoundError("not yet"))
        with pytest.raises(OutcomeUnknownError):
            await broker.cancel("low")

        venue.shown["low"] = venue.order_of(LOW, 1)
        await venue.clock.advance(seconds=4)

        assert (2, OrderStatus.CANCELED) == (venue.calls.count("cancel"), now(broker).status)


async def test_f31_a_comparison_does_not_end_an_order_of_which_the_cancel_was_lost(
    venue: FakeVenue,
) -> None:
    async with venue.connect(timeout_s=0.05, reconcile_every_s=5) as broker:
        await broker.submit(LOW)
        venue.script("cancel", LOST)
        with pytest.raises(OutcomeUnknownError):
            await broker.cancel("low")

        await venue.clock.advance(seconds=50)

        assert now(broker).is_open
        assert Kind.CANCELED not in [one.kind for one in history(broker)]


async def test_a_raw_command_that_waited_while_the_stream_went_down_is_not_sent() -> None:
    venue = WritingVenue()
    async with venue.connect() as broker:
        asking = asyncio.ensure_future(broker.request("POST", "/transfers"))
        await settle()
        venue.stream(connection(ConnectionState.DISCONNECTED))
        await venue.let(1)

        with pytest.raises(ReconcilingError):
            await asking

        assert [] == venue.written


async def test_f48_a_guest_sends_no_raw_command_that_may_add_exposure(tmp_path: Path) -> None:
    venue = WritingVenue()
    venue.positions = (position(5),)
    async with (
        venue.connect(state_dir=tmp_path),
        venue.connect(state_dir=tmp_path) as guest,
    ):
        with pytest.raises(AccountLockedError):
            await guest.request("POST", "/orders")
        with pytest.raises(AccountLockedError):
            await guest.set_exits("AAPL")

    assert ([], False) == (venue.written, "set_exits" in venue.calls)


async def test_f52_an_account_that_filled_after_it_was_flat_is_not_called_flat_again(
    venue: FakeVenue, broker: Broker
) -> None:
    ear = Ear(broker)
    flat = await broker.halt_and_cancel()
    for number in (1, 2):
        venue.stream(filled(venue.order_of(LOW, 1), number, 1, number))
    await settle()

    assert (True, False) == (flat.is_flat, broker.halt().is_flat)
    assert [AlarmKind.NOT_FLAT] == [kind for kind, _ in ear.heard()]
