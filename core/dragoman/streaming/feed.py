"""One upstream stream: a task that opens it, routes what it says, and knows how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from dragoman.errors import ClosedError, DragomanError, StreamLostError

from .topics import subscription_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from dragoman.models.events import Event
    from dragoman.ports import EventPort
    from dragoman.tasks import TaskScope
    from dragoman.times import Clock

    from .routes import Routes
    from .topics import Topic

__all__ = ["Feed", "FeedHooks", "FeedState"]

_TURN: Final = 256


class FeedState(StrEnum):
    """The life of an upstream stream."""

    OPENING = "OPENING"
    LIVE = "LIVE"
    CLOSING = "CLOSING"


class FeedHooks(NamedTuple):
    """Who is told, at once, that a stream is live, and that it has ended and is closed."""

    on_live: Callable[[Feed], None]
    on_end: Callable[[Feed], None]


class Feed:
    """One upstream stream for a fixed set of topics, and who reads them.

    `opened` is done when the stream is live, with None, or when it ended before that, with the
    reason. `failure` is why it ended; None for a regular end.
    """

    def __init__(self, topics: frozenset[Topic], routes: Routes, clock: Clock) -> None:
        self.topics = topics
        self.routes = routes
        self.state: FeedState = FeedState.OPENING
        self.failure: Exception | None = None
        self.opened: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._since_turn = 0

    @property
    def task(self) -> asyncio.Task[None]:
        """The task that runs it.

        Raises:
            ClosedError: It was never started.
        """
        if self._task is None:
            raise ClosedError("this upstream stream was not started")
        return self._task

    def start(self, upstream: EventPort, scope: TaskScope, hooks: FeedHooks) -> None:
        """Open the stream in a task of `scope`; each hook is called at most once.

        Raises:
            ClosedError: The scope is closed.
        """
        name = f"market stream of {len(self.topics)} topics"
        try:
            self._task = scope.spawn(self._run(upstream, hooks), name)
        except RuntimeError as error:
            raise ClosedError("the connection is closed") from error
        self._task.add_done_callback(lambda task: self._ended(task, hooks))

    def close(self) -> None:
        """Stop reading and close the stream; its task ends when that is done."""
        if self.state is not FeedState.CLOSING:
            self.state = FeedState.CLOSING
            self.task.cancel()

    async def _run(self, upstream: EventPort, hooks: FeedHooks) -> None:
        try:
            async with upstream.stream(subscription_of(self.topics)) as batches:
                self._go_live(hooks)
                await self._read(batches)
            self._require_end()
        except DragomanError as error:
            self.failure = error
        except Exception as error:
            self.failure = error
            if self.opened.done():
                raise
        finally:
            self.state = FeedState.CLOSING

    def _go_live(self, hooks: FeedHooks) -> None:
        if self.state is FeedState.OPENING:
            self.state = FeedState.LIVE
        self.opened.set_result(None)
        hooks.on_live(self)

    async def _read(self, batches: AsyncIterator[Sequence[Event]]) -> None:
        try:
            async for batch in batches:
                self.routes.deliver(batch)
                self._since_turn += len(batch)
                if self._since_turn >= _TURN:
                    await self._give_turn()
        finally:
            if isinstance(batches, AsyncGenerator):
                await batches.aclose()

    async def _give_turn(self) -> None:
        """Let the readers run: a source that never has to wait would keep the loop to itself."""
        self._since_turn = 0
        await self._clock.sleep_until_ns(0)

    def _require_end(self) -> None:
        if not self.routes.has_said_ended:
            raise StreamLostError("the market stream stopped without saying that it ended")

    def _ended(self, task: asyncio.Task[None], hooks: FeedHooks) -> None:
        self.state = FeedState.CLOSING
        if task.cancelled():
            self.failure = ClosedError("the market stream was closed")
        hooks.on_end(self)
        if not self.opened.done():
            self.opened.set_result(
                self.failure or StreamLostError("the market stream never opened")
            )
