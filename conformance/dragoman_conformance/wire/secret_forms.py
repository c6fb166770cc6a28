"""The forms in which a secret can stand on the wire, and the placeholders that files hold instead.

A placeholder names its form, so that a replay can put the replay's own secret in its place.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from dragoman.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["PLACEHOLDER", "SIGNATURE", "forms_of", "placeholder", "restore"]

PLACEHOLDER: Final = re.compile(r"<([A-Z][A-Z0-9_]*)(?::([a-z0-9-]+(?::[A-Z][A-Z0-9_]*)?))?>")
"""What stands in files for a secret: `<NAME>`, or `<NAME:form>`."""
SIGNATURE: Final = "<SIG>"
"""What stands in files for a signature."""

_SHORTEST: Final = 6
_PART: Final = 8


def _base64(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _base64_url(value: str) -> str:
    return base64.urlsafe_b64encode(value.encode()).decode()


_FORMS: Final[dict[str, Callable[[str], str]]] = {
    "": lambda value: value,
    "json": lambda value: json.dumps(value)[1:-1],
    "url": lambda value: quote(value, safe=""),
    "url-lower": lambda value: re.sub("%..", lambda one: one[0].lower(), quote(value, safe="")),
    "form": quote_plus,
    "url-url": lambda value: quote(quote(value, safe=""), safe=""),
    "base64": _base64,
    "base64-url": _base64_url,
    "base64-bare": lambda value: _base64(value).rstrip("="),
    "base64-url-bare": lambda value: _base64_url(value).rstrip("="),
    "base64-escaped": lambda value: quote(_base64(value), safe=""),
    "hex": lambda value: value.encode().hex(),
    "hex-upper": lambda value: value.encode().hex().upper(),
    "upper": str.upper,
    "lower": str.lower,
    "reversed": lambda value: value[::-1],
}


def placeholder(name: str, form: str = "") -> str:
    """Return what stands for a secret in one form."""
    word = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "SECRET"
    return f"<{word}:{form}>" if form else f"<{word}>"


def forms_of(secrets: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return every form of every secret with its placeholder, the longest text first.

    Pairs of secrets count in the form of HTTP's basic authentication. Of a secret that is long
    enough, so do its first and its last eight characters, as the part that logs like to show.

    Raises:
        ConfigurationError: A secret is too short to be told from other text (NOT_SENT).
    """
    found: dict[str, str] = {}
    for name, value in secrets.items():
        if len(value) < _SHORTEST:
            raise ConfigurationError(
                f"the secret {name!r} has {len(value)} characters; to be told from other text, it "
                f"needs {_SHORTEST}"
            )
        for form, text in _single_forms(value):
            found.setdefault(text, placeholder(name, form))
    for text, mark in _pairs(secrets):
        found.setdefault(text, mark)
    return tuple(sorted(found.items(), key=lambda pair: (-len(pair[0]), pair[0])))


def restore(text: str, secrets: Mapping[str, str]) -> str:
    """Return text with each placeholder of a known secret replaced by that secret in its form."""
    known = {mark: value for value, mark in forms_of(secrets)} if "<" in text else {}
    return PLACEHOLDER.sub(lambda found: known.get(found[0], found[0]), text)


def _single_forms(value: str) -> Iterable[tuple[str, str]]:
    for form, make in _FORMS.items():
        yield form, make(value)
    if len(value) > _PART:
        yield "first8", value[:_PART]
        yield "last8", value[-_PART:]


def _pairs(secrets: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for user, user_value in secrets.items():
        for name, value in secrets.items():
            if user != name:
                pair = f"{user_value}:{value}"
                other = placeholder(name)[1:-1]
                yield _base64(pair), placeholder(user, f"basic:{other}")
                yield _base64(pair).rstrip("="), placeholder(user, f"basic-bare:{other}")
