"""The durable journal of an account's owner: a SQLite file, written inline.

Writing a record takes less than handing it to a thread does, so each call writes before it returns.
The file is in WAL mode: a process that dies leaves every commit, whole; a torn end of the log is
found by its checksums and passed over.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from typing import TYPE_CHECKING, Final

from dragoman.errors import InvalidValueError, JournalUnavailableError
from dragoman.models.events import OrderEvent

from .file import open_for_writing, reading, unavailable
from .port import OrderHistory, duplicate_intent, number
from .pruning import prune
from .rows import JournalRows, require_next
from .writing import JournalWriter, codec_for_writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from dragoman.models import OrderRequest, PrivateEvent

    from .lock import AccountLock
    from .port import Durability

__all__ = ["SqliteJournal"]

_log: Final = logging.getLogger(__name__)
_FREE_SPACE: Final = "free space, or make the folder writable; what is open can still be canceled"
_CACHED_INTENTS: Final = 1024
_RETRIED_AT_ONCE: Final = 256


class SqliteJournal:
    """The journal of one account in a file, for the one that holds its lock.

    Sequences have no gap, across restarts too. Where a process died while its disk took nothing,
    the numbers it had handed out are not given again: the next event follows them, and a reader who
    asks for those that were lost is told so by `SequenceGapError`. That rests on the lock file,
    whose bytes are written in place; a disk that refuses even those can't keep the promise, nor can
    `Durability.PROCESS` when power is lost.

    Args:
        path: The file; made if there is none.
        lock: Held; released when the journal is closed.
        durability: What the file outlives.
        now_ns: The time now: what ended within the day before is among the unfinished.
        kept_ns: For how long events, and orders that have ended, are kept.

    Raises:
        JournalUnavailableError: The file can't be opened, or is no journal of this version.
    """

    def __init__(
        self, path: Path, lock: AccountLock, durability: Durability, *, now_ns: int, kept_ns: int
    ) -> None:
        self._path = path
        self._lock = lock
        self._now_ns = now_ns
        self._connection = open_for_writing(path, durability)
        try:
            with reading(path):
                codec = codec_for_writing(self._connection)
            self._rows = JournalRows(path, self._connection, codec)
            self._last_sequence = max(self._rows.last_sequence, lock.handed_out)
            self._trouble = self._prune(now_ns - kept_ns)
            self._has_spent_ids = self._rows.has_spent_ids
            self._proved_ns = self._rows.proved_ns
        except BaseException:
            self._connection.close()
            raise
        self._writer = JournalWriter(self._connection, codec)
        self._unsaved: list[PrivateEvent] = []
        self._forgotten: set[str] = set()
        self._is_closed = False
        self._intents: dict[str, OrderRequest | None] = {}
        self._asked: deque[str] = deque()

    @property
    def last_sequence(self) -> int:
        """The sequence of the newest event; 0 before the first."""
        return self._last_sequence

    @property
    def trouble(self) -> str | None:
        """Why the journal can't be written now; None while it can."""
        return self._trouble

    @property
    def proved_ns(self) -> int | None:
        """Up to which venue time all fills are known."""
        return self._proved_ns

    def prove(self, venue_time_ns: int) -> None:
        """Write up to which venue time all fills are known, unless the file has trouble now."""
        if venue_time_ns <= (self._proved_ns or 0):
            return
        self._proved_ns = venue_time_ns
        if self._trouble is None:
            self._try(lambda: self._writer.prove(venue_time_ns))

    def begin(
        self, requests: Sequence[OrderRequest], events: Sequence[PrivateEvent]
    ) -> list[PrivateEvent]:
        """Keep requests and the events that tell of them, in one transaction."""
        rows = self._readable()
        self.flush()
        if self._trouble is not None:
            raise self._refusal()
        for request in requests:
            if self._has_spent_ids and rows.is_spent(request.client_order_id or ""):
                raise duplicate_intent(request)
        numbered = self._numbered(events)
        taken: list[str | None] = []
        if not self._try(lambda: taken.append(self._writer.begin(requests, numbered))):
            raise self._refusal()
        if taken[0] is not None:
            raise duplicate_intent(next(one for one in requests if one.client_order_id == taken[0]))
        self._last_sequence += len(numbered)
        for request in requests:
            self._remember(request.client_order_id or "", request)
        return numbered

    def forget(self, client_order_ids: Iterable[str]) -> None:
        """Drop intents; where that can't be written now, when it can."""
        for client_order_id in client_order_ids:
            self._forgotten.add(client_order_id)
            self._remember(client_order_id, None)
        self.flush()

    def intent(self, client_order_id: str) -> OrderRequest | None:
        """Return the intent of that id."""
        if client_order_id in self._forgotten:
            return None
        if client_order_id not in self._intents:
            self._remember(client_order_id, self._readable().intent(client_order_id))
        return self._intents[client_order_id]

    def append(self, events: Sequence[PrivateEvent]) -> list[PrivateEvent]:
        """Number events, write them in one transaction, and return them numbered."""
        numbered = self._numbered(events)
        self._last_sequence += len(numbered)
        self._unsaved += numbered
        self.flush()
        return numbered

    def since(self, sequence: int, limit: int) -> Sequence[PrivateEvent]:
        """Return at most `limit` events after `sequence`, in order."""
        page = self._readable().since(sequence, limit)
        reached = sequence + len(page)
        waiting = [event for event in self._unsaved if event.sequence > reached]
        if waiting and not page:
            require_next(sequence, waiting[0].sequence)
        if not (page or waiting) and sequence < self._last_sequence:
            require_next(sequence, self._last_sequence + 1)
        if waiting and waiting[0].sequence == reached + 1:
            page += waiting[: limit - len(page)]
        return page

    def unfinished(self) -> Iterator[OrderHistory]:
        """Yield the orders not known to have ended by a day before the journal was opened."""
        return self._readable().unfinished(self._now_ns)

    def history(self, client_order_id: str) -> OrderHistory | None:
        """Return all that is known of one order."""
        found = self._readable().history(client_order_id)
        waiting = tuple(
            event
            for event in self._unsaved
            if isinstance(event, OrderEvent) and event.order.client_order_id == client_order_id
        )
        if found is None and not waiting:
            return None
        request = self.intent(client_order_id)
        return OrderHistory(client_order_id, request, (*(found.events if found else ()), *waiting))

    def name_of(self, symbol: str, venue_order_id: str) -> str | None:
        """Return the client order id of the order that had this venue id."""
        return self._readable().name_of(symbol, venue_order_id)

    def flush(self) -> None:
        """Try to write what could not be written yet."""
        if not (self._unsaved or self._forgotten or self._trouble):
            return
        if not self._try(self._save) and self._unsaved:
            self._lock.note(self._last_sequence)

    def close(self) -> None:
        """Write what can be written, close the file and give the lock back. Idempotent."""
        if self._is_closed:
            return
        self.flush()
        if self._unsaved:
            _log.error("events of an account are lost", extra={"count": len(self._unsaved)})
        self._is_closed = True
        self._trouble = "the journal is closed"
        if self._lock.is_held:
            self._connection.close()
        self._lock.release()

    def _numbered(self, events: Sequence[PrivateEvent]) -> list[PrivateEvent]:
        return number(events, self._last_sequence + 1)

    def _save(self) -> None:
        if self._forgotten:
            self._writer.forget(self._forgotten)
            self._forgotten = set()
        if not self._unsaved and self._trouble is not None:
            self._writer.probe()
        size = len(self._unsaved) if self._trouble is None else _RETRIED_AT_ONCE
        while self._unsaved:
            self._writer.append(self._unsaved[:size])
            del self._unsaved[:size]

    def _try(self, write: Callable[[], object]) -> bool:
        """Write; returns whether that went well, and keeps in mind why not."""
        trouble = self._obstacle()
        if trouble is None:
            try:
                write()
            except (sqlite3.Error, InvalidValueError) as error:
                trouble = unavailable(self._path, error, _FREE_SPACE).message
        if trouble is not None and self._trouble is None:
            _log.error("the journal can't be written", extra={"cause": trouble})
        elif trouble is None and self._trouble is not None:
            _log.warning("the journal can be written again", extra={"path": str(self._path)})
        self._trouble = trouble
        return trouble is None

    def _obstacle(self) -> str | None:
        if self._is_closed:
            return "the journal is closed"
        if not self._lock.is_held:
            return "the journal belongs to the process this one was forked from: connect() anew"
        return None

    def _refusal(self) -> JournalUnavailableError:
        return JournalUnavailableError(f"nothing may be sent: {self._trouble}")

    def _readable(self) -> JournalRows:
        obstacle = self._obstacle()
        if obstacle is not None:
            raise JournalUnavailableError(obstacle)
        return self._rows

    def _prune(self, before_ns: int) -> str | None:
        """Drop what is old; returns what kept it from that, which also keeps it from writing."""
        with reading(self._path):
            try:
                prune(self._connection, before_ns)
            except sqlite3.OperationalError as error:
                return unavailable(self._path, error, _FREE_SPACE).message
        return None

    def _remember(self, client_order_id: str, intent: OrderRequest | None) -> None:
        if client_order_id not in self._intents:
            self._asked.append(client_order_id)
            if len(self._asked) > _CACHED_INTENTS:
                del self._intents[self._asked.popleft()]
        self._intents[client_order_id] = intent
