"""What open orders may still do to an account, and the buying power that is held for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from dragoman.models import Side
from dragoman.money import ZERO, add, multiply, subtract

from .terms import quotient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from dragoman.models import PositionEffect

__all__ = ["Exposure", "Hold", "Holds", "Standing"]


class Exposure(NamedTuple):
    """What an order may still trade, at the worst price it is expected to meet."""

    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    effect: PositionEffect | None = None
    position_id: str | None = None


class Hold(NamedTuple):
    """An exposure and what it needs if it opens: margin and fee in the settlement currency."""

    exposure: Exposure
    need: Decimal


class Standing(NamedTuple):
    """All holds of one symbol by side."""

    buy_quantity: Decimal = ZERO
    buy_need: Decimal = ZERO
    sell_quantity: Decimal = ZERO
    sell_need: Decimal = ZERO

    def plus(self, hold: Hold) -> Standing:
        """Return this with one more hold."""
        return self._moved(hold.exposure.side, hold.exposure.quantity, hold.need)

    def minus(self, hold: Hold) -> Standing:
        """Return this without a hold that is part of it."""
        exposure = hold.exposure
        return self._moved(exposure.side, exposure.quantity.copy_negate(), hold.need.copy_negate())

    def _moved(self, side: Side, quantity: Decimal, need: Decimal) -> Standing:
        if side is Side.BUY:
            bought = add(self.buy_quantity, quantity), add(self.buy_need, need)
            return Standing(*bought, self.sell_quantity, self.sell_need)
        sold = add(self.sell_quantity, quantity), add(self.sell_need, need)
        return Standing(self.buy_quantity, self.buy_need, *sold)

    def opening_need(self, held: Decimal, margin: Decimal) -> Decimal:
        """Return what these orders need beyond the `margin` of the position they meet.

        Orders against the position first close it and need nothing; of both sides the dearer
        outcome counts.
        """
        down = _beyond(held, self.sell_quantity, self.sell_need)
        up = _beyond(held.copy_negate(), self.buy_quantity, self.buy_need)
        if held > 0:
            down = subtract(down, margin)
        elif held < 0:
            up = subtract(up, margin)
        return max(ZERO, up, down)


def _beyond(held: Decimal, quantity: Decimal, need: Decimal) -> Decimal:
    if held <= 0:
        return need
    if quantity <= held:
        return ZERO
    return quotient(multiply(need, subtract(quantity, held)), quantity)


_NOTHING: Final = Standing()


class Holds:
    """The holds of one account by client order id, with a running standing for each symbol.

    Orders that only close hold nothing.
    """

    __slots__ = ("_by_id", "standings")

    def __init__(self) -> None:
        self._by_id: dict[str, Hold] = {}
        self.standings: dict[str, Standing] = {}

    def __iter__(self) -> Iterator[Hold]:
        return iter(tuple(self._by_id.values()))

    def get(self, client_order_id: str) -> Hold | None:
        """Return the hold of an order; None if it has none."""
        return self._by_id.get(client_order_id)

    def standing(self, symbol: str, without: str | None = None) -> Standing:
        """Return the standing of a symbol, leaving out one order."""
        standing = self.standings.get(symbol, _NOTHING)
        hold = None if without is None else self._by_id.get(without)
        return standing.minus(hold) if hold and hold.exposure.symbol == symbol else standing

    def put(self, hold: Hold) -> Hold | None:
        """Hold for an order, in place of what was held for it; return that."""
        exposure = hold.exposure
        replaced = self.drop(exposure.client_order_id)
        self._by_id[exposure.client_order_id] = hold
        standing = self.standings.get(exposure.symbol, _NOTHING)
        self.standings[exposure.symbol] = standing.plus(hold)
        return replaced

    def drop(self, client_order_id: str) -> Hold | None:
        """Hold nothing more for an order; return what was held."""
        hold = self._by_id.pop(client_order_id, None)
        if hold is not None:
            symbol = hold.exposure.symbol
            self.standings[symbol] = self.standings[symbol].minus(hold)
        return hold
