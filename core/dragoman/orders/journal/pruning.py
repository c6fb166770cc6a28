"""Dropping what a journal has kept for long enough.

Of an order that is dropped its id remains, as a digest, for as long as the file: an id names one
intent for ever, and a venue that forgets its orders would take the same one again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .rows import digest_of

if TYPE_CHECKING:
    from .file import Connection

__all__ = ["prune"]

_BATCH: Final = 5_000


def prune(connection: Connection, before_ns: int) -> int:
    """Drop events from before an instant, and orders that ended before it with all of theirs.

    An order not known to have ended keeps every event; the newest event of all is always kept, for
    its number. Each transaction is bounded; one that fails leaves a journal that is whole.

    Returns:
        How many events were dropped.
    """
    had_orders = False
    while count := _drop_orders(connection, before_ns):
        had_orders = True
        if count < _BATCH:
            break
    if had_orders:
        connection.execute(
            "DELETE FROM venue_ids WHERE NOT EXISTS "
            "(SELECT 1 FROM orders WHERE orders.name = venue_ids.name)"
        )
    return _drop_events(connection, before_ns)


def _drop_events(connection: Connection, before_ns: int) -> int:
    newest = connection.execute("SELECT coalesce(max(sequence), 0) FROM events").fetchone()[0]
    kept = connection.execute(
        "SELECT sequence FROM events WHERE at_ns >= ? ORDER BY sequence LIMIT 1", (before_ns,)
    ).fetchone()
    end = min(newest, kept[0] if kept else newest)
    dropped, start = 0, 0
    while start < end:
        rows = connection.execute(
            "SELECT sequence FROM events WHERE sequence >= ? AND sequence < ? "
            "ORDER BY sequence LIMIT 1 OFFSET ?",
            (start, end, _BATCH),
        ).fetchone()
        stop = rows[0] if rows else end
        dropped += connection.execute(
            "DELETE FROM events WHERE sequence >= ? AND sequence < ? "
            "AND (name IS NULL OR NOT EXISTS (SELECT 1 FROM orders WHERE orders.name = "
            "events.name))",
            (start, stop),
        ).rowcount
        start = stop
    return dropped


def _drop_orders(connection: Connection, before_ns: int) -> int:
    """Drop a batch of orders that have ended; returns how many."""
    rows = connection.execute(
        "SELECT name, intent IS NOT NULL FROM orders WHERE ended_ns < ? LIMIT ?",
        (before_ns, _BATCH),
    ).fetchall()
    if not rows:
        return 0
    names = [(name,) for name, _ in rows]
    spent = [(digest_of(name),) for name, is_own in rows if is_own]
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("INSERT OR IGNORE INTO spent_ids VALUES (?)", spent)
        connection.executemany("DELETE FROM orders WHERE name = ?", names)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return len(rows)
