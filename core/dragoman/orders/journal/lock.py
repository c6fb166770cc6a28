"""Who may send the orders of an account: one owner at a time, for as long as it lives.

The lock belongs to the operating system, which takes it back when its owner dies. A child that is
forked would hold it as well and outlive its parent with it, so every lock held here is listed in a
table of the process, and given up in the child.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from dragoman.errors import JournalUnavailableError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["AccountLock", "try_lock"]

_PRIVATE: Final = 0o600
_FLAGS: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_WIDTH: Final = 20
_LENGTH: Final = 2 * (_WIDTH + 1)
_HELD: Final[WeakSet[AccountLock]] = WeakSet()


class AccountLock:
    """The lock file of one account. It also keeps two numbers that must outlive a full disk.

    They are written in place, into room that was taken when the file was made: the owner's process
    id, and the newest sequence that was handed out for an event that could not be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this object holds the lock; false in a forked child, whatever the parent does."""
        return self._descriptor is not None

    @property
    def owner_pid(self) -> int | None:
        """The process that took the lock last; None if the file does not say."""
        return self._read()[0] or None

    @property
    def handed_out(self) -> int:
        """The newest sequence noted; 0 if none ever was."""
        return self._read()[1]

    def acquire(self) -> bool:
        """Take the lock; returns whether it was free. Never waits.

        Raises:
            JournalUnavailableError: The file can't be opened, or is a symbolic link.
        """
        try:
            descriptor = os.open(self._path, _FLAGS, _PRIVATE)
        except OSError as error:
            message = f"{self._path} can't be opened ({type(error).__name__}: {error.strerror})"
            raise JournalUnavailableError(
                f"{message}; a folder that is yours alone is needed there, without links"
            ) from None
        if not try_lock(descriptor):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        _HELD.add(self)
        with contextlib.suppress(OSError):  # who owns it is told where it can be, for people
            _make_private(descriptor)
            self._write(os.getpid(), self.handed_out)
        return True

    def note(self, sequence: int) -> None:
        """Note the newest sequence handed out for an event that is not written.

        Best effort: a disk that takes no byte at all takes this one neither.
        """
        with contextlib.suppress(OSError):
            self._write(os.getpid(), sequence)

    def release(self) -> None:
        """Give the lock back. Idempotent."""
        _HELD.discard(self)
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _write(self, pid: int, sequence: int) -> None:
        if self._descriptor is not None:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, f"{pid:{_WIDTH}} {sequence:{_WIDTH}}\n".encode())

    def _read(self) -> tuple[int, int]:
        try:
            pid, sequence = self._path.read_text("ascii")[:_LENGTH].split()
            return int(pid), int(sequence)
        except (OSError, ValueError):
            return 0, 0


def _make_private(descriptor: int) -> None:
    if sys.platform != "win32":
        os.fchmod(descriptor, _PRIVATE)


if sys.platform == "win32":
    import msvcrt

    _FAR: Final = 1 << 30

    def try_lock(descriptor: int) -> bool:
        """Lock an open file for this process alone; returns whether nobody else holds it.

        The byte that is locked lies far behind the end: a locked one can't be read by others.
        """
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Lock an open file for this process alone; returns whether nobody else holds it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _give_up_in_child() -> None:
        for lock in tuple(_HELD):
            lock.release()

    os.register_at_fork(after_in_child=_give_up_in_child)
