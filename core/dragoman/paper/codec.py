"""Models as plain JSON data and back, exactly: each value tagged with what it is.

For the engine's own state only. It is no format for others: fields at their default are left out.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Final, TypeAlias, TypeVar, cast

import attrs

import dragoman.models as vocabulary
from dragoman.errors import InvalidValueError, Violation
from dragoman.models import FrozenMapping

from .market.feed import MarketTick

__all__ = ["Plain", "decode", "decoded", "encode"]

Plain: TypeAlias = "str | int | bool | list[Plain] | dict[str, Plain] | None"
"""What JSON can say."""

Value = TypeVar("Value")

_NAMES: Final = frozenset(vocabulary.__all__)


def encode(value: object) -> Plain:
    """Return a value as plain data: a model, enum member, decimal, or tuple of such."""
    if value is None or (isinstance(value, (bool, int, str)) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return ["enum", type(value).__name__, str(value.value)]
    if isinstance(value, Decimal):
        return ["decimal", str(value)]
    return _encode_compound(value)


def _encode_compound(value: object) -> Plain:
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        return ["tick" if isinstance(value, MarketTick) else "tuple", *map(encode, items)]
    if isinstance(value, FrozenMapping):
        pairs = cast("FrozenMapping[object]", value).items()
        return ["mapping", {key: encode(item) for key, item in pairs}]
    return _encode_model(value)


def _encode_model(value: object) -> Plain:
    kind = type(value)
    if not attrs.has(kind) or kind.__name__ not in _NAMES:
        violation = Violation.of("value", kind.__name__, "a model of this library")
        raise InvalidValueError.of("encode", [violation])
    told: dict[str, Plain] = {}
    for field in attrs.fields(kind):
        item: object = getattr(value, field.name)
        if item is not field.default and item is not None:
            told[field.name] = encode(item)
    return ["model", kind.__name__, told]


def decode(data: Plain) -> object:
    """Return the value that `encode` made the data of.

    Raises:
        InvalidValueError: The data was not made so.
    """
    if not isinstance(data, list):
        if isinstance(data, dict):
            raise _misfit(data)
        return data
    found: object = None
    match data:
        case ["decimal", str(text)]:
            found = Decimal(text)
        case ["enum", str(name), str(text)] if name in _NAMES:
            found = getattr(vocabulary, name)(text)
        case ["tick", *items]:
            found = MarketTick._make(map(decode, items))
        case ["tuple", *items]:
            found = tuple(map(decode, items))
        case ["mapping", dict(items)]:
            found = FrozenMapping(_decoded_values(items))
        case ["model", str(name), dict(items)] if name in _NAMES:
            found = getattr(vocabulary, name)(**_decoded_values(items))
        case _:
            raise _misfit(data)
    return found


def _decoded_values(items: dict[str, Plain]) -> dict[str, object]:
    return {key: decode(item) for key, item in items.items()}


def decoded(kind: type[Value], data: Plain) -> Value:
    """Return the value of data that must be of a kind."""
    value = decode(data)
    if not isinstance(value, kind):
        raise _misfit(data)
    return value


def _misfit(data: object) -> InvalidValueError:
    return InvalidValueError.of(
        "state", [Violation.of("value", data, "data that the engine wrote")]
    )
