"""Keys as files keep them: made once, read again, and never able to tell their secret."""

import logging
import stat

import pytest

from dragoman.dialects import AccessKey, HashedKey, Scope
from dragoman.dialects.keyring import KeyRing
from dragoman.errors import AuthenticationError, ConfigurationError
from dragoman_gateway.keys import key_toml, keys_of, load_keys, make_key

READ = frozenset({Scope.READ})


@pytest.fixture
def write(tmp_path):
    def write(text, mode=0o600):
        path = tmp_path / "keys.toml"
        path.write_text(text)
        path.chmod(mode)
        return path

    return write


def test_a_new_key_opens_with_its_secret_and_with_nothing_else():
    new = make_key("captain", scopes=[Scope.READ], provider="mock", account_id="one")

    ring = KeyRing([new.key])
    assert (
        new.key == ring.find(None, new.secret.reveal()) == ring.find("captain", new.secret.reveal())
    )
    assert (READ, "mock", "one") == (new.key.scopes, new.key.provider, new.key.account_id)
    for wrong in (new.secret.reveal()[:-1], new.key.digest.hex(), ""):
        with pytest.raises(AuthenticationError):
            ring.find("captain", wrong)


def test_secrets_are_long_and_never_the_same():
    found = {make_key("captain").secret.reveal() for _ in range(100)}

    assert (100, {43}) == (len(found), {len(secret) for secret in found})


@pytest.mark.parametrize("key_id", ["captain", 'quo"ted \\ id', "ünï cöde", "a.b"])
def test_what_is_written_is_read_again(write, key_id):
    new = make_key(key_id, scopes=[Scope.HALT, Scope.READ], provider="mock", account_id='a"\\1')
    plain = make_key("plain")

    found = load_keys(write(key_toml(new.key) + "\n" + key_toml(plain.key)))

    assert (new.key, plain.key) == found
    assert "plain" == KeyRing(found).find(None, plain.secret.reveal()).key_id


def test_neither_file_nor_key_shows_the_secret(write):
    new = make_key("captain")
    shown = f"{new} {new!r} {new.key!r} {key_toml(new.key)} {vars(KeyRing([new.key]))}"

    assert new.secret.reveal() not in shown
    assert new.key.digest.hex() not in repr(new.key)


def test_a_secret_in_plain_text_is_read_and_warned_of(write, caplog):
    (key,) = load_keys(write('[keys.captain]\nsecret = "key-of-the-captain"'))

    assert isinstance(key, AccessKey)
    assert [logging.WARNING] == [one.levelno for one in caplog.records]
    assert "key-of-the-captain" not in caplog.text


def test_keys_may_stand_within_other_tables(write):
    path = write(f"[other]\nx = 1\n[access.{key_toml(make_key('captain').key)[1:]}")

    (key,) = load_keys(path, within=("access",))

    assert isinstance(key, HashedKey)


def test_a_file_that_others_can_read_is_refused(write):
    path = write(key_toml(make_key("captain").key), 0o644)

    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_keys(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must have tables"),
        ("keys = 1", "must have tables"),
        ("[keys.a]\n[other]", "must have tables"),
        ("[keys", "is no TOML"),
        ("keys.a = 1", "keys.a must be a table"),
        ("[keys.a]", "must have a hash"),
        ('[keys.a]\nhash = "key-of-mine"', "must have a hash"),
        ("[keys.a]\nhash = 1", "keys.a.hash must be a text"),
        (f'[keys.a]\nhash = "md5:{"0" * 32}:{"0" * 64}"', "must have a hash"),
        (f'[keys.a]\nhash = "sha256:{"0" * 33}:{"0" * 64}"', None),
        (f'[keys.a]\nsecret="key-of-mine"\nhash = "sha256:{"0" * 32}:{"0" * 64}"', "have a hash"),
        ('[keys.a]\nsecret = "key-of-mine"\nscopes = []', "keys.a.scopes must be"),
        ('[keys.a]\nsecret = "key-of-mine"\nscopes = ["ALL"]', '"READ", "TRADE", "HALT"'),
        ('[keys.a]\nsecret = "key-of-mine"\naccount = 1', "keys.a.account must be a text"),
        ('[keys.a]\nsecret = "key-of-mine"\nscope = "READ"', "keys.a.scope is unknown"),
        ('[keys.a]\nsecret = "short"', "at least 8"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_without_its_secrets(write, text, words):
    with pytest.raises((ConfigurationError, ValueError), match=words) as raised:
        load_keys(write(text))

    assert "key-of-mine" not in str(raised.value)
    assert isinstance(raised.value, ConfigurationError)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="can't be read"):
        load_keys(tmp_path / "none.toml")


def test_tables_that_were_read_already_do_as_well():
    tables = {"captain": {"secret": "key-of-the-captain", "scopes": ["READ"]}}

    (key,) = keys_of("desk.toml", tables)

    assert ("captain", READ) == (key.key_id, key.scopes)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"salt": b"short"}, "incomplete"),
        ({"digest": b"short"}, "incomplete"),
        ({"key_id": "a\nb"}, "the id"),
        ({"scopes": frozenset()}, "no scope"),
    ],
)
def test_a_hash_that_protects_nothing_is_refused(fields, words):
    whole = {"key_id": "captain", "salt": bytes(16), "digest": bytes(32)}

    with pytest.raises(ConfigurationError, match=words):
        HashedKey(**{**whole, **fields})


@pytest.mark.parametrize("field", ["account_id", "provider"])
@pytest.mark.parametrize("text", ["", "a\n[keys.b]"], ids=["empty", "two-lines"])
def test_a_key_is_for_what_fits_on_its_line(field, text):
    with pytest.raises(ConfigurationError, match="printable"):
        make_key("captain", **{field: text})
