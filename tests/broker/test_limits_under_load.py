"""Limits of one's own hold while a thousand orders go in from many tasks at once."""

import asyncio
from collections import Counter
from decimal import Decimal

import attrs
import pytest

from dragoman import (
    Broker,
    LimitExceededError,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    RiskLimits,
)

from .fake_adapter import BUY, SELL, FakeVenue, filled, settle
from .writing_adapter import WritingVenue

D = Decimal


def orders(count: int) -> list[OrderRequest]:
    return [
        OrderRequest.limit("AAPL", BUY, 1, "5", client_order_id=f"n{number}")
        for number in range(count)
    ]


async def taken_of(broker: Broker, requests: list[OrderRequest], tasks: int) -> Counter[str]:
    """Send from so many tasks; count what became of the orders."""
    ends: Counter[str] = Counter()

    async def send(mine: list[OrderRequest]) -> None:
        for request in mine:
            try:
                await broker.submit(request)
            except LimitExceededError:
                ends["limited"] += 1
            else:
                ends["taken"] += 1

    await asyncio.gather(*[send(requests[start::tasks]) for start in range(tasks)])
    return ends


@pytest.mark.parametrize("tasks", [1, 7, 1000])
@pytest.mark.parametrize(
    "limits",
    [
        RiskLimits(max_open_orders=100),
        RiskLimits(max_position=100),
        RiskLimits(max_orders_per_minute=100),
    ],
)
async def test_a_thousand_orders_never_pass_a_limit(limits: RiskLimits, tasks: int) -> None:
    venue = FakeVenue()
    async with venue.connect(limits=limits) as broker:
        ends = await taken_of(broker, orders(1000), tasks)

    assert {"taken": 100, "limited": 900} == dict(ends)
    assert 100 == venue.calls.count("submit")


@pytest.mark.parametrize("limits", [RiskLimits(max_open_orders=100), RiskLimits(max_position=100)])
async def test_orders_that_are_still_on_their_way_count(limits: RiskLimits) -> None:
    venue = WritingVenue()
    async with venue.connect(limits=limits) as broker:
        sending = asyncio.ensure_future(taken_of(broker, orders(1000), 1000))
        await settle(60)
        await venue.let(1000)
        venue.answering.set()

        assert {"taken": 100, "limited": 900} == dict(await sending)
    assert 100 == len(venue.written)


async def test_room_that_a_cancel_gives_back_is_used_once() -> None:
    venue = FakeVenue()
    async with venue.connect(limits=RiskLimits(max_position=10)) as broker:
        first = await taken_of(broker, orders(20), 20)
        await broker.cancel("n0")
        more = [attrs.evolve(one, client_order_id=f"m{one.client_order_id}") for one in orders(5)]
        second = await taken_of(broker, more, 5)

    assert (10, 1) == (first["taken"], second["taken"])


async def test_what_was_filled_counts_as_held_not_as_working() -> None:
    venue = FakeVenue()
    async with venue.connect(limits=RiskLimits(max_position=10)) as broker:
        order = await broker.submit(attrs.evolve(orders(1)[0], quantity=D(8)))
        venue.stream(filled(order, 1, 5, 5))
        await settle()
        ends = await taken_of(broker, orders(5)[1:], 4)
        sold = await broker.submit(
            symbol="AAPL", side=SELL, order_type=OrderType.LIMIT, quantity=10, limit_price="5"
        )

    assert {"taken": 2, "limited": 2} == dict(ends)
    assert isinstance(sold, Order)
    assert OrderStatus.OPEN is sold.status
