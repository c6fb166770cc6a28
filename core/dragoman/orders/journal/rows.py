"""Reading a journal's file, the same for its owner and its guests."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, cast

from dragoman.errors import InvalidValueError, JournalUnavailableError, SequenceGapError
from dragoman.times import DAY_NS

from .file import reading
from .port import OrderHistory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dragoman.models import OrderEvent, OrderRequest, PrivateEvent

    from .codec import Body, JournalCodec
    from .file import Connection

__all__ = ["JournalRows", "digest_of", "require_next", "shapes_in"]

_RECENT_NS: Final = DAY_NS


def digest_of(client_order_id: str) -> bytes:
    """Return what is kept of an id when its order is no longer: enough to know it again."""
    return hashlib.blake2b(client_order_id.encode(), digest_size=16).digest()


def require_next(sequence: int, found: int) -> None:
    """Refuse to pass over events.

    Raises:
        SequenceGapError: `found` is not the one after `sequence`.
    """
    if found != sequence + 1:
        raise SequenceGapError(
            f"events {sequence + 1} to {found - 1} are gone: too old to be kept, or handed out "
            f"while the journal could not be written and lost with their process; read on from "
            f"{found - 1} and fetch what is open"
        )


def shapes_in(connection: Connection) -> dict[int, str]:
    """Return the shapes that a file names, by their number."""
    return dict(connection.execute("SELECT number, text FROM shapes").fetchall())


class JournalRows:
    """What is in a file. Every read raises `JournalUnavailableError` if it can't be made."""

    def __init__(self, path: Path, connection: Connection, codec: JournalCodec) -> None:
        self._path = path
        self._connection = connection
        self._codec = codec

    @property
    def last_sequence(self) -> int:
        """The sequence of the newest event that is written."""
        ((newest,),) = self._all("SELECT coalesce(max(sequence), 0) FROM events")
        return cast("int", newest)

    @property
    def proved_ns(self) -> int | None:
        """Up to which venue time all fills are known."""
        rows = self._all("SELECT venue_time_ns FROM proofs WHERE subject = 'fills'")
        return cast("int", rows[0][0]) if rows else None

    def since(self, sequence: int, limit: int) -> list[PrivateEvent]:
        """Return at most `limit` events after `sequence`, up to the first that is missing.

        Raises:
            SequenceGapError: The very next one is missing, and a later one is not.
        """
        rows = self._all(
            "SELECT sequence, body FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?",
            sequence,
            limit,
        )
        if rows:
            require_next(sequence, cast("int", rows[0][0]))
        whole = [row for place, row in enumerate(rows, sequence + 1) if row[0] == place]
        return [self._event(row) for row in whole]

    def intent(self, client_order_id: str) -> OrderRequest | None:
        """Return the intent of that id."""
        rows = self._all("SELECT intent FROM orders WHERE name = ?", client_order_id)
        return self._request(rows[0][0]) if rows else None

    def history(self, client_order_id: str) -> OrderHistory | None:
        """Return what is known of one order."""
        rows = self._all("SELECT intent FROM orders WHERE name = ?", client_order_id)
        if not rows:
            return None
        found = self._all(
            "SELECT sequence, body FROM events WHERE name = ? ORDER BY sequence", client_order_id
        )
        events = tuple(cast("OrderEvent", self._event(row)) for row in found)
        return OrderHistory(client_order_id, self._request(rows[0][0]), events)

    def unfinished(self, now_ns: int) -> Iterator[OrderHistory]:
        """Yield orders not known to have ended more than a day ago, oldest first."""
        rows = self._all(
            "SELECT name FROM (SELECT name FROM orders WHERE ended_ns IS NULL UNION ALL "
            "SELECT name FROM orders WHERE ended_ns > ?) AS one "
            "ORDER BY (SELECT min(sequence) FROM events WHERE events.name = one.name)",
            now_ns - _RECENT_NS,
        )
        yield from filter(None, (self.history(cast("str", name)) for (name,) in rows))

    def name_of(self, symbol: str, venue_order_id: str) -> str | None:
        """Return the client order id of the order that had this venue id."""
        rows = self._all(
            "SELECT name FROM venue_ids WHERE symbol = ? AND venue_order_id = ?",
            symbol,
            venue_order_id,
        )
        return cast("str", rows[0][0]) if rows else None

    @property
    def has_spent_ids(self) -> bool:
        """Whether any order is no longer kept but for its id."""
        return bool(self._all("SELECT 1 FROM spent_ids LIMIT 1"))

    def is_spent(self, client_order_id: str) -> bool:
        """Tell whether the id named an order that is no longer kept."""
        digest = digest_of(client_order_id)
        return bool(self._all("SELECT 1 FROM spent_ids WHERE digest = ?", digest))

    def _all(self, question: str, *values: object) -> list[tuple[object, ...]]:
        with reading(self._path):
            return self._connection.execute(question, values).fetchall()

    def _event(self, row: tuple[object, ...]) -> PrivateEvent:
        sequence, body = cast("tuple[int, Body]", row)
        try:
            return self._codec.event(body, sequence)
        except InvalidValueError as error:
            raise self._unreadable(f"event {sequence}", error) from None

    def _request(self, body: object) -> OrderRequest | None:
        if body is None:
            return None
        try:
            return self._codec.request(cast("Body", body))
        except InvalidValueError as error:
            raise self._unreadable("an intent", error) from None

    def _unreadable(self, what: str, error: InvalidValueError) -> JournalUnavailableError:
        return JournalUnavailableError(
            f"{what} in the journal {self._path} can't be read ({error.message}); restore the file"
        )
