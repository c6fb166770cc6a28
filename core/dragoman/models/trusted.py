"""Building frozen models from values that were checked before, without checking again.

An order is told several times in its life; checking each telling costs more than all else about it.
Never use these for what comes from outside.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, TypeVar, cast

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from attrs import AttrsInstance

__all__ = ["builder", "copier", "evolver"]

Model = TypeVar("Model", bound="AttrsInstance")


def builder(kind: type[Model]) -> Callable[..., Model]:
    """Return a function that makes a `kind` out of its fields, by position or keyword.

    `kind` must be slotted. A field whose default is made anew each time must be given. Neither its
    converters nor its validators run. This is the fastest way to a frozen model: its fields are set
    while it is still of a class that lets them be, which is the same in memory.
    """
    fields = attrs.fields(kind)
    known: dict[str, object] = {"__model__": kind, "__Draft__": _draft_of(kind)}
    known |= {f"__default_{field.name}": field.default for field in fields}
    parameters = ", ".join(map(_parameter, fields))
    settings = "\n    ".join(f"__draft__.{field.name} = {field.name}" for field in fields)
    text = _BUILD.format(parameters=parameters, settings=settings)
    # Made of nothing but the names of the fields, as attrs makes its own constructors.
    exec(compile(text, f"<builder of {kind.__name__}>", "exec"), known)  # noqa: S102 - see above
    return cast("Callable[..., Model]", known["build"])


# No field has a name like these.
_BUILD: Final = """\
def build({parameters}):
    __draft__ = __Draft__()
    {settings}
    __draft__.__class__ = __model__
    return __draft__
"""


def _parameter(field: attrs.Attribute[object]) -> str:
    is_required = field.default is attrs.NOTHING or isinstance(field.default, attrs.Factory)  # type: ignore[arg-type] # a class, though typed as a function
    return field.name if is_required else f"{field.name}=__default_{field.name}"


def _draft_of(kind: type[Model]) -> type[Model]:
    """Return a class with the memory layout of `kind` whose fields can be set one by one."""
    # Both must be given back: the two share a place in the type, and one alone stays slow.
    freedoms = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    plain = {"__slots__": (), "__init__": object.__init__, **freedoms}
    return cast("type[Model]", type(f"{kind.__name__}Draft", (kind,), plain))


def copier(kind: type[Model]) -> Callable[[object], Model]:
    """Return a function that makes a `kind` out of an object with the same attributes.

    `kind` must be slotted. Neither its converters nor its validators run.
    """
    names = [field.name for field in attrs.fields(kind)]
    read = attrgetter(*names)
    setters = tuple(kind.__dict__[name].__set__ for name in names)

    def copy(source: object) -> Model:
        made = kind.__new__(kind)
        for put, value in zip(setters, read(source), strict=True):
            put(made, value)
        return made

    return copy


def evolver(kind: type[Model]) -> Callable[..., Model]:
    """Return a function that copies a `kind` with some fields changed: `evolve(model, name=value)`.

    `kind` must be slotted and have two fields or more. Neither its converters nor its validators
    run.
    """
    names = tuple(field.name for field in attrs.fields(kind))
    read = attrgetter(*names)
    setters = tuple(kind.__dict__[name].__set__ for name in names)
    places = dict(zip(names, setters, strict=True))

    def evolve(source: Model, **changes: object) -> Model:
        made = kind.__new__(kind)
        for put, value in zip(setters, read(source), strict=True):
            put(made, value)
        for name, value in changes.items():
            places[name](made, value)
        return made

    return evolve
