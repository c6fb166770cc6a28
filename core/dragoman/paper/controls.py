"""What the venue's operator can do to it: halts, cash, corporate actions, corrections, modes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import ConflictError, InvalidValueError, NotFoundError, Violation
from dragoman.models import AccountEventKind, Liquidity, Money, OrderStatus
from dragoman.money import add, subtract

from .bulletin import tell_status
from .funds import expected_price
from .order import WorkingOrder

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Order, PositionMode

    from .desk import Desk
    from .floor import Floor

__all__ = ["Controls"]


class Controls:
    """Acts on a floor from outside its markets."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def halt(self, symbol: str, reason: str) -> None:
        """Suspend trading: orders stay, nothing executes, new ones are refused."""
        listing = self._floor.known_listing(symbol)
        listing.halted = reason
        listing.withdraw_liquidity()
        tell_status(self._floor.recorder, listing)

    def resume(self, symbol: str) -> None:
        """Let trading go on, with the next tick's liquidity."""
        listing = self._floor.known_listing(symbol)
        if listing.halted is not None:
            listing.halted = None
            tell_status(self._floor.recorder, listing)

    def fund(self, account_id: str, amount: Decimal, currency: str | None) -> None:
        """Pay cash in, or out where the amount is negative."""
        desk = self._floor.desk(account_id)
        money = Money(amount, currency or desk.account.settings.currency)
        self._floor.cashflows.fund(desk, money)
        self._floor.watch()

    def dividend(self, symbol: str, per_unit: Decimal) -> None:
        """Pay a dividend on every position."""
        self._floor.cashflows.pay_dividend(self._floor.known_listing(symbol), per_unit)

    def split(self, symbol: str, ratio: Decimal) -> None:
        """Split every position."""
        self._floor.cashflows.split(self._floor.known_listing(symbol), ratio)

    def set_funding_rate(self, symbol: str, rate: Decimal, next_at_ns: int | None) -> None:
        """Set what longs pay shorts next."""
        listing = self._floor.known_listing(symbol)
        if listing.funding_at_ns is None:
            raise ConflictError(f"{listing.symbol} has no funding")
        if next_at_ns is not None and next_at_ns <= self._floor.recorder.now_ns:
            violation = Violation.of("next_at_ns", next_at_ns, "an instant in the future")
            raise InvalidValueError.of("set_funding_rate", [violation])
        listing.funding_rate = rate
        listing.funding_at_ns = next_at_ns or listing.funding_at_ns
        self._floor.sessions.refresh()

    def bust(self, account_id: str, fill_id: str) -> None:
        """Take one execution back."""
        desk = self._floor.desk(account_id)
        place = desk.fill_places.get(fill_id)
        if place is None or desk.fills[place].is_busted:
            raise NotFoundError(f"account {account_id!r} has no standing fill {fill_id!r}")
        self._floor.cashflows.bust(desk, fill_id)

    def set_position_mode(self, account_id: str, mode: PositionMode) -> None:
        """Choose netting or hedging."""
        desk = self._floor.desk(account_id)
        if desk.live:
            raise ConflictError(f"account {account_id!r} has {len(desk.live)} open orders")
        desk.account.set_position_mode(mode)
        time_ns = self._floor.recorder.stamp()
        account = desk.account.snapshot(time_ns)
        self._floor.recorder.account(AccountEventKind.MODE_CHANGED, account, time_ns)

    def set_leverage(self, account_id: str, leverage: Decimal | None, symbol: str | None) -> None:
        """Set how many times its margin a position may be worth."""
        desk = self._floor.desk(account_id)
        known = None if symbol is None else self._floor.known_listing(symbol).symbol
        desk.account.set_leverage(leverage, known)
        desk.is_touched = True
        self._floor.watch()

    def liquidate(self, account_id: str) -> None:
        """Do to an account what a margin call does, whatever its margin."""
        desk = self._floor.desk(account_id)
        self._floor.liquidation.call(desk, desk.account.positions())

    def execute(
        self,
        account_id: str,
        client_order_id: str,
        *,
        quantity: Decimal | None,
        price: Decimal | None,
    ) -> None:
        """Force one execution of an order, live or canceled."""
        desk = self._floor.desk(account_id)
        order = desk.orders.get(client_order_id)
        if order is None:
            raise NotFoundError(f"account {account_id!r} has no order {client_order_id!r}")
        if isinstance(order, WorkingOrder):
            self._execute_live(order, quantity, price)
        else:
            self._execute_late(desk, order, quantity, price)
        self._floor.matcher.settle_agenda()

    def _execute_live(
        self, order: WorkingOrder, quantity: Decimal | None, price: Decimal | None
    ) -> None:
        amount = _checked(quantity, order.remaining)
        at = expected_price(order) if price is None else price
        if at is None:
            raise ConflictError(f"no price is known to execute {order.client_order_id!r} at")
        if order.quantity is None:
            order.quantity = add(order.filled_quantity, amount)
        self._floor.life.fill(order, amount, at, Liquidity.TAKER)
        self._floor.matcher.show_again(order)

    def _execute_late(
        self, desk: Desk, order: Order, quantity: Decimal | None, price: Decimal | None
    ) -> None:
        if (
            order.status not in (OrderStatus.CANCELED, OrderStatus.EXPIRED)
            or order.quantity is None
        ):
            raise ConflictError(f"order {order.client_order_id!r} is {order.status}")
        left = subtract(order.quantity, order.filled_quantity)
        listing = self._floor.known_listing(order.symbol)
        at = price or order.limit_price or listing.mark_price
        if at is None:
            raise ConflictError(f"no price is known to execute {order.client_order_id!r} at")
        self._floor.life.fill_late(desk, order, _checked(quantity, left), at)


def _checked(quantity: Decimal | None, left: Decimal | None) -> Decimal:
    amount = left if quantity is None else quantity
    if amount is None or amount <= 0 or (left is not None and amount > left):
        raise InvalidValueError.of(
            "execute", [Violation.of("quantity", quantity, f"above 0, at most {left}")]
        )
    return amount
