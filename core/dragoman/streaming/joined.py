"""Several streams read as one: an adapter's answer where a subscription lies on many connections.

Each stream is entered, read and left by a task of its own. Their batches come in the order of each,
and in no order between them.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from dragoman.errors import ClosedError, DragomanError, StreamLostError
from dragoman.tasks import TaskScope
from dragoman.transport.link_errors import report, where

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from dragoman.models.events import Event

__all__ = ["JoinedStream", "joined_stream"]

_MOST_WAITING: Final = 256


class JoinedStream:
    """Batches of several streams. One reader; it may be canceled while it waits, and read on."""

    def __init__(self) -> None:
        self._batches: list[Sequence[Event]] = []
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()
        self._ending: BaseException | None = None

    def __aiter__(self) -> JoinedStream:
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return all events that have come since the last batch, waiting for one.

        Raises:
            DragomanError: What ended one of the streams.
        """
        await self._news.wait()
        batches, self._batches = self._batches, []
        self._space.set()
        if not batches and self._ending is not None:
            raise self._ending
        if self._ending is None:
            self._news.clear()
        if len(batches) == 1:
            return batches[0]
        return [event for batch in batches for event in batch]

    async def put(self, batch: Sequence[Event]) -> None:
        """Add a batch; waits while the reader is behind."""
        if not batch:
            return
        await self._space.wait()
        if self._ending is not None:
            return
        self._batches.append(batch)
        self._news.set()
        if len(self._batches) >= _MOST_WAITING:
            self._space.clear()

    def end(self, ending: BaseException) -> None:
        """Raise `ending` to the reader after all that waits."""
        self._ending = self._ending or ending
        self._news.set()


class _Source:
    """One of the streams; `opened` is done with None, or with why it did not open."""

    def __init__(self, stream: AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]) -> None:
        self.opened: asyncio.Future[DragomanError | None] = (
            asyncio.get_running_loop().create_future()
        )
        self._stream = stream

    async def run(self, joined: JoinedStream) -> None:
        """Read the stream to its end, into `joined`.

        An error before it is open is told by `opened` alone; a later one ends the joined stream.
        """
        try:
            async with self._stream as batches:
                self.opened.set_result(None)
                async for batch in batches:
                    await joined.put(batch)
        except DragomanError as error:
            self._fail(error, joined)
        except Exception as error:
            mistake = StreamLostError(f"one of the streams ended by a mistake: {where(error)}")
            self._fail(mistake, joined)
            raise

    def ended(self) -> None:
        """Let nobody wait any more for what will not open."""
        if not self.opened.done():
            self.opened.set_result(ClosedError("the stream was closed while it was being opened"))

    def _fail(self, error: DragomanError, joined: JoinedStream) -> None:
        if self.opened.done():
            joined.end(error)
        else:
            self.opened.set_result(error)


@asynccontextmanager
async def joined_stream(
    streams: Sequence[AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]],
) -> AsyncGenerator[AsyncIterator[Sequence[Event]]]:
    """Enter all of the streams at once and read them as one; leaving leaves each of them.

    The iterator ends when every stream has come to a regular end, or by the first error of any.

    Raises:
        DragomanError: On entry: what the first stream that failed raised; none of the others stays
            open. From the iterator: what ended one of them.
    """
    joined = JoinedStream()
    scope = TaskScope(report)
    sources = [_Source(stream) for stream in streams]
    running = len(sources)

    def ended(source: _Source) -> None:
        nonlocal running
        source.ended()
        running -= 1
        if not running:
            joined.end(StopAsyncIteration())

    if not sources:
        joined.end(StopAsyncIteration())
    try:
        for number, source in enumerate(sources, 1):
            task = scope.spawn(source.run(joined), f"part {number} of a joined stream")
            task.add_done_callback(lambda _, source=source: ended(source))  # type: ignore[misc] # of a lambda's default
        await _all_open(sources)
        yield joined
    finally:
        joined.end(StopAsyncIteration())
        await scope.close()


async def _all_open(sources: Sequence[_Source]) -> None:
    """Return when each is open; raise what the first of them failed by."""
    waiting = {source.opened for source in sources}
    while waiting:
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for source in sources:
            failure = source.opened.result() if source.opened.done() else None
            if failure is not None:
                raise failure
