"""Reading single values: each hook takes exactly its own kind of plain value."""

from __future__ import annotations

import base64
import binascii
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from dragoman.models.checks import is_integer
from dragoman.models.values import Timeframe
from dragoman.money import parse_computed
from dragoman.times import parse_time

from .paths import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import StrEnum

    from dragoman.models.options import Scalar

__all__ = ["ATOMS", "read_enum", "read_instant", "read_optional_instant", "read_scalar"]


def read_enum(value: object, kind: type[StrEnum]) -> StrEnum:
    """Read a member by its value."""
    member = kind.__members__.get(value) if isinstance(value, str) else None
    return refuse(value, f"{kind.__name__} {', '.join(kind)}") if member is None else member


def read_instant(value: object, _: object) -> int:
    """Read the nanoseconds of an instant."""
    return parse_time(value, "") if isinstance(value, str) else refuse(value, "a time as text")


def read_optional_instant(value: object, _: object) -> int | None:
    """Read the nanoseconds of an instant; None where it is not known."""
    return None if value is None else read_instant(value, None)


def read_scalar(value: object, _: object) -> Scalar:
    """Read what a venue option holds."""
    return value if isinstance(value, (str, int)) else refuse(value, "a str, int or bool")


def _read_text(value: object, _: object) -> str:
    return value if isinstance(value, str) else refuse(value, "text")


def _read_integer(value: object, _: object) -> int:
    return value if is_integer(value) else refuse(value, "an integer")


def _read_flag(value: object, _: object) -> bool:
    return value if isinstance(value, bool) else refuse(value, "true or false")


def _read_float(value: object, _: object) -> float:
    if (is_integer(value) or isinstance(value, float)) and math.isfinite(value):
        return float(value)
    return refuse(value, "a finite number")


def _read_decimal(value: object, _: object) -> Decimal:
    if isinstance(value, str):
        return parse_computed(value, "")
    if is_integer(value):
        return parse_computed(_digits(value), "")
    return refuse(value, "a decimal as text, such as '1.50', or an integer: a float is not exact")


def _digits(value: int) -> str:
    return str(value) if value.bit_length() <= _LONGEST_INTEGER_BITS else ""


def _read_bytes(value: object, _: object) -> bytes:
    try:
        return base64.b64decode(_read_text(value, None), validate=True)
    except (binascii.Error, ValueError):
        return refuse(value, "bytes as base64 text")


def _read_timeframe(value: object, _: object) -> Timeframe:
    return Timeframe.parse(_read_text(value, None))


_LONGEST_INTEGER_BITS: Final = 1024
ATOMS: Final[Mapping[type, Callable[[Any, Any], object]]] = {
    str: _read_text,
    int: _read_integer,
    bool: _read_flag,
    float: _read_float,
    bytes: _read_bytes,
    Decimal: _read_decimal,
    Timeframe: _read_timeframe,
}
