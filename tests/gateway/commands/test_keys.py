"""Keys made on the command line, and kept as hashes."""

import json
import os
import stat

import pytest

from dragoman.dialects import Scope
from dragoman_gateway.keys import load_keys


@pytest.fixture
def file(home):
    return home / "keys.toml"


def test_a_secret_is_shown_once_and_its_hash_kept(cli, file):
    made = cli("keys", "new", "captain", "--access", str(file), "--scopes", "read", "--json")

    (key,) = load_keys(file)
    secret = made.json["secret"]
    assert (0, "captain", frozenset({Scope.READ})) == (made.code, key.key_id, key.scopes)
    assert ["READ"] == made.json["scopes"]
    assert 43 == len(secret)
    assert secret not in file.read_text()


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_the_file_is_for_its_owner(cli, file):
    before = os.umask(0)
    try:
        cli("keys", "new", "captain", "--access", str(file))
    finally:
        os.umask(before)

    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_a_person_sees_the_secret_on_a_line_of_its_own(cli, file):
    found = cli("keys", "new", "captain", "--access", str(file), "--scopes", "halt,read")

    assert ["id", "secret"] == [line.split()[0] for line in found.lines]
    assert "HALT, READ" in found.err


def test_keys_add_up(cli, file):
    more = ("--provider", "mock", "--account", 'paper "1"')
    codes = [cli("keys", "new", name, "--access", str(file), *more).code for name in ("a", "b c")]

    assert [0, 0] == codes
    assert [("a", "mock", 'paper "1"'), ("b c", "mock", 'paper "1"')] == [
        (key.key_id, key.provider, key.account_id) for key in load_keys(file)
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("captain",), "has a key 'captain'"),
        (("mate", "--scopes", "all"), "no scope 'all'; there are: read, trade, halt"),
        (("",), "printable"),
    ],
    ids=["twice", "scope", "no id"],
)
def test_what_would_be_no_key_is_refused_and_the_file_left(cli, file, arguments, words):
    cli("keys", "new", "captain", "--access", str(file))
    before = file.read_bytes()

    found = cli("keys", "new", *arguments, "--access", str(file))

    assert (3, "") == (found.code, found.out)
    assert words in found.err
    assert before == file.read_bytes()


def test_a_file_that_can_not_be_written_is_said_so(cli, home):
    found = cli("keys", "new", "a", "--access", str(home / "no" / "such" / "file"), "--json")

    assert 3 == found.code
    assert "can't be written" in json.loads(found.err)["error"]["message"]
