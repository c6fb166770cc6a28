"""One row of the ledger: a revision of an intent, which to this protocol is an order of its own.

A row counts only what filled while it was the newest. What is known to have filled may be ahead of
the executions told so far, so both are kept: reads show what is known, the stream what was told.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models import (
    Contingency,
    Order,
    OrderStatus,
    OrderType,
    PendingAction,
    PositionEffect,
)
from dragoman.money import ZERO, add, average, multiply, subtract

if TYPE_CHECKING:
    from dragoman.models import (
        Exit,
    )

__all__ = ["Row", "expected_leg", "status_of"]

_STATUSES: Final = {
    OrderStatus.PENDING: "pending_new",
    OrderStatus.HELD: "held",
    OrderStatus.OPEN: "new",
    OrderStatus.PARTIALLY_FILLED: "partially_filled",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.REJECTED: "rejected",
    OrderStatus.UNKNOWN: "pending_new",
}
_PENDING: Final = {
    PendingAction.CANCEL: "pending_cancel",
    PendingAction.REPLACE: "pending_replace",
}


@attrs.frozen(kw_only=True)
class Row:
    """One revision of an intent as it stands now.

    `order` is the intent as last seen while this was its newest revision. `filled_before` is what
    earlier revisions had filled; `filled` and `told` are this one's own, the latter by executions
    that were told, which had cost `cost` in price times quantity. `is_expected` marks a leg that
    its entry promises and the broker has not shown yet.
    """

    order_id: str
    client_order_id: str
    order: Order
    number: int
    created_at_ns: int
    updated_at_ns: int
    filled_before: Decimal = ZERO
    filled: Decimal = ZERO
    told: Decimal = ZERO
    cost: Decimal = ZERO
    replaces: str | None = None
    replaced_by: str | None = None
    filled_at_ns: int | None = None
    canceled_at_ns: int | None = None
    expired_at_ns: int | None = None
    failed_at_ns: int | None = None
    replaced_at_ns: int | None = None
    is_expected: bool = False

    @property
    def intent(self) -> str:
        """The core's client order id."""
        return self.order.client_order_id

    @property
    def quantity(self) -> Decimal | None:
        """What this row is to fill: the intent's total less what had filled before it."""
        total = self.order.quantity
        return None if total is None else subtract(total, self.filled_before)

    @property
    def leaves(self) -> Decimal:
        """What is still to fill, as far as executions were told; 0 where it is not known."""
        quantity = self.quantity
        return ZERO if quantity is None else max(subtract(quantity, self.told), ZERO)

    @property
    def average(self) -> Decimal | None:
        """The average price of what this row has filled; None where nothing has, or not known."""
        if not self.filled:
            return None
        if self.told == self.filled:
            return average(self.cost, self.told)
        known = self.order.average_fill_price
        return known if not self.filled_before else None

    @property
    def is_open(self) -> bool:
        """Whether this row may still execute."""
        return self.replaced_by is None and self.order.is_open

    def as_told(self) -> Row:
        """Return the row as the executions told so far make it, should more be known of it."""
        if self.told == self.filled:
            return self
        order = self.order
        if order.status is OrderStatus.FILLED:
            status = OrderStatus.PARTIALLY_FILLED if self.told else OrderStatus.OPEN
            order = attrs.evolve(order, status=status)
        return attrs.evolve(self, filled=self.told, filled_at_ns=None, order=order)

    def with_fill(self, quantity: Decimal, price: Decimal, at_ns: int) -> Row:
        """Return the row with one more execution told; a busted one has a quantity below 0."""
        told = max(add(self.told, quantity), ZERO)
        return attrs.evolve(
            self,
            told=told,
            cost=add(self.cost, multiply(quantity, price)) if told else ZERO,
            filled=max(self.filled, told) if quantity > 0 else min(self.filled, told),
            filled_at_ns=at_ns if self.filled_at_ns is not None else None,
            updated_at_ns=max(at_ns, self.updated_at_ns),
        )

    def seen(self, order: Order, at_ns: int) -> Row:
        """Return the row with what is known of its intent now."""
        filled = max(subtract(order.filled_quantity, self.filled_before), self.told)
        return attrs.evolve(
            self,
            order=order,
            filled=filled,
            updated_at_ns=max(at_ns, self.updated_at_ns),
            is_expected=False,
            filled_at_ns=_first(self.filled_at_ns, order, OrderStatus.FILLED, at_ns),
            canceled_at_ns=_first(self.canceled_at_ns, order, OrderStatus.CANCELED, at_ns),
            expired_at_ns=_first(self.expired_at_ns, order, OrderStatus.EXPIRED, at_ns),
            failed_at_ns=_first(self.failed_at_ns, order, OrderStatus.REJECTED, at_ns),
        )


def _first(known_ns: int | None, order: Order, status: OrderStatus, at_ns: int) -> int | None:
    if order.status is not status:
        return None
    return at_ns if known_ns is None else known_ns


def status_of(row: Row) -> str:
    """Return the protocol's word for how a row stands.

    An order of unknown fate may be at work, so it is on its way here.
    """
    if row.replaced_by is not None:
        return "replaced"
    order = row.order
    if order.is_open and order.pending is not None:
        return _PENDING[order.pending]
    if order.status is OrderStatus.OPEN and row.filled:
        return "partially_filled"
    if order.status is OrderStatus.PARTIALLY_FILLED and not row.filled:
        return "new"  # what has filled, filled before the replace
    return _STATUSES[order.status]


def expected_leg(entry: Order, role: str) -> Order | None:
    """Return the leg that an entry promises as its exit: "sl" or "tp"; None without that exit."""
    leg = entry.stop_loss if role == "sl" else entry.take_profit
    if leg is None:
        return None
    is_gone = entry.is_terminal and not entry.filled_quantity
    both = entry.stop_loss is not None and entry.take_profit is not None
    is_stop = role == "sl"
    return Order(
        client_order_id=leg.client_order_id or f"{entry.client_order_id}-{role}",
        account_id=entry.account_id,
        symbol=entry.symbol,
        side=entry.side.opposite,
        order_type=_type_of(leg) if is_stop else OrderType.LIMIT,
        status=OrderStatus.CANCELED if is_gone else OrderStatus.HELD,
        provider=entry.provider,
        received_at_ns=entry.received_at_ns,
        quantity=entry.quantity if leg.quantity is None else leg.quantity,
        limit_price=leg.limit_price if is_stop else leg.limit_price or leg.price,
        stop_price=leg.price if is_stop else None,
        trailing=leg.trailing,
        time_in_force=leg.time_in_force or entry.time_in_force,
        position_effect=PositionEffect.CLOSE,
        parent_client_order_id=entry.client_order_id,
        contingency=Contingency.OCO if both else Contingency.NONE,
    )


def _type_of(leg: Exit) -> OrderType:
    if leg.trailing is not None:
        return OrderType.TRAILING_STOP
    return OrderType.STOP if leg.limit_price is None else OrderType.STOP_LIMIT
