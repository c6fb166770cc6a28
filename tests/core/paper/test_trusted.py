from types import SimpleNamespace

import attrs
import pytest

from dragoman.errors import InvalidValueError
from dragoman.models import Fill, Money, Order
from dragoman.paper.trusted import builder, copier

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
