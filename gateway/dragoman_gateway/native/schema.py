"""The plain form of models as JSON Schema, by the same rules that write and read it.

Amounts are text (an integer is read too), instants RFC 3339 under the field's name without `_ns`,
events tagged by their class. What goes out always has every key; what comes in may leave out what
has a default, and has no other keys.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs

from dragoman.models.options import Scalar
from dragoman.models.serde.shape import TAG, instant_keys, is_always_known, is_event
from dragoman.models.values import Timeframe

if TYPE_CHECKING:
    from dragoman.models.serde.shape import AttrsClass

__all__ = ["Schemas"]

_DECIMAL: Final = r"^-?[0-9]+(\.[0-9]+)?$"
_ATOMS: Final[Mapping[object, Mapping[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    type(None): {"type": "null"},
}
_INSTANT: Final = {"$ref": "#/components/schemas/Instant"}
_SHARED: Final[Mapping[str, Mapping[str, Any]]] = {
    "Decimal": {
        "type": "string",
        "pattern": _DECIMAL,
        "description": "An exact decimal number as text.",
        "examples": ["189.99"],
    },
    "DecimalInput": {
        "anyOf": [{"type": "string", "pattern": _DECIMAL, "maxLength": 40}, {"type": "integer"}],
        "description": "A decimal number, exact: as text, or an integer. A float is refused.",
        "examples": ["189.99"],
    },
    "Instant": {
        "type": "string",
        "format": "date-time",
        "description": "An instant in UTC, RFC 3339, up to nanoseconds.",
        "examples": ["2026-01-07T14:30:00.000000000Z"],
    },
    "Timeframe": {
        "type": "string",
        "pattern": "^[1-9][0-9]{0,4}[smhdwM]$",
        "description": "The length of a bar: a count and s, m (minutes), h, d, w or M (months).",
        "examples": ["5m"],
    },
}


class Schemas:
    """The schemas of a document: each class becomes a component once, and is referred to."""

    def __init__(self) -> None:
        self._classes: dict[str, type] = {}
        self.components: dict[str, Any] = {name: dict(one) for name, one in _SHARED.items()}

    def of(self, hint: object, *, is_input: bool = False) -> dict[str, Any]:
        """Return the schema of a type, as it goes out or, with `is_input`, comes in."""
        known = _atom(hint, is_input=is_input)
        if known is not None:
            return known
        origin = get_origin(hint)
        if origin in {Union, types.UnionType}:
            return self._union(get_args(hint), is_input=is_input)
        if origin is not None:
            return self._collection(origin, get_args(hint), is_input=is_input)
        return self._named(cast("type", hint), is_input=is_input)

    def _union(self, kinds: tuple[object, ...], *, is_input: bool) -> dict[str, Any]:
        if all(isinstance(kind, type) and attrs.has(kind) and is_event(kind) for kind in kinds):
            return self._tagged([self.of(kind) for kind in kinds])
        schemas = [self.of(kind, is_input=is_input) for kind in kinds]
        if all(set(one) == {"type"} for one in schemas):
            return {"type": [one["type"] for one in schemas]}
        return {"anyOf": schemas}

    def _tagged(self, schemas: list[dict[str, Any]]) -> dict[str, Any]:
        mapping = {one["$ref"].rpartition("/")[2]: one["$ref"] for one in schemas}
        return {"oneOf": schemas, "discriminator": {"propertyName": TAG, "mapping": mapping}}

    def _collection(
        self, origin: object, kinds: tuple[object, ...], *, is_input: bool
    ) -> dict[str, Any]:
        def of(kind: object) -> dict[str, Any]:
            return self.of(kind, is_input=is_input)

        if origin is frozenset:
            return {"type": "array", "items": of(kinds[0]), "uniqueItems": True}
        if origin is tuple and Ellipsis in kinds:
            return {"type": "array", "items": of(kinds[0])}
        if origin is tuple:
            count = len(kinds)
            prefix = [of(kind) for kind in kinds]
            return {"type": "array", "prefixItems": prefix, "minItems": count, "maxItems": count}
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": of(kinds[-1])}
        message = f"no schema is known for {origin}"
        raise TypeError(message)

    def _named(self, kind: type, *, is_input: bool) -> dict[str, Any]:
        """Return a reference to a class, made a component when it is first met."""
        is_enum = issubclass(kind, StrEnum)
        name = kind.__name__ if is_enum or not is_input else f"{kind.__name__}Input"
        if self._classes.setdefault(name, kind) is not kind:
            message = f"two classes are called {name}: a document can't tell them apart"
            raise TypeError(message)
        if name not in self.components:
            self.components[name] = {}
            if issubclass(kind, StrEnum):
                self.components[name] = self._enum(kind)
            else:
                self.components[name] = self._model(cast("AttrsClass", kind), is_input=is_input)
        return _reference(name)

    def _enum(self, kind: type[StrEnum]) -> dict[str, Any]:
        return {"type": "string", "enum": [one.value for one in kind], "description": _said(kind)}

    def _model(self, kind: AttrsClass, *, is_input: bool) -> dict[str, Any]:
        hints, keys = get_type_hints(kind), instant_keys(kind)
        properties: dict[str, Any] = {}
        required: list[str] = []
        if is_event(kind):
            properties[TAG] = {"const": kind.__name__}
            required.append(TAG)
        for field in attrs.fields(kind):
            if not field.init or field.name == "raw":
                continue
            key = keys.get(field.name, field.name)
            if field.name in keys:
                schema = self._instant(is_known=is_always_known(kind, key))
            else:
                schema = self.of(hints[field.name], is_input=is_input)
            properties[key] = schema
            if not is_input or field.default is attrs.NOTHING:
                required.append(key)
        described: dict[str, Any] = {
            "type": "object",
            "description": _said(kind),
            "properties": properties,
        }
        if required:
            described["required"] = required
        if is_input:
            described["additionalProperties"] = False
        return described

    def _instant(self, *, is_known: bool) -> dict[str, Any]:
        return dict(_INSTANT) if is_known else {"anyOf": [dict(_INSTANT), {"type": "null"}]}


def _atom(hint: object, *, is_input: bool) -> dict[str, Any] | None:
    """Return the schema of a single value; None for what is made of several."""
    if hint in _ATOMS:
        return dict(_ATOMS[hint])
    if hint == Scalar:
        return {"type": ["string", "integer", "boolean"]}
    if hint is Decimal:
        return _reference("DecimalInput" if is_input else "Decimal")
    return _reference("Timeframe") if hint is Timeframe else None


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _said(kind: type) -> str:
    """Return what the docstring of a class says, but for its sections."""
    text = inspect.getdoc(kind) or ""
    return text.partition("\n\nRaises:")[0]
