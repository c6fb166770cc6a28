"""Orders replaced and canceled: one intent for life, whatever ids the venue gives it."""

from decimal import Decimal

import pytest
from tests.shared.rig import eventually

from dragoman import Offset, OrderStatus, OrderType, Side, TimeInForce
from dragoman.errors import (
    ConflictError,
    InvalidOrderError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
)

LIMIT = OrderType.LIMIT


@pytest.fixture(params=[True, False], ids=["keeps_id", "renumbers"])
async def rig(request, open_rig):
    """A venue that keeps an order's id through a replace, and one that gives it a new one."""
    rig = await open_rig(replace_keeps_id=request.param)
    await rig.connect()
    return rig


async def replaced(rig, revision=1, name="c1"):
    """Wait until a replace is done."""
    await eventually(lambda: revision == rig.order(name).revision)
    return rig.order(name)


async def test_a_replace_changes_what_it_names_and_keeps_the_rest(rig):
    await rig.rest(time_in_force=TimeInForce.GTC)

    await rig.broker.replace("c1", limit_price="91")

    changed = await replaced(rig)
    assert (Decimal(91), Decimal(10)) == (changed.limit_price, changed.quantity)
    assert (OrderStatus.OPEN, TimeInForce.GTC) == (changed.status, changed.time_in_force)
    await rig.tells("SUBMITTED", "ACCEPTED", "REPLACED")


async def test_an_order_may_be_replaced_again_and_again(rig):
    await rig.rest()

    for revision, price in enumerate(("91", "92", "93"), 1):
        await rig.broker.replace("c1", limit_price=price)
        await replaced(rig, revision)

    assert Decimal(93) == rig.order().limit_price
    await rig.tells("SUBMITTED", "ACCEPTED", "REPLACED", "REPLACED", "REPLACED")
    assert ["c1"] == [one.client_order_id for one in await rig.broker.fetch_open_orders()]


async def test_what_was_replaced_fills_by_its_new_terms(rig):
    await rig.rest()
    await rig.broker.replace("c1", limit_price="100", quantity="4")
    await replaced(rig)

    await rig.venue.quote("98", "100")

    done = await rig.becomes(OrderStatus.FILLED)
    assert (Decimal(4), Decimal(4)) == (done.quantity, done.filled_quantity)
    await rig.tells("SUBMITTED", "ACCEPTED", "REPLACED", "FILL")
    await rig.holds("4")


async def test_a_replaced_order_that_filled_in_part_counts_what_it_filled(open_rig):
    rig = await open_rig(fill_ratio="0.5")
    await rig.connect()
    await rig.submit(order_type=LIMIT, limit_price="100", quantity="8")
    await rig.becomes(OrderStatus.OPEN)
    await rig.venue.quote("98", "100")
    await eventually(lambda: Decimal(4) == rig.order().filled_quantity)

    await rig.broker.replace("c1", quantity="6", limit_price="99")
    await replaced(rig)
    await rig.becomes(OrderStatus.PARTIALLY_FILLED)

    changed = rig.order()
    assert (Decimal(6), Decimal(4)) == (changed.quantity, changed.filled_quantity)
    await rig.venue.quote("98", "99")
    await rig.venue.quote("98", "99")
    await eventually(lambda: rig.order().filled_quantity > 5)
    await rig.has_heard()
    fills = rig.fills()
    assert rig.order().filled_quantity == sum(quantity for quantity, _ in fills)
    await rig.holds(rig.order().filled_quantity)


async def test_the_distance_of_a_trailing_stop_is_replaced(rig):
    trailing = {"order_type": OrderType.TRAILING_STOP, "trailing": Offset.price("5")}
    await rig.submit("c0")
    await rig.becomes(OrderStatus.FILLED, name="c0")
    await rig.submit(side=Side.SELL, **trailing)
    await rig.becomes(OrderStatus.OPEN)

    await rig.broker.replace("c1", trailing=Offset.price("2"))

    changed = await replaced(rig)
    assert (Offset.price("2"), Decimal(98)) == (changed.trailing, changed.stop_price)


