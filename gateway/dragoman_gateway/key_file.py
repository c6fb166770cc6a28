"""Keys added to the file that keeps them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from dragoman.dialects import Scope
from dragoman.errors import ConfigurationError

from .keys import key_toml, load_keys

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dragoman.dialects import HashedKey

__all__ = ["add_key", "scopes_of"]

_PRIVATE: Final = 0o600


def scopes_of(words: Sequence[str]) -> tuple[Scope, ...]:
    """Return the scopes of words such as "read" or "read,trade"; all of them if there are none.

    Raises:
        ConfigurationError: There is no such scope (NOT_SENT).
    """
    named = [word.strip().upper() for text in words for word in text.split(",")]
    known = {str(scope): scope for scope in Scope}
    for word in named:
        if word not in known:
            allowed = ", ".join(one.lower() for one in known)
            raise ConfigurationError(f"there is no scope {word.lower()!r}; there are: {allowed}")
    return tuple(dict.fromkeys(known[word] for word in named)) or tuple(Scope)


def add_key(path: Path, key: HashedKey) -> None:
    """Append a key to a file, made for its owner alone if there is none.

    Raises:
        ConfigurationError: The file can't be read or written, others can read it, or it has a key
            of that id (NOT_SENT).
    """
    known = load_keys(path) if path.exists() else ()
    if any(one.key_id == key.key_id for one in known):
        raise ConfigurationError(f"{path} has a key {key.key_id!r}: choose another id")
    flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    text = key_toml(key)
    try:
        with os.fdopen(os.open(path, flags, _PRIVATE), "a", encoding="utf-8") as file:
            file.write(f"\n{text}" if known else text)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {type(error).__name__}") from None
