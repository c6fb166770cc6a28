"""Names in place of account numbers: of one length and alphabet, so that parsers see real shapes.

A pseudonym depends on the value and the salt alone, and two values of one form never share one; so
what belonged together in a recording still does, also across files.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import string
from typing import Final

__all__ = ["pseudonym"]

_ALPHABETS: Final = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
_HEX: Final = (string.digits, "abcdef", "ABCDEF")
_HEX_VALUE: Final = re.compile(r"[0-9a-f-]+\Z|[0-9A-F-]+\Z")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_UUID_KEPT: Final = frozenset({14, 19})
"""Where a UUID tells its version and its variant, which parsers check."""


def pseudonym(value: str, salt: str) -> str:
    """Return what stands for a value: digit for digit, letter for letter, the rest as it is.

    Hexadecimal stays hexadecimal, a first digit that is not zero stays so, and a UUID stays one of
    its version. Values of one form and one salt have different pseudonyms.
    """
    kept = _UUID_KEPT if _UUID.match(value) else frozenset[int]()
    alphabets = ["" if at in kept else _alphabet(value, at) for at in range(len(value))]
    characters = list(value)
    for round_number, order in enumerate((range(len(value)), range(len(value) - 1, -1, -1))):
        for at in order:
            if alphabets[at]:
                shift = _shift(salt, f"{round_number}:{at}:{_without(characters, at)}")
                alphabet = alphabets[at]
                place = (alphabet.index(characters[at]) + shift) % len(alphabet)
                characters[at] = alphabet[place]
    return "".join(characters)


def _alphabet(value: str, at: int) -> str:
    for alphabet in _HEX if _HEX_VALUE.match(value) else _ALPHABETS:
        if value[at] in alphabet:
            is_leading = at == 0 and alphabet is string.digits and value[0] != "0"
            return alphabet[1:] if is_leading else alphabet
    return ""


def _without(characters: list[str], at: int) -> str:
    """Return all characters but one: each step can be undone, so none of them loses anything."""
    return "".join(characters[:at]) + "\0" + "".join(characters[at + 1 :])


def _shift(salt: str, message: str) -> int:
    digest = hmac.new(salt.encode(), message.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big")
