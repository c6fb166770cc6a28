"""How amounts and times are written: plain digits with their scale, UTC with a `Z`."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from dragoman.money import format_decimal
from dragoman.times import format_time

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["amount", "instant"]


@overload
def amount(value: Decimal) -> str: ...
@overload
def amount(value: Decimal | None) -> str | None: ...
def amount(value: Decimal | None) -> str | None:
    """Write an amount in plain notation, scale kept; None for None."""
    return None if value is None else format_decimal(value)


@overload
def instant(instant_ns: int) -> str: ...
@overload
def instant(instant_ns: int | None) -> str | None: ...
def instant(instant_ns: int | None) -> str | None:
    """Write an instant in UTC with as many fraction digits as it has; None for None."""
    if instant_ns is None:
        return None
    whole = format_time(instant_ns)[:-1].rstrip("0")
    return f"{whole.rstrip('.')}Z"
