"""Requests are read back as the texts that stand on the wire."""

from decimal import Decimal

import pytest

from dragoman_conformance.chaos import SeenExchange
from dragoman_conformance.looks.wire_text import Term, terms_of


def exchange(target="/", body=b""):
    return SeenExchange(
        number=0,
        connection=1,
        method="POST",
        target=target,
        request_headers=(),
        request_body=body,
        started_ns=0,
    )


def test_numbers_of_json_keep_their_digits_and_are_known_as_bare():
    found = terms_of(exchange(body=b'{"a": 1.10000000000000000001, "b": ["2.50"]}'))

    assert Term("a", "1.10000000000000000001", is_bare=True) in found
    assert Term("b[0]", "2.50") in found


def test_forms_and_queries_are_read_decoded():
    found = terms_of(exchange("/a%2Fb/c?q=x%26y", b"qty=1E%2B3&sym=A%2FB"))

    assert {("path 1", "a/b"), ("q", "x&y"), ("qty", "1E+3"), ("sym", "A/B")} <= {
        (term.place, term.text) for term in found
    }


@pytest.mark.parametrize(
    ("text", "value"), [("1.50", Decimal("1.5")), ("BTC", None), ("NaN", None), ("", None)]
)
def test_a_term_is_a_number_if_it_is_a_finite_one(text, value):
    assert value == Term("x", text).value
