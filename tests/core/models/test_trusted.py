import pickle
import weakref
from decimal import Decimal
from types import SimpleNamespace

import attrs
import pytest

from dragoman.errors import InvalidValueError
from dragoman.models import (
    Bar,
    Fill,
    Money,
    Order,
    OrderEvent,
    OrderStatus,
    OrderType,
    PositionEvent,
    Quote,
    Side,
)
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


@pytest.mark.parametrize(
    "kind", [Fill, Order, OrderEvent, PositionEvent, Quote, Bar], ids=lambda kind: kind.__name__
)
def test_a_built_model_is_as_frozen_and_as_whole_as_any(kind):
    values = {field.name: field.name for field in attrs.fields(kind)}

    built = builder(kind)(**values)

    assert kind is type(built)
    assert values == {name: getattr(built, name) for name in values}
    assert built == pickle.loads(pickle.dumps(built))  # noqa: S301 - its own bytes
    assert weakref.ref(built)() is built
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        built.received_at_ns = None
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del built.received_at_ns
    assert not hasattr(built, "__dict__")


def test_fields_are_taken_by_position_in_their_order():
    quote = builder(Quote)("S", "mock", 1, Decimal(1), Decimal(2), Decimal(3), Decimal(4), None, 5)

    assert quote == Quote(
        symbol="S",
        provider="mock",
        received_at_ns=1,
        bid_price=Decimal(1),
        bid_size=Decimal(2),
        ask_price=Decimal(3),
        ask_size=Decimal(4),
        venue_time_ns=5,
    )
    assert hash(quote) == hash(attrs.evolve(quote))
    assert repr(quote) == repr(attrs.evolve(quote))


@pytest.mark.parametrize("values", [{}, {"symbol": "S"}, {"wrong": 1}], ids=["none", "some", "odd"])
def test_a_builder_wants_each_field_without_a_default_and_no_others(values):
    with pytest.raises(TypeError):
        builder(Quote)(**values)


@attrs.frozen
class Remembering:
    name: str
    seen: list[str] = attrs.field(factory=list)


def test_what_is_made_anew_for_each_must_be_given():
    assert Remembering("a", ["b"]) == builder(Remembering)("a", ["b"])
    with pytest.raises(TypeError, match="seen"):
        builder(Remembering)("a")
