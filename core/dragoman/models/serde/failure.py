"""Errors as plain data: what went wrong, for people and programs that can't catch it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from dragoman import errors
from dragoman.errors import DragomanError, Outcome, Violation

from .paths import read_at, refuse
from .shape import TAG

if TYPE_CHECKING:
    from cattrs import Converter

    from .shape import Plain

__all__ = ["read_error", "write_error"]

_FACTS: Final[Mapping[str, Any]] = {
    "provider": str | None,
    "code": str | None,
    "request_id": str | None,
    "outcome": Outcome | None,
    "retry_after": float | None,
    "client_order_id": str | None,
    "violations": tuple[Violation, ...],
}


def write_error(converter: Converter, error: DragomanError) -> dict[str, Plain]:
    """Write an error's class and every fact it carries."""
    facts = {name: value for name, value in vars(error).items() if not name.startswith("_")}
    plain: dict[str, Plain] = {TAG: type(error).__name__}
    return plain | {name: converter.unstructure(value) for name, value in facts.items()}


def read_error(converter: Converter, data: object, _: object) -> DragomanError:
    """Read an error back as an instance of its own class, with the same facts."""
    if not isinstance(data, Mapping):
        refuse(data, "an object")
    facts = cast("dict[str, object]", {**data})
    error = _class(facts.pop(TAG, None))(_message(facts))
    known = vars(error)
    for name, value in facts.items():
        if name in known:
            hint = _FACTS.get(name, type(known[name]))
            setattr(error, name, read_at(name, partial(converter.structure, value, hint)))
        elif converter.forbid_extra_keys:
            refuse(value, f"no such key; known are {', '.join(known)}", name)
    return error


def _message(facts: dict[str, object]) -> str:
    message = facts.pop("message", None)
    return message if isinstance(message, str) else refuse(message, "text", "message")


def _class(name: object) -> type[DragomanError]:
    kind = vars(errors).get(name) if isinstance(name, str) else None
    if isinstance(kind, type) and issubclass(kind, DragomanError):
        return kind
    return refuse(name, "the name of an error class", TAG)
