"""The file of a journal: made private, opened safely, and known for what it is.

A new file gets its tables under another name and is then renamed, so that one under its own name is
whole or damaged, never half made. A damaged one is refused: an empty journal in its place would let
orders be sent twice.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from dragoman.errors import InvalidValueError, JournalUnavailableError

from .port import Durability

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

__all__ = [
    "FORMAT",
    "Connection",
    "Execute",
    "open_for_reading",
    "open_for_writing",
    "prepare_folder",
    "reading",
    "unavailable",
]

Connection: TypeAlias = sqlite3.Connection
"""An open file; only this module and the owner's journal know that it is SQLite's."""

Execute: TypeAlias = "Callable[..., sqlite3.Cursor]"
"""The `execute` of one cursor: making a cursor for each statement costs as much as some do."""

FORMAT: Final = 1
"""The version of the tables and of what is in them."""
_APPLICATION: Final = 0x44524147
_PRIVATE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700
_BUSY_S: Final = 0.25
_PAGE: Final = 2048
"""A commit writes whole pages, and a record is small: half of the usual size takes less time."""
_TABLES: Final = (
    "CREATE TABLE shapes (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
    "CREATE TABLE orders (name TEXT PRIMARY KEY, intent, ended_ns INTEGER) WITHOUT ROWID",
    "CREATE INDEX orders_by_end ON orders (ended_ns)",
    "CREATE TABLE events (sequence INTEGER PRIMARY KEY, name TEXT, at_ns INTEGER NOT NULL, body)",
    "CREATE INDEX events_of_orders ON events (name) WHERE name IS NOT NULL",
    """CREATE TABLE venue_ids (symbol TEXT, venue_order_id TEXT, name TEXT NOT NULL,
    PRIMARY KEY (symbol, venue_order_id)) WITHOUT ROWID""",
    "CREATE TABLE spent_ids (digest BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE proofs (subject TEXT PRIMARY KEY, venue_time_ns INTEGER NOT NULL) WITHOUT ROWID",
)
_SYNCHRONOUS: Final = {Durability.PROCESS: "NORMAL", Durability.POWER: "FULL"}


def prepare_folder(folder: Path, state_dir: Path) -> None:
    """Make the folders between `state_dir` and `folder`, each for its owner alone.

    Raises:
        JournalUnavailableError: One of them can't be made, or is a symbolic link.
    """
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
        for each in (folder.parent, folder):
            each.mkdir(exist_ok=True, mode=_PRIVATE_FOLDER)
            _require(each, stat.S_ISDIR, "a folder")
            each.chmod(_PRIVATE_FOLDER)
    except OSError as error:
        raise unavailable(folder, error, "choose a state_dir that can be written") from None


def open_for_writing(path: Path, durability: Durability) -> sqlite3.Connection:
    """Open the file, made if there is none; the caller holds the lock of the account.

    Raises:
        JournalUnavailableError: It can't be opened, or is no journal of this version.
    """
    beside = [path.with_name(f"{path.name}-{end}") for end in ("wal", "shm")]
    with reading(path):
        if not path.is_symlink() and not path.exists():
            _refuse_orphan(path, beside[0])
            _make(path)
        for each in (path, *beside):
            _make_private(each)
        connection = _connect(path)
        try:
            _check(path, connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
            connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
        return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a file that somebody else owns; nothing can be written through this connection.

    Raises:
        JournalUnavailableError: It can't be opened, or is no journal of this version.
    """
    with reading(path):
        _require(path, stat.S_ISREG, "a file")
        connection = _connect(path)
        try:
            connection.execute("PRAGMA query_only = ON")
            _check(path, connection)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def reading(path: Path) -> Generator[None]:
    """Turn what goes wrong with the file into `JournalUnavailableError`."""
    try:
        yield
    except (sqlite3.Error, OSError, InvalidValueError) as error:
        step = "mend or restore the file, or move it away knowing what orders are open at the venue"
        raise unavailable(path, error, step) from None


def unavailable(path: Path, error: Exception, step: str) -> JournalUnavailableError:
    """Return the error for a failure of the store; it says no more of it than its name."""
    cause = getattr(error, "sqlite_errorname", None) or getattr(error, "strerror", None)
    named = f"{type(error).__name__}: {cause}" if cause else type(error).__name__
    return JournalUnavailableError(f"the journal {path} can't be used ({named}); {step}")


def _connect(path: Path) -> sqlite3.Connection:
    # No thread but the owner's writes; the state of a connection is read from others.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )


def _make(path: Path) -> None:
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.with_name(f"{new.name}-journal").unlink(missing_ok=True)
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(new, flags, _PRIVATE))
    new.chmod(_PRIVATE)
    with closing(_connect(new)) as connection:
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute("BEGIN IMMEDIATE")
        for table in _TABLES:
            connection.execute(table)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("COMMIT")
    new.rename(path)


def _check(path: Path, connection: sqlite3.Connection) -> None:
    application = _number(connection, "application_id")
    version = _number(connection, "user_version")
    if application != _APPLICATION:
        raise JournalUnavailableError(
            f"{path} is damaged or no journal of this library; restore it, or move it away "
            "knowing what orders are open at the venue"
        )
    if version > FORMAT:
        raise JournalUnavailableError(
            f"the journal {path} has format {version}, and this version of the library reads "
            f"up to {FORMAT}: use the version that wrote it, or a newer one"
        )


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    (value,) = connection.execute(f"PRAGMA {pragma}").fetchone()
    return int(value)


def _refuse_orphan(path: Path, log: Path) -> None:
    """Refuse to begin anew where a log of commits shows that a journal has been lost."""
    if log.exists() and log.stat().st_size:
        raise JournalUnavailableError(
            f"the journal {path} is gone, but its log {log.name} is there: restore the file, or "
            "move the log away knowing what orders are open at the venue"
        )


def _make_private(path: Path) -> None:
    if path.is_symlink() or path.exists():
        _require(path, stat.S_ISREG, "a file")
        path.chmod(_PRIVATE)


def _require(path: Path, is_kind: Callable[[int], bool], wanted: str) -> None:
    if not is_kind(path.lstat().st_mode):
        raise JournalUnavailableError(
            f"{path} is not {wanted} but a link or something else, and is not followed: remove it"
        )
