"""An event stream for threads: an ordinary iterator, one event at a time or in batches."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Final

from dragoman.errors import ClosedError, InvalidValueError, NotConnectedError, Violation
from dragoman.streaming.topics import PRIVATE_CHANNELS, private_channels_of, topic_of, topics_of

from .call import Call
from .gate import Gate
from .line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from dragoman.models import Event, Subscription
    from dragoman.streaming import EventStream, Topic

    from .loop_thread import LoopThread

__all__ = ["SyncEventStream"]

_AHEAD: Final = 256


class SyncEventStream:
    """One reader's events: `with` opens and closes it, `for` reads it. Threads may share it.

    Entered means that every market topic it wants is live upstream. Order is the order of arrival;
    of threads that share it, each event goes to one. A few hundred events wait outside the buffer
    that `Broker.stream` was given. It ends as `EventStream` does: with `StopIteration` when it or
    the connection was closed, or when every market topic came to its regular end and it wants no
    channel of the account; with `StreamLostError`, `ClosedError` or the journal's error otherwise.
    """

    def __init__(self, loop: LoopThread, stream: EventStream) -> None:
        self._loop = loop
        self._stream = stream
        self._line: Line[Event] = Line(loop.service, _AHEAD)
        self._opening = _Opening()
        self._lock = threading.Lock()
        self._serving: Call[None] | None = None
        self._drop: weakref.finalize[[Callable[[], object]], SyncEventStream] | None = None
        self._is_used = False
        self._is_closed = False

    @property
    def subscription(self) -> Subscription:
        """What it wants now: less what has ended."""
        return self._loop.look(lambda: self._stream.subscription)

    @property
    def lost(self) -> Mapping[Topic, int]:
        """How many market events this reader did not get so far, by topic."""
        return self._loop.look(lambda: self._stream.lost)

    @property
    def session_lost(self) -> int:
        """How many session events were replaced by a newer one before they were read."""
        return self._loop.look(lambda: self._stream.session_lost)

    def __enter__(self) -> Self:
        """Subscribe.

        Raises:
            ClosedError: The connection is closed, or the stream was opened before.
            InvalidValueError: `since` is no sequence of this account's events so far.
            SequenceGapError: The events after `since` are no longer kept.
            DragomanError: The upstream refuses a topic.
        """
        self._loop.service.check_caller()
        with self._lock:
            if self._is_used:
                raise ClosedError("a stream is opened once; ask the broker for another one")
            self._is_used = True
        try:
            serving = self._begin()
            self._opening.news.wait()
        except BaseException:
            self.close_soon()
            raise
        self._loop.service.hold_at_exit()
        if not self._opening.is_live:
            serving.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the stream; returns when upstream streams nobody wants are closed. Idempotent.

        What waits in it is forgotten. Any thread may close it; one that reads it then ends.
        """
        if self._loop.service.is_foreign:
            return
        self._loop.service.check_caller()
        self.close_soon()
        if self._serving is not None and self._serving.is_asked:
            self._serving.wait()
        if self._drop is not None:
            self._drop.detach()

    def close_soon(self) -> None:
        """End the stream without waiting for what that takes."""
        with self._lock:
            self._is_used = self._is_closed = True
        self._line.close()
        if self._serving is not None:
            self._loop.service.soon(self._serving.cancel)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        for event in self._take(1):
            return event
        raise StopIteration

    def receive(self, timeout_s: float | None = None) -> Event:
        """Return the next event.

        Raises:
            TimeoutError: None came within `timeout_s`; None waits for ever.
            ClosedError: The stream has ended.
        """
        for event in self._take(1, timeout_s):
            return event
        raise ClosedError("this stream has ended; open another one")

    def batches(self, limit: int | None = None) -> Iterator[tuple[Event, ...]]:
        """Iterate over all that waits at once, at most `limit` events each time; never none."""
        if limit is not None and limit < 1:
            raise InvalidValueError.of(
                "batches", [Violation.of("limit", limit, "at least 1 event, or None")]
            )
        return iter(lambda: self._take(limit), ())

    def subscribe(self, subscription: Subscription) -> None:
        """Want this too; returns when it is live.

        Raises:
            ClosedError: The stream has ended.
            DragomanError: The upstream refuses a topic; then nothing of `subscription` was added.
        """
        self._loop.read(lambda: self._stream.subscribe(subscription))

    def unsubscribe(self, subscription: Subscription) -> None:
        """Want this no more: no such event comes after the call, not even one that waits already.

        Returns when upstream streams that nobody wants any more are closed.

        Raises:
            ClosedError: The stream has ended.
        """
        self._loop.read(lambda: self._unsubscribe(subscription))

    async def _unsubscribe(self, subscription: Subscription) -> None:
        await self._stream.unsubscribe(subscription)
        topics, channels = topics_of(subscription), private_channels_of(subscription)
        self._line.purge(
            lambda event: PRIVATE_CHANNELS.get(type(event)) in channels or topic_of(event) in topics
        )

    def _take(self, limit: int | None, timeout_s: float | None = None) -> tuple[Event, ...]:
        if self._serving is None:
            raise NotConnectedError("open the stream with `with` before using it")
        return self._line.take(limit, timeout_s)

    def _begin(self) -> Call[None]:
        service, stream, line, opening = self._loop.service, self._stream, self._line, self._opening

        def ended(error: BaseException | None) -> None:
            line.end(error)
            opening.news.open()

        serving = Call(
            lambda: _serve(stream, line, opening),
            service.provider,
            name="a stream",
            on_end=ended,
            on_last_turn=line.lift,
        )
        with self._lock:
            if self._is_closed:
                serving.refuse()
                return serving
            self._serving = serving
            self._drop = weakref.finalize(self, service.soon, serving.cancel)
            self._drop.atexit = False
            service.begin(serving)
        return serving


class _Opening:
    """Whether a stream is live yet, and the wait for that or for its failure."""

    def __init__(self) -> None:
        self.is_live = False
        self.news = Gate()

    def go_live(self) -> None:
        self.is_live = True
        self.news.open()


async def _serve(stream: EventStream, line: Line[Event], opening: _Opening) -> None:
    stream.hand_on(line)
    async with stream:
        opening.go_live()
        async for batch in stream.batches(_AHEAD):
            await line.put(batch)
