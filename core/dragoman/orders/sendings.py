"""Orders on their way: how far each has come, for those who wait and for a halt's report."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

from dragoman.errors import DragomanError, Outcome
from dragoman.permits import SendPermit

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Flight", "Sending", "Sendings", "is_definite"]


def is_definite(error: DragomanError) -> bool:
    """Tell whether an error proves what became of a command."""
    return error.outcome in (Outcome.NOT_SENT, Outcome.REJECTED)


class Flight(StrEnum):
    """How far an order on its way has come.

    `UNSENT`: no byte was written. `SENT`: bytes were written, and the answer is awaited or known.
    `UNKNOWN`: it can't be told, or the exchange failed and proves nothing.
    """

    UNSENT = "UNSENT"
    SENT = "SENT"
    UNKNOWN = "UNKNOWN"


@attrs.define(eq=False)
class Sending:
    """One order on its way; what it failed by, once it has. Kept while anyone waits for it.

    `permit` is the leave it is sent under, None while it waits for its turn here.
    """

    permit: SendPermit | None = None
    failure: DragomanError | None = None

    @property
    def is_refused(self) -> bool:
        """Whether it failed by something that proves its fate."""
        return self.failure is not None and is_definite(self.failure)


class Sendings:
    """The orders on their way by client order id. Flights may be read from any thread."""

    def __init__(self) -> None:
        self._by_id: dict[str, Sending] = {}
        self._has_asked = False

    def __contains__(self, client_order_id: object) -> bool:
        return client_order_id in self._by_id

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def ids(self) -> tuple[str, ...]:
        """The client order ids, oldest first; from any thread."""
        return tuple(self._by_id)

    def begin(self, client_order_ids: Iterable[str]) -> None:
        """Note that orders are on their way."""
        for client_order_id in client_order_ids:
            self._by_id[client_order_id] = Sending()

    def of(self, client_order_id: str) -> Sending | None:
        """Return an order on its way; None if it is not."""
        return self._by_id.get(client_order_id)

    def send_under(self, client_order_ids: Iterable[str], permit: SendPermit) -> None:
        """Note that orders are sent under a permit from now on."""
        for client_order_id in client_order_ids:
            self._by_id[client_order_id].permit = permit

    def fail(self, client_order_id: str, error: DragomanError) -> None:
        """Note what an order failed by."""
        sending = self._by_id.get(client_order_id)
        if sending is not None:
            sending.failure = error

    def end(self, client_order_ids: Iterable[str]) -> None:
        """Note that no answer can come any more."""
        for client_order_id in client_order_ids:
            sending = self._by_id.pop(client_order_id, None)
            if sending is not None and sending.permit is not None:
                self._has_asked |= sending.permit.is_used

    def flights(self) -> dict[str, Flight]:
        """Return how far each order on its way has come.

        A permit that was not used proves nothing before an adapter is known to ask for them.
        """
        rows = tuple(self._by_id.items())
        used = [one.permit is not None and one.permit.has_written() for _, one in rows]
        has_asked = self._has_asked or any(used)
        return {
            name: _flight(one, is_used=is_used, has_asked=has_asked)
            for (name, one), is_used in zip(rows, used, strict=True)
        }


def _flight(sending: Sending, *, is_used: bool, has_asked: bool) -> Flight:
    if sending.permit is None or (has_asked and not is_used):
        return Flight.UNSENT
    is_failed = sending.failure is not None and not sending.is_refused
    return Flight.SENT if is_used and not is_failed else Flight.UNKNOWN
