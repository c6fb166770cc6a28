"""The durable identity map of an account: a SQLite file beside the account's journal.

It is a file of its own, because a foreign id may be shown by any process that reads the account,
while the journal belongs to the one that sends its orders. Every statement is one transaction, so
several processes never give one id twice.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final, cast

from dragoman.errors import JournalUnavailableError
from dragoman.orders.journal import journal_path
from dragoman.orders.journal.file import prepare_folder

from .identity import Identity, check_identity, taken

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

__all__ = ["IdentityFile", "identity_path"]

FORMAT: Final = 1
"""The version of the tables."""
_APPLICATION: Final = 0x44524749
_PRIVATE: Final = 0o600
_BUSY_S: Final = 2.0
_PAGE: Final = 500
_TABLES: Final = (
    """CREATE TABLE identities (number INTEGER PRIMARY KEY, dialect TEXT NOT NULL,
    kind TEXT NOT NULL, foreign_id TEXT NOT NULL, key TEXT NOT NULL, attributes TEXT NOT NULL,
    UNIQUE (dialect, kind, foreign_id))""",
    "CREATE INDEX identities_by_key ON identities (dialect, kind, key, number)",
    """CREATE TABLE counters (dialect TEXT, kind TEXT, last INTEGER NOT NULL,
    PRIMARY KEY (dialect, kind)) WITHOUT ROWID""",
)
_SELECT: Final = "SELECT foreign_id, key, attributes FROM identities WHERE dialect = ? AND kind = ?"


def identity_path(state_dir: Path, provider: str, account_id: str) -> Path:
    """Return the file that holds the foreign ids of an account."""
    return journal_path(state_dir, provider, account_id).with_suffix(".identities")


class IdentityFile:
    """An `IdentityMap` in a file: that of one dialect.

    Args:
        path: The file; made, with its folders, if there is none.
        state_dir: The state folder it lies in.
        dialect: Whose ids.

    Raises:
        JournalUnavailableError: The file can't be opened, or is none of this version.
    """

    def __init__(self, path: Path, state_dir: Path, dialect: str) -> None:
        self._path = path
        self._dialect = dialect
        prepare_folder(path.parent, state_dir)
        with self._using():
            _make_private(path)
            self._connection = _connect(path)
            try:
                _prepare(path, self._connection)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._connection.close()

    def get(self, kind: str, foreign_id: str) -> Identity | None:
        """Return what a foreign id stands for."""
        with self._using():
            return self._get(kind, foreign_id)

    def find(self, kind: str, key: str) -> Identity | None:
        """Return the newest foreign id of a core key."""
        with self._using():
            return self._find(kind, key)

    def put(
        self, kind: str, foreign_id: str, key: str, attributes: Mapping[str, str] | None = None
    ) -> Identity:
        """Remember a foreign id."""
        with self._writing():
            return self._put(kind, foreign_id, key, attributes)

    def allocate(
        self, kind: str, key: str, *, first: int = 1, attributes: Mapping[str, str] | None = None
    ) -> Identity:
        """Give a key the next whole number of its kind."""
        with self._writing():
            known = self._find(kind, key)
            if known is not None:
                return self._put(kind, known.foreign_id, key, attributes)
            asked = (self._dialect, kind)
            row = self._connection.execute(
                "SELECT last FROM counters WHERE dialect = ? AND kind = ?", asked
            ).fetchone()
            number = first if row is None else int(row[0]) + 1
            identity = self._put(kind, str(number), key, attributes)
            self._connection.execute(
                "INSERT OR REPLACE INTO counters VALUES (?, ?, ?)", (*asked, number)
            )
            return identity

    def all(self, kind: str) -> Iterator[Identity]:
        """Yield every identity of a kind; read page by page, so others may be put meanwhile."""
        after = 0
        while True:
            with self._using():
                rows = self._connection.execute(
                    "SELECT number, foreign_id, key, attributes FROM identities "
                    "WHERE dialect = ? AND kind = ? AND number > ? ORDER BY number LIMIT ?",
                    (self._dialect, kind, after, _PAGE),
                ).fetchall()
            for _, foreign_id, key, attributes in rows:
                yield _identity(kind, foreign_id, key, attributes)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def _get(self, kind: str, foreign_id: str) -> Identity | None:
        asked = (self._dialect, kind, foreign_id)
        row = self._connection.execute(f"{_SELECT} AND foreign_id = ?", asked).fetchone()
        return None if row is None else _identity(kind, *row)

    def _find(self, kind: str, key: str) -> Identity | None:
        asked = (self._dialect, kind, key)
        row = self._connection.execute(
            f"{_SELECT} AND key = ? ORDER BY number DESC LIMIT 1", asked
        ).fetchone()
        return None if row is None else _identity(kind, *row)

    def _put(
        self, kind: str, foreign_id: str, key: str, attributes: Mapping[str, str] | None
    ) -> Identity:
        known = self._get(kind, foreign_id)
        if known is not None and known.key != key:
            raise taken(kind, foreign_id)
        if known is not None and not attributes:
            return known
        kept = {**(known.attributes if known else {}), **(attributes or {})}
        identity = check_identity(
            Identity(kind=kind, foreign_id=foreign_id, key=key, attributes=kept)
        )
        self._connection.execute(
            "INSERT INTO identities (dialect, kind, foreign_id, key, attributes) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (dialect, kind, foreign_id) "
            "DO UPDATE SET attributes = excluded.attributes",
            (self._dialect, kind, foreign_id, key, json.dumps(kept)),
        )
        return identity

    @contextmanager
    def _writing(self) -> Generator[None]:
        """Do all that follows in one transaction, or nothing of it."""
        with self._using():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _using(self) -> Generator[None]:
        """Turn what goes wrong with the file into `JournalUnavailableError`."""
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeEncodeError) as error:
            cause = getattr(error, "sqlite_errorname", None) or getattr(error, "strerror", None)
            named = f"{type(error).__name__}: {cause}" if cause else type(error).__name__
            raise JournalUnavailableError(
                f"the ids of foreign clients in {self._path} can't be used ({named}); make the "
                "file readable and writable, or free space"
            ) from None


def _identity(kind: str, foreign_id: str, key: str, attributes: str) -> Identity:
    try:
        read = json.loads(attributes)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise JournalUnavailableError(f"the file of foreign ids is damaged at a {kind}")
    known = cast("dict[str, str]", read)
    return Identity(kind=kind, foreign_id=foreign_id, key=key, attributes=known)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S, isolation_level=None
    )


def _make_private(path: Path) -> None:
    """Make the file if there is none, for its owner alone; links are not followed."""
    flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(path, flags, _PRIVATE))
    for each in (path, *(path.with_name(f"{path.name}-{end}") for end in ("wal", "shm"))):
        if each.is_symlink() or each.exists():
            if not stat.S_ISREG(each.lstat().st_mode):
                raise JournalUnavailableError(f"{each} is not a file: remove it")
            each.chmod(_PRIVATE)


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    application = _number(connection, "application_id")
    version = _number(connection, "user_version")
    if (application, version) == (0, 0):
        for table in _TABLES:
            connection.execute(table)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")
    if (application, version) not in {(0, 0), (_APPLICATION, FORMAT)}:
        raise JournalUnavailableError(
            f"{path} is damaged, or not of format {FORMAT}: use the version that wrote it"
        )


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    with closing(connection.execute(f"PRAGMA {pragma}")) as found:
        return int(found.fetchone()[0])
