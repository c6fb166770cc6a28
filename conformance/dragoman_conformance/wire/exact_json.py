"""JSON in which a number is the digits that stand there: `1.10` is not `1.1`, and no float is near.

What is compared, bound and changed on the wire goes through here, because an order's price is text
until somebody proves that it may be a number.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Digits", "Tree", "read_json", "replace_leaves", "sorted_json", "write_json"]

_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?\Z")


@attrs.frozen
class Digits:
    """A number as it is written."""

    text: str

    def __attrs_post_init__(self) -> None:
        if _NUMBER.match(self.text) is None:
            raise ValueError(f"no JSON number: {self.text[:40]!r}")


Tree: TypeAlias = "bool | str | Digits | list[Tree] | dict[str, Tree] | None"


def read_json(text: str | bytes) -> Tree:
    """Read a document; an object that names a member twice is none.

    Raises:
        ValueError: It is no JSON, or holds NaN or an infinity.
    """
    try:
        found: object = json.loads(
            text,
            parse_float=Digits,
            parse_int=Digits,
            parse_constant=_refuse,
            object_pairs_hook=_members,
        )
    except RecursionError:
        raise ValueError("no JSON that can be read: nested too deep") from None
    return cast("Tree", found)


def write_json(tree: Tree) -> str:
    """Write a document in one line, members in their own order, numbers as they were."""
    match tree:
        case Digits():
            return tree.text
        case dict():
            members = [f"{_text(name)}:{write_json(value)}" for name, value in tree.items()]
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join([write_json(value) for value in tree]) + "]"
        case _:
            return _text(tree)


def sorted_json(tree: Tree) -> str:
    """Write a document so that two are the same text if only their members' order differs."""
    match tree:
        case dict():
            names = sorted(tree)
            return "{" + ",".join([f"{_text(one)}:{sorted_json(tree[one])}" for one in names]) + "}"
        case list():
            return "[" + ",".join([sorted_json(value) for value in tree]) + "]"
        case _:
            return write_json(tree)


def replace_leaves(tree: Tree, change: Callable[[str | None, Tree], Tree]) -> Tree:
    """Return the document with each value that holds no others replaced.

    `change` is told the name of the member that holds the value, nearest first, and the value.
    """
    return _replaced(None, tree, change)


def _replaced(name: str | None, tree: Tree, change: Callable[[str | None, Tree], Tree]) -> Tree:
    match tree:
        case dict():
            return {one: _replaced(one, value, change) for one, value in tree.items()}
        case list():
            return [_replaced(name, value, change) for value in tree]
        case _:
            return change(name, tree)


def _text(value: bool | str | None) -> str:  # noqa: FBT001 - a value of the document
    return json.dumps(value, ensure_ascii=False)


def _refuse(word: str) -> Tree:
    raise ValueError(f"no JSON: {word}")


def _members(pairs: list[tuple[str, Tree]]) -> dict[str, Tree]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member is named twice")
    return found