async def test_a_refused_replace_leaves_the_order_as_it_was(rig):
    await rig.rest()

    with pytest.raises(OrderRejectedError) as caught:
        await rig.broker.replace("c1", quantity="100000")

    assert Outcome.REJECTED is caught.value.outcome
    stands = await rig.broker.fetch_order("c1")
    assert (OrderStatus.OPEN, Decimal(10), 0) == (stands.status, stands.quantity, stands.revision)
    await rig.tells("SUBMITTED", "ACCEPTED", "REPLACE_REJECTED")


async def test_a_replace_that_breaks_a_rule_is_never_sent(rig):
    await rig.rest()

    with pytest.raises(InvalidOrderError) as caught:
        await rig.broker.replace("c1", limit_price="90.001")

    assert Outcome.NOT_SENT is caught.value.outcome


async def test_a_replace_of_an_ended_order_is_a_conflict(rig):
    await rig.submit()
    await rig.becomes(OrderStatus.FILLED)

    with pytest.raises(ConflictError):
        await rig.broker.replace("c1", quantity="20")


async def test_a_cancel_ends_an_order(rig):
    await rig.rest()

    await rig.broker.cancel("c1")

    await rig.becomes(OrderStatus.CANCELED)
    await rig.tells("SUBMITTED", "ACCEPTED", "CANCELED")
    assert () == await rig.broker.fetch_open_orders()


async def test_a_replaced_order_can_be_canceled(rig):
    await rig.rest()
    await rig.broker.replace("c1", limit_price="91")
    await replaced(rig)

    await rig.broker.cancel("c1")

    await rig.becomes(OrderStatus.CANCELED)
    await rig.tells("SUBMITTED", "ACCEPTED", "REPLACED", "CANCELED")


async def test_a_cancel_of_an_ended_order_returns_it(rig):
    await rig.submit()
    await rig.becomes(OrderStatus.FILLED)

    done = await rig.broker.cancel("c1")

    assert OrderStatus.FILLED is done.status


async def test_a_cancel_of_what_nobody_knows_is_not_found(rig):
    with pytest.raises(NotFoundError) as caught:
        await rig.broker.cancel("nobody")

    assert Outcome.NOT_SENT is caught.value.outcome


async def test_a_cancel_of_what_filled_in_part_keeps_the_part(open_rig):
    rig = await open_rig(fill_ratio="0.5")
    await rig.connect()
    await rig.submit(order_type=LIMIT, limit_price="101", quantity="8")
    await rig.becomes(OrderStatus.PARTIALLY_FILLED)

    await rig.broker.cancel("c1")

    done = await rig.becomes(OrderStatus.CANCELED)
    assert Decimal(4) == done.filled_quantity
    await rig.holds("4")


async def test_cancel_all_ends_every_order(rig):
    for name in ("c1", "c2"):
        await rig.rest(name)
    await rig.rest("c3", symbol="MSFT")

    results = await rig.broker.cancel_all()

    assert {"c1", "c2", "c3"} == {one.client_order_id for one in results}
    assert [None] * 3 == [one.error for one in results]
    for name in ("c1", "c2", "c3"):
        await rig.becomes(OrderStatus.CANCELED, name=name)
        await rig.tells("SUBMITTED", "ACCEPTED", "CANCELED", name=name)


async def test_cancel_all_of_one_symbol_leaves_the_others(rig):
    await rig.rest("c1")
    await rig.rest("c2", symbol="MSFT", side=Side.SELL, limit_price="400")

    results = await rig.broker.cancel_all("AAPL")

    await rig.becomes(OrderStatus.CANCELED)
    assert ["c1"] == [one.client_order_id for one in results]
    assert OrderStatus.OPEN is rig.order("c2").status
