from types import SimpleNamespace

import attrs
import pytest

from dragoman.errors import InvalidValueError
from dragoman.models import Fill, Money, Order, OrderStatus, OrderType, Side
from dragoman.models.trusted import builder, copier, evolver

FIELDS = {
    "fill_id": "f1",
    "account_id": "a",
    "client_order_id": "c",
    "symbol": "S",
    "side": "BUY",
    "quantity": Money("1", "USD").amount,
    "price": Money("2", "USD").amount,
    "venue_time_ns": 1,
    "provider": "mock",
    "received_at_ns": 1,
}

ORDER = Order(
    client_order_id="o",
    account_id="a",
    symbol="S",
    side=Side.BUY,
    order_type=OrderType.MARKET,
    status=OrderStatus.OPEN,
    provider="mock",
    received_at_ns=1,
)


def test_built_model_equals_the_checked_one():
    assert Fill(**FIELDS) == builder(Fill)(**FIELDS)


def test_copied_model_equals_the_checked_one():
    whole = {field.name: None for field in attrs.fields(Fill)} | FIELDS | {"is_busted": False}

    assert Fill(**FIELDS) == copier(Fill)(SimpleNamespace(**whole))


def test_nothing_is_checked_again():
    wrong = {**FIELDS, "quantity": Money("-1", "USD").amount}

    with pytest.raises(InvalidValueError):
        Fill(**wrong)
    assert -1 == builder(Fill)(**wrong).quantity


def test_missing_attribute_is_told():
    with pytest.raises(AttributeError):
        copier(Order)(SimpleNamespace(client_order_id="a"))


def test_an_evolved_copy_differs_in_what_was_named_only():
    evolve = evolver(Order)

    changed = evolve(ORDER, status=OrderStatus.FILLED, reason="why")

    assert attrs.evolve(ORDER, status=OrderStatus.FILLED, reason="why") == changed


def test_an_evolved_copy_has_no_field_of_another_model():
    with pytest.raises(KeyError):
        evolver(Order)(ORDER, no_such_field=1)
