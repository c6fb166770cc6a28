"""Ordinary iterators over what is read on the loop, page by page."""

from __future__ import annotations

import threading
import weakref
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from .call import Call
from .line import Line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType
    from typing import Self

    from .loop_thread import LoopThread

__all__ = ["SyncIterator"]

Item = TypeVar("Item")

_AHEAD: Final = 256


class SyncIterator(Iterator[Item]):
    """Reads on demand, a bounded number of items ahead: nothing before the first `next()`.

    Ends as the source ends; after an error each further `next()` raises that error again, so that
    a part is never taken for the whole. Several threads may share it: each item goes to one of
    them. `close()`, leaving a `with` block, or dropping it ends the reading early.
    """

    def __init__(self, loop: LoopThread, source: AsyncIterator[Item]) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        line: Line[Item] = Line(loop.service, _AHEAD)
        self._line = line
        self._reading = Call(
            lambda: _read(source, line),
            loop.service.provider,
            name="an iteration",
            on_end=line.end,
        )
        self._drop = weakref.finalize(self, _stop, loop, self._reading)
        self._drop.atexit = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Item:
        if not self._reading.is_asked:
            self._start()
        for item in self._line.take(1):
            return item
        self._drop.detach()
        raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading, forget what was read ahead, and return when that is done. Idempotent."""
        service = self._loop.service
        if service.is_foreign:
            return
        service.check_caller()
        with self._lock:
            self._line.close()
            _stop(self._loop, self._reading)
        self._reading.wait()
        self._drop.detach()

    def _start(self) -> None:
        self._loop.service.check_caller()
        with self._lock:
            if not self._reading.is_asked:
                self._loop.service.begin(self._reading)


def _stop(loop: LoopThread, reading: Call[None]) -> None:
    """Stop a reading without waiting for it; one that was never asked for has nothing to stop."""
    if reading.is_asked:
        loop.service.soon(reading.cancel)
    else:
        reading.is_asked = True
        reading.refuse()


async def _read(source: AsyncIterator[Item], line: Line[Item]) -> None:
    try:
        async for item in source:
            await line.put((item,))
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()
