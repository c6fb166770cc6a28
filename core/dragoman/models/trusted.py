"""Building frozen models from values that were checked before, without checking again.

An order is told several times in its life; checking each telling costs more than all else about it.
Never use these for what comes from outside.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    from attrs import AttrsInstance

__all__ = ["builder", "copier", "evolver"]

Model = TypeVar("Model", bound="AttrsInstance")


def builder(kind: type[Model]) -> Callable[..., Model]:
    """Return a function that makes a `kind` out of keywords and defaults.

    `kind` must be slotted, with no factories among its defaults. Neither its converters nor its
    validators run.
    """
    plan = tuple(
        (field.name, kind.__dict__[field.name].__set__, field.default)
        for field in attrs.fields(kind)
    )

    def build(**values: object) -> Model:
        made = kind.__new__(kind)
        for name, put, default in plan:
            put(made, values.get(name, default))
        return made

    return build


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
