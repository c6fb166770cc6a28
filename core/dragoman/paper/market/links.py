"""How a derivative's price follows its underlying's: whole ticks to whole ticks, one rule a day.

Within a day each rule only ever rises with the underlying, or only ever falls; so a derivative's
open, high, low and close are those of the underlying's bar, translated.
"""

from __future__ import annotations

from fractions import Fraction
from hashlib import blake2b
from math import isqrt
from typing import TYPE_CHECKING, Final, Protocol

from dragoman.models import OptionRight
from dragoman.times import DAY_NS, HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

__all__ = ["Link", "OptionLink", "OwnPrice", "PerpetualLink"]

_MILLION: Final = 1_000_000
_LEAST_LIFE_HOURS: Final = 4


class Link(Protocol):
    """A rule from the underlying's ticks to the instrument's own."""

    def on(self, day: int) -> Callable[[int], int]:
        """Return the rule of one UTC day, counted from 1970."""
        ...


class OwnPrice:
    """The price follows nothing: it is the path's own."""

    def on(self, day: int) -> Callable[[int], int]:  # noqa: ARG002 # the same every day
        """Return the identity."""
        return _same


class PerpetualLink:
    """A perpetual: the spot price and -2 to +4 basis points, new each day, cut down to the tick."""

    def __init__(self, key: str, spot_tick: Decimal, tick: Decimal) -> None:
        self._key = key
        self._ratio = Fraction(spot_tick) / Fraction(tick)

    def on(self, day: int) -> Callable[[int], int]:
        """Return the rule of one day."""
        noise = blake2b(f"{self._key}|basis|{day}".encode(), digest_size=2).digest()
        basis = int.from_bytes(noise, "little") % 601 - 200
        ratio = self._ratio * Fraction(_MILLION + basis, _MILLION)
        above, below = ratio.numerator, ratio.denominator
        return lambda spot: spot * above // below

    def index(self, spot: int) -> int:
        """Return the spot price itself in the perpetual's ticks, cut down."""
        return spot * self._ratio.numerator // self._ratio.denominator


class OptionLink:
    """An option: its intrinsic value and a time value, cut down to the tick, never below one tick.

    The time value at the strike is t = 0.4 x daily volatility x strike x sqrt(days left), and
    t / (1 + d / 8t)^4 at a distance d from it: so the option moves half as far as its underlying
    at the strike, as far deep in the money, and hardly at all far out of it. Days left are counted
    to the end of the UTC day, so the value is stepped down at midnight.
    """

    def __init__(
        self,
        right: OptionRight,
        *,
        underlying_tick: Decimal,
        tick: Decimal,
        strike: Decimal,
        expires_at_ns: int,
        daily_volatility: Decimal,
    ) -> None:
        self._sign = 1 if right is OptionRight.CALL else -1
        self._ratio = Fraction(underlying_tick) / Fraction(tick)
        self._strike = int(Fraction(strike) / Fraction(tick))
        self._expires_at_ns = expires_at_ns
        self._deviation = int(Fraction(daily_volatility) * _MILLION) * self._strike

    def on(self, day: int) -> Callable[[int], int]:
        """Return the rule of one day."""
        hours = max((self._expires_at_ns - (day + 1) * DAY_NS) // HOUR_NS, _LEAST_LIFE_HOURS)
        at_strike = max(
            self._deviation * isqrt(hours * _MILLION**2 // 24) * 2 // (5 * _MILLION**2), 1
        )
        above, below, sign, strike = (*self._ratio.as_integer_ratio(), self._sign, self._strike)
        reach = 8 * at_strike
        value = at_strike * reach**4

        def price(underlying: int) -> int:
            inside = sign * (underlying * above // below - strike)
            return max(max(inside, 0) + value // (reach + abs(inside)) ** 4, 1)

        return price


def _same(ticks: int) -> int:
    return ticks
