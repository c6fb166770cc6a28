"""Which journal an account gets, and where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from dragoman.times import DAY_NS

from .port import Durability, MemoryJournal

if TYPE_CHECKING:
    from pathlib import Path

    from .port import Journal

__all__ = ["KEPT_NS", "journal_path", "open_journal"]

KEPT_NS: Final = 30 * DAY_NS
"""For how long events, and orders that have ended, are kept."""


def journal_path(state_dir: Path, provider: str, account_id: str) -> Path:
    """Return the file that holds the journal of an account."""
    folder = state_dir / "journals" / quote(provider, safe="")
    return folder / f"{quote(account_id, safe='')}.sqlite3"


def open_journal(
    provider: str,
    account_id: str,
    state_dir: Path | None,
    durability: Durability = Durability.PROCESS,
    *,
    now_ns: int,
    kept_ns: int = KEPT_NS,
) -> Journal:
    """Open the journal of an account: a file below `state_dir`, or memory where that is None.

    The first to open a file owns it until it closes it or dies; everybody else, in this process
    too, is a guest, who reads it and can't send orders. What is older than `kept_ns` is dropped,
    except orders not known to have ended.

    Raises:
        JournalUnavailableError: The file can't be opened, or is none of this library's (NOT_SENT).
    """
    if state_dir is None:
        return MemoryJournal()
    from .file import prepare_folder  # noqa: PLC0415
    from .guest import GuestJournal  # noqa: PLC0415 - sqlite3 is loaded when it is used
    from .lock import AccountLock  # noqa: PLC0415
    from .sqlite import SqliteJournal  # noqa: PLC0415

    path = journal_path(state_dir, provider, account_id)
    prepare_folder(path.parent, state_dir)
    lock = AccountLock(path.with_suffix(".lock"))
    if not lock.acquire():
        return GuestJournal(path, lock.owner_pid, now_ns=now_ns)
    try:
        return SqliteJournal(path, lock, durability, now_ns=now_ns, kept_ns=kept_ns)
    except BaseException:
        lock.release()
        raise
