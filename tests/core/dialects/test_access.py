"""Keys of clients: what they open, and that nobody sees them."""

import copy
import pickle
from decimal import Decimal

import pytest

from dragoman.dialects import Access, AccessKey, Scope
from dragoman.dialects.keyring import KeyRing
from dragoman.errors import AuthenticationError, ConfigurationError, Outcome, PermissionDeniedError

CAPTAIN = AccessKey(key_id="captain", secret="key-of-tests")
MATE = AccessKey(
    key_id="mate", secret="key-to-look", account_id="two", scopes=frozenset({Scope.READ})
)
RING = KeyRing([CAPTAIN, MATE])


@pytest.mark.parametrize(
    ("key_id", "secret", "expected"),
    [
        ("captain", "key-of-tests", (None, frozenset(Scope))),
        ("mate", "key-to-look", ("two", frozenset({Scope.READ}))),
        (None, "key-to-look", ("two", frozenset({Scope.READ}))),
    ],
    ids=["all accounts", "one account", "a token alone"],
)
def test_a_key_opens_what_it_is_for(key_id, secret, expected):
    found = RING.find(key_id, secret)

    assert expected == (found.account_id, found.scopes)


@pytest.mark.parametrize(
    ("key_id", "secret"),
    [
        ("captain", "key-to-look"),
        ("captain", "key-of-test"),
        ("captain", ""),
        ("captain", None),
        ("Captain", "key-of-tests"),
        ("", "key-of-tests"),
        (None, None),
        (None, "captain"),
        ("\ud800", "\ud800"),
    ],
    ids=["of another", "cut", "empty", "none", "case", "no id", "nothing", "its id", "surrogates"],
)
def test_anything_else_opens_nothing(key_id, secret):
    with pytest.raises(AuthenticationError) as raised:
        RING.find(key_id, secret)

    assert Outcome.NOT_SENT is raised.value.outcome
    assert "key-of" not in str(raised.value)


def test_a_secret_that_keys_share_needs_the_id_of_one():
    ring = KeyRing([CAPTAIN, AccessKey(key_id="cook", secret=CAPTAIN.secret, account_id="two")])

    assert "two" == ring.find("cook", CAPTAIN.secret.reveal()).account_id
    with pytest.raises(AuthenticationError):
        ring.find(None, CAPTAIN.secret.reveal())


def test_a_ring_and_its_keys_show_no_secret():
    shown = f"{CAPTAIN} {CAPTAIN!r} {RING!r} {vars(RING)} {copy.copy(CAPTAIN)}"

    assert "key-of-tests" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(CAPTAIN)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"key_id": ""}, "the id"),
        ({"key_id": "a\nb"}, "the id"),
        ({"secret": "short"}, "at least 8"),
        ({"secret": ""}, "at least 8"),
        ({"scopes": frozenset()}, "no scope"),
    ],
    ids=["no id", "control character", "short secret", "no secret", "no scope"],
)
def test_a_key_that_protects_nothing_is_refused(fields, words):
    with pytest.raises(ConfigurationError, match=words) as raised:
        AccessKey(**{"key_id": "captain", "secret": "key-of-tests", **fields})

    assert "short" not in str(raised.value)


def test_two_keys_of_one_id_are_refused():
    with pytest.raises(ConfigurationError, match="two access keys have the id 'captain'"):
        KeyRing([CAPTAIN, CAPTAIN])


def test_access_says_what_it_lacks():
    access = Access(broker=Decimal(0), scopes=frozenset({Scope.READ}))

    access.require(Scope.READ)
    with pytest.raises(PermissionDeniedError, match="may not trade") as raised:
        access.require(Scope.TRADE)
    assert Outcome.NOT_SENT is raised.value.outcome
