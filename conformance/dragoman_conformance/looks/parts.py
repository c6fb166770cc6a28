"""Everything that a public model is made of, down to its last number."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TYPE_CHECKING, cast

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["broken_times", "floats", "instants", "parts"]


def parts(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value within a model or a collection of models, with the place it stands at."""
    kind = type(value)
    if attrs.has(kind):
        for field in attrs.fields(kind):
            if not field.name.startswith("_"):
                yield from parts(
                    getattr(value, field.name), _below(place or type(value).__name__, field.name)
                )
    elif isinstance(value, Mapping):
        for name, one in cast("Mapping[object, object]", value).items():
            yield from parts(one, _below(place, str(name)))
    elif isinstance(value, (tuple, list, AbstractSet)):
        for number, one in enumerate(cast("Iterable[object]", value)):
            yield from parts(one, f"{place}[{number}]")
    else:
        yield place, value


def floats(value: object) -> list[str]:
    """Return the places of all floats within a model: there must be none."""
    return [f"{place} = {one!r}" for place, one in parts(value) if isinstance(one, float)]


def instants(value: object) -> Iterator[tuple[str, int]]:
    """Yield every instant within a model, with its place."""
    for place, one in parts(value):
        if place.endswith("_ns") and isinstance(one, int) and not isinstance(one, bool):
            yield place, one


def broken_times(value: object) -> list[str]:
    """Return what stands for a time within a model and is none: no int of nanoseconds, or naive."""
    found: list[str] = []
    for place, one in parts(value):
        is_instant = place.endswith("_ns") and one is not None
        if is_instant and (not isinstance(one, int) or isinstance(one, bool)):
            found.append(f"{place} = {one!r}")
        elif isinstance(one, datetime) and one.utcoffset() is None:
            found.append(f"{place} = naive {one.isoformat()}")
    return found


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
