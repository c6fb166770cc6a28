"""How a class looks as plain data, the same for writing and reading.

A field named `*_ns` that is an instant is told by the view next to it: it is written under the name
of the view. Events carry a tag, so that a reader need not know what comes.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias, get_args

import attrs

from dragoman.models.events import Event
from dragoman.models.instants import InstantView, OptionalInstantView

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "TAG",
    "AttrsClass",
    "Plain",
    "event_classes",
    "instant_keys",
    "is_always_known",
    "is_event",
]

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"
"""What JSON can say."""

AttrsClass: TypeAlias = "type[attrs.AttrsInstance]"

TAG: Final = "type"


@cache
def event_classes() -> Mapping[str, type[Event]]:
    """Return every event class by its tag."""
    classes: tuple[type[Event], ...] = get_args(Event)
    return {each.__name__: each for each in classes}


def is_event(model: type) -> bool:
    """Tell whether `model` is an event class, whose plain form is tagged."""
    return model in event_classes().values()


def is_always_known(model: AttrsClass, key: str) -> bool:
    """Tell whether the instant written under `key` is never None."""
    return isinstance(vars(model)[key], InstantView)


@cache
def instant_keys(model: AttrsClass) -> Mapping[str, str]:
    """Return the plain key of each field of `model` that is an instant, by field name."""
    views = {name: vars(model).get(name.removesuffix("_ns")) for name in attrs.fields_dict(model)}
    return {
        name: name.removesuffix("_ns")
        for name, view in views.items()
        if isinstance(view, (InstantView, OptionalInstantView))
    }
