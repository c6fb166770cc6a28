"""What is written before anything is sent, and all private events, in one gap-free sequence.

The store is a port: this one lives in memory and ends with the process.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

import attrs

from dragoman.errors import DuplicateOrderError, SequenceGapError
from dragoman.models import OrderEvent, OrderRequest
from dragoman.models.events import AccountEvent, LedgerEvent, PositionEvent, ProtectionEvent
from dragoman.models.trusted import evolver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dragoman.models import PrivateEvent

__all__ = ["Durability", "Journal", "MemoryJournal", "OrderHistory", "duplicate_intent", "number"]

_numberers: Final[Mapping[type, Callable[..., PrivateEvent]]] = {
    kind: evolver(kind)
    for kind in (OrderEvent, PositionEvent, AccountEvent, LedgerEvent, ProtectionEvent)
}


class Durability(StrEnum):
    """What a journal outlives: the death of its process, or the loss of power as well.

    A loss of power may take the last commits of `PROCESS` along, never an earlier one alone.
    """

    PROCESS = "process"
    POWER = "power"


@attrs.frozen
class OrderHistory:
    """What the journal knows of one order: the request, if sent from here, and its events."""

    client_order_id: str
    request: OrderRequest | None
    events: tuple[OrderEvent, ...]


class Journal(Protocol):
    """The memory of one account's intents and events.

    Writing is not said to raise, and does not: an event that can't be written is kept in memory,
    numbered and handed out all the same, and written with the next that can; until then `trouble`
    says what is wrong. Every read raises `JournalUnavailableError` if the store can't be read: that
    nothing is known of an order is never said for want of looking.
    """

    @property
    def last_sequence(self) -> int:
        """The sequence of the newest event; 0 before the first."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why the journal can't be written now; None while it can."""
        ...

    @property
    def proved_ns(self) -> int | None:
        """Up to which venue time all fills are known, as `prove` said last, in any process."""
        ...

    def begin(
        self, requests: Sequence[OrderRequest], events: Sequence[PrivateEvent]
    ) -> list[PrivateEvent]:
        """Keep requests and the events that tell of them, before their first byte is written.

        All or none; returns the events numbered. It lasts as the journal promises when this
        returns.

        Raises:
            JournalUnavailableError: They can't be written, so nothing may be sent (NOT_SENT).
            AccountLockedError: Another process sends the orders of this account (NOT_SENT).
            DuplicateOrderError: An id has named an intent before, however long ago (NOT_SENT).
        """
        ...

    def forget(self, client_order_ids: Iterable[str]) -> None:
        """Drop intents that were proved never sent, so that their ids may be used again."""
        ...

    def intent(self, client_order_id: str) -> OrderRequest | None:
        """Return the intent of that id; None if this journal has none."""
        ...

    def append(self, events: Sequence[PrivateEvent]) -> list[PrivateEvent]:
        """Number events with the next sequences, keep them, and return them numbered."""
        ...

    def prove(self, venue_time_ns: int) -> None:
        """Keep that all fills up to a venue time are known; an earlier time changes nothing."""
        ...

    def since(self, sequence: int, limit: int) -> Sequence[PrivateEvent]:
        """Return at most `limit` events after `sequence`, in order.

        Raises:
            SequenceGapError: Events after `sequence` are no longer kept.
        """
        ...

    def unfinished(self) -> Iterator[OrderHistory]:
        """Yield what an earlier process left behind of every order not known to have ended.

        Orders that ended within the last day are among them, so that what the venue still tells of
        them is known for what it is.
        """
        ...

    def history(self, client_order_id: str) -> OrderHistory | None:
        """Return what an earlier process left behind of one order; None if there is nothing."""
        ...

    def name_of(self, symbol: str, venue_order_id: str) -> str | None:
        """Return the client order id of the order that had this venue id, in any process."""
        ...

    def flush(self) -> None:
        """Try to write what could not be written yet; `trouble` tells whether that went well."""
        ...

    def close(self) -> None:
        """Release the store. Idempotent."""
        ...


class MemoryJournal:
    """A journal for the mock, for tests and for those who opt out of a durable one.

    Args:
        kept_events: How many events are kept for readers that resume; intents are kept for ever.
        after: The sequence that the first event follows.
    """

    def __init__(self, kept_events: int = 100_000, *, after: int = 0) -> None:
        self._kept_events = kept_events
        self._intents: dict[str, OrderRequest] = {}
        self._events: list[PrivateEvent] = []
        self._dropped = after
        self._proved_ns: int | None = None

    @property
    def last_sequence(self) -> int:
        """The sequence of the newest event; 0 before the first."""
        return self._dropped + len(self._events)

    @property
    def trouble(self) -> str | None:
        """Nothing can go wrong."""
        return None

    def begin(
        self, requests: Sequence[OrderRequest], events: Sequence[PrivateEvent]
    ) -> list[PrivateEvent]:
        """Keep requests and the events that tell of them."""
        for request in requests:
            if request.client_order_id in self._intents:
                raise duplicate_intent(request)
        for request in requests:
            self._intents[request.client_order_id or ""] = request
        return self.append(events)

    def forget(self, client_order_ids: Iterable[str]) -> None:
        """Drop intents."""
        for client_order_id in client_order_ids:
            self._intents.pop(client_order_id, None)

    def intent(self, client_order_id: str) -> OrderRequest | None:
        """Return the intent of that id."""
        return self._intents.get(client_order_id)

    @property
    def proved_ns(self) -> int | None:
        """Up to which venue time all fills are known."""
        return self._proved_ns

    def prove(self, venue_time_ns: int) -> None:
        """Keep that all fills up to a venue time are known."""
        self._proved_ns = max(self._proved_ns or 0, venue_time_ns)

    def append(self, events: Sequence[PrivateEvent]) -> list[PrivateEvent]:
        """Number events, keep them, and return them numbered."""
        numbered = number(events, self._dropped + len(self._events) + 1)
        self._events += numbered
        if len(self._events) >= 2 * self._kept_events:
            surplus = len(self._events) - self._kept_events
            del self._events[:surplus]
            self._dropped += surplus
        return numbered

    def since(self, sequence: int, limit: int) -> Sequence[PrivateEvent]:
        """Return at most `limit` events after `sequence`, in order."""
        start = sequence - self._dropped
        if start < 0:
            message = (
                f"events after sequence {sequence} are gone; the oldest kept is {self._dropped + 1}"
            )
            raise SequenceGapError(message)
        return self._events[start : start + limit]

    def unfinished(self) -> Iterator[OrderHistory]:
        """There is no earlier process."""
        return iter(())

    def history(self, client_order_id: str) -> OrderHistory | None:  # noqa: ARG002 - of the port
        """There is no earlier process."""
        return None

    def name_of(self, symbol: str, venue_order_id: str) -> str | None:  # noqa: ARG002 - of the port
        """There is no earlier process."""
        return None

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing to release."""


def number(events: Iterable[PrivateEvent], first: int) -> list[PrivateEvent]:
    """Return events with the sequences from `first` on."""
    return [
        _numberers[type(event)](event, sequence=sequence)
        for sequence, event in enumerate(events, first)
    ]


def duplicate_intent(request: OrderRequest) -> DuplicateOrderError:
    """Return the error for an intent whose id has named another before."""
    message = (
        f"client order id {request.client_order_id!r} has named an order before; "
        "an id names one intent for ever: take a new one"
    )
    return DuplicateOrderError(message)
