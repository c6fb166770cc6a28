"""What is no model is refused by path, with what was found and what is allowed."""

import json
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpora import unsound_numbers, unsound_times
from tests.strategies import MODELS, requests

from dragoman import errors, models
from dragoman.errors import DecodeError, InvalidValueError
from dragoman.models import serde

LEVEL = {"price": "1", "size": "2"}
MARKET = {"symbol": "A", "side": "BUY", "order_type": "MARKET", "quantity": "1"}
DEPTH = {
    "type": "Depth",
    "symbol": "A",
    "bids": [LEVEL],
    "asks": [],
    "is_snapshot": True,
    "provider": "mock",
    "received_at": "2026-01-31T00:00:00Z",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def refused(kind, data):
    with pytest.raises(DecodeError) as caught:
        serde.from_plain(kind, data)
    assert "; ".join(map(str, caught.value.violations)) in str(caught.value)
    return [str(each) for each in caught.value.violations]


def is_read(kind, data):
    try:
        serde.from_plain(kind, data)
    except DecodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        (models.Level, LEVEL | {"price": 1.5}, "price: found 1.5; allowed: a decimal as text"),
        (models.Level, LEVEL | {"price": True}, "price: found True; allowed: a decimal as text"),
        (models.Level, LEVEL | {"price": None}, "price: found None; allowed: a decimal as text"),
        (models.Level, LEVEL | {"price": 10**5000}, "price: found ''; allowed: a finite decimal"),
        (models.Level, LEVEL | {"order_count": "1"}, "order_count: found '1'; allowed: an integer"),
        (models.Level, LEVEL | {"order_count": 1.0}, "order_count: found 1.0; allowed: an integer"),
        (
            models.Level,
            LEVEL | {"order_count": True},
            "order_count: found True; allowed: an integer",
        ),
        (models.Level, {"price": "1"}, "size: found None; allowed: a value: the field is required"),
        (models.Level, LEVEL | {"sise": 1}, "sise: found 1; allowed: no such key; known are price"),
        (models.Level, [], ": found []; allowed: an object"),
        (models.Level, "x", ": found 'x'; allowed: an object"),
        (models.Level, None, ": found None; allowed: an object"),
        (models.Timeframe, "5x", "timeframe: found '5x'; allowed: a count and s, m, h"),
        (models.Timeframe, 5, ": found 5; allowed: text"),
        (
            models.Money,
            {"amount": "1", "currency": ""},
            "currency: found ''; allowed: 1 to 128 printable",
        ),
        (models.Offset, {"value": "-1"}, "value: found -1; allowed: a number above 0"),
        (
            models.Offset,
            {"value": "1", "unit": "pips"},
            "unit: found 'pips'; allowed: OffsetUnit PRICE",
        ),
        (models.Offset, {"value": "1", "unit": 5}, "unit: found 5; allowed: OffsetUnit PRICE"),
        (models.Depth, DEPTH | {"type": "Quote"}, "type: found 'Quote'; allowed: Depth"),
        (models.Depth, DEPTH | {"bids": "ab"}, "bids: found 'ab'; allowed: a list"),
        (models.Depth, DEPTH | {"bids": {"a": 1}}, "bids: found {'a': 1}; allowed: a list"),
        (
            models.Depth,
            DEPTH | {"bids": [LEVEL, {"price": "x", "size": "1"}]},
            "bids[1].price: found 'x'; allowed: a finite",
        ),
        (models.Depth, DEPTH | {"is_snapshot": 1}, "is_snapshot: found 1; allowed: true or false"),
        (models.Depth, DEPTH | {"received_at": 5}, "received_at: found 5; allowed: a time as text"),
        (
            models.Depth,
            DEPTH | {"received_at": "2026-01-31"},
            "received_at: found '2026-01-31'; allowed: an RFC",
        ),
        (
            models.Depth,
            DEPTH | {"received_at": None},
            "received_at: found None; allowed: a time as text",
        ),
        (models.Depth, DEPTH | {"raw": "%%"}, "raw: found '%%'; allowed: bytes as base64 text"),
        (models.Depth, DEPTH | {"raw": "é"}, "raw: found 'é'; allowed: bytes as base64 text"),
        (
            models.OrderRequest,
            MARKET | {"limit_price": "5"},
            "limit_price: found 5; allowed: nothing: MARKET takes",
        ),
        (
            models.OrderRequest,
            MARKET | {"expires_at": "2026-01-31T00:00:00Z"},
            "expires_at: found 1769817600000000000; allowed: an expiry",
        ),
        (
            models.OrderRequest,
            MARKET | {"venue_options": {"a.b": 1.5}},
            "venue_options[a.b]: found 1.5; allowed: a str",
        ),
        (
            models.OrderRequest,
            MARKET | {"venue_options": [1]},
            "venue_options: found [1]; allowed: an object",
        ),
        (
            models.OrderRequest,
            MARKET | {"stop_loss": {}},
            "stop_loss.price: found None; allowed: one of price, offset",
        ),
        (
            models.OrderChange,
            {"stop_loss": "remove"},
            "stop_loss: found 'remove'; allowed: an object",
        ),
        (models.Subscription, {"bars": [["A"]]}, "bars[0]: found ['A']; allowed: a list of 2"),
        (
            models.Subscription,
            {"bars": [["A", "1x"]]},
            "bars[0][1].timeframe: found '1x'; allowed: a count",
        ),
        (models.Subscription, {"quotes": ["A", 1]}, "quotes[1]: found 1; allowed: text"),
        (
            models.CommandResult,
            {"client_order_id": "a", "error": 5},
            "error: found 5; allowed: an object",
        ),
        (
            models.CommandResult,
            {"client_order_id": "a", "error": {"type": "Boom", "message": ""}},
            "error.type: found 'Boom'; allowed: the name of an error class",
        ),
        (
            models.CommandResult,
            {"client_order_id": "a", "error": {"type": "ClosedError"}},
            "error.message: found None; allowed: text",
        ),
    ],
)
def test_a_refusal_names_path_found_and_allowed(kind, data, said):
    (first, *_) = refused(kind, data)

    assert first.startswith(said)


