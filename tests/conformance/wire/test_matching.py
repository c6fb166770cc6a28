"""When two requests are the same, and when a frame is like a pattern."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman_conformance.wire.exact_json import (
    Digits,
    read_json,
    sorted_json,
    write_json,
)
from dragoman_conformance.wire.matching import (
    binds,
    key_of,
    nearest,
    same_text,
    signature_fields,
    substituted,
)

JSON = "application/json"
FORM = "application/x-www-form-urlencoded; charset=utf-8"


def post(body, kind=JSON, target="/orders", volatile=()):
    return key_of("POST", target, kind, body, frozenset(volatile))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (post(b'{"a":1,"b":[1,{"c":2,"d":3}]}'), post(b'{ "b":[1,{"d":3,"c":2}], "a":1 }')),
        (post(b"a=1&b=2&a=3", FORM), post(b"b=2&a=3&a=1", FORM)),
        (post(b"a=%20x", FORM), post(b"a=+x", FORM)),
        (post(b"", target="/o?a=1&b=%20"), post(b"", target="/o?b=+&a=1")),
        (post(b"", target="/o/a%2fb"), post(b"", target="/o/a%2Fb")),
        (post(b"", target="/o/%3CKEY%3E"), post(b"", target="/o/<KEY>")),
        (post(b'"\\u00e9"'), post('"é"'.encode())),
        (post(b'{"t":1,"a":2}', volatile=["t"]), post(b'{"t":"x","a":2}', volatile=["t"])),
        (post(b"t=1&a=2", FORM, volatile=["t"]), post(b"t=9&a=2", FORM, volatile=["t"])),
        (
            post(b"", target="/o?t=1", volatile=["t"]),
            post(b"", target="/o?t=2", volatile=["t"]),
        ),
        (post(b'{"a":1}', None), post(b'{"a": 1}', "text/plain")),
    ],
)
def test_what_differs_only_in_order_or_spelling_is_the_same(one, other):
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (post(b'{"a":1.10}'), post(b'{"a":1.1}')),
        (post(b'{"a":1.10}'), post(b'{"a":1.1000000000000000000001}')),
        (post(b'{"a":1E-7}'), post(b'{"a":0.0000001}')),
        (post(b'{"a":1}'), post(b'{"a":"1"}')),
        (post(b'{"a":true}'), post(b'{"a":1}')),
        (post(b'{"a":null}'), post(b"{}")),
        (post(b'{"a":[1,2]}'), post(b'{"a":[2,1]}')),
        (post(b"a=1&a=1", FORM), post(b"a=1", FORM)),
        (post(b"a=", FORM), post(b"", FORM)),
        (post(b"", target="/o?a=1"), post(b"", target="/o?a=1&a=1")),
        (post(b"", target="/o/a%2Fb"), post(b"", target="/o/a/b")),
        (post(b"", target="/o"), post(b"", target="/o/")),
        (post(b"{a}"), post(b"{ a}")),
        (post(b"\xff", "x/y"), post(b"\xfe", "x/y")),
        (post(b'{"t":1}', volatile=["t"]), post(b"{}", volatile=["t"])),
        (post(b"a=1", FORM), post(b"a=1", "text/plain")),
    ],
)
def test_what_differs_otherwise_is_not(one, other):
    assert one != other


def test_the_nearest_is_told_with_what_differs():
    known = [post(b'{"symbol":"MSFT"}'), post(b'{"symbol":"AAPL","quantity":"1.10"}')]

    told = nearest(post(b'{"symbol":"AAPL","quantity":1.1}'), known)

    assert '-  "quantity":"1.10",' in told
    assert '+  "quantity":1.1,' in told
    assert "MSFT" not in told
    assert "nothing is recorded" == nearest(known[0], [])
    assert "as often as it was" in nearest(known[0], known)


def test_fields_of_signatures_are_found_wherever_they_stand():
    uris = ["http://a/b?sig=%3CSIG%3E&t=1", "http://a/b?t=1"]
    bodies = [b'{"a":[{"sign":"<SIG>"}]}', b"mac=%3CSIG%3E&x=1", b"<SIG>", b"{}"]

    assert {"sig", "sign", "mac"} == signature_fields(uris, bodies)


@pytest.mark.parametrize(
    ("pattern", "found", "is_like"),
    [
        ('{"a":1}', '{"a":1}', True),
        ('{"a":1.0}', '{"a":1}', False),
        ('{"a":true}', '{"a":1}', False),
        ('{"a":{"$any":true}}', '{"a":[1]}', True),
        ('{"a":1}', '{"a":1,"b":2}', False),
        ('{"a":1,"b":2}', '{"a":1}', False),
        ("[1,2]", "[1]", False),
        ('[{"$bind":"x"},{"$ref":"x"}]', "[7,7]", True),
        ('[{"$bind":"x"},{"$ref":"x"}]', "[7,8]", False),
        ('{"$ref":"y"}', "1", False),
    ],
)
def test_a_frame_is_like_a_pattern_or_not(pattern, found, is_like):
    assert is_like == binds(read_json(pattern), read_json(found), {})


def test_a_subset_may_be_said_with_more():
    pattern, found = read_json('{"a":{"b":1}}'), read_json('{"a":{"b":1,"c":2},"d":3}')

    assert [True, False] == [binds(pattern, found, {}, is_subset=one) for one in (True, False)]


def test_what_is_bound_is_told_again():
    bound = {}
    binds(read_json('{"id":{"$bind":"sub"}}'), read_json('{"id":1.10}'), bound)

    told = substituted(read_json('{"r":[{"$ref":"sub"}]}'), bound)

    assert '{"r":[1.10]}' == write_json(told)


def test_texts_are_the_same_in_any_order_of_members():
    assert same_text('{"a":1,"b":2}', '{"b":2, "a":1}')
    assert same_text("ping", "ping")
    assert not same_text("ping", "pong")
    assert not same_text('{"a":1.10}', '{"a":1.1}')


leaf = st.none() | st.booleans() | st.text(max_size=5)
leaf |= st.decimals(allow_nan=False, allow_infinity=False).map(lambda one: Digits(f"{one:f}"))
trees = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
)


@given(trees)
def test_json_is_read_as_it_was_written(tree):
    assert tree == read_json(write_json(tree))
    assert tree == read_json(sorted_json(tree))


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "[Infinity]", '{"a":1,"a":2}', "01", "[" * 100_000]
)
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError, match=r"JSON|twice|Expecting|Extra|nested"):
        read_json(text)


def test_digits_are_a_number():
    with pytest.raises(ValueError, match="no JSON number: '1e'"):
        Digits("1e")
