"""What looks like a secret or like a person, whoever it is: the last look before a file is kept."""

from __future__ import annotations

import ipaddress
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

import attrs

from .secret_forms import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Suspect", "suspects"]

_LONG_HEX: Final = 32
_LONG_TOKEN: Final = 20
_LONG_SLASHED: Final = 32
_TOKEN_BITS: Final = 4.0
_HEX_BITS: Final = 2.5


@attrs.frozen(kw_only=True)
class Suspect:
    """Something in a text that has the shape of what must not be kept."""

    shape: str
    text: str = attrs.field(repr=False)


def suspects(text: str) -> Iterator[Suspect]:
    """Yield what is suspect in a text. Placeholders never are."""
    plain = PLACEHOLDER.sub(" ", text)
    for shape, pattern, is_one in _SHAPES:
        for found in pattern.finditer(plain):
            if is_one(found[0]):
                yield Suspect(shape=shape, text=found[0])


def _always(_: str) -> bool:
    return True


def _entropy(text: str) -> float:
    """Return the bits per character, by how often each occurs."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def _is_token(text: str) -> bool:
    parts = _JOINT.split(text)
    is_phrase = len(parts) > 2 and all(_PART.fullmatch(part) for part in parts)
    if is_phrase or _UUID.fullmatch(text):
        return False
    classes = (str.isupper, str.islower, str.isdigit)
    is_mixed = all(any(one(character) for character in text) for one in classes)
    return is_mixed and _entropy(text) > _TOKEN_BITS


def _is_slashed_token(text: str) -> bool:
    is_path = any(_WORD.fullmatch(part) for part in text.split("/"))
    return "/" in text and not is_path and _is_token(text)


def _is_hex(text: str) -> bool:
    has_both = any(one.isdigit() for one in text) and any(one.isalpha() for one in text)
    return has_both and _entropy(text) > _HEX_BITS


def _is_address(text: str) -> bool:
    try:
        return not ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def _is_iban(text: str) -> bool:
    turned = text[4:] + text[:4]
    return int("".join([str(int(one, 36)) for one in turned])) % 97 == 1


_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_JOINT: Final = re.compile(r"[_=+-]")
_PART: Final = re.compile(r"[a-z]*(?:[A-Z][a-z]{2,})*|[A-Z]*|\d*")
_LOWER_HEX: Final = rf"[0-9a-f]{{{_LONG_HEX},}}"
_UPPER_HEX: Final = rf"[0-9A-F]{{{_LONG_HEX},}}"
_LONG_RUN: Final = rf"(?<![0-9A-Za-z])(?:{_LOWER_HEX}|{_UPPER_HEX})(?![0-9A-Za-z])"
_PHONE: Final = r"(?<![\w.])\+\d{1,3}[ -]?\(?\d{2,4}\)?(?:[ -]?\d{2,4}){2,3}(?!\d)"
_WORD: Final = re.compile(r"[a-z]{4,}|v\d+|[a-z]+(?:[_-][a-z]+)+|[A-Z][a-z]{2,}(?:[A-Z][a-z]{2,})+")
_SHAPES: Final[tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...]] = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]+-----"), _always),
    ("a JWT", re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), _always),
    ("a bearer token", re.compile(r"(?i)\bbearer\s+[\w.~+/-]{8,}=*"), _always),
    ("long hexadecimal", re.compile(_LONG_RUN), _is_hex),
    ("a random token", re.compile(rf"[A-Za-z0-9+_=-]{{{_LONG_TOKEN},}}"), _is_token),
    ("a random token", re.compile(rf"[A-Za-z0-9+/_=-]{{{_LONG_SLASHED},}}"), _is_slashed_token),
    ("an e-mail address", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), _always),
    ("an IP address", re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])"), _is_address),
    ("an IBAN", re.compile(r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b"), _is_iban),
    ("a phone number", re.compile(_PHONE), _always),
)
