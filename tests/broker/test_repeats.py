"""An order that is asked for again, by who repeats on purpose what was begun before."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextvars import copy_context
from typing import Any

import attrs
import pytest

from dragoman import (
    Broker,
    DuplicateOrderError,
    Order,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    OutcomeUnknownError,
    RejectReason,
    UnknownReason,
)
from dragoman.capabilities import ClientIdRule, Uniqueness
from dragoman.repeats import is_repeat, mark_repeat

from .fake_adapter import BUY, FakeVenue, settle

LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")
RESET = OutcomeUnknownError("reset", reason=UnknownReason.CONNECTION_LOST)
REFUSED = OrderRejectedError("no", reason=RejectReason.INSUFFICIENT_FUNDS)


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect(reconcile_every_s=1e6) as broker:
        yield broker


def again(work: Awaitable[Order]) -> asyncio.Task[Order]:
    """Do it as a repeat: in a task of its own, which is marked."""

    async def repeat() -> Order:
        mark_repeat()
        return await work

    return asyncio.get_running_loop().create_task(repeat(), context=copy_context())


async def never_arrives(venue: FakeVenue, broker: Broker, *script: Any) -> None:
    """Send an order in, and let it be proved that it never arrived."""
    venue.script("submit", RESET, *script)
    caller = asyncio.ensure_future(broker.submit(LOW))
    await settle()
    await venue.clock.advance(seconds=10)
    with pytest.raises(OrderRejectedError):
        await caller


async def test_nobody_repeats_unless_told() -> None:
    assert not is_repeat()


async def test_what_never_arrived_is_sent_again_by_a_repeat_as_it_was(
    venue: FakeVenue, broker: Broker
) -> None:
    await never_arrives(venue, broker, venue.order_of(LOW, 1))

    order = await again(broker.submit(LOW))

    assert ("low", OrderStatus.OPEN, 2) == (
        order.client_order_id,
        order.status,
        venue.calls.count("submit"),
    )
    assert not is_repeat()


async def test_what_is_proved_never_to_have_arrived_while_a_repeat_waits_is_sent_by_it(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", RESET, venue.order_of(LOW, 1))
    first = asyncio.ensure_future(broker.submit(LOW))
    await settle()
    second = again(broker.submit(LOW))
    await settle()
    await venue.clock.advance(seconds=10)

    with pytest.raises(OrderRejectedError):
        await first
    assert OrderStatus.OPEN is (await second).status
    assert 2 == venue.calls.count("submit")


async def test_what_was_sent_again_is_not_sent_a_third_time(
    venue: FakeVenue, broker: Broker
) -> None:
    await never_arrives(venue, broker, venue.order_of(LOW, 1))
    first = await again(broker.submit(LOW))

    assert first == await again(broker.submit(LOW))
    assert 2 == venue.calls.count("submit")


async def test_a_repeat_with_other_terms_is_refused(venue: FakeVenue, broker: Broker) -> None:
    await never_arrives(venue, broker)

    with pytest.raises(DuplicateOrderError):
        await again(broker.submit(attrs.evolve(LOW, quantity=11)))
    assert 1 == venue.calls.count("submit")


async def test_a_repeat_of_what_was_refused_is_refused_unsent(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", REFUSED)
    for work in (broker.submit(LOW), again(broker.submit(LOW))):
        with pytest.raises(OrderRejectedError) as raised:
            await work
        assert RejectReason.INSUFFICIENT_FUNDS is raised.value.reason

    assert 1 == venue.calls.count("submit")


@pytest.mark.parametrize("uniqueness", [Uniqueness.OPEN_ORDERS, Uniqueness.NONE])
async def test_nothing_is_sent_again_to_a_venue_that_takes_an_id_twice(
    uniqueness: Uniqueness,
) -> None:
    venue = FakeVenue()
    rule = ClientIdRule(uniqueness=uniqueness)
    venue.capabilities = attrs.evolve(venue.capabilities, client_ids=rule)
    async with venue.connect(reconcile_every_s=1e6) as broker:
        await never_arrives(venue, broker)

        with pytest.raises(OrderRejectedError) as raised:
            await again(broker.submit(LOW))

    assert RejectReason.NEVER_ARRIVED is raised.value.reason
    assert 1 == venue.calls.count("submit")


async def test_after_a_restart_a_repeat_sends_what_never_arrived(tmp_path: Any) -> None:
    venue = FakeVenue()
    settings = {"reconcile_every_s": 1e6, "state_dir": tmp_path}
    async with venue.connect(**settings) as broker:
        await never_arrives(venue, broker, venue.order_of(LOW, 1))
    async with venue.connect(**settings) as broker:
        await again(broker.submit(LOW))
    async with venue.connect(**settings) as broker:
        found = broker.state.order("low")

    assert 2 == venue.calls.count("submit")
    assert found is not None
    assert OrderStatus.REJECTED is not found.status
