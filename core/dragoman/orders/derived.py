"""Positions as the fills make them, to hold against those that the venue shows.

A snapshot is the start, and every fill since is added. A venue may show a fill and the position it
makes at slightly different times, so fills around a snapshot may be in it or not: a difference that
is just that is none.
"""

from __future__ import annotations

from collections import deque
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from dragoman.money import ZERO, add, signed, subtract
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from decimal import Decimal

    from dragoman.models import Fill, LedgerEntry

    from .tracker import OrderTracker

__all__ = ["DerivedPositions"]

_LATENESS_NS: Final = 10 * SECOND_NS


class DerivedPositions:
    """What each symbol's position should be: that of the last snapshot, and the fills since."""

    def __init__(self, tracker: OrderTracker) -> None:
        self._tracker = tracker
        self._unmoved: dict[str, Decimal] = {}
        self._traded: set[str] = set()
        self._fees: dict[tuple[str, str], Decimal] = {}
        self._reset_ns = 0
        self._recent: dict[str, deque[tuple[int, Decimal]]] = {}
        self._early: dict[str, list[Decimal]] = {}
        self._late: dict[str, list[Decimal]] = {}

    def position(self, symbol: str) -> Decimal:
        """Return what the position in a symbol should be; signed."""
        return add(self._unmoved.get(symbol, ZERO), self._tracker.filled(symbol))

    def restored(self) -> None:
        """Know of the fills of an earlier process, of which no event was told."""
        self._traded.update(order.symbol for order in self._tracker.orders())

    def fill(self, fill: Fill, at_ns: int) -> None:
        """Note a fill that is told; the tracker has it in its sums."""
        self._traded.add(fill.symbol)
        quantity = signed(fill.quantity, fill.side.sign)
        quantity = subtract(ZERO, quantity) if fill.is_busted else quantity
        if at_ns - self._reset_ns <= _LATENESS_NS:  # or before it, and held back until now
            self._late.setdefault(fill.symbol, []).append(quantity)
        recent = self._recent.setdefault(fill.symbol, deque())
        recent.append((at_ns, quantity))
        _drop_before(recent, at_ns - _LATENESS_NS)
        if fill.commission is not None:
            key, amount = (fill.symbol, fill.commission.currency), fill.commission.amount
            fee = subtract(ZERO, amount) if fill.is_busted else amount
            self._fees[key] = add(self._fees.get(key, ZERO), fee)

    def move(self, entry: LedgerEntry) -> None:
        """Note a quantity that moved without a fill."""
        if entry.symbol is not None and entry.quantity is not None:
            unmoved = self._unmoved.get(entry.symbol, ZERO)
            self._unmoved[entry.symbol] = add(unmoved, entry.quantity)

    def reset(self, held: Mapping[str, Decimal], unsure: Collection[str], at_ns: int) -> None:
        """Start from a snapshot; the symbols that are `unsure` go on from the one before."""
        for symbol in (held.keys() | self._traded).difference(unsure):
            filled = self._tracker.filled(symbol)
            self._unmoved[symbol] = subtract(held.get(symbol, ZERO), filled)
            recent = self._recent.get(symbol, deque())
            _drop_before(recent, at_ns - _LATENESS_NS)
            self._early[symbol] = [quantity for _, quantity in recent]
            self._late.pop(symbol, None)
        self._fees = {key: fee for key, fee in self._fees.items() if key[0] in unsure}
        self._reset_ns = at_ns

    def disputed(
        self, held: Mapping[str, Decimal], told: Mapping[str, Decimal]
    ) -> dict[str, Decimal]:
        """Return by how much positions differ from what they should be, by symbol.

        A difference that fees taken out of the position, or fills around the snapshot, make up is
        left out.

        Args:
            held: The positions that the venue shows now.
            told: The positions as last told.
        """
        symbols = held.keys() | self._unmoved.keys() | self._traded
        drifts = {one: subtract(held.get(one, ZERO), self.position(one)) for one in symbols}
        return {
            symbol: drift
            for symbol, drift in drifts.items()
            if drift
            and not self._is_fee(symbol, drift)
            and not self._is_lacking(symbol, drift)
            and not (held.get(symbol) == told.get(symbol) and self._is_double(symbol, drift))
        }

    def is_level(self, held: Mapping[str, Decimal]) -> bool:
        """Tell whether positions are what they should be, but for fees: nothing is taken for late.

        A fill that the positions do not show yet must not pass for none at all.
        """
        symbols = held.keys() | self._unmoved.keys() | self._traded
        drifts = {one: subtract(held.get(one, ZERO), self.position(one)) for one in symbols}
        return all(not drift or self._is_fee(one, drift) for one, drift in drifts.items())

    def _is_fee(self, symbol: str, drift: Decimal) -> bool:
        """Tell whether a position lacks just its fees, as where the asset itself pays them."""
        return any(one == symbol and not add(fee, drift) for (one, _), fee in self._fees.items())

    def _is_lacking(self, symbol: str, drift: Decimal) -> bool:
        """Tell whether the snapshot just lacked the last fills before it: they show later."""
        return drift in accumulate(reversed(self._early.get(symbol, ())), add)

    def _is_double(self, symbol: str, drift: Decimal) -> bool:
        """Tell whether the snapshot just had the first fills told after it: they count twice."""
        had = accumulate(self._late.get(symbol, ()), add)
        return any(not add(drift, quantity) for quantity in had)


def _drop_before(recent: deque[tuple[int, Decimal]], at_ns: int) -> None:
    while recent and recent[0][0] < at_ns:
        recent.popleft()
