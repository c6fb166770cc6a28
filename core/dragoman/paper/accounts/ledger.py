"""The ledger of one account: every change of cash or position that is not a fill, in order."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypedDict

from dragoman.models import LedgerEntry, LedgerKind, Money

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["EntryState", "Ledger"]

_FIRST: Final = 1_000_001


class EntryState(TypedDict):
    """One entry as plain JSON data; amounts are text."""

    entry_id: str
    kind: str
    time_ns: int
    amount: list[str] | None
    symbol: str | None
    quantity: str | None
    price: str | None
    client_order_id: str | None
    fill_id: str | None
    description: str | None


class Ledger:
    """Entries of one account, oldest first. Ids are "l1000001" and up, unique per account."""

    def __init__(self, account_id: str, provider: str) -> None:
        self._account_id = account_id
        self._provider = provider
        self.entries: list[LedgerEntry] = []

    def post(
        self,
        kind: LedgerKind,
        time_ns: int,
        *,
        amount: Money | None = None,
        symbol: str | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        client_order_id: str | None = None,
        fill_id: str | None = None,
        description: str | None = None,
    ) -> LedgerEntry:
        """Append one entry and return it; whoever posts moves the cash and the position."""
        entry = LedgerEntry(
            entry_id=f"l{_FIRST + len(self.entries)}",
            account_id=self._account_id,
            kind=kind,
            venue_time_ns=time_ns,
            provider=self._provider,
            received_at_ns=time_ns,
            amount=amount,
            symbol=symbol,
            quantity=quantity,
            price=price,
            client_order_id=client_order_id,
            fill_id=fill_id,
            description=description,
        )
        self.entries.append(entry)
        return entry

    def state(self) -> list[EntryState]:
        """Return every entry as plain JSON data."""
        return [_entry_state(entry) for entry in self.entries]

    def restore(self, states: Iterable[EntryState]) -> None:
        """Hold exactly the entries of a `state`."""
        self.entries = []
        for state in states:
            amount = state["amount"]
            self.post(
                LedgerKind(state["kind"]),
                state["time_ns"],
                amount=None if amount is None else Money(Decimal(amount[0]), amount[1]),
                symbol=state["symbol"],
                quantity=_number(state["quantity"]),
                price=_number(state["price"]),
                client_order_id=state["client_order_id"],
                fill_id=state["fill_id"],
                description=state["description"],
            )


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _entry_state(entry: LedgerEntry) -> EntryState:
    amount = entry.amount
    return {
        "entry_id": entry.entry_id,
        "kind": entry.kind.value,
        "time_ns": entry.venue_time_ns,
        "amount": None if amount is None else [str(amount.amount), amount.currency],
        "symbol": entry.symbol,
        "quantity": _text(entry.quantity),
        "price": _text(entry.price),
        "client_order_id": entry.client_order_id,
        "fill_id": entry.fill_id,
        "description": entry.description,
    }
