"""Where the command line keeps what outlives it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import platformdirs

__all__ = ["state_folder"]

_VARIABLE: Final = "DRAGOMAN_STATE_DIR"


def state_folder(given: Path | None = None) -> Path:
    """Return the state folder: the one given, DRAGOMAN_STATE_DIR, or the platform's own.

    Halts are kept there, and the mock's venue.
    """
    if given is not None:
        return given.expanduser()
    named = os.environ.get(_VARIABLE)
    if named:
        return Path(named).expanduser()
    return Path(platformdirs.user_state_dir("dragoman", appauthor=False))
