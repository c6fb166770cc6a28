"""The keys that clients of `dragoman serve` must show: from a variable or a file, never typed."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from dragoman.credentials import Secret
from dragoman.dialects import AccessKey, Scope
from dragoman.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["VARIABLE", "client_keys"]

VARIABLE: Final = "DRAGOMAN_SERVE_KEYS"
"""Holds ID=SECRET, several of them apart by spaces; each reaches the account that is served."""

_FIELDS: Final = frozenset({"secret", "account", "scopes"})
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_LARGEST: Final = 1024 * 1024


def client_keys(file: Path | None) -> tuple[AccessKey, ...] | None:
    """Return the keys of a file, or of the variable; None where there are none.

    The file is TOML, for its owner alone:

        [keys.captain]
        secret = "..."
        account = "paper-1"         # left out: the account that is served
        scopes = ["READ", "TRADE"]  # left out: both

    Raises:
        ConfigurationError: Both are given, the file can't be read or others can, or something in it
            is wrong; the message never holds a secret.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if file is None:
        return _of_variable(text) if text else None
    if text:
        raise ConfigurationError(f"keys are in {VARIABLE} and in {file}: take one of them away")
    return _of_file(file)


def _of_variable(text: str) -> tuple[AccessKey, ...]:
    found: list[AccessKey] = []
    for number, part in enumerate(text.split(), start=1):
        key_id, sign, secret = part.partition("=")
        if not sign:
            raise ConfigurationError(f"{VARIABLE}: key {number} is not of the form ID=SECRET")
        found.append(AccessKey(key_id=key_id, secret=secret))
    return tuple(found)


def _of_file(path: Path) -> tuple[AccessKey, ...]:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_LARGEST)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {type(error).__name__}") from None
    if os.name == "posix" and status.st_mode & _OTHERS:
        raise ConfigurationError(f"{path} holds keys but others may read it; run: chmod 600 {path}")
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path} is no TOML: {type(error).__name__}") from None
    if set(data) != {"keys"} or not isinstance(data["keys"], dict) or not data["keys"]:
        raise ConfigurationError(f"{path} must have tables [keys.ID], and nothing else")
    tables = cast("Mapping[str, object]", data["keys"])
    return tuple(_key(path, key_id, table) for key_id, table in tables.items())


def _key(path: Path, key_id: str, table: object) -> AccessKey:
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"{path}: keys.{key_id} must be a table")
    fields = cast("Mapping[str, object]", table)
    unknown = sorted(set(fields) - _FIELDS)
    if unknown:
        known = ", ".join(sorted(_FIELDS))
        raise ConfigurationError(f"{path}: keys.{key_id}.{unknown[0]} is unknown; known: {known}")
    secret, account = fields.get("secret"), fields.get("account")
    if not isinstance(secret, str):
        raise ConfigurationError(f"{path}: keys.{key_id}.secret must be a text")
    if account is not None and not isinstance(account, str):
        raise ConfigurationError(f"{path}: keys.{key_id}.account must be a text")
    scopes = _scopes(path, key_id, fields.get("scopes", list(Scope)))
    return AccessKey(key_id=key_id, secret=Secret(secret), account_id=account, scopes=scopes)


def _scopes(path: Path, key_id: str, found: object) -> frozenset[Scope]:
    words = cast("list[object]", found) if isinstance(found, list) else []
    known = {str(scope): scope for scope in Scope}
    if not words or not all(isinstance(word, str) and word in known for word in words):
        allowed = " and ".join(f'"{scope}"' for scope in Scope)
        raise ConfigurationError(f"{path}: keys.{key_id}.scopes must be a list of {allowed}")
    return frozenset(known[str(word)] for word in words)
