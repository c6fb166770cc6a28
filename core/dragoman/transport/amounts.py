"""Amounts as they stand in documents from outside, and how they are read: exactly, or not at all.

A type that is decoded to says `Amount` where a number belongs. One that is decoded to a million
times says `Numeral`, and whoever maps it reads the number: what a decoder does in between costs
more than all else about it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import msgspec

from dragoman.money import MAX_DIGITS, parse_decimal, trimmed

__all__ = ["NUMERAL", "Amount", "Numeral", "amount_of", "known_amounts", "read_amount"]

NUMERAL: Final = {"numeral": True}
"""What marks the description of a `Numeral`."""

_BEYOND: Final = 10**MAX_DIGITS
_WRITTEN: Final = frozenset({str, int, float})
_MOST_KNOWN: Final = 32_768
_EXACT_BELOW: Final = 2**53
"""Below it a whole number and the float that equals it are read to the same amount."""

if TYPE_CHECKING:
    Amount = Decimal
    Numeral = Decimal | int | float | str | None
else:
    Numeral = Annotated[Any, msgspec.Meta(extra=NUMERAL)]

    class _DecimalsBelong(type):
        __instancecheck__ = Decimal.__instancecheck__

    class Amount(metaclass=_DecimalsBelong):
        """The type of a number in a wire struct: read exactly from a JSON number or string.

        What arrives is a plain `Decimal`, scale kept, zero without a sign. Where `null` may stand,
        write `Amount | None`. The class exists because the library reads a `Decimal` by itself, and
        would let `NaN` and any number of digits through.
        """


class _KnownAmounts(dict[object, Decimal]):
    """The amounts of numbers read before. Full, it starts anew: that is cheaper than an order."""

    __slots__ = ()

    def __missing__(self, number: object) -> Decimal:
        # Most numbers are plain, unsigned and short; for them this is several times faster.
        if (
            type(number) is str
            and len(number) <= MAX_DIGITS
            and number.isascii()
            and number.replace(".", "", 1).isdigit()
        ):
            amount = Decimal(number)
        else:
            amount = _read(number)
        # A float is found under the whole number that equals it, and the other way round.
        if type(number) is not str and abs(amount) >= _EXACT_BELOW:
            return amount
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[number] = amount
        return amount


known_amounts: Final[dict[object, Decimal]] = _KnownAmounts()
"""Looked up with the text of a number, an `int` or a `float`, it gives the amount, read if new.

For what is read a million times: prices repeat, and looking one up takes a fraction of reading it.
Never look up what may be of another type: `True` is found under 1. It holds a bounded number of
texts of bounded length, and what is refused is never held. Raises `ValueError` as `amount_of` does.
"""


def amount_of(number: Numeral) -> Decimal:
    """Read the number of a field that is a `Numeral`.

    Raises:
        ValueError: It is no number, not finite or beyond the limits of `dragoman.money`.
    """
    kind = type(number)
    if kind is Decimal:
        return cast("Decimal", number)
    if kind is int:
        return _read(number)  # as fast as looking it up
    if kind is str or kind is float:
        return known_amounts[number]
    raise ValueError("no number")


def read_amount(kind: type, value: object) -> Decimal:
    """Read what stands where a type says `Amount`; numbers with a point come read already."""
    if type(value) in _WRITTEN:
        return known_amounts[value]
    if type(value) is Decimal:
        return value
    raise ValueError(kind.__name__)


def _read(number: object) -> Decimal:
    """Read text, a whole number, or the shortest text of what a binary format wrote."""
    if type(number) is int and -_BEYOND < number < _BEYOND:
        return Decimal(number)
    if type(number) is str:
        amount = parse_decimal(number)
    elif type(number) is float:
        amount = trimmed(parse_decimal(repr(number)))
    else:
        raise ValueError("no number, or one of too many digits")
    return amount or amount.copy_abs()
