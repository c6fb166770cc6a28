"""What becomes of a cancel or a replace whose answer is late, lost or contradicted."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import attrs
import pytest

from dragoman import (
    AlarmKind,
    Broker,
    ConflictError,
    JournalUnavailableError,
    NotFoundError,
    Order,
    OrderEventKind,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    Outcome,
    OutcomeUnknownError,
    PrivateEvent,
    RejectReason,
    VenueUnavailableError,
)
from dragoman.capabilities import ReplaceRule
from dragoman.models import OrderChange
from dragoman.orders.journal import MemoryJournal

from .alarms import Ear
from .bare_desk import bare_desk
from .fake_adapter import BUY, CANCELING, FakeVenue, event, filled, history, settle

D = Decimal
Kind = OrderEventKind
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")
LOST = VenueUnavailableError("503", outcome=Outcome.UNKNOWN)
QUIET = {"reconcile_every_s": 1e6, "timeout_s": 5}


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect(**QUIET) as broker:
        yield broker


@pytest.fixture
async def low(broker: Broker) -> Order:
    return await broker.submit(LOW)


def waiting() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def kinds(broker: Broker) -> list[OrderEventKind]:
    return [one.kind for one in history(broker) if one.order.client_order_id == "low"]


def ended(order: Order, status: OrderStatus = OrderStatus.CANCELED, **facts: Any) -> Order:
    return attrs.evolve(order, **{"status": status, "updated_at_ns": 500, **facts})


def end_at_the_venue(venue: FakeVenue, order: Order, error: Exception) -> Any:
    """Cancel an order, and lose the answer."""

    def cancel(_: object) -> Exception:
        venue.shown["low"] = ended(order)
        return error

    return cancel


async def test_f30_a_fill_that_races_the_cancel_returns_the_filled_order(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", NotFoundError("unknown order"))
    venue.shown["low"] = ended(low, OrderStatus.FILLED, filled_quantity=D(10))

    order = await broker.cancel("low")

    assert (OrderStatus.FILLED, D(10)) == (order.status, order.filled_quantity)
    assert 1 == venue.calls.count("submit")


async def test_f31_a_lost_cancel_that_took_effect_is_found_out(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", end_at_the_venue(venue, low, LOST))

    order = await broker.cancel("low", timeout_s=60)

    assert OrderStatus.CANCELED is order.status
    assert 1 == venue.calls.count("cancel")


async def test_f31_a_lost_cancel_of_an_order_seen_to_live_on_is_asked_again(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.shown["low"] = low
    venue.script("cancel", LOST)

    order = await broker.cancel("low", timeout_s=60)

    assert OrderStatus.CANCELED is order.status
    assert 2 == venue.calls.count("cancel")


async def test_f31_a_lost_cancel_is_not_asked_again_while_nothing_is_seen(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", LOST)
    caller = asyncio.ensure_future(broker.cancel(low, timeout_s=60))
    await venue.clock.advance(seconds=60)

    assert (1, False) == (venue.calls.count("cancel"), caller.done())
    caller.cancel()


async def test_f31_nobody_looks_any_more_once_the_caller_has_left(venue: FakeVenue) -> None:
    async with bare_desk(venue) as bare:
        low = await bare.desk.submit(LOW, 1)
        venue.script("cancel", LOST)
        with pytest.raises(OutcomeUnknownError):
            await bare.commands.cancel(low, 0.01)
        before = len(venue.calls)

        await venue.clock.advance(seconds=60)

        assert before == len(venue.calls)
        assert () == bare.blotter.scope.names


async def test_f32_fills_before_the_end_of_a_cancel_are_kept(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    pending = attrs.evolve(low, pending=CANCELING, updated_at_ns=20)
    venue.script("cancel", pending)

    accepted = await broker.cancel("low")
    venue.stream(filled(pending, 1, 4, 4))
    venue.stream(event(Kind.CANCELED, ended(low, filled_quantity=D(4))))
    await settle()

    order = broker.state.order("low")
    assert order is not None
    assert CANCELING is accepted.pending
    assert (OrderStatus.CANCELED, D(4), None) == (
        order.status,
        order.filled_quantity,
        order.pending,
    )
    assert [Kind.PENDING_CANCEL, Kind.FILL, Kind.CANCELED] == kinds(broker)[-3:]


async def test_f33_a_fill_after_the_end_is_applied_with_an_alarm(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    ear = Ear(broker)
    await broker.cancel("low")

    venue.stream(filled(low, 1, 4, 4))
    await settle()

    order = broker.state.order("low")
    assert order is not None
    assert (OrderStatus.CANCELED, D(4)) == (order.status, order.filled_quantity)
    assert [Kind.CANCELED, Kind.FILL] == kinds(broker)[-2:]
    assert [(AlarmKind.LATE_FILL, "low")] == ear.heard()


async def test_f33_a_fill_that_the_cancel_had_counted_is_not_late(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    ear = Ear(broker)
    venue.script("cancel", ended(low, filled_quantity=D(4)))
    await broker.cancel("low")

    venue.stream(filled(low, 1, 4, 4))
    await settle()

    assert [] == ear.heard()


async def test_more_filled_than_ordered_is_an_alarm(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    ear = Ear(broker)

    venue.stream(filled(low, 1, 10, 10))
    venue.stream(filled(low, 2, 1, 11))
    await settle()

    assert [(AlarmKind.OVERFILLED, "low")] == ear.heard()


async def test_f34_a_cancel_of_an_order_on_its_way_waits_for_it(
    venue: FakeVenue, broker: Broker
) -> None:
    answer = waiting()
    venue.script("submit", answer)
    submitting = asyncio.ensure_future(broker.submit(LOW, timeout_s=60))
    await settle()
    canceling = asyncio.ensure_future(broker.cancel("low", timeout_s=60))
    await settle()
    early = venue.calls.count("cancel")

    answer.set_result(venue.order_of(LOW, 1))
    await submitting

    assert (0, OrderStatus.CANCELED) == (early, (await canceling).status)


async def test_f34_a_cancel_nobody_waits_for_any_more_is_not_dropped(
    venue: FakeVenue, broker: Broker
) -> None:
    answer = waiting()
    venue.script("submit", answer)
    submitting = asyncio.ensure_future(broker.submit(LOW, timeout_s=60))
    await settle()
    with pytest.raises(OutcomeUnknownError):
        await broker.cancel("low", timeout_s=0.01)

    answer.set_result(venue.order_of(LOW, 1))
    await submitting
    await settle()

    order = broker.state.order("low")
    assert order is not None
    assert OrderStatus.CANCELED is order.status


async def test_f34_a_cancel_of_an_order_that_was_refused_returns_it_unsent(
    venue: FakeVenue, broker: Broker
) -> None:
    answer = waiting()
    venue.script("submit", answer)
    submitting = asyncio.ensure_future(broker.submit(LOW, timeout_s=60))
    await settle()
    canceling = asyncio.ensure_future(broker.cancel("low", timeout_s=60))
    await settle()

    answer.set_exception(OrderRejectedError("no"))
    await asyncio.gather(submitting, return_exceptions=True)

    assert OrderStatus.REJECTED is (await canceling).status
    assert 0 == venue.calls.count("cancel")


async def test_f34_a_cancel_of_an_order_of_unknown_fate_is_sent_again_once_it_is_found(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", LOST)
    with pytest.raises(OutcomeUnknownError):
        await broker.submit(LOW, timeout_s=0.01)
    venue.script("cancel", NotFoundError("unknown order"))
    canceling = asyncio.ensure_future(broker.cancel("low", timeout_s=60))
    await settle()
    first = venue.calls.count("cancel")

    venue.stream(event(Kind.ACCEPTED, venue.order_of(LOW, 1)))
    await settle()

    assert (1, OrderStatus.CANCELED) == (first, (await canceling).status)
    assert 2 == venue.calls.count("cancel")


async def test_f35_a_new_total_that_has_filled_already_is_refused_unsent(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.stream(filled(low, 1, 4, 4))
    await settle()
    known = broker.state.order("low")
    assert known is not None

    with pytest.raises(ConflictError) as raised:
        await broker._session.commands.replace(known, OrderChange(quantity=4), 1)

    assert Outcome.NOT_SENT is raised.value.outcome
    assert "replace" not in venue.calls


async def test_f35_a_fill_while_the_replace_waits_its_turn_is_counted(venue: FakeVenue) -> None:
    async with bare_desk(venue) as bare:
        answer = waiting()
        venue.script("submit", answer)
        submitting = asyncio.ensure_future(bare.desk.submit(LOW, 60))
        await settle()
        on_its_way = bare.blotter.order("low")
        replacing = asyncio.ensure_future(
            bare.commands.replace(on_its_way, OrderChange(quantity=4), 60)
        )
        await settle()

        full = venue.order_of(LOW, 1, status=OrderStatus.PARTIALLY_FILLED, filled_quantity=D(5))
        answer.set_result(full)
        await submitting

        with pytest.raises(ConflictError) as raised:
            await replacing
        assert Outcome.NOT_SENT is raised.value.outcome
        assert "replace" not in venue.calls


def renamed(low: Order) -> Order:
    ids = (*low.venue_order_ids, "new")
    return attrs.evolve(low, revision=1, limit_price=D(6), updated_at_ns=20, venue_order_ids=ids)


async def test_f36_a_lost_replace_that_took_effect_is_found_under_its_new_id() -> None:
    venue = FakeVenue()
    rule = ReplaceRule(fields=frozenset({"limit_price"}), keeps_venue_id=False)
    venue.capabilities = attrs.evolve(venue.capabilities, replace=rule)
    async with venue.connect(**QUIET) as broker:
        low = await broker.submit(LOW)
        asked: list[object] = []

        def look(name: object) -> Order | None:
            asked.append(name)
            return renamed(low) if name == "low.1" else None

        venue.script("replace", LOST)
        venue.script("fetch_order", look, look)

        order = await broker.replace("low", limit_price="6", timeout_s=60)

        assert ["low", "low.1"] == asked
        assert (1, D(6), "new") == (order.revision, order.limit_price, order.venue_order_id)
        assert low.venue_order_ids < order.venue_order_ids
        assert ("low",) == tuple(one.client_order_id for one in broker.state.open_orders)
        assert 1 == venue.calls.count("replace")
        assert Kind.REPLACED is kinds(broker)[-1]


async def test_f36_a_lost_replace_that_never_arrived_is_said_so_after_two_looks(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.shown["low"] = low
    venue.script("replace", LOST)
    caller = asyncio.ensure_future(broker.replace("low", limit_price="6", timeout_s=60))
    await settle()
    once = caller.done()
    await venue.clock.advance(seconds=1)

    with pytest.raises(OrderRejectedError) as raised:
        await caller
    assert (False, RejectReason.NEVER_ARRIVED) == (once, raised.value.reason)
    assert low == broker.state.order("low")
    assert 1 == venue.calls.count("replace")


async def test_f36_a_lost_replace_that_neither_id_shows_leaves_the_old_order() -> None:
    venue = FakeVenue()
    rule = ReplaceRule(fields=frozenset({"limit_price"}), keeps_venue_id=False)
    venue.capabilities = attrs.evolve(venue.capabilities, replace=rule)
    async with bare_desk(venue) as bare:
        low = await bare.desk.submit(LOW, 1)
        venue.script("replace", LOST)
        venue.script("fetch_order", low, None, low, None)
        caller = asyncio.ensure_future(bare.commands.replace(low, OrderChange(limit_price=6), 60))
        await venue.clock.advance(seconds=2)

        with pytest.raises(OrderRejectedError):
            await caller
        assert [low] == list(bare.tracker.open_orders())


async def test_f36_a_lost_replace_of_an_order_that_is_not_to_be_seen_stays_unknown(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("replace", LOST)
    caller = asyncio.ensure_future(broker.replace(low, limit_price="6", timeout_s=60))
    await venue.clock.advance(seconds=60)

    assert not caller.done()
    caller.cancel()


async def test_a_replace_that_denies_what_it_wrote_is_not_believed(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    ear = Ear(broker)
    venue.asks_permits = True
    venue.script("replace", ConflictError("no", outcome=Outcome.NOT_SENT))

    with pytest.raises(OutcomeUnknownError):
        await broker.replace(low, limit_price="6", timeout_s=0.01)
    await settle()

    assert [(AlarmKind.ADAPTER_LIED, "low")] == ear.heard()


class FullDisk(MemoryJournal):
    """A journal that can't be written."""

    def begin(
        self, requests: Sequence[OrderRequest], events: Sequence[PrivateEvent]
    ) -> list[PrivateEvent]:
        raise JournalUnavailableError("disk full")


