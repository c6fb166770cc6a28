"""An order: what is derived from what the venue said."""

from decimal import Decimal

import attrs
import pytest

from dragoman.errors import InvalidValueError
from dragoman.models import Order, OrderStatus, OrderType, PositionEffect, Side

OPEN = Order(
    client_order_id="a",
    account_id="1",
    symbol="AAPL",
    side=Side.BUY,
    order_type=OrderType.MARKET,
    status=OrderStatus.OPEN,
    provider="mock",
    received_at_ns=0,
    quantity=Decimal("10.0"),
    filled_quantity=Decimal("2.50"),
)
TERMINAL = {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED}


@pytest.mark.parametrize("status", OrderStatus)
def test_four_states_end_an_order_and_unknown_does_not(status):
    order = attrs.evolve(OPEN, status=status)

    is_over = status in TERMINAL
    assert (is_over, is_over, not is_over) == (status.is_terminal, order.is_terminal, order.is_open)


@pytest.mark.parametrize("status", OrderStatus)
def test_what_remains_is_zero_once_the_order_has_ended(status):
    expected = "0" if status in TERMINAL else "7.50"

    assert expected == str(attrs.evolve(OPEN, status=status).remaining_quantity)


def test_what_remains_of_an_unknown_quantity_is_not_known():
    assert attrs.evolve(OPEN, quantity=None).remaining_quantity is None


@pytest.mark.parametrize(("ids", "present"), [((), None), (("1",), "1"), (("1", "2"), "2")])
def test_the_last_venue_id_is_the_present_one(ids, present):
    assert present == attrs.evolve(OPEN, venue_order_ids=ids).venue_order_id


@pytest.mark.parametrize(
    ("effect", "expected"),
    [(None, False), (PositionEffect.OPEN, False), (PositionEffect.CLOSE, True)],
)
def test_reduce_only_is_closing(effect, expected):
    assert expected is attrs.evolve(OPEN, position_effect=effect).reduce_only


def test_raw_is_neither_shown_nor_compared():
    order = attrs.evolve(OPEN, raw=b"{secret}")

    assert "secret" not in repr(order)
    assert OPEN == order
    assert hash(OPEN) == hash(order)


@pytest.mark.parametrize("name", ["quantity", "filled_quantity"])
def test_a_quantity_below_zero_is_refused(name):
    with pytest.raises(InvalidValueError, match="quantity"):
        attrs.evolve(OPEN, **{name: Decimal(-1)})
