"""What can be traded: an instrument's names, its axes, its increments and its contract."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from dragoman.money import add, divide, multiply, subtract

from .checks import check_amounts, check_text
from .enums import (
    AssetClass,
    InstrumentKind,
    OptionRight,
    OrderType,
    Side,
    TimeInForce,
    TradingState,
)
from .instants import InstantView, OptionalInstantView
from .values import FrozenMapping, Money

__all__ = ["Instrument", "Leg", "MarketHours", "default_time_of"]

_ONE = Decimal(1)
_NO_RULES: FrozenMapping[str] = FrozenMapping()
_AMOUNTS = (
    "tick_size",
    "pip_size",
    "lot_size",
    "min_quantity",
    "max_quantity",
    "max_market_quantity",
    "min_notional",
    "max_notional",
    "strike",
    "margin_rate",
)


@attrs.frozen
class Leg:
    """One leg of a combination: how many of a symbol per unit, and which way."""

    symbol: str
    ratio: int
    side: Side


@attrs.frozen(kw_only=True)
class Instrument:
    """One tradable thing at one provider.

    `symbol` is the key: the exact text the venue uses to address the instrument in an order, never
    guessed. `aliases` are other spellings that resolve to it. `tick_bands`, pairs of (from price,
    tick size) by rising price, win over `tick_size` where present; None means the venue publishes
    no tick. `pip_size` is for display only. `lot_size` is the step of a quantity. A linear contract
    is worth quantity x multiplier x price in `settlement`; an inverse one quantity x multiplier /
    price. `margin_rate` is the fraction of the value that an opening needs.
    """

    symbol: str = attrs.field(validator=check_text)
    asset_class: AssetClass
    kind: InstrumentKind
    quote: str
    settlement: str
    provider: str
    received_at_ns: int
    aliases: tuple[str, ...] = ()
    name: str | None = None
    exchange: str | None = None
    base: str | None = None
    tick_size: Decimal | None = None
    tick_bands: tuple[tuple[Decimal, Decimal], ...] = ()
    pip_size: Decimal | None = None
    lot_size: Decimal | None = None
    min_quantity: Decimal | None = None
    max_quantity: Decimal | None = None
    max_market_quantity: Decimal | None = None
    min_notional: Decimal | None = None
    max_notional: Decimal | None = None
    multiplier: Decimal = _ONE
    is_inverse: bool = False
    underlying: str | None = None
    expires_at_ns: int | None = None
    strike: Decimal | None = None
    option_right: OptionRight | None = None
    legs: tuple[Leg, ...] = ()
    margin_rate: Decimal | None = None
    is_tradable: bool | None = None
    is_shortable: bool | None = None
    allows_negative_price: bool = False
    order_types: frozenset[OrderType] | None = None
    times_in_force: frozenset[TimeInForce] | None = None
    venue_rules: FrozenMapping[str] = _NO_RULES
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    received_at: ClassVar[InstantView] = InstantView()
    expires_at: ClassVar[OptionalInstantView] = OptionalInstantView()

    def __attrs_post_init__(self) -> None:
        """Refuse increments that are no finite decimals."""
        check_amounts(self, _AMOUNTS, required=("multiplier",))

    def tick_at(self, price: Decimal) -> Decimal | None:
        """Return the tick size that holds at `price`; None where the venue publishes none."""
        tick = self.tick_size
        for from_price, band_tick in self.tick_bands:
            if price >= from_price:
                tick = band_tick
        return tick

    def value(self, quantity: Decimal, price: Decimal) -> Money:
        """Return what `quantity` is worth at `price`, signed like it, in settlement currency."""
        return Money(self.worth(quantity, price), self.settlement)

    def worth(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return the amount of `value` alone."""
        units = multiply(quantity, self.multiplier)
        return divide(units, price) if self.is_inverse else multiply(units, price)

    def profit(self, quantity: Decimal, entry: Decimal, exit_price: Decimal) -> Money:
        """Return the profit of a signed `quantity` between two prices, in settlement currency."""
        units = multiply(quantity, self.multiplier)
        if self.is_inverse:
            gained = subtract(divide(_ONE, entry), divide(_ONE, exit_price))
        else:
            gained = add(exit_price, entry.copy_negate())
        return Money(multiply(units, gained), self.settlement)


def default_time_of(instrument: Instrument, usual: TimeInForce) -> TimeInForce:
    """Return what no time in force means for an instrument of a venue that usually takes `usual`.

    Where the instrument does not take that: GTC, or else the first that it takes, by name.
    """
    takes = instrument.times_in_force
    if not takes or usual in takes:
        return usual
    return TimeInForce.GTC if TimeInForce.GTC in takes else min(takes)


@attrs.frozen(kw_only=True)
class MarketHours:
    """A calendar row: one state from opening (included) to closing (excluded)."""

    opens_at_ns: int
    closes_at_ns: int
    state: TradingState
    opens_at: ClassVar[InstantView] = InstantView()
    closes_at: ClassVar[InstantView] = InstantView()
