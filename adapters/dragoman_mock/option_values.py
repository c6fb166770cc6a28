"""How one value of a setting is read: exactly, from a Python value or from text.

Each function returns what is meant or raises `NotAllowedError`, which says what is allowed.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast

from dragoman.errors import InvalidValueError
from dragoman.money import parse_decimal
from dragoman.paper.faults.plan import Fault, FaultPlan
from dragoman.paper.settings import FeeSchedule
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "NotAllowedError",
    "amount",
    "fees",
    "flag",
    "latency_ns",
    "loops",
    "member_of",
    "path",
    "plan",
    "ratio",
    "speed",
    "text",
    "whole",
]

Member = TypeVar("Member", bound=StrEnum)

_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_FASTEST: Final = 1_000_000
_LONGEST_S: Final = 3_600
_AMOUNT: Final = "an exact amount, 0 or more (no float)"


class NotAllowedError(Exception):
    """A value is not what `allowed` says."""

    def __init__(self, allowed: str) -> None:
        super().__init__(allowed)
        self.allowed = allowed


def whole(value: object) -> int:
    """Read a whole number."""
    allowed = "a whole number"
    found = _number(value, (str, int), allowed)
    if found != found.to_integral_value():
        raise NotAllowedError(allowed)
    return int(found)


def amount(value: object, allowed: str = _AMOUNT) -> Decimal:
    """Read an exact amount, 0 or more."""
    found = _number(value, (str, int, Decimal), allowed)
    if found < 0:
        raise NotAllowedError(allowed)
    return found


def ratio(value: object) -> Decimal:
    """Read a part of a whole, above 0."""
    allowed = "an exact number above 0, at most 1 (no float)"
    found = amount(value, allowed)
    if not 0 < found <= 1:
        raise NotAllowedError(allowed)
    return found


def _fraction(value: object, allowed: str, most: int) -> Fraction:
    found = _number(value, (str, int, float), allowed)
    if not 0 <= found <= most:
        raise NotAllowedError(allowed)
    return Fraction(found)


def _number(value: object, types: tuple[type, ...], allowed: str) -> Decimal:
    """Read a number from its shortest text, so that a float means what its writer saw."""
    if isinstance(value, bool) or not isinstance(value, types):
        raise NotAllowedError(allowed)
    try:
        return parse_decimal(str(value).strip())
    except InvalidValueError:
        raise NotAllowedError(allowed) from None


def speed(value: object) -> Fraction:
    """Read how fast time passes."""
    allowed = f"a number above 0, at most {_FASTEST}"
    found = _fraction(value, allowed, _FASTEST)
    if not found:
        raise NotAllowedError(allowed)
    return found


def latency_ns(value: object) -> int:
    """Read a duration in seconds."""
    return int(_fraction(value, f"seconds, from 0 to {_LONGEST_S}", _LONGEST_S) * SECOND_NS)


def flag(value: object) -> bool:
    """Read yes or no."""
    if isinstance(value, bool):
        return value
    known = _TRUTH.get(value.strip().lower()) if isinstance(value, str) else None
    if known is None:
        raise NotAllowedError("true or false")
    return known


def member_of(kind: type[Member]) -> Callable[[object], Member]:
    """Make the reader of an enum's members, in any case of letters."""
    names = {str(member): member for member in kind if str(member) != "UNKNOWN"}

    def convert(value: object) -> Member:
        found = names.get(value.strip().upper()) if isinstance(value, str) else None
        if found is None:
            raise NotAllowedError(" or ".join(names))
        return found

    return convert


def loops(value: object) -> bool:
    """Read what happens at the end of a tape: whether it begins again."""
    if value not in ("loop", "stop"):
        raise NotAllowedError("'loop' or 'stop'")
    return value == "loop"


def path(value: object) -> str:
    """Read the path of a file."""
    if not isinstance(value, (str, Path)) or not str(value).strip():
        raise NotAllowedError("the path of a file")
    return str(value)


def text(value: object) -> str:
    """Read a text."""
    if not isinstance(value, str) or not value.strip():
        raise NotAllowedError("a text that is not blank")
    return value


def fees(value: object) -> FeeSchedule:
    """Read a schedule of fees."""
    if isinstance(value, FeeSchedule):
        return value
    if value not in ("realistic", "free"):
        raise NotAllowedError("'realistic', 'free', or a FeeSchedule")
    return FeeSchedule.free() if value == "free" else FeeSchedule.realistic()


def plan(value: object) -> FaultPlan:
    """Read a plan of faults."""
    parts = cast("list[object]", [*value]) if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(part, (str, Fault, FaultPlan)) for part in parts):
        raise NotAllowedError("a FaultPlan, its line, or a list of faults")
    return FaultPlan.of(cast("list[str]", parts))
