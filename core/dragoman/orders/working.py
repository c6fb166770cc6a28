"""How much the open orders of an account may still add, kept as running sums.

A limit is checked before every order, however many are open: nothing here looks at all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.money import ZERO, add, signed, subtract

from .limits import quantity_of

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Instrument, Order, OrderRequest
    from dragoman.models.enums import Side

__all__ = ["WorkingQuantities", "still_adds"]


def still_adds(
    order: OrderRequest | Order, instrument: Instrument, price: Decimal | None
) -> Decimal:
    """Return the signed quantity that an order may still add; one by value is valued at `price`."""
    quantity = quantity_of(order, instrument, order.limit_price or price) or ZERO
    filled: Decimal = getattr(order, "filled_quantity", ZERO)
    return signed(max(ZERO, subtract(quantity, filled)), order.side.sign)


class WorkingQuantities:
    """What works, by symbol and side; orders that can only close are left out.

    An order by value has no quantity before it is valued, so those are kept one by one.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[str, Side], Decimal] = {}
        self._by_value: dict[tuple[str, Side], dict[str, Order]] = {}

    def weigh(self, before: Order | None, after: Order | None) -> None:
        """Follow one order from what it was to what it is; None: not tracked."""
        if before is not None and after is not None and _is_alike(before, after):
            return
        if before is not None and _counts(before):
            self._take(before)
        if after is not None and _counts(after):
            self._put(after)

    def working(
        self,
        order: OrderRequest | Order,
        instrument: Instrument,
        price: Decimal | None,
        *,
        without: Order | None = None,
    ) -> Decimal:
        """Return the signed quantity that open orders alike in symbol and side may still add.

        Args:
            order: Names symbol and side.
            instrument: What the orders are in.
            price: What an order by value without a limit price is valued at.
            without: An open order that is left out.
        """
        key = (order.symbol, order.side)
        found = self._sums.get(key, ZERO)
        for one in self._by_value.get(key, {}).values():
            found = add(found, still_adds(one, instrument, price))
        if without is not None and _counts(without) and (without.symbol, without.side) == key:
            found = subtract(found, still_adds(without, instrument, price))
        return found

    def _put(self, order: Order) -> None:
        key = (order.symbol, order.side)
        if order.quantity is None:
            self._by_value.setdefault(key, {})[order.client_order_id] = order
        else:
            self._sums[key] = add(self._sums.get(key, ZERO), _rest(order, order.quantity))

    def _take(self, order: Order) -> None:
        key = (order.symbol, order.side)
        if order.quantity is None:
            self._by_value.get(key, {}).pop(order.client_order_id, None)
        else:
            rest = subtract(self._sums.get(key, ZERO), _rest(order, order.quantity))
            self._sums[key] = rest


def _counts(order: Order) -> bool:
    return not order.is_terminal and not order.reduce_only


def _is_alike(one: Order, other: Order) -> bool:
    """Tell whether two states of an order by quantity weigh the same, as most do."""
    return (
        one.quantity is not None
        and one.quantity == other.quantity
        and one.filled_quantity == other.filled_quantity
        and one.side is other.side
        and one.symbol == other.symbol
        and one.is_terminal is other.is_terminal
        and one.reduce_only is other.reduce_only
    )


def _rest(order: Order, quantity: Decimal) -> Decimal:
    return signed(max(ZERO, subtract(quantity, order.filled_quantity)), order.side.sign)
