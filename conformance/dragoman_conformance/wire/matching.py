"""When a request is the one that was recorded, and when a frame is the one that was awaited.

Method, path, query and body count, headers do not: those are the business of the signature's own
check. A query and a form are the same in any order, JSON in any order of members; digits count as
they stand. Fields that can't be the same twice are declared: they must be there, and may differ.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote_plus

import attrs

from .exact_json import read_json, replace_leaves, sorted_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .exact_json import Tree

__all__ = [
    "RequestKey",
    "binds",
    "key_of",
    "nearest",
    "same_text",
    "signature_fields",
    "substituted",
]

_SIGNATURE: Final = "<SIG>"
_VOLATILE: Final = "<volatile>"
_FORM: Final = "application/x-www-form-urlencoded"
_ESCAPE: Final = re.compile(r"%[0-9a-fA-F]{2}")


@attrs.frozen(kw_only=True)
class RequestKey:
    """What two requests have in common that count as the same."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: str | bytes = attrs.field(repr=False)

    @property
    def route(self) -> tuple[str, str]:
        """The method and the path."""
        return self.method, self.path

    def lines(self) -> list[str]:
        """Return the key as lines that may be compared by eye."""
        shown = [
            f"{self.method} {self.path}",
            *[f"  ?{name}={value}" for name, value in self.query],
        ]
        body = (
            self.body.decode("utf-8", "backslashreplace")
            if isinstance(self.body, bytes)
            else self.body
        )
        return [*shown, *[f"  {line}" for line in re.split(r"(?<=[,{\[])", body) if line]]


def key_of(
    method: str,
    target: str,
    content_type: str | None,
    body: bytes,
    volatile: frozenset[str] = frozenset(),
) -> RequestKey:
    """Return the key of a request, with the values of volatile fields left out.

    Args:
        method: In upper case.
        target: The path and the query, as they stand on the wire.
        content_type: What the body claims to be; None where nothing is claimed.
        body: The exact body.
        volatile: Names of fields of the query, a form or JSON whose values don't count.
    """
    path, _, query = target.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    return RequestKey(
        method=method,
        path=_ESCAPE.sub(_escape, path),
        query=_settled(pairs, volatile),
        body=_body_key(body, content_type or "", volatile),
    )


def signature_fields(uris: Iterable[str], bodies: Iterable[bytes]) -> frozenset[str]:
    """Return the names of the fields whose recorded values were signatures, and are no more."""
    found: set[str] = set()
    for uri in uris:
        pairs = parse_qsl(uri.partition("?")[2], keep_blank_values=True)
        found |= {name for name, value in pairs if value == _SIGNATURE}
    for body in bodies:
        if _SIGNATURE.encode() in body or quote_plus(_SIGNATURE).encode() in body:
            found |= _signed(body)
    return frozenset(found)


def nearest(key: RequestKey, known: Iterable[RequestKey]) -> str:
    """Return in what a request differs from the most similar of those known, as text."""
    candidates = list(known)
    if not candidates:
        return "nothing is recorded"
    asked = key.lines()
    best = max(candidates, key=lambda one: _similarity(asked, one))
    shown = difflib.unified_diff(best.lines(), asked, "recorded", "asked", lineterm="", n=3)
    return "\n".join(shown) or "it was recorded, and has been served as often as it was"


def same_text(expected: str, found: str, volatile: frozenset[str] = frozenset()) -> bool:
    """Tell whether a text is the one awaited: the same, or JSON that differs in order only.

    Values of volatile fields don't count, nor of those that hold a signature in what is awaited.
    """
    if expected == found:
        return True
    loose = volatile | signature_fields((), (expected.encode(),))
    try:
        return _settled_json(read_json(expected), loose) == _settled_json(read_json(found), loose)
    except ValueError:
        return False


def binds(pattern: Tree, found: Tree, bound: dict[str, Tree], *, is_subset: bool = False) -> bool:
    """Tell whether a document is like a pattern, and note what it binds.

    In a pattern `{"$bind": name}` takes any value and names it, `{"$ref": name}` takes the value so
    named, `{"$any": true}` takes any. A subset may lack members that the document has.
    """
    match pattern:
        case {"$any": True}:
            return True
        case {"$bind": str(name)}:
            bound[name] = found
            return True
        case {"$ref": str(name)}:
            return name in bound and bound[name] == found
        case _:
            return _inner_binds(pattern, found, bound, is_subset=is_subset)


def _inner_binds(pattern: Tree, found: Tree, bound: dict[str, Tree], *, is_subset: bool) -> bool:
    match pattern, found:
        case dict(), dict():
            if pattern.keys() - found.keys() or (not is_subset and found.keys() - pattern.keys()):
                return False
            pairs = [(value, found[name]) for name, value in pattern.items()]
        case list(), list():
            if len(pattern) != len(found):
                return False
            pairs = list(zip(pattern, found, strict=True))
        case _:
            return pattern == found
    return all(binds(one, other, bound, is_subset=is_subset) for one, other in pairs)


def substituted(tree: Tree, bound: Mapping[str, Tree]) -> Tree:
    """Return a document with what is bound in place of its references.

    Raises:
        KeyError: Nothing is bound by a name that it refers to.
    """
    match tree:
        case {"$ref": str(name)}:
            return bound[name]
        case dict():
            return {name: substituted(value, bound) for name, value in tree.items()}
        case list():
            return [substituted(value, bound) for value in tree]
        case _:
            return tree


def _escape(found: re.Match[str]) -> str:
    """Return an escape in one spelling; a placeholder's brackets stand as they do in files."""
    escape = found[0].upper()
    return {"%3C": "<", "%3E": ">"}.get(escape, escape)


def _settled(
    pairs: Iterable[tuple[str, str]], volatile: frozenset[str]
) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, _VOLATILE if name in volatile else value) for name, value in pairs))


def _body_key(body: bytes, content_type: str, volatile: frozenset[str]) -> str | bytes:
    if not body:
        return ""
    if content_type.startswith(_FORM):
        pairs = _settled(parse_qsl(body.decode("latin-1"), keep_blank_values=True), volatile)
        return "&".join([f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs])
    try:
        tree = read_json(body)
    except ValueError:
        return body
    return _settled_json(tree, volatile)


def _settled_json(tree: Tree, volatile: frozenset[str]) -> str:
    return sorted_json(
        replace_leaves(tree, lambda name, value: _VOLATILE if name in volatile else value)
    )


def _signed(body: bytes) -> set[str]:
    found: set[str] = set()

    def note(name: str | None, value: Tree) -> Tree:
        if value == _SIGNATURE and name is not None:
            found.add(name)
        return value

    try:
        replace_leaves(read_json(body), note)
    except ValueError:
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True)
        found |= {name for name, value in pairs if value == _SIGNATURE}
    return found


def _similarity(asked: list[str], known: RequestKey) -> float:
    return difflib.SequenceMatcher(None, asked, known.lines()).ratio()
