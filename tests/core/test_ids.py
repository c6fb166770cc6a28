"""Ids: a grammar, fresh ones, and ones that are pure functions of a fact."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import ids

VISIBLE = "".join(map(chr, range(33, 127)))


@pytest.mark.parametrize("text", ["a", VISIBLE, "x" * 128, "~!", "a-b_c.d:e/f"])
def test_visible_ascii_up_to_128_is_a_client_order_id(text):
    assert ids.is_client_order_id(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "a b", "a\n", "\na", "a\r\nb", "a\x00", "é", "x" * 129, "a\x7f", "\uff11", "a\u200e"],
)
def test_anything_else_is_no_client_order_id(text):
    assert not ids.is_client_order_id(text)


def test_random_ids_differ_and_fit_the_grammar():
    source = ids.RandomIds()

    made = [source.next_id() for _ in range(1_000)]

    assert 1_000 == len(set(made))
    assert all(re.fullmatch(r"[a-z0-9-]{1,36}", each) for each in made)


def test_seeded_ids_are_the_same_every_run():
    source = ids.SeededIds("leg")

    assert ["leg-1", "leg-2", "leg-3"] == [source.next_id() for _ in range(3)]


def test_a_stable_id_depends_on_its_parts_alone():
    assert "f43bd2aee7ca1bf664a2a156d93b14db" == ids.stable_id("mock", "1", "fill")


@pytest.mark.parametrize(
    "parts", [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ("abc", "")]
)
def test_parts_are_not_glued_together(parts):
    others = {("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ("abc", "")} - {parts}

    assert ids.stable_id(*parts) not in {ids.stable_id(*other) for other in others}


@given(st.text(max_size=200), st.integers(0, 50), st.integers(1, 64))
def test_a_token_fits_its_alphabet_and_length(client_order_id, revision, length):
    token = ids.hashed_token(client_order_id, revision, alphabet="abc123", length=length)

    assert length == len(token)
    assert set(token) <= set("abc123")


@given(st.text(max_size=200), st.integers(0, 50))
def test_a_token_is_pure(client_order_id, revision):
    tokens = {
        ids.hashed_token(client_order_id, revision, alphabet="0123456789abcdef", length=32)
        for _ in range(2)
    }

    assert 1 == len(tokens)


def test_long_ids_with_one_head_and_revisions_of_one_id_differ():
    named = [("x" * 127 + tail, revision) for tail in "abc" for revision in range(50)]

    tokens = {ids.hashed_token(*each, alphabet="0123456789", length=18) for each in named}

    assert len(named) == len(tokens)
