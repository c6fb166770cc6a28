"""Plain data to models: strict about types, and exact about where something is wrong.

Every hook refuses with violations whose field is the path below it; each level of the data puts its
own key in front, so that the error at the top names the whole path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast, get_args, get_origin

import attrs
from cattrs import AttributeValidationNote, ClassValidationError, Converter, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from dragoman.errors import DragomanError, InvalidValueError, Violation
from dragoman.models.enums import Remove
from dragoman.models.exits import Exit
from dragoman.models.options import Scalar
from dragoman.models.values import FrozenMapping

from .atoms import ATOMS, read_enum, read_instant, read_optional_instant, read_scalar
from .failure import read_error
from .paths import below, read_at, refuse
from .shape import TAG, instant_keys, is_always_known, is_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .shape import AttrsClass

__all__ = ["reader"]

_Read: TypeAlias = Callable[[Any, Any], Any]


@cache
def reader(*, ignore_unknown: bool) -> Converter:
    """Return the converter that reads models, passing over unknown keys or refusing them."""
    converter = Converter(
        forbid_extra_keys=not ignore_unknown, structure_fallback_factory=_refuse_type
    )
    for kind, read in ATOMS.items():
        converter.register_structure_hook(kind, read)
    converter.register_structure_hook(StrEnum, read_enum)
    converter.register_structure_hook(DragomanError, partial(read_error, converter))
    converter.register_structure_hook_func(lambda kind: kind == Scalar, read_scalar)
    converter.register_structure_hook_func(
        lambda kind: kind == Exit | Remove | None, partial(_read_exit_change, converter)
    )
    factories: list[tuple[Callable[[Any], bool], Callable[[Any], _Read]]] = [
        (_is_model, partial(_model_reader, converter)),
        (lambda kind: get_origin(kind) is tuple, partial(_tuple_reader, converter)),
        (lambda kind: get_origin(kind) is frozenset, partial(_set_reader, converter)),
        (lambda kind: get_origin(kind) is FrozenMapping, partial(_mapping_reader, converter)),
    ]
    for applies, factory in factories:
        converter.register_structure_hook_factory(applies, factory)
    return converter


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and attrs.has(kind) and kind not in ATOMS


def _refuse_type(kind: object) -> _Read:
    message = f"no plain form is known for {kind}"
    raise InvalidValueError.of(message, [Violation.of("type", kind, "models and their parts")])


def _read_exit_change(converter: Converter, value: object, _: object) -> Exit | Remove | None:
    if value is None:
        return None
    return Remove.REMOVE if value == Remove.REMOVE else converter.structure(value, Exit)


def _model_reader(converter: Converter, model: AttrsClass) -> _Read:
    overrides: dict[str, Any] = {
        name: override(rename=key, struct_hook=_instant_reader(model, key))
        for name, key in instant_keys(model).items()
    }
    build = make_dict_structure_fn(model, converter, **overrides)
    is_tagged = is_event(model)

    def read(data: object, _: object) -> object:
        fields = _fields(data)
        if is_tagged:
            fields = _untagged(fields, model)
        try:
            return build(fields, model)
        except ClassValidationError as group:
            found = [*_violations(model, fields, group)]
            raise InvalidValueError.of(model.__name__, found) from None

    return read


def _instant_reader(model: AttrsClass, key: str) -> _Read:
    return read_instant if is_always_known(model, key) else read_optional_instant


def _fields(data: object) -> Mapping[str, object]:
    return (
        cast("Mapping[str, object]", data)
        if isinstance(data, Mapping)
        else refuse(data, "an object")
    )


def _untagged(fields: Mapping[str, object], model: AttrsClass) -> Mapping[str, object]:
    tag = fields.get(TAG, model.__name__)
    if tag != model.__name__:
        refuse(tag, model.__name__, TAG)
    return {key: value for key, value in fields.items() if key != TAG}


def _violations(
    model: AttrsClass, fields: Mapping[str, object], group: ClassValidationError
) -> Iterator[Violation]:
    keys = {**{name: name for name in attrs.fields_dict(model)}, **instant_keys(model)}
    for error in group.exceptions:
        name = _attribute(error)
        if isinstance(error, ForbiddenExtraKeysError):
            allowed = f"no such key; known are {', '.join(keys.values())}"
            yield from (Violation.of(str(key), fields[key], allowed) for key in error.extra_fields)
        elif isinstance(error, InvalidValueError):
            yield from _named(below(keys.get(name, ""), error), keys)
        elif isinstance(error, KeyError) and name:
            yield Violation.of(keys[name], None, "a value: the field is required")
        else:
            yield Violation.of(keys.get(name, ""), type(error).__name__, "what the model takes")


def _named(found: Iterator[Violation], keys: Mapping[str, str]) -> Iterator[Violation]:
    """Yield violations under the keys of the data, where a model named its own fields."""
    for each in found:
        yield attrs.evolve(each, field=keys.get(each.field, each.field))


def _attribute(error: BaseException) -> str:
    notes = getattr(error, "__notes__", ())
    return next((note.name for note in notes if isinstance(note, AttributeValidationNote)), "")


def _items(data: object) -> list[object]:
    return (
        [*cast("list[object]", data)] if isinstance(data, (list, tuple)) else refuse(data, "a list")
    )


def _tuple_reader(converter: Converter, kind: object) -> _Read:
    kinds = get_args(kind)
    if Ellipsis in kinds:
        return _each_reader(converter, kinds[0])
    reads = [partial(_call, converter.get_structure_hook(each), each) for each in kinds]

    def read(data: object, _: object) -> tuple[object, ...]:
        items = _items(data)
        if len(items) != len(reads):
            refuse(items, f"a list of {len(reads)}")
        rows = enumerate(zip(reads, items, strict=True))
        return tuple(read_at(f"[{place}]", partial(read, item)) for place, (read, item) in rows)

    return read


def _each_reader(converter: Converter, kind: object) -> _Read:
    read_item = partial(_call, converter.get_structure_hook(kind), kind)

    def read(data: object, _: object) -> tuple[object, ...]:
        rows = enumerate(_items(data))
        return tuple(read_at(f"[{place}]", partial(read_item, item)) for place, item in rows)

    return read


def _call(read: _Read, kind: object, value: object) -> object:
    return read(value, kind)


def _set_reader(converter: Converter, kind: object) -> _Read:
    read = _each_reader(converter, get_args(kind)[0])
    return lambda data, _: frozenset(read(data, None))


def _mapping_reader(converter: Converter, kind: object) -> _Read:
    (value_kind,) = get_args(kind)
    read_value = partial(_call, converter.get_structure_hook(value_kind), value_kind)

    def read(data: object, _: object) -> FrozenMapping[object]:
        rows = _fields(data).items()
        return FrozenMapping(
            {key: read_at(f"[{key}]", partial(read_value, value)) for key, value in rows}
        )

    return read
