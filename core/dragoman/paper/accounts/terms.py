"""What the books need of an instrument: what a quantity is worth, and how quotients are rounded.

The one rule of rounding: sums and products are exact; a quotient that does not come out even is
rounded once, half-even, to 28 digits and no finer than 18 places, and the other part of what was
divided keeps the remainder. The bound on places keeps every sum, however many fills it is made of,
within what an amount may hold, and short enough to be checked in ordinary decimal arithmetic.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import TYPE_CHECKING, Final

from dragoman.models import AssetClass, InstrumentKind, Money
from dragoman.money import ZERO, divide, multiply, subtract

from ..settings import Fee

if TYPE_CHECKING:
    from dragoman.models import Instrument

__all__ = ["ONE", "PRECISE", "Terms", "is_funded", "money_of", "quotient"]

ONE: Final = Decimal(1)
PRECISE: Final = Context(
    prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)
"""For the basis that averages are derived from: exact to the 28th digit of any average."""

_LAST_PLACE: Final = Decimal("1E-18")
_LOWEST_EXPONENT: Final = -18
_FREE: Final = Fee()
_set = object.__setattr__


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Return `dividend / divisor` as it is booked: half-even, at most 28 digits and 18 places."""
    result = divide(dividend, divisor)
    exponent = result.as_tuple().exponent
    if isinstance(exponent, int) and exponent < _LOWEST_EXPONENT:
        return result.quantize(_LAST_PLACE, ROUND_HALF_EVEN, PRECISE)
    return result


def money_of(amount: Decimal, currency: str) -> Money:
    """Make a `Money` of a computed amount, unchecked, at a fifth of the constructor's cost."""
    money = Money.__new__(Money)
    _set(money, "amount", amount)
    _set(money, "currency", currency)
    return money


def is_funded(instrument: Instrument) -> bool:
    """Tell whether a fill moves its whole value through cash: spot other than FX, and options.

    Of everything else (FX, CFD, future, perpetual, combination) only realized profit moves cash.
    """
    if instrument.kind is InstrumentKind.SPOT:
        return instrument.asset_class is not AssetClass.FX
    return instrument.kind is InstrumentKind.OPTION


class Terms:
    """One instrument's contract and fee, worked out once because each fill asks for them."""

    __slots__ = (
        "currency",
        "fee",
        "instrument",
        "is_funded",
        "is_inverse",
        "is_option",
        "multiplier",
        "nothing",
        "symbol",
    )

    def __init__(self, instrument: Instrument, fee: Fee) -> None:
        self.instrument: Instrument = instrument
        self.symbol: str = instrument.symbol
        self.currency: str = instrument.settlement
        self.multiplier: Decimal = instrument.multiplier
        self.is_inverse: bool = instrument.is_inverse
        self.is_funded: bool = is_funded(instrument)
        self.is_option: bool = instrument.kind is InstrumentKind.OPTION
        self.fee: Fee | None = None if fee == _FREE else fee
        self.nothing: Money = Money(ZERO, instrument.settlement)

    def value(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return what `quantity` is worth at `price` in settlement currency, signed as both."""
        if self.is_inverse:
            return quotient(multiply(quantity, self.multiplier), price)
        if self.multiplier == ONE:
            return multiply(quantity, price)
        return multiply(multiply(quantity, self.multiplier), price)

    def basis(self, quantity: Decimal, price: Decimal, value: Decimal) -> Decimal:
        """Return the `value` of a fill before booking rounded it, for the average."""
        if self.is_inverse:
            return PRECISE.divide(multiply(quantity, self.multiplier), price)
        return value

    def gain(self, value: Decimal, cost: Decimal) -> Decimal:
        """Return the profit of what cost `cost` and is worth `value`, signed as the position."""
        return subtract(cost, value) if self.is_inverse else subtract(value, cost)

    def money(self, amount: Decimal) -> Money:
        """Return an amount in the settlement currency."""
        return money_of(amount, self.currency) if amount else self.nothing
