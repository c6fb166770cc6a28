"""Replacing an order that has begun to fill, at a venue that then leaves open what it means."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

from dragoman import (
    Broker,
    Order,
    OrderRequest,
    OrderStatus,
    Outcome,
    OutcomeUnknownError,
    UnsupportedError,
    VenueUnavailableError,
)
from dragoman.capabilities import ReplaceRule
from dragoman.models.enums import Support

from .fake_adapter import BUY, FakeVenue, filled, settle
from .writing_adapter import WritingVenue

D = Decimal
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")
RULE = ReplaceRule(
    fields=frozenset({"quantity", "limit_price"}),
    when_filled=Support.EMULATED,
    keeps_venue_id=False,
)


@pytest.fixture
def venue() -> FakeVenue:
    venue = FakeVenue()
    venue.capabilities = attrs.evolve(venue.capabilities, replace=RULE)
    return venue


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect(reconcile_every_s=1e6, timeout_s=5) as broker:
        yield broker


def sends(venue: FakeVenue) -> list[OrderRequest]:
    """Keep every request that is submitted from now on."""
    requests: list[OrderRequest] = []

    def take(request: OrderRequest) -> Order:
        requests.append(request)
        return venue.order_of(request, 2, created_at_ns=600, updated_at_ns=600)

    venue.script("submit", take)
    return requests


def died(order: Order, **facts: Any) -> Order:
    return attrs.evolve(order, status=OrderStatus.CANCELED, updated_at_ns=500, **facts)


@pytest.mark.parametrize(
    ("rule", "filled_quantity", "support"),
    [
        pytest.param(ReplaceRule(), 4, Support.NATIVE, id="says-nothing-of-fills"),
        pytest.param(RULE, 0, Support.NATIVE, id="nothing-filled"),
        pytest.param(RULE, 4, Support.EMULATED, id="part-filled"),
    ],
)
def test_the_support_of_a_replace_depends_on_what_has_filled(
    venue: FakeVenue, rule: ReplaceRule, filled_quantity: int, support: Support
) -> None:
    order = attrs.evolve(venue.order_of(LOW), filled_quantity=D(filled_quantity))

    assert support is rule.support_of(order)


async def test_an_order_that_has_not_filled_is_replaced_by_the_venue(
    venue: FakeVenue, broker: Broker
) -> None:
    await broker.submit(LOW)

    order = await broker.replace("low", limit_price="6")

    assert (D(6), 1) == (order.limit_price, order.revision)
    assert ["submit", "replace"] == [
        call for call in venue.calls if call in {"submit", "cancel", "replace"}
    ]


async def test_an_order_that_has_begun_to_fill_is_canceled_and_its_rest_sent_anew(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.script("submit", lambda request: venue.order_of(request, 1))
    low = await broker.submit(LOW)
    venue.stream(filled(low, 1, 4, 4))
    await settle()
    venue.script("cancel", died(low, filled_quantity=D(4)))
    requests = sends(venue)

    order = await broker.replace("low", limit_price="6")

    assert [("low.1", D(6), D(6))] == [
        (one.client_order_id, one.quantity, one.limit_price) for one in requests
    ]
    assert (D(10), D(4), 1) == (order.quantity, order.filled_quantity, order.revision)
    assert "replace" not in venue.calls


async def test_a_fill_before_the_change_is_written_has_the_rest_sent_anew(
    venue: FakeVenue, broker: Broker
) -> None:
    """The replace waits for the order to arrive; its first word is a fill."""
    arriving: asyncio.Future[Order] = asyncio.get_running_loop().create_future()
    venue.script("submit", arriving)
    submitting = asyncio.create_task(broker.submit(LOW))
    await settle()
    replacing = asyncio.create_task(broker.replace("low", quantity=12))
    await settle()
    low = venue.order_of(LOW, 1)
    venue.script("cancel", died(low, filled_quantity=D(4)))
    requests = sends(venue)

    venue.stream(filled(low, 1, 4, 4))
    await settle()
    arriving.set_result(low)
    await submitting
    order = await replacing

    assert [("low.1", D(8))] == [(one.client_order_id, one.quantity) for one in requests]
    assert (D(12), D(4), 1) == (order.quantity, order.filled_quantity, order.revision)
    assert "replace" not in venue.calls


async def test_a_fill_while_the_change_waits_for_its_turn_has_the_rest_sent_anew() -> None:
    venue = WritingVenue()
    venue.capabilities = attrs.evolve(venue.capabilities, replace=RULE)
    venue.answering.set()
    async with venue.connect(reconcile_every_s=1e6, timeout_s=5) as broker:
        await venue.let(1)
        low = await broker.submit(LOW)
        replacing = asyncio.create_task(broker.replace("low", quantity=12))
        await settle()
        venue.script("cancel", died(low, filled_quantity=D(4)))

        venue.stream(filled(low, 1, 4, 4))
        await settle()
        await venue.let(2)
        order = await replacing

    assert ["low", "low.1"] == venue.written
    assert (D(12), D(4), 1) == (order.quantity, order.filled_quantity, order.revision)


@pytest.mark.parametrize(
    ("earlier", "later", "sent"),
    [
        pytest.param({"quantity": "8"}, {"limit_price": "6"}, (D(4), D(6)), id="quantity"),
        pytest.param({"limit_price": "7"}, {"quantity": "12"}, (D(8), D(7)), id="price"),
        pytest.param({"limit_price": "7"}, {"limit_price": "6"}, (D(6), D(6)), id="the-same-term"),
    ],
)
async def test_an_earlier_replace_that_turns_out_to_be_done_is_not_undone(
    venue: FakeVenue,
    broker: Broker,
    earlier: dict[str, str],
    later: dict[str, str],
    sent: tuple[Decimal, Decimal],
) -> None:
    """Its answer was lost; that it is done is found when its id is to be used again."""
    venue.script("submit", lambda request: venue.order_of(request, 1))
    low = await broker.submit(LOW)
    terms = {name: D(value) for name, value in earlier.items()}
    done = attrs.evolve(low, revision=1, venue_order_ids=("v1", "v3"), updated_at_ns=50, **terms)
    venue.script("replace", OutcomeUnknownError("lost"))
    first = asyncio.create_task(broker.replace("low", **earlier))
    await settle()
    venue.stream(filled(low, 1, 4, 4))
    await settle()
    lookups = {"low.1": done}
    venue.script("fetch_order", *[lookups.get] * 50)
    venue.script("cancel", died(done, filled_quantity=D(4)))
    requests = sends(venue)

    await broker.replace("low", **later)

    assert ["low.2"] == [one.client_order_id for one in requests]
    assert [sent] == [(one.quantity, one.limit_price) for one in requests]
    first.cancel()


async def test_while_it_is_not_known_whether_the_new_id_is_free_nothing_is_sent(
    venue: FakeVenue, broker: Broker
) -> None:
    low = await broker.submit(LOW)
    venue.stream(filled(low, 1, 4, 4))
    await settle()
    venue.script("fetch_order", *[VenueUnavailableError("away")] * 50)

    with pytest.raises(VenueUnavailableError, match=r"nothing was sent: .*low\.1") as raised:
        await broker.replace("low", limit_price="6")

    assert Outcome.NOT_SENT is raised.value.outcome
    assert not {"replace", "cancel"} & {*venue.calls}
    assert 1 == venue.calls.count("submit")


async def test_where_what_has_filled_is_not_replaced_at_all_nothing_is_sent(
    venue: FakeVenue,
) -> None:
    rule = attrs.evolve(RULE, when_filled=Support.NONE)
    venue.capabilities = attrs.evolve(venue.capabilities, replace=rule)
    async with venue.connect(reconcile_every_s=1e6, timeout_s=5) as broker:
        low = await broker.submit(LOW)
        venue.stream(filled(low, 1, 4, 4))
        await settle()

        with pytest.raises(UnsupportedError, match="filled 4") as raised:
            await broker.replace("low", limit_price="6")

    assert Outcome.NOT_SENT is raised.value.outcome
    assert not {"replace", "cancel"} & {*venue.calls}
