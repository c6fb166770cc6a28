"""A halt is final: no byte of an order after it, from wherever it comes, and nothing claimed."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

import dragoman
from dragoman import (
    AlarmKind,
    Broker,
    ConnectionState,
    HaltedError,
    Order,
    OrderEventKind,
    OrderRequest,
    OrderStatus,
    OutcomeUnknownError,
    Position,
    VenueUnavailableError,
)
from dragoman.models import PositionEffect

from .fake_adapter import (
    BUY,
    CANCELING,
    SELL,
    FakeVenue,
    connection,
    event,
    filled,
    moved,
    position,
    settle,
)
from .listening import alarms, listen
from .writing_adapter import WritingVenue, canceled

D = Decimal
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")


def orders(count: int) -> list[OrderRequest]:
    return [
        OrderRequest.limit("AAPL", BUY, 1, "5", client_order_id=f"n{number}")
        for number in range(count)
    ]


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect() as broker:
        yield broker


@pytest.fixture
def writing() -> WritingVenue:
    return WritingVenue()


async def outcomes(tasks: list[asyncio.Task[Order]]) -> tuple[int, int]:
    """Return how many orders were taken, and how many a halt refused; fail for any other end."""
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    taken = [one for one in ends if isinstance(one, Order)]
    halted = [one for one in ends if isinstance(one, HaltedError)]
    assert len(ends) == len(taken) + len(halted)
    return len(taken), len(halted)


async def test_f50_a_halt_from_another_thread_is_final_for_a_thousand_orders_under_way(
    writing: WritingVenue,
) -> None:
    async with writing.connect() as broker:
        tasks = [asyncio.ensure_future(broker.submit(one)) for one in orders(1000)]
        await writing.let(400)
        begun, done = threading.Barrier(2), threading.Event()

        def halt() -> None:
            begun.wait(30)
            reports.append(broker.halt("from a thread"))
            writing.written.append("halted")
            done.set()

        reports: list[dragoman.HaltReport] = []
        thread = threading.Thread(target=halt)
        thread.start()
        begun.wait(30)
        for _ in range(600):
            writing.turns.release()
        while not done.is_set():
            await settle(1)
        thread.join()
        await settle(60)
        writing.answering.set()
        taken, halted = await outcomes(tasks)

        report = reports[0]
        assert "halted" == writing.written[-1]
        assert taken == len(writing.written) - 1 >= 400
        assert 1000 == taken + halted
        assert {one.client_order_id for one in orders(1000)} == {
            *report.sent,
            *report.unsent,
            *report.unknown,
        }
        assert set(report.sent) == set(writing.written[:-1])
        assert not set(report.unsent) & {*report.sent, *report.unknown, *report.open_orders}
        assert not report.is_flat


async def test_f50_the_report_names_each_order_on_its_way(writing: WritingVenue) -> None:
    async with writing.connect() as broker:
        tasks = [asyncio.ensure_future(broker.submit(one)) for one in orders(4)]
        await settle()
        await writing.let(2)
        report = broker.halt()
        await writing.let(2)
        writing.answering.set()

        assert (2, 2) == await outcomes(tasks)
    assert (("n0", "n1"), ("n2", "n3")) == (report.sent, report.unsent)
    assert ("n0", "n1") == report.open_orders == report.unknown
    assert ["n0", "n1"] == writing.written


async def test_f50_a_replace_on_its_way_is_stopped_too(writing: WritingVenue) -> None:
    async with writing.connect() as broker:
        writing.answering.set()
        await writing.let(1)
        await broker.submit(LOW)
        replacing = asyncio.ensure_future(broker.replace("low", limit_price="6"))
        await settle()
        broker.halt()
        await writing.let(1)

        with pytest.raises(HaltedError):
            await replacing
        assert ["low"] == writing.written
        assert D(5) == broker.state.order("low").limit_price  # type: ignore[union-attr]


async def test_f53_orders_that_wait_for_their_turn_are_halted_and_cancels_go(
    writing: WritingVenue,
) -> None:
    async with writing.connect() as broker:
        writing.answering.set()
        await writing.let(1)
        await broker.submit(LOW)
        waiting = [asyncio.ensure_future(broker.submit(one)) for one in orders(20)]
        await settle()
        broker.halt()
        done = await broker.cancel("low")
        await writing.let(20)

        assert (0, 20) == await outcomes(waiting)
        assert OrderStatus.CANCELED is done.status


def _ignore(report: dragoman.HaltReport) -> None:
    del report


async def test_f54_a_signal_handler_may_halt_whatever_it_interrupts(venue: FakeVenue) -> None:
    async with venue.connect() as broker:
        permit = broker._session.blotter.permit()
        before = signal.signal(signal.SIGUSR1, lambda *_: _ignore(broker.halt("by signal")))
        try:
            with permit.writing():
                os.kill(os.getpid(), signal.SIGUSR1)
        finally:
            signal.signal(signal.SIGUSR1, before)

        with pytest.raises(HaltedError, match="by signal"):
            broker._session.blotter.permit().begin()
        with pytest.raises(HaltedError, match="by signal"):
            await broker.submit(LOW)


MARK = """
import sys
from pathlib import Path
from dragoman.orders.halt import HaltSwitch, halt_marker
HaltSwitch(halt_marker(Path(sys.argv[1]), "writing", "one")).set("from elsewhere", 0)
"""


async def test_f54_another_process_halts_orders_that_are_waiting_already(
    writing: WritingVenue, tmp_path: Path
) -> None:
    async with writing.connect(state_dir=tmp_path) as broker:
        tasks = [asyncio.ensure_future(broker.submit(one)) for one in orders(50)]
        await settle()
        await writing.let(10)
        subprocess.run(  # noqa: S603, ASYNC221 - runs the lines above; nothing else may run meanwhile
            [sys.executable, "-c", MARK, str(tmp_path)], check=True
        )
        await writing.let(40)
        writing.answering.set()

        assert (10, 40) == await outcomes(tasks)
        assert broker.is_halted


async def test_f54_a_halt_outlives_the_process_until_it_is_ended(
    venue: FakeVenue, tmp_path: Path
) -> None:
    async with venue.connect(state_dir=tmp_path) as broker:
        broker.halt("yesterday")
    async with venue.connect(state_dir=tmp_path) as broker:
        with pytest.raises(HaltedError, match="yesterday"):
            await broker.submit(LOW)
        broker.resume()

        assert OrderStatus.OPEN is (await broker.submit(LOW)).status


async def test_a_halt_may_begin_to_cancel_from_any_thread(venue: FakeVenue, broker: Broker) -> None:
    await broker.submit(LOW)
    await asyncio.to_thread(broker.halt, "all off", cancel=True)
    await settle(40)

    assert OrderStatus.CANCELED is broker.state.order("low").status  # type: ignore[union-attr]


async def test_halt_and_cancel_takes_orders_placed_elsewhere_along(
    venue: FakeVenue, broker: Broker
) -> None:
    await broker.submit(LOW)
    theirs = venue.order_of(LOW, 9, client_order_id="theirs")
    venue.shown["theirs"] = theirs

    def cancel_theirs(order: Order) -> Order:
        venue.shown.clear()
        return canceled(order)

    venue.script("cancel", canceled, cancel_theirs)

    report = await broker.halt_and_cancel("all off")

    assert ((), (), True) == (report.open_orders, report.problems, report.is_flat)
    assert 2 == venue.calls.count("cancel")
    assert broker.is_halted


async def test_f51_with_the_stream_down_and_no_answers_nothing_is_called_flat(
    venue: FakeVenue, broker: Broker
) -> None:
    await broker.submit(LOW)
    venue.stream(connection(ConnectionState.DISCONNECTED))
    await settle()
    heard = await listen(broker)
    never: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    venue.script("cancel", never)
    venue.script("fetch_open_orders", VenueUnavailableError("503"))

    report = await broker.flatten(timeout_s=0.2)
    await settle()
    never.cancel()

    assert not report.is_flat
    assert ("low",) == report.open_orders
    assert any("not proved flat" in problem for problem in report.problems)
    assert AlarmKind.NOT_FLAT in alarms(heard)
    assert 1 == venue.calls.count("cancel")


async def test_f51_an_order_of_unknown_fate_is_never_called_flat(venue: FakeVenue) -> None:
    async with venue.connect(timeout_s=0.05) as broker:
        venue.script("submit", OutcomeUnknownError("504"))
        venue.script("cancel", *[OutcomeUnknownError("504")] * 9)
        with pytest.raises(OutcomeUnknownError):
            await broker.submit(LOW)

        report = await broker.flatten(timeout_s=0.1)

        assert (False, ("low",)) == (report.is_flat, report.unknown)


def canceling(order: Order) -> Order:
    return attrs.evolve(order, pending=CANCELING, updated_at_ns=(order.updated_at_ns or 0) + 1)


def closing(venue: FakeVenue, request: OrderRequest) -> Order:
    """Let an order fill at once, and the position be gone."""
    venue.positions = ()
    return venue.order_of(
        request, status=OrderStatus.FILLED, filled_quantity=request.quantity, updated_at_ns=99
    )


async def test_flatten_closes_what_is_held_by_orders_that_can_only_close(
    venue: FakeVenue, broker: Broker
) -> None:
    sent: list[OrderRequest] = []

    def take(request: OrderRequest) -> Order:
        sent.append(request)
        return closing(venue, request)

    venue.positions = (position(7),)
    venue.script("submit", take)

    report = await broker.flatten("margin call")

    assert (True, (), ()) == (report.is_flat, report.open_orders, report.problems)
    assert [(SELL, D(7), PositionEffect.CLOSE)] == [
        (one.side, one.quantity, one.position_effect) for one in sent
    ]
    with pytest.raises(HaltedError, match="margin call"):
        await broker.submit(LOW)
    with pytest.raises(HaltedError, match="margin call"):
        await broker.replace(sent[0].client_order_id or "", limit_price="6")


async def test_flatten_passes_limits_of_ones_own(venue: FakeVenue) -> None:
    limits = dragoman.RiskLimits(max_orders_per_minute=0)
    async with venue.connect(limits=limits) as broker:
        venue.positions = (position(7),)
        venue.script("submit", lambda request: closing(venue, request))

        assert (await broker.flatten()).is_flat


async def test_flatten_never_closes_a_position_twice(venue: FakeVenue, broker: Broker) -> None:
    held = position(7)
    venue.positions = (held,)
    venue.script(
        "submit",
        lambda request: venue.order_of(
            request, status=OrderStatus.FILLED, filled_quantity=D(7), updated_at_ns=99
        ),
    )
    flattening = asyncio.ensure_future(broker.flatten(timeout_s=5))
    await settle(60)
    for _ in range(3):
        await venue.clock.advance(seconds=1)
    sent = venue.calls.count("submit")
    venue.positions = ()
    await venue.clock.advance(seconds=1)
    report = await flattening

    assert (1, True) == (sent, report.is_flat)


async def test_flatten_does_not_close_what_an_order_still_works_on(
    venue: FakeVenue, broker: Broker
) -> None:
    await broker.submit(LOW)
    venue.positions = (position(7),)
    venue.script("cancel", *[canceling] * 99)

    report = await broker.flatten(timeout_s=0.1)

    assert (1, False) == (venue.calls.count("submit"), report.is_flat)
    assert "fetch_positions" in venue.calls


async def test_f51_a_cancel_that_is_only_accepted_proves_nothing(
    venue: FakeVenue, broker: Broker
) -> None:
    await broker.submit(LOW)
    venue.script("cancel", *[canceling] * 99)

    report = await broker.flatten(timeout_s=0.1)

    assert (False, ("low",)) == (report.is_flat, report.open_orders)


@pytest.mark.parametrize("told_by", ["fill", "position"])
async def test_f52_an_order_that_fills_after_flat_was_proved_is_an_alarm(
    venue: FakeVenue, broker: Broker, told_by: str
) -> None:
    heard = await listen(broker)
    report = await broker.flatten()
    theirs = venue.order_of(LOW, 9, client_order_id="theirs")
    if told_by == "fill":
        venue.stream(event(OrderEventKind.ACCEPTED, theirs), filled(theirs, 1, 10, 10))
    else:
        venue.stream(moved(position(10)))
    await settle()

    assert report.is_flat
    assert [AlarmKind.NOT_FLAT] == alarms(heard)
    assert not broker.halt("again").is_flat


async def test_flatten_looks_again_when_something_happened_between_its_two_looks(
    venue: FakeVenue, broker: Broker
) -> None:
    def fill_meanwhile(symbol: str | None) -> tuple[Position, ...]:
        del symbol
        theirs = venue.order_of(LOW, 9, client_order_id="theirs", status=OrderStatus.FILLED)
        broker._session.blotter.answer(theirs, dragoman.EventSource.RECONCILED)
        return ()

    venue.script("fetch_positions", (), fill_meanwhile)
    flattening = asyncio.ensure_future(broker.flatten(timeout_s=5))
    await settle(60)
    is_early = flattening.done()
    await venue.clock.advance(seconds=1)

    assert not is_early
    assert (await flattening).is_flat


async def test_a_halt_that_can_not_be_written_down_still_cancels(
    venue: FakeVenue, tmp_path: Path
) -> None:
    async with venue.connect(state_dir=tmp_path) as broker:
        await broker.submit(LOW)
        (tmp_path / "halts").write_text("in the way")

        report = await broker.halt_and_cancel()

        assert () == report.open_orders
        assert "in this process only" in report.problems[0]


async def test_a_halt_takes_no_longer_with_a_thousand_orders_under_way(
    writing: WritingVenue,
) -> None:
    """The state is in force within a millisecond; the best of ten leaves out a busy machine."""
    async with writing.connect() as broker:
        tasks = [asyncio.ensure_future(broker.submit(one)) for one in orders(1000)]
        await writing.let(500)
        took: list[float] = []
        for _ in range(10):
            began = time.thread_time()
            broker._session.blotter.halt.set("now", 0)
            took.append(time.thread_time() - began)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    assert min(took) < 0.001


async def test_orders_that_were_halted_may_be_sent_after_the_halt(venue: FakeVenue) -> None:
    async with venue.connect() as broker:
        broker.halt()
        with contextlib.suppress(HaltedError):
            await broker.submit(LOW)
        broker.resume()

        assert OrderStatus.OPEN is (await broker.submit(attrs.evolve(LOW))).status
