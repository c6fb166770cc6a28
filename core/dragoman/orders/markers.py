"""Marker files: a halt that other processes, and the next start, can see.

A marker that is there halts, whatever is in it: what can't be read is never taken for leave to go
on.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_marked", "marked_cause", "put_marker", "take_marker_away"]

_PRIVATE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700
_LONGEST: Final = 64 * 1024
_UNREADABLE: Final = "a halt marker that can't be read"
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)


def is_marked(marker: str) -> bool:
    """Tell whether anything is at that path, by one system call; a dangling link is something.

    A path that can't be looked at counts as marked.
    """
    try:
        os.lstat(marker)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def marked_cause(marker: str) -> str | None:
    """Return why a marker halts; None if there is none."""
    if not is_marked(marker):
        return None
    try:
        return str(json.loads(_read(marker))["cause"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return _UNREADABLE


def put_marker(marker: Path, text: str) -> None:
    """Write a marker so that it outlives the process and the power; an older one is replaced.

    It appears at once and whole, for its owner only, and never through a link.

    Raises:
        OSError: It can't be written; an older one stands.
    """
    _make_folders(marker.parent)
    draft = marker.with_name(f".{marker.name}.{os.urandom(8).hex()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, _PRIVATE)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(marker)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    _keep_folder(marker.parent)


def take_marker_away(marker: Path) -> None:
    """Take a marker away, if there is one, so that no loss of power brings it back.

    Raises:
        OSError: It can't be taken away.
    """
    try:
        marker.unlink()
    except FileNotFoundError:
        return
    _keep_folder(marker.parent)


def _make_folders(folder: Path) -> None:
    """Make what is missing of a path; `parents=True` would leave all but the last to the mask."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True, mode=_PRIVATE_FOLDER)


def _read(marker: str) -> str:
    # a pipe put in place of the marker must not hold up whoever looks at it
    flags = os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(marker, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(marker)
        return file.read(_LONGEST).decode()


def _keep_folder(folder: Path) -> None:
    """Make the folder's entries last; where folders can't be opened, the system sees to it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
