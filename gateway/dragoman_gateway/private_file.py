"""Files for their owner alone: made so, and refused where they are anything else."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from dragoman.errors import ConfigurationError, JournalUnavailableError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["make_private", "read_private"]

_PRIVATE: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_LARGEST: Final = 1024 * 1024


def make_private(path: Path) -> None:
    """Make a database file if there is none, for its owner alone; links are not followed.

    Raises:
        JournalUnavailableError: It, or what lies beside it, is not a file.
        OSError: It can't be made.
    """
    flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(path, flags, _PRIVATE))
    for each in (path, *(path.with_name(f"{path.name}-{end}") for end in ("wal", "shm"))):
        if each.is_symlink() or each.exists():
            if not stat.S_ISREG(each.lstat().st_mode):
                raise JournalUnavailableError(f"{each} is not a file: remove it")
            each.chmod(_PRIVATE)


def read_private(path: Path, *, holds_secrets: bool = True) -> bytes:
    """Return what is in a file, up to a megabyte.

    Args:
        path: The file.
        holds_secrets: Whether it holds what nobody else may read.

    Raises:
        ConfigurationError: It can't be read, or others can read the secrets in it (NOT_SENT).
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_LARGEST)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {type(error).__name__}") from None
    if holds_secrets and os.name == "posix" and status.st_mode & _OTHERS:
        raise ConfigurationError(f"{path} holds keys but others may read it; run: chmod 600 {path}")
    return content
