"""What documents from outside may be: their limits, the types they are read to, and what is wrong.

Shared by the formats that `codec` and `packed` read.
"""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Final, cast

import attrs
import msgspec

from dragoman.errors import ConfigurationError, DecodeError, Violation
from dragoman.money import MAX_DIGITS

from .amounts import NUMERAL, Amount
from .json_shape import ShapeLimits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["BREAKS", "Limits", "failure_of", "has_open_place", "refusal", "value_breach"]

BREAKS: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
"""What a decoder, or a hook of it, raises for a document that can't be read."""

_BEYOND: Final = 10**MAX_DIGITS
_PLACE: Final = re.compile(r" - at `([^`]*)`\Z")
_WHAT: Final = re.compile(
    r"Expected `[^`]*`(?:, got `[^`]*`)?(?: of length [<>=]+ \d+)?"
    r"|Object missing required field `[^`]*`"
    r"|(?:JSON|MessagePack data) is malformed: [a-z ]+|Input data was truncated"
)


@attrs.frozen(kw_only=True)
class Limits:
    """What a document may be at most.

    `max_string` counts the bytes of one string as it is written, `max_items` the items of one array
    or object, `max_depth` arrays and objects within each other.
    """

    max_bytes: int = 16 * 1024 * 1024
    max_depth: int = 64
    max_string: int = 1024 * 1024
    max_items: int = 200_000

    @property
    def shape(self) -> ShapeLimits:
        """The limits that are checked on the raw text."""
        return ShapeLimits(self.max_depth, self.max_string, self.max_items)


def failure_of(error: Exception, name: str) -> DecodeError:
    """Return the error for a document called `name`: the place of what is wrong, never the data."""
    if isinstance(error, RecursionError):
        return refusal(name, "too many levels")
    text = str(error)
    place = _PLACE.search(text)
    what = _WHAT.match(text)
    found = what.group() if what else f"a value that is not allowed ({type(error).__name__})"
    return refusal(name, found, "what the type says", place.group(1) if place else "$")


def refusal(
    name: str, found: str, allowed: str = "what the limits allow", place: str = "document"
) -> DecodeError:
    """Return the error for a document called `name` in which something is not allowed."""
    violation = Violation(place, found, allowed)
    return DecodeError.of(f"{name} can't be decoded", [violation])


def has_open_place(shape: object, name: str) -> bool:
    """Tell whether anything at all may stand somewhere in the type.

    Raises:
        ConfigurationError: The type holds a class that can't be read, or not carefully enough.
    """
    parts = tuple(_parts_of(shape))
    kinds = {type(part) for part in parts}
    foreign = {part.cls for part in parts if isinstance(part, msgspec.inspect.CustomType)}
    if kinds & {msgspec.inspect.DecimalType, msgspec.inspect.FloatType}:
        raise ConfigurationError(
            f"{name} can't be decoded to: it holds Decimal or float; write Amount, which is read "
            "exactly and within limits"
        )
    if foreign - {Amount}:
        raise ConfigurationError(
            f"{name} can't be decoded to: it holds a class that JSON does not know; write a "
            "msgspec.Struct, or Any where anything may stand"
        )
    return msgspec.inspect.AnyType in kinds


def _parts_of(shape: object) -> Iterator[msgspec.inspect.Type]:
    """Yield the descriptions of a type and of every type in it, each struct once."""
    seen: set[object] = set()
    rest: list[object] = [msgspec.inspect.type_info(shape)]
    while rest:
        part = rest.pop()
        if isinstance(part, msgspec.inspect.Type):
            name = getattr(part, "cls", None)
            if name is not None and name in seen:
                continue
            seen.add(name)
            yield part
            if getattr(part, "extra", None) == NUMERAL:
                continue
        if isinstance(part, (msgspec.inspect.Type, msgspec.inspect.Field)):
            rest.extend(getattr(part, field) for field in part.__struct_fields__)
        elif isinstance(part, tuple):
            rest.extend(cast("tuple[object, ...]", part))


def value_breach(value: object, limits: Limits) -> str | None:
    """Return what in a decoded value breaks a limit: a number, or the depth."""
    level: list[object] = [value]
    for _ in range(limits.max_depth + 1):
        if any(type(part) is int and not -_BEYOND < part < _BEYOND for part in level):
            return f"a number of more than {MAX_DIGITS} digits"
        if any(type(part) is float and not isfinite(part) for part in level):
            return "a number that is not finite"
        level = [inner for part in level for inner in _inside(part)]
        if not level:
            return None
    return f"more than {limits.max_depth} levels"


def _inside(part: object) -> Iterable[object]:
    if isinstance(part, (str, Decimal)):
        return ()
    if isinstance(part, dict):
        return cast("dict[object, object]", part).values()
    if isinstance(part, (list, tuple)):
        return cast("list[object]", part)
    if isinstance(part, msgspec.Struct):
        return (getattr(part, name) for name in part.__struct_fields__)
    return ()
