"""The prices of one trading day of one instrument, as its prints make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.money import ZERO, add, multiply

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Instrument

__all__ = ["DayPrices"]


class DayPrices:
    """Open, high, low and volume since the day began, and the last price of the day before."""

    __slots__ = ("close", "high", "low", "open", "previous_close", "turnover", "volume")

    def __init__(self) -> None:
        self.previous_close: Decimal | None = None
        self.open: Decimal | None = None
        self.high: Decimal | None = None
        self.low: Decimal | None = None
        self.close: Decimal | None = None
        self.volume: Decimal = ZERO
        self.turnover: Decimal = ZERO

    def add(self, price: Decimal, size: Decimal | None, instrument: Instrument) -> None:
        """Count a print."""
        self.open = price if self.open is None else self.open
        self.high = price if self.high is None else max(self.high, price)
        self.low = price if self.low is None else min(self.low, price)
        self.close = price
        if size is not None:
            self.volume = add(self.volume, size)
            if not instrument.is_inverse:
                worth = multiply(multiply(size, instrument.multiplier), price)
                self.turnover = add(self.turnover, worth)

    def end(self) -> None:
        """Begin the next day."""
        self.previous_close = self.close if self.close is not None else self.previous_close
        self.open = self.high = self.low = self.close = None
        self.volume = self.turnover = ZERO
