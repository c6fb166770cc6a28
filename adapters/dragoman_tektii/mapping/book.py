"""What was learned of orders in one session, and is needed to read what comes later.

A gateway numbers nothing and repeats much: what an execution belongs to, which id a broker gave an
order anew, and how much of an order was told to have filled, only a memory knows. It holds nothing
that the gateway would not tell again, and a bounded amount of that.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from dragoman.money import ZERO, add, subtract

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from dragoman_tektii.wire import OrderRow, TradeRow

__all__ = ["Book", "Remembered"]

_MOST: Final = 20_000

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """The newest so many entries of a table."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._entries: OrderedDict[str, Value] = OrderedDict()

    def get(self, key: str) -> Value | None:
        """Return what is remembered under a key."""
        return self._entries.get(key)

    def put(self, key: str, value: Value) -> None:
        """Remember something, and forget the oldest if that is too much."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def drop(self, key: str) -> None:
        """Forget what is remembered under a key."""
        self._entries.pop(key, None)


class Book:
    """The orders of one session, by the ids that the gateway gives them."""

    def __init__(self) -> None:
        self._names: Remembered[str] = Remembered()
        self._rows: Remembered[OrderRow] = Remembered()
        self._older: Remembered[tuple[str, ...]] = Remembered()
        self._newer: Remembered[str] = Remembered()
        self._fills: Remembered[dict[str, Decimal]] = Remembered()
        self._legs: Remembered[str] = Remembered()
        self._revisions: Remembered[int] = Remembered()
        self._changing: set[str] = set()

    def learn(self, row: OrderRow) -> None:
        """Know an order's name, and how it stood when it was last shown."""
        if row.client_order_id:
            self._names.put(row.id, row.client_order_id)
        self._rows.put(row.id, row)

    def name(self, order_id: str, client_order_id: str) -> None:
        """Know by which name an order was sent."""
        self._names.put(order_id, client_order_id)

    def name_of(self, order_id: str) -> str | None:
        """Return the client order id of an order, by any id that it ever had."""
        ids = (order_id, *reversed(self._older.get(order_id) or ()))
        return next((name for one in ids if (name := self._names.get(one))), None)

    def expect_legs(self, names: Mapping[str, str]) -> None:
        """Know what exits are called here: from the id that a gateway makes up to the one meant."""
        for made_up, meant in names.items():
            if made_up != meant:
                self._legs.put(made_up, meant)

    def leg_of(self, client_order_id: str) -> str:
        """Return what an exit is called here, or the id itself where it is none."""
        return self._legs.get(client_order_id) or client_order_id

    def row_of(self, order_id: str) -> OrderRow | None:
        """Return an order as it was last shown."""
        return self._rows.get(order_id)

    def changing(self, order_id: str) -> None:
        """Know that a change is on its way: an end of this id may be that of the id alone."""
        self._changing.add(order_id)

    def changed(self, order_id: str, new_id: str | None) -> None:
        """Know that a change was answered, and under which id the order goes on if it is new."""
        self._changing.discard(order_id)
        if new_id is not None and new_id != order_id:
            self._older.put(new_id, (*(self._older.get(order_id) or ()), order_id))
            self._newer.put(order_id, new_id)

    def revise(self, order_id: str, revision: int) -> None:
        """Know how often an order was changed: a gateway counts no changes."""
        self._revisions.put(order_id, revision)

    def revision_of(self, order_id: str) -> int:
        """Return how often an order is known to have been changed."""
        return max(self._revisions.get(order_id) or 0, len(self.ids_of(order_id)) - 1)

    def ids_of(self, order_id: str) -> tuple[str, ...]:
        """Return every id that an order is known to have had, the oldest first."""
        return (*(self._older.get(order_id) or ()), order_id)

    def is_superseded(self, order_id: str) -> bool:
        """Tell whether the end of an id is no end of its order, or may be none."""
        return order_id in self._changing or self._newer.get(order_id) is not None

    def take_fill(self, row: TradeRow) -> bool:
        """Count an execution; False if it was counted before."""
        fills = self._fills.get(row.order_id)
        if fills is None:
            fills = {}
        is_news = row.id not in fills
        fills[row.id] = row.quantity
        self._fills.put(row.order_id, fills)
        return is_news

    def filled(self, order_id: str) -> Decimal:
        """Return how much of an order was told by executions, in this session."""
        fills = self._fills.get(order_id) or {}
        filled = ZERO
        for quantity in fills.values():
            filled = add(filled, quantity)
        return filled

    def untold(self, row: OrderRow) -> Decimal:
        """Return how much an order has filled that no execution has told."""
        return subtract(row.filled_quantity or ZERO, self.filled(row.id))
