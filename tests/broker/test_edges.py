"""The corners of sending, canceling and replacing that other tests pass by."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from dragoman import (
    ClosedError,
    CommandResult,
    ConflictError,
    Contingency,
    DuplicateOrderError,
    EventSource,
    Exit,
    JournalUnavailableError,
    NotFoundError,
    OrderEventKind,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    Outcome,
    OutcomeUnknownError,
    PositionEffect,
    PrivateEvent,
    ReconcilingError,
    RejectReason,
    UnsupportedError,
    VenueUnavailableError,
)
from dragoman.capabilities import ReplaceRule
from dragoman.models import OrderChange
from dragoman.models.enums import Support
from dragoman.orders.blotter import Blotter
from dragoman.orders.desk import Flight
from dragoman.orders.halt import HaltSwitch
from dragoman.orders.journal import MemoryJournal, OrderHistory
from dragoman.orders.record import OrderRecord
from dragoman.orders.sendings import Sendings
from dragoman.orders.tracker import OrderTracker

from .bare_desk import BareDesk, bare_desk
from .fake_adapter import BUY, CANCELING, FakeVenue, event, fill_of, settle

D = Decimal
Kind = OrderEventKind
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")
PAIR = [attrs.evolve(LOW, client_order_id=name) for name in "ab"]
LOST = VenueUnavailableError("503", outcome=Outcome.UNKNOWN)
STOP = Exit(price=4)
TAKEN = OrderRejectedError("taken", reason=RejectReason.DUPLICATE_CLIENT_ORDER_ID)
EMULATED = ReplaceRule(
    fields=frozenset({"limit_price"}), support=Support.EMULATED, keeps_venue_id=False
)


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def bare(venue: FakeVenue) -> AsyncIterator[BareDesk]:
    async with bare_desk(venue) as bare:
        yield bare


@pytest.fixture
async def emulated(venue: FakeVenue) -> AsyncIterator[BareDesk]:
    venue.capabilities = attrs.evolve(venue.capabilities, replace=EMULATED)
    async with bare_desk(venue) as bare:
        yield bare


def waiting() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def reports() -> list[object]:
    """Keep what is reported to the loop from now on."""
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    return reported


CHEAPER = OrderChange(limit_price="4")


async def test_nothing_begins_after_the_end(venue: FakeVenue, bare: BareDesk) -> None:
    low = await bare.desk.submit(LOW, 1)
    bare.blotter.watch.close()

    for call in (
        bare.desk.submit(PAIR[0], 1),
        bare.commands.cancel(low, 1),
        bare.commands.replace(low, CHEAPER, 1),
    ):
        with pytest.raises(ClosedError):
            await call
    assert ["submit"] == venue.calls


async def test_an_emulated_replace_does_not_begin_after_the_end(emulated: BareDesk) -> None:
    low = await emulated.desk.submit(LOW, 1)
    emulated.blotter.watch.close()

    with pytest.raises(ClosedError):
        await emulated.commands.replace(low, CHEAPER, 1)


async def test_alarms_nobody_listens_to_are_logged(
    venue: FakeVenue, bare: BareDesk, caplog: pytest.LogCaptureFixture
) -> None:
    quiet = Blotter(
        bare.blotter.adapter,
        "one",
        journal=MemoryJournal(),
        tracker=OrderTracker("one", "fake"),
        halt=HaltSwitch(),
        tell=lambda _: None,
        spread=lambda _: None,
    )
    error = ClosedError("no")
    with quiet.permit() as permit, permit.writing(), caplog.at_level(logging.ERROR):
        believed = quiet.believed(error, permit, "low")

    assert isinstance(believed, OutcomeUnknownError)
    assert ["ADAPTER_LIED"] == [getattr(one, "alarm", None) for one in caplog.records]
    assert quiet.is_live()
    assert [] == venue.calls


async def test_what_is_on_its_way_is_listed(venue: FakeVenue, bare: BareDesk) -> None:
    venue.script("submit", waiting())
    caller = asyncio.ensure_future(bare.desk.submit(LOW, 60))
    await settle()

    assert ("low",) == bare.desk.on_their_way()
    bare.desk.resolve_unproved()
    assert () == bare.desk.resolver.unresolved
    caller.cancel()


async def test_an_order_that_failed_without_proof_is_in_flight_of_unknown_fate(
    venue: FakeVenue, bare: BareDesk
) -> None:
    venue.asks_permits = True
    venue.script(
        "submit", OrderRejectedError("taken", reason=RejectReason.DUPLICATE_CLIENT_ORDER_ID)
    )
    venue.script("fetch_order", waiting())
    caller = asyncio.ensure_future(bare.desk.submit(LOW, 60))
    await settle()
    bare.blotter.sendings.fail("low", LOST)

    assert {"low": Flight.UNKNOWN} == bare.desk.in_flight()
    caller.cancel()


async def test_a_failed_look_for_who_has_an_id_leaves_the_order_unknown(
    venue: FakeVenue, bare: BareDesk
) -> None:
    venue.script("submit", TAKEN)
    venue.script("fetch_order", LOST)

    with pytest.raises(OutcomeUnknownError):
        await bare.desk.submit(LOW, 0.01)

    assert OrderStatus.UNKNOWN is bare.blotter.order("low").status


async def test_a_bug_in_a_list_leaves_every_order_of_unknown_fate(
    venue: FakeVenue, bare: BareDesk
) -> None:
    reported = reports()
    venue.script("submit_list", KeyError("id"))

    rows = await bare.desk.submit_list(PAIR, Contingency.NONE, 0.01, all_or_none=False)

    assert [OutcomeUnknownError] * 2 == [type(row.error) for row in rows]
    assert 1 == len(reported)


async def test_an_order_of_an_earlier_process_is_recalled_by_its_id(bare: BareDesk) -> None:
    first = OrderTracker("one", "fake")
    asked = attrs.evolve(LOW, account_id="one")
    events = [
        first.register(asked, 1),
        *first.refuse("low", RejectReason.NOT_PERMITTED, "no", at_ns=2),
    ]

    class Remembering(MemoryJournal):
        def history(self, client_order_id: str) -> OrderHistory | None:
            return OrderHistory(client_order_id, asked, tuple(events))

    bare.blotter.journal = Remembering()
    bare.blotter.journal.begin([asked], [])

    assert not bare.desk.is_new(asked)
    assert OrderStatus.REJECTED is bare.blotter.order("low").status


async def test_an_intent_that_can_not_be_recalled_is_not_sent_again(bare: BareDesk) -> None:
    bare.journal.begin([LOW], [])

    with pytest.raises(DuplicateOrderError, match="recalled"):
        await bare.desk.submit(LOW, 1)


async def test_a_cancel_waits_in_vain_for_an_order_that_turns_out_dead(
    venue: FakeVenue, bare: BareDesk
) -> None:
    venue.script("submit", LOST)
    venue.script("fetch_order", *[LOST] * 10)
    with pytest.raises(OutcomeUnknownError):
        await bare.desk.submit(LOW, 0.01)
    venue.script("cancel", NotFoundError("unknown"))
    caller = asyncio.ensure_future(bare.commands.cancel(bare.blotter.order("low"), 60))
    await settle()

    filled = venue.order_of(LOW, 1, status=OrderStatus.FILLED, filled_quantity=D(10))
    bare.blotter.answer(filled, EventSource.STREAM)

    assert OrderStatus.FILLED is (await caller).status
    assert 1 == venue.calls.count("cancel")


async def test_a_refused_cancel_of_an_order_the_stream_saw_end_returns_it(
    venue: FakeVenue, bare: BareDesk
) -> None:
    low = await bare.desk.submit(LOW, 1)
    answer = waiting()
    venue.script("cancel", answer)
    caller = asyncio.ensure_future(bare.commands.cancel(low, 60))
    await settle()

    answer.set_exception(ConflictError("too late"))
    full = attrs.evolve(low, status=OrderStatus.FILLED, filled_quantity=D(10), updated_at_ns=90)
    bare.tracker.observe(event(Kind.FILL, full, fill=fill_of(low, 1, 10)))

    assert OrderStatus.FILLED is (await caller).status
    assert 0 == venue.calls.count("fetch_order")


async def test_a_look_after_a_refused_cancel_that_never_ends_is_an_unknown_outcome(
    venue: FakeVenue, bare: BareDesk
) -> None:
    low = await bare.desk.submit(LOW, 1)
    venue.script("cancel", ConflictError("too late"))
    venue.script("fetch_order", waiting())

    with pytest.raises(OutcomeUnknownError, match="did not answer"):
        await bare.commands.cancel(low, 0.02)


async def test_a_cancel_asked_again_that_is_refused_is_looked_into(
    venue: FakeVenue, bare: BareDesk
) -> None:
    low = await bare.desk.submit(LOW, 1)
    venue.shown["low"] = low

    def fill(_: object) -> Exception:
        full = attrs.evolve(low, status=OrderStatus.FILLED, filled_quantity=D(10), updated_at_ns=90)
        venue.shown["low"] = full
        return ConflictError("too late")

    venue.script("cancel", LOST, fill)

    assert OrderStatus.FILLED is (await bare.commands.cancel(low, 60)).status


async def test_a_lost_cancel_whose_looks_fail_goes_on_looking(
    venue: FakeVenue, bare: BareDesk
) -> None:
    low = await bare.desk.submit(LOW, 1)
    venue.script("cancel", LOST)
    venue.script("fetch_order", LOST)
    caller = asyncio.ensure_future(bare.commands.cancel(low, 60))
    await settle()

    venue.shown["low"] = attrs.evolve(low, status=OrderStatus.CANCELED, updated_at_ns=90)
    await venue.clock.advance(seconds=2)

    assert OrderStatus.CANCELED is (await caller).status


async def test_an_emulated_replace_of_an_order_that_ended_by_itself_is_a_conflict(
    venue: FakeVenue, emulated: BareDesk
) -> None:
    low = await emulated.desk.submit(LOW, 1)
    expired = attrs.evolve(low, status=OrderStatus.EXPIRED, updated_at_ns=90)
    venue.script("cancel", expired)

    with pytest.raises(ConflictError, match="EXPIRED"):
        await emulated.commands.replace(low, CHEAPER, 1)

    assert 1 == venue.calls.count("submit")


async def test_an_emulated_replace_nobody_waits_for_goes_on(
    venue: FakeVenue, emulated: BareDesk
) -> None:
    low = await emulated.desk.submit(LOW, 1)
    answer = waiting()
    venue.script("submit", answer)
    with pytest.raises(OutcomeUnknownError):
        await emulated.commands.replace(low, CHEAPER, 0.02)

    leg = attrs.evolve(LOW, client_order_id="low.1", limit_price=D(4))
    answer.set_result(venue.order_of(leg, 2, updated_at_ns=600))
    await settle()

    now = emulated.blotter.order("low")
    assert (OrderStatus.OPEN, 1, D(4)) == (now.status, now.revision, now.limit_price)


async def test_a_new_order_that_the_stream_shows_outweighs_its_lost_answer(
    venue: FakeVenue, emulated: BareDesk
) -> None:
    low = await emulated.desk.submit(LOW, 1)
    leg = venue.order_of(attrs.evolve(LOW, client_order_id="low.1"), 2, updated_at_ns=600)

    def lose(_: object) -> Exception:
        emulated.tracker.observe(event(Kind.ACCEPTED, leg))
        return LOST

    venue.script("submit", lose)
    order = await emulated.commands.replace(low, CHEAPER, 1)

    assert (1, OrderStatus.OPEN) == (order.revision, order.status)
    assert None is emulated.journal.intent("low.1")


async def test_fills_of_a_new_order_are_known_by_its_venue_id_too(
    venue: FakeVenue, emulated: BareDesk
) -> None:
    low = await emulated.desk.submit(LOW, 1)
    venue.script("submit", lambda request: venue.order_of(request, 2, updated_at_ns=600))
    await emulated.commands.replace(low, CHEAPER, 1)
    nameless = fill_of(attrs.evolve(low, client_order_id="ext-v2", venue_order_ids=("v2",)), 1, 4)

    seen = venue.order_of(LOW, 2, client_order_id="ext-v2", updated_at_ns=700)
    emulated.tracker.observe(event(Kind.RESTATED, seen))

    assert "low" == emulated.tracker.name_of_fill(nameless)
    assert "low" == emulated.tracker.name_of_fill(
        attrs.evolve(nameless, client_order_id="low.1", venue_order_id="v9")
    )
    assert (1, ("low",)) == (
        emulated.blotter.order("low").revision,
        tuple(one.client_order_id for one in emulated.tracker.orders()),
    )


async def test_a_bug_while_the_new_order_is_sent_is_reported_and_looked_into(
    venue: FakeVenue, emulated: BareDesk
) -> None:
    reported = reports()
    low = await emulated.desk.submit(LOW, 1)
    venue.script("submit", KeyError("id"))

    with pytest.raises(OutcomeUnknownError, match="KeyError"):
        await emulated.commands.replace(low, CHEAPER, 1)
    unresolved = emulated.desk.resolver.unresolved
    await venue.clock.advance(seconds=5)

    assert (("low",), 1) == (unresolved, len(reported))
    assert OrderStatus.CANCELED is emulated.blotter.order("low").status


async def test_a_new_order_that_can_not_be_written_down_is_not_sent(
    venue: FakeVenue, emulated: BareDesk
) -> None:
    low = await emulated.desk.submit(LOW, 1)

    class Full(MemoryJournal):
        def intent(self, client_order_id: str) -> OrderRequest | None:
            del client_order_id
            return LOW

        def begin(self, requests: Sequence[OrderRequest], events: Sequence[PrivateEvent]) -> Any:
            if requests:
                raise JournalUnavailableError("disk full")
            return super().begin(requests, events)

    emulated.blotter.journal = Full()
    with pytest.raises(OrderRejectedError, match="disk full"):
        await emulated.commands.replace(low, CHEAPER, 1)

    assert 1 == venue.calls.count("submit")
    assert OrderStatus.CANCELED is emulated.blotter.order("low").status


async def test_an_order_without_a_quantity_is_not_replaced_by_a_new_one(
    venue: FakeVenue, emulated: BareDesk
) -> None:
    by_value = OrderRequest.market("AAPL", BUY, notional=50, client_order_id="low")
    low = await emulated.desk.submit(by_value, 1)

    with pytest.raises(UnsupportedError):
        await emulated.commands.replace(low, CHEAPER, 1)

    assert "cancel" not in venue.calls


async def test_a_pending_cancel_is_an_answer(venue: FakeVenue, bare: BareDesk) -> None:
    low = await bare.desk.submit(LOW, 1)
    venue.script("cancel", attrs.evolve(low, pending=CANCELING, updated_at_ns=20))

    assert CANCELING is (await bare.commands.cancel(low, 1)).pending


async def test_a_cancel_of_an_order_that_has_ended_returns_it_unsent(
    venue: FakeVenue, bare: BareDesk
) -> None:
    low = await bare.desk.submit(LOW, 1)
    canceled = await bare.commands.cancel(low, 1)

    assert canceled == await bare.commands.cancel(canceled, 1)
    assert 1 == venue.calls.count("cancel")


async def test_a_list_where_none_are_taken_is_not_sent(venue: FakeVenue, bare: BareDesk) -> None:
    bare.blotter.adapter = SimpleNamespace(context=bare.blotter.adapter.context)  # type: ignore[assignment]

    rows = await bare.desk.submit_list(PAIR, Contingency.NONE, 1, all_or_none=False)

    assert [UnsupportedError] * 2 == [type(row.error) for row in rows]
    assert [] == venue.calls


async def test_f18_a_row_of_a_list_about_another_order_proves_nothing(
    venue: FakeVenue, bare: BareDesk
) -> None:
    rows = [
        CommandResult(client_order_id="a", order=venue.order_of(PAIR[0], 1, symbol="MSFT")),
        CommandResult(client_order_id="b", order=venue.order_of(PAIR[1], 2)),
    ]
    venue.script("submit_list", rows)

    wrong, right = await bare.desk.submit_list(PAIR, Contingency.NONE, 0.02, all_or_none=False)

    assert isinstance(wrong.error, OutcomeUnknownError)
    assert (None, OrderStatus.OPEN) == (right.error, right.order and right.order.status)


async def test_other_orders_are_not_taken_for_what_carries_one_on(
    venue: FakeVenue, emulated: BareDesk
) -> None:
    low = await emulated.desk.submit(LOW, 1)
    await emulated.commands.replace(low, CHEAPER, 1)

    other = await emulated.desk.submit(PAIR[0], 1)

    assert ("a", 0) == (other.client_order_id, other.revision)
    assert 3 == venue.calls.count("submit")


async def test_a_look_that_times_out_is_no_miss(venue: FakeVenue, bare: BareDesk) -> None:
    venue.script("submit", LOST)
    venue.script("fetch_order", None, TimeoutError())
    with pytest.raises(OutcomeUnknownError):
        await bare.desk.submit(LOW, 0.01)

    await venue.clock.advance(seconds=0.8)
    after_two = bare.blotter.order("low").status
    await venue.clock.advance(seconds=5)

    assert (OrderStatus.UNKNOWN, OrderStatus.REJECTED) == (
        after_two,
        bare.blotter.order("low").status,
    )


async def test_two_looks_at_once_are_one_miss(venue: FakeVenue, bare: BareDesk) -> None:
    venue.script("submit", LOST)
    with pytest.raises(OutcomeUnknownError):
        await bare.desk.submit(LOW, 0.01)

    for _ in range(5):
        bare.desk.resolver.hurry()
        await settle()

    assert 6 == venue.calls.count("fetch_order")
    assert OrderStatus.UNKNOWN is bare.blotter.order("low").status


async def test_a_venue_that_flaps_is_not_caught_up_with_at_each_turn(
    venue: FakeVenue, bare: BareDesk
) -> None:
    venue.script("submit", TAKEN)
    venue.script("fetch_order", *[LOST, None] * 50)
    with pytest.raises(OutcomeUnknownError):
        await bare.desk.submit(LOW, 0.01)

    await venue.clock.advance(seconds=10)

    assert venue.calls.count("fetch_order") <= 9


def test_what_is_not_on_its_way_can_neither_fail_nor_end() -> None:
    sendings = Sendings()

    sendings.fail("low", LOST)
    sendings.end(["low"])

    assert {} == sendings.flights()


def test_what_is_not_tracked_is_no_news() -> None:
    tracker = OrderTracker("one", "fake")
    stranger = FakeVenue().order_of(LOW, 1)

    tracker.restore(OrderHistory("low", None, ()))
    tracker.forget("low")

    assert [] == tracker.execute(fill_of(stranger, 1, 4), EventSource.STREAM, 1)
    assert () == tracker.orders()


def test_a_leg_taken_off_by_a_change_to_come_is_still_there() -> None:
    first = FakeVenue().order_of(attrs.evolve(LOW, stop_loss=STOP), 1)
    record = OrderRecord(first, is_own=True)
    record.take_off(["stop_loss"], 1)
    record.see(attrs.evolve(first, stop_loss=None, limit_price=D(6), updated_at_ns=20))
    before = record.order.stop_loss

    record.see(attrs.evolve(first, stop_loss=None, revision=1, updated_at_ns=30))

    assert (STOP, None) == (before, record.order.stop_loss)


async def test_what_waited_while_the_stream_went_down_is_not_sent(
    venue: FakeVenue, bare: BareDesk
) -> None:
    venue.asks_permits = True
    low = await bare.desk.submit(LOW, 1)
    closing = attrs.evolve(LOW, client_order_id="out", position_effect=PositionEffect.CLOSE)
    bare.is_live = False

    for call in (bare.desk.submit(PAIR[0], 1), bare.commands.replace(low, CHEAPER, 1)):
        with pytest.raises(ReconcilingError) as raised:
            await call
        assert Outcome.NOT_SENT is raised.value.outcome
    rows = await bare.desk.submit_list([PAIR[1]], Contingency.NONE, 1, all_or_none=False)
    with bare.blotter.halt.closing():
        under_closing = await bare.desk.submit(attrs.evolve(LOW, client_order_id="c"), 1)
    closed = await bare.desk.submit(closing, 1)
    canceled = await bare.commands.cancel(low, 1)

    assert [ReconcilingError] == [type(row.error) for row in rows]
    assert [OrderStatus.OPEN] * 2 == [closed.status, under_closing.status]
    assert OrderStatus.CANCELED is canceled.status
    assert ["submit"] * 3 == venue.written
