"""What is true of one account now, as far as evidence goes.

Read at any time, without the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dragoman.models.enums import Side
from dragoman.models.events import AccountEvent, LedgerEvent, OrderEvent, PositionEvent
from dragoman.money import ZERO, add, total

from .derived import DerivedPositions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from decimal import Decimal

    from dragoman.models import Account, Order, Position, PrivateEvent

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
        self._derived = DerivedPositions(tracker)

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
        derived = self._derived.position(symbol)
        return max(told, derived) if side is Side.BUY else min(told, derived)

    def take(self, event: PrivateEvent) -> None:
        """Bring the view up to one event about positions, the account or its ledger."""
        if isinstance(event, OrderEvent):
            if event.fill is not None:
                self._derived.fill(event.fill, event.received_at_ns)
        elif isinstance(event, PositionEvent):
            self._place(event.position)
        elif isinstance(event, AccountEvent):
            self._account = event.account
        elif isinstance(event, LedgerEvent):
            self._derived.move(event.entry)

    def restored(self) -> None:
        """Know of the fills of an earlier process, of which no event was told."""
        self._derived.restored()

    def reset(
        self,
        account: Account,
        positions: Iterable[Position],
        unsure: Collection[str] = (),
        at_ns: int = 0,
    ) -> None:
        """Start from a snapshot, which has all fills known by now in it.

        Args:
            account: The account.
            positions: All of its positions.
            unsure: The symbols whose fills go on to be counted from the snapshot before.
            at_ns: When it was taken.
        """
        self._account = account
        self._positions = {position.position_id: position for position in positions}
        self._derived.reset(_by_symbol(self.positions), unsure, at_ns)

    def disputed(self, positions: Iterable[Position]) -> dict[str, Decimal]:
        """Return by how much positions differ from the last snapshot and fills since, by symbol."""
        return self._derived.disputed(_by_symbol(positions), _by_symbol(self.positions))

    def is_level(self, positions: Iterable[Position]) -> bool:
        """Tell whether positions are what the fills known make them, but for fees."""
        return self._derived.is_level(_by_symbol(positions))

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

    def _place(self, position: Position) -> None:
        if position.quantity:
            self._positions[position.position_id] = position
        else:
            self._positions.pop(position.position_id, None)


def _by_symbol(positions: Iterable[Position]) -> dict[str, Decimal]:
    held: dict[str, Decimal] = {}
    for one in positions:
        held[one.symbol] = add(held.get(one.symbol, ZERO), one.quantity)
    return held
