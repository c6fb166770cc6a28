"""The forms of secrets, and that a placeholder becomes the replay's own secret in the same form."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import ConfigurationError
from dragoman_conformance.wire.secret_forms import PLACEHOLDER, forms_of, placeholder, restore

SECRETS = {"api_key": "Key+/of=tests", "api-secret": "s3cr3t&of:tests"}
OTHERS = {"api_key": "another/Key=1", "api-secret": "quite?another+1"}


def test_every_form_becomes_the_other_secrets_form():
    ours = {mark: text for text, mark in forms_of(SECRETS)}
    theirs = {mark: text for text, mark in forms_of(OTHERS)}

    for mark in ours.keys() & theirs.keys():
        assert theirs[mark] == restore(mark, OTHERS)
    assert {"<API_KEY>", "<API_KEY:base64>", "<API_SECRET:url>", "<API_KEY:last8>"} <= ours.keys()


def test_a_pair_is_known_as_basic_authentication():
    pair = base64.b64encode(b"Key+/of=tests:s3cr3t&of:tests").decode()

    assert "<API_KEY:basic:API_SECRET>" == dict(forms_of(SECRETS))[pair]
    assert pair == restore("<API_KEY:basic:API_SECRET>", SECRETS)


def test_every_placeholder_is_known_as_one():
    assert all(PLACEHOLDER.fullmatch(mark) for _, mark in forms_of(SECRETS))
    assert "<SECRET>" == placeholder("?!")


def test_what_is_not_known_stays():
    assert "<LISTEN_KEY> <b>" == restore("<LISTEN_KEY> <b>", SECRETS)


def test_a_secret_that_is_too_short_is_refused():
    with pytest.raises(ConfigurationError, match="'pin' has 4 characters"):
        forms_of({"pin": "1234"})


@given(st.text(st.characters(min_codepoint=33, max_codepoint=1000), min_size=6, max_size=40))
def test_longer_forms_come_first(secret):
    lengths = [len(text) for text, _ in forms_of({"a": secret})]

    assert sorted(lengths, reverse=True) == lengths
