"""JSON text to plain data and back: one document, no duplicate keys, nothing that is not JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

from .paths import refuse

if TYPE_CHECKING:
    from .shape import Plain

__all__ = ["dump_text", "load_text"]

_LONGEST_SHOWN = 60


def dump_text(plain: Plain) -> str:
    """Write plain data as one line of ASCII JSON."""
    try:
        return json.dumps(plain, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        return refuse(error, "what JSON can say")


def load_text(text: str) -> Plain:
    """Read one JSON document; what is no JSON is refused with the reason."""
    try:
        return _read(text)
    except json.JSONDecodeError as error:
        found = text[error.pos : error.pos + _LONGEST_SHOWN]
        return refuse(found, f"JSON: {error.msg} at character {error.pos}")
    except RecursionError:
        return refuse(text[:_LONGEST_SHOWN], "JSON nested less deeply")
    except _NotOursError as error:
        return refuse(*error.args)
    except ValueError:
        return refuse(text[:_LONGEST_SHOWN], "JSON whose numbers are not over-long")


class _NotOursError(Exception):
    """JSON as Python reads it, but not as the standard or this library has it."""


def _read(text: str) -> Plain:
    plain: Plain = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    return plain


def _refuse_constant(name: str) -> NoReturn:
    raise _NotOursError(name, "a finite number")


def _unique(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NotOursError(twice, "each key once")
    return fields
