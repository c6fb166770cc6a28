"""Venue options: fields that only one protocol has, under keys of the form `<protocol>.<field>`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from dragoman.errors import Violation

from .values import FrozenMapping

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NO_OPTIONS", "Scalar", "option_violations", "to_options"]

Scalar: TypeAlias = str | int | bool
"""What a venue option may hold; amounts travel as text."""

NO_OPTIONS: Final[FrozenMapping[Scalar]] = FrozenMapping()
_LONGEST_KEY: Final = 128
_LONGEST_TEXT: Final = 1024


def to_options(options: Mapping[str, Scalar] | None) -> FrozenMapping[Scalar]:
    """Freeze options, None meaning none; what is no mapping is left for the check to refuse."""
    if options is None or isinstance(options, FrozenMapping):
        return options or NO_OPTIONS
    if not _is_mapping(options):
        return cast("FrozenMapping[Scalar]", options)
    return FrozenMapping(options)


def option_violations(options: object, field: str = "venue_options") -> Iterator[Violation]:
    """Yield what is wrong with venue options, whatever the protocol."""
    if not isinstance(options, FrozenMapping):
        yield Violation.of(field, options, "a mapping of '<protocol>.<field>' to str, int or bool")
        return
    for key, value in cast("FrozenMapping[object]", options).items():
        if not _is_key(key):
            yield Violation.of(field, key, "keys of the form '<protocol>.<field>'")
        elif not isinstance(value, (str, int)):
            yield Violation.of(f"{field}[{key}]", value, "a str, int or bool")
        elif isinstance(value, str) and not _is_plain(value):
            allowed = f"up to {_LONGEST_TEXT} printable characters"
            yield Violation.of(f"{field}[{key}]", value, allowed)


def _is_mapping(options: object) -> bool:
    return isinstance(options, Mapping)


def _is_key(key: object) -> bool:
    if not isinstance(key, str) or len(key) > _LONGEST_KEY:
        return False
    protocol, _, name = key.partition(".")
    return bool(protocol and name) and key.isprintable()


def _is_plain(text: str) -> bool:
    return len(text) <= _LONGEST_TEXT and text.isprintable()
