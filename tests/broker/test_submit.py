"""What the caller of submit learns, whatever comes first, twice or never."""

import asyncio
import decimal
from collections.abc import AsyncIterator
from decimal import Decimal

import attrs
import pytest

from dragoman import (
    AuthenticationError,
    Broker,
    ClosedError,
    ConnectFailedError,
    DuplicateOrderError,
    HaltedError,
    LimitExceededError,
    OrderEventKind,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    Outcome,
    OutcomeUnknownError,
    RejectReason,
    RiskLimits,
    UnknownReason,
    VenueUnavailableError,
)
from dragoman.models import Quote

from .fake_adapter import (
    BUY,
    SELL,
    FakeVenue,
    event,
    filled,
    history,
    instrument,
    moved,
    position,
    settle,
    until_told,
)

D = Decimal
Kind = OrderEventKind
TAKEN = OrderRejectedError("taken", reason=RejectReason.DUPLICATE_CLIENT_ORDER_ID)
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")


def kinds(broker: Broker) -> list[OrderEventKind]:
    return [one.kind for one in history(broker)]


def buy(number: int, quantity: object = 1) -> OrderRequest:
    return OrderRequest.limit("AAPL", BUY, quantity, "5", client_order_id=f"n{number}")  # type: ignore[arg-type]


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect() as broker:
        yield broker


def waiting() -> asyncio.Future[object]:
    return asyncio.get_running_loop().create_future()


