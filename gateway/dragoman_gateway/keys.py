"""Keys for clients, as files keep them: hashes of secrets that were drawn at random.

A secret is shown once, when its key is made. Whoever reads the file afterwards learns who may enter
and nothing to enter with.
"""

from __future__ import annotations

import logging
import re
import secrets
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import attrs

from dragoman.credentials import Secret
from dragoman.dialects import AccessKey, HashedKey, Scope
from dragoman.dialects.keyring import digest_of
from dragoman.errors import ConfigurationError

from .private_file import read_private

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

__all__ = ["Key", "NewKey", "key_toml", "keys_of", "load_keys", "make_key"]

Key: TypeAlias = AccessKey | HashedKey
"""A key with its secret, or with what is kept of it."""

_SECRET_BYTES: Final = 32
_SALT_BYTES: Final = 16
_HASH: Final = re.compile(r"sha256:((?:[0-9a-f]{2}){16,64}):([0-9a-f]{64})\Z")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+\Z")
_FIELDS: Final = frozenset({"hash", "secret", "account", "provider", "scopes"})

_log: Final = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class NewKey:
    """A key that was just made, and the secret that is shown this once."""

    key: HashedKey
    secret: Secret


def make_key(
    key_id: str,
    *,
    scopes: Collection[Scope] = tuple(Scope),
    account_id: str | None = None,
    provider: str | None = None,
) -> NewKey:
    """Return a new key with a secret of 256 random bits, in 43 letters, digits, "-" and "_".

    Raises:
        ConfigurationError: The id, the account or the provider is no printable text, or there is
            no scope (NOT_SENT).
    """
    for text in (account_id, provider):
        if text is not None and not (text and text.isprintable()):
            raise ConfigurationError("the account and the provider of a key are printable texts")
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    salt = secrets.token_bytes(_SALT_BYTES)
    key = HashedKey(
        key_id=key_id,
        salt=salt,
        digest=digest_of(secret, salt),
        account_id=account_id,
        provider=provider,
        scopes=frozenset(scopes),
    )
    return NewKey(key=key, secret=Secret(secret))


def key_toml(key: HashedKey) -> str:
    """Return the table that keeps a key in a file, as `load_keys` reads it."""
    lines = [f"[keys.{_quoted(key.key_id)}]"]
    lines.append(f'hash = "sha256:{key.salt.hex()}:{key.digest.hex()}"')
    scopes = ", ".join(_text(str(one)) for one in Scope if one in key.scopes)
    lines.append(f"scopes = [{scopes}]")
    if key.provider is not None:
        lines.append(f"provider = {_text(key.provider)}")
    if key.account_id is not None:
        lines.append(f"account = {_text(key.account_id)}")
    return "\n".join([*lines, ""])


def load_keys(path: Path, within: tuple[str, ...] = ()) -> tuple[Key, ...]:
    """Return the keys of a file for its owner alone.

    The file is TOML:

        [keys.captain]
        hash = "sha256:..."                 # made by `make_key`
        provider = "mock"                   # left out: whichever has the account
        account = "paper-1"                 # left out: the first one that is served
        scopes = ["READ", "TRADE", "HALT"]  # left out: all of them

    A `secret` in plain text instead of its hash is read as well, and warned of.

    Args:
        path: The file.
        within: The names of the tables that the table `keys` stands in. Beside it, none may be in
            the file unless there are such.

    Raises:
        ConfigurationError: The file can't be read or others can, or something in it is wrong; the
            message never holds a secret.
    """
    try:
        found: object = tomllib.loads(read_private(path).decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path} is no TOML: {type(error).__name__}") from None
    for name in within:
        found = _table(found).get(name)
    data = _table(found)
    tables = _table(data.get("keys"))
    if not tables or (not within and set(data) != {"keys"}):
        raise ConfigurationError(f"{path} must have tables [keys.ID], and nothing else")
    return keys_of(str(path), tables)


def keys_of(source: str, tables: Mapping[str, object]) -> tuple[Key, ...]:
    """Return the keys of tables that were read already, each by its id.

    Raises:
        ConfigurationError: Something in them is wrong; `source` says where they stand (NOT_SENT).
    """
    return tuple(
        _key(f"{source}: keys.{key_id}", key_id, table) for key_id, table in tables.items()
    )


def _key(place: str, key_id: str, table: object) -> Key:
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{place} must be a table")
    fields = _table(cast("object", table))
    unknown = sorted(set(fields) - _FIELDS)
    if unknown:
        known = ", ".join(sorted(_FIELDS))
        raise ConfigurationError(f"{place}.{unknown[0]} is unknown; known: {known}")
    account, provider = _word(place, fields, "account"), _word(place, fields, "provider")
    scopes = _scopes(place, fields.get("scopes", list(Scope)))
    secret = _word(place, fields, "secret")
    if secret is not None and "hash" not in fields:
        _log.warning("a key is kept in plain text; keep its hash", extra={"place": place})
        return AccessKey(
            key_id=key_id, secret=secret, account_id=account, provider=provider, scopes=scopes
        )
    match = _HASH.match(_word(place, fields, "hash") or "")
    if match is None or secret is not None:
        raise ConfigurationError(f'{place} must have a hash of the form "sha256:SALT:DIGEST"')
    salt, digest = bytes.fromhex(match[1]), bytes.fromhex(match[2])
    return HashedKey(
        key_id=key_id,
        salt=salt,
        digest=digest,
        account_id=account,
        provider=provider,
        scopes=scopes,
    )


def _word(place: str, fields: Mapping[str, object], name: str) -> str | None:
    found = fields.get(name)
    if found is None or isinstance(found, str):
        return found
    raise ConfigurationError(f"{place}.{name} must be a text")


def _scopes(place: str, found: object) -> frozenset[Scope]:
    words = cast("list[object]", found) if isinstance(found, list) else []
    known = {str(scope): scope for scope in Scope}
    if not words or not all(isinstance(word, str) and word in known for word in words):
        allowed = ", ".join(f'"{scope}"' for scope in Scope)
        raise ConfigurationError(f"{place}.scopes must be a list of {allowed}")
    return frozenset(known[str(word)] for word in words)


def _table(found: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", found) if isinstance(found, Mapping) else {}


def _quoted(key_id: str) -> str:
    return key_id if _BARE.match(key_id) else _text(key_id)


def _text(text: str) -> str:
    """Return a text as TOML writes it; ids are printable, so these two are all to be escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
