"""The leave to write the first byte of a command that may add exposure, taken at the last moment.

Whoever sends a command issues a permit; the transport, however deep below an adapter, asks for it
right before the first byte. Adapters never see it, so none can forget it. Every permit of an
account shares one lock with its halt: once a halt has returned, no first byte is written.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from types import TracebackType

__all__ = ["SendPermit", "current_permit"]

_current: Final[ContextVar[SendPermit | None]] = ContextVar("send permit", default=None)


def current_permit() -> SendPermit | None:
    """Return the permit that this task sends under; None where nobody issued one."""
    return _current.get()


class SendPermit:
    """One command's leave to write, valid in the task that entered it and in those it starts.

    `with SendPermit(check, lock): await adapter.submit(...)` issues it; the transport writes the
    first byte inside `with permit.writing():`, without awaiting in between.

    Args:
        check: Raises the error (NOT_SENT) that forbids to write; called with the lock held.
        lock: Shared with whoever changes what `check` looks at.
    """

    __slots__ = ("_check", "_lock", "_token", "is_used")

    def __init__(
        self, check: Callable[[], None], lock: threading.Lock | threading.RLock | None = None
    ) -> None:
        self._check = check
        self._lock = lock or threading.Lock()
        self._token: Token[SendPermit | None] | None = None
        self.is_used: bool = False
        """Whether a byte may have been written; then no error can prove that none was."""

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)

    def has_written(self) -> bool:
        """Return `is_used` as it stands once no other thread is being checked. From any thread.

        Read without the lock, a permit that is just being refused looks used. A signal handler
        which interrupts the check itself can't wait for it, and is told True.
        """
        with self._lock:
            return self.is_used

    def writing(self) -> _Writing:
        """Return the context to write the first byte in: it checks, holds the lock, and notes it.

        Entering raises what `check` raises (NOT_SENT).
        """
        return _Writing(self)

    def begin(self) -> None:
        """Take the lock, check, and note that a byte may be written; `end` gives the lock back."""
        self._lock.acquire()
        was_used, self.is_used = self.is_used, True  # a signal may halt as soon as it is checked
        try:
            self._check()
        except BaseException:
            self.is_used = was_used
            self._lock.release()
            raise

    def end(self) -> None:
        """Give the lock back."""
        self._lock.release()


class _Writing:
    __slots__ = ("_permit",)

    def __init__(self, permit: SendPermit) -> None:
        self._permit = permit

    def __enter__(self) -> None:
        self._permit.begin()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._permit.end()
