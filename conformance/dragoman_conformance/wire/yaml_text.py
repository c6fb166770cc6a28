"""YAML as cassettes use it: plain values, and no key twice. Only this module knows a parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from .evidence import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["read_yaml", "write_yaml"]

_ENDLESS: Final = 2**31 - 1
"""No line is folded: a value that spans lines could hide from a search."""


class _StrictLoader(yaml.CSafeLoader):
    """A safe loader that takes no key twice, where the usual one keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - the parent's
        made = super().construct_mapping(node, deep=deep)
        if len(made) < len(node.value):
            line = node.start_mark.line + 1
            raise yaml.constructor.ConstructorError(None, None, f"line {line}: a key comes twice")
        return made


def read_yaml(text: str, place: str) -> object:
    """Read one document.

    Raises:
        EvidenceError: It is no YAML, not of plain values, or a key comes twice.
    """
    try:
        found: object = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a safe one
    except yaml.YAMLError as error:
        raise EvidenceError(f"{place}: no such YAML: {' '.join(str(error).split())}") from None
    return found


def write_yaml(document: object) -> str:
    """Write a document that reads as the same again.

    Raises:
        EvidenceError: It would not.
    """
    text: str = yaml.dump(
        document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=_ENDLESS
    )
    if read_yaml(text, "what was written") != document:
        raise EvidenceError("what was to be written does not read as the same again")
    return text