async def test_f73_what_can_not_be_written_down_is_not_sent(venue: FakeVenue) -> None:
    async with bare_desk(venue) as bare:
        bare.blotter.journal = FullDisk()

        with pytest.raises(JournalUnavailableError) as raised:
            await bare.desk.submit(LOW, 1)

        assert Outcome.NOT_SENT is raised.value.outcome
        assert ([], [], None) == (venue.calls, bare.told, bare.tracker.order("low"))


async def test_a_bug_in_a_cancel_is_an_unknown_outcome_that_is_reported(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    venue.script("cancel", KeyError("id"))

    with pytest.raises(OutcomeUnknownError, match="KeyError"):
        await broker.cancel(low, timeout_s=0.01)

    assert 1 == len(reported)


async def test_a_replace_refused_because_the_order_has_just_filled_is_a_conflict(
    venue: FakeVenue,
) -> None:
    async with bare_desk(venue) as bare:
        low = await bare.desk.submit(LOW, 1)

        def fill_first(_: object) -> Exception:
            bare.tracker.observe(filled(low, 1, 10, 10))
            return ConflictError("order-ended")

        venue.script("replace", fill_first)
        with pytest.raises(ConflictError) as raised:
            await bare.commands.replace(low, OrderChange(limit_price=6), 1)

        assert Outcome.REJECTED is raised.value.outcome
        assert OrderStatus.FILLED is bare.blotter.order("low").status


async def test_fills_that_come_after_they_were_counted_take_nothing_back(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    full = ended(low, OrderStatus.FILLED, filled_quantity=D(10))
    venue.stream(event(Kind.RESTATED, full))
    venue.stream(filled(low, 1, 4, 4))
    venue.stream(filled(low, 2, 6, 10))
    await settle()

    told = [(one.kind, one.order.status, one.order.filled_quantity) for one in history(broker)]
    assert [(Kind.FILL, OrderStatus.FILLED, D(10))] * 2 == told[-2:]
    assert D(10) == told[-3][-1]
