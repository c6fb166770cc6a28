"""Models to plain data and JSON, and back, to the last digit."""

import json
import subprocess
import sys
from decimal import Decimal

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort import effort
from tests.strategies import MODELS, amounts, exact, failures

from dragoman import errors, models, ports
from dragoman.models import events, serde

EVENTS = tuple(serde.shape.event_classes().values())


def attrs_classes(*modules):
    exported = [getattr(module, name) for module in modules for name in module.__all__]
    return {each for each in exported if isinstance(each, type) and attrs.has(each)}


def walk(plain):
    yield plain
    if isinstance(plain, dict):
        for value in plain.values():
            yield from walk(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from walk(value)


def names(kinds):
    return pytest.mark.parametrize("kind", kinds, ids=lambda kind: kind.__name__)


def test_every_model_has_a_strategy():
    assert attrs_classes(models, ports) | {errors.Violation} == set(MODELS)


def test_every_class_of_the_event_union_is_tagged():
    exported = {getattr(events, name) for name in events.__all__}

    assert {each for each in exported if attrs.has(each)} <= set(EVENTS)


@names(MODELS)
@settings(max_examples=effort(25))
@given(data=st.data())
def test_a_model_survives_json(kind, data):
    model = data.draw(MODELS[kind])

    text = serde.to_json(model, keep_raw=True)

    assert exact(model) == exact(serde.from_json(kind, text))


@names(MODELS)
@settings(max_examples=effort(25))
@given(data=st.data())
def test_a_model_survives_plain_data_that_is_what_json_says(kind, data):
    model = data.draw(MODELS[kind])

    plain = serde.to_plain(model, keep_raw=True)

    assert json.loads(serde.to_json(model, keep_raw=True)) == plain
    assert exact(model) == exact(serde.from_plain(kind, plain))


@names(EVENTS)
@settings(max_examples=effort(20))
@given(data=st.data())
def test_an_event_is_found_again_by_its_tag(kind, data):
    event = data.draw(MODELS[kind])

    text = serde.to_json(event, keep_raw=True)

    assert kind.__name__ == json.loads(text)["type"]
    assert exact(event) == exact(serde.event_from_json(text))


@names(MODELS)
@settings(max_examples=effort(10))
@given(data=st.data())
def test_raw_is_left_out_unless_asked_for(kind, data):
    plain = serde.to_plain(data.draw(MODELS[kind]))

    assert "raw" not in {key for part in walk(plain) if isinstance(part, dict) for key in part}


@given(failures)
def test_an_error_survives_as_its_own_class(error):
    again = serde.error_from_plain(serde.error_to_plain(error))

    assert exact(error) == exact(again)
    assert (type(error), str(error)) == (type(again), str(again))


def test_an_error_says_its_type_outcome_and_violations():
    error = errors.InvalidOrderError.of("OrderRequest", [errors.Violation.of("quantity", 0, "> 0")])

    assert {
        "type": "InvalidOrderError",
        "message": "OrderRequest: quantity: found 0; allowed: > 0",
        "provider": None,
        "code": None,
        "request_id": None,
        "outcome": "NOT_SENT",
        "retry_after": None,
        "violations": [{"field": "quantity", "found": "0", "allowed": "> 0"}],
    } == serde.error_to_plain(error)


def test_an_order_request_is_spelled_as_documented():
    request = models.OrderRequest.limit(
        "EUR/USD",
        models.Side.BUY,
        "1000.00",
        "1.08750",
        time_in_force=models.TimeInForce.GTD,
        expires_at_ns=1_767_796_200_000_000_001,
        take_profit=models.Exit(offset=models.Offset.ticks(5)),
        venue_options={"oanda.priceBound": "1.09"},
    )

    plain = serde.to_plain(request)

    expected = {
        "side": "BUY",
        "quantity": "1000.00",
        "limit_price": "1.08750",
        "notional": None,
        "expires_at": "2026-01-07T14:30:00.000000001Z",
        "venue_options": {"oanda.priceBound": "1.09"},
        "post_only": False,
    }
    assert expected == {name: plain[name] for name in expected}
    assert {"value": "5", "unit": "TICKS"} == plain["take_profit"]["offset"]
    assert "expires_at_ns" not in plain


def test_a_duration_stays_an_integer_of_nanoseconds():
    event = models.ConnectionEvent(
        state=models.ConnectionState.RECONNECTED, channel="orders", received_at_ns=0, gap_ns=7
    )

    plain = serde.to_plain(event)

    assert (7, "1970-01-01T00:00:00.000000000Z") == (plain["gap_ns"], plain["received_at"])


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (models.Timeframe.parse("5m"), "5m"),
        (models.Money("1.50", "USD"), {"amount": "1.50", "currency": "USD"}),
        (Decimal("-0.00"), "0.00"),
        (Decimal("1E+3"), "1000"),
        ((models.Timeframe.parse("1h"),), ["1h"]),
        ({"a": [None, True, 2]}, {"a": [None, True, 2]}),
        (frozenset({"b", "a"}), ["a", "b"]),
        (models.Side.SELL, "SELL"),
        (b"\x00\xff", "AP8="),
        (0.5, 0.5),
    ],
)
def test_a_value_has_its_natural_form(value, plain):
    assert plain == serde.to_plain(value)


def test_removing_an_exit_is_not_leaving_it():
    change = models.OrderChange(stop_loss=models.REMOVE, quantity=1)

    plain = serde.to_plain(change)

    assert ("REMOVE", None) == (plain["stop_loss"], plain["take_profit"])
    assert change == serde.from_plain(models.OrderChange, plain)


@given(amounts(digits=160, scale=100))
def test_json_numbers_of_amounts_are_text(value):
    assert f'"{value:f}"' == serde.to_json(value)


def test_json_is_one_line_of_ascii():
    quote = models.Quote(symbol="币安人生USDT", provider="a\nb", received_at_ns=1)

    text = serde.to_json(quote)

    assert text.isascii()
    assert "\n" not in text


def test_a_missing_key_takes_the_default_of_its_field():
    level = serde.from_plain(models.Level, {"price": "1.0", "size": "2"})

    assert models.Level("1.0", "2") == level


def test_an_unknown_key_is_passed_over_when_asked():
    data = {"price": "1", "size": "2", "venue": {"new": True}}

    level = serde.from_plain(models.Level, data, ignore_unknown=True)

    assert models.Level(1, 2) == level


def test_an_unknown_fact_of_an_error_is_passed_over_when_asked():
    data = {
        "client_order_id": "a",
        "error": {"type": "ClosedError", "message": "closed", "moon": 1},
    }

    result = serde.from_plain(models.CommandResult, data, ignore_unknown=True)

    assert "closed" == str(result.error)


def test_importing_the_models_does_not_import_cattrs():
    code = "import sys, dragoman.models; print([n for n in sys.modules if n.startswith('cattr')])"

    run = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert "[]" == run.stdout.strip()
