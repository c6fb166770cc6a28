"""Writing to a journal's file: one call is one transaction, all of it or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models.events import OrderEvent

from .codec import JournalCodec
from .file import FORMAT
from .rows import shapes_in

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from types import TracebackType

    from dragoman.models import OrderRequest, PrivateEvent

    from .codec import Body
    from .file import Connection, Execute

__all__ = ["JournalWriter", "codec_for_writing"]

_ADD_EVENT: Final = "INSERT INTO events VALUES (?, ?, ?, ?)"
_ADD_INTENT: Final = (
    "INSERT INTO orders VALUES (?, ?, NULL) "
    "ON CONFLICT (name) DO UPDATE SET intent = excluded.intent, ended_ns = NULL "
    "WHERE intent IS NULL"
)
_MARK_ORDER: Final = (
    "INSERT INTO orders VALUES (?, NULL, ?) "
    "ON CONFLICT (name) DO UPDATE SET ended_ns = excluded.ended_ns "
    "WHERE ended_ns IS NOT excluded.ended_ns"
)
_DROP_UNTOLD: Final = (
    "DELETE FROM orders WHERE name = ? "
    "AND NOT EXISTS (SELECT 1 FROM events WHERE events.name = orders.name)"
)
_MOST_LIVING: Final = 4096
_PROVE: Final = "INSERT OR REPLACE INTO proofs VALUES ('fills', ?)"
_ADD_VENUE_ID: Final = "INSERT OR IGNORE INTO venue_ids VALUES (?, ?, ?)"


def codec_for_writing(connection: Connection) -> JournalCodec:
    """Return the codec of the file, which then names the shapes of this version as well."""

    def add_shape(text: str) -> int:
        return connection.execute("INSERT INTO shapes (text) VALUES (?)", (text,)).lastrowid or 0

    return JournalCodec(shapes_in(connection), add_shape)


class _Transaction:
    """One transaction of a connection: all of what is done in it, or nothing."""

    __slots__ = ("_connection", "_execute")

    def __init__(self, connection: Connection, execute: Execute) -> None:
        self._connection = connection
        self._execute = execute

    def __enter__(self) -> None:
        self._execute("BEGIN IMMEDIATE")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self._connection.in_transaction:
                self._execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._execute("ROLLBACK")


class JournalWriter:
    """Writes what it is given, or raises `sqlite3.Error` or `InvalidValueError` and wrote nothing.

    Args:
        connection: Without transactions of its own.
        codec: The codec of the file.
    """

    def __init__(self, connection: Connection, codec: JournalCodec) -> None:
        self._execute: Execute = connection.cursor().execute
        self._codec = codec
        self._transaction = _Transaction(connection, self._execute)
        self._living: dict[str, None] = {}
        """Orders whose rows are written and say that they have not ended."""

    def append(self, events: Sequence[PrivateEvent]) -> None:
        """Write numbered events."""
        rows = [self._row(event) for event in events]
        if len(rows) == 1 and rows[0][1] is None:
            self._execute(_ADD_EVENT, rows[0])
            return
        with self._transaction:
            self._add(events, rows, self._living)

    def begin(self, requests: Sequence[OrderRequest], events: Sequence[PrivateEvent]) -> str | None:
        """Write intents and numbered events.

        Returns the id of an intent that is there already; then nothing was written.
        """
        rows = [self._row(event) for event in events]
        intents = [(one.client_order_id or "", self._codec.encode(one)) for one in requests]
        with self._transaction:
            for intent in intents:
                if not self._execute(_ADD_INTENT, intent).rowcount:
                    self._execute("ROLLBACK")
                    return intent[0]
            self._add(events, rows, dict(intents))
        for name, _ in intents:
            self._living[name] = None
        while len(self._living) > _MOST_LIVING:
            del self._living[next(iter(self._living))]
        return None

    def prove(self, venue_time_ns: int) -> None:
        """Write up to which venue time all fills are known."""
        self._execute(_PROVE, (venue_time_ns,))

    def forget(self, client_order_ids: Iterable[str]) -> None:
        """Drop intents, not the events that tell of them."""
        rows = [(name,) for name in client_order_ids]
        for (name,) in rows:
            self._living.pop(name, None)
        with self._transaction:
            for row in rows:
                self._execute(_DROP_UNTOLD, row)
                self._execute("UPDATE orders SET intent = NULL WHERE name = ?", row)

    def probe(self) -> None:
        """Write something that changes nothing."""
        self._execute(f"PRAGMA user_version = {FORMAT}")

    def _add(
        self,
        events: Sequence[PrivateEvent],
        rows: Iterable[tuple[int, str | None, int, Body]],
        living: Container[str],
    ) -> None:
        """Write events, and what they say of orders; the rows of `living` ones say it already."""
        execute = self._execute
        for event, row in zip(events, rows, strict=True):
            execute(_ADD_EVENT, row)
            if isinstance(event, OrderEvent):
                order = event.order
                name = order.client_order_id
                if order.is_terminal:
                    self._living.pop(name, None)
                    execute(_MARK_ORDER, (name, event.received_at_ns))
                elif name not in living:
                    execute(_MARK_ORDER, (name, None))
                for venue_id in order.venue_order_ids:
                    execute(_ADD_VENUE_ID, (order.symbol, venue_id, name))

    def _row(self, event: PrivateEvent) -> tuple[int, str | None, int, Body]:
        name = event.order.client_order_id if isinstance(event, OrderEvent) else None
        return event.sequence, name, event.received_at_ns, self._codec.encode(event)
