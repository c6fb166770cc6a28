"""Where in plain data something is wrong: violations whose field is the path to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import attrs

from dragoman.errors import InvalidValueError, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["below", "read_at", "refuse"]


def refuse(found: object, allowed: str, field: str = "") -> NoReturn:
    """Refuse a piece of plain data."""
    raise InvalidValueError.of("plain data", [Violation.of(field, found, allowed)])


def below(prefix: str, error: InvalidValueError) -> Iterator[Violation]:
    """Yield the violations of a part, their paths seen from the whole."""
    for found in error.violations:
        is_joined = prefix and found.field and not found.field.startswith("[")
        yield attrs.evolve(found, field=f"{prefix}{'.' if is_joined else ''}{found.field}")


def read_at(place: str, read: Callable[[], object]) -> object:
    """Return what `read` makes of the part at `place`, which any error it raises will name."""
    try:
        return read()
    except InvalidValueError as error:
        raise InvalidValueError.of("plain data", [*below(place, error)]) from None
