"""A request in its bytes: checked so that nothing in it can end a line early or frame it anew."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import InvalidValueError, Violation

from .base import HttpRequest

if TYPE_CHECKING:
    from .base import StreamRequest

__all__ = ["Outgoing", "as_request", "origin_of", "seal"]

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_TARGET: Final = re.compile(r"/[!-\"$-~]*\Z")
_OURS: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})


@attrs.frozen
class Outgoing:
    """A request in its bytes. They hold keys, so nothing shows them, not even a local variable."""

    request: HttpRequest
    data: bytes = attrs.field(repr=False)


def seal(request: HttpRequest, origin: str, always: str) -> Outgoing:
    """Return the bytes of a request; `always` are the header lines that every one has.

    Raises:
        InvalidValueError: A header or the URL holds what must not stand there (NOT_SENT); the
            message names it and does not show it.
    """
    problem = _problem(request, origin)
    if problem is not None:
        raise InvalidValueError.of(request.name, [problem])
    return Outgoing(request, _bytes(request, origin, always))


def _bytes(request: HttpRequest, origin: str, always: str) -> bytes:
    parts = [f"{request.method} {request.url[len(origin) :]} HTTP/1.1\r\n", always]
    parts += [f"{name}: {value}\r\n" for name, value in request.headers]
    if request.body or request.method in _WITH_LENGTH:
        parts.append(f"Content-Length: {len(request.body)}\r\n")
    parts.append("\r\n")
    return "".join(parts).encode("ascii") + request.body


def _problem(request: HttpRequest, origin: str) -> Violation | None:
    if not _is_token(request.method):
        return Violation("method", "a character that ends it", "a token of ASCII letters")
    if not _TARGET.match(request.url, len(origin)):
        return Violation("url", "a character that ends it", "a path in printable ASCII, without #")
    for name, value in request.headers:
        if not _is_ours_to_write(name):
            return Violation.of("header name", name, "a token that does not frame the request")
        if not (value.isascii() and value.isprintable()):
            return Violation(f"header {name}", "a character that ends it", "printable ASCII")
    return None


@lru_cache(maxsize=256)
def _is_token(text: str) -> bool:
    return _TOKEN.match(text) is not None


@lru_cache(maxsize=256)
def _is_ours_to_write(name: str) -> bool:
    return _is_token(name) and name.lower() not in _OURS


def as_request(request: StreamRequest) -> HttpRequest:
    """Return the request that opens a stream."""
    return HttpRequest(
        name=request.name,
        method="GET",
        url=request.url,
        headers=request.headers,
        timeout_s=request.timeout_s,
    )


def origin_of(url: str) -> str:
    """Return the part of a URL before its path."""
    end = url.find("/", len("https://"))
    return url if end < 0 else url[:end]
