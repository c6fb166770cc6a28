"""The keys that clients of `dragoman serve` must show: from a variable or a file, never typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.dialects import AccessKey
from dragoman.errors import ConfigurationError

if TYPE_CHECKING:
    from .keys import Key

__all__ = ["VARIABLE", "keys_of_variable"]

VARIABLE: Final = "DRAGOMAN_SERVE_KEYS"
"""Holds ID=SECRET, several of them apart by spaces; each reaches the account that is served."""


def keys_of_variable(text: str) -> tuple[Key, ...]:
    """Return the keys that a variable holds.

    Raises:
        ConfigurationError: One is not of that form; the message holds no secret (NOT_SENT).
    """
    found: list[Key] = []
    for number, part in enumerate(text.split(), start=1):
        key_id, sign, secret = part.partition("=")
        if not sign:
            raise ConfigurationError(f"{VARIABLE}: key {number} is not of the form ID=SECRET")
        found.append(AccessKey(key_id=key_id, secret=secret))
    return tuple(found)
