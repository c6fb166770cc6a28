"""Text from outside never changes where a request goes (C-9, S-13)."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ConfigurationError, InvalidValueError, Outcome
from dragoman.transport.urls import (
    build_url,
    check_base,
    encode_query,
    fill_path,
    is_loopback,
)

BASE = "https://api.example/v2"
ORDER = "/orders/{order_id}/cancel"
SIGNED_IN = "user:canary"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("abc-123_~.", "/orders/abc-123_~./cancel"),
        ("BTC/USD", "/orders/BTC%2FUSD/cancel"),
        ("../../accounts", "/orders/..%2F..%2Faccounts/cancel"),
        ("%2e%2e", "/orders/%252e%252e/cancel"),
        ("a?x=1", "/orders/a%3Fx%3D1/cancel"),
        ("a#b", "/orders/a%23b/cancel"),
        ("me@evil", "/orders/me%40evil/cancel"),
        ("//evil", "/orders/%2F%2Fevil/cancel"),
        ("\\..\\", "/orders/%5C..%5C/cancel"),
        ("a b+c", "/orders/a%20b%2Bc/cancel"),
        ("币安人生USDT", "/orders/%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT/cancel"),
        ("\u202eTDSU", "/orders/%E2%80%AETDSU/cancel"),
        ("...", "/orders/.../cancel"),
    ],
)
def test_c09_a_value_stays_within_its_segment(value, path):
    assert path == fill_path(ORDER, {"order_id": value})


@pytest.mark.parametrize(
    "value",
    ["", ".", "..", "a\r\nHost: evil", "a\0", "a\x7f", "a\x85", "\ud800", "x" * 1025],
    ids=repr,
)
def test_c09_what_can_not_be_quoted_safely_is_refused_unshown(value):
    with pytest.raises(InvalidValueError) as caught:
        fill_path(ORDER, {"order_id": value})

    assert Outcome.NOT_SENT is caught.value.outcome
    assert "evil" not in str(caught.value)


@given(st.text(max_size=60))
def test_c09_no_text_changes_host_or_shape(value):
    try:
        url = build_url(check_base(BASE), fill_path(ORDER, {"order_id": value}))
    except InvalidValueError:
        return

    parts = urlsplit(url)
    head, order_id, tail = parts.path.removeprefix("/v2/").split("/")
    assert ("https", "api.example", "", "") == (
        parts.scheme,
        parts.netloc,
        parts.query,
        parts.fragment,
    )
    assert ("orders", value, "cancel") == (head, unquote(order_id), tail)
    assert url.isascii()
    assert url.isprintable()


@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), st.text(max_size=40)), max_size=6))
def test_a_query_says_what_was_given_in_order(pairs):
    try:
        text = encode_query(pairs)
    except InvalidValueError:
        return

    assert pairs == parse_qsl(text, keep_blank_values=True, strict_parsing=bool(pairs))
    assert set("#/? \r\n").isdisjoint(text)
    assert text.isascii()


def test_a_query_is_spelled_in_one_way():
    pairs = [("symbol", "币"), ("a b", "x&y=z"), ("q", "1.5"), ("e", "")]

    assert "symbol=%E5%B8%81&a%20b=x%26y%3Dz&q=1.5&e=" == encode_query(pairs)


@pytest.mark.parametrize("text", ["a\r\nb", "a\0", "\udfff"], ids=repr)
def test_a_query_with_control_characters_is_refused(text):
    with pytest.raises(InvalidValueError):
        encode_query([("symbol", text)])
    with pytest.raises(InvalidValueError):
        encode_query([(text, "v")])


@pytest.mark.parametrize("values", [{}, {"id": "1"}, {"order_id": "1", "more": "2"}])
def test_a_path_takes_exactly_its_fields(values):
    with pytest.raises(InvalidValueError, match="exactly the fields"):
        fill_path(ORDER, values)


@pytest.mark.parametrize(
    "template", ["orders", "", "/a b", "/a?b", "/a#b", "/../a", "/a/./b", "/%2e%2E/b", "/\r\n"]
)
def test_a_template_that_is_no_path_is_refused(template):
    with pytest.raises(InvalidValueError):
        fill_path(template, {})


def test_a_field_may_be_part_of_a_segment_but_not_make_it_dots():
    assert "/orders/@my%2Fid" == fill_path("/orders/@{order_id}", {"order_id": "my/id"})
    assert "/orders/@.." == fill_path("/orders/@{order_id}", {"order_id": ".."})
    with pytest.raises(InvalidValueError):
        fill_path("/orders/.{order_id}", {"order_id": "."})


@pytest.mark.parametrize(
    ("base", "checked"),
    [
        ("https://api.example", "https://api.example"),
        ("https://api.example:8443/v2/", "https://api.example:8443/v2"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://localhost:1", "http://localhost:1"),
        ("ws://[::1]:8080/stream", "ws://[::1]:8080/stream"),
        ("wss://stream.example/ws", "wss://stream.example/ws"),
    ],
)
def test_bases_that_may_be_spoken_to(base, checked):
    assert checked == check_base(base)


@pytest.mark.parametrize(
    "base",
    [
        "http://api.example",
        "ws://api.example",
        "http://127.0.0.2.example",
        "http://localhost.example",
        "ftp://api.example",
        "https://",
        "https://user@api.example",
        f"https://{SIGNED_IN}@api.example",
        "https://api.example?x=1",
        "https://api.example#f",
        "https://api.example/../x",
        "https://api.example/%2e%2e",
        "https://api.example:0x50",
        "https://api.example:99999",
        "https://api.example\\@evil",
        "https://bücher.example",
        "https://api.example/\r\n",
        "//api.example",
        "",
    ],
)
def test_s07_bases_that_may_not(base):
    with pytest.raises(ConfigurationError) as caught:
        check_base(base)

    assert Outcome.NOT_SENT is caught.value.outcome
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("127.0.0.2", False),
        ("0.0.0.0", False),  # noqa: S104 - is asked about, not bound
        ("10.0.0.1", False),
        (None, False),
        ("", False),
    ],
)
def test_what_is_this_machine(host, expected):
    assert expected is is_loopback(host)
