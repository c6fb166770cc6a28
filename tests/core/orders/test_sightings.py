"""Sightings of a venue that tells no time are ordered by how far in its life the order is."""

import itertools
from decimal import Decimal

import attrs
import pytest

from dragoman import Order, OrderStatus, OrderType, Side
from dragoman.models.enums import PendingAction
from dragoman.orders.record import OrderRecord

D = Decimal

ASKED = Order(
    client_order_id="one",
    account_id="paper-1",
    symbol="AAPL",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    status=OrderStatus.PENDING,
    provider="mock",
    received_at_ns=0,
    quantity=D(2),
    limit_price=D(5),
    post_only=False,
)


def seen(status: OrderStatus, quantity: str, **facts: object) -> Order:
    """Return what a venue without times shows: no flags, a quantity of its own."""
    words = {"venue_order_ids": ("7",), "post_only": None, **facts}
    return attrs.evolve(ASKED, status=status, quantity=D(quantity), **words)


@pytest.mark.parametrize("quantity", ["1", "3"])
def test_what_the_venue_shows_outweighs_what_was_asked_though_it_tells_no_time(
    quantity: str,
) -> None:
    record = OrderRecord(ASKED, is_own=True)

    record.see(seen(OrderStatus.OPEN, quantity))

    assert D(quantity) == record.order.quantity
    assert OrderStatus.OPEN is record.order.status


def test_what_the_venue_does_not_say_stands_as_it_was_asked() -> None:
    record = OrderRecord(ASKED, is_own=True)

    record.see(seen(OrderStatus.OPEN, "2"))

    assert record.order.post_only is False
    assert ("7",) == record.order.venue_order_ids


def test_a_sighting_that_says_the_same_and_more_of_its_life_is_the_order_itself() -> None:
    record = OrderRecord(ASKED, is_own=True)
    answer = attrs.evolve(ASKED, status=OrderStatus.OPEN, venue_order_ids=("7",))

    record.see(answer)

    assert answer is record.order


def test_sightings_without_times_make_one_order_however_they_arrive() -> None:
    looks = [
        seen(OrderStatus.HELD, "4"),
        seen(OrderStatus.OPEN, "3"),
        seen(OrderStatus.OPEN, "1", tag="x"),
        seen(OrderStatus.CANCELED, "2"),
    ]
    found = set()

    for arrival in itertools.permutations(looks):
        record = OrderRecord(ASKED, is_own=True)
        for look in arrival:
            record.see(look)
        found.add(record.order)

    assert 1 == len(found)
    assert D(2) == found.pop().quantity


def test_ids_that_come_one_by_one_are_kept_in_the_order_of_their_times() -> None:
    first = seen(OrderStatus.OPEN, "2", updated_at_ns=20)
    earlier = seen(OrderStatus.OPEN, "2", updated_at_ns=10, venue_order_ids=("6",))
    again = seen(OrderStatus.OPEN, "2", updated_at_ns=5)
    record = OrderRecord(ASKED, is_own=True)

    found = []
    for look in (first, earlier, again):
        record.see(look)
        found.append(record.order.venue_order_ids)

    assert [("7",), ("6", "7"), ("7", "6")] == found


@pytest.mark.parametrize("arrivals", [(0, 1), (1, 0)], ids=["pending-first", "pending-last"])
@pytest.mark.parametrize("action", list(PendingAction))
def test_of_one_instant_a_command_that_is_pending_is_the_later_word(
    action: PendingAction, arrivals: tuple[int, ...]
) -> None:
    record = OrderRecord(ASKED, is_own=True)
    plain = seen(OrderStatus.OPEN, "2", updated_at_ns=5)
    pending = attrs.evolve(plain, pending=action)

    for number in arrivals:
        record.see((pending, plain)[number])

    assert action is record.order.pending
