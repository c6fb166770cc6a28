import json
from decimal import Decimal

import pytest

from dragoman.errors import InvalidValueError
from dragoman.models import Exit, Money, Offset, OrderRequest, OrderStatus, Side
from dragoman.paper.codec import decode, decoded, encode
from dragoman.paper.market.feed import MarketTick

VALUES = [
    None,
    True,
    0,
    "text",
    Decimal("1.2300"),
    Decimal("1E-20"),
    OrderStatus.OPEN,
    ("a", Decimal(1), None),
    Money("1.50", "USD"),
    Offset.percent("0.5"),
    MarketTick(1, "A", Decimal("1.0"), None, None, Decimal(2), aggressor=Side.BUY),
    OrderRequest.bracket(
        "A",
        Side.BUY,
        "1.0",
        stop_loss=Exit(price="1", venue_options={"mock.note": "x"}),
        take_profit="3",
        client_order_id="a",
    ),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_value_comes_back_exactly(value):
    data = json.loads(json.dumps(encode(value)))

    assert value == decode(data)
    assert repr(value) == repr(decode(data))


@pytest.mark.parametrize("value", [1.5, object(), {"a": 1}, b"raw"])
def test_foreign_values_are_refused(value):
    with pytest.raises(InvalidValueError):
        encode(value)


@pytest.mark.parametrize(
    "data", [{}, [], ["what"], ["model", "Decimal", {}], ["enum", "getattr", "x"]], ids=repr
)
def test_foreign_data_is_refused(data):
    with pytest.raises(InvalidValueError):
        decode(data)


def test_data_of_another_kind_is_refused():
    with pytest.raises(InvalidValueError):
        decoded(Money, encode(Decimal(1)))
