from decimal import Decimal

import pytest

from dragoman.models import Side
from dragoman.paper.accounts.exposure import Exposure, Hold, Holds, Standing


def hold(name, side, quantity, need, symbol="X"):
    exposure = Exposure(name, symbol, side, Decimal(quantity), Decimal(1))
    return Hold(exposure, Decimal(need))


@pytest.mark.parametrize(
    ("held", "margin", "standing", "expected"),
    [
        pytest.param(0, 0, (10, 50, 4, 20), 50, id="flat: the dearer side"),
        pytest.param(10, 100, (5, 50, 0, 0), 50, id="long buys more"),
        pytest.param(10, 100, (0, 0, 10, 100), 0, id="long closes"),
        pytest.param(10, 100, (0, 0, 15, 150), 0, id="long flips to less"),
        pytest.param(10, 100, (0, 0, 40, 400), 200, id="long flips to more"),
        pytest.param(-10, 100, (5, 50, 0, 0), 0, id="short covers"),
        pytest.param(-10, 100, (40, 400, 0, 0), 200, id="short flips to more"),
        pytest.param(-10, 100, (0, 0, 5, 60), 60, id="short sells more"),
    ],
)
def test_orders_bind_what_they_add_beyond_the_position(held, margin, standing, expected):
    orders = Standing(*map(Decimal, standing))

    assert Decimal(expected) == orders.opening_need(Decimal(held), Decimal(margin))


def test_standing_is_the_sum_of_holds_by_side():
    holds = Holds()
    holds.put(hold("a", Side.BUY, "0.1", "1.1"))
    holds.put(hold("b", Side.BUY, "0.2", "2.2"))
    holds.put(hold("c", Side.SELL, "3", "30"))
    holds.put(hold("d", Side.SELL, "4", "40", symbol="Y"))

    assert Standing(*map(Decimal, ("0.3", "3.3", "3", "30"))) == holds.standing("X")
    assert Standing(*map(Decimal, ("0.2", "2.2", "3", "30"))) == holds.standing("X", "a")
    assert holds.standing("X") == holds.standing("X", "d")


def test_second_hold_of_an_order_replaces_the_first():
    holds = Holds()
    holds.put(hold("a", Side.BUY, 1, 10))
    holds.put(hold("a", Side.SELL, 2, 20))

    assert Standing(*map(Decimal, (0, 0, 2, 20))) == holds.standing("X")
    assert 1 == len(list(holds))


def test_dropped_hold_leaves_nothing():
    holds = Holds()
    holds.put(hold("a", Side.BUY, "0.1", "0.7"))

    dropped = holds.drop("a")

    assert dropped == hold("a", Side.BUY, "0.1", "0.7")
    assert Standing() == holds.standing("X")
    assert holds.get("a") is None
    assert holds.drop("a") is None