@pytest.mark.parametrize(
    ("fact", "value", "said"),
    [
        ("moon", 1, "moon: found 1; allowed: no such key; known are message, provider"),
        ("outcome", "MAYBE", "outcome: found 'MAYBE'; allowed: Outcome NOT_SENT"),
        ("retry_after", "1", "retry_after: found '1'; allowed: a finite number"),
        ("retry_after", float("inf"), "retry_after: found inf; allowed: a finite number"),
        ("retry_after", True, "retry_after: found True; allowed: a finite number"),
        ("violations", [{"field": 1}], "violations[0].field: found 1; allowed: text"),
    ],
)
def test_a_fact_of_an_error_is_refused_by_name(fact, value, said):
    with pytest.raises(DecodeError) as caught:
        serde.error_from_plain({"type": "InvalidOrderError", "message": "m", fact: value})

    assert str(caught.value.violations[0]).startswith(said)


@pytest.mark.parametrize(
    "name", ["Violation", "Outcome", "attrs", "KeyError", None, 5, ["ClosedError"]]
)
def test_only_an_error_class_is_an_error(name):
    with pytest.raises(DecodeError, match=r"the name of an error class"):
        serde.error_from_plain({"type": name, "message": "m"})


def test_a_number_of_seconds_may_be_whole():
    error = serde.error_from_plain({"type": "RateLimitedError", "message": "m", "retry_after": 5})

    assert (errors.RateLimitedError, 5.0) == (type(error), error.retry_after)


def test_every_wrong_part_is_listed_at_once():
    data = DEPTH | {"symbol": 5, "bids": [LEVEL, 7], "asks": None, "moon": 1}

    found = [each.split(":")[0] for each in refused(models.Depth, data)]

    assert ["symbol", "bids[1]", "asks", "moon"] == found


@pytest.mark.parametrize(
    "data", [None, 5, [], {}, {"type": "Order"}, {"type": None}, {"type": ["Quote"]}]
)
def test_what_names_no_event_is_no_event(data):
    with pytest.raises(DecodeError, match=r"event: type: found .*; allowed: one of Quote, Trade"):
        serde.event_from_plain(data)


def test_unsound_numbers_are_refused_as_amounts():
    longer_than_outside = {
        text for text in unsound_numbers() if not set(text) - set("+-0123456789.eE")
    }

    corpus = {*unsound_numbers()} - longer_than_outside

    assert [] == [text for text in corpus if is_read(models.Level, LEVEL | {"price": text})]


