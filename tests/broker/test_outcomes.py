"""What becomes of an order whose fate is unknown: evidence settles it, and nothing else does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from dragoman import (
    AlarmKind,
    Broker,
    ConnectFailedError,
    ConnectionState,
    EventSource,
    Order,
    OrderEventKind,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    Outcome,
    OutcomeUnknownError,
    RateLimitedError,
    RejectReason,
    UnknownReason,
    VenueUnavailableError,
)
from dragoman.capabilities import ClientIdRule, ReadFeature
from dragoman.errors import DecodeError
from dragoman.orders.desk import Flight

from .alarms import Ear
from .bare_desk import bare_desk
from .fake_adapter import BUY, FakeVenue, connection, event, fill_of, filled, history, settle

D = Decimal
Kind = OrderEventKind
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")
LOST = VenueUnavailableError("503", outcome=Outcome.UNKNOWN)
RESET = OutcomeUnknownError("reset", reason=UnknownReason.CONNECTION_LOST)
Rejected = OrderRejectedError
TAKEN = OrderRejectedError("taken", reason=RejectReason.DUPLICATE_CLIENT_ORDER_ID)
QUIET = {"reconcile_every_s": 1e6, "timeout_s": 5}
SLOW_TO_SHOW = ClientIdRule(visibility_delay_s=2.0)


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect(**QUIET) as broker:
        yield broker


def waiting() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def kinds(broker: Broker, name: str = "low") -> list[OrderEventKind]:
    return [one.kind for one in history(broker) if one.order.client_order_id == name]


def status(broker: Broker, name: str = "low") -> OrderStatus | None:
    order = broker.state.order(name)
    return order and order.status


def looks(venue: FakeVenue) -> int:
    return venue.calls.count("fetch_order")


async def sent(broker: Broker, request: OrderRequest = LOW) -> "asyncio.Future[Any]":
    caller = asyncio.ensure_future(broker.submit(request, timeout_s=60))
    await settle()
    return caller


def shows(venue: FakeVenue, request: OrderRequest = LOW, **facts: Any) -> Callable[..., Any]:
    """Take an order, and lose the answer."""

    def take(_: object) -> Exception:
        name = request.client_order_id or ""
        venue.shown[name] = venue.order_of(request, 1, **facts)
        return RESET

    return take


async def test_f05_reset_before_the_response_leaves_one_order(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", shows(venue))

    order = await broker.submit(LOW, timeout_s=60)

    assert (OrderStatus.OPEN, ("v1",)) == (order.status, order.venue_order_ids)
    assert (1, 1) == (venue.calls.count("submit"), looks(venue))
    assert () == broker._session.desk.resolver.unresolved


@pytest.mark.parametrize(
    ("row", "failure"),
    {
        "f06": DecodeError("the body ends in the middle"),
        "f08": LOST,
        "f17": OutcomeUnknownError("HTML", reason=UnknownReason.BAD_RESPONSE),
    }.items(),
    ids=["f06", "f08", "f17"],
)
async def test_f06_f08_f17_an_answer_that_proves_nothing_is_settled_by_a_look(
    venue: FakeVenue, broker: Broker, row: str, failure: Exception
) -> None:
    del row
    venue.shown["low"] = venue.order_of(LOW, 1)
    venue.script("submit", failure)

    order = await broker.submit(LOW, timeout_s=60)

    assert OrderStatus.OPEN is order.status
    assert [Kind.SUBMITTED, Kind.OUTCOME_UNKNOWN, Kind.ACCEPTED] == kinds(broker)
    assert 1 == venue.calls.count("submit")


async def test_f07_a_response_later_than_the_timeout_is_taken_in(
    venue: FakeVenue, broker: Broker
) -> None:
    answer = waiting()
    venue.script("submit", answer)
    with pytest.raises(OutcomeUnknownError) as raised:
        await broker.submit(LOW, timeout_s=0.01)

    answer.set_result(venue.order_of(LOW, 1))
    await settle()

    assert UnknownReason.TIMEOUT is raised.value.reason
    assert OrderStatus.OPEN is status(broker)
    assert [Kind.SUBMITTED, Kind.OUTCOME_UNKNOWN, Kind.ACCEPTED] == kinds(broker)
    assert 1 == venue.calls.count("submit")


async def test_f07_an_order_still_on_its_way_is_never_called_absent(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", waiting())
    with pytest.raises(OutcomeUnknownError):
        await broker.submit(LOW, timeout_s=0.01)

    await venue.clock.advance(seconds=300)

    assert looks(venue) > 5
    assert OrderStatus.UNKNOWN is status(broker)


async def test_f09_stream_evidence_ends_the_lookup_at_once(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", LOST)
    caller = await sent(broker)
    before = looks(venue)

    venue.shown["low"] = venue.order_of(LOW, 1)
    venue.stream(event(Kind.ACCEPTED, venue.shown["low"]))
    await settle()
    await venue.clock.advance(seconds=120)

    assert OrderStatus.OPEN is (await caller).status
    assert (before, 1) == (looks(venue), venue.calls.count("submit"))
    assert () == broker._session.desk.resolver.unresolved


async def test_f09_stream_evidence_during_a_look_ends_the_lookup(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", LOST)
    venue.script("fetch_order", waiting())
    caller = await sent(broker)

    venue.shown["low"] = venue.order_of(LOW, 1)
    venue.stream(event(Kind.ACCEPTED, venue.shown["low"]))
    await settle()
    await venue.clock.advance(seconds=120)

    assert OrderStatus.OPEN is (await caller).status
    assert 1 == looks(venue)


async def test_f10_a_fill_before_the_response_follows_one_acceptance(
    venue: FakeVenue, broker: Broker
) -> None:
    answer = waiting()
    venue.script("submit", answer)
    caller = await sent(broker)

    venue.stream(filled(venue.order_of(LOW, 1), 1, 4, 4))
    await settle()
    answer.set_result(venue.order_of(LOW, 1))
    await settle()

    assert D(4) == (await caller).filled_quantity
    assert [Kind.SUBMITTED, Kind.ACCEPTED, Kind.FILL] == kinds(broker)


async def test_f11_the_stream_alone_ends_the_wait(venue: FakeVenue, broker: Broker) -> None:
    venue.script("submit", waiting())
    caller = await sent(broker)

    venue.stream(event(Kind.ACCEPTED, venue.order_of(LOW, 1)))
    await settle()

    assert OrderStatus.OPEN is (await caller).status


async def test_f12_not_found_within_the_visibility_delay_is_no_rejection() -> None:
    venue = FakeVenue()
    venue.capabilities = attrs.evolve(venue.capabilities, client_ids=SLOW_TO_SHOW)
    venue.script("submit", RESET)
    async with venue.connect(**QUIET) as broker:
        caller = await sent(broker)
        await venue.clock.advance(seconds=1.9)
        early = (looks(venue), status(broker))
        await venue.clock.advance(seconds=0.2)
        once = (looks(venue), status(broker))

        venue.shown["low"] = venue.order_of(LOW, 1)
        await venue.clock.advance(seconds=4)

        assert (0, OrderStatus.UNKNOWN) == early
        assert (1, OrderStatus.UNKNOWN) == once
        assert OrderStatus.OPEN is (await caller).status
        assert Kind.REJECTED not in kinds(broker)


async def test_f12_absence_is_proved_by_two_looks_and_a_second_source() -> None:
    venue = FakeVenue()
    venue.capabilities = attrs.evolve(
        venue.capabilities,
        client_ids=SLOW_TO_SHOW,
        reads=frozenset({ReadFeature.ORDER_HISTORY}),
    )
    venue.script("submit", RESET)
    async with venue.connect(**QUIET) as broker:
        caller = await sent(broker)
        venue.calls.clear()
        await venue.clock.advance(seconds=6)

        with pytest.raises(OrderRejectedError) as raised:
            await caller
        order = broker.state.order("low")

    assert order is not None
    assert (RejectReason.NEVER_ARRIVED, Outcome.REJECTED) == (
        raised.value.reason,
        raised.value.outcome,
    )
    assert (OrderStatus.REJECTED, RejectReason.NEVER_ARRIVED) == (
        order.status,
        order.reject_reason,
    )
    looked = [one for one in venue.calls if one in _LOOKS]
    assert ["fetch_order", "fetch_order", "fetch_open_orders", "fetch_orders"] == looked
    assert [Kind.SUBMITTED, Kind.OUTCOME_UNKNOWN, Kind.REJECTED] == kinds(broker)


_LOOKS = ("fetch_order", "fetch_open_orders", "fetch_orders")


@pytest.mark.parametrize("where", ["open orders", "history"])
async def test_f12_an_order_that_only_the_second_source_shows_lives(where: str) -> None:
    venue = FakeVenue()
    reads = frozenset({ReadFeature.ORDER_HISTORY})
    venue.capabilities = attrs.evolve(venue.capabilities, reads=reads)
    made = venue.order_of(LOW, 1)
    full = attrs.evolve(made, status=OrderStatus.FILLED, filled_quantity=D(10))
    venue.script("submit", RESET)
    async with venue.connect(**QUIET) as broker:
        if where == "open orders":
            venue.script("fetch_open_orders", (made,))
        else:
            venue.history = [full]
        caller = await sent(broker)
        await venue.clock.advance(seconds=3)

        expected = OrderStatus.OPEN if where == "open orders" else OrderStatus.FILLED
        assert expected is (await caller).status


@pytest.mark.parametrize("call", ["fetch_order", "fetch_open_orders"])
async def test_a_look_that_fails_proves_no_absence(
    venue: FakeVenue, broker: Broker, call: str
) -> None:
    venue.script("submit", RESET)
    venue.script(call, *[LOST] * 1_000)

    await sent(broker)
    await venue.clock.advance(seconds=120)

    assert OrderStatus.UNKNOWN is status(broker)
    assert ("low",) == broker._session.desk.resolver.unresolved


async def test_nothing_is_proved_absent_while_the_stream_is_down(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", RESET)
    venue.stream(connection(ConnectionState.DISCONNECTED))
    caller = asyncio.ensure_future(broker._session.desk.submit(LOW, 60))
    await settle()
    await venue.clock.advance(seconds=60)
    down = status(broker)

    venue.stream(connection(ConnectionState.RECONNECTED))
    await settle()
    await venue.clock.advance(seconds=60)

    assert (OrderStatus.UNKNOWN, OrderStatus.REJECTED) == (down, status(broker))
    with pytest.raises(OrderRejectedError):
        await caller


async def test_f13_a_taken_id_that_is_not_to_be_seen_is_never_called_absent(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", TAKEN)

    caller = await sent(broker)
    await venue.clock.advance(seconds=60)
    unknown = status(broker)
    venue.shown["low"] = venue.order_of(LOW, 1)
    await venue.clock.advance(seconds=60)

    assert OrderStatus.UNKNOWN is unknown
    assert OrderStatus.OPEN is (await caller).status


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RateLimitedError("429", retry_after=20), OrderStatus.UNKNOWN),
        (RateLimitedError("429", outcome=Outcome.REJECTED), OrderStatus.REJECTED),
    ],
)
async def test_f15_a_throttled_submit_is_refused_only_where_the_venue_says_so(
    venue: FakeVenue, broker: Broker, error: Exception, expected: OrderStatus
) -> None:
    venue.script("submit", error)

    caller = await sent(broker)

    assert expected is status(broker)
    caller.cancel()


async def test_f15_a_throttled_look_waits_as_long_as_it_was_told(venue: FakeVenue) -> None:
    venue.script("submit", RESET)
    venue.script("fetch_order", RateLimitedError("429", retry_after=20))
    async with bare_desk(venue) as bare:
        with pytest.raises(OutcomeUnknownError):
            await bare.desk.submit(LOW, 0.01)

        await venue.clock.advance(seconds=19)
        paced = looks(venue)
        await venue.clock.advance(seconds=1.2)

        assert (1, 2) == (paced, looks(venue))


WRONG: dict[str, dict[str, Any]] = {
    "another id": {"client_order_id": "n7"},
    "another symbol": {"symbol": "MSFT"},
}


@pytest.mark.parametrize("facts", WRONG.values(), ids=WRONG)
async def test_f18_a_response_about_another_order_is_looked_into(
    venue: FakeVenue, broker: Broker, facts: dict[str, Any]
) -> None:
    venue.shown["low"] = venue.order_of(LOW, 1)
    venue.script("submit", venue.order_of(LOW, 9, **facts))

    order = await broker.submit(LOW, timeout_s=60)

    assert (OrderStatus.OPEN, "v1") == (order.status, order.venue_order_id)
    assert [Kind.SUBMITTED, Kind.OUTCOME_UNKNOWN, Kind.ACCEPTED] == kinds(broker)


async def test_f18_an_empty_response_is_a_bug_that_is_reported_and_looked_into(
    venue: FakeVenue, broker: Broker
) -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    venue.shown["low"] = venue.order_of(LOW, 1)
    venue.script("submit", lambda _: None)

    order = await broker.submit(LOW, timeout_s=60)
    venue.stream(filled(venue.order_of(LOW, 1), 1, 4, 4))
    await settle()

    assert (OrderStatus.OPEN, 1) == (order.status, len(reported))
    assert OrderStatus.PARTIALLY_FILLED is status(broker)


async def test_a_bug_in_a_look_does_not_end_the_search(venue: FakeVenue, broker: Broker) -> None:
    venue.script("submit", RESET)
    venue.script("fetch_order", KeyError("id"))

    caller = await sent(broker)
    venue.shown["low"] = venue.order_of(LOW, 1)
    await venue.clock.advance(seconds=2)

    assert OrderStatus.OPEN is (await caller).status


@pytest.mark.parametrize("outcome", ["order", "fill"])
async def test_an_order_proved_absent_that_shows_up_lives_again_with_an_alarm(
    venue: FakeVenue, broker: Broker, outcome: str
) -> None:
    ear = Ear(broker)
    venue.script("submit", RESET)
    caller = await sent(broker)
    await venue.clock.advance(seconds=3)
    absent = status(broker)
    with pytest.raises(OrderRejectedError):
        await caller

    made = venue.order_of(LOW, 1)
    if outcome == "order":
        venue.stream(filled(made, 1, 4, 4))
        await settle()
    else:
        fills = broker._session.tracker.execute(fill_of(made, 1, 4), EventSource.RECONCILED, 5)
        broker._session.tell(fills)
        await settle()

    order = broker.state.order("low")
    assert order is not None
    assert OrderStatus.REJECTED is absent
    assert (OrderStatus.PARTIALLY_FILLED, D(4), None) == (
        order.status,
        order.filled_quantity,
        order.reject_reason,
    )
    assert [Kind.REJECTED, Kind.ADOPTED, Kind.FILL] == kinds(broker)[-3:]
    assert [(AlarmKind.RESURRECTED, "low")] == ear.heard()
    assert order == await broker.submit(LOW)
    assert 1 == venue.calls.count("submit")


async def test_an_order_proved_absent_is_not_sent_again_under_its_id(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", RESET)
    caller = await sent(broker)
    await venue.clock.advance(seconds=3)
    await asyncio.gather(caller, return_exceptions=True)

    with pytest.raises(OrderRejectedError) as raised:
        await broker.submit(LOW)

    assert RejectReason.NEVER_ARRIVED is raised.value.reason
    assert 1 == venue.calls.count("submit")


async def test_a_late_rejection_of_an_order_proved_absent_is_no_alarm(
    venue: FakeVenue, broker: Broker
) -> None:
    ear = Ear(broker)
    venue.script("submit", RESET)
    await sent(broker)
    await venue.clock.advance(seconds=3)

    refused = venue.order_of(LOW, 1, status=OrderStatus.REJECTED, reason="no")
    venue.stream(event(Kind.REJECTED, refused))
    await settle()

    assert (OrderStatus.REJECTED, []) == (status(broker), ear.heard())


async def test_a_silent_venue_is_asked_for_ever_less_and_less_and_alarmed_about_once(
    venue: FakeVenue,
) -> None:
    venue.script("submit", RESET)
    venue.script("fetch_order", *[LOST] * 1_000)
    async with bare_desk(venue) as bare:
        with pytest.raises(OutcomeUnknownError):
            await bare.desk.submit(LOW, 0.01)

        await venue.clock.advance(seconds=9.9)
        early = tuple(bare.alarms)
        await venue.clock.advance(seconds=3_600)

        assert ((), [(AlarmKind.OUTCOME_UNRESOLVED, "low")]) == (early, bare.alarms)
        assert 3_600 / 31 <= looks(venue) <= 3_600 / 30 + 10
        assert 1 == venue.calls.count("submit")
        venue.answers.clear()
        venue.shown["low"] = venue.order_of(LOW, 1)
        bare.desk.resolver.hurry()
        await settle()
        assert OrderStatus.OPEN is bare.blotter.order("low").status


async def test_the_deadline_does_not_run_while_the_venue_is_out_of_reach(venue: FakeVenue) -> None:
    venue.script("submit", RESET)
    venue.script("fetch_order", *[LOST] * 10)
    async with bare_desk(venue) as bare:
        bare.is_live = False
        with pytest.raises(OutcomeUnknownError):
            await bare.desk.submit(LOW, 0.01)

        await venue.clock.advance(seconds=60)
        out_of_reach = tuple(bare.alarms)
        bare.is_live = True
        await venue.clock.advance(seconds=45)

        assert ((), [(AlarmKind.OUTCOME_UNRESOLVED, "low")]) == (out_of_reach, bare.alarms)


async def test_a_thousand_unknown_orders_do_not_storm_the_venue(venue: FakeVenue) -> None:
    requests = [attrs.evolve(LOW, client_order_id=f"n{number}") for number in range(1_000)]
    venue.script("submit", *[RESET] * 1_000)
    for number in range(900):
        made = venue.order_of(requests[number], number, account_id="one")
        venue.shown[f"n{number}"] = made
    async with bare_desk(venue) as bare:
        callers = [asyncio.ensure_future(bare.desk.submit(one, 60)) for one in requests]
        await settle()
        await venue.clock.advance(seconds=1)
        at_first = looks(venue)
        await venue.clock.advance(seconds=30)
        found = await asyncio.gather(*callers, return_exceptions=True)

    assert at_first <= 100
    assert [900, 100] == [sum(isinstance(one, kind) for one in found) for kind in (Order, Rejected)]
    assert venue.calls.count("fetch_open_orders") <= 4
    assert looks(venue) <= 300


@pytest.mark.parametrize(("has_history", "expected"), [(True, "REJECTED"), (False, "UNKNOWN")])
async def test_without_lookup_by_id_absence_needs_the_history(
    *, has_history: bool, expected: str
) -> None:
    venue = FakeVenue()
    reads = frozenset({ReadFeature.ORDER_HISTORY}) if has_history else frozenset()
    rule = ClientIdRule(can_look_up=False)
    venue.capabilities = attrs.evolve(venue.capabilities, client_ids=rule, reads=reads)
    venue.script("submit", RESET)
    async with bare_desk(venue) as bare:
        caller = asyncio.ensure_future(bare.desk.submit(LOW, 60))
        await venue.clock.advance(seconds=60)

        assert (expected, 0) == (bare.blotter.order("low").status, looks(venue))
        caller.cancel()


@pytest.mark.parametrize(("failure", "expected"), [(RESET, "REJECTED"), (TAKEN, "UNKNOWN")])
async def test_without_lookup_by_id_absence_needs_two_pictures(
    venue: FakeVenue, failure: Exception, expected: str
) -> None:
    venue.capabilities = attrs.evolve(
        venue.capabilities,
        client_ids=ClientIdRule(can_look_up=False),
        reads=frozenset({ReadFeature.ORDER_HISTORY}),
    )
    venue.script("submit", failure)
    async with bare_desk(venue) as bare:
        with pytest.raises(OutcomeUnknownError):
            await bare.desk.submit(LOW, 0.01)
        pictures, once = venue.calls.count("fetch_orders"), bare.blotter.order("low").status
        await venue.clock.advance(seconds=10)

        assert (1, OrderStatus.UNKNOWN) == (pictures, once)
        assert expected == bare.blotter.order("low").status


async def test_without_lookup_by_id_an_order_of_the_same_terms_may_be_the_one() -> None:
    venue = FakeVenue()
    venue.capabilities = attrs.evolve(
        venue.capabilities,
        client_ids=ClientIdRule(can_look_up=False),
        reads=frozenset({ReadFeature.ORDER_HISTORY}),
    )
    venue.script("submit", RESET)
    async with venue.connect(**QUIET) as broker:
        venue.history = [venue.order_of(LOW, 1, client_order_id="ext-v1")]
        caller = await sent(broker)
        await venue.clock.advance(seconds=60)

        assert OrderStatus.UNKNOWN is status(broker)
        caller.cancel()


async def test_an_adapter_that_denies_what_it_wrote_is_not_believed(
    venue: FakeVenue, broker: Broker
) -> None:
    ear = Ear(broker)
    venue.asks_permits = True
    venue.shown["low"] = venue.order_of(LOW, 1)
    venue.script("submit", ConnectFailedError("refused"))

    order = await broker.submit(LOW, timeout_s=60)
    await settle()

    assert OrderStatus.OPEN is order.status
    assert [(AlarmKind.ADAPTER_LIED, "low")] == ear.heard()


async def _until(is_so: Callable[[], bool]) -> None:
    """Go on turn by turn, and not one turn more."""
    while not is_so():  # noqa: ASYNC110 - the very turn matters here
        await asyncio.sleep(0)


async def test_what_is_in_flight_is_told_apart_by_its_permit(
    venue: FakeVenue, broker: Broker
) -> None:
    desk = broker._session.desk
    await broker.instrument("AAPL")
    answers = [waiting() for _ in range(2)]
    venue.script("submit", *answers)
    first = await sent(broker, attrs.evolve(LOW, client_order_id="silent"))
    unproved = desk.in_flight()
    venue.asks_permits = True
    second = await sent(broker, attrs.evolve(LOW, client_order_id="written"))
    third = asyncio.ensure_future(broker.submit(LOW, timeout_s=60))
    await _until(lambda: "low" in desk.in_flight())
    broker.halt()

    assert {"silent": Flight.UNKNOWN} == unproved
    assert {"silent": "UNSENT", "written": "SENT", "low": "UNSENT"} == desk.in_flight()
    for caller in (first, second, third):
        caller.cancel()
    await asyncio.gather(first, second, third, return_exceptions=True)


async def test_f71_a_list_that_is_lost_is_looked_up_order_by_order(
    venue: FakeVenue, broker: Broker
) -> None:
    pair = [attrs.evolve(LOW, client_order_id=name) for name in "ab"]
    venue.shown["b"] = venue.order_of(pair[1], 2)
    venue.script("submit_list", RESET)

    caller = asyncio.ensure_future(broker.submit_list(pair, timeout_s=60))
    await settle()
    before = (status(broker, "a"), status(broker, "b"))
    await venue.clock.advance(seconds=3)
    absent, alive = await caller

    assert (OrderStatus.UNKNOWN, OrderStatus.OPEN) == before
    assert isinstance(absent.error, OrderRejectedError)
    assert RejectReason.NEVER_ARRIVED is absent.error.reason
    assert (None, OrderStatus.OPEN) == (alive.error, alive.order and alive.order.status)
    assert 1 == venue.calls.count("submit_list")


async def test_an_intent_of_an_earlier_process_is_looked_for_and_never_sent(
    venue: FakeVenue, broker: Broker
) -> None:
    session = broker._session
    session.spread(session.journal.begin([LOW], [session.tracker.register(LOW, 1)]))
    venue.shown["low"] = venue.order_of(LOW, 1)

    session.desk.resolve_unproved()
    await settle()

    assert OrderStatus.OPEN is status(broker)
    assert 0 == venue.calls.count("submit")


async def test_closing_while_an_order_is_looked_for_and_on_its_way_reports_nothing(
    venue: FakeVenue,
) -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    venue.script("submit", waiting())
    async with venue.connect(**QUIET) as broker:
        with pytest.raises(OutcomeUnknownError):
            await broker.submit(LOW, timeout_s=0.01)

    await settle()

    assert [] == reported


async def test_a_venue_that_is_back_settles_all_fates_within_the_deadline(venue: FakeVenue) -> None:
    requests = [attrs.evolve(LOW, client_order_id=f"n{number}") for number in range(3)]
    venue.script("submit", *[RESET] * 3)
    venue.script("fetch_order", *[LOST] * 1_000)
    async with bare_desk(venue) as bare:
        for request in requests:
            with pytest.raises(OutcomeUnknownError):
                await bare.desk.submit(request, 0.01)
        await venue.clock.advance(seconds=600)
        before = looks(venue)
        venue.answers.clear()
        while looks(venue) == before:
            await venue.clock.advance(seconds=0.1)
        await venue.clock.advance(seconds=10)

        assert () == bare.desk.resolver.unresolved
        assert {OrderStatus.REJECTED} == {one.status for one in bare.tracker.orders()}
