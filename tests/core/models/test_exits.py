"""A protective leg: one level, or a price together with a trail."""

from decimal import Decimal

import pytest

from dragoman.errors import InvalidOrderError
from dragoman.models import Exit, Offset

TRAIL = Offset.percent(1)


@pytest.mark.parametrize(
    "levels",
    [
        {"price": "9.50"},
        {"offset": TRAIL},
        {"trailing": TRAIL},
        {"price": 9, "trailing": TRAIL},
        {"price": 9, "limit_price": 8},
        {"price": -9},
    ],
)
def test_a_leg_has_a_level(levels):
    leg = Exit(**levels)

    assert levels.keys() == {
        name for name in ("price", "offset", "trailing", "limit_price") if getattr(leg, name)
    }


@pytest.mark.parametrize(
    ("levels", "field"),
    [
        ({}, "price"),
        ({"limit_price": 8}, "price"),
        ({"price": 9, "offset": TRAIL}, "offset"),
    ],
)
def test_a_leg_without_a_level_or_with_two_is_refused(levels, field):
    with pytest.raises(InvalidOrderError) as caught:
        Exit(**levels)

    assert [field] == [each.field for each in caught.value.violations]


def test_every_violation_of_a_leg_is_listed_at_once():
    with pytest.raises(InvalidOrderError) as caught:
        Exit(price="x", quantity=0, client_order_id="a b", venue_options={"a": 1})

    expected = ["price", "quantity", "client_order_id", "venue_options"]
    assert expected == [each.field for each in caught.value.violations]


def test_a_leg_keeps_scale_and_freezes_its_options():
    leg = Exit(price="9.50", venue_options={"mock.a": True})

    assert "9.50" == str(leg.price)
    assert Exit(price=Decimal("9.5"), venue_options={"mock.a": True}) == leg
    assert hash(leg)
