"""The sizes a market shows on one side, as far as they have not been taken since its last tick."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, cast

from dragoman.money import ZERO, Rounding, add, round_to_step, subtract, trimmed

from .book import is_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dragoman.models import Level, Side

__all__ = ["Liquidity"]


class Liquidity:
    """The levels of one side, best first.

    The levels behind the top are asked for only when they are needed.

    Args:
        top: Price and size of the best level; a size of None has no end, a price of None means no
            level at all.
        is_endless: Whether every size is without end, so that nothing is ever taken away.
        lot_size: What sizes are cut to; a level with less than one lot is none.
        deeper: Gives the whole ladder, its top included.
    """

    __slots__ = ("_deeper", "_is_endless", "_levels", "_lot_size")

    def __init__(
        self,
        top: tuple[Decimal | None, Decimal | None],
        *,
        is_endless: bool,
        lot_size: Decimal | None = None,
        deeper: Callable[[], tuple[Level, ...]] | None = None,
    ) -> None:
        price, size = top
        self._is_endless = is_endless or (price is not None and size is None)
        self._deeper = None if self._is_endless or price is None else deeper
        self._lot_size = lot_size
        self._levels: list[tuple[Decimal, Decimal]] = []
        if price is not None and self._is_endless:
            self._levels.append((price, ZERO))
        elif price is not None and size is not None:
            self._add(price, size)

    @property
    def is_endless(self) -> bool:
        """Whether any quantity can be had at the best price."""
        return self._is_endless

    @property
    def best_price(self) -> Decimal | None:
        """The best price at which anything is left."""
        if not self._levels:
            self._deepen()
        return self._levels[0][0] if self._levels else None

    def size_at_best(self) -> Decimal:
        """Return what is left at the best price; 0 if nothing is, or if it has no end."""
        return self._levels[0][1] if self._levels else ZERO

    def levels(self) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield price and size of every level as they stand, the best first."""
        self._deepen()
        yield from self._levels

    def available(self, side: Side, limit: Decimal | None, wanted: Decimal) -> Decimal:
        """Return how much of `wanted` a taker of `side` finds within `limit`."""
        found = ZERO
        best = self.best_price
        if best is None or not is_within(side, best, limit):
            return found
        if self._is_endless:
            return wanted
        for price, size in self._within(wanted):
            if found >= wanted or not is_within(side, price, limit):
                break
            found = add(found, size)
        return min(found, wanted)

    def worst_price(self, quantity: Decimal) -> Decimal | None:
        """Return the price of the last level that `quantity` reaches, or of the deepest."""
        reached = self.best_price
        if self._is_endless:
            return reached
        left = quantity
        for price, size in self._within(quantity):
            if left <= 0:
                break
            reached, left = price, subtract(left, size)
        return reached

    def take(self, quantity: Decimal) -> None:
        """Take a quantity away, from the best level on."""
        if self._is_endless:
            return
        left = quantity
        while left and self.best_price is not None:
            price, size = self._levels[0]
            if size > left:
                self._levels[0] = (price, subtract(size, left))
                return
            left = subtract(left, size)
            del self._levels[0]

    def state(self) -> dict[str, object]:
        """Return what is left, as plain JSON data."""
        levels = [[str(price), str(size)] for price, size in self._levels]
        return {"levels": levels, "is_deep": self._deeper is None}

    def restore(self, state: dict[str, object]) -> None:
        """Go on from a `state` of a side of the same tick."""
        rows = cast("list[list[str]]", state["levels"])
        self._levels = [(Decimal(price), Decimal(size)) for price, size in rows]
        if state["is_deep"]:
            self._deeper = None

    def _within(self, wanted: Decimal) -> list[tuple[Decimal, Decimal]]:
        """Return the levels, the deeper ones only if the first is smaller than `wanted`."""
        if not self._levels or self._levels[0][1] < wanted:
            self._deepen()
        return self._levels

    def _deepen(self) -> None:
        if self._deeper is None:
            return
        ladder, self._deeper = self._deeper(), None
        for level in ladder[1:]:
            self._add(level.price, level.size)

    def _add(self, price: Decimal, size: Decimal) -> None:
        lot = self._lot_size
        whole = size if lot is None else trimmed(round_to_step(size, lot, Rounding.DOWN))
        if whole > 0:
            self._levels.append((price, whole))