async def test_stream_evidence_without_any_event_to_tell_ends_the_wait(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", waiting())
    caller = asyncio.ensure_future(broker.submit(LOW, timeout_s=30))
    await settle()

    seen = venue.order_of(LOW, 1, status=OrderStatus.PENDING)
    venue.stream(event(Kind.SUBMITTED, seen))
    await settle()

    assert caller.done()
    assert OrderStatus.PENDING is caller.result().status
    assert [Kind.SUBMITTED] == kinds(broker)


async def test_an_order_on_its_way_is_not_told_as_accepted(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", lambda request: venue.order_of(request, 1, status=OrderStatus.PENDING))

    await broker.submit(LOW)
    before = kinds(broker)
    venue.stream(filled(venue.order_of(LOW, 1), 1, 4, 4))
    await settle()

    assert [Kind.SUBMITTED] == before
    assert [Kind.SUBMITTED, Kind.ACCEPTED, Kind.FILL] == kinds(broker)


async def test_an_answer_that_never_comes_is_unknown_and_told_once(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", waiting())

    callers = [broker.submit(LOW, timeout_s=limit) for limit in (0.01, 0.02, 0.03)]
    errors = await asyncio.gather(*callers, return_exceptions=True)

    assert [UnknownReason.TIMEOUT] * 3 == [error.reason for error in errors]  # type: ignore[union-attr]
    assert [Kind.SUBMITTED, Kind.OUTCOME_UNKNOWN] == kinds(broker)
    assert ("low",) == broker.halt().unknown


async def test_every_caller_of_an_order_never_sent_learns_that(
    venue: FakeVenue, broker: Broker
) -> None:
    answer = waiting()
    venue.script("submit", answer)
    callers = [asyncio.ensure_future(broker.submit(LOW, timeout_s=5)) for _ in range(3)]
    await settle()

    answer.set_exception(ConnectFailedError("refused"))
    errors = await asyncio.gather(*callers, return_exceptions=True)

    assert [(ConnectFailedError, Outcome.NOT_SENT)] * 3 == [
        (type(error), error.outcome)  # type: ignore[union-attr]
        for error in errors
    ]
    order = broker.state.order("low")
    assert order is not None
    assert RejectReason.NEVER_ARRIVED is order.reject_reason


async def test_an_old_failure_is_not_raised_again_once_the_venue_has_spoken(
    venue: FakeVenue, broker: Broker
) -> None:
    busy = VenueUnavailableError("503", outcome=Outcome.UNKNOWN)
    venue.script("submit", busy)
    with pytest.raises(OutcomeUnknownError):
        await broker.submit(LOW, timeout_s=0.01)
    venue.stream(
        event(
            Kind.REJECTED,
            venue.order_of(LOW, 1, status=OrderStatus.REJECTED, reason="no", updated_at_ns=20),
        )
    )
    await settle()

    with pytest.raises(OrderRejectedError) as raised:
        await broker.submit(LOW)

    assert Outcome.REJECTED is raised.value.outcome


async def test_nothing_is_kept_of_failures_nobody_waits_for(
    venue: FakeVenue, broker: Broker
) -> None:
    for number in range(3):
        answer = waiting()
        venue.script("submit", answer)
        caller = asyncio.ensure_future(broker.submit(buy(number), timeout_s=5))
        await settle()
        caller.cancel()
        await settle()
        answer.set_exception(VenueUnavailableError("503", outcome=Outcome.UNKNOWN))
        await settle()

    assert 0 == len(broker._session.desk.sendings)
    assert {} == broker._session.watch._waiting


async def test_a_definite_refusal_outweighs_an_order_that_was_only_on_its_way(
    venue: FakeVenue, broker: Broker
) -> None:
    answer = waiting()
    venue.script("submit", answer)
    caller = asyncio.ensure_future(broker.submit(LOW, timeout_s=5))
    await settle()
    venue.stream(event(Kind.SUBMITTED, venue.order_of(LOW, 1, status=OrderStatus.PENDING)))
    await settle()
    await caller

    answer.set_exception(OrderRejectedError("no", reason=RejectReason.RISK_LIMIT))
    await settle()

    order = broker.state.order("low")
    assert order is not None
    assert (OrderStatus.REJECTED, RejectReason.RISK_LIMIT) == (order.status, order.reject_reason)
    assert [Kind.SUBMITTED, Kind.REJECTED] == kinds(broker)


async def test_a_refusal_as_duplicate_of_an_order_the_venue_shows_is_no_refusal(
    venue: FakeVenue, broker: Broker
) -> None:
    answer = waiting()
    venue.script("submit", answer)
    caller = asyncio.ensure_future(broker.submit(LOW, timeout_s=5))
    await settle()
    venue.stream(event(Kind.SUBMITTED, venue.order_of(LOW, 1, status=OrderStatus.PENDING)))
    await settle()

    answer.set_exception(OrderRejectedError("taken", reason=RejectReason.DUPLICATE_CLIENT_ORDER_ID))
    await settle()

    assert OrderStatus.PENDING is (await caller).status
    assert ("low",) == tuple(order.client_order_id for order in broker.state.open_orders)


async def test_an_order_that_was_never_sent_lives_again_if_the_venue_shows_it(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", ConnectFailedError("refused"))
    with pytest.raises(ConnectFailedError):
        await broker.submit(LOW)

    venue.stream(filled(venue.order_of(LOW, 1), 1, 4, 4))
    await settle()

    order = broker.state.order("low")
    assert order is not None
    assert (OrderStatus.PARTIALLY_FILLED, D(4)) == (order.status, order.filled_quantity)
    assert [Kind.SUBMITTED, Kind.REJECTED, Kind.ADOPTED, Kind.FILL] == kinds(broker)
    assert order == await broker.submit(LOW)
    assert 1 == venue.calls.count("submit")


async def test_a_response_about_another_order_proves_nothing(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", venue.order_of(buy(7), 1))

    with pytest.raises(OutcomeUnknownError) as raised:
        await broker.submit(LOW, timeout_s=0.01)

    assert UnknownReason.BAD_RESPONSE is raised.value.reason
    assert None is broker.state.order("n7")


async def test_the_id_of_an_order_placed_elsewhere_is_taken(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.stream(event(Kind.ACCEPTED, venue.order_of(LOW, 1)))
    await settle()

    with pytest.raises(DuplicateOrderError, match="limit_price") as raised:
        await broker.submit(attrs.evolve(LOW, limit_price=D(4)))
    same = await broker.submit(LOW)

    assert Outcome.NOT_SENT is raised.value.outcome
    assert OrderStatus.OPEN is same.status
    assert "submit" not in venue.calls


async def test_the_same_terms_by_an_alias_are_the_same_order(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.instruments["AAPL"] = instrument(aliases=("apple",))
    named = attrs.evolve(LOW, symbol="apple")

    first = await broker.submit(named)
    again = await broker.submit(named)

    assert first == again
    assert 1 == venue.calls.count("submit")


async def test_a_read_that_fails_before_the_order_leaves_says_not_sent(
    venue: FakeVenue, broker: Broker
) -> None:
    failures = [
        VenueUnavailableError("503", outcome=Outcome.UNKNOWN),
        OutcomeUnknownError("timeout", reason=UnknownReason.TIMEOUT),
        AuthenticationError("expired"),
    ]
    venue.script("fetch_instrument", *failures)

    found = [await asyncio.gather(broker.submit(LOW), return_exceptions=True) for _ in failures]

    assert [Outcome.NOT_SENT] * 3 == [error.outcome for (error,) in found]  # type: ignore[union-attr]
    assert not any(isinstance(error, OutcomeUnknownError) for (error,) in found)
    assert [] == kinds(broker)


async def test_halt_stops_an_order_that_waits_in_the_checks(
    venue: FakeVenue, broker: Broker
) -> None:
    answer = waiting()
    venue.script("fetch_instrument", answer)
    caller = asyncio.ensure_future(broker.submit(LOW))
    await settle()

    await asyncio.to_thread(broker.halt)
    answer.set_result(venue.instruments["AAPL"])

    with pytest.raises(HaltedError):
        await caller
    assert "submit" not in venue.calls


async def test_halt_stops_an_order_written_down_but_not_yet_sent(
    venue: FakeVenue, broker: Broker
) -> None:
    await broker.instrument("AAPL")
    caller = asyncio.ensure_future(broker.submit(LOW))
    await until_told(broker)

    broker.halt()

    with pytest.raises(HaltedError):
        await caller
    assert "submit" not in venue.calls
    broker.resume()
    assert OrderStatus.OPEN is (await broker.submit(LOW)).status


async def test_a_halt_from_a_thread_can_look_while_orders_come_and_go(
    venue: FakeVenue, broker: Broker
) -> None:
    is_over = False

    def look() -> int:
        looks = 0
        while not is_over:
            report = broker.halt()
            broker.resume()
            looks += 1 if report.open_orders else 0
            tuple(broker.state.orders)
        return looks

    looking = asyncio.get_running_loop().run_in_executor(None, look)
    for number in range(600):
        try:
            order = await broker.submit(buy(number))
            await broker.cancel(order)
        except HaltedError:
            continue
    is_over = True

    assert await looking >= 0
    assert not broker.is_halted


async def test_closing_ends_every_wait_with_what_is_known(venue: FakeVenue) -> None:
    broker = await venue.connect()
    venue.script("submit", waiting())
    submitting = asyncio.ensure_future(broker.submit(LOW, timeout_s=60))
    await settle()

    async with asyncio.timeout(30):
        await broker.aclose()
        (error,) = await asyncio.gather(submitting, return_exceptions=True)

    assert isinstance(error, OutcomeUnknownError)
    assert UnknownReason.CLOSED is error.reason
    assert [Kind.SUBMITTED, Kind.OUTCOME_UNKNOWN] == kinds(broker)


async def test_closing_refuses_an_order_that_waits_in_the_checks(venue: FakeVenue) -> None:
    broker = await venue.connect()
    answer = waiting()
    venue.script("fetch_instrument", answer)
    caller = asyncio.ensure_future(broker.submit(LOW))
    await settle()

    await broker.aclose()
    answer.set_result(venue.instruments["AAPL"])

    with pytest.raises(ClosedError):
        await caller
    assert [] == kinds(broker)


async def test_a_bug_in_an_adapter_is_an_unknown_outcome(venue: FakeVenue, broker: Broker) -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    venue.script("submit", KeyError("id"))

    with pytest.raises(OutcomeUnknownError):
        await broker.submit(LOW, timeout_s=0.01)

    assert 1 == len(reported)


LIMITS: dict[str, tuple[RiskLimits, int]] = {
    "open orders": (RiskLimits(max_open_orders=7), 7),
    "orders per minute": (RiskLimits(max_orders_per_minute=9), 9),
    "position": (RiskLimits(max_position=5), 5),
    "position with a price to fetch": (RiskLimits(max_position=5, max_order_notional=100), 5),
}


@pytest.mark.parametrize(("limits", "most"), LIMITS.values(), ids=LIMITS)
async def test_limits_hold_under_a_thousand_submits_at_once(limits: RiskLimits, most: int) -> None:
    venue = FakeVenue()
    venue.quotes = {
        "AAPL": Quote(
            symbol="AAPL", bid_price=D(5), ask_price=D(5), provider="fake", received_at_ns=0
        )
    }
    async with venue.connect(limits=limits) as broker:
        requests = [
            OrderRequest.market("AAPL", BUY, 1, client_order_id=f"n{number}")
            for number in range(1_000)
        ]

        found = await asyncio.gather(
            *[broker.submit(request) for request in requests], return_exceptions=True
        )

        refused = [one for one in found if isinstance(one, LimitExceededError)]
        assert (most, 1_000 - most) == (venue.calls.count("submit"), len(refused))


async def test_a_fill_known_before_its_position_counts_against_the_limit() -> None:
    venue = FakeVenue()

    def fill_at_once(request: OrderRequest) -> object:
        return venue.order_of(request, status=OrderStatus.FILLED, filled_quantity=request.quantity)

    venue.script("submit", fill_at_once, fill_at_once, fill_at_once)
    async with venue.connect(limits=RiskLimits(max_position=10)) as broker:
        await broker.submit(buy(1, 10))

        with pytest.raises(LimitExceededError, match="max_position"):
            await broker.submit(buy(2, 1))
        sold = await broker.submit(OrderRequest.limit("AAPL", SELL, 10, "5", client_order_id="n3"))
        venue.stream(moved(position(10)), moved(position(0)))
        await settle()
        bought = await broker.submit(buy(4, 10))

    assert (OrderStatus.FILLED, OrderStatus.FILLED) == (sold.status, bought.status)


async def test_an_order_by_value_counts_against_the_position_limit() -> None:
    venue = FakeVenue()
    venue.quotes = {
        "AAPL": Quote(
            symbol="AAPL", bid_price=D(5), ask_price=D(5), provider="fake", received_at_ns=0
        )
    }
    async with venue.connect(limits=RiskLimits(max_position=10)) as broker:
        by_value = OrderRequest.market("AAPL", BUY, notional=51)

        with pytest.raises(LimitExceededError, match="max_position"):
            await broker.submit(by_value)
        await broker.submit(attrs.evolve(by_value, notional=D(50)))


async def test_a_stop_order_is_valued_where_it_would_trade() -> None:
    venue = FakeVenue()
    venue.quotes = {
        "AAPL": Quote(
            symbol="AAPL", bid_price=D(5), ask_price=D(5), provider="fake", received_at_ns=0
        )
    }
    async with venue.connect(limits=RiskLimits(max_order_notional=100)) as broker:
        with pytest.raises(LimitExceededError, match="found 1000"):
            await broker.submit(OrderRequest.stop("AAPL", BUY, 10, "100"))


@pytest.mark.parametrize("terms", [{"quantity": 11}, {"limit_price": "6"}])
async def test_a_replace_can_not_pass_a_limit(terms: dict[str, object]) -> None:
    venue = FakeVenue()
    async with venue.connect(limits=RiskLimits(max_position=10, max_order_notional=50)) as broker:
        await broker.submit(LOW)

        with pytest.raises(LimitExceededError):
            await broker.replace("low", **terms)  # type: ignore[arg-type]
        smaller = await broker.replace("low", quantity=9)

    assert D(9) == smaller.quantity


async def test_limits_do_not_read_the_callers_decimal_context() -> None:
    venue = FakeVenue()
    venue.positions = (position("-123.456"),)
    async with venue.connect() as broker:
        with decimal.localcontext(prec=2):
            order = await broker.close("AAPL")

    assert D("123.456") == order.quantity


async def test_a_taken_id_whose_order_is_not_to_be_seen_is_of_unknown_fate(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", TAKEN)

    with pytest.raises(OutcomeUnknownError) as raised:
        await broker.submit(LOW, timeout_s=0.05)

    order = broker.state.order("low")
    assert order is not None
    assert (Outcome.UNKNOWN, OrderStatus.UNKNOWN) == (raised.value.outcome, order.status)


async def test_closing_during_the_look_for_who_has_an_id_leaves_the_order_unknown(
    venue: FakeVenue,
) -> None:
    broker = await venue.connect()
    venue.script("submit", TAKEN)
    venue.script("fetch_order", waiting())
    submitting = asyncio.ensure_future(broker.submit(LOW, timeout_s=60))
    await settle()

    await broker.aclose()
    (error,) = await asyncio.gather(submitting, return_exceptions=True)

    assert isinstance(error, OutcomeUnknownError)
    assert [Kind.SUBMITTED, Kind.OUTCOME_UNKNOWN] == kinds(broker)
