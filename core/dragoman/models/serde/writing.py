"""Models to plain data."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache, partial
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override

from dragoman.errors import DragomanError
from dragoman.models.values import Timeframe
from dragoman.money import format_decimal, is_bounded
from dragoman.times import format_time

from .failure import write_error
from .paths import refuse
from .shape import TAG, instant_keys, is_always_known, is_event

if TYPE_CHECKING:
    from .shape import AttrsClass, Plain

__all__ = ["writer"]

_Write: TypeAlias = Callable[[Any], Any]
_AMOUNT: Final = "a finite Decimal, not over-long"
_NEAR: Final = 64
"""Far below what an amount may have of digits."""


@cache
def writer(*, keep_raw: bool) -> Converter:
    """Return the converter that writes models, with or without the venue's own bytes."""
    converter = Converter(unstructure_fallback_factory=_refuse_type)
    for kind in (str, int, bool, NoneType):
        converter.register_unstructure_hook(kind, _unchanged)
    converter.register_unstructure_hook(float, _write_float)
    converter.register_unstructure_hook(Decimal, _write_decimal)
    converter.register_unstructure_hook(bytes, _write_bytes)
    converter.register_unstructure_hook(StrEnum, _write_enum)
    converter.register_unstructure_hook(DragomanError, partial(write_error, converter))
    converter.register_unstructure_hook(Timeframe, str)
    factories: list[tuple[Callable[[Any], bool], Callable[[Any], _Write]]] = [
        (_is_model, partial(_model_writer, converter, keep_raw=keep_raw)),
        (_is_sequence, partial(_list_writer, converter)),
        (lambda kind: _origin(kind) is frozenset, partial(_set_writer, converter)),
        (_is_mapping, partial(_mapping_writer, converter)),
    ]
    for applies, factory in factories:
        converter.register_unstructure_hook_factory(applies, factory)
    return converter


def _origin(kind: object) -> object:
    return get_origin(kind) or kind


def _is_sequence(kind: object) -> bool:
    origin = _origin(kind)
    return origin is tuple or origin is list


def _is_mapping(kind: object) -> bool:
    origin = _origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and attrs.has(kind) and kind is not Timeframe


def _refuse_type(_: object) -> _Write:
    allowed = "models, amounts, enums, text, numbers and collections of these"
    return partial(refuse, allowed=allowed)


def _unchanged(value: object) -> object:
    return value


def _write_float(value: float) -> float:
    return value if math.isfinite(value) else refuse(value, "a finite number")


def _write_decimal(value: object) -> str:
    if not isinstance(value, Decimal):
        return refuse(value, _AMOUNT)
    # A text that is short enough shows by itself that its number is, and most are.
    if value.is_finite() and -_NEAR < value.adjusted() < _NEAR:
        text = format_decimal(value)
        if len(text) < _NEAR:
            return text
    if is_bounded(value):
        return format_decimal(value)
    return refuse(value, _AMOUNT)


def _write_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _write_enum(value: object) -> str:
    return value.value if isinstance(value, StrEnum) else refuse(value, "a member of an enum")


def _write_optional_instant(instant_ns: int | None) -> str | None:
    return None if instant_ns is None else format_time(instant_ns)


def _instant_writer(model: AttrsClass, key: str) -> _Write:
    return format_time if is_always_known(model, key) else _write_optional_instant


def _model_writer(converter: Converter, model: AttrsClass, *, keep_raw: bool) -> _Write:
    keys = instant_keys(model)
    overrides: dict[str, Any] = {
        name: override(rename=key, unstruct_hook=_instant_writer(model, key))
        for name, key in keys.items()
    }
    if "raw" in attrs.fields_dict(model):
        overrides["raw"] = override(omit=not keep_raw)
    write = make_dict_unstructure_fn(model, converter, **overrides)
    if not is_event(model):
        return write
    tag: dict[str, Plain] = {TAG: model.__name__}
    return lambda event: tag | write(event)


def _item_writer(converter: Converter, kind: object, position: int = 0) -> _Write:
    """Return the hook for the items that a collection type declares, else one that looks."""
    declared = get_args(kind)
    return converter.get_unstructure_hook(declared[position]) if declared else converter.unstructure


def _list_writer(converter: Converter, kind: object) -> _Write:
    declared = get_args(kind)
    if _origin(kind) is tuple and declared and declared[-1] is not Ellipsis:
        writes = [converter.get_unstructure_hook(each) for each in declared]
        return lambda items: [write(item) for write, item in zip(writes, items, strict=True)]
    write_item = _item_writer(converter, kind)
    return lambda items: [write_item(item) for item in items]


def _set_writer(converter: Converter, kind: object) -> _Write:
    write_item = _item_writer(converter, kind)
    return lambda items: sorted(write_item(item) for item in items)


def _mapping_writer(converter: Converter, kind: object) -> _Write:
    write_value = _item_writer(converter, kind, position=-1)
    return lambda items: {str(key): write_value(value) for key, value in items.items()}
