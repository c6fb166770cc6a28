"""What has been answered to whom: in a file beside the account's journal, or in memory.

A row is written before what it stands for is begun, so that a repeat after a crash is known for
one. Names are digests under a salt of the store: the file tells no key of a client, and no client
finds the row of another. Ids drawn for a request rest on the salt and not on the row, so that
losing a row, as with the last writes before a power cut, never lets an order be named anew.
"""

from __future__ import annotations

import hmac
import json
import secrets
import sqlite3
from abc import ABC, abstractmethod
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast

import attrs

from dragoman.errors import JournalUnavailableError
from dragoman.orders.journal import journal_path
from dragoman.orders.journal.file import prepare_folder
from dragoman.times import DAY_NS

from .private_file import make_private

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from dragoman.broker import Broker

__all__ = ["Answer", "AnswerFile", "AnswerMemory", "AnswerStore", "Record", "store_path"]

KEPT_NS: Final = DAY_NS
"""For how long an answer is kept."""
MOST: Final = 100_000
"""How many rows one scope may have; the oldest give way."""
FORMAT: Final = 1
_APPLICATION: Final = 0x44524741
_BUSY_S: Final = 2.0
_PRUNED_EVERY: Final = 1024
_SALT_BYTES: Final = 32
_PAGE: Final = 2048
"""A commit writes whole pages, and a row is small: half of the usual size takes less time."""
_TABLES: Final = (
    """CREATE TABLE answers (number INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE,
    scope BLOB NOT NULL, fingerprint BLOB NOT NULL, begun_ns INTEGER NOT NULL, status INTEGER,
    headers TEXT, body BLOB)""",
    "CREATE INDEX answers_by_scope ON answers (scope, number)",
    "CREATE TABLE salts (salt BLOB NOT NULL)",
)
_FIND: Final = (
    "SELECT fingerprint, status, headers, body FROM answers WHERE name = ? AND begun_ns > ?"
)
_WRITE: Final = (
    "INSERT OR REPLACE INTO answers (name, scope, fingerprint, begun_ns) VALUES (?, ?, ?, ?)"
)
_MARKS: Final = ("application_id", "user_version")


