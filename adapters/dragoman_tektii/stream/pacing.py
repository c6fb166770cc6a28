"""When a backtest's events are acknowledged: once everybody has worked on them, and not before.

An engine sends its next event when the last one was acknowledged. Each of its messages is followed,
in the stream of each reader, by a marker; a reader that asks for the next batch has worked on all
before it. Then the readers behind that one are waited for.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from dragoman.errors import DragomanError
from dragoman.models import ConnectionEvent, ConnectionState, Staleness
from dragoman.tasks import TaskScope
from dragoman.transport.codec import encode
from dragoman.transport.link_errors import report
from dragoman_tektii.mapping.frames import BROKER_CHANNEL, MARKET_CHANNEL

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Awaitable,
        Callable,
        Coroutine,
        Iterable,
        Sequence,
    )

    from dragoman.adapter import AdapterContext
    from dragoman.models import Event
    from dragoman.transport.stream_protocol import StreamSession

__all__ = ["COMPLETE", "PONG", "Marker", "PacedReader", "Pacer"]

COMPLETE: Final = "the backtest is complete"
"""Why a stream ends that nobody closed here."""

PONG: Final = encode({"type": "pong"}).decode()
_MILLISECOND_NS: Final = 1_000_000


@attrs.frozen
class Marker:
    """Stands behind what one message of a backtest told."""

    event_id: str


class Pacer:
    """The events of a backtest that are not acknowledged yet.

    Args:
        context: Gives ids and the clock.
        waits: Whether readers behind those of the adapter are waited for.
    """

    def __init__(self, context: AdapterContext, *, waits: bool) -> None:
        self._context = context
        self._waits = waits
        self._worked_on: Callable[[], Awaitable[None]] | None = None
        self._readers: set[PacedReader] = set()
        self._open: dict[str, set[PacedReader]] = {}
        self._session: StreamSession[str | bytes] | None = None
        self._scope = TaskScope(report)

    def wait_for(self, worked_on: Callable[[], Awaitable[None]]) -> None:
        """Wait for that too before anything is acknowledged."""
        self._worked_on = worked_on

    def speak_by(self, session: StreamSession[str | bytes]) -> None:
        """Answer by that connection from now on."""
        self._session = session

    def join(self, reader: PacedReader) -> None:
        """Wait for a reader from the next message on."""
        self._readers.add(reader)

    def leave(self, reader: PacedReader) -> None:
        """Wait for a reader no more."""
        self._readers.discard(reader)
        self.passed(reader, tuple(self._open))

    def told(self, event_id: str) -> Marker:
        """Know that an event was told; returns what is to stand behind it."""
        self._open[event_id] = set(self._readers)
        if not self._readers:
            self.release([event_id])
        return Marker(event_id)

    def passed(self, reader: PacedReader, event_ids: Iterable[str]) -> None:
        """Know that a reader has worked on events."""
        for event_id in event_ids:
            waiting = self._open.get(event_id)
            if waiting is None:
                continue
            waiting.discard(reader)
            if not waiting:
                del self._open[event_id]
                self._spawn(self._acknowledge(event_id), "acknowledging an event")

    def release(self, event_ids: Iterable[str]) -> None:
        """Acknowledge events at once, whoever still works on them."""
        known = [one for one in event_ids if self._open.pop(one, None) is not None]
        for event_id in known:
            self._spawn(self._send(self._written(event_id)), "acknowledging an event")

    def pong(self) -> None:
        """Answer a gateway that asks whether anybody is there."""
        self._spawn(self._send(PONG), "answering a ping")

    async def aclose(self) -> None:
        """Acknowledge nothing any more. Idempotent."""
        await self._scope.close()

    async def _acknowledge(self, event_id: str) -> None:
        if self._waits and self._worked_on is not None:
            await self._worked_on()
        await self._send(self._written(event_id))

    async def _send(self, text: str) -> None:
        """Say something to the gateway; once the connection is lost, to nobody."""
        if self._session is None:
            return
        try:
            await self._session.send(text)
        except DragomanError:
            return

    def _written(self, event_id: str) -> str:
        message = {
            "type": "event_ack",
            "correlation_id": self._context.ids.next_id(),
            "events_processed": [event_id],
            "timestamp": self._context.clock.now_ns() // _MILLISECOND_NS,
        }
        return encode(message).decode()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        with suppress(RuntimeError):  # closed: nobody is to be told any more
            self._scope.spawn(work, name)


class PacedReader:
    """The batches of one reader, without markers: asking for the next says the last was worked on.

    Args:
        pacer: Is told what was worked on.
        is_private: Whether it is the account's reader, who is told of the broker's connection and
            not of quotes that stand still.
        on_complete: Is told of the end of a backtest.
    """

    def __init__(self, pacer: Pacer, *, is_private: bool, on_complete: Callable[[], None]) -> None:
        self._pacer = pacer
        self._is_private = is_private
        self._on_complete = on_complete
        self._batches: AsyncIterator[Sequence[Event]] | None = None
        self._in_hand: tuple[str, ...] = ()
        self._is_broker_down = False
        self._has_ended = False

    def read(self, batches: AsyncIterator[Sequence[Event]]) -> None:
        """Read these."""
        self._batches = batches

    def __aiter__(self) -> PacedReader:
        return self

    async def __anext__(self) -> Sequence[Event]:
        """Return the next batch; ends after the end of a backtest."""
        while True:
            self._pacer.passed(self, self._in_hand)
            self._in_hand = ()
            if self._has_ended or self._batches is None:
                raise StopAsyncIteration
            batch = await anext(self._batches)
            said = cast("Sequence[Event | Marker]", batch)
            self._in_hand = tuple([one.event_id for one in said if isinstance(one, Marker)])
            events = [told for one in said for told in self._told(one)]
            if events:
                return events

    def _told(self, event: Event | Marker) -> Sequence[Event]:
        if isinstance(event, Marker):
            return ()
        if isinstance(event, ConnectionEvent):
            return self._told_connection(event)
        if isinstance(event, Staleness) and event.channel == MARKET_CHANNEL and self._is_private:
            return ()
        return (event,)

    def _told_connection(self, event: ConnectionEvent) -> Sequence[Event]:
        """Tell of both connections; a new one to the gateway knows no loss of the broker's."""
        if event.state is ConnectionState.ENDED:
            self._has_ended = True
            if event.cause == COMPLETE:
                self._on_complete()
        if event.channel == BROKER_CHANNEL:
            self._is_broker_down = event.state is not ConnectionState.RECONNECTED
            return (event,)
        if event.state is not ConnectionState.RECONNECTED or not self._is_broker_down:
            return (event,)
        self._is_broker_down = False
        return (event, attrs.evolve(event, channel=BROKER_CHANNEL))
