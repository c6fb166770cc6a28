"""Waiting in a thread so that an interrupt ends the wait and breaks nothing.

`threading.Event` and `Condition` are written in Python: an interrupt inside them can come out as
another error. And a signal that arrives just before a thread starts to wait does not end the wait,
so no wait is longer than a slice.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Final

__all__ = ["SLICE_S", "Bell", "Gate"]

SLICE_S: Final = 0.1
"""How long a thread waits at a stretch."""


class Bell:
    """Wakes one thread that waits; a ring that nobody hears is kept for the next, but only one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def ring(self) -> None:
        """Wake one."""
        with suppress(RuntimeError):  # it rings already
            self._lock.release()

    def wait(self, timeout_s: float = SLICE_S) -> bool:
        """Return when it rings, or False after a slice at most."""
        return self._lock.acquire(timeout=min(timeout_s, SLICE_S))


class Gate:
    """Opens once, for every thread that waits or will come."""

    def __init__(self) -> None:
        self.is_open: bool = False
        self._bell = Bell()

    def open(self) -> None:
        """Let everybody through."""
        self.is_open = True
        self._bell.ring()

    def wait(self) -> None:
        """Return when it is open."""
        while not self.is_open:
            self._bell.wait()
        self._bell.ring()
