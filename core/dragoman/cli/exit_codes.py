"""What a command's exit code says."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """The exit codes of every command, as `dragoman --help` lists them."""

    DONE = 0
    REJECTED = 1
    NOT_SENT = 2
    CONFIGURATION = 3
    UNKNOWN = 4
    UNAVAILABLE = 5
    HALTED = 6
    STILL_OPEN = 7
    BUG = 70
    INTERRUPTED = 130
    PIPE_CLOSED = 141
