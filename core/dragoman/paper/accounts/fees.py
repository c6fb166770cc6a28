"""What one fill costs under a fee: a pure function of its value, its quantity and its liquidity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import Liquidity
from dragoman.money import ZERO, add, multiply

if TYPE_CHECKING:
    from decimal import Decimal

    from ..settings import Fee

__all__ = ["commission"]


def commission(
    fee: Fee | None,
    value: Decimal,
    quantity: Decimal,
    liquidity: Liquidity | None = Liquidity.TAKER,
) -> Decimal:
    """Return the commission of one fill, exact, in the currency of `value`; negative for a rebate.

    None is no fee at all. A fill whose liquidity is not known pays as a taker. `fee.minimum` lifts
    what is paid, each fill for itself, and leaves a rebate as it is.
    """
    if fee is None:
        return ZERO
    fraction = fee.maker if liquidity is Liquidity.MAKER else fee.taker
    amount = multiply(value.copy_abs(), fraction) if fraction else ZERO
    if fee.per_unit:
        amount = add(amount, multiply(quantity.copy_abs(), fee.per_unit))
    return fee.minimum if 0 <= amount < fee.minimum else amount
