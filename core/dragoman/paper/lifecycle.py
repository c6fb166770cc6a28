"""What can happen to one order, and what follows: its state, its account, its event.

Each method is one step of an order's life. Orders that depend on each other are told by
`contingency`; orders that must meet the market anew are put on the agenda, so that no match begins
inside another.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from dragoman.models import Fill, Liquidity, OrderEventKind, OrderStatus
from dragoman.models.trusted import builder
from dragoman.money import ZERO, subtract

from . import contingency
from .accounts.account import Execution
from .funds import hold, let_go, lower
from .triggers import start_trailing
from .waiting import withdraw

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Order, Position, RejectReason

    from .accounts.account import Applied
    from .deadlines import Deadlines
    from .desk import Desk
    from .order import WorkingOrder
    from .recorder import Recorder

__all__ = ["Lifecycle"]

_fill = builder(Fill)


class Lifecycle:
    """The steps of all orders of a venue.

    `agenda` holds the orders that are to meet the market next.
    """

    def __init__(self, recorder: Recorder, deadlines: Deadlines, *, keeps_id: bool) -> None:
        self.recorder = recorder
        self.deadlines = deadlines
        self.keeps_id = keeps_id
        self.agenda: deque[WorkingOrder] = deque()

    def accept(self, order: WorkingOrder, status: OrderStatus) -> None:
        """Take an order: it gets its id, its place in time, and its first event."""
        order.rank = self.recorder.number("rank")
        order.status = status
        self._name(order)
        desk = order.desk
        desk.orders[order.client_order_id] = order
        desk.live[order.client_order_id] = order
        time_ns = self.recorder.stamp()
        order.created_at_ns = time_ns
        self.tell(OrderEventKind.ACCEPTED, order, time_ns)

    def refuse(self, order: WorkingOrder, reason: RejectReason, text: str) -> None:
        """Refuse an order and keep it as rejected; one whose id is taken is only told."""
        order.status = OrderStatus.REJECTED
        order.reject_reason = reason
        order.reason = text
        time_ns = self.recorder.stamp()
        is_taken = order.client_order_id in order.desk.orders
        if not is_taken:
            self._name(order)
            order.created_at_ns = time_ns
        told = self.tell(OrderEventKind.REJECTED, order, time_ns)
        if not is_taken:
            order.desk.orders[order.client_order_id] = told

    def fill(
        self, order: WorkingOrder, quantity: Decimal, price: Decimal, liquidity: Liquidity
    ) -> None:
        """Execute a part of an order and book it."""
        execution = self._execution(order, quantity, price, liquidity)
        applied = order.desk.account.apply(execution)
        self._count_fill(order, quantity, price, applied)
        fill = _fill_of(order, applied, execution)
        time_ns = execution.time_ns
        order.desk.add_fill(fill)
        self.tell(OrderEventKind.FILL, order, time_ns, fill)
        self.tell_position(order.desk, applied.position, applied.previous_quantity)
        contingency.after_fill(self, order, quantity)
        if order.status is OrderStatus.FILLED:
            contingency.after_end(self, order)

    def fill_late(self, desk: Desk, order: Order, quantity: Decimal, price: Decimal) -> None:
        """Execute a part of an order that has ended; it stays so unless it is full now."""
        execution = self._execution(order, quantity, price, Liquidity.TAKER)
        applied = desk.account.apply(execution)
        fill = _fill_of(order, applied, execution)
        desk.add_fill(fill)
        time_ns = execution.time_ns
        restated = desk.restate_ended(order, applied.commission, time_ns)
        self.recorder.order(OrderEventKind.FILL, restated, time_ns, fill)
        self.tell_position(desk, applied.position, applied.previous_quantity)

    def trigger(self, order: WorkingOrder) -> None:
        """Tell that an order's trigger fired."""
        self.tell(OrderEventKind.TRIGGERED, order, self.recorder.stamp())

    def restate(self, order: WorkingOrder) -> None:
        """Tell that the venue itself changed an order."""
        self.tell(OrderEventKind.RESTATED, order, self.recorder.stamp())

    def resize(self, order: WorkingOrder, quantity: Decimal | None) -> None:
        """Give an order another total quantity above what has filled; it keeps its place."""
        order.quantity = quantity
        hold(order)

    def release(self, order: WorkingOrder) -> None:
        """Let a held order work from now on, and meet the market next."""
        self.awaken(order)
        self.agenda.append(order)

    def awaken(self, order: WorkingOrder) -> None:
        """Tell that a held order works from now on."""
        order.is_idle = False
        start_trailing(order)
        is_filled = order.filled_quantity > ZERO
        order.status = OrderStatus.PARTIALLY_FILLED if is_filled else OrderStatus.OPEN
        self.restate(order)

    def end(
        self,
        order: WorkingOrder,
        status: OrderStatus = OrderStatus.CANCELED,
        *,
        reason: str | None = None,
        code: RejectReason | None = None,
    ) -> None:
        """End an order that is not filled whole. One that has ended already stays as it is."""
        if not order.is_live:
            return
        withdraw(order)
        order.status = status
        order.reason = reason
        order.reject_reason = code
        self._finish(order)
        kind = OrderEventKind.EXPIRED if status is OrderStatus.EXPIRED else OrderEventKind.CANCELED
        self.tell(kind, order, self.recorder.stamp())
        contingency.after_end(self, order)

    def rename(self, order: WorkingOrder) -> None:
        """Count a revision; a venue that gives a replaced order another id does so now."""
        order.revision += 1
        if not self.keeps_id:
            self._name(order)

    def tell(
        self,
        kind: OrderEventKind,
        order: WorkingOrder,
        time_ns: int,
        fill: Fill | None = None,
    ) -> Order:
        """Tell an order as it stands since `time_ns`; once it has ended, keep only that."""
        order.updated_at_ns = time_ns
        told = order.snapshot()
        self.recorder.order(kind, told, time_ns, fill)
        orders = order.desk.orders
        if not order.is_live and orders.get(order.client_order_id) is order:
            orders[order.client_order_id] = told
        return told

    def tell_position(self, desk: Desk, position: Position, previous: Decimal) -> None:
        """Tell a position that changed, and remember whether the account holds it."""
        held = desk.held.setdefault(position.symbol, {})
        if position.quantity:
            held[position.position_id] = None
        else:
            held.pop(position.position_id, None)
        desk.is_touched = True
        self.recorder.position(position, previous, self.recorder.stamp())
        contingency.after_position(self, desk, position, previous)

    def _execution(
        self, order: WorkingOrder | Order, quantity: Decimal, price: Decimal, liquidity: Liquidity
    ) -> Execution:
        return Execution(
            fill_id=f"f{self.recorder.number('fill')}",
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=quantity,
            price=price,
            liquidity=liquidity,
            effect=order.position_effect,
            position_id=order.position_id,
            time_ns=self.recorder.stamp(),
        )

    def _count_fill(
        self, order: WorkingOrder, quantity: Decimal, price: Decimal, applied: Applied
    ) -> None:
        order.record_fill(quantity, price)
        order.record_commission(applied.commission)
        order.position_id = applied.position_id
        if order.shown is not None:
            order.shown = max(ZERO, subtract(order.shown, quantity))
        contingency.before_status(order)
        if order.quantity is not None and order.filled_quantity >= order.quantity:
            withdraw(order)
            order.status = OrderStatus.FILLED
            self._finish(order)
        else:
            order.status = OrderStatus.PARTIALLY_FILLED
            lower(order)

    def _finish(self, order: WorkingOrder) -> None:
        order.desk.live.pop(order.client_order_id, None)
        let_go(order)
        self.deadlines.remove(order)

    def _name(self, order: WorkingOrder) -> None:
        venue_order_id = str(self.recorder.number("order"))
        order.venue_order_ids = (*order.venue_order_ids, venue_order_id)
        order.desk.client_ids[venue_order_id] = order.client_order_id


def _fill_of(order: WorkingOrder | Order, applied: Applied, execution: Execution) -> Fill:
    return _fill(
        fill_id=execution.fill_id,
        account_id=order.account_id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=execution.quantity,
        price=execution.price,
        venue_time_ns=execution.time_ns,
        provider=order.provider,
        received_at_ns=execution.time_ns,
        venue_order_id=order.venue_order_ids[-1],
        position_id=applied.position_id,
        liquidity=execution.liquidity,
        commission=applied.commission,
        realized_pnl=applied.realized_pnl,
    )
