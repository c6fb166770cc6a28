"""Changing JSON bodies: only what is meant changes, and digits stay as they are."""

import json

import pytest

from dragoman_conformance.looks import bodies

ORDER = (
    b'{"id":"a1","status":"filled","price":1.10,"size":100000.10000000000000001,"done":true,'
    b'"legs":[{"status":"new","symbol":"AAPL"}],"note":null}'
)


@pytest.mark.parametrize(
    "change", [bodies.extended, bodies.reworded, lambda body: bodies.reworded_at(body, "status")]
)
def test_digits_survive_a_change(change):
    assert b"100000.10000000000000001" in change(ORDER)
    assert b"1.10" in change(ORDER)


def test_words_are_replaced_and_ids_and_amounts_are_not():
    changed = json.loads(bodies.reworded(ORDER, keep=["AAPL"]))

    assert ("a1", "kit_unheard_of", True) == (changed["id"], changed["status"], changed["done"])
    assert {"status": "kit_unheard_of", "symbol": "AAPL"} == changed["legs"][0]


def test_the_fields_that_hold_words_are_named_once():
    assert {"status"} == set(bodies.words(ORDER, keep=["AAPL"]))


def test_one_field_is_reworded_wherever_it_stands():
    changed = json.loads(bodies.reworded_at(ORDER, "status"))

    assert ("kit_unheard_of", "kit_unheard_of") == (
        changed["status"],
        changed["legs"][0]["status"],
    )
    assert "AAPL" == changed["legs"][0]["symbol"]


def test_every_object_gets_fields_more():
    changed = json.loads(bodies.extended(ORDER))

    assert "kitAdded" in changed
    assert "kitAdded" in changed["legs"][0]


def test_every_plain_value_becomes_null():
    changed = json.loads(bodies.nulled(b'{"a":1,"b":["x",{"c":true}]}'))

    assert {"a": None, "b": [None, {"c": None}]} == changed


@pytest.mark.parametrize(
    ("body", "shape"), [(b'{"a":1}', list), (b"[1]", dict), (b"3", dict)], ids=["{}", "[]", "3"]
)
def test_another_shape_is_another_shape(body, shape):
    assert isinstance(json.loads(bodies.reshaped(body)), shape)


def test_half_a_body_is_no_json():
    with pytest.raises(json.JSONDecodeError):
        json.loads(bodies.halved(ORDER))


def test_values_are_found_by_their_text():
    body = bodies.read(b'{"code":40310000,"data":[{"code":"40310000"},{"ok":true}]}')

    assert [("code",), ("data", "0", "code")] == bodies.found_fields(body, "40310000")
    assert [] == bodies.found_fields(body, "True")


def test_what_is_no_json_reads_as_nothing():
    assert bodies.read(b"<html>") is None
