"""What may go wrong around a replace: none of it makes an order look dead, or lets one live on."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from dragoman import (
    AccountLockedError,
    Broker,
    ConflictError,
    Order,
    OrderEventKind,
    OrderRequest,
    OrderStatus,
    Outcome,
    OutcomeUnknownError,
    VenueUnavailableError,
)
from dragoman.capabilities import ReplaceRule
from dragoman.models.enums import Support

from .fake_adapter import BUY, FakeVenue, event, filled, settle

D = Decimal
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low", account_id="one")
LEG = attrs.evolve(LOW, client_order_id="low.1", limit_price=D(6))
LOST = VenueUnavailableError("503", outcome=Outcome.UNKNOWN)
EMULATED = ReplaceRule(
    fields=frozenset({"quantity", "limit_price"}),
    support=Support.EMULATED,
    keeps_venue_id=False,
    is_atomic=False,
)


@pytest.fixture
def venue() -> FakeVenue:
    venue = FakeVenue()
    venue.capabilities = attrs.evolve(venue.capabilities, replace=EMULATED)
    return venue


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect(timeout_s=5) as broker:
        yield broker


def waiting() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def died(order: Order, **facts: Any) -> Order:
    return attrs.evolve(order, status=OrderStatus.CANCELED, updated_at_ns=500, **facts)


def now(broker: Broker) -> Order:
    order = broker.state.order("low")
    assert order is not None
    return order


def leg_of(venue: FakeVenue, order: Order, **facts: Any) -> Order:
    """Return what the venue has of the new order: it knows nothing of an intent."""
    return venue.order_of(LEG, 0, venue_order_ids=order.venue_order_ids[-1:], **facts)


async def replaced(venue: FakeVenue, broker: Broker) -> tuple[Order, Order]:
    """Submit an order and replace it; returns it as it was and as it is."""
    low = await broker.submit(LOW)
    venue.script("cancel", died(low))
    return low, await broker.replace("low", limit_price="6")


async def test_a_cancel_calls_a_replace_off_before_its_new_order_is_sent(
    venue: FakeVenue, broker: Broker
) -> None:
    low, answer = await broker.submit(LOW), waiting()
    venue.script("cancel", answer)
    replacing = asyncio.ensure_future(broker.replace("low", limit_price="6"))
    await settle()

    canceling = asyncio.ensure_future(broker.cancel("low"))
    await settle()
    answer.set_result(died(low))

    assert OrderStatus.CANCELED is (await canceling).status
    with pytest.raises(ConflictError, match="asked meanwhile"):
        await replacing
    assert (OrderStatus.CANCELED, 1) == (now(broker).status, venue.calls.count("submit"))


async def test_a_cancel_reaches_the_new_order_of_a_replace_that_is_on_its_way(
    venue: FakeVenue, broker: Broker
) -> None:
    low, answer = await broker.submit(LOW), waiting()
    venue.script("cancel", died(low))
    venue.script("submit", answer)
    replacing = asyncio.ensure_future(broker.replace("low", limit_price="6"))
    await settle()

    canceling = asyncio.ensure_future(broker.cancel("low"))
    await settle()
    answer.set_result(venue.order_of(LEG, 2, updated_at_ns=600))
    await replacing

    assert OrderStatus.CANCELED is (await canceling).status
    assert 2 == venue.calls.count("cancel")


async def test_a_cancel_waits_for_a_new_order_of_unknown_fate_and_then_reaches_it(
    venue: FakeVenue, broker: Broker
) -> None:
    low = await broker.submit(LOW)
    venue.script("cancel", died(low))
    venue.script("submit", LOST)
    with pytest.raises(OutcomeUnknownError):
        await broker.replace("low", limit_price="6", timeout_s=0.05)

    with pytest.raises(OutcomeUnknownError):
        await broker.cancel("low", timeout_s=0.05)
    early = venue.calls.count("cancel")
    venue.shown["low.1"] = venue.order_of(LEG, 2, updated_at_ns=600)
    await venue.clock.advance(seconds=5)

    assert (1, 2) == (early, venue.calls.count("cancel"))
    assert OrderStatus.CANCELED is now(broker).status


async def test_f22_a_new_order_that_ended_unheard_is_looked_up_under_its_own_id(
    venue: FakeVenue, broker: Broker
) -> None:
    low, order = await replaced(venue, broker)

    venue.shown["low"] = died(low)
    venue.shown["low.1"] = leg_of(venue, order, status=OrderStatus.EXPIRED, updated_at_ns=900)
    await venue.clock.advance(seconds=40)

    assert OrderStatus.EXPIRED is now(broker).status


async def test_f43_after_a_restart_the_end_of_the_replaced_order_is_not_that_of_the_new_one(
    venue: FakeVenue, tmp_path: Path
) -> None:
    async with venue.connect(timeout_s=5, state_dir=tmp_path) as broker:
        low, order = await replaced(venue, broker)
    venue.shown["low"] = died(low)
    venue.shown["low.1"] = leg_of(venue, order, updated_at_ns=900)

    async with venue.connect(timeout_s=5, state_dir=tmp_path) as broker:
        restored = now(broker)
        venue.stream(event(OrderEventKind.CANCELED, died(low)))
        await settle()
        looked_up = await broker.fetch_order("low")
        del venue.shown["low.1"]
        venue.shown["low.1"] = leg_of(venue, order, status=OrderStatus.EXPIRED, updated_at_ns=990)
        await venue.clock.advance(seconds=40)

        assert (OrderStatus.OPEN, D(6), D(10)) == (
            restored.status,
            restored.limit_price,
            restored.quantity,
        )
        assert OrderStatus.OPEN is (looked_up and looked_up.status)
        assert OrderStatus.EXPIRED is now(broker).status


async def test_f43_a_new_order_that_a_restart_finds_keeps_what_the_old_one_filled(
    venue: FakeVenue, tmp_path: Path
) -> None:
    async with venue.connect(timeout_s=5, state_dir=tmp_path) as broker:
        low = await broker.submit(LOW)
        venue.stream(filled(low, 1, 4, 4))
        await settle()
        venue.script("cancel", died(low, filled_quantity=D(4)))
        order = await broker.replace("low", limit_price="6")
    rest = attrs.evolve(leg_of(venue, order, updated_at_ns=900), quantity=D(6))
    venue.shown["low.1"] = rest

    async with venue.connect(timeout_s=5, state_dir=tmp_path) as broker:
        venue.stream(filled(rest, 2, 6, 6))
        await settle()

        assert (OrderStatus.FILLED, D(10), D(10)) == (
            now(broker).status,
            now(broker).filled_quantity,
            now(broker).quantity,
        )


async def test_f33_a_late_fill_of_the_replaced_order_does_not_complete_the_new_one(
    venue: FakeVenue, broker: Broker
) -> None:
    low, order = await replaced(venue, broker)
    leg = leg_of(venue, order, updated_at_ns=600)

    venue.stream(filled(low, 1, 3, 3))
    venue.stream(filled(leg, 2, 7, 7))
    await settle()
    half = now(broker)
    venue.stream(filled(leg, 3, 3, 10))
    await settle()

    assert (D(10), OrderStatus.PARTIALLY_FILLED) == (half.filled_quantity, half.status)
    assert (D(13), OrderStatus.FILLED) == (now(broker).filled_quantity, now(broker).status)


@pytest.mark.parametrize("rule", [EMULATED, attrs.evolve(EMULATED, support=Support.NATIVE)])
async def test_f48_a_guest_changes_no_order_and_cancels_none_in_trying(
    venue: FakeVenue, tmp_path: Path, rule: ReplaceRule
) -> None:
    venue.capabilities = attrs.evolve(venue.capabilities, replace=rule)
    async with venue.connect(state_dir=tmp_path, timeout_s=5) as owner:
        venue.shown["low"] = await owner.submit(LOW)
        async with venue.connect(state_dir=tmp_path, timeout_s=5) as guest:
            with pytest.raises(AccountLockedError):
                await guest.replace("low", limit_price="6")

    assert not {"cancel", "replace"} & {*venue.calls}


async def test_f36_new_terms_that_show_prove_a_lost_replace_whatever_the_revision(
    venue: FakeVenue,
) -> None:
    venue.capabilities = attrs.evolve(
        venue.capabilities, replace=attrs.evolve(EMULATED, support=Support.NATIVE)
    )
    async with venue.connect(reconcile_every_s=1e6, timeout_s=5) as broker:
        low = await broker.submit(LOW)
        venue.script("replace", LOST)
        venue.shown["low"] = attrs.evolve(low, limit_price=D(6), updated_at_ns=700)

        replacing = asyncio.ensure_future(broker.replace("low", limit_price="6"))
        await settle()
        await venue.clock.advance(seconds=5)

        assert D(6) == (await replacing).limit_price
