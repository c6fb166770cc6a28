"""One account's orders and fills, beside its books."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dragoman.models import Money, OrderStatus
from dragoman.money import add, average, multiply, total

from .order import WorkingOrder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.models import AccountEventKind, Fill, Order, Window

    from .accounts.account import PaperAccount
    from .exits import Exits
    from .groups import Group

__all__ = ["Desk"]


class Desk:
    """Everything the engine keeps of one account.

    `orders` has every order ever taken or refused, in that order: a live one as it works, an ended
    one as it was told last, which takes less room. `live` are those that have not ended, by client
    order id. `exits` are the protective orders of positions, by position id. `held` are the ids of
    its positions by symbol, `is_touched` says that cash or margin changed since its owner was told,
    `alert` is what was last told of its margin.
    """

    __slots__ = (
        "account",
        "account_id",
        "alert",
        "can_trade",
        "client_ids",
        "exits",
        "fill_places",
        "fills",
        "groups",
        "held",
        "is_touched",
        "live",
        "orders",
    )

    def __init__(self, account_id: str, account: PaperAccount, *, can_trade: bool) -> None:
        self.account_id: str = account_id
        self.account: PaperAccount = account
        self.can_trade: bool = can_trade
        self.orders: dict[str, WorkingOrder | Order] = {}
        self.live: dict[str, WorkingOrder] = {}
        self.client_ids: dict[str, str] = {}
        self.fills: list[Fill] = []
        self.fill_places: dict[str, int] = {}
        self.groups: dict[str, Group] = {}
        self.exits: dict[str, list[Exits]] = {}
        self.held: dict[str, dict[str, None]] = {}
        self.is_touched: bool = False
        self.alert: AccountEventKind | None = None

    def order(self, client_order_id: str) -> Order | None:
        """Return an order as it stands, whether it has ended or not."""
        found = self.orders.get(client_order_id)
        return found.snapshot() if isinstance(found, WorkingOrder) else found

    def all_orders(self, window: Window, symbol: str | None) -> Iterator[Order]:
        """Yield the orders taken in a window, oldest first."""
        for found in tuple(self.orders.values()):
            created_at_ns = found.created_at_ns
            if created_at_ns is None or not window.covers(created_at_ns):
                continue
            if symbol is None or found.symbol == symbol:
                yield found.snapshot() if isinstance(found, WorkingOrder) else found

    def add_fill(self, fill: Fill) -> None:
        """Keep a fill."""
        self.fill_places[fill.fill_id] = len(self.fills)
        self.fills.append(fill)

    def bust_fill(self, fill: Fill) -> Fill:
        """Flag a fill as taken back, and return it so."""
        busted = attrs.evolve(fill, is_busted=True)
        self.fills[self.fill_places[fill.fill_id]] = busted
        return busted

    def restate_ended(self, order: Order, paid_more: Money, time_ns: int) -> Order:
        """Work out an ended order anew from the fills that stand, and keep it.

        It stays ended as it was, but one that is full now is filled.
        """
        standing = [
            fill
            for fill in self.fills
            if fill.client_order_id == order.client_order_id and not fill.is_busted
        ]
        quantity = total(fill.quantity for fill in standing)
        value = total(multiply(fill.quantity, fill.price) for fill in standing)
        paid = paid_more
        if order.commission is not None:
            paid = Money(add(order.commission.amount, paid.amount), paid.currency)
        is_full = order.quantity is not None and quantity >= order.quantity
        restated = attrs.evolve(
            order,
            status=OrderStatus.FILLED if is_full else order.status,
            filled_quantity=quantity,
            average_fill_price=average(value, quantity) if quantity else None,
            commission=paid,
            updated_at_ns=time_ns,
            received_at_ns=time_ns,
        )
        self.orders[order.client_order_id] = restated
        return restated
