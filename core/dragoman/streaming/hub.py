"""The hub: one upstream, many readers.

Market channels are opened upstream by the hub, each topic once. Private events come by `publish`,
after they were journalled. The hub reads no private channel itself: what was not journalled is
never shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import ClosedError, InvalidValueError, Violation

from .listener import Listener
from .stream import EventStream
from .subscriptions import Subscriptions
from .topics import PRIVATE_CHANNELS, SESSION_EVENTS
from .watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.models.enums import Channel
    from dragoman.models.events import Event, PrivateEvent
    from dragoman.models.subscription import Subscription
    from dragoman.ports import EventPort
    from dragoman.tasks import TaskScope
    from dragoman.times import Clock

    from .journal_cursor import EventLog
    from .listener import Callback, ErrorReport
    from .reader import Reader

__all__ = ["Hub"]


class Hub:
    """Gives each reader what it asked for; a slow or failing reader touches no other.

    All methods belong to the event loop that the scope's tasks run in.

    Args:
        upstream: Where market data comes from.
        log: The journal's private events: what feeds readers that are behind or resume.
        scope: Where the hub's tasks live; the owner closes it after the hub.
        clock: The time of the events that the hub makes.
        stuck_after_s: How long a callback may be busy with one event before its listener is
            reported once; None never.
    """

    def __init__(
        self,
        upstream: EventPort,
        log: EventLog,
        scope: TaskScope,
        clock: Clock,
        *,
        stuck_after_s: float | None = 30.0,
    ) -> None:
        self.clock = clock
        self.log = log
        self.published: int = log.last_sequence
        self.subscriptions: Subscriptions = Subscriptions(
            upstream, scope, clock, lambda: self._everyone
        )
        self._scope = scope
        self._watchdog = Watchdog(scope, clock, stuck_after_s)
        self._everyone: tuple[Reader, ...] = ()
        self._by_channel: dict[Channel, tuple[Reader, ...]] = {}
        self._listeners: set[Listener] = set()
        self._is_closed = False

    def publish(self, events: Sequence[Event]) -> None:
        """Give out private events, already journalled, and session events. Never waits.

        Private events are numbered strictly plus one. One that was given out before is passed
        over; if some were skipped, the readers take those from the log.

        Raises:
            InvalidValueError: A private event has no sequence, or an event is market data.
        """
        for event in events:
            channel = PRIVATE_CHANNELS.get(type(event))
            if channel is not None:
                self._publish_private(event, channel)  # type: ignore[arg-type] # the class was looked up
            elif isinstance(event, SESSION_EVENTS):
                for reader in self._everyone:
                    reader.lanes.extend((event,))
            else:
                allowed = "private and session events"
                found = Violation.of("event", type(event).__name__, allowed)
                raise InvalidValueError.of("publish", [found])

    def stream(
        self, subscription: Subscription, *, since: int | None = None, buffer: int = 10_000
    ) -> EventStream:
        """Return a stream of what `subscription` asks for, to be opened with `async with`.

        Args:
            subscription: May be empty: then only session events come, until more is asked for.
            since: The sequence of the last private event seen; later ones come first, out of the
                journal. 0 means all of them, None those from now on.
            buffer: How many events may wait before private ones are left to the journal and
                market data is conflated.

        Raises:
            InvalidValueError: `buffer` is below 1.
        """
        return EventStream(self, subscription, since=since, buffer=buffer)

    def listen(
        self,
        callback: Callback,
        subscription: Subscription,
        *,
        since: int | None = None,
        buffer: int = 10_000,
        on_error: ErrorReport | None = None,
    ) -> Listener:
        """Call `callback` with each event, one at a time, in a task of its own; await its result.

        Args:
            callback: May raise: that is reported and counted, and the next event follows.
            subscription: As for `stream`, and so are `since` and `buffer`.
            since: See `subscription`.
            buffer: See `subscription`.
            on_error: Is told of each failure, with the event, or with None when the stream itself
                failed or can't be opened. None: failures are logged, the first and then ever more
                rarely.

        Raises:
            ClosedError: The hub is closed.
        """
        self._require_open()
        stream = self.stream(subscription, since=since, buffer=buffer)
        listener = Listener(stream, callback, on_error)
        listener.start(self._scope, self._listeners.discard)
        self._listeners.add(listener)
        self._watchdog.watch(listener)
        return listener

    async def worked_on(self) -> None:
        """Return once every reader has worked on all that was given out, and asked for more."""
        while busy := [one for one in self._everyone if not one.lanes.is_worked_on]:
            await busy[0].lanes.worked_on()

    def end(self) -> None:
        """Let every reader end after what waits for it: nothing more will come of the account."""
        for reader in self._everyone:
            reader.lanes.end()

    async def aclose(self) -> None:
        """End every reader and listener and close every upstream stream. Idempotent.

        Readers still get what waits for them, and then end: quietly if they have had everything, by
        `ClosedError` if private events were still to be read from the journal.
        """
        self._is_closed = True
        for reader in self._everyone:
            reader.cut()
        self._everyone = ()
        self._by_channel = {}
        for listener in tuple(self._listeners):
            await listener.aclose()
        self._watchdog.close()
        await self.subscriptions.aclose()

    def admit(self, reader: Reader) -> None:
        """Let a reader have session events, and private ones once indexed; streams call this."""
        self._require_open()
        self._everyone = (*self._everyone, reader)

    def dismiss(self, reader: Reader) -> None:
        """Let a reader have no more events; streams call this."""
        self._everyone = tuple(other for other in self._everyone if other is not reader)
        self.index()

    def index(self) -> None:
        """Learn anew which readers want which channel of the account; streams call this."""
        by_channel: dict[Channel, tuple[Reader, ...]] = {}
        for reader in self._everyone:
            for channel in reader.lanes.cursor.channels:
                by_channel[channel] = (*by_channel.get(channel, ()), reader)
        self._by_channel = by_channel

    def _require_open(self) -> None:
        if self._is_closed:
            raise ClosedError("the connection is closed")

    def _publish_private(self, event: PrivateEvent, channel: Channel) -> None:
        if event.sequence < 1:
            found = Violation.of(
                "sequence", event.sequence, "at least 1: journalled before published"
            )
            raise InvalidValueError.of("publish", [found])
        if event.sequence <= self.published:
            return
        if event.sequence > self.published + 1:
            self._send_to_log(self.published + 1)
        self.published = event.sequence
        for reader in self._by_channel.get(channel, ()):
            reader.lanes.push_private(event)

    def _send_to_log(self, first: int) -> None:
        """Let all who want private events read those that were never published."""
        for reader in {reader for readers in self._by_channel.values() for reader in readers}:
            reader.lanes.fall_behind(first)
