"""What is written before anything is sent, and all private events, in one gap-free sequence.

The store is a port: this one lives in memory and ends with the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

from dragoman.errors import SequenceGapError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.models import OrderRequest, PrivateEvent

__all__ = ["Journal", "MemoryJournal"]


class Journal(Protocol):
    """The memory of one account's intents and events.

    Every method raises `JournalUnavailableError` if it can't.
    """

    @property
    def last_sequence(self) -> int:
        """The sequence of the newest event; 0 before the first."""
        ...

    def record_intent(self, request: OrderRequest) -> None:
        """Keep a request, with its client order id set, before its first byte is written."""
        ...

    def forget_intent(self, client_order_id: str) -> None:
        """Drop an intent that was proved never sent, so that its id may be used again."""
        ...

    def intent(self, client_order_id: str) -> OrderRequest | None:
        """Return the intent of that id; None if this journal has none."""
        ...

    def append(self, event: PrivateEvent) -> PrivateEvent:
        """Number an event with the next sequence, keep it, and return it numbered."""
        ...

    def since(self, sequence: int, limit: int) -> Sequence[PrivateEvent]:
        """Return at most `limit` events after `sequence`, in order.

        Raises:
            SequenceGapError: Events after `sequence` are no longer kept.
        """
        ...

    def close(self) -> None:
        """Release the store. Idempotent."""
        ...


class MemoryJournal:
    """A journal for the mock, for tests and for those who opt out of a durable one.

    Args:
        kept_events: How many events are kept for readers that resume; intents are kept for ever.
    """

    def __init__(self, kept_events: int = 100_000) -> None:
        self._kept_events = kept_events
        self._intents: dict[str, OrderRequest] = {}
        self._events: list[PrivateEvent] = []
        self._dropped = 0

    @property
    def last_sequence(self) -> int:
        """The sequence of the newest event; 0 before the first."""
        return self._dropped + len(self._events)

    def record_intent(self, request: OrderRequest) -> None:
        """Keep a request."""
        self._intents[request.client_order_id or ""] = request

    def forget_intent(self, client_order_id: str) -> None:
        """Drop an intent."""
        self._intents.pop(client_order_id, None)

    def intent(self, client_order_id: str) -> OrderRequest | None:
        """Return the intent of that id."""
        return self._intents.get(client_order_id)

    def append(self, event: PrivateEvent) -> PrivateEvent:
        """Number an event, keep it, and return it numbered."""
        numbered = attrs.evolve(event, sequence=self.last_sequence + 1)
        self._events.append(numbered)
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

    def close(self) -> None:
        """Nothing to release."""
