"""Models as plain data and as JSON, exact both ways.

Amounts are text in plain notation with their scale; instants are RFC 3339 UTC text with nine
fraction digits, under the field's name without `_ns`; durations stay integers of nanoseconds; enums
are their values, tuples lists, timeframes `"5m"`, sets sorted lists. What is not known is `null`.
Events carry their class name as `type`. The venue's own bytes (`raw`) are left out unless asked
for, and then base64.

Reading is strict: a float is no amount, `1` is no flag, text is no list. This is the only package
that knows cattrs; nothing in `dragoman.models` imports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar, cast

from dragoman.errors import DecodeError, DragomanError, InvalidValueError, Violation

from .failure import write_error
from .reading import reader
from .shape import TAG, Plain, event_classes
from .text import dump_text, load_text
from .writing import writer

if TYPE_CHECKING:
    from dragoman.models.events import Event

__all__ = [
    "Plain",
    "error_from_plain",
    "error_to_plain",
    "event_from_json",
    "event_from_plain",
    "from_json",
    "from_plain",
    "to_json",
    "to_plain",
]

Model = TypeVar("Model")


def to_plain(model: object, *, keep_raw: bool = False) -> Plain:
    """Return a model, or a collection of models, as what JSON can say.

    Raises:
        InvalidValueError: A part of it has no plain form (an amount that is not finite, say).
    """
    try:
        plain: Plain = writer(keep_raw=keep_raw).unstructure(model)
    except (AttributeError, TypeError) as error:
        found = Violation.of(type(model).__name__, error, "fields of the types it declares")
        raise InvalidValueError.of("plain data", [found]) from None
    return plain


def from_plain(kind: type[Model], data: object, *, ignore_unknown: bool = False) -> Model:
    """Return the model of class `kind` that `data` describes.

    Args:
        kind: The class to build.
        data: What `to_plain` returned; keys may be missing where the field has a default.
        ignore_unknown: Pass over keys that the class lacks, as a newer version may write them.

    Raises:
        DecodeError: `data` is something else; the message names the path to each wrong part, what
            was found there and what is allowed.
    """
    try:
        return reader(ignore_unknown=ignore_unknown).structure(data, kind)
    except InvalidValueError as error:
        raise DecodeError.of(kind.__name__, error.violations) from None


def to_json(model: object, *, keep_raw: bool = False) -> str:
    """Return a model, or a collection of models, as one line of ASCII JSON.

    Raises:
        InvalidValueError: A part of it has no plain form.
    """
    return dump_text(to_plain(model, keep_raw=keep_raw))


def from_json(kind: type[Model], text: str, *, ignore_unknown: bool = False) -> Model:
    """Return the model of class `kind` that the JSON document `text` describes.

    Raises:
        DecodeError: `text` is no JSON, holds a key twice, or describes something else.
    """
    return from_plain(kind, _load(kind.__name__, text), ignore_unknown=ignore_unknown)


def event_from_plain(data: object, *, ignore_unknown: bool = False) -> Event:
    """Return the event that `data` describes, of the class that its `type` names.

    Raises:
        DecodeError: `data` names no event class, or does not fit the one it names.
    """
    tag = _tag(data)
    kind = event_classes().get(tag) if isinstance(tag, str) else None
    if kind is None:
        allowed = f"one of {', '.join(event_classes())}"
        raise DecodeError.of("event", [Violation.of(TAG, tag, allowed)])
    return from_plain(kind, data, ignore_unknown=ignore_unknown)


def event_from_json(text: str, *, ignore_unknown: bool = False) -> Event:
    """Return the event that the JSON document `text` describes.

    Raises:
        DecodeError: `text` is no JSON, or describes no event.
    """
    return event_from_plain(_load("event", text), ignore_unknown=ignore_unknown)


def error_to_plain(error: DragomanError) -> dict[str, Plain]:
    """Return an error as plain data: `type`, `message`, `outcome` and every other fact it has."""
    return write_error(writer(keep_raw=False), error)


def error_from_plain(data: object) -> DragomanError:
    """Return the error that `data` describes, an instance of its own class.

    Raises:
        DecodeError: `data` names no error class of this library, or facts the class lacks.
    """
    return from_plain(DragomanError, data)


def _tag(data: object) -> object:
    return cast("Mapping[str, object]", data).get(TAG) if isinstance(data, Mapping) else None


def _load(what: str, text: str) -> Plain:
    try:
        return load_text(text)
    except InvalidValueError as error:
        raise DecodeError.of(what, error.violations) from None
