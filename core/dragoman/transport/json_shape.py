"""Whether a long JSON document is too deep, or a part of it too long, by its raw text.

A decoder that follows nesting by recursion can run out of a thread's stack before it notices, and
then the process dies; so depth is counted first wherever it could get dangerous. Only a text that
may break a limit is looked at closely, piece by piece, reduced to its brackets and commas by
operations that run over a piece at once. The grammar is not checked: text that is no JSON may pass
here, and the decoder refuses it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ShapeLimits", "breach"]

_PIECE: Final = 64 * 1024
_ESCAPE: Final = re.compile(rb"\\.", re.DOTALL)
_NOT_SHAPE: Final = bytes(set(range(256)) - set(b"[]{},"))
_AS_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_MOST_BYTES: Final = 4
"""How many bytes a character can take."""
_SHORTEST_OBJECT: Final = 4
"""How long an object is up to the value in it, at the least: `{"":`."""
_HARMLESS_LEVELS: Final = 500
"""How deep a decoder follows on the smallest stacks in use, 256 KiB, with room to spare."""


@attrs.frozen
class ShapeLimits:
    """How deep a document may nest, and how long strings (in bytes as written), arrays and objects.

    Depth is looked at only where there are hundreds of levels at least, or something is long.
    """

    max_depth: int
    max_string: int
    max_items: int

    @property
    def shortest_long(self) -> int:
        """The length up to which a document can't break a limit."""
        return min(self.max_string, self.max_items, _HARMLESS_LEVELS)


def breach(data: bytes | str, limits: ShapeLimits, *, piece: int = _PIECE) -> str | None:
    """Return which limit the document breaks, None for none; it is cut into pieces of `piece`."""
    if _is_harmless(data, limits):
        return None
    text = data if isinstance(data, bytes) else data.encode(errors="surrogatepass")
    if not _is_suspect(text, limits):
        return None
    shape = _Shape(limits)
    for outside, longest in _split_by_quotes(text, piece):
        if longest > limits.max_string:
            return f"a string longer than {limits.max_string} bytes"
        found = shape.breach(outside)
        if found is not None:
            return found
    return None


def _is_harmless(data: bytes | str, limits: ShapeLimits) -> bool:
    """Tell whether a document is too short for any limit but depth, and has no depth to speak of.

    Said of nearly all there are, so it neither copies the document nor goes through it twice if it
    can tell without.
    """
    length = len(data) * _MOST_BYTES if isinstance(data, str) else len(data)
    if length > limits.max_items or length > limits.max_string:
        return False
    arrays = data.count("[") if isinstance(data, str) else data.count(b"[")
    if arrays + len(data) // _SHORTEST_OBJECT <= _HARMLESS_LEVELS:
        return True
    objects = data.count("{") if isinstance(data, str) else data.count(b"{")
    return arrays + objects <= _HARMLESS_LEVELS


def _is_suspect(data: bytes, limits: ShapeLimits) -> bool:
    return (
        data.count(b"[") + data.count(b"{") > _HARMLESS_LEVELS
        or (len(data) > limits.max_items and data.count(b",") >= limits.max_items)
        or _may_hold_longer(data, limits.max_string)
    )


def _may_hold_longer(data: bytes, max_string: int) -> bool:
    """Tell whether some stretch without a quote is long enough to lie in a string too long.

    A longer string may hold quotes too, but only escaped ones.
    """
    if len(data) <= max_string:
        return False
    stretch = max(max_string // 2, 1)
    starts = range(0, len(data), stretch)
    return b"\\" in data or any(data.find(b'"', at, at + stretch) < 0 for at in starts)


def _split_by_quotes(data: bytes, piece: int) -> Iterator[tuple[bytes, int]]:
    """Yield what stands outside of strings, and the longest length of a string up to here."""
    is_inside = False
    begun = 0
    for chunk in _chunks(data, piece):
        parts = chunk.split(b'"')
        strings = parts[0 if is_inside else 1 :: 2]
        outside = parts[1 if is_inside else 0 :: 2]
        begun += len(parts[0]) if is_inside else 0
        yield b"".join(outside), max(begun, *map(len, strings), 0)
        if len(parts) > 1:
            is_inside ^= not len(parts) & 1
            begun = len(parts[-1]) if is_inside else 0


def _chunks(data: bytes, piece: int) -> Iterator[bytes]:
    """Yield the text in pieces with each escape masked, never cutting one in two."""
    start = 0
    while start < len(data):
        chunk = data[start : start + piece]
        backslashes = len(chunk) - len(chunk.rstrip(b"\\"))
        if backslashes % 2:
            chunk = data[start : start + piece + 1]
        start += len(chunk)
        yield _ESCAPE.sub(b"xx", chunk) if b"\\" in chunk else chunk


class _Shape:
    """Follows arrays and objects: the commas of each that is open, outermost first."""

    __slots__ = ("_commas", "_limits")

    def __init__(self, limits: ShapeLimits) -> None:
        self._limits = limits
        self._commas = [0]

    def breach(self, outside: bytes) -> str | None:
        """Go on with text from outside of strings; return which limit it breaks."""
        commas, limits = self._commas, self._limits
        shape = outside.translate(_AS_SQUARE, _NOT_SHAPE)
        if b"][" in shape:
            return "two values without a comma between them"
        *closed, still_open = shape.split(b"]")
        for text in closed:
            if text:
                self._enter(text)
            if len(commas) > limits.max_depth + 1:
                return f"more than {limits.max_depth} levels"
            if commas.pop() >= limits.max_items:
                return f"an array or object of more than {limits.max_items} items"
            if not commas:
                commas.append(0)
        self._enter(still_open)
        if len(commas) > limits.max_depth + 1:
            return f"more than {limits.max_depth} levels"
        if commas[-1] >= limits.max_items:
            return f"an array or object of more than {limits.max_items} items"
        return None

    def _enter(self, text: bytes) -> None:
        """Count text that holds commas and opening brackets only."""
        pieces = text.split(b"[")
        self._commas[-1] += len(pieces[0])
        for piece in pieces[1:]:
            self._commas.append(len(piece))
