"""The bounded buffer of one reader: private events lossless, market data conflated.

All events wait in one line, in the order of their arrival, so the usual case is an append and a
pop. Only when the line is too long is it sorted into lanes and shortened to half, which spreads
that cost over as many appends.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, Final, Protocol

from dragoman.errors import ClosedError
from dragoman.models.events import (
    AccountEvent,
    Gap,
    LedgerEvent,
    OrderEvent,
    PositionEvent,
    ProtectionEvent,
    ReaderLagged,
)

from .conflation import conflate
from .topics import PRIVATE_CHANNELS, topic_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dragoman.models.enums import Channel
    from dragoman.models.events import Event, PrivateEvent
    from dragoman.times import Clock

    from .journal_cursor import JournalCursor
    from .topics import Topic

__all__ = ["Beyond", "Lanes"]

_PRIVATE: Final = (OrderEvent, PositionEvent, AccountEvent, LedgerEvent, ProtectionEvent)
_PRIVATE_SHARE: Final = 4


class Beyond(Protocol):
    """Whoever works on what a reader hands on."""

    @property
    def is_worked_on(self) -> bool:
        """Whether all that was handed on is worked on."""
        ...

    async def worked_on(self) -> None:
        """Return once it is."""
        ...


class Lanes:
    """What waits for one reader, and how it is shortened when that is too much.

    Order of delivery: a page of the log that is being handed out, then the line up to
    `ReaderLagged`, then the log until level, then the rest of the line. The buffer holds at most
    `capacity` events, or four times the number of quotes, tickers, statuses and bars that are
    always kept (conflation.py), whichever is more.
    """

    def __init__(self, cursor: JournalCursor, clock: Clock, capacity: int) -> None:
        self.cursor = cursor
        self.lost: Counter[Topic] = Counter()
        self.session_lost: int = 0
        self.is_ended: bool = False
        self._ending: Exception | None = None
        self._is_cut = False
        self._clock = clock
        self._capacity = self._limit = capacity
        self._line: deque[Event] = deque()
        self._page: deque[PrivateEvent] = deque()
        self._untold: Counter[Topic] = Counter()
        self._marker: ReaderLagged | None = None
        self._is_plain = True
        self._has_begun = False
        self._beyond: Beyond | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._watchers: list[asyncio.Future[None]] = []

    def __len__(self) -> int:
        return len(self._line) + len(self._page)

    @property
    def is_behind(self) -> bool:
        """Whether the next events come from the log, by `load_page`."""
        reads_on = self.cursor.is_behind and not self._is_cut
        return reads_on and self._marker is None and not self._page

    @property
    def is_worked_on(self) -> bool:
        """Whether the reader has worked on everything: nothing waits, and it asked for more.

        One that has not begun to read works on nothing while nothing waits for it.
        """
        beyond = self._beyond
        return self._is_level and (beyond is None or beyond.is_worked_on)

    @property
    def _is_level(self) -> bool:
        is_empty = not self._line and not self._page and not self.cursor.is_behind
        return self.is_ended or (is_empty and (self._waiter is not None or not self._has_begun))

    def hand_on(self, beyond: Beyond) -> None:
        """Know that the reader only hands on what it is given, and to whom."""
        self._beyond = beyond

    def begin(self) -> None:
        """Know that the reader reads from now on."""
        self._has_begun = True

    async def worked_on(self) -> None:
        """Return once `is_worked_on`."""
        while not self.is_worked_on:
            if self._is_level and self._beyond is not None:
                await self._beyond.worked_on()
                continue
            watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._watchers.append(watcher)
            await watcher

    def extend(self, events: Sequence[Event]) -> None:
        """Append market or session events, in order."""
        if self.is_ended:
            return
        self._line.extend(events)
        if len(self._line) > self._limit:
            self._shorten()
        if self._waiter is not None:
            self._wake()

    def push_private(self, event: PrivateEvent) -> None:
        """Append a private event, unless the log feeds this reader now."""
        if self.cursor.admits(event):
            self.extend((event,))

    def fall_behind(self, first: int) -> None:
        """Let the log feed the reader from the sequence `first` on, and say so in its place."""
        if not self.cursor.is_behind and not self.is_ended:
            self.extend((self._mark(first),))

    def start_behind(self, since: int) -> None:
        """Let the log feed a new reader everything after `since`."""
        self.cursor.start(since)
        self._is_plain = False

    def load_page(self) -> None:
        """Read on in the log; errors of the log pass through and end the reader."""
        try:
            self._page.extend(self.cursor.next_page())
        except Exception as error:
            self.discard()
            self.end(error)
            raise
        self._is_plain = False

    def take(self) -> Event | None:
        """Return the next event; None when nothing waits here."""
        if self._is_plain:
            return self._line.popleft() if self._line else None
        return self._take_with_care()

    def take_many(self, limit: int | None) -> tuple[Event, ...]:
        """Return what waits here, at most `limit` events, and empty the buffer of it."""
        if self._is_plain and (limit is None or len(self._line) <= limit):
            events = tuple(self._line)
            self._line.clear()
            return events
        taken: list[Event] = []
        while (limit is None or len(taken) < limit) and (event := self.take()) is not None:
            taken.append(event)
        return tuple(taken)

    async def wait(self) -> None:
        """Return when something may wait here.

        Raises:
            StopAsyncIteration: The reader has had everything there was.
            RuntimeError: Another task waits already.
        """
        if self.is_ended:
            raise self._ending or StopAsyncIteration
        if self._waiter is not None:
            raise RuntimeError("a stream has one reader: another task waits on it already")
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        if self._watchers:
            self._tell_watchers()
        try:
            await waiter
        finally:
            if self._waiter is waiter:
                self._waiter = None

    def end(self, error: Exception | None = None) -> None:
        """Take nothing more; once what waits is handed out the reader ends, by `error` if given."""
        if self.is_ended:
            return
        self.is_ended = True
        self._ending = error
        self._tell_watchers()
        if self._waiter is not None:
            self._wake()

    def cut(self) -> None:
        """End because the hub closes; who still reads the log then has not had everything."""
        self._is_cut = True
        if not self.cursor.is_behind:
            self.end()
            return
        self.end(
            ClosedError(
                f"the stream was closed while private events after {self.cursor.sequence} "
                "were still to be read from the journal; read on with since="
            )
        )

    def discard(self) -> None:
        """Forget all that waits."""
        self._line.clear()
        self._page.clear()
        self._untold.clear()
        self._marker = None
        self.cursor.is_behind = False
        self._is_plain = True

    def purge(self, topics: Collection[Topic], channels: Collection[Channel]) -> None:
        """Forget what waits of topics and channels that the reader no longer wants."""
        self._line = deque(event for event in self._line if not _is_of(event, topics, channels))
        self._page = deque(event for event in self._page if not _is_of(event, topics, channels))
        for topic in topics:
            self._untold.pop(topic, None)

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _tell_watchers(self) -> None:
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    def _take_with_care(self) -> Event | None:
        if self._page:
            return self._page.popleft()
        if self.is_behind:
            return None
        if not self._line:
            self._is_plain = not self._untold
            return self._gap_of(next(iter(self._untold), None))
        event = self._line[0]
        if self._untold and (gap := self._gap_of(topic_of(event))) is not None:
            return gap
        self._line.popleft()
        if event is self._marker:
            self._marker = None
        return event

    def _gap_of(self, topic: Topic | None) -> Gap | None:
        lost = 0 if topic is None else self._untold.pop(topic, 0)
        if topic is None or not lost:
            return None
        return Gap(
            channel=topic.channel,
            symbol=topic.symbol,
            lost=lost,
            received_at_ns=self._clock.now_ns(),
        )

    def _shorten(self) -> None:
        private = [event for event in self._line if isinstance(event, _PRIVATE)]
        if len(private) > self._limit // _PRIVATE_SHARE:
            self._lag(private)
        survivors = conflate(self._line, max(self._limit // 2, 1))
        self._line = deque(survivors.events)
        self._untold.update(survivors.lost)
        self.lost.update(survivors.lost)
        self.session_lost += survivors.session_lost
        self._limit = max(self._capacity, 2 * survivors.pinned)
        self._is_plain = self._is_plain and not self._untold

    def _lag(self, private: Sequence[PrivateEvent]) -> None:
        """Replace the private events that wait by one word that the log will tell them."""
        taken_out = {id(event) for event in private} | {id(self._marker)}
        place = next(index for index, event in enumerate(self._line) if id(event) in taken_out)
        rest = [event for event in self._line if id(event) not in taken_out]
        marker = self._mark(private[0].sequence)
        self._line = deque((*rest[:place], marker, *rest[place:]))

    def _mark(self, first: int) -> ReaderLagged:
        self.cursor.fall_behind(first)
        self._marker = ReaderLagged(from_sequence=first, received_at_ns=self._clock.now_ns())
        self._is_plain = False
        return self._marker


def _is_of(event: Event, topics: Collection[Topic], channels: Collection[Channel]) -> bool:
    return PRIVATE_CHANNELS.get(type(event)) in channels or topic_of(event) in topics
