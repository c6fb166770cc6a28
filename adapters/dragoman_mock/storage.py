"""The file that keeps a venue between processes: one document, owned by one process at a time.

The lock is on a file beside it, because the document itself is replaced. The system frees it when
its process ends, however that ends, so a lock is never stale.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from dragoman.errors import ConfigurationError
from dragoman.orders.journal.lock import try_lock
from dragoman.times import MILLISECOND_NS, SECOND_NS, SystemClock

if TYPE_CHECKING:
    from pathlib import Path

    from dragoman.times import Clock

__all__ = ["StateFile"]

_FORMAT: Final = "dragoman mock venue"
_VERSION: Final = 1
_PATIENCE_NS: Final = 2 * SECOND_NS
_PAUSE_NS: Final = 20 * MILLISECOND_NS


class StateFile:
    """A venue's document. `acquire` before the first read, `release` after the last write.

    Args:
        path: Where it is; its folder is made when it is first acquired.
        clock: Measures the wait for another process, which lives in real time whatever the venue's.
        is_copy: Only read it: `acquire` and `write` then do nothing, and nobody is kept waiting.
    """

    def __init__(self, path: Path, clock: Clock | None = None, *, is_copy: bool = False) -> None:
        self._is_copy = is_copy
        self.path: Path = path.expanduser()
        self._clock = clock or SystemClock()
        self._lock: int | None = None

    async def acquire(self) -> None:
        """Become the only process that uses the file, waiting a moment for another to finish.

        Raises:
            ConfigurationError: Another process goes on using it, or the place can't be written.
        """
        if self._is_copy:
            return
        deadline_ns = self._clock.now_ns() + _PATIENCE_NS
        descriptor = self._open_lock()
        while not try_lock(descriptor):
            if self._clock.now_ns() >= deadline_ns:
                os.close(descriptor)
                message = f"{self.path} is in use by another process; end it or name another file"
                raise ConfigurationError(message, provider="mock")
            await self._clock.sleep_until_ns(self._clock.now_ns() + _PAUSE_NS)
        self._lock = descriptor

    def release(self) -> None:
        """Let others use the file. Idempotent."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def read(self) -> dict[str, object] | None:
        """Return what was written last; None if nothing was.

        Raises:
            ConfigurationError: The file can't be read, or is no document of this version.
        """
        try:
            document: object = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise self.refusal(f"can't be read: {type(error).__name__}") from None
        if not isinstance(document, dict):
            raise self.refusal("is no saved venue")
        return self._checked(cast("dict[str, object]", document))

    def write(self, venue: dict[str, object]) -> None:
        """Replace the document, so that a reader finds the old one or the new one, never a part.

        Raises:
            ConfigurationError: It can't be written; what was written before still stands.
        """
        if self._is_copy:
            return
        document = {"format": _FORMAT, "version": _VERSION, "venue": venue}
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            with suppress(FileNotFoundError):
                beside.unlink()
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                # In one piece: to write it piece by piece takes ten times as long.
                file.write(json.dumps(document, separators=(",", ":")))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except OSError as error:
            raise self.refusal(f"can't be written: {error.strerror}") from None

    def refusal(self, problem: str) -> ConfigurationError:
        """Return the error that says what is wrong with the file and what to do."""
        message = f"{self.path} {problem}; move it away, or name another state_file"
        return ConfigurationError(message, provider="mock")

    def _checked(self, document: dict[str, object]) -> dict[str, object]:
        venue = document.get("venue")
        if document.get("format") != _FORMAT or not isinstance(venue, dict):
            raise self.refusal("is no saved venue")
        if document.get("version") != _VERSION:
            raise self.refusal(f"is of version {document.get('version')}, not {_VERSION}")
        return cast("dict[str, object]", venue)

    def _open_lock(self) -> int:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = self.path.with_name(f"{self.path.name}.lock")
            return os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self.refusal(f"can't be locked: {error.strerror}") from None
