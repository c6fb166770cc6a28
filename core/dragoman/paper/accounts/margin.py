"""What positions and open orders weigh against the funds behind them, by currency and in total."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dragoman.models import MarginMode
from dragoman.money import ZERO, add, divide, multiply, subtract

from .terms import ONE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from .position import Bucket
    from .rates import Rates
    from .terms import Terms

__all__ = [
    "Figures",
    "Line",
    "MarginRules",
    "MarginSheet",
    "Pool",
    "Totals",
    "figures",
]


class MarginRules:
    """The fraction of its value that each instrument's position must have behind it.

    In `MarginMode.CASH` that is 1. Else it is the instrument's margin rate (1 where it has none and
    no leverage is set), or 1 / leverage where that is more. `leverage` holds what was set by
    symbol, "" for all others.
    """

    def __init__(self, mode: MarginMode, leverage: Decimal | None) -> None:
        self.mode = mode
        self.leverage: dict[str, Decimal] = {} if leverage is None else {"": leverage}
        self._rates: dict[str, Decimal] = {}

    def leverage_of(self, symbol: str) -> Decimal | None:
        """Return the leverage that bounds a symbol's positions; None where none is set."""
        return self.leverage.get(symbol, self.leverage.get(""))

    def set_leverage(self, symbol: str, leverage: Decimal | None) -> None:
        """Set the leverage of one symbol ("" for all without their own); None takes it off."""
        if leverage is None:
            self.leverage.pop(symbol, None)
        else:
            self.leverage[symbol] = leverage
        self._rates.clear()

    def rate(self, terms: Terms) -> Decimal:
        """Return the fraction for one instrument."""
        rate = self._rates.get(terms.symbol)
        if rate is None:
            rate = self._rates[terms.symbol] = self._rate(terms)
        return rate

    def _rate(self, terms: Terms) -> Decimal:
        own, leverage = terms.instrument.margin_rate, self.leverage_of(terms.symbol)
        if self.mode is MarginMode.CASH:
            return ONE
        if leverage is None:
            return ONE if own is None else own
        return max(ZERO if own is None else own, divide(ONE, leverage))

    def margin(self, terms: Terms, quantity: Decimal, value: Decimal) -> Decimal:
        """Return the initial margin of a signed quantity that is worth `value`.

        A long option needs its whole premium; a short one its premium and the rate times the value
        of its strike.
        """
        value = value.copy_abs()
        if not terms.is_option:
            return multiply(value, self.rate(terms))
        if quantity > 0:
            return value
        strike = terms.instrument.strike
        risk = value if strike is None else terms.value(quantity, strike).copy_abs()
        return add(value, multiply(risk, self.rate(terms)))


class Figures(NamedTuple):
    """What one bucket is worth at its mark, its open profit, and its initial margin."""

    value: Decimal = ZERO
    unrealized: Decimal = ZERO
    margin: Decimal = ZERO


_FLAT = Figures()


def figures(bucket: Bucket, mark: Decimal | None, rules: MarginRules) -> Figures:
    """Return a bucket's figures; without a mark it stands at what it cost."""
    if not bucket.quantity:
        return _FLAT
    terms = bucket.terms
    value = bucket.cost if mark is None else terms.value(bucket.quantity, mark)
    unrealized = terms.gain(value, bucket.cost)
    return Figures(value, unrealized, rules.margin(terms, bucket.quantity, value))


class Line(NamedTuple):
    """One symbol's part in its currency's pool; `worth` is what it adds to equity beside cash."""

    worth: Decimal = ZERO
    unrealized: Decimal = ZERO
    margin: Decimal = ZERO
    reserved: Decimal = ZERO


_NO_LINE = Line()


class Pool:
    """The funds of one currency: cash, realized profit, and the exact sums of its lines."""

    __slots__ = ("cash", "margin", "realized", "reserved", "unrealized", "worth")

    def __init__(self) -> None:
        self.cash: Decimal = ZERO
        self.realized: Decimal = ZERO
        self.worth: Decimal = ZERO
        self.unrealized: Decimal = ZERO
        self.margin: Decimal = ZERO
        self.reserved: Decimal = ZERO

    @property
    def equity(self) -> Decimal:
        """Cash and what the positions would add to it at their marks."""
        return add(self.cash, self.worth)

    @property
    def free(self) -> Decimal:
        """What is neither margin of a position nor held for an order; negative when overdrawn."""
        return subtract(subtract(self.equity, self.margin), self.reserved)

    @property
    def is_used(self) -> bool:
        """Whether there is cash, a position or an open order in this currency."""
        return bool(self.cash or self.worth or self.margin or self.reserved or self.unrealized)

    def shift(self, old: Line, new: Line) -> None:
        """Replace one line's part by another, exactly."""
        self.worth = _moved(self.worth, old.worth, new.worth)
        self.unrealized = _moved(self.unrealized, old.unrealized, new.unrealized)
        self.margin = _moved(self.margin, old.margin, new.margin)
        self.reserved = _moved(self.reserved, old.reserved, new.reserved)


def _moved(total: Decimal, old: Decimal, new: Decimal) -> Decimal:
    return total if old == new else subtract(add(total, new), old)


class Totals(NamedTuple):
    """Sums over all currencies in the account's own; None where a part has no known rate."""

    cash: Decimal | None
    equity: Decimal | None
    unrealized: Decimal | None
    realized: Decimal | None
    margin: Decimal | None
    reserved: Decimal | None

    @property
    def free(self) -> Decimal | None:
        """What may still be bound; None where a part of it is not known."""
        if self.equity is None or self.margin is None or self.reserved is None:
            return None
        return subtract(subtract(self.equity, self.margin), self.reserved)


class MarginSheet:
    """The pools of an account and the line of each symbol in them."""

    def __init__(self, currency: str, rates: Rates) -> None:
        self._currency = currency
        self._rates = rates
        self.lines: dict[str, Line] = {}
        self.pools: dict[str, Pool] = {currency: Pool()}

    def pool(self, currency: str) -> Pool:
        """Return a currency's pool, made on first use."""
        pool = self.pools.get(currency)
        if pool is None:
            pool = self.pools[currency] = Pool()
        return pool

    def line(self, symbol: str) -> Line:
        """Return a symbol's line as last put."""
        return self.lines.get(symbol, _NO_LINE)

    def put(self, terms: Terms, line: Line) -> None:
        """Put a symbol's line in place of the one before."""
        old = self.lines.get(terms.symbol, _NO_LINE)
        self.lines[terms.symbol] = line
        self.pool(terms.currency).shift(old, line)

    def totals(self) -> Totals:
        """Return the sums over all pools."""
        pools = self.pools
        if len(pools) == 1:
            pool = pools[self._currency]
            return Totals(
                pool.cash, pool.equity, pool.unrealized, pool.realized, pool.margin, pool.reserved
            )
        items = pools.items()
        return Totals(
            self._total((currency, pool.cash) for currency, pool in items),
            self._total((currency, pool.equity) for currency, pool in items),
            self._total((currency, pool.unrealized) for currency, pool in items),
            self._total((currency, pool.realized) for currency, pool in items),
            self._total((currency, pool.margin) for currency, pool in items),
            self._total((currency, pool.reserved) for currency, pool in items),
        )

    def _total(self, amounts: Iterable[tuple[str, Decimal]]) -> Decimal | None:
        result = ZERO
        for currency, amount in amounts:
            converted = self._rates.convert(amount, currency, self._currency)
            if converted is None:
                return None
            result = add(result, converted)
        return result
