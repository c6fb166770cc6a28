"""Canceling an order that got another id at the venue meanwhile: the cancel follows it, once."""

from collections.abc import AsyncIterator
from decimal import Decimal

import attrs
import pytest

from dragoman import (
    Broker,
    ConflictError,
    DragomanError,
    NotFoundError,
    Order,
    OrderRequest,
    OrderStatus,
    OutcomeUnknownError,
)
from dragoman.capabilities import ReplaceRule

from .fake_adapter import BUY, FakeVenue

D = Decimal
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")
RULE = ReplaceRule(fields=frozenset({"limit_price"}), keeps_venue_id=False)


@pytest.fixture
def venue() -> FakeVenue:
    venue = FakeVenue()
    venue.capabilities = attrs.evolve(venue.capabilities, replace=RULE)
    return venue


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect(reconcile_every_s=1e6, timeout_s=5) as broker:
        yield broker


@pytest.fixture
async def low(venue: FakeVenue, broker: Broker) -> Order:
    venue.script("submit", lambda request: venue.order_of(request, 1))
    return await broker.submit(LOW)


def renumbered(order: Order) -> Order:
    """Return the order as a lookup shows it after a replace that was under way."""
    return attrs.evolve(
        order, revision=1, limit_price=D(6), venue_order_ids=("v2",), updated_at_ns=20
    )


def canceled_ids(venue: FakeVenue, *answers: DragomanError | OrderStatus) -> list[str | None]:
    """Answer cancels in turn, and keep the venue id that each was for."""
    ids: list[str | None] = []

    def take(order: Order, answer: DragomanError | OrderStatus) -> Order:
        ids.append(order.venue_order_id)
        if isinstance(answer, DragomanError):
            raise answer
        return attrs.evolve(order, status=answer, updated_at_ns=30)

    for answer in answers:
        venue.script("cancel", lambda order, answer=answer: take(order, answer))
    return ids


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(ConflictError("not cancelable"), id="conflict"),
        pytest.param(NotFoundError("no such order"), id="not-found"),
    ],
)
async def test_a_cancel_refused_under_an_old_id_is_sent_to_the_newer_one(
    venue: FakeVenue, broker: Broker, low: Order, refusal: DragomanError
) -> None:
    ids = canceled_ids(venue, refusal, OrderStatus.CANCELED)
    venue.shown["low"] = renumbered(low)

    order = await broker.cancel("low")

    assert ["v1", "v2"] == ids
    assert (OrderStatus.CANCELED, ("v1", "v2")) == (order.status, order.venue_order_ids)


async def test_a_cancel_refused_under_both_ids_is_the_second_refusal(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    ids = canceled_ids(venue, ConflictError("first"), ConflictError("second"))
    venue.shown["low"] = renumbered(low)

    with pytest.raises(ConflictError, match="second"):
        await broker.cancel("low")

    assert ["v1", "v2"] == ids


async def test_an_order_that_ended_under_its_newer_id_is_not_canceled_again(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    ids = canceled_ids(venue, ConflictError("not cancelable"))
    venue.shown["low"] = attrs.evolve(renumbered(low), status=OrderStatus.EXPIRED)

    order = await broker.cancel("low")

    assert ["v1"] == ids
    assert OrderStatus.EXPIRED is order.status


async def test_a_refusal_under_the_only_id_stands(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    ids = canceled_ids(venue, ConflictError("not cancelable"))
    venue.shown["low"] = low

    with pytest.raises(ConflictError, match="not cancelable"):
        await broker.cancel("low")

    assert ["v1"] == ids


async def test_an_order_that_is_not_shown_is_not_canceled_again(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    ids = canceled_ids(venue, NotFoundError("no such order"))
    del low

    with pytest.raises(OutcomeUnknownError):
        await broker.cancel("low")

    assert ["v1"] == ids
