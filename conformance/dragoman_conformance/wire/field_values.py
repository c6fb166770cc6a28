"""Values by the names of their fields: in JSON, in forms and in queries, wherever these stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from .exact_json import Digits, read_json, replace_leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .exact_json import Tree

__all__ = ["FieldValues", "mask_fields"]

_RECORD_ENDS: Final = re.compile(r"[\n\x1e]+")
_PAIRS: Final = re.compile(r"[A-Za-z0-9_.~%+-]+=[^&#\s\"<>]*(?:&[A-Za-z0-9_.~%+-]+=[^&#\s\"<>]*)*")


class FieldValues:
    """Finds the values of fields of some names, in any case of the letters."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(name.casefold() for name in names)

    def find(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Yield the names and the values in a text: lines of JSON, or pairs as in a query."""
        if not self._names:
            return
        text = data.decode("utf-8", "replace")
        for record in [text, *_RECORD_ENDS.split(text)]:
            yield from self._in_json(record.strip().removeprefix("data:"))
        for found in _PAIRS.finditer(text):
            for name, value in parse_qsl(found[0], keep_blank_values=False):
                if name.casefold() in self._names:
                    yield name, value

    def _in_json(self, text: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []

        def note(name: str | None, value: Tree) -> Tree:
            if name is not None and name.casefold() in self._names:
                if isinstance(value, str):
                    found.append((name, value))
                elif isinstance(value, Digits):
                    found.append((name, value.text))
            return value

        try:
            replace_leaves(read_json(text), note)
        except ValueError:
            return []
        return found


def mask_fields(text: str, names: Iterable[str], mark: str) -> str:
    """Return a text with the values of fields of some names replaced; the rest stays as it is."""
    for name in names:
        word = re.escape(name)
        text = re.sub(rf'(?i)("{word}"\s*:\s*)"(?:[^"\\]|\\.)*"', rf'\g<1>"{mark}"', text)
        text = re.sub(rf"(?i)((?:^|[?&]){word}=)[^&#\s\"]*", rf"\g<1>{mark}", text)
    return text
