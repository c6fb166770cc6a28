"""The venue's voice: numbers and times what happens, and builds the events that tell it.

Every private event has an instant of its own, strictly after the one before it. The digest chains
over all events, in blocks of a fixed length, so that it does not depend on how the calls were cut.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, cast

from dragoman.models import (
    AccountEvent,
    LedgerEvent,
    OrderEvent,
    PositionEvent,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import (
        Account,
        AccountEventKind,
        Event,
        Fill,
        LedgerEntry,
        MarketEvent,
        Order,
        OrderEventKind,
        Position,
    )

__all__ = ["Recorder"]

_FIRST: Final = 1_000_000
_BLOCK: Final = 64


class Recorder:
    """Collects the events of one call.

    `now_ns` is the venue's time, set by its engine; `last_ns` the instant of the last private
    event. Venue ids, fill ids and event ids count from 1000001.
    """

    def __init__(self, start_ns: int) -> None:
        self.now_ns: int = start_ns
        self.last_ns: int = start_ns
        self._counts = {
            "order": _FIRST,
            "fill": _FIRST,
            "event": _FIRST,
            "print": _FIRST,
            "rank": 0,
            "list": 0,
            "exits": 0,
            "liquidation": 0,
        }
        self._chained = _chain("dragoman.paper", [])
        self._events: list[Event] = []
        self._lines: list[str] = []

    def stamp(self) -> int:
        """Return the instant of what happens next: now, but after the last event."""
        self.last_ns = max(self.now_ns, self.last_ns + 1)
        return self.last_ns

    def number(self, kind: str) -> int:
        """Return the next number of a kind of id."""
        counts = self._counts
        counts[kind] = number = counts[kind] + 1
        return number

    def order(
        self, kind: OrderEventKind, order: Order, time_ns: int, fill: Fill | None = None
    ) -> None:
        """Tell what happened to an order."""
        event_id = f"e{self.number('event')}"
        event = OrderEvent(
            kind=kind,
            order=order,
            fill=fill,
            account_id=order.account_id,
            received_at_ns=time_ns,
            event_id=event_id,
            venue_time_ns=time_ns,
        )
        self._events.append(event)
        self._lines.append(
            f"{event_id}|{time_ns}|{kind}|{order.account_id}|{order.client_order_id}"
            f"|{order.status}|{order.revision}|{order.quantity}|{order.filled_quantity}"
            f"|{order.limit_price}|{order.stop_price}|{order.reject_reason}"
        )
        if fill is not None:
            self._lines.append(f"{fill.fill_id}|{fill.quantity}|{fill.price}|{fill.liquidity}")

    def position(self, position: Position, previous: Decimal | None, time_ns: int) -> None:
        """Tell what a position is now."""
        event_id = f"e{self.number('event')}"
        self._events.append(
            PositionEvent(
                position=position,
                previous_quantity=previous,
                account_id=position.account_id,
                received_at_ns=time_ns,
                event_id=event_id,
                venue_time_ns=time_ns,
            )
        )
        self._lines.append(
            f"{event_id}|{time_ns}|{position.account_id}|{position.position_id}|{previous}"
            f"|{position.quantity}|{position.average_entry_price}"
        )

    def account(self, kind: AccountEventKind, account: Account, time_ns: int) -> None:
        """Tell what an account is now."""
        event_id = f"e{self.number('event')}"
        self._events.append(
            AccountEvent(
                account=account,
                kind=kind,
                account_id=account.account_id,
                received_at_ns=time_ns,
                event_id=event_id,
                venue_time_ns=time_ns,
            )
        )
        self._lines.append(
            f"{event_id}|{time_ns}|{kind}|{account.account_id}|{account.cash}"
            f"|{account.realized_pnl}|{account.position_mode}"
        )

    def ledger(self, entry: LedgerEntry) -> None:
        """Tell a change of cash or position that is not a fill."""
        time_ns = self.stamp()
        event_id = f"e{self.number('event')}"
        self._events.append(
            LedgerEvent(
                entry=entry,
                account_id=entry.account_id,
                received_at_ns=time_ns,
                event_id=event_id,
                venue_time_ns=time_ns,
            )
        )
        self._lines.append(
            f"{event_id}|{time_ns}|{entry.account_id}|{entry.kind.value}|{entry.amount}"
            f"|{entry.symbol}|{entry.quantity}"
        )

    def market(self, event: MarketEvent, line: str) -> None:
        """Tell everybody something of the market; `line` is what the digest takes of it."""
        self._events.append(event)
        self._lines.append(line)

    def collect(self) -> tuple[Event, ...]:
        """Return the events since the last time, and chain them into the digest."""
        events = tuple(self._events)
        self._events.clear()
        while len(self._lines) >= _BLOCK:
            self._chained = _chain(self._chained, self._lines[:_BLOCK])
            del self._lines[:_BLOCK]
        return events

    @property
    def digest(self) -> str:
        """A hash over every event so far, in order."""
        return _chain(self._chained, self._lines)

    def state(self) -> dict[str, object]:
        """Return time, numbers and digest as plain JSON data."""
        return {
            "now_ns": self.now_ns,
            "last_ns": self.last_ns,
            "counts": dict(self._counts),
            "chained": self._chained,
            "lines": list(self._lines),
        }

    def restore(self, state: dict[str, object]) -> None:
        """Go on from a `state`."""
        self.now_ns = cast("int", state["now_ns"])
        self.last_ns = cast("int", state["last_ns"])
        self._counts = dict(cast("dict[str, int]", state["counts"]))
        self._chained = cast("str", state["chained"])
        self._lines = list(cast("list[str]", state["lines"]))


def _chain(digest: str, lines: list[str]) -> str:
    text = "\n".join((digest, *lines))
    return blake2b(text.encode(), digest_size=32).hexdigest()