def test_unsound_times_are_refused_as_instants():
    corpus = unsound_times()

    assert [] == [text for text in corpus if is_read(models.Depth, DEPTH | {"received_at": text})]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found ''; allowed: JSON: Expecting value at character 0"),
        ("{", "allowed: JSON: Expecting property name"),
        ("{}{}", "found '{}'; allowed: JSON: Extra data at character 2"),
        ("\ufeff{}", "allowed: JSON: Unexpected UTF-8 BOM"),
        ('{"price": NaN}', "found 'NaN'; allowed: a finite number"),
        ('{"price": -Infinity}', "found '-Infinity'; allowed: a finite number"),
        ('{"price": "1", "size": "2", "price": "1"}', "found 'price'; allowed: each key once"),
        ('{"price": ' + "9" * 5000 + "}", "allowed: JSON whose numbers are not over-long"),
        ("[" * 200_000, "allowed: JSON nested less deeply"),
        ('{"price": 1e5, "size": "2"}', "price: found 100000.0; allowed: a decimal as text"),
        ('{"price": 1e999, "size": "2"}', "price: found inf; allowed: a decimal as text"),
    ],
    ids=[
        "empty",
        "cut",
        "two",
        "bom",
        "nan",
        "infinity",
        "duplicate",
        "long",
        "deep",
        "float",
        "huge",
    ],
)
def test_text_that_is_no_json_of_ours_is_refused(text, said):
    with pytest.raises(DecodeError) as caught:
        serde.from_json(models.Level, text)

    assert said in str(caught.value)


def test_text_that_is_no_json_is_no_event():
    with pytest.raises(DecodeError, match=r"event: "):
        serde.event_from_json("{")


def test_an_integer_is_an_exact_amount():
    assert models.Level(10**30, 2) == serde.from_json(
        models.Level, f'{{"price": {10**30}, "size": 2}}'
    )


@given(st.sampled_from([*MODELS]), JSON)
def test_any_json_is_a_model_or_a_decode_error(kind, data):
    if is_read(kind, data):
        assert isinstance(serde.from_plain(kind, data), kind)
    else:
        assert refused(kind, data)


@given(requests(), st.data())
def test_any_change_to_one_field_is_read_or_refused(request, data):
    plain = serde.to_plain(request)
    name = data.draw(st.sampled_from([*plain]))

    changed = plain | {name: data.draw(JSON)}

    if is_read(models.OrderRequest, changed):
        assert isinstance(serde.from_plain(models.OrderRequest, changed), models.OrderRequest)
    else:
        assert refused(models.OrderRequest, changed)


@given(st.text())
def test_any_text_is_an_event_or_a_decode_error(text):
    with pytest.raises(DecodeError):
        serde.event_from_json(text)


@given(requests(), st.data())
def test_cut_json_is_refused(request, data):
    text = serde.to_json(request)
    cut = text[: data.draw(st.integers(0, len(text) - 1))]

    with pytest.raises(DecodeError):
        serde.from_json(models.OrderRequest, cut)


QUOTE = {"symbol": "A", "provider": "mock", "received_at_ns": 0}


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (object(), "allowed: models, amounts, enums"),
        (1j, "allowed: models, amounts, enums"),
        (float("nan"), "found nan; allowed: a finite number"),
        (Decimal("NaN"), "found NaN; allowed: a finite Decimal"),
        (Decimal("1E+300"), "allowed: a finite Decimal, not over-long"),
        (models.Quote(**QUOTE | {"bid_price": 1.5}), "found 1.5; allowed: a finite Decimal"),
        (
            models.Quote(**QUOTE | {"received_at_ns": 10**30}),
            "allowed: an instant in the years 1 to 9999",
        ),
        (
            models.Quote(**QUOTE | {"received_at_ns": None}),
            "allowed: fields of the types it declares",
        ),
        (
            models.Quote(**QUOTE | {"received_at_ns": "now"}),
            "allowed: fields of the types it declares",
        ),
        (
            models.Trade(**QUOTE, price=Decimal(1), size=Decimal(1), aggressor="BUY"),
            "found 'BUY'; allowed: a member",
        ),
        (
            models.Trade(**QUOTE, price=Decimal(1), size=Decimal(1), conditions=None),
            "allowed: fields of the types",
        ),
        (models.Quote(**QUOTE | {"symbol": Decimal(1)}), "allowed: what JSON can say"),
    ],
)
def test_a_model_that_holds_nonsense_is_not_written(model, said):
    with pytest.raises(InvalidValueError) as caught:
        serde.to_json(model)

    assert said in str(caught.value)


@attrs.frozen
class Foreign:
    """A model of somebody else, that breaks in its own way."""

    number: int

    def __attrs_post_init__(self):
        1 // self.number


def test_a_model_that_breaks_in_its_own_way_is_named():
    assert ["number: found 'x'; allowed: an integer"] == refused(Foreign, {"number": "x"})
    (said,) = refused(Foreign, {"number": 0})
    assert ": found 'ZeroDivisionError'; allowed: what the model takes" == said


def test_a_class_that_is_no_model_is_not_read():
    with pytest.raises(DecodeError, match=r"no plain form is known|models and their parts"):
        serde.from_plain(object, {})


def test_json_holds_no_float_for_an_amount():
    text = serde.to_json(models.Level("0.1", 2))

    assert {"price": "0.1", "size": "2", "order_count": None} == json.loads(
        text, parse_float=pytest.fail
    )
