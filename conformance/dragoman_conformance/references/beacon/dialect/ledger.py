"""One account's transactions: a pure fold over the broker's journal, so each start makes the same.

Every step has a number, one more than the last. An order goes by the number of the transaction that
created it; a replace cancels it and creates another, which takes its place. What the broker tells
of its own doings, and of what beacon does not deal in, is no transaction.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from dragoman.errors import ClosedError, DragomanError
from dragoman.models import (
    AccountEvent,
    AccountEventKind,
    EventSource,
    OrderEvent,
    OrderEventKind,
    PositionEvent,
)
from dragoman.money import signed

from .rows import Numbers, account_row, amount, order_row, position_row, time

if TYPE_CHECKING:
    from dragoman.broker import Broker
    from dragoman.models import Event

    from .rows import Book, Row

__all__ = ["Ledger"]

_TYPES: Final = {
    OrderEventKind.ACCEPTED: "ORDER_CREATE",
    OrderEventKind.ADOPTED: "ORDER_CREATE",
    OrderEventKind.TRIGGERED: "ORDER_TRIGGER",
    OrderEventKind.FILL: "ORDER_FILL",
    OrderEventKind.FILL_BUSTED: "ORDER_FILL_CANCEL",
    OrderEventKind.RESTATED: "ORDER_RESTATE",
    OrderEventKind.REPLACED: "ORDER_CREATE",
    OrderEventKind.CANCELED: "ORDER_CANCEL",
    OrderEventKind.EXPIRED: "ORDER_EXPIRE",
    OrderEventKind.REJECTED: "ORDER_REJECT",
    OrderEventKind.CANCEL_REJECTED: "ORDER_CANCEL_REJECT",
    OrderEventKind.REPLACE_REJECTED: "ORDER_REPLACE_REJECT",
}


class Ledger:
    """The transactions of one account and the numbers of its orders.

    Args:
        broker: Whose journal is read, from its beginning on.
        book: What beacon deals in.
    """

    def __init__(self, broker: Broker, book: Book) -> None:
        self.rows: list[Row] = []
        self.times_ns: list[int] = []
        self.numbers: dict[str, Numbers] = {}
        self._broker = broker
        self._book = book
        self._names: dict[str, str] = {}
        self._fills: dict[str, str] = {}
        self._sequence = 0
        self._failure: DragomanError | None = None
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Take in what the broker tells until it closes."""
        try:
            async with self._broker.stream(
                since=0, orders=True, positions=True, account=True, ledger=True
            ) as stream:
                async for batch in stream.batches():
                    for event in batch:
                        self._take(event)
                    self._stir()
            self._failure = ClosedError("the account's events have ended")
        except DragomanError as error:
            self._failure = error
        finally:
            self._stir()

    async def level(self) -> None:
        """Wait until all that the broker has told by now is taken in.

        Raises:
            DragomanError: The account's events have ended.
        """
        due = self._broker.state.sequence
        while self._sequence < due:
            await self.moved()

    async def moved(self) -> None:
        """Wait for more transactions.

        Raises:
            DragomanError: The account's events have ended.
        """
        if self._failure is not None:
            raise self._failure
        await self._moved.wait()

    def client_id_of(self, specifier: str) -> str | None:
        """Return the client's id of an order named by "@" and that id, or by any of its numbers."""
        if not specifier.startswith("@"):
            return self._names.get(specifier)
        client_id = specifier.removeprefix("@")
        return client_id if client_id in self.numbers else None

    def row_of(self, client_order_id: str) -> Row | None:
        """Return an order as it stands; None where no transaction has told of it."""
        numbers = self.numbers.get(client_order_id)
        order = self._broker.state.order(client_order_id)
        name = None if order is None else self._book.name_of(order.symbol)
        if numbers is None or order is None or name is None:
            return None
        return order_row(order, name, numbers, self._book)

    def _stir(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _take(self, event: Event) -> None:
        self._sequence = max(self._sequence, getattr(event, "sequence", 0))
        if isinstance(event, OrderEvent):
            self._take_order(event)
        elif isinstance(event, PositionEvent):
            name = self._book.name_of(event.position.symbol)
            if name is not None:
                held = position_row(event.position, name)
                self._add("POSITION_CHANGE", _time_of(event), position=held)
        elif isinstance(event, AccountEvent):
            is_called = event.kind is AccountEventKind.MARGIN_CALL
            kind = "MARGIN_CALL" if is_called else "ACCOUNT_CHANGE"
            self._add(kind, _time_of(event), account=account_row(event.account))

    def _take_order(self, event: OrderEvent) -> None:
        order, kind = event.order, _TYPES.get(event.kind)
        name = self._book.name_of(order.symbol)
        if kind is None or name is None or event.source is EventSource.LOCAL:
            return
        facts: Row = {}
        if order.client_order_id not in self.numbers:
            self._number(order.client_order_id)
        elif event.kind is OrderEventKind.REPLACED:
            facts["reason"] = "REPLACEMENT"
            self._renumber(event, name)
        if event.fill is not None:
            facts |= self._execution(event)
        if event.kind in {OrderEventKind.CANCEL_REJECTED, OrderEventKind.REPLACE_REJECTED}:
            facts["reason"] = order.venue_code or order.reason
        row = order_row(order, name, self.numbers[order.client_order_id], self._book)
        self._add(kind, _time_of(event), order=row, **facts)

    def _renumber(self, event: OrderEvent, name: str) -> None:
        """Cancel an order for the one that is created next."""
        order, numbers = event.order, self.numbers[event.order.client_order_id]
        gone = order_row(order, name, numbers, self._book) | {"state": "CANCELLED"}
        self._add("ORDER_CANCEL", _time_of(event), order=gone, reason="REPLACED")
        numbers.carried = order.filled_quantity
        self._number(order.client_order_id)

    def _number(self, client_order_id: str) -> None:
        """Give an order the number of the next transaction."""
        number = str(len(self.rows) + 1)
        self.numbers.setdefault(client_order_id, Numbers([])).ids.append(number)
        self._names[number] = client_order_id

    def _execution(self, event: OrderEvent) -> Row:
        """Return the facts of a fill; one that is taken back goes by the number that it had."""
        fill = event.fill
        if fill is None:
            return {}
        number = self._fills.setdefault(fill.fill_id, str(len(self.rows) + 1))
        if event.kind is OrderEventKind.FILL_BUSTED and int(number) <= len(self.rows):
            self.rows[int(number) - 1]["cancelled"] = True
        paid = fill.commission
        return {
            "fillId": number,
            "units": amount(signed(fill.quantity, fill.side.sign)),
            "price": amount(fill.price),
            "commission": amount(paid.amount) if paid else None,
            "commissionCurrency": paid.currency if paid else None,
            "liquidity": fill.liquidity,
        }

    def _add(self, kind: str, at_ns: int, **facts: object) -> None:
        row: Row = {"id": str(len(self.rows) + 1), "type": kind, "time": time(at_ns), **facts}
        self.rows.append(row)
        self.times_ns.append(at_ns)


def _time_of(event: OrderEvent | PositionEvent | AccountEvent) -> int:
    if isinstance(event, OrderEvent) and event.fill is not None:
        return event.fill.venue_time_ns
    return event.received_at_ns if event.venue_time_ns is None else event.venue_time_ns
