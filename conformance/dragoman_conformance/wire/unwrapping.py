"""A text, and what is wrapped in it: where else a search for secrets must look."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from .exact_json import read_json, replace_leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .exact_json import Tree

__all__ = ["views"]

_DEPTH: Final = 2
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2}){6,}")
_ALIGNMENTS: Final = 4


def views(text: str, depth: int = _DEPTH) -> Iterator[str]:
    """Yield the text, its reverse, and what it holds encoded, encodings within each other included.

    Known are percent-encoding, the escapes of JSON, base64 of either alphabet at any alignment, and
    hexadecimal.
    """
    yield text
    yield text[::-1]
    if depth == 0:
        return
    for inner in {*_unquoted(text), *_unescaped(text), *_decoded(text)} - {text}:
        yield from views(inner, depth - 1)


def _unquoted(text: str) -> Iterator[str]:
    if "%" in text or "+" in text:
        yield unquote_plus(text)


def _unescaped(text: str) -> Iterator[str]:
    if "\\" not in text:
        return
    leaves: list[str] = []

    def note(name: str | None, value: Tree) -> Tree:
        leaves.extend([one for one in (name, value) if isinstance(one, str)])
        return value

    try:
        replace_leaves(read_json(text), note)
    except ValueError:
        yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text).replace(
            "\\/", "/"
        )
        return
    yield "\n".join(leaves)


def _decoded(text: str) -> Iterator[str]:
    pieces: list[str] = []
    for found in _BASE64.finditer(text):
        token = found[0].rstrip("=").translate(str.maketrans("-_", "+/"))
        for start in range(_ALIGNMENTS):
            part = token[start:]
            part = part[: len(part) // 4 * 4] if len(part) % 4 == 1 else part
            try:
                raw = base64.b64decode(part + "=" * (-len(part) % 4))
            except binascii.Error:
                continue
            pieces.append(raw.decode("latin-1"))
    pieces.extend(bytes.fromhex(found[0]).decode("latin-1") for found in _HEX.finditer(text))
    if pieces:
        yield "\n".join(pieces)
