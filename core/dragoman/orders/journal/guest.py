"""The journal of an account that somebody else owns: read there, remembered here, sent by neither.

A guest's events are its own view of the account. They are numbered on from the newest event that
the owner had written when the guest came, and end with the guest; the owner gives the same numbers
to events of its own, so a number above that place means nothing to anybody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from dragoman.errors import AccountLockedError, JournalUnavailableError

from .codec import JournalCodec
from .file import open_for_reading, reading
from .port import MemoryJournal
from .rows import JournalRows, shapes_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from dragoman.models import OrderRequest, PrivateEvent

    from .port import OrderHistory

__all__ = ["GuestJournal"]


class GuestJournal:
    """Reads the file of an owner, and takes no intent.

    It stays a guest when the owner ends: who wants to send then connects anew.

    Args:
        path: The owner's file.
        owner_pid: The owner's process, to be named in errors; None where that is not known.
        now_ns: The time now.

    Raises:
        JournalUnavailableError: The file can't be read.
    """

    def __init__(self, path: Path, owner_pid: int | None, *, now_ns: int) -> None:
        self._path = path
        self._owner_pid = owner_pid
        self._now_ns = now_ns
        self._connection = open_for_reading(path)
        self._is_closed = False
        try:
            with reading(path):
                codec = JournalCodec(shapes_in(self._connection))
            self._rows = JournalRows(path, self._connection, codec)
            self._joined_at = self._rows.last_sequence
        except BaseException:
            self._connection.close()
            raise
        self._own = MemoryJournal(after=self._joined_at)

    @property
    def last_sequence(self) -> int:
        """The sequence of the newest event, of the owner's or of this guest's."""
        return self._own.last_sequence

    @property
    def trouble(self) -> str | None:
        """Nothing is written that could go wrong."""
        return None

    @property
    def proved_ns(self) -> int | None:
        """Up to which venue time all fills are known, to this guest or to the owner."""
        return self._own.proved_ns or self._readable().proved_ns

    def prove(self, venue_time_ns: int) -> None:
        """Remember up to which venue time all fills are known."""
        self._own.prove(venue_time_ns)

    def begin(self, requests: Sequence[OrderRequest], events: Sequence[PrivateEvent]) -> NoReturn:  # noqa: ARG002 - of the port
        """Refuse."""
        owner = "another process" if self._owner_pid is None else f"process {self._owner_pid}"
        raise AccountLockedError(
            f"{owner} sends the orders of this account (journal {self._path}); send them there, "
            "or end it and connect anew"
        )

    def forget(self, client_order_ids: Iterable[str]) -> None:
        """Nothing was begun here."""

    def intent(self, client_order_id: str) -> OrderRequest | None:
        """Return the owner's intent of that id."""
        return self._readable().intent(client_order_id)

    def append(self, events: Sequence[PrivateEvent]) -> list[PrivateEvent]:
        """Number events, remember them, and return them numbered."""
        return self._own.append(events)

    def since(self, sequence: int, limit: int) -> Sequence[PrivateEvent]:
        """Return at most `limit` events after `sequence`: the owner's, then those of this guest."""
        if sequence >= self._joined_at:
            return self._own.since(sequence, limit)
        return self._readable().since(sequence, min(limit, self._joined_at - sequence))

    def unfinished(self) -> Iterator[OrderHistory]:
        """Yield the owner's orders not known to have ended."""
        return self._readable().unfinished(self._now_ns)

    def history(self, client_order_id: str) -> OrderHistory | None:
        """Return what the owner knows of one order."""
        return self._readable().history(client_order_id)

    def name_of(self, symbol: str, venue_order_id: str) -> str | None:
        """Return the client order id of the owner's order that had this venue id."""
        return self._readable().name_of(symbol, venue_order_id)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Release the file. Idempotent."""
        self._is_closed = True
        self._connection.close()

    def _readable(self) -> JournalRows:
        if self._is_closed:
            raise JournalUnavailableError("the journal is closed")
        return self._rows
