"""A list is sent whole or not at all, and each of its orders has a fate of its own."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import attrs
import pytest

from dragoman import (
    Broker,
    CommandResult,
    ConnectFailedError,
    Contingency,
    DuplicateOrderError,
    HaltedError,
    InvalidOrderError,
    LimitExceededError,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    OutcomeUnknownError,
    RejectReason,
    RiskLimits,
    UnknownReason,
    VenueUnavailableError,
)
from dragoman.errors import Outcome

from .fake_adapter import BUY, FakeVenue, history, settle, until_told

D = Decimal
PAIR = [
    OrderRequest.limit("AAPL", BUY, 1, "5", client_order_id="a"),
    OrderRequest.limit("AAPL", BUY, 1, "4", client_order_id="b"),
]


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect() as broker:
        yield broker


def waiting() -> asyncio.Future[object]:
    return asyncio.get_running_loop().create_future()


async def test_f72_rows_are_matched_by_id_not_by_place(venue: FakeVenue, broker: Broker) -> None:
    refused = CommandResult(client_order_id="a", error=OrderRejectedError("no"))
    taken = CommandResult(client_order_id="b", order=venue.order_of(broker_request(broker, 1), 2))
    stranger = CommandResult(client_order_id="zzz", error=OrderRejectedError("whose?"))
    venue.script("submit_list", (taken, stranger, refused))

    first, second = await broker.submit_list(PAIR)

    assert ("a", OrderRejectedError) == (first.client_order_id, type(first.error))
    assert ("b", None) == (second.client_order_id, second.error)
    assert second.order is not None
    assert OrderStatus.OPEN is second.order.status


def broker_request(broker: Broker, index: int) -> OrderRequest:
    return attrs.evolve(PAIR[index], account_id=broker.account_id)


async def test_an_order_the_answer_does_not_name_is_of_unknown_fate(
    venue: FakeVenue, broker: Broker
) -> None:
    taken = CommandResult(client_order_id="b", order=venue.order_of(PAIR[1], 2))
    venue.script("submit_list", (taken,))

    first, second = await broker.submit_list(PAIR, timeout_s=0.01)

    assert isinstance(first.error, OutcomeUnknownError)
    assert UnknownReason.BAD_RESPONSE is first.error.reason
    assert None is second.error


async def test_a_lost_answer_leaves_every_order_of_unknown_fate_after_one_timeout(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit_list", waiting())
    requests = [attrs.evolve(PAIR[0], client_order_id=f"n{number}") for number in range(5)]

    async with asyncio.timeout(2):
        rows = await broker.submit_list(requests, timeout_s=0.5)

    assert {OutcomeUnknownError} == {type(row.error) for row in rows}


@pytest.mark.parametrize(
    ("error", "expected", "status"),
    [
        (ConnectFailedError("refused"), ConnectFailedError, OrderStatus.REJECTED),
        (
            VenueUnavailableError("503", outcome=Outcome.UNKNOWN),
            OutcomeUnknownError,
            OrderStatus.UNKNOWN,
        ),
    ],
)
async def test_a_failure_of_the_whole_list_is_that_of_each_order(
    venue: FakeVenue,
    broker: Broker,
    error: Exception,
    expected: type[Exception],
    status: OrderStatus,
) -> None:
    venue.script("submit_list", error)

    rows = await broker.submit_list(PAIR, timeout_s=0.01)

    assert [(expected, status)] * 2 == [
        (type(row.error), row.order.status if row.order else None) for row in rows
    ]


async def test_a_list_cut_off_by_closing_is_of_unknown_fate(venue: FakeVenue) -> None:
    broker = await venue.connect()
    venue.script("submit_list", waiting())
    caller = asyncio.ensure_future(broker.submit_list(PAIR, timeout_s=60))
    await settle()

    await broker.aclose()
    rows = await caller

    assert [UnknownReason.CLOSED] * 2 == [row.error.reason for row in rows]  # type: ignore[union-attr]
    assert [OrderStatus.UNKNOWN] * 2 == [order.status for order in broker.state.orders]


async def test_one_id_twice_in_a_list_is_refused_unsent(venue: FakeVenue, broker: Broker) -> None:
    with pytest.raises(InvalidOrderError, match="client_order_id"):
        await broker.submit_list([PAIR[0], attrs.evolve(PAIR[1], client_order_id="a")])

    assert ([], 0) == (history(broker), venue.calls.count("submit_list"))


async def test_a_list_sent_again_is_the_same_list(venue: FakeVenue, broker: Broker) -> None:
    first = await broker.submit_list(PAIR)
    again = await broker.submit_list(PAIR)

    assert first == again
    assert 1 == venue.calls.count("submit_list")


async def test_a_list_with_an_order_sent_before_is_refused_unsent(
    venue: FakeVenue, broker: Broker
) -> None:
    await broker.submit(PAIR[0])

    with pytest.raises(DuplicateOrderError, match="'a'"):
        await broker.submit_list(PAIR)

    assert None is broker.state.order("b")
    assert 0 == venue.calls.count("submit_list")


async def test_a_list_longer_than_the_provider_takes_is_refused_unsent(broker: Broker) -> None:
    requests = [attrs.evolve(PAIR[0], client_order_id=f"n{number}") for number in range(6)]

    with pytest.raises(InvalidOrderError, match="at most 5"):
        await broker.submit_list(requests)
    with pytest.raises(InvalidOrderError, match="at least 2"):
        await broker.submit_list(PAIR[:1], Contingency.OCO)


@pytest.mark.parametrize(
    "limits",
    [
        RiskLimits(max_open_orders=1),
        RiskLimits(max_orders_per_minute=1),
        RiskLimits(max_position=1),
    ],
)
async def test_the_orders_of_a_list_count_together_against_a_limit(limits: RiskLimits) -> None:
    venue = FakeVenue()
    async with venue.connect(limits=limits) as broker:
        with pytest.raises(LimitExceededError):
            await broker.submit_list(PAIR)
        alone = await broker.submit_list(PAIR[:1])

        assert ("a",) == tuple(order.client_order_id for order in broker.state.orders)
        assert [None] == [row.error for row in alone]


async def test_a_halt_stops_a_list_whole(venue: FakeVenue, broker: Broker) -> None:
    await broker.instrument("AAPL")
    caller = asyncio.ensure_future(broker.submit_list(PAIR))
    await until_told(broker)

    broker.halt()
    rows = await caller

    assert [HaltedError] * 2 == [type(row.error) for row in rows]
    assert () == broker.state.open_orders
    assert 0 == venue.calls.count("submit_list")
    with pytest.raises(HaltedError):
        await broker.submit_list([attrs.evolve(PAIR[0], client_order_id="c")])


async def test_children_are_held_until_their_parent_fills(venue: FakeVenue, broker: Broker) -> None:
    held = venue.order_of(PAIR[1], 2, status=OrderStatus.HELD, parent_client_order_id="a")
    rows = (
        CommandResult(client_order_id="a", order=venue.order_of(PAIR[0], 1)),
        CommandResult(client_order_id="b", order=held),
    )
    venue.script("submit_list", rows)

    _, child = await broker.submit_list(PAIR, Contingency.OTO)

    assert child.order is not None
    assert (OrderStatus.HELD, "a") == (child.order.status, child.order.parent_client_order_id)
    assert ["SUBMITTED", "ACCEPTED"] == [
        one.kind for one in history(broker) if one.order.client_order_id == "b"
    ]


async def test_an_id_of_a_list_that_the_venue_knows_is_the_order_that_has_it(
    venue: FakeVenue, broker: Broker
) -> None:
    taken = OrderRejectedError("taken", reason=RejectReason.DUPLICATE_CLIENT_ORDER_ID)
    venue.shown["a"] = venue.order_of(PAIR[0], 1)
    venue.shown["b"] = venue.order_of(attrs.evolve(PAIR[1], limit_price=D(3)), 2)
    rows = (CommandResult(client_order_id=name, error=taken) for name in ("a", "b"))
    venue.script("submit_list", tuple(rows))

    same, other = await broker.submit_list(PAIR)

    assert (None, OrderStatus.OPEN) == (same.error, same.order and same.order.status)
    assert DuplicateOrderError is type(other.error)
    assert "limit_price" in str(other.error)
    known = broker.state.order("b")
    assert known is not None
    assert (OrderStatus.OPEN, D(3), None) == (known.status, known.limit_price, known.reject_reason)


async def test_a_look_that_never_ends_does_not_hold_up_the_other_rows(
    venue: FakeVenue, broker: Broker
) -> None:
    taken = OrderRejectedError("taken", reason=RejectReason.DUPLICATE_CLIENT_ORDER_ID)
    first = CommandResult(client_order_id="a", error=taken)
    second = CommandResult(client_order_id="b", order=venue.order_of(broker_request(broker, 1), 2))
    venue.script("submit_list", (first, second))
    venue.script("fetch_order", waiting())

    unknown, known = await broker.submit_list(PAIR, timeout_s=0.05)

    assert OutcomeUnknownError is type(unknown.error)
    assert (None, OrderStatus.OPEN) == (known.error, known.order and known.order.status)