@attrs.frozen(kw_only=True)
class Answer:
    """An answer as it was given, but for what belongs to one exchange alone."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@attrs.frozen(kw_only=True)
class Record:
    """What is known of a request: None as the answer means that it was begun, no more."""

    fingerprint: bytes
    answer: Answer | None = None
    is_new: bool = False


class AnswerStore(ABC):
    """The requests of one account that carried a key, and their answers, for a day."""

    @property
    @abstractmethod
    def salt(self) -> bytes:
        """The secret that names and ids are made with; the same for as long as the store lasts."""

    @abstractmethod
    def begin(self, scope: str, key: str, fingerprint: bytes, now_ns: int) -> Record:
        """Return what is known of a key within a scope; one that is not known is written down.

        Raises:
            JournalUnavailableError: It can't be read or written (NOT_SENT).
        """

    @abstractmethod
    def settle(self, scope: str, key: str, answer: Answer) -> None:
        """Keep the answer to what was begun. One that has been pruned meanwhile is not kept.

        Raises:
            JournalUnavailableError: It can't be written.
        """

    @abstractmethod
    def close(self) -> None:
        """Close it. Idempotent."""

    def digest(self, *parts: str) -> bytes:
        """Return the digest of texts under the salt."""
        packed = b"".join(
            len(part).to_bytes(8, "big") + part
            for part in (text.encode(errors="surrogatepass") for text in parts)
        )
        return hmac.digest(self.salt, packed, "sha256")


def store_path(broker: Broker) -> Path | None:
    """Return the file for the answers of an account; None where its broker keeps nothing."""
    if broker.state_dir is None:
        return None
    journal = journal_path(broker.state_dir, broker.provider, broker.account_id)
    return journal.with_suffix(".answers")


class AnswerMemory(AnswerStore):
    """A store that ends with the process.

    Args:
        most: How many rows one scope may have.
    """

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._salt = secrets.token_bytes(_SALT_BYTES)
        self._scopes: dict[str, OrderedDict[str, tuple[int, Record]]] = {}

    @property
    def salt(self) -> bytes:
        """The secret that names and ids are made with."""
        return self._salt

    def begin(self, scope: str, key: str, fingerprint: bytes, now_ns: int) -> Record:
        """Return what is known of a key; one that is not known is kept from now on."""
        rows = self._scopes.setdefault(scope, OrderedDict())
        while rows and next(iter(rows.values()))[0] <= now_ns - KEPT_NS:
            rows.popitem(last=False)
        if key in rows:
            return rows[key][1]
        rows[key] = (now_ns, Record(fingerprint=fingerprint))
        if len(rows) > self._most:
            rows.popitem(last=False)
        return Record(fingerprint=fingerprint, is_new=True)

    def settle(self, scope: str, key: str, answer: Answer) -> None:
        """Keep the answer to what was begun."""
        rows = self._scopes.get(scope, OrderedDict())
        if key in rows:
            begun_ns, record = rows[key]
            rows[key] = (begun_ns, attrs.evolve(record, answer=answer))

    def close(self) -> None:
        """Forget it all."""
        self._scopes.clear()


class AnswerFile(AnswerStore):
    """A store in a file: in WAL mode, so that a process that dies leaves every commit, whole.

    Writing a row inline takes less than handing it to a thread does.

    Args:
        path: The file; made, with its folders, if there is none.
        state_dir: The state folder it lies in.
        now_ns: The time now; what is too old by then is pruned.
        most: How many rows one scope may have.

    Raises:
        JournalUnavailableError: The file can't be opened, or is none of this version.
    """

    def __init__(self, path: Path, state_dir: Path, *, now_ns: int, most: int = MOST) -> None:
        self._path = path
        self._most = most
        self._begun = 0
        prepare_folder(path.parent, state_dir)
        with self._using():
            make_private(path)
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=_BUSY_S,
                isolation_level=None,
            )
            try:
                self._salt = self._prepare()
                self._forget(now_ns)
            except BaseException:
                self._connection.close()
                raise

    @property
    def salt(self) -> bytes:
        """The secret that names and ids are made with."""
        return self._salt

    def begin(self, scope: str, key: str, fingerprint: bytes, now_ns: int) -> Record:
        """Return what is known of a key within a scope; one that is not known is written down."""
        name, owner = self.digest(scope, key), self.digest(scope)
        with self._using():
            self._begun += 1
            if self._begun % _PRUNED_EVERY == 0:
                self._forget(now_ns)
                self._make_room(owner)
            row = self._connection.execute(_FIND, (name, now_ns - KEPT_NS)).fetchone()
            if row is None:
                self._connection.execute(_WRITE, (name, owner, fingerprint, now_ns))
                return Record(fingerprint=fingerprint, is_new=True)
        return self._record(row)

    def settle(self, scope: str, key: str, answer: Answer) -> None:
        """Keep the answer to what was begun."""
        with self._using():
            self._connection.execute(
                "UPDATE answers SET status = ?, headers = ?, body = ? WHERE name = ?",
                (answer.status, json.dumps(answer.headers), answer.body, self.digest(scope, key)),
            )

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._connection.close()

    def _record(self, row: tuple[bytes, int | None, str, bytes]) -> Record:
        fingerprint, status, headers, body = row
        if status is None:
            return Record(fingerprint=fingerprint)
        try:
            read = cast("list[tuple[str, str]]", json.loads(headers))
            kept = tuple((str(name), str(value)) for name, value in read)
        except (TypeError, ValueError, RecursionError):
            raise JournalUnavailableError(
                f"the answers kept in {self._path} are damaged: move the file away"
            ) from None
        answer = Answer(status=status, headers=kept, body=body)
        return Record(fingerprint=fingerprint, answer=answer)

    def _forget(self, now_ns: int) -> None:
        """Delete what is too old: rows are numbered as they come."""
        self._connection.execute(
            "DELETE FROM answers WHERE number < coalesce((SELECT min(number) FROM answers "
            "WHERE begun_ns > ?), 9223372036854775807)",
            (now_ns - KEPT_NS,),
        )

    def _make_room(self, owner: bytes) -> None:
        self._connection.execute(
            "DELETE FROM answers WHERE scope = ? AND number <= (SELECT number FROM answers "
            "WHERE scope = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
            (owner, owner, self._most),
        )

    def _prepare(self) -> bytes:
        execute = self._connection.execute
        execute(f"PRAGMA page_size = {_PAGE}")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")  # the salt is to outlive a power cut
        execute("BEGIN IMMEDIATE")
        marks = [int(execute(f"PRAGMA {name}").fetchone()[0]) for name in _MARKS]
        if marks == [0, 0]:
            for table in _TABLES:
                execute(table)
            execute("INSERT INTO salts VALUES (?)", (secrets.token_bytes(_SALT_BYTES),))
            execute(f"PRAGMA application_id = {_APPLICATION}")
            execute(f"PRAGMA user_version = {FORMAT}")
        elif marks != [_APPLICATION, FORMAT]:
            raise JournalUnavailableError(
                f"{self._path} is damaged, or not of format {FORMAT}: use the version that wrote it"
            )
        execute("COMMIT")
        execute("PRAGMA synchronous = NORMAL")
        row = execute("SELECT salt FROM salts").fetchone()
        if row is None:
            raise JournalUnavailableError(f"{self._path} is damaged: move the file away")
        return bytes(row[0])

    @contextmanager
    def _using(self) -> Generator[None]:
        """Turn what goes wrong with the file into `JournalUnavailableError`."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            cause = getattr(error, "sqlite_errorname", None) or getattr(error, "strerror", None)
            named = f"{type(error).__name__}: {cause}" if cause else type(error).__name__
            raise JournalUnavailableError(
                f"the answers kept in {self._path} can't be used ({named}); make the file "
                "readable and writable, or free space"
            ) from None
