"""URLs in which no text from outside can change where a request goes.

A symbol may hold "/", "..", "?" or letters of any script. It is quoted as one segment, and what
can't be quoted safely is refused. Nothing is ever normalized: what is signed is what is sent.
"""

from __future__ import annotations

import re
from functools import lru_cache
from string import Formatter
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

from dragoman.errors import ConfigurationError, InvalidValueError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from urllib.parse import SplitResult

__all__ = ["build_url", "check_base", "encode_query", "fill_path", "is_loopback"]

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_PLAIN: Final = frozenset({"http", "ws"})
_SECURE: Final = frozenset({"https", "wss"})
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]*\Z")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PATH_TEXT: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/-]*\Z")
_BASE_TEXT: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/\[\]-]+\Z")
_LONGEST_SEGMENT: Final = 1024
_DOTS: Final = frozenset({".", ".."})


def is_loopback(host: str | None) -> bool:
    """Tell whether a host is this machine, by its name alone."""
    return host in _LOOPBACK


def check_base(url: str) -> str:
    """Return a base URL without a slash at its end.

    Raises:
        ConfigurationError: It is no http(s) or ws(s) URL of a host, has a user name, a query, a
            fragment or dot segments, or is without TLS off loopback (NOT_SENT); the URL is not
            shown.
    """
    parts = _split(url)
    if parts is None or parts.query or parts.fragment or _has_dots(parts.path):
        raise ConfigurationError(
            "a base URL is refused: it must be http(s) or ws(s), with a host, and without user "
            "name, query, fragment or dot segments"
        )
    if parts.scheme in _PLAIN and not is_loopback(parts.hostname):
        raise ConfigurationError(
            "a base URL is refused: plain http and ws are for loopback only; use https or wss"
        )
    return url.rstrip("/")


def _split(url: str) -> SplitResult | None:
    if not _BASE_TEXT.match(url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PLAIN | _SECURE or not parts.hostname or "@" in parts.netloc:
        return None
    return parts


def fill_path(template: str, values: Mapping[str, str]) -> str:
    """Return the path of a template, with each value quoted so that it stays within its segment.

    Raises:
        InvalidValueError: A value is missing, empty, too long, not known to the template, holds
            control characters, or makes a dot segment (NOT_SENT).
    """
    pieces = _parse(template)
    if not values and pieces == ((template, None),):
        return template
    known = {name for _, name in pieces if name is not None}
    if known != set(values):
        names = ", ".join(sorted(known ^ set(values)))
        raise _refused("path", names, f"exactly the fields of {template}")
    path = "".join(
        literal if name is None else literal + _segment(name, values[name])
        for literal, name in pieces
    )
    if values and _has_dots(path):
        raise _refused("path", "a dot segment", "names that do not consist of dots")
    return path


@lru_cache(maxsize=1024)
def _parse(template: str) -> tuple[tuple[str, str | None], ...]:
    pieces = tuple((text, name) for text, name, _, _ in Formatter().parse(template))
    text = "".join(literal for literal, _ in pieces)
    if not template.startswith("/") or not _PATH_TEXT.match(text) or _has_dots(text):
        raise _refused("path template", template, "a path from '/', percent-encoded, without dots")
    return pieces


def _segment(name: str, value: str) -> str:
    if _UNRESERVED.match(value) and 0 < len(value) <= _LONGEST_SEGMENT:
        return value
    if not value or len(value) > _LONGEST_SEGMENT:
        raise _refused(name, f"{len(value)} characters", f"1 to {_LONGEST_SEGMENT} characters")
    return _quoted(name, value)


def encode_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the query of a URL: the pairs in their order, all but unreserved letters quoted.

    Raises:
        InvalidValueError: A name or a value holds control characters or no text (NOT_SENT).
    """
    return "&".join(f"{_quoted('query', name)}={_quoted(name, text)}" for name, text in pairs)


def _quoted(name: str, text: str) -> str:
    if _UNRESERVED.match(text):
        return text
    if _CONTROL.search(text):
        raise _refused(name, "control characters", "text without them")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        found = "half a surrogate pair"
    raise _refused(name, found, "text that UTF-8 can encode")


def build_url(base: str, path: str, query: str = "") -> str:
    """Join a checked base, a filled path and an encoded query."""
    return f"{base}{path}?{query}" if query else base + path


def _has_dots(path: str) -> bool:
    if "." not in path and "%" not in path:
        return False
    return any(unquote(segment) in _DOTS for segment in path.split("/"))


def _refused(field: str, found: str, allowed: str) -> InvalidValueError:
    return InvalidValueError.of("request", [Violation.of(field, found, allowed)])
