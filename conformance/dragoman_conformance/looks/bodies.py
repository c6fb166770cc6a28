"""JSON bodies of a venue, changed as a venue might one day change them; digits stay as they are."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

__all__ = [
    "Json",
    "extended",
    "found_fields",
    "halved",
    "nulled",
    "read",
    "reshaped",
    "reworded",
    "reworded_at",
    "words",
    "written",
]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | Decimal | None"

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_WORD: Final = re.compile(r"[A-Za-z]+(_[A-Za-z]+)*")
_UNKNOWN: Final = "kit_unheard_of"


def read(body: bytes) -> Json:
    """Return what JSON says, numbers with a point as decimals; None where it is none."""
    try:
        found: Json = _DECODER.decode(body)
    except msgspec.DecodeError:
        return None
    return found


def written(value: Json) -> bytes:
    """Return a value as JSON, decimals as numbers."""
    return _ENCODER.encode(value)


def halved(body: bytes) -> bytes:
    """Return a body that breaks off in its middle, as JSON nobody can read."""
    return body[: len(body) // 2] or b"{"


def reshaped(body: bytes) -> bytes:
    """Return a body of another shape: a list for an object, an object for a list."""
    value = read(body)
    return written([value] if isinstance(value, dict) else {"kit_wrapped": value})


def extended(body: bytes) -> bytes:
    """Return a body with fields that nobody has heard of in every object."""
    extra: dict[str, Json] = {"kit_added": {"more": [1, None, "x"]}, "kitAdded": "2026"}
    return written(_mapped(read(body), lambda one: {**one, **extra}))


def nulled(body: bytes) -> bytes:
    """Return a body whose every plain value is null."""
    return written(_leaves(read(body), lambda _: None))


def reworded(body: bytes, keep: Collection[str] = ()) -> bytes:
    """Return a body whose words, such as "filled", are unheard of; ids and amounts stay.

    `keep` are texts that are no words of the venue: symbols and names.
    """

    def changed(value: Json) -> Json:
        is_word = isinstance(value, str) and _WORD.fullmatch(value) and value not in keep
        return _UNKNOWN if is_word else value

    return written(_leaves(read(body), changed))


def words(body: bytes, keep: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names of the fields that hold words, such as "status"; not those in `keep`."""
    found: dict[str, None] = {}

    def note(one: dict[str, Json]) -> dict[str, Json]:
        for name, value in one.items():
            if isinstance(value, str) and _WORD.fullmatch(value) and value not in keep:
                found[name] = None
        return one

    _mapped(read(body), note)
    return tuple(found)


def reworded_at(body: bytes, name: str) -> bytes:
    """Return a body in which fields of one name hold a word that is unheard of."""
    return written(_mapped(read(body), lambda one: {**one, name: _UNKNOWN} if name in one else one))


def found_fields(value: Json, wanted: str) -> list[tuple[str, ...]]:
    """Return the paths of every plain value whose text is `wanted`."""
    inner: Iterable[tuple[str, Json]]
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = [(str(index), one) for index, one in enumerate(value)]
    else:
        return [()] if not isinstance(value, bool) and str(value) == wanted else []
    return [(str(name), *path) for name, one in inner for path in found_fields(one, wanted)]


def _mapped(value: Json, change: Callable[[dict[str, Json]], dict[str, Json]]) -> Json:
    if isinstance(value, dict):
        return change({name: _mapped(one, change) for name, one in value.items()})
    if isinstance(value, list):
        return [_mapped(one, change) for one in value]
    return value


def _leaves(value: Json, change: Callable[[Json], Json]) -> Json:
    if isinstance(value, dict):
        return {name: _leaves(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return [_leaves(one, change) for one in value]
    return change(value)
