"""A change: something changes, and None leaves a field as it is."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from tests.strategies import changes

from dragoman.errors import InvalidOrderError
from dragoman.models import REMOVE, Exit, Offset, OrderChange


def test_a_change_names_the_fields_it_changes():
    change = OrderChange(quantity="2.0", stop_loss=REMOVE)

    assert ("quantity", "stop_loss") == change.fields
    assert ("2.0", None) == (str(change.quantity), change.limit_price)


@given(changes())
def test_what_is_named_changes_and_nothing_else(change):
    unnamed = {"quantity", "limit_price", "stop_price", "trailing", "expires_at_ns"} - {
        *change.fields
    }

    assert change.fields
    assert {None} >= {getattr(change, name) for name in unnamed}


def test_an_empty_change_is_refused():
    with pytest.raises(InvalidOrderError, match=r"change: found None; allowed: at least one field"):
        OrderChange()


def test_an_expiry_may_be_an_aware_datetime():
    instant = datetime(2026, 1, 31, tzinfo=UTC)

    assert instant == OrderChange(expires_at_ns=instant).expires_at


@pytest.mark.parametrize("name", ["stop_loss", "take_profit"])
def test_a_leg_is_replaced_or_removed(name):
    leg = Exit(price=5)

    assert (leg, REMOVE) == (
        getattr(OrderChange(**{name: leg}), name),
        getattr(OrderChange(**{name: REMOVE}), name),
    )


@pytest.mark.parametrize(
    "leg", [Exit(trailing=Offset.price(1)), Exit(price=5, trailing=Offset.price(1))]
)
def test_a_target_does_not_trail(leg):
    with pytest.raises(InvalidOrderError, match=r"take_profit.trailing: .* only a stop"):
        OrderChange(take_profit=leg)


def test_a_stop_may_trail():
    leg = Exit(trailing=Offset.price(1))

    assert leg == OrderChange(stop_loss=leg).stop_loss


def test_a_price_may_fall_below_zero():
    assert Decimal(-1) == OrderChange(limit_price=-1).limit_price
