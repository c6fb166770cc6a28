"""Exact decimal arithmetic: the one place where amounts are parsed, computed, rounded and printed.

Python's decimal operators round by a context that any code in the process may change; these
functions use contexts of their own. Sums and products are exact or raise; only `divide` and
`average` round, to 28 digits half-even, and rounding to a step always names its direction.

Two limits hold. What comes from outside has at most `MAX_DIGITS` digits in plain notation and an
exponent within `MAX_EXPONENT`. What was computed from such numbers may be longer, up to
`MAX_COMPUTED_DIGITS`: an exact product is not wrong for being long.
"""

from __future__ import annotations

import re
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum
from typing import TYPE_CHECKING, Final, assert_never

from .errors import InvalidValueError, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "MAX_COMPUTED_DIGITS",
    "MAX_DIGITS",
    "MAX_EXPONENT",
    "ZERO",
    "Rounding",
    "add",
    "average",
    "divide",
    "format_decimal",
    "is_bounded",
    "is_multiple",
    "is_sane",
    "multiply",
    "negate",
    "parse_computed",
    "parse_decimal",
    "round_to_step",
    "signed",
    "subtract",
    "total",
    "trimmed",
]

MAX_DIGITS: Final = 40
MAX_EXPONENT: Final = 64
MAX_COMPUTED_DIGITS: Final = 200
ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_TWO: Final = Decimal(2)

_WORKING_DIGITS: Final = 1000
_EXACT: Final = Context(
    prec=_WORKING_DIGITS,
    rounding=ROUND_HALF_EVEN,
    traps=[Inexact, InvalidOperation, DivisionByZero, Overflow],
)
_AVERAGE: Final = Context(
    prec=28, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)
_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\Z", re.ASCII
)
_LONGEST_TEXT: Final = 128
_LONGEST_COMPUTED_TEXT: Final = 2 * MAX_COMPUTED_DIGITS + 8

# Bound methods, not functions around them: every sum of every fill goes through these.
add: Final[Callable[[Decimal, Decimal], Decimal]] = _EXACT.add
"""Return the exact sum of two amounts; `decimal.Inexact` if it had more than 1000 digits."""

subtract: Final[Callable[[Decimal, Decimal], Decimal]] = _EXACT.subtract
"""Return the first amount less the second, exactly; raises as `add` does."""

multiply: Final[Callable[[Decimal, Decimal | int], Decimal]] = _EXACT.multiply
"""Return the exact product of an amount and an amount or a whole number; raises as `add` does."""

negate: Final[Callable[[Decimal], Decimal]] = _EXACT.minus
"""Return an amount with its sign turned, exactly; never a negative zero."""

divide: Final[Callable[[Decimal, Decimal], Decimal]] = _AVERAGE.divide
"""Return the first amount over the second to 28 digits, half-even; a `decimal` error over zero."""


class Rounding(StrEnum):
    """Which way a value moves to reach a step.

    DOWN is toward zero, UP away from it, FLOOR toward minus infinity, CEILING toward plus infinity,
    NEAREST to the nearest step and, from halfway, to the even one.
    """

    DOWN = "DOWN"
    UP = "UP"
    FLOOR = "FLOOR"
    CEILING = "CEILING"
    NEAREST = "NEAREST"


def is_sane(value: Decimal) -> bool:
    """Tell whether `value` is finite and within the limits for what comes from outside."""
    return _fits(value, MAX_DIGITS, MAX_EXPONENT)


def is_bounded(value: Decimal) -> bool:
    """Tell whether `value` is finite and within the limits for what was computed."""
    return _fits(value, MAX_COMPUTED_DIGITS, MAX_COMPUTED_DIGITS)


def _fits(value: Decimal, most_digits: int, highest_exponent: int) -> bool:
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return False
    plain_digits = len(digits) + max(exponent, 0)
    return plain_digits <= most_digits and -exponent <= highest_exponent


def parse_decimal(text: str, field: str = "number") -> Decimal:
    """Read a decimal from outside from its text, exactly, scale kept.

    Raises:
        InvalidValueError: The text is no plain ASCII decimal number, is not finite, has more than
            40 digits in plain notation or an exponent beyond 64.
    """
    value = _read(text, _LONGEST_TEXT)
    if value is not None and is_sane(value):
        return value
    allowed = f"a finite decimal of at most {MAX_DIGITS} digits, such as '1.50'"
    raise InvalidValueError.of("not a decimal number", [Violation.of(field, text, allowed)])


def parse_computed(text: str, field: str = "number") -> Decimal:
    """Read back what `format_decimal` wrote of a computed amount, exactly, scale kept.

    Raises:
        InvalidValueError: The text is no plain ASCII decimal number, is not finite or is longer
            than arithmetic on amounts gets.
    """
    value = _read(text, _LONGEST_COMPUTED_TEXT)
    if value is not None and is_bounded(value):
        return value
    allowed = f"a finite decimal of at most {MAX_COMPUTED_DIGITS} digits, such as '1.50'"
    raise InvalidValueError.of("not a decimal number", [Violation.of(field, text, allowed)])


def _read(text: str, longest: int) -> Decimal | None:
    return Decimal(text) if len(text) <= longest and _NUMBER.match(text) else None


def format_decimal(value: Decimal) -> str:
    """Write `value` in plain notation: scale kept, no exponent, no negative zero."""
    if not value:
        value = value.copy_abs()
    return format(value, "f")


def total(values: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of `values`; 0 for none."""
    result = ZERO
    for value in values:
        result = add(result, value)
    return result


def signed(value: Decimal, sign: int) -> Decimal:
    """Return `value` for a positive sign, its negation for a negative one, exactly."""
    return value if sign > 0 else value.copy_negate()


def average(amount: Decimal, quantity: Decimal) -> Decimal:
    """Return `amount / quantity` to 28 digits, half-even, without trailing zeros."""
    return _plain(divide(amount, quantity).normalize(_AVERAGE))


def trimmed(value: Decimal) -> Decimal:
    """Return an equal value without zeros at the end of its fraction."""
    return _plain(value.normalize(_EXACT))


def _plain(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    is_whole_power = isinstance(exponent, int) and exponent > 0
    return value.quantize(_ONE, context=_EXACT) if is_whole_power else value


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Tell whether `value` is an exact multiple of `step` (> 0)."""
    return not _EXACT.remainder(value, step)


def round_to_step(value: Decimal, step: Decimal, rounding: Rounding) -> Decimal:
    """Return the multiple of `step` (> 0) reached from `value` in the direction named.

    The result has the scale of `step` and is never a negative zero.
    """
    steps, rest = _EXACT.divmod(value, step)
    is_further = bool(rest) and _moves_away(steps, rest, step, rounding)
    outward = _ONE.copy_sign(rest) if is_further else ZERO
    return multiply(add(steps, outward), step)


def _moves_away(steps: Decimal, rest: Decimal, step: Decimal, rounding: Rounding) -> bool:
    """Tell whether rounding leads away from zero, past the whole `steps` cut toward it."""
    match rounding:
        case Rounding.DOWN:
            return False
        case Rounding.UP:
            return True
        case Rounding.FLOOR:
            return rest < 0
        case Rounding.CEILING:
            return rest > 0
        case Rounding.NEAREST:
            doubled = add(rest, rest).copy_abs()
            return doubled > step or (doubled == step and not is_multiple(steps, _TWO))
        case _:
            assert_never(rounding)
