"""What is true of one account now, as far as evidence goes.

Read at any time, without the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dragoman.models.enums import Side
from dragoman.models.events import AccountEvent, LedgerEvent, PositionEvent
from dragoman.money import ZERO, add, subtract, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from dragoman.models import Account, LedgerEntry, Order, Position, PrivateEvent

    from .journal import Journal
    from .tracker import OrderTracker

__all__ = ["BrokerState"]


class BrokerState:
    """A live view: each property answers with the newest evidence at the moment it is read.

    May be read from any thread.
    """

    def __init__(self, tracker: OrderTracker, journal: Journal) -> None:
        self._tracker = tracker
        self._journal = journal
        self._account: Account | None = None
        self._positions: dict[str, Position] = {}
        self._unmoved: dict[str, Decimal] = {}

    @property
    def account(self) -> Account | None:
        """The account as last told; None before the first word."""
        return self._account

    @property
    def positions(self) -> tuple[Position, ...]:
        """The open positions."""
        return tuple(self._positions.values())

    @property
    def open_orders(self) -> tuple[Order, ...]:
        """Every order not known to have ended, oldest first; those of unknown fate too."""
        return self._tracker.open_orders()

    @property
    def orders(self) -> tuple[Order, ...]:
        """Every order seen in this connection, oldest first."""
        return self._tracker.orders()

    @property
    def sequence(self) -> int:
        """The sequence of the newest private event."""
        return self._journal.last_sequence

    def order(self, client_order_id: str) -> Order | None:
        """Return one order; None if it was never seen here."""
        return self._tracker.order(client_order_id)

    def position(self, symbol_or_id: str) -> Position | None:
        """Return the open position of that id, or the first of that symbol; None when flat."""
        found = self._positions.get(symbol_or_id)
        if found is not None:
            return found
        return next((one for one in self.positions if one.symbol == symbol_or_id), None)

    def worst_position(self, symbol: str, side: Side) -> Decimal:
        """Return how large a position may be by now in the direction of `side`; signed.

        A fill may be known before the position that it moves is told, or where none ever is.
        """
        told = total(one.quantity for one in self.positions if one.symbol == symbol)
        derived = add(self._unmoved.get(symbol, ZERO), self._tracker.filled(symbol))
        return max(told, derived) if side is Side.BUY else min(told, derived)

    def take(self, event: PrivateEvent) -> None:
        """Bring the view up to one event about positions, the account or its ledger."""
        if isinstance(event, PositionEvent):
            self._place(event.position)
        elif isinstance(event, AccountEvent):
            self._account = event.account
        elif isinstance(event, LedgerEvent):
            self._move(event.entry)

    def reset(self, account: Account, positions: Iterable[Position]) -> None:
        """Start from a snapshot, which has all fills known by now in it."""
        self._account = account
        self._positions = {position.position_id: position for position in positions}
        symbols = {order.symbol for order in self._tracker.orders()}
        self._unmoved = {
            symbol: subtract(
                total(one.quantity for one in self.positions if one.symbol == symbol),
                self._tracker.filled(symbol),
            )
            for symbol in symbols | {one.symbol for one in self.positions}
        }

    def moved(self, positions: Iterable[Position]) -> Iterator[tuple[Position, Decimal]]:
        """Yield each position that a snapshot shows in another quantity, and the quantity before.

        One that the snapshot lacks is yielded flat.
        """
        gone = dict(self._positions)
        for position in positions:
            before = gone.pop(position.position_id, None)
            quantity = ZERO if before is None else before.quantity
            if position.quantity != quantity:
                yield position, quantity
        for before in gone.values():
            flat = attrs.evolve(
                before, quantity=ZERO, average_entry_price=None, unrealized_pnl=None, lots=()
            )
            yield flat, before.quantity

    def _move(self, entry: LedgerEntry) -> None:
        if entry.symbol is not None and entry.quantity is not None:
            unmoved = self._unmoved.get(entry.symbol, ZERO)
            self._unmoved[entry.symbol] = add(unmoved, entry.quantity)

    def _place(self, position: Position) -> None:
        if position.quantity:
            self._positions[position.position_id] = position
        else:
            self._positions.pop(position.position_id, None)
