"""The signals that end a process that serves."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["End", "told_to_end"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class End:
    """That the process is told to end: first that ends the start, later the wait."""

    def __init__(self) -> None:
        self.was_told = False
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._event = asyncio.Event()
        self.is_awaited = False

    async def wait(self) -> None:
        """Return when a signal came."""
        self.is_awaited = True
        await self._event.wait()

    def tell(self) -> None:
        """Take note of a signal; called by its handler, between any two steps of the process."""
        self.was_told = True
        self._loop.call_soon_threadsafe(self._act)

    def _act(self) -> None:
        if self.is_awaited:
            self._event.set()
        elif self._task is not None:
            self._task.cancel()


@contextmanager
def told_to_end() -> Generator[End]:
    """Turn the first signal into a regular end; the next one is as rude as it ever was."""
    end = End()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number: int, frame: object) -> None:  # noqa: ARG001 - of the signature
        restore()
        end.tell()

    for number in _SIGNALS:
        signal.signal(number, handle)
    try:
        yield end
    finally:
        restore()
